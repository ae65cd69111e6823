//! Reliable provisional responses of either side (RFC 3262): what is sent in place of what the core
//! wants sent now, and the PRACKs.
//!
//! [`super::reliable`] decides when one of ours goes out and how long it is repeated; here is the
//! queue of those that wait, the one that is out and the 2xx behind them. Of the peer's, each is
//! acknowledged once and in order.

use std::{collections::VecDeque, fmt, time::Instant};

use bytes::Bytes;

use super::{
    Session, Side, Step, accept, caller::Caller, connect, exchange, reinvite::Description, reliable,
};
use crate::{
    endpoint::{Event, Respond},
    message::{Message, decimal},
    method::Method,
    stack::Stack,
    transaction::{
        key::{ClientKey, ClientMethod},
        table::{Class, Purpose},
    },
};

/// The option tag of RFC 3262.
pub(super) const OPTION: &str = "100rel";

/// Most reliable provisional responses that wait for the PRACK of the one before; what the core
/// sends beyond them is not sent.
pub(crate) const PROVISIONALS_QUEUED_MAX: usize = 8;

/// What is kept of the reliable provisional responses to one INVITE of the peer.
#[derive(Clone)]
pub(super) struct Reliable {
    pub(super) state: reliable::State,
    /// The peer's INVITE requires them.
    required: bool,
    /// The peer's INVITE supports them.
    supported: bool,
    /// The RSeq of the next one.
    next: u32,
    /// One has described the session, so that a description in the 2xx only repeats it.
    pub(super) described: bool,
    /// The one that has no PRACK yet.
    open: Option<Open>,
    queue: VecDeque<Respond>,
    /// The 2xx that waits.
    held: Option<Respond>,
}

/// A reliable response on its way.
#[derive(Clone)]
struct Open {
    rseq: u32,
    /// It describes the session, so that the 2xx has to wait.
    described: bool,
    bytes: Bytes,
}

/// Without messages: they may hold credentials.
impl fmt::Debug for Reliable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reliable({:?}, {} queued)", self.state, self.queue.len())
    }
}

impl Reliable {
    /// For the INVITE `request`; RFC 3262 §3: the first RSeq is drawn from 1 to 2^31 - 1.
    pub(super) fn of(request: &Message, stack: &mut Stack) -> Reliable {
        let first = stack.generator.next_u64() % ((1 << 31) - 1) + 1;
        Reliable {
            state: reliable::State::Idle,
            required: names(request, "Require", OPTION),
            supported: names(request, "Supported", OPTION),
            next: u32::try_from(first).unwrap_or(1),
            described: false,
            open: None,
            queue: VecDeque::new(),
            held: None,
        }
    }

    /// Whether a provisional response has to be reliable. Where nothing is lost without it, it is
    /// not: each costs the peer a request.
    fn concerns(&self, response: &Respond) -> bool {
        self.required || self.supported && response.content_type.is_some()
    }

    /// Whether a 2xx has to wait: RFC 3262 §3: an offer or answer comes before it.
    fn precedes_success(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.described)
            || self.queue.iter().any(|response| response.content_type.is_some())
    }

    /// Whether the core has given its 2xx, and it waits.
    pub(super) fn holds_success(&self) -> bool {
        self.held.is_some()
    }
}

/// Whether a list header of option tags names this one.
pub(super) fn names(message: &Message, header: &str, option: &str) -> bool {
    message.header_values(header).any(|value| value.eq_ignore_ascii_case(option.as_bytes()))
}

impl Session {
    /// The core sends a provisional response: at once, or in its turn.
    pub(super) fn respond_provisionally(&mut self, step: &mut Step<'_>, response: Respond) {
        let Side::Callee(callee) = &mut self.side else { return };
        if callee.state != accept::State::Proceeding {
            return;
        }
        let reliable = &mut callee.reliable;
        if !reliable.concerns(&response) {
            return self.send_response(step, response);
        }
        if reliable.queue.len() < PROVISIONALS_QUEUED_MAX {
            reliable.queue.push_back(response);
            self.feed_reliable(step, reliable::Input::Provisional);
        }
    }

    /// The core sends its 2xx: at once, or behind what has to come first.
    pub(super) fn respond_with_success(&mut self, step: &mut Step<'_>, response: Respond) {
        let Side::Callee(callee) = &mut self.side else { return };
        if callee.state != accept::State::Proceeding {
            return;
        }
        let reliable = &mut callee.reliable;
        let input = match reliable.precedes_success() {
            true => reliable::Input::SuccessAfter,
            false => reliable::Input::Success,
        };
        // Those without a description have nothing to say any more.
        reliable.queue.retain(|queued| queued.content_type.is_some());
        reliable.held = Some(response);
        self.feed_reliable(step, input);
    }

    /// Sends the first of the queue, which is now the one that waits.
    pub(super) fn send_reliable(&mut self, step: &mut Step<'_>) {
        let Side::Callee(callee) = &mut self.side else { return };
        let (reliable, transaction) = (&mut callee.reliable, callee.invite);
        let Some(mut response) = reliable.queue.pop_front() else { return };
        let rseq = reliable.next;
        response.headers.push(("Require".to_owned(), OPTION.to_owned()));
        response.headers.push(("RSeq".to_owned(), rseq.to_string()));
        let described = response.content_type.is_some();
        let description = Description::of(response.content_type.as_deref(), &response.body);
        if self.write(step, transaction, response).is_none() {
            return self.prack_came(step);
        }
        if description.is_some() {
            self.described = description;
        }
        let Some((_, bytes)) = step.response.clone() else { return };
        let Side::Callee(callee) = &mut self.side else { return };
        callee.reliable.next = rseq.wrapping_add(1);
        callee.reliable.open = Some(Open { rseq, described, bytes });
        callee.reliable.described |= described;
        callee.rung = true;
        if described {
            callee.dialog.exchange.handle(exchange::Input::Ours);
        }
        self.feed_accept(step, accept::Input::Provisional);
    }

    /// Sends the one that waits again.
    pub(super) fn repeat_reliable(&mut self, step: &mut Step<'_>) {
        let Side::Callee(callee) = &self.side else { return };
        if let Some(open) = &callee.reliable.open {
            let (invite, bytes) = (callee.invite, open.bytes.clone());
            step.stack.transactions.respond(step.now, invite, Class::Provisional, bytes);
        }
    }

    /// Sends the 2xx that waited, or did not have to.
    pub(super) fn send_success(&mut self, step: &mut Step<'_>) {
        let Side::Callee(callee) = &mut self.side else { return };
        if let Some(response) = callee.reliable.held.take() {
            self.send_response(step, response);
        }
    }

    /// Sends the 2xx that waited, and says so where it is one: what cannot be written became a 500.
    pub(super) fn send_held_success(&mut self, step: &mut Step<'_>) {
        self.send_success(step);
        if self.is_up() {
            step.report(Event::Accepted { id: self.id });
        }
    }

    /// Whether the core has given its 2xx, and the peer has not been sent it.
    pub(crate) fn holds_success(&self) -> bool {
        match &self.side {
            Side::Callee(callee) => {
                callee.state == accept::State::Proceeding && callee.reliable.holds_success()
            }
            Side::Caller(_) => false,
        }
    }

    /// RFC 3262 §3: the INVITE is refused, for its peer hears nothing of us.
    pub(super) fn not_acknowledged(&mut self, step: &mut Step<'_>) {
        self.feed_accept(step, accept::Input::NotAcknowledged);
    }

    /// Whether a PRACK names the response that waits for one (RFC 3262 §3: else 481).
    pub(crate) fn expects_prack(&self, request: &Message) -> bool {
        let Side::Callee(callee) = &self.side else { return false };
        let Some(open) = &callee.reliable.open else { return false };
        rack(request) == Some((open.rseq, callee.cseq))
    }

    /// The PRACK of the response that waits; it is answered elsewhere.
    pub(crate) fn handle_prack(&mut self, stack: &mut Stack, now: Instant, request: &Message) {
        self.describes_in(request);
        self.prack_came(&mut Step::new(stack, now));
    }

    fn prack_came(&mut self, step: &mut Step<'_>) {
        let Side::Callee(callee) = &mut self.side else { return };
        callee.reliable.open = None;
        let input = match callee.reliable.queue.is_empty() {
            true => reliable::Input::Prack,
            false => reliable::Input::PrackNext,
        };
        self.feed_reliable(step, input);
    }

    pub(super) fn feed_reliable(&mut self, step: &mut Step<'_>, input: reliable::Input) {
        let Side::Callee(callee) = &mut self.side else { return };
        let mut actions = std::mem::take(&mut step.stack.actions);
        let intervals = step.stack.transactions.intervals();
        callee.reliable.state.handle(intervals, input, &mut actions);
        self.carry_out(step, actions);
    }

    /// A provisional response of the peer's: whether it is new. A reliable one is acknowledged;
    /// RFC 3262 §4: a repeated one is dropped, and one that came too early too, for it is repeated.
    pub(super) fn acknowledge(&mut self, step: &mut Step<'_>, response: &Message) -> bool {
        let Side::Caller(caller) = &mut self.side else { return false };
        let rseq = rseq(response).filter(|_| names(response, "Require", OPTION));
        let (Some(rseq), Ok(to), Ok((cseq, _))) = (rseq, response.to(), response.cseq()) else {
            return true;
        };
        let awaits = awaits_final(caller);
        let Some(fork) = to.tag().and_then(|tag| caller.find(tag)) else { return true };
        if !follows(fork.acknowledged, rseq) {
            return false;
        }
        fork.acknowledged = Some(rseq);
        if !response.body().is_empty() {
            fork.dialog.exchange.handle(exchange::Input::Theirs);
        }
        if !awaits {
            return true;
        }
        let branch = step.stack.generator.next_u128();
        let prack = fork.dialog.request(&Method::Prack, branch);
        let prack = prack.header("RAck", format_args!("{rseq} {cseq} INVITE"));
        if let Ok(prack) = prack.header("User-Agent", &step.stack.agent).build() {
            let (key, hop) = (ClientKey::new(branch, ClientMethod::Other), fork.dialog.next_hop());
            self.pending += 1;
            let owner = (self.id, Purpose::Prack);
            step.stack.transactions.request(step.now, key, hop, prack, owner);
        }
        true
    }
}

/// Whether the INVITE may still have a final response.
fn awaits_final(caller: &Caller) -> bool {
    use connect::State::{Abandoned, Calling, CancelHeld, Cancelling, Proceeding};
    matches!(caller.state, Calling | CancelHeld | Proceeding | Cancelling | Abandoned)
}

/// Whether a reliable response is the next one; the first may have any number.
fn follows(last: Option<u32>, rseq: u32) -> bool {
    last.is_none_or(|last| last.checked_add(1) == Some(rseq))
}

/// RFC 3262 §7.1: a number from 1 on.
fn rseq(response: &Message) -> Option<u32> {
    decimal(&response.header_text("RSeq")?).filter(|&rseq| rseq > 0)
}

/// The RSeq and the CSeq number that a PRACK names, of a response to an INVITE (RFC 3262 §7.2).
fn rack(request: &Message) -> Option<(u32, u32)> {
    let value = request.header_text("RAck")?;
    let mut words = value.split_ascii_whitespace();
    let (rseq, cseq) = (decimal(words.next()?)?, decimal(words.next()?)?);
    (words.next() == Some("INVITE") && words.next().is_none()).then_some((rseq, cseq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_reliable_response_counts() {
        for (last, rseq, next) in [
            (None, 1, true),
            (None, 4_000_000_000, true),
            (Some(7), 8, true),
            (Some(7), 7, false),
            (Some(7), 6, false),
            (Some(7), 9, false),
            (Some(u32::MAX), 0, false),
        ] {
            assert_eq!(follows(last, rseq), next, "{rseq} after {last:?}");
        }
    }

    #[test]
    fn a_rack_names_an_invite_or_nothing() {
        for (value, wanted) in [
            ("776656 1 INVITE", Some((776_656, 1))),
            (" 1  2\tINVITE ", Some((1, 2))),
            ("1 2 invite", None),
            ("1 2 BYE", None),
            ("1 2", None),
            ("1 2 INVITE 3", None),
            ("-1 2 INVITE", None),
            ("99999999999 2 INVITE", None),
            ("", None),
        ] {
            let text =
                format!("PRACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nRAck: {value}\r\n\r\n");
            let request = Message::parse(text.as_bytes()).unwrap();
            assert_eq!(rack(&request), wanted, "{value}");
        }
    }
}
