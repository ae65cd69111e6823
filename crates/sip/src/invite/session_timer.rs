//! What messages say about the session timer, and our refreshes (RFC 4028); [`super::expiry`]
//! decides when.
//!
//! Owns Session-Expires and Min-SE: those of the peer are read, ours are written into each INVITE,
//! UPDATE and their 2xx. A refresh of ours is an UPDATE without a body, or to a peer that has none
//! a re-INVITE that repeats our last session description; it makes no event.

use std::time::{Duration, Instant};

use super::{Session, Side, Step, accept, connect, expiry, provisional::names, reinvite::Attempt};
use crate::{
    endpoint::{EndCause, Event, Respond},
    headers::Params,
    message::{Message, decimal},
    method::Method,
    stack::{ALLOW, Stack, supported},
    transaction::{
        Failure,
        key::{ClientKey, ClientMethod},
        table::{Class, Purpose, ServerId},
    },
};

/// The option tag of RFC 4028.
const OPTION: &str = "timer";

/// RFC 4028 §4: what Min-SE is where nobody says so.
const MIN_SE_DEFAULT: Duration = Duration::from_secs(90);

/// Longest session interval that is agreed on; a longer wish is shortened.
pub(crate) const SESSION_EXPIRES_MAX: Duration = Duration::from_secs(86_400);

/// What the node wants of session timers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionTimers {
    /// As [`Config::session_expires`](crate::Config).
    pub(crate) expires: Option<Duration>,
    /// As [`Config::min_se`](crate::Config).
    pub(crate) min_se: Duration,
}

/// Who refreshes and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    expires: Duration,
    /// Whether it is who received the request.
    by_uas: bool,
    /// Whether the peer understands it (RFC 4028 §9: Require in the 2xx).
    understood: bool,
}

/// The session timer of one session.
#[derive(Clone)]
pub(super) struct Expiry {
    state: expiry::State,
    /// The least interval that the peer has asked for.
    min_se: Option<Duration>,
    /// A request was sent again because its interval was too short.
    raised: bool,
    /// The peer takes UPDATE.
    updates: bool,
    /// What answers a challenge, for the refresh that is next.
    proofs: Vec<(String, String)>,
    /// The refresh that is under way carries such an answer.
    answered: bool,
}

impl Expiry {
    pub(super) fn off() -> Expiry {
        Expiry {
            state: expiry::State::Off,
            min_se: None,
            raised: false,
            updates: false,
            proofs: Vec::new(),
            answered: false,
        }
    }
}

impl SessionTimers {
    /// What an INVITE of ours asks for.
    pub(crate) fn of_invite(self) -> Vec<(String, String)> {
        let Some(expires) = self.expires else { return Vec::new() };
        headers(expires.min(SESSION_EXPIRES_MAX).max(self.min_se), None, self.min_se)
    }

    /// RFC 4028 §9: 422 for an interval that is too short, if the peer understands that. Whoever
    /// does not has had it put there by a proxy.
    pub(crate) fn refuses(self, request: &Message) -> Option<Respond> {
        let concerned = request.is(&Method::Invite) || request.is(&Method::Update);
        let (expires, _) = interval(request).filter(|_| concerned && understands(request))?;
        (expires < self.min_se).then(|| Respond {
            headers: vec![("Min-SE".to_owned(), self.min_se.as_secs().to_string())],
            ..Respond::status(422)
        })
    }

    /// RFC 4028 §9: what our 2xx to this request says.
    fn answer_to(self, request: &Message) -> Option<Terms> {
        let understood = understands(request);
        let least = min_se(request).unwrap_or(MIN_SE_DEFAULT).max(self.min_se);
        let (expires, wish) = match interval(request) {
            Some((expires, wish)) => (expires, wish),
            None => (self.expires?, None),
        };
        let expires = expires.min(SESSION_EXPIRES_MAX).max(least.min(SESSION_EXPIRES_MAX));
        // Without a wish the peer refreshes, if it can.
        let by_uas = !understood || wish == Some(Refresher::Uas);
        Some(Terms { expires, by_uas, understood })
    }
}

/// The value of the `refresher` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresher {
    Uac,
    Uas,
}

impl Refresher {
    fn as_str(self) -> &'static str {
        match self {
            Refresher::Uac => "uac",
            Refresher::Uas => "uas",
        }
    }
}

fn understands(request: &Message) -> bool {
    names(request, "Supported", OPTION) || names(request, "Require", OPTION)
}

/// Session-Expires and its refresher; `None` where it is missing or cannot be read.
fn interval(message: &Message) -> Option<(Duration, Option<Refresher>)> {
    let value = message.header_text("Session-Expires")?;
    let (seconds, params) = value.split_once(';').unwrap_or((&value, ""));
    let seconds = decimal(seconds.trim())?;
    let params = Params::parse(params).ok()?;
    let refresher = match params.get("refresher") {
        Some(word) if word.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
        Some(word) if word.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
        _ => None,
    };
    Some((Duration::from_secs(seconds.into()), refresher))
}

fn min_se(message: &Message) -> Option<Duration> {
    let value = message.header_text("Min-SE")?;
    let seconds = value.split(';').next().and_then(|seconds| decimal(seconds.trim()))?;
    Some(Duration::from_secs(seconds.into()))
}

fn headers(
    expires: Duration,
    refresher: Option<Refresher>,
    min_se: Duration,
) -> Vec<(String, String)> {
    let mut value = expires.as_secs().to_string();
    if let Some(refresher) = refresher {
        value += ";refresher=";
        value += refresher.as_str();
    }
    vec![("Session-Expires".to_owned(), value), ("Min-SE".to_owned(), min_se.as_secs().to_string())]
}

impl Terms {
    /// Adds them to a 2xx of ours.
    fn add_to(self, response: &mut Respond) {
        let refresher = if self.by_uas { Refresher::Uas } else { Refresher::Uac };
        let value = format!("{};refresher={}", self.expires.as_secs(), refresher.as_str());
        response.headers.push(("Session-Expires".to_owned(), value));
        if self.understood {
            response.headers.push(("Require".to_owned(), OPTION.to_owned()));
        }
    }
}

impl Session {
    /// Whether the dialog is confirmed and nobody has hung up.
    pub(super) fn is_up(&self) -> bool {
        match &self.side {
            Side::Caller(caller) => caller.state == connect::State::Confirmed,
            Side::Callee(callee) => {
                matches!(callee.state, accept::State::Accepted { .. } | accept::State::Confirmed)
            }
        }
    }

    /// Completes a 2xx of ours to this transaction's INVITE or UPDATE.
    pub(super) fn add_terms(&self, stack: &Stack, id: ServerId, response: &mut Respond) {
        let request = stack.transactions.received(id).map(|(request, _)| request);
        let own = response.headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("Session-Expires") || name.eq_ignore_ascii_case("x")
        });
        if let Some(terms) = request.filter(|_| !own).and_then(|it| stack.timers.answer_to(it)) {
            terms.add_to(response);
        }
    }

    /// Our 2xx to this INVITE or UPDATE of the peer is out.
    pub(super) fn agreed_by_us(&mut self, step: &mut Step<'_>, request: &Message) {
        self.note_methods(request);
        if !self.is_up() {
            return;
        }
        let input = match step.stack.timers.answer_to(request) {
            Some(terms) if terms.by_uas => expiry::Input::Ours(terms.expires),
            Some(terms) => expiry::Input::Theirs(terms.expires),
            None => expiry::Input::Nobody,
        };
        self.feed_expiry(step, input);
    }

    /// The peer's 2xx to an INVITE or UPDATE of ours has come.
    pub(super) fn agreed_by_peer(&mut self, step: &mut Step<'_>, response: &Message) {
        self.note_methods(response);
        if !self.is_up() {
            return;
        }
        self.expiry.raised = false;
        let least = step.stack.timers.min_se;
        let input = match interval(response) {
            Some((expires, refresher)) => {
                let expires = expires.max(least).min(SESSION_EXPIRES_MAX);
                match refresher {
                    Some(Refresher::Uas) => expiry::Input::Theirs(expires),
                    // RFC 4028 §9: one of the two must be there.
                    Some(Refresher::Uac) | None => expiry::Input::Ours(expires),
                }
            }
            None => expiry::Input::Nobody,
        };
        self.feed_expiry(step, input);
    }

    /// Whether the peer takes UPDATE, from any message that says what it takes.
    pub(super) fn note_methods(&mut self, message: &Message) {
        if message.header("Allow").is_some() {
            self.expiry.updates = names(message, "Allow", Method::Update.as_str());
        }
    }

    /// What a request of ours that refreshes the session says (RFC 4028 §7.4).
    pub(super) fn refresh_headers(&self, stack: &Stack) -> Vec<(String, String)> {
        let Some((expires, ours)) = self.expiry.state.terms() else { return Vec::new() };
        let refresher = if ours { Refresher::Uac } else { Refresher::Uas };
        let least = self.expiry.min_se.unwrap_or_default().max(stack.timers.min_se);
        headers(expires.max(least), Some(refresher), least)
    }

    /// RFC 4028 §7.3: what the INVITE, or a refresh, has to say in place of an interval that was
    /// too short for the peer. Once, and only up to [`SESSION_EXPIRES_MAX`].
    pub(super) fn raise(&mut self, response: &Message) -> Option<Vec<(String, String)>> {
        let least = min_se(response).filter(|_| response.status() == Some(422))?;
        if least > SESSION_EXPIRES_MAX || std::mem::replace(&mut self.expiry.raised, true) {
            return None;
        }
        self.expiry.min_se = Some(least);
        Some(headers(least, None, least))
    }

    pub(super) fn feed_expiry(&mut self, step: &mut Step<'_>, input: expiry::Input) {
        let mut actions = std::mem::take(&mut step.stack.actions);
        self.expiry.state.handle(input, &mut actions);
        self.carry_out(step, actions);
    }

    /// The core answers the challenge to a refresh of ours; whether that is sent.
    pub(crate) fn refresh_again(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        proofs: &[(String, String)],
    ) -> bool {
        let is_due = self.is_up() && matches!(self.expiry.state, expiry::State::Ours { .. });
        if is_due {
            self.expiry.proofs = proofs.to_vec();
            self.feed_expiry(&mut Step::new(stack, now), expiry::Input::Due);
        }
        is_due
    }

    /// A refresh of ours was challenged, if that is what the response says.
    pub(super) fn challenged(&self, step: &mut Step<'_>, method: Method, response: &Message) {
        if matches!(response.status(), Some(401 | 407)) {
            let (id, answered, response) = (self.id, self.expiry.answered, response.clone());
            step.report(Event::RefreshChallenged { id, method, answered, response });
        }
    }

    /// Sends a refresh of ours.
    pub(super) fn refresh_session(&mut self, step: &mut Step<'_>) {
        let proofs = std::mem::take(&mut self.expiry.proofs);
        self.expiry.answered = !proofs.is_empty();
        if self.expiry.updates {
            return self.send_refresh(step, proofs);
        }
        let Some(description) = self.described.clone() else {
            return self.feed_expiry(step, expiry::Input::Failed);
        };
        // One of the core that is under way refreshes the session too.
        self.start_change(step, Attempt { description, headers: proofs, reported: false });
    }

    fn send_refresh(&mut self, step: &mut Step<'_>, proofs: Vec<(String, String)>) {
        let branch = step.stack.generator.next_u128();
        let contact = self.contact.clone();
        let mut headers = self.refresh_headers(step.stack);
        headers.extend(proofs);
        let agent = step.stack.agent.clone();
        let Some(dialog) = self.current() else { return };
        let mut builder = dialog
            .request(&Method::Update, branch)
            .header("Contact", contact)
            .header("Allow", ALLOW)
            .header("Supported", supported())
            .header("User-Agent", agent);
        for (name, value) in &headers {
            builder = builder.header(name, value);
        }
        let hop = dialog.next_hop();
        match builder.build() {
            Ok(update) => {
                let key = ClientKey::new(branch, ClientMethod::Other);
                self.pending += 1;
                let owner = (self.id, Purpose::Refresh);
                step.stack.transactions.request(step.now, key, hop, update, owner);
            }
            Err(_) => self.feed_expiry(step, expiry::Input::Failed),
        }
    }

    /// The final response to a refresh of ours by UPDATE.
    pub(crate) fn refreshed(&mut self, stack: &mut Stack, now: Instant, response: &Message) {
        let step = &mut Step::new(stack, now);
        let status = response.status().unwrap_or_default();
        let input = match (Class::of(status), status) {
            (Class::Success, _) => {
                if let Some(dialog) = self.current() {
                    dialog.target_from(response);
                }
                return self.agreed_by_peer(step, response);
            }
            (_, 408 | 481) => return self.broken(step, EndCause::Gone),
            (_, 491) => expiry::Input::Glare,
            (_, 405 | 501) => {
                self.expiry.updates = false;
                expiry::Input::Again
            }
            _ if self.raise(response).is_some() => expiry::Input::Again,
            _ => {
                self.challenged(step, Method::Update, response);
                expiry::Input::Failed
            }
        };
        self.feed_expiry(step, input);
    }

    /// A refresh of ours by UPDATE will have no response.
    pub(crate) fn refresh_unanswered(&mut self, stack: &mut Stack, now: Instant, failure: Failure) {
        let step = &mut Step::new(stack, now);
        match failure {
            Failure::Timeout => self.broken(step, EndCause::Gone),
            Failure::Transport => self.feed_expiry(step, expiry::Input::Failed),
        }
    }

    /// Whether the 422 to a re-INVITE asks for an interval that it can be sent again with.
    pub(super) fn asks_for_longer(&mut self, response: &Message) -> bool {
        self.expiry.state.terms().is_some() && self.raise(response).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: SessionTimers =
        SessionTimers { expires: Some(Duration::from_secs(1800)), min_se: Duration::from_secs(90) };

    fn invite(lines: &str) -> Message {
        let text =
            format!("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{lines}\r\n");
        Message::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_2xx_follows_the_wish_of_the_peer() {
        let none = SessionTimers { expires: None, ..NODE };
        for (lines, node, wanted) in [
            ("", NODE, Some((1800, true, false))),
            ("", none, None),
            ("Supported: timer\r\n", NODE, Some((1800, false, true))),
            ("Supported: timer\r\nMin-SE: 3600\r\n", NODE, Some((3600, false, true))),
            ("k: 100rel, Timer\r\nx: 600\r\n", none, Some((600, false, true))),
            ("k: timer\r\nx: 600;refresher=uas\r\n", NODE, Some((600, true, true))),
            ("k: timer\r\nx: 600 ; refresher = UAC\r\n", NODE, Some((600, false, true))),
            ("Session-Expires: 600;refresher=uac\r\n", NODE, Some((600, true, false))),
            ("Session-Expires: 5\r\n", none, Some((90, true, false))),
            ("k: timer\r\nx: 4294967295\r\n", none, Some((86_400, false, true))),
            ("k: timer\r\nx: soon\r\n", none, None),
        ] {
            let terms = node.answer_to(&invite(lines));
            let terms = terms.map(|it| (it.expires.as_secs(), it.by_uas, it.understood));
            assert_eq!(terms, wanted, "{lines}");
        }
    }

    #[test]
    fn only_a_peer_that_understands_it_is_told_that_its_interval_is_too_short() {
        for (lines, refused) in [
            ("k: timer\r\nx: 89\r\n", true),
            ("Require: timer\r\nx: 0\r\n", true),
            ("k: timer\r\nx: 90\r\n", false),
            ("x: 89\r\n", false),
            ("k: timer\r\n", false),
        ] {
            let response = NODE.refuses(&invite(lines));
            assert_eq!(response.is_some(), refused, "{lines}");
            if let Some(Respond { status, headers, .. }) = response {
                assert_eq!((status, headers[0].0.as_str(), headers[0].1.as_str()), {
                    (422, "Min-SE", "90")
                });
            }
        }
    }
}
