//! What a peer says inside its dialog besides INVITE and BYE: keys and messages in INFO, messages,
//! questions of what we can do.

use std::time::Duration;

use sip::{Message, Method, RequestId, Respond};
use verbs::callback::SipRequestReceived;

use crate::call::{Call, Context};
use crate::effect::SipAction;
use crate::hook::{Why, empty_list};
use crate::leg::LegId;
use crate::verb::dial::ring;

/// Length of a key that does not say it.
const KEY: Duration = Duration::from_millis(160);

/// Longest key that is believed.
const KEY_MAX: Duration = Duration::from_secs(10);

impl Call {
    /// A request inside the dialog of a leg.
    pub(crate) fn requested_inside(
        &mut self,
        cx: Context<'_>,
        leg: LegId,
        id: RequestId,
        request: &Message,
    ) {
        let status = match request.method() {
            // RFC 3262 §5: a PRACK with an offer is answered as an UPDATE is.
            Some(Method::Update | Method::Prack) => {
                return self.updated(cx, leg, id, request);
            }
            Some(Method::Refer) => return self.referred(cx, leg, id, request),
            Some(Method::Info) => self.info_came(cx, leg, request),
            Some(Method::Message) => self.message_came(request),
            Some(Method::Options) => 200,
            // RFC 3515 §2.4.4: of nothing that we referred.
            Some(Method::Notify) => 481,
            _ => 405,
        };
        self.sip(SipAction::Reply(id, Respond::status(status)));
    }

    fn info_came(&mut self, cx: Context<'_>, leg: LegId, request: &Message) -> u16 {
        match key(request) {
            Some((key, length)) => self.key_signalled(cx, leg, key, length),
            None => {
                self.tell_inside(request);
            }
        }
        200
    }

    /// A message is taken where somebody reads it.
    fn message_came(&mut self, request: &Message) -> u16 {
        if self.session.sip_request_hook.is_none() {
            return 405;
        }
        if self.tell_inside(request) { 202 } else { 503 }
    }

    /// Asks the sipRequestWithinDialogHook, where there is one; whether it was asked.
    fn tell_inside(&mut self, request: &Message) -> bool {
        let Some(hook) = self.session.sip_request_hook.clone() else { return false };
        let inside = SipRequestReceived {
            sip_method: request.method().map(|method| method.to_string()).unwrap_or_default(),
            sip_body: String::from_utf8_lossy(request.body()).into_owned(),
            sip_headers: sip::redacted::headers(request),
        };
        let payload = self.info_of(self.caller.id).payload(&inside);
        self.ask_aside(hook, payload, Why::Inside)
    }

    /// The sipRequestWithinDialogHook answered: a list takes the place of the caller's.
    pub(crate) fn inside_reply(&mut self, cx: Context<'_>, reply: Option<String>) {
        let list = reply.filter(|text| text.trim_start().starts_with('[') && !empty_list(text));
        let list = list.filter(|text| self.parse(text).is_ok());
        let Some(list) = list.filter(|_| self.caller.state.alive()) else { return };
        self.interrupt(self.caller.id);
        self.dial_input(cx, ring::Input::Replaced);
        self.run_list(&list);
    }
}

/// The key that an INFO tells of: `application/dtmf-relay` (`Signal=5`, `Duration=160`, spaces or
/// not), or `application/dtmf` (the key alone).
pub(crate) fn key(request: &Message) -> Option<(char, Duration)> {
    let kind = request.header_text("Content-Type")?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = String::from_utf8_lossy(request.body()).into_owned();
    match kind.as_str() {
        "application/dtmf-relay" => relayed(&body),
        "application/dtmf" => Some((known(body.trim())?, KEY)),
        _ => None,
    }
}

fn relayed(body: &str) -> Option<(char, Duration)> {
    let mut signal = None;
    let mut length = KEY;
    for line in body.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "signal" => signal = known(value),
            "duration" => {
                length = value.parse().map_or(KEY, Duration::from_millis).min(KEY_MAX);
            }
            _ => {}
        }
    }
    Some((signal?, length))
}

/// A key as it is written: itself, or (RFC 4733 §3.2, as some write it) `10` for `*` and `11` for
/// `#`.
fn known(text: &str) -> Option<char> {
    match text {
        "10" => return Some('*'),
        "11" => return Some('#'),
        _ => {}
    }
    let mut characters = text.chars();
    let key = characters.next()?.to_ascii_uppercase();
    let alone = characters.next().is_none();
    (alone && (key.is_ascii_digit() || "*#ABCD".contains(key))).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_relayed_key() {
        let ms = Duration::from_millis;
        assert_eq!(relayed("Signal=5\r\nDuration=160\r\n"), Some(('5', ms(160))));
        assert_eq!(relayed("Signal= *\nDuration= 250"), Some(('*', ms(250))));
        assert_eq!(relayed("signal=11"), Some(('#', ms(160))));
        assert_eq!(relayed("Duration=5"), None);
        assert_eq!(relayed("Signal=d\r\nDuration=99999999"), Some(('D', KEY_MAX)));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in ["", "55", "x", "!", "12"] {
            assert_eq!(known(text), None, "{text}");
        }
    }
}
