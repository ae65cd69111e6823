//! What a phone does inside a call: it changes the session, presses keys, refers the other party.

use std::time::Instant;

use sip::{InDialog, InviteId, Message, Method, Transmit};

use super::{Act, OFFER_AGAIN, Phone};
use crate::glimpse::{self, Glimpse, Start};
use crate::script::{Offer, ReferTo};

impl Phone {
    /// What it does in a call that is up from now on.
    pub(super) fn plan_talk(&mut self, now: Instant, id: InviteId) {
        let offers = self.offers.iter().map(|(after, offer)| (*after, Act::Offer(*offer)));
        let keys = self.keys.iter().map(|(after, key)| (*after, Act::Press(*key)));
        self.agenda.extend(offers.chain(keys).map(|(after, act)| ((now + after, id, act), ())));
        self.plan_refers(now, id, false);
    }

    /// The REFERs that count from now: those that wait for the answer, or those that do not.
    pub(super) fn plan_refers(&mut self, now: Instant, id: InviteId, early: bool) {
        let refers = (0..).zip(&self.refers).filter(|(_, refer)| refer.is_early == early);
        self.agenda.extend(refers.map(|(place, refer)| {
            let act = Act::Refer(place);
            ((now + refer.after, id, act), ())
        }));
    }

    /// Changes the session of a call that is up; a little later where something is in the way.
    pub(super) fn offer(&mut self, now: Instant, id: InviteId, offer: Offer) {
        if !self.up.contains(&id) {
            return;
        }
        // RFC 4566 §5.2: each change of a description has the next version.
        self.version += 1;
        let body = self.offering(offer);
        let sent = if self.updates && offer != Offer::Asks {
            let content_type = Some("application/sdp".to_owned());
            let update = InDialog { content_type, body, ..InDialog::method(Method::Update) };
            let sent = self.endpoint.request(now, id, update);
            self.sent.extend(sent.map(|sent| (sent, Method::Update)));
            sent.is_some()
        } else {
            let content_type = if body.is_empty() { "" } else { "application/sdp" };
            self.endpoint.reinvite(now, id, &body, content_type, &[])
        };
        if !sent {
            self.agenda.insert((now + OFFER_AGAIN, id, Act::Offer(offer)), ());
        }
    }

    /// The description of an offer; none where the peer is to make it.
    fn offering(&self, offer: Offer) -> Vec<u8> {
        let direction = match offer {
            Offer::Asks => return Vec::new(),
            Offer::Blanks => {
                let text = String::from_utf8_lossy(&self.description()).into_owned();
                let address = format!("\r\nc=IN IP4 {}", self.media.ip());
                return text.replace(&address, "\r\nc=IN IP4 0.0.0.0").into_bytes();
            }
            Offer::Holds => "sendonly",
            Offer::Rests => "inactive",
            Offer::Talks => "sendrecv",
        };
        let mut body = self.description();
        body.extend_from_slice(format!("a={direction}\r\n").as_bytes());
        body
    }

    /// Refers the other party of a call elsewhere.
    pub(super) fn refer(&mut self, now: Instant, id: InviteId, place: usize) {
        let Some(refer) = self.refers.get(place).cloned() else { return };
        if !refer.is_early && !self.up.contains(&id) {
            return;
        }
        let to = match refer.to {
            ReferTo::Address(address) => address,
            ReferTo::OtherCall(uri) => {
                let mut others = self.up.iter().filter(|other| **other != id);
                let Some(dialog) = others.find_map(|other| self.endpoint.dialog_id(*other)) else {
                    return;
                };
                let of = format!(
                    "{};to-tag={};from-tag={}",
                    dialog.call_id, dialog.their_tag, dialog.our_tag
                );
                format!("<{uri}?Replaces={}>", escaped(&of))
            }
        };
        let mut headers = vec![("Refer-To".to_owned(), to)];
        headers.extend(refer.headers);
        let request = InDialog { headers, ..InDialog::method(Method::Refer) };
        let sent = self.endpoint.request(now, id, request);
        self.sent.extend(sent.map(|sent| (sent, Method::Refer)));
    }

    /// It is told how a REFER of its goes.
    pub(super) fn notified(&mut self, now: Instant, id: InviteId, request: &Message) {
        let line = String::from_utf8_lossy(request.body()).into_owned();
        let status = line.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let state = request.header_text("Subscription-State").unwrap_or_default();
        let ends = state.starts_with("terminated");
        let event = request.header_text("Event").unwrap_or_default();
        let number = event.split("id=").nth(1).and_then(|number| number.trim().parse().ok());
        let Some(status) = status else { return };
        self.notified.push((number.unwrap_or(0), status, ends));
        let leaves = self.refers.iter().any(|refer| refer.leaves);
        if leaves && ends && (200..300).contains(&status) {
            self.agenda.insert((now, id, Act::Hangup), ());
        }
    }

    /// A message as it leaves: the ACK of a re-INVITE without an offer has the answer to the
    /// peer's (RFC 3261 §13.2.1), of which the endpoint knows nothing.
    pub(super) fn completed(&mut self, transmit: Transmit) -> Transmit {
        let may_ask = self.offers.iter().any(|(_, offer)| *offer == Offer::Asks);
        let seen = may_ask.then(|| Glimpse::of(&transmit.bytes)).flatten();
        let Some(seen) = seen.filter(|seen| !seen.to_tag.is_empty()) else { return transmit };
        let named = (seen.call_id.to_owned(), seen.cseq);
        match seen.start {
            Start::Request("INVITE") if glimpse::body(&transmit.bytes).is_empty() => {
                self.asked.insert(named);
                transmit
            }
            Start::Request("ACK") if self.asked.contains(&named) => {
                let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                let answer = self.description();
                let length = format!(
                    "Content-Type: application/sdp\r\nContent-Length: {}\r\n",
                    answer.len()
                );
                let mut bytes = text.replace("Content-Length: 0\r\n", &length).into_bytes();
                bytes.extend_from_slice(&answer);
                Transmit { bytes: bytes.into(), ..transmit }
            }
            _ => transmit,
        }
    }
}

/// A value as it stands in a header of a URI (RFC 3261 §19.1.1).
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
