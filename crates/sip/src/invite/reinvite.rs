//! Sending our re-INVITE and hearing of it; [`super::change`] decides when.
//!
//! Owns what the re-INVITE says, its transaction and the ACK of its 2xx, which is sent again for
//! each repeated 2xx. The core's make events; one that only refreshes the session makes none.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Session, Side, Step, action::Rejection, change, exchange, expiry, modify};
use crate::{
    dialog::Dialog,
    endpoint::{Event, RejectCause, Transmit},
    message::Message,
    method::Method,
    stack::{ALLOW, Stack, supported},
    transaction::{
        Failure, ack,
        key::{ClientKey, ClientMethod},
        table::{Class, Purpose},
    },
    write::{BuildError, default_reason},
};

/// A session description as it was sent, with its Content-Type.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Description {
    /// What a message with this body describes; `None` without a body.
    pub(crate) fn of(content_type: Option<&str>, body: &[u8]) -> Option<Description> {
        let content_type = content_type.filter(|_| !body.is_empty())?.to_owned();
        Some(Description { content_type, body: Bytes::copy_from_slice(body) })
    }
}

/// A re-INVITE to send.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) description: Description,
    pub(crate) headers: Vec<(String, String)>,
    /// The core wants it, and hears of it.
    pub(crate) reported: bool,
}

/// Our re-INVITEs of one session.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) state: change::State,
    /// What is being sent or waits for its turn.
    attempt: Option<Attempt>,
    /// What the core wants sent after that.
    next: Option<Attempt>,
    /// The transaction and the sequence number of the latest.
    latest: Option<(ClientKey, u32)>,
    /// The ACK of its 2xx.
    ack: Option<Transmit>,
}

impl Change {
    pub(super) fn none() -> Change {
        let state = change::State::Idle;
        Change { state, attempt: None, next: None, latest: None, ack: None }
    }

    /// The dialog is over: nobody hears of what was wanted.
    pub(super) fn forget(&mut self) {
        self.attempt = None;
        self.next = None;
    }
}

impl Session {
    /// The core wants a re-INVITE sent; whether that can be.
    pub(crate) fn reinvite(&mut self, stack: &mut Stack, now: Instant, attempt: Attempt) -> bool {
        self.start_change(&mut Step::new(stack, now), attempt)
    }

    /// Sends a re-INVITE, at once or in its turn; whether that can be. The core has one at a time;
    /// one that refreshes the session lets the core's come next.
    pub(super) fn start_change(&mut self, step: &mut Step<'_>, attempt: Attempt) -> bool {
        let going_on = self.change.attempt.as_ref();
        let refreshing = going_on.is_some_and(|going_on| !going_on.reported);
        let is_next = refreshing && attempt.reported && self.change.next.is_none();
        if !self.is_up() || going_on.is_some() && !is_next {
            return false;
        }
        if is_next {
            self.change.next = Some(attempt);
        } else {
            self.change.attempt = Some(attempt);
            self.its_turn(step);
        }
        true
    }

    /// The re-INVITE goes out now, unless another INVITE or an offer is in the way (RFC 3261
    /// §14.1, RFC 3264 §4).
    pub(super) fn its_turn(&mut self, step: &mut Step<'_>) {
        let unanswered = match &self.side {
            Side::Caller(_) => false,
            Side::Callee(callee) => callee.waits_for_ack(),
        };
        let open = self.current().is_none_or(|dialog| dialog.exchange != exchange::State::Stable);
        let blocked = unanswered || open || self.modify.state != modify::State::Idle;
        let input = if blocked { change::Input::Blocked } else { change::Input::Start };
        self.feed_change(step, input);
    }

    pub(super) fn feed_change(&mut self, step: &mut Step<'_>, input: change::Input) {
        let mut actions = std::mem::take(&mut step.stack.actions);
        let intervals = step.stack.transactions.intervals();
        self.change.state.handle(intervals, input, &mut actions);
        self.carry_out(step, actions);
    }

    pub(super) fn send_reinvite(&mut self, step: &mut Step<'_>) {
        if let (Some(attempt), Some(described)) = (&mut self.change.attempt, &self.described)
            && !attempt.reported
        {
            // why: the session may have changed while the refresh waited for its turn.
            attempt.description = described.clone();
        }
        let Some(mut attempt) = self.change.attempt.clone() else { return };
        attempt.headers.extend(self.refresh_headers(step.stack));
        let branch = step.stack.generator.next_u128();
        let contact = self.contact.clone();
        let Some(dialog) = self.current() else { return };
        let written = write(dialog, &attempt, branch, &contact, &step.stack.agent);
        let hop = dialog.next_hop();
        let (message, cseq) = match written {
            Ok(message) => (message, dialog.last_cseq()),
            // What is wrong with it stays wrong.
            Err(error) => {
                let reason = format!("{}: {error}", default_reason(500));
                return self.cannot_be_written(step, reason);
            }
        };
        dialog.exchange.handle(exchange::Input::Ours);
        let key = ClientKey::new(branch, ClientMethod::Invite);
        self.change.latest = Some((key, cseq));
        self.change.ack = None;
        self.pending += 1;
        let owner = (self.id, Purpose::Reinvite);
        step.stack.transactions.request(step.now, key, hop, message, owner);
    }

    fn cannot_be_written(&mut self, step: &mut Step<'_>, reason: String) {
        if let Some(attempt) = &mut self.change.attempt
            && std::mem::take(&mut attempt.reported)
        {
            let (id, cause) = (self.id, RejectCause::Transport);
            step.report(Event::NotModified { id, status: 500, reason, cause, response: None });
        }
        self.feed_change(step, change::Input::Failure);
    }

    /// A response to the re-INVITE.
    pub(crate) fn handle_change_response(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        response: &Message,
    ) {
        let status = response.status().unwrap_or_default();
        let latest = self.change.latest.map(|(_, cseq)| cseq);
        if latest != response.cseq().ok().map(|(cseq, _)| cseq) {
            return;
        }
        let step = &mut Step::with(stack, now, response);
        let input = match (Class::of(status), status) {
            (Class::Provisional, _) => return,
            (Class::Success, _) => {
                if let Some(ack) = self.change.ack.clone() {
                    // RFC 3261 §13.2.2.4: each repeated 2xx means that the ACK was lost.
                    step.stack.transactions.send(ack);
                    return;
                }
                change::Input::Success
            }
            (_, 491) => change::Input::Glare,
            (_, 408 | 481) => change::Input::Gone,
            // A refresh, or what the core wants changed: both name the interval.
            (_, 422) if self.asks_for_longer(response) => change::Input::TooShort,
            _ => change::Input::Failure,
        };
        self.settled();
        self.feed_change(step, input);
    }

    /// The re-INVITE will have no response.
    pub(crate) fn change_failed(&mut self, stack: &mut Stack, now: Instant, failure: Failure) {
        let input = match failure {
            Failure::Timeout => change::Input::NoResponse,
            Failure::Transport => change::Input::Unreachable,
        };
        self.settled();
        self.feed_change(&mut Step::new(stack, now), input);
    }

    /// RFC 3261 §12.2.1.2: the 2xx moves the remote target; then it is acknowledged there.
    pub(super) fn ack_reinvite(&mut self, step: &mut Step<'_>) {
        let Some((key, cseq)) = self.change.latest else { return };
        let branch = step.stack.generator.next_u128();
        let (response, agent) = (step.message, step.stack.agent.clone());
        let Some(dialog) = self.current() else { return };
        if let Some(response) = response {
            dialog.target_from(response);
        }
        let mut ack = dialog.ack_for(cseq, branch).header("User-Agent", agent);
        if let Some((request, _)) = step.stack.transactions.sent(key) {
            ack = ack::with_credentials(ack, request);
        }
        let hop = dialog.next_hop();
        if let Ok(ack) = ack.build() {
            let ack = hop.transmit(ack.to_bytes());
            self.change.ack = Some(ack.clone());
            step.stack.transactions.send(ack);
        }
    }

    /// It has its 2xx.
    pub(super) fn modified(&mut self, step: &mut Step<'_>) {
        let (attempt, response) = (self.change.attempt.take(), step.message);
        let (Some(attempt), Some(response)) = (attempt, response) else { return };
        self.described = Some(attempt.description);
        if attempt.reported {
            step.report(Event::Modified { id: self.id, response: response.clone() });
        }
        self.agreed_by_peer(step, response);
        self.start_next(step);
    }

    pub(super) fn not_modified(&mut self, step: &mut Step<'_>, rejection: Rejection) {
        let Some(attempt) = self.change.attempt.take() else { return };
        let response = step.message.filter(|_| rejection == Rejection::Response).cloned();
        let of_response = response.as_ref().and_then(Message::status);
        let (status, cause) = match rejection {
            Rejection::Response => (of_response.unwrap_or(500), RejectCause::Peer),
            Rejection::NoResponse | Rejection::NoFinal => (408, RejectCause::Timeout),
            Rejection::Unreachable => (503, RejectCause::Transport),
            Rejection::Glare | Rejection::HungUp => (491, RejectCause::Transport),
        };
        if attempt.reported {
            let reason = match &response {
                Some(response) => response.reason().into_owned(),
                None => default_reason(status).to_owned(),
            };
            step.report(Event::NotModified { id: self.id, status, reason, cause, response });
        } else if let Some(response) = &response {
            self.challenged(step, Method::Invite, response);
        }
        self.start_next(step);
        self.feed_expiry(step, expiry::Input::Failed);
    }

    fn start_next(&mut self, step: &mut Step<'_>) {
        if let Some(next) = self.change.next.take() {
            self.change.attempt = Some(next);
            self.its_turn(step);
        }
    }

    /// RFC 3261 §9.1: CANCEL goes where the INVITE went, with its branch.
    pub(super) fn cancel_reinvite(&mut self, step: &mut Step<'_>) {
        let Some((key, _)) = self.change.latest else { return };
        let Some((invite, hop)) = step.stack.transactions.sent(key) else { return };
        let cancel = ack::cancel(invite).header("User-Agent", &step.stack.agent).build();
        if let Ok(cancel) = cancel {
            let key = ClientKey::new(key.branch, ClientMethod::Cancel);
            self.pending += 1;
            let owner = (self.id, Purpose::Cancel);
            step.stack.transactions.request(step.now, key, hop, cancel, owner);
        }
    }

    pub(super) fn abandon_reinvite(&mut self, step: &mut Step<'_>) {
        if let Some((key, _)) = self.change.latest {
            step.stack.transactions.abandon(step.now, key);
        }
    }

    /// RFC 3261 §14.1: 2.1 to 4 s for whose Call-ID it is, else 0 to 2 s, in units of 10 ms.
    pub(super) fn soon(&self, stack: &mut Stack) -> Duration {
        let random = stack.generator.next_u64();
        Duration::from_millis(match self.side {
            Side::Caller(_) => 2_100 + random % 191 * 10,
            Side::Callee(_) => random % 201 * 10,
        })
    }
}

fn write(
    dialog: &mut Dialog,
    attempt: &Attempt,
    branch: u128,
    contact: &str,
    agent: &str,
) -> Result<Message, BuildError> {
    let Attempt { description, headers, .. } = attempt;
    let mut builder = dialog
        .request(&Method::Invite, branch)
        .header("Contact", contact)
        .header("Allow", ALLOW)
        .header("Supported", supported())
        .header("User-Agent", agent);
    for (name, value) in headers {
        builder.try_header(name, value)?;
    }
    builder.body(&description.content_type, &description.body).build()
}
