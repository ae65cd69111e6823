//! The one door of the stack: datagrams, timers and the core's wishes go in, datagrams, events
//! and the next deadline come out.
//!
//! An [`Endpoint`] owns all transactions, dialogs and INVITE sessions of one node. It reads no
//! clock and draws no randomness: `now` comes with each call, tags, branches and Call-IDs are
//! derived from the seed. After any call, poll transmits and events until there are none, then
//! sleep until [`Endpoint::poll_timeout`]. Registrations, authentication and SDP are not here.
mod event;
mod receive;
mod within;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

pub use event::{
    Config, Counts, DialogId, DialogState, EndCause, Event, Flow, InDialog, Invite, InviteId,
    RejectCause, RequestId, Respond, SentId, Transmit, Transport,
};

use crate::{
    deadlines::Due,
    invite::{Session, session_timer::SessionTimers},
    message::Message,
    random::{Generator, Tag, widened},
    stack::Stack,
    transaction::{
        Intervals,
        table::{Purpose, ServerId, Transactions, Upshot},
    },
    write::default_reason,
};

/// A SIP user agent core for any number of calls; see the module.
#[derive(Clone, Debug)]
pub struct Endpoint {
    stack: Stack,
    max_transactions: usize,
    trying_at_once: bool,
    /// why boxed: one that comes or goes moves its neighbours in the map.
    sessions: BTreeMap<InviteId, Box<Session>>,
    /// Sessions by our tag, which each request within a dialog carries in To.
    tags: BTreeMap<Tag, InviteId>,
    next_invite: u64,
    next_sent: u64,
    dropped: u64,
}

impl Endpoint {
    /// An endpoint without any call, for tests: a seed of 64 bits is enough to repeat one.
    pub fn new(config: Config, seed: u64) -> Endpoint {
        Endpoint::with_secret(config, widened(seed))
    }

    /// An endpoint without any call. Who knows the secret can foretell every tag and branch.
    pub fn with_secret(config: Config, seed: [u8; 32]) -> Endpoint {
        let Config { t1, t2, t4, user_agent, max_transactions, trying_at_once, .. } = config;
        let timers = SessionTimers { expires: config.session_expires, min_se: config.min_se };
        Endpoint {
            stack: Stack {
                // why: it stands in every message, so it must not make them all unwritable.
                agent: user_agent.replace(|c: char| c.is_control(), " "),
                timers,
                generator: Generator::new(seed),
                transactions: Transactions::new(Intervals { t1, t2, t4, reliable: false }),
                events: VecDeque::new(),
                actions: Vec::new(),
            },
            max_transactions,
            trying_at_once,
            sessions: BTreeMap::new(),
            tags: BTreeMap::new(),
            next_invite: 0,
            next_sent: 0,
            dropped: 0,
        }
    }

    /// A message arrived, a datagram or one of a stream ([`crate::framing`]); `flow.remote` is its
    /// source.
    pub fn handle_datagram(&mut self, now: Instant, flow: Flow, datagram: &[u8]) {
        self.handle_datagram_if(now, flow, datagram, &mut |_| true);
    }

    /// As [`Endpoint::handle_datagram`], but a request that belongs to nothing that is here (no
    /// transaction, no dialog) is dropped in silence where `admit` says no: how strangers who ask
    /// too much are left without an answer. ACK is not asked about: it never has one.
    pub fn handle_datagram_if(
        &mut self,
        now: Instant,
        flow: Flow,
        datagram: &[u8],
        admit: &mut dyn FnMut(&Message) -> bool,
    ) {
        self.receive(now, flow, datagram, admit);
        self.release();
    }

    /// The network refused a datagram to `flow.remote`, or the connection to it failed, closed or
    /// was never made: requests on that way that have no response yet fail with 503. An INVITE that
    /// took [`Invite::large`] is sent again over its other flow instead, once. A response to an
    /// INVITE that came by a lost connection is sent again too, which opens another one; failing
    /// that ends the session with [`EndCause::Unreachable`].
    pub fn handle_transport_error(&mut self, now: Instant, flow: Flow) {
        for key in self.stack.transactions.unanswered(flow) {
            let owner = self.stack.transactions.owner(key);
            let upshot = self.stack.transactions.refused(now, key);
            self.report_failure(now, owner, upshot);
        }
        for transaction in self.stack.transactions.invited_over(flow) {
            if let Some(owner) = self.stack.transactions.server_owner(transaction) {
                self.with(owner, |session, stack| {
                    session.connection_lost(stack, now, transaction);
                });
            }
        }
        self.release();
    }

    /// Time has passed; does what is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.stack.transactions.deadlines.pop(now) {
            match due {
                Due::Client(key, timer) => {
                    let owner = self.stack.transactions.owner(key);
                    let upshot = self.stack.transactions.client_timer(now, key, timer);
                    self.report_failure(now, owner, upshot);
                }
                Due::Server(id, timer) => self.stack.transactions.server_timer(now, id, timer),
                Due::Invite(id, timer) => {
                    self.with(id, |session, stack| session.handle_timer(stack, now, timer));
                }
            }
        }
        self.release();
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.stack.transactions.transmits.pop_front()
    }

    /// Takes back of what is to be sent all that `keep` does not want sent. For answers to those
    /// whose address may be forged: what is lost so was never promised to arrive.
    pub fn retain_transmits(&mut self, keep: impl FnMut(&Transmit) -> bool) {
        self.stack.transactions.transmits.retain(keep);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.stack.events.pop_front()
    }

    /// When [`Endpoint::handle_timeout`] is due; `None` while nothing runs.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.stack.transactions.deadlines.next()
    }

    /// Sends an INVITE. One that cannot be written (a line break in a value, a limit) is rejected
    /// at once with 500 and [`RejectCause::Transport`].
    #[allow(clippy::needless_pass_by_value)] // The INVITE is spent, whoever calls.
    pub fn invite(&mut self, now: Instant, invite: Invite) -> InviteId {
        let id = self.next_id();
        match Session::connect(&mut self.stack, now, id, &invite) {
            Ok(session) => self.insert(id, session),
            Err(error) => {
                self.stack.events.push_back(Event::Rejected {
                    id,
                    status: 500,
                    reason: format!("{}: {error}", default_reason(500)),
                    cause: RejectCause::Transport,
                    response: None,
                });
                self.stack.events.push_back(Event::Released { id });
            }
        }
        id
    }

    /// Sends an INVITE again that the peer has refused, with these headers beside the others or in
    /// place of those of the same name: how a challenge is answered. RFC 3261 §22.2: Call-ID,
    /// From, To and the way are those of before, the sequence number is the next.
    ///
    /// To be called at [`Event::Rejected`] with the peer's response, or not at all: events go on
    /// under the same id. One that cannot be written is rejected at once with 503 and
    /// [`RejectCause::Transport`]. After [`Endpoint::cancel`] this does nothing.
    pub fn invite_again(&mut self, now: Instant, id: InviteId, headers: &[(String, String)]) {
        self.with(id, |session, stack| session.invite_again(stack, now, headers));
        self.release();
    }

    /// Request-URI of the requests that we send within the session's dialog; `None` while it has
    /// none. What credentials for them are made for.
    pub fn request_uri(&mut self, id: InviteId) -> Option<String> {
        self.sessions.get_mut(&id)?.request_uri()
    }

    /// Takes an INVITE of ours back. RFC 3261 §9.1: the CANCEL waits for a provisional response,
    /// and is not sent if the final one comes first. A 2xx that crosses it still makes
    /// [`Event::Answered`]. After a final response this does nothing.
    ///
    /// `reason` is the value of a Reason header (RFC 3326).
    pub fn cancel(&mut self, now: Instant, id: InviteId, reason: Option<&str>) {
        self.with(id, |session, stack| session.cancel(stack, now, reason));
        self.release();
    }

    /// Answers the peer's INVITE, provisionally or finally. A 2xx is repeated until its ACK; after
    /// 64*T1 without one the session ends with [`EndCause::NoAck`]. After a final response this
    /// does nothing. A 2xx that cannot be written is sent as 500, and the session ends with
    /// [`EndCause::Failed`].
    ///
    /// RFC 3262: where the INVITE requires it each provisional response is sent reliably, where it
    /// supports it each one with a body. One waits for the PRACK of the one before, and a 2xx for
    /// those with a body. Without a PRACK in 64*T1 the INVITE gets 504, and the session ends with
    /// [`EndCause::NoPrack`].
    pub fn respond(&mut self, now: Instant, id: InviteId, response: Respond) {
        self.with(id, |session, stack| session.respond(stack, now, response));
        self.release();
    }

    /// Whether the core has answered this INVITE of the peer, and the 2xx waits for a PRACK (RFC
    /// 3262 §3). The peer knows of no answer yet: [`Event::Accepted`] says when it does, and any
    /// end that comes before is that of an INVITE that was never answered.
    pub fn answer_waits(&self, id: InviteId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.holds_success())
    }

    /// Sends the 100 Trying of a new INVITE that the core takes, where the endpoint did not at
    /// once ([`Config::trying_at_once`]).
    pub fn trying(&mut self, now: Instant, id: InviteId) {
        self.with(id, |session, stack| session.trying(stack, now));
    }

    /// Refuses a new INVITE without keeping anything of it: RFC 3261 §8.2.7, a peer that repeats
    /// it is answered anew, as by a stateless UAS. For refusals that cost the peer nothing and
    /// must not cost us memory: challenges, limits. To be called at [`Event::Invite`], before any
    /// other response; else it is [`Endpoint::respond`].
    pub fn refuse(&mut self, now: Instant, id: InviteId, response: Respond) {
        let untouched = self.sessions.get(&id).and_then(|session| session.untouched_invite());
        let discarded = untouched.and_then(|invite| self.stack.transactions.discard(invite));
        let Some((request, flow, key)) = discarded else {
            return self.respond(now, id, response);
        };
        if let Some(session) = self.sessions.remove(&id) {
            self.tags.remove(&session.tag());
        }
        self.stack.answer_statelessly(&request, flow, &key, &response);
        self.stack.events.push_back(Event::Released { id });
        self.release();
    }

    /// Answers an [`Event::Request`] outside any dialog without keeping anything of it; as
    /// [`Endpoint::refuse`].
    #[allow(clippy::needless_pass_by_value)] // The response is spent, whoever calls.
    pub fn refuse_request(&mut self, request: RequestId, response: Respond) {
        if let Some((request, flow, key)) = self.stack.transactions.discard(ServerId(request.0)) {
            self.stack.answer_statelessly(&request, flow, &key, &response);
        }
        self.release();
    }

    /// Hangs up. RFC 3261 §15: if our 2xx has no ACK yet, the BYE waits for it.
    ///
    /// Before the final response it is [`Endpoint::cancel`] for an INVITE of ours, and a 480 for
    /// the peer's. No [`Event::Ended`] follows, also where the peer's BYE crosses.
    pub fn bye(&mut self, now: Instant, id: InviteId, headers: &[(String, String)]) {
        self.with(id, |session, stack| session.bye(stack, now, headers));
        self.release();
    }

    /// Answers the [`Event::Reinvite`] that came last, with a final status; as
    /// [`Endpoint::respond`]. Nobody is asked whether a session may change, so a re-INVITE is
    /// answered at once and never provisionally: a status below 200 is sent as 500.
    pub fn respond_reinvite(&mut self, now: Instant, id: InviteId, response: Respond) {
        self.with(id, |session, stack| session.respond_reinvite(stack, now, response));
        self.release();
    }

    /// Answers an [`Event::Request`]. What cannot be written is sent as 500. A 2xx to UPDATE moves
    /// the dialog to the peer's new Contact, and has ours.
    #[allow(clippy::needless_pass_by_value)] // The response is spent, whoever calls.
    pub fn reply(&mut self, now: Instant, request: RequestId, response: Respond) {
        let id = ServerId(request.0);
        let owner = self.stack.transactions.server_owner(id);
        match owner.and_then(|owner| self.sessions.get_mut(&owner)) {
            Some(session) => session.reply(&mut self.stack, now, id, &response),
            None => {
                let Some((received, _)) = self.stack.transactions.received(id) else { return };
                let call_id = received.header_text("Call-ID").unwrap_or_default();
                let tag = self.stack.generator.tag_for(&call_id);
                self.stack.reply(now, id, &response, tag, None);
            }
        }
        self.release();
    }

    /// The Call-ID of a session; `None` once it is released.
    pub fn call_id(&self, id: InviteId) -> Option<String> {
        self.sessions.get(&id).map(|session| session.call_id().to_owned())
    }

    /// Whether nothing is alive: no transaction, no session, no timer.
    pub fn is_idle(&self) -> bool {
        self.stack.transactions.len() == 0
            && self.stack.transactions.deadlines.is_empty()
            && self.sessions.is_empty()
            && self.tags.is_empty()
    }

    /// How much is alive.
    pub fn counts(&self) -> Counts {
        Counts {
            transactions: self.stack.transactions.len(),
            invites: self.sessions.len(),
            dialogs: self.sessions.values().map(|session| session.dialogs()).sum(),
        }
    }

    /// Datagrams that were thrown away so far: no message, too broken to be answered, or a
    /// response that nobody waits for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn next_id(&mut self) -> InviteId {
        let id = InviteId(self.next_invite);
        self.next_invite += 1;
        id
    }

    fn insert(&mut self, id: InviteId, session: Session) {
        self.tags.insert(session.tag(), id);
        self.sessions.insert(id, Box::new(session));
    }

    fn with(&mut self, id: InviteId, step: impl FnOnce(&mut Session, &mut Stack)) {
        if let Some(session) = self.sessions.get_mut(&id) {
            step(session, &mut self.stack);
            if session.is_finished() {
                // A session may end without a transaction whose end would tell.
                self.stack.transactions.touched.push(id);
            }
        }
    }

    /// Tells a session that its request will have no response.
    fn report_failure(&mut self, now: Instant, owner: Option<(InviteId, Purpose)>, upshot: Upshot) {
        let (Some((id, purpose)), Some(failure)) = (owner, upshot.failed) else { return };
        self.with(id, |session, stack| match purpose {
            Purpose::Invite => session.handle_failure(stack, now, failure),
            Purpose::Bye => session.bye_done(stack, now),
            Purpose::Refresh => session.refresh_unanswered(stack, now, failure),
            Purpose::Reinvite => session.change_failed(stack, now, failure),
            Purpose::Request(request) => session.unanswered(stack, now, request, failure),
            Purpose::Cancel | Purpose::Prack | Purpose::DropFork => {}
        });
    }

    /// Forgets the sessions of which nothing is left.
    fn release(&mut self) {
        while let Some(id) = self.stack.transactions.terminated.pop() {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.transaction_ended();
            }
            self.stack.transactions.touched.push(id);
        }
        while let Some(id) = self.stack.transactions.touched.pop() {
            if self.sessions.get(&id).is_some_and(|session| session.is_finished())
                && let Some(session) = self.sessions.remove(&id)
            {
                self.tags.remove(&session.tag());
                self.stack.events.push_back(Event::Released { id });
            }
        }
    }
}
