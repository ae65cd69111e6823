//! The whole of signalling as one pure value: the SIP endpoint, the registrations and every call.
//!
//! Datagrams, answers of hooks and of the media side go in by `handle_*`; [`Output`]s come out of
//! [`Switch::poll`] until there are none, then [`Switch::poll_timeout`] says when to come back.
//! The binary drives one with sockets and a clock, the tests with virtual ones.
//!
//! It routes inputs to calls and carries their SIP actions out; what a call does is decided in
//! the call. A panic while a call is handled ends that call alone.

mod act;
mod join;
mod refresh;
pub(crate) mod replace;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use sip::auth::challenge::Challenger;
use sip::auth::standing::Standing;
use sip::registrar::{Binding, Registrar, RegistrarConfig};
use sip::{Endpoint, Event, Flow, InviteId, Respond, SavedBinding, SentId, Transmit};

use crate::admission::{Admission, CarrierLoad};
use crate::call::{self, Arrival, Call, Context};
use crate::command::{CommandId, Reply};
use crate::detach::Detached;
use crate::effect::{Asker, Effect, Media};
use crate::input::Input;
use crate::leg::LegId;
use crate::leg::target::OwnPorts;
use crate::random::Random;
use crate::route::Resting;
use crate::settings::Settings;
use crate::strangers::{Strangers, TurnedAway};
use crate::verb::dial::transfer::Referrer;

/// One live call of a [`Switch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKey(pub u64);

/// What the driver carries out.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this message.
    Transmit(Transmit),
    /// Do this for a call; inputs that answer it carry the same key.
    Call(CallKey, Effect),
    /// The answer to [`Switch::handle_command`], exactly one for each.
    Reply(CommandId, Reply),
    /// The bindings of an address of record have changed: keep these for [`Switch::restore`], in
    /// the place of all that was kept of it.
    Bound {
        /// `user@realm`; the user alone where no realm is configured.
        aor: String,
        /// What it is bound to now; nothing where it is reachable nowhere.
        bindings: Vec<SavedBinding>,
    },
}

/// How much is alive, for health, metrics and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alive {
    /// Calls, those included of which only transactions are left: RFC 3261 keeps these for
    /// 64 T1 after an answer, to absorb what is repeated.
    pub calls: usize,
    /// Calls whose caller is there, or is being called.
    pub callers: usize,
    /// Calls that have something to do: a caller, a callee that has not ended, or a hook whose
    /// answer is still to come.
    pub busy: usize,
    /// Legs that a command can name.
    pub named: usize,
    /// What the endpoint holds.
    pub sip: sip::Counts,
}

#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) call: Call,
    /// Timer as it stands in the agenda.
    wakes: Option<Instant>,
    /// As it was counted.
    has_caller: bool,
    is_busy: bool,
    invites: BTreeMap<LegId, InviteId>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Switch {
    pub(crate) settings: Arc<Settings>,
    pub(crate) endpoint: Endpoint,
    pub(crate) registrar: Registrar,
    pub(crate) challenger: Challenger,
    pub(crate) admission: Admission,
    pub(crate) carriers: CarrierLoad,
    pub(crate) standing: Standing,
    strangers: Strangers,
    resting: Resting,
    ports: OwnPorts,
    /// why boxed: a step takes its call out of the map and puts it back.
    calls: BTreeMap<CallKey, Box<Live>>,
    legs: BTreeMap<InviteId, (CallKey, LegId)>,
    agenda: BTreeMap<(Instant, CallKey), ()>,
    /// Which call each `call_sid` is in: every caller, and every callee that was told of.
    pub(crate) sids: BTreeMap<String, CallKey>,
    /// Of `calls`, those with a caller, and those with something to do.
    callers: usize,
    busy: usize,
    next_key: u64,
    /// Requests inside dialogs whose outcome a program waits for.
    sent: BTreeMap<SentId, Asker>,
    random: Random,
    outputs: VecDeque<Output>,
}

impl Switch {
    /// An idle switch. `secret` makes every identifier and nonce: take it from the operating
    /// system, and show it to nobody.
    pub fn new(settings: Arc<Settings>, sip: sip::Config, secret: [u8; 32]) -> Switch {
        let random = Random::from_secret(&secret);
        let registrations = RegistrarConfig {
            udp_expires_max: settings.udp_registration_expires,
            ..RegistrarConfig::default()
        };
        Switch {
            endpoint: Endpoint::with_secret(
                sip::Config { trying_at_once: false, ..sip },
                sip::auth::derived(&secret, b"sip"),
            ),
            registrar: Registrar::new(registrations),
            challenger: Challenger::new(sip::auth::derived(&secret, b"nonces")),
            admission: Admission::new(),
            carriers: CarrierLoad::default(),
            standing: Standing::new(),
            strangers: Strangers::default(),
            resting: Resting::default(),
            ports: OwnPorts::default(),
            settings,
            calls: BTreeMap::new(),
            legs: BTreeMap::new(),
            agenda: BTreeMap::new(),
            sids: BTreeMap::new(),
            callers: 0,
            busy: 0,
            next_key: 1,
            sent: BTreeMap::new(),
            random,
            outputs: VecDeque::new(),
        }
    }

    /// A SIP message arrived, a datagram or one of a stream.
    pub fn handle_datagram(&mut self, now: Instant, flow: Flow, datagram: &[u8]) {
        let Switch { endpoint, strangers, standing, challenger, settings, .. } = self;
        let mut unproven = false;
        endpoint.handle_datagram_if(now, flow, datagram, &mut |request| {
            let source = flow.remote.ip();
            if standing.is_known(now, source) || !settings.carriers_of_source(source).is_empty() {
                return true;
            }
            let vouched = !standing.is_source_locked(now, source)
                && request
                    .header_text("Authorization")
                    .is_some_and(|answer| challenger.gave(now, source, &answer));
            let rate = settings.limits.stranger_requests_per_second;
            unproven = !vouched && !flow.transport.is_reliable();
            strangers.admit(now, source, request, rate, vouched)
        });
        self.work(now);
        if unproven {
            self.bound_answers(now, flow, datagram.len());
        }
    }

    /// Takes back what was to be sent to an address that may be forged, if that address has been
    /// sent too much more than came in its name.
    fn bound_answers(&mut self, now: Instant, flow: Flow, asked: usize) {
        let (strangers, source) = (&mut self.strangers, flow.remote.ip());
        self.endpoint.retain_transmits(|transmit| {
            let surplus = transmit.bytes.len().saturating_sub(asked);
            transmit.flow != flow || strangers.may_be_sent(now, source, surplus)
        });
    }

    /// Nothing can be sent to the remote of this flow, or the connection to it is gone.
    pub fn handle_transport_error(&mut self, now: Instant, flow: Flow) {
        self.registrar.connection_lost(flow);
        self.endpoint.handle_transport_error(now, flow);
        self.work(now);
    }

    /// Something happened to a call; for a call that is over it is forgotten.
    pub fn handle_input(&mut self, now: Instant, key: CallKey, input: Input) {
        if let Input::MediaOpened(leg, address) = &input
            && self.calls.contains_key(&key)
        {
            self.ports.opened(key, *leg, *address);
        }
        self.step(now, key, |call, cx| call.handle(cx, input));
        self.work(now);
    }

    /// The time of [`Switch::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.registrar.handle_timeout(now);
        while let Some((&(at, key), ())) = self.agenda.first_key_value() {
            if at > now {
                break;
            }
            self.step(now, key, |call, cx| call.handle_timeout(cx));
        }
        self.work(now);
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        match self.endpoint.poll_transmit() {
            Some(transmit) => Some(Output::Transmit(transmit)),
            None => self.outputs.pop_front(),
        }
    }

    /// When [`Switch::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let call = self.agenda.first_key_value().map(|((at, _), ())| *at);
        [self.endpoint.poll_timeout(), self.registrar.poll_timeout(), call]
            .into_iter()
            .flatten()
            .min()
    }

    /// New settings: for the calls that come; those that are up keep theirs.
    ///
    /// Users that are gone are reachable no more.
    pub fn set_settings(&mut self, settings: Arc<Settings>) {
        self.settings = settings;
        self.registrar.retain(|user| self.settings.client(user).is_some());
    }

    /// From now on new calls get 503 with Retry-After.
    pub fn drain(&mut self) {
        self.admission.drain();
    }

    /// Ends every call: BYE, CANCEL, 480.
    pub fn end_all(&mut self, now: Instant) {
        let keys: Vec<CallKey> = self.calls.keys().copied().collect();
        for key in keys {
            self.step(now, key, |call, cx| call.handle(cx, Input::End));
        }
        self.work(now);
    }

    /// How much is alive.
    pub fn alive(&self) -> Alive {
        Alive {
            calls: self.calls.len(),
            callers: self.callers,
            busy: self.busy,
            named: self.sids.len(),
            sip: self.endpoint.counts(),
        }
    }

    /// What is remembered of addresses: what they proved, failed at, or asked too often. Bounded
    /// whatever comes, and nobody waits for it.
    pub fn remembered(&self) -> usize {
        self.standing.remembered() + self.strangers.remembered()
    }

    /// How often strangers were turned away, since the start.
    pub fn turned_away(&self) -> TurnedAway {
        TurnedAway { locked: self.standing.locks(), ..self.strangers.turned_away() }
    }

    /// Callers that are there: what `[limits] calls` counts. Cheap enough to ask at each step.
    pub fn callers(&self) -> usize {
        self.callers
    }

    /// Nothing is left that a peer or an application waits for: no call has anything to do, and
    /// each dialog has ended. What is left are transactions that absorb what is repeated.
    pub fn is_quiet(&self) -> bool {
        self.busy == 0 && self.endpoint.counts().dialogs == 0
    }

    /// Every registered user and where it is, in alphabetical order; the preferred place first.
    pub fn registered(&self, now: Instant) -> Vec<(String, Vec<Binding>)> {
        let users = self.registrar.registered(now);
        users.map(|user| (user.to_owned(), self.registrar.lookup(now, user))).collect()
    }

    /// Registered users.
    pub fn registrations(&self, now: Instant) -> usize {
        self.registrar.registered(now).count()
    }

    /// Takes a call in.
    pub(crate) fn admit(&mut self, now: Instant, invite: InviteId, arrival: Arrival) {
        let random = self.random_of_call();
        let call = Call::arrived(arrival, Arc::clone(&self.settings), random);
        let key = self.insert(call, BTreeMap::from([(LegId::CALLER, invite)]));
        self.legs.insert(invite, (key, LegId::CALLER));
        self.step(now, key, |call, cx| call.begin(cx));
    }

    /// The randomness of the next call.
    pub(crate) fn random_of_call(&mut self) -> Random {
        Random::new(self.random.next_u64())
    }

    /// Takes in a call that has not begun.
    pub(crate) fn insert(&mut self, call: Call, invites: BTreeMap<LegId, InviteId>) -> CallKey {
        let key = CallKey(self.next_key);
        self.next_key += 1;
        self.sids.insert(call.call_sid.clone(), key);
        let live = Live { call, wakes: None, has_caller: false, is_busy: false, invites };
        let live = Box::new(live);
        self.calls.insert(key, live);
        key
    }

    /// Events of the endpoint until there are none.
    pub(crate) fn work(&mut self, now: Instant) {
        while let Some(event) = self.endpoint.poll_event() {
            self.dispatch(now, event);
        }
        while let Some((user, bindings)) = self.registrar.poll_changed(now) {
            let aor = self.aor(&user);
            self.outputs.push_back(Output::Bound { aor, bindings });
        }
    }

    fn dispatch(&mut self, now: Instant, event: Event) {
        let id = match &event {
            Event::Invite { id, request, flow } => {
                let (id, request, flow) = (*id, request.clone(), *flow);
                return self.invited(now, id, request, flow);
            }
            Event::Request { id: None, request_id, request, flow } => {
                let (request_id, request, flow) = (*request_id, request.clone(), *flow);
                return self.requested(now, request_id, &request, flow);
            }
            Event::Responded { id, sent, status, reason, .. } => {
                return self.responded(now, (*id, *sent), *status, reason.clone());
            }
            Event::RefreshChallenged { id, method, answered, response } => {
                return self.prove_refresh(now, *id, method, *answered, response);
            }
            Event::Request { id: Some(id), .. }
            | Event::Progress { id, .. }
            | Event::Answered { id, .. }
            | Event::Rejected { id, .. }
            | Event::Cancelled { id, .. }
            | Event::Accepted { id }
            | Event::Acked { id, .. }
            | Event::Ended { id, .. }
            | Event::Reinvite { id, .. }
            | Event::Modified { id, .. }
            | Event::NotModified { id, .. }
            | Event::Released { id } => *id,
        };
        if matches!(event, Event::Rejected { .. } | Event::Ended { .. } | Event::Cancelled { .. }) {
            self.carriers.ended(id);
        }
        if matches!(event, Event::Released { .. }) {
            self.released(now, id, event);
        } else if let Some((key, leg)) = self.legs.get(&id).copied() {
            self.step(now, key, |call, cx| call.handle(cx, Input::Sip(leg, event)));
        } else if matches!(event, Event::Answered { .. }) {
            // why: the call that wanted this leg is gone; nobody else can end its dialog.
            self.endpoint.bye(now, id, &[]);
        } else if let Event::Request { request_id, .. } = event {
            self.endpoint.reply(now, request_id, Respond::status(481));
        } else if let Event::Reinvite { id, .. } = event {
            self.endpoint.respond_reinvite(now, id, Respond::status(481));
        }
    }

    fn released(&mut self, now: Instant, id: InviteId, event: Event) {
        self.carriers.ended(id);
        let Some((key, leg)) = self.legs.remove(&id) else { return };
        if let Some(live) = self.calls.get_mut(&key) {
            live.invites.remove(&leg);
        }
        self.step(now, key, |call, cx| call.handle(cx, Input::Sip(leg, event)));
    }

    /// One step of one call, what it wants done, and its next wake-up.
    pub(crate) fn step(
        &mut self,
        now: Instant,
        key: CallKey,
        step: impl FnOnce(&mut Call, Context<'_>),
    ) {
        let Some(mut live) = self.calls.remove(&key) else { return };
        self.callers -= usize::from(live.has_caller);
        self.busy -= usize::from(live.is_busy);
        if let Some(at) = live.wakes.take() {
            self.agenda.remove(&(at, key));
        }
        let cx =
            Context { now, registrar: &self.registrar, resting: &self.resting, ports: &self.ports };
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            step(&mut live.call, cx);
            live.call.settle(cx);
        }));
        if stepped.is_err() {
            return self.bury(now, key, *live);
        }
        let mut over = false;
        let (mut detached, mut joins, mut transferred) = (Vec::new(), Vec::new(), Vec::new());
        let mut takes = None;
        while let Some(output) = live.call.poll() {
            match output {
                call::Output::Sip(action) => self.act(now, key, &mut live, action),
                call::Output::Rest { gateway, until } => self.resting.rest(now, gateway, until),
                call::Output::Reply(id, reply) => self.reply(id, reply),
                call::Output::Named(sid) => {
                    self.sids.insert(sid, key);
                }
                call::Output::Forgotten(sid) => {
                    self.sids.remove(&sid);
                }
                call::Output::OnceAnswered(told) => live.call.tell_of_answer(told),
                call::Output::Join(join) => joins.push(join),
                call::Output::TakePlace(replaces) => takes = Some(replaces),
                call::Output::Transferred(key, leg, status, reason) => {
                    transferred.push((key, leg, status, reason));
                }
                call::Output::Detached(leg) => {
                    let invite = live.invites.remove(&leg.id);
                    detached.extend(invite.map(|invite| (invite, leg)));
                }
                call::Output::Effect(effect) => {
                    over |= matches!(effect, Effect::Over);
                    if let Effect::Media(Media::Close(leg)) = effect {
                        self.ports.closed(key, leg);
                    }
                    self.outputs.push_back(Output::Call(key, effect));
                }
            }
        }
        if over {
            // why: its caller may have gone on in another call, under the same name.
            if self.sids.get(&live.call.call_sid) == Some(&key) {
                self.sids.remove(&live.call.call_sid);
            }
        } else {
            self.keep(key, live);
        }
        for (invite, leg) in detached {
            self.go_on_alone(now, key, invite, *leg);
        }
        for join in joins {
            self.join(now, key, &join);
        }
        for (key, leg, status, reason) in transferred {
            self.tell_referrer(now, (key, leg), status, &reason);
        }
        if let Some(replaces) = takes {
            self.take_place(now, key, &replaces);
        }
        if over {
            self.ports.all_closed(key);
        }
    }

    /// A leg that its call let go becomes a call of its own.
    fn go_on_alone(&mut self, now: Instant, from: CallKey, invite: InviteId, leg: Detached) {
        let (id, random) = (leg.id, self.random_of_call());
        let referrer = leg.referrer;
        let (mut call, runs) = Call::detached(leg, random);
        call.referrer = referrer.map(|leg| Referrer { call: Some(from), leg });
        let key = self.insert(call, BTreeMap::from([(id, invite)]));
        self.legs.insert(invite, (key, id));
        self.ports.moved((from, id), (key, id));
        let adopt = Effect::Media(Media::Adopt(id, (from, id)));
        self.outputs.push_back(Output::Call(key, adopt));
        self.step(now, key, |call, cx| call.take_over(cx, runs));
    }

    /// A call that is up.
    pub(crate) fn call(&self, key: CallKey) -> Option<&Call> {
        self.calls.get(&key).map(|live| &live.call)
    }

    /// The leg that this INVITE is for.
    pub(crate) fn leg_of(&self, invite: InviteId) -> Option<(CallKey, LegId)> {
        self.legs.get(&invite).copied()
    }

    /// The INVITE of a leg.
    pub(crate) fn invite_of(&self, key: CallKey, leg: LegId) -> Option<InviteId> {
        self.calls.get(&key)?.invites.get(&leg).copied()
    }

    /// The leg of this INVITE is of another call from now on.
    pub(crate) fn relabel(
        &mut self,
        invite: InviteId,
        from: (CallKey, LegId),
        to: (CallKey, LegId),
    ) {
        if let Some(live) = self.calls.get_mut(&from.0) {
            live.invites.remove(&from.1);
        }
        if let Some(live) = self.calls.get_mut(&to.0) {
            live.invites.insert(to.1, invite);
        }
        self.legs.insert(invite, to);
        self.ports.moved(from, to);
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Puts a call back after a step.
    fn keep(&mut self, key: CallKey, mut live: Box<Live>) {
        (live.has_caller, live.is_busy) = (live.call.has_caller(), live.call.is_busy());
        self.callers += usize::from(live.has_caller);
        self.busy += usize::from(live.is_busy);
        live.wakes = live.call.poll_timeout();
        if let Some(at) = live.wakes {
            self.agenda.insert((at, key), ());
        }
        self.calls.insert(key, live);
    }

    /// Answers a command.
    pub(crate) fn reply(&mut self, id: CommandId, reply: Reply) {
        self.outputs.push_back(Output::Reply(id, reply));
    }

    /// A bug ended a call: its peers are told, everything it held is freed, and others never
    /// notice.
    fn bury(&mut self, now: Instant, key: CallKey, mut live: Live) {
        tracing::error!(call_sid = live.call.call_sid, "a bug ended this call");
        self.sids.retain(|_, of| *of != key);
        self.ports.all_closed(key);
        live.call.refuse_order("a bug in the switch ended the call");
        if let Some(Referrer { call: Some(waits), leg }) = live.call.referrer {
            self.tell_referrer(now, (waits, leg), 500, sip::default_reason(500));
        }
        while let Some(output) = live.call.poll() {
            if let call::Output::Reply(id, reply) = output {
                self.reply(id, reply);
            }
        }
        for (leg, id) in &live.invites {
            self.legs.remove(id);
            match leg {
                // The endpoint ignores what does not fit the state: one of these ends the leg.
                &LegId::CALLER => {
                    self.endpoint.respond(now, *id, Respond::status(500));
                    self.endpoint.bye(now, *id, &[]);
                }
                _ => {
                    self.endpoint.cancel(now, *id, None);
                    self.endpoint.bye(now, *id, &[]);
                }
            }
        }
        self.outputs.push_back(Output::Call(key, Effect::Over));
    }
}
