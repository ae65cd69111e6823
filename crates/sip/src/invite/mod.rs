//! INVITE sessions: everything from one INVITE to the end of its dialog (RFC 3261 §13 to §15).
//!
//! Six machines hold the rules, each a table: [`connect`] for an INVITE of ours, [`accept`]
//! for the peer's, [`reliable`] for our provisional responses to it, [`modify`] for the peer's
//! re-INVITE, [`change`] for ours and [`expiry`] for the session timer; [`exchange`] says whose
//! offer is open. A [`Session`] owns their data, feeds them and, in [`perform`], carries their
//! actions out; [`caller`] and [`callee`] are its two sides, [`close`] the end of either,
//! [`within`] and [`update`] the requests between. Which session a message belongs to is the
//! endpoint's business.

pub(crate) mod accept;
pub(crate) mod action;
mod again;
mod callee;
mod caller;
pub(crate) mod change;
mod close;
pub(crate) mod connect;
pub(crate) mod exchange;
pub(crate) mod expiry;
pub(crate) mod modify;
mod perform;
mod provisional;
pub(crate) mod reinvite;
pub(crate) mod reliable;
pub(crate) mod session_timer;
pub(crate) mod timer;
mod update;
mod within;

use std::time::Instant;

use bytes::Bytes;

use self::{
    action::Action,
    callee::Callee,
    caller::Caller,
    reinvite::{Change, Description},
    session_timer::Expiry,
    timer::Timer,
};
use crate::{
    dialog::Dialog,
    endpoint::{Event, InviteId, SentId},
    message::Message,
    random::Tag,
    stack::Stack,
    transaction::table::{Class, ServerId},
};

/// One INVITE session. `Debug` shows no URI, which may hold a password.
#[derive(Clone)]
pub(crate) struct Session {
    id: InviteId,
    call_id: String,
    /// Our tag in every dialog of the session.
    tag: Tag,
    /// Our Contact, ready to be written.
    contact: String,
    side: Side,
    modify: Modify,
    change: Change,
    expiry: Expiry,
    /// The session description that we sent last, of those that count.
    described: Option<Description>,
    /// The one of an UPDATE that has no answer yet.
    offered: Option<(SentId, Description)>,
    /// The peer's latest UPDATE.
    update: Option<ServerId>,
    /// What the core wants in its BYE, which may have to wait.
    bye_headers: Vec<(String, String)>,
    /// Transactions of the session that are alive.
    pending: usize,
}

#[derive(Clone, Debug)]
enum Side {
    Caller(Caller),
    Callee(Callee),
}

/// The peer's latest re-INVITE.
#[derive(Clone, Debug)]
struct Modify {
    state: modify::State,
    latest: Option<Reinvite>,
}

#[derive(Clone, Copy, Debug)]
struct Reinvite {
    transaction: ServerId,
    cseq: u32,
}

/// What an action may refer to.
struct Step<'a> {
    now: Instant,
    stack: &'a mut Stack,
    /// The message that caused the step.
    message: Option<&'a Message>,
    /// The response that the core wants sent.
    response: Option<(Class, Bytes)>,
    /// The INVITE that is being answered.
    transaction: Option<ServerId>,
    /// A re-INVITE that has just come.
    arrived: Option<ServerId>,
    /// The fork whose 2xx caused the step.
    fork: usize,
    /// What the core adds to an INVITE that is sent again.
    headers: &'a [(String, String)],
}

impl<'a> Step<'a> {
    fn new(stack: &'a mut Stack, now: Instant) -> Step<'a> {
        Step {
            now,
            stack,
            message: None,
            response: None,
            transaction: None,
            arrived: None,
            fork: 0,
            headers: &[],
        }
    }

    fn with(stack: &'a mut Stack, now: Instant, message: &'a Message) -> Step<'a> {
        Step { message: Some(message), ..Step::new(stack, now) }
    }

    fn report(&mut self, event: Event) {
        self.stack.events.push_back(event);
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Session { id, call_id, side, .. } = self;
        write!(f, "Session({id}, {call_id}, {side:?})")
    }
}

impl Session {
    fn new(id: InviteId, call_id: String, tag: Tag, contact: String, side: Side) -> Session {
        Session {
            id,
            call_id,
            tag,
            contact,
            side,
            modify: Modify { state: modify::State::Idle, latest: None },
            change: Change::none(),
            expiry: Expiry::off(),
            described: None,
            offered: None,
            update: None,
            bye_headers: Vec::new(),
            pending: 0,
        }
    }

    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Our tag, by which requests of the peer find the session.
    pub(crate) fn tag(&self) -> Tag {
        self.tag
    }

    /// A server transaction was started for this session.
    pub(crate) fn transaction_started(&mut self) {
        self.pending += 1;
    }

    pub(crate) fn transaction_ended(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// Whether nothing is left.
    pub(crate) fn is_finished(&self) -> bool {
        self.pending == 0 && self.is_over()
    }

    /// Whether the session has ended; transactions may still run.
    pub(crate) fn is_over(&self) -> bool {
        match &self.side {
            Side::Caller(caller) => {
                matches!(caller.state, connect::State::Ended | connect::State::Refused)
            }
            Side::Callee(callee) => callee.state == accept::State::Ended,
        }
    }

    /// Dialogs that have not ended.
    pub(crate) fn dialogs(&self) -> usize {
        match &self.side {
            _ if self.is_over() => 0,
            Side::Caller(caller) => caller.dialogs(),
            Side::Callee(_) => 1,
        }
    }

    /// The dialog with this peer; `None` if it is not of this session.
    pub(crate) fn dialog(&mut self, call_id: &str, remote_tag: &str) -> Option<&mut Dialog> {
        if self.call_id != call_id {
            return None;
        }
        match &mut self.side {
            Side::Caller(caller) => caller.dialog(remote_tag),
            Side::Callee(callee) => {
                Some(&mut callee.dialog).filter(|dialog| dialog.remote_tag() == remote_tag)
            }
        }
    }

    /// A timer of the session ran out.
    pub(crate) fn handle_timer(&mut self, stack: &mut Stack, now: Instant, timer: Timer) {
        let step = &mut Step::new(stack, now);
        let waits = match &self.side {
            Side::Callee(callee) => callee.waits_for_ack(),
            Side::Caller(_) => false,
        };
        match timer {
            Timer::GiveUp => self.feed_connect(step, connect::Input::GiveUp),
            Timer::Refresh => self.feed_accept(step, accept::Input::Refresh),
            Timer::Reliable => self.feed_reliable(step, reliable::Input::Repeat),
            Timer::PrackWait => self.feed_reliable(step, reliable::Input::NoPrack),
            Timer::Answer => self.feed_change(step, change::Input::GiveUp),
            Timer::Glare => self.its_turn(step),
            Timer::SessionRefresh => self.feed_expiry(step, expiry::Input::Due),
            Timer::SessionExpiry => self.feed_expiry(step, expiry::Input::Expired),
            Timer::Success if waits => self.feed_accept(step, accept::Input::Repeat),
            Timer::AckWait if waits => self.feed_accept(step, accept::Input::NoAck),
            Timer::Success => self.feed_modify(step, modify::Input::Repeat),
            Timer::AckWait => self.feed_modify(step, modify::Input::NoAck),
        }
    }

    fn feed_connect(&mut self, step: &mut Step<'_>, input: connect::Input) {
        let Side::Caller(caller) = &mut self.side else { return };
        let mut actions = std::mem::take(&mut step.stack.actions);
        let intervals = step.stack.transactions.intervals();
        caller.state.handle(intervals, input, &mut actions);
        self.carry_out(step, actions);
    }

    fn feed_accept(&mut self, step: &mut Step<'_>, input: accept::Input) {
        let Side::Callee(callee) = &mut self.side else { return };
        step.transaction = Some(callee.invite);
        let mut actions = std::mem::take(&mut step.stack.actions);
        let intervals = step.stack.transactions.intervals();
        callee.state.handle(intervals, input, &mut actions);
        let is_over = callee.state != accept::State::Proceeding;
        self.carry_out(step, actions);
        if is_over {
            self.feed_reliable(step, reliable::Input::Over);
        }
    }

    fn feed_modify(&mut self, step: &mut Step<'_>, input: modify::Input) {
        step.transaction = self.modify.latest.map(|reinvite| reinvite.transaction);
        let mut actions = std::mem::take(&mut step.stack.actions);
        let intervals = step.stack.transactions.intervals();
        self.modify.state.handle(intervals, input, &mut actions);
        self.carry_out(step, actions);
    }

    fn carry_out(&mut self, step: &mut Step<'_>, mut actions: Vec<Action>) {
        for action in actions.drain(..) {
            self.perform(step, action);
        }
        step.stack.actions = actions;
    }
}
