//! One call: a caller, the list of verbs it runs, and the callees that a dial calls.
//!
//! This file dispatches. What an input means is decided in `leg/` (responses, answers, media),
//! in `verb/` (the list, the dial), in `hook.rs` (which callback, and what its answer may do), in
//! `placing.rs` (a call that a program began) and `update.rs` (what a program changes).
//! In go [`Input`]s, the time and the table of registrations; out come SIP actions and
//! [`Effect`]s. Nothing here waits: an answer that comes after the caller left is one more input.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use sip::headers::Replaces;
use sip::registrar::Registrar;
use sip::{Event, Flow, Message};
use verbs::Hook;
use verbs::status::CallStatus;

use crate::command::{CommandId, Reply};
use crate::detach::Detached;
use crate::effect::{Alert, Effect, HookId, SipAction};
use crate::hook::Asked;
use crate::input::Input;
use crate::leg::LegId;
use crate::leg::callee_leg::Leg;
use crate::leg::caller_leg::{Caller, Farewell};
use crate::leg::origin::Origin;
use crate::leg::target::OwnPorts;
use crate::leg::{callee, caller, screening};
use crate::random::Random;
use crate::route::Resting;
use crate::script::{Running, Script, Stage};
use crate::settings::{Application, Carrier, Settings};
use crate::switch::CallKey;
use crate::switch::replace::Replaced;
use crate::timer::{Timer, Timers};
use crate::verb::config::Session;
use crate::verb::dial::Dial;
use crate::verb::dial::join::Join;
use crate::verb::dial::refer::Referral;
use crate::verb::dial::ring;
use crate::verb::dial::transfer::Referrer;

/// A call that was admitted: who it is from and what it runs.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// The INVITE.
    pub(crate) request: Message,
    /// Where it came from.
    pub(crate) flow: Flow,
    /// The carrier whose gateway sent it; `None` for a registered user.
    pub(crate) carrier: Option<Arc<Carrier>>,
    /// What to run.
    pub(crate) runs: Runs,
}

/// What a call runs first.
#[derive(Clone, Debug)]
pub(crate) enum Runs {
    /// This application.
    Application(Arc<Application>),
    /// Nothing but a dial of this registered user.
    User(String),
    /// What this hook answers: a program sent the call there before it ran anything.
    Hook(Hook),
    /// These verbs, as text.
    List(String),
    /// Nothing: it is about to be connected.
    Nothing,
    /// Nothing: it takes the place of another leg.
    InPlaceOf(Box<Replaced>),
}

/// What a step may read besides the call itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The time of the input.
    pub(crate) now: Instant,
    /// Where registered users are.
    pub(crate) registrar: &'a Registrar,
    /// Gateways that asked to be left alone.
    pub(crate) resting: &'a Resting,
    /// Where this switch receives audio.
    pub(crate) ports: &'a OwnPorts,
}

/// What a call wants done.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// On the SIP endpoint.
    Sip(SipAction),
    /// Outside.
    Effect(Effect),
    /// No call goes to this gateway until then.
    Rest { gateway: String, until: Instant },
    /// A command is carried out, or cannot be.
    Reply(CommandId, Reply),
    /// A callee can be named by a command from now on.
    Named(String),
    /// It no longer can.
    Forgotten(String),
    /// This leg goes on as a call of its own.
    Detached(Box<Detached>),
    /// What came of a transfer that this leg of another call asked for: status and reason phrase.
    Transferred(CallKey, LegId, u16, String),
    /// The other party of this leg is to be connected to that of another leg.
    Join(Box<Join>),
    /// What is told of the caller now that it is answered, unless our 200 waits.
    OnceAnswered(VecDeque<Output>),
    /// The caller can be answered, and is to take the place of the leg of this dialog.
    TakePlace(Box<Replaces>),
}

/// One call. See the module.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) settings: Arc<Settings>,
    /// `None` where a registered user dialled another without an application.
    pub(crate) application: Option<Arc<Application>>,
    /// Told of every change of status.
    pub(crate) status_hook: Option<Hook>,
    /// Completes a relative `status_hook`.
    pub(crate) status_base: Option<Hook>,
    pub(crate) runs: Runs,
    pub(crate) call_sid: String,
    pub(crate) trace_id: String,
    pub(crate) customer_data: Option<Value>,
    /// What `config` set for the session.
    pub(crate) session: Session,
    pub(crate) caller: Caller,
    /// why boxed: a node of the map has room for eleven, and most calls have one.
    pub(crate) legs: BTreeMap<LegId, Box<Leg>>,
    /// What the caller runs.
    pub(crate) script: Script,
    pub(crate) dial: Option<Dial>,
    /// Dials so far; tells the legs of one dial from those of the next.
    pub(crate) dials: u32,
    /// How the last dial failed: what an unanswered caller gets when the list ends.
    pub(crate) last_failure: Option<(u16, String)>,
    pub(crate) hooks: BTreeMap<HookId, Asked>,
    /// More questions were to be asked than may wait; that was said.
    pub(crate) is_flooded: bool,
    /// Requests that its lists have sent.
    pub(crate) requests: u64,
    pub(crate) next_hook: u64,
    pub(crate) next_play: u64,
    /// Legs whose REFER waits for the answer of a hook.
    pub(crate) refers: BTreeMap<LegId, Referral>,
    /// Legs whose REFER was accepted, and that wait to hear what comes of it.
    pub(crate) transfers: BTreeMap<LegId, Referral>,
    /// Who waits to hear what comes of the dial that this call was sent to.
    pub(crate) referrer: Option<Referrer>,
    pub(crate) timers: Timers,
    pub(crate) random: Random,
    outputs: VecDeque<Output>,
    over: bool,
}

impl Call {
    /// A call that came in.
    pub(crate) fn arrived(arrival: Arrival, settings: Arc<Settings>, random: Random) -> Call {
        let Arrival { request, flow, carrier, runs } = arrival;
        let origin = Origin::arrived(request);
        let mut call = Call::new(origin, Some(flow), carrier, runs.clone(), settings, random);
        if let Runs::InPlaceOf(replaced) = runs {
            replaced.pass_on(&mut call);
        }
        call
    }

    /// A call from the beginning.
    pub(crate) fn new(
        origin: Origin,
        flow: Option<Flow>,
        carrier: Option<Arc<Carrier>>,
        runs: Runs,
        settings: Arc<Settings>,
        mut random: Random,
    ) -> Call {
        let application = match &runs {
            Runs::Application(application) => Some(Arc::clone(application)),
            Runs::User(_) | Runs::Hook(_) | Runs::List(_) | Runs::Nothing | Runs::InPlaceOf(_) => {
                None
            }
        };
        let base = application.as_ref().and_then(|application| application.call_hook.clone());
        let status_hook = application.as_ref().and_then(|a| a.call_status_hook.clone());
        Call {
            settings,
            application,
            status_base: base.clone(),
            status_hook,
            runs,
            call_sid: random.sid(),
            trace_id: random.hex_128(),
            customer_data: None,
            session: Session::default(),
            caller: Caller::new(origin, flow, carrier, random.next_u64()),
            legs: BTreeMap::new(),
            script: Script::new(base),
            dial: None,
            dials: 0,
            last_failure: None,
            hooks: BTreeMap::new(),
            is_flooded: false,
            requests: 0,
            next_hook: 0,
            next_play: 0,
            refers: BTreeMap::new(),
            transfers: BTreeMap::new(),
            referrer: None,
            timers: Timers::default(),
            random,
            outputs: VecDeque::new(),
            over: false,
        }
    }

    /// Takes the call in: tells the application that it tries, opens the caller's media.
    pub(crate) fn begin(&mut self, cx: Context<'_>) {
        self.caller.attempted_at = Some(cx.now);
        self.caller.told = true;
        self.caller_event();
        if let Err(farewell) = self.caller.read_offer() {
            self.end_caller(cx, farewell);
        } else {
            self.caller_input(cx, caller::Input::Admit);
        }
    }

    /// One thing happened.
    pub(crate) fn handle(&mut self, cx: Context<'_>, input: Input) {
        match input {
            Input::Sip(leg, event) if leg == self.caller.id => self.caller_sip(cx, event),
            Input::Sip(leg, event) => self.callee_sip(cx, leg, event),
            Input::Resolved(leg, ways) => self.callee_resolved(cx, leg, ways),
            Input::Unresolved(leg, why) => {
                self.lose(leg, 503, &why);
                self.callee_input(cx, leg, callee::Input::Unresolved);
            }
            Input::MediaOpened(leg, address) if leg == self.caller.id => {
                self.caller_media_opened(cx, address);
            }
            Input::MediaOpened(leg, address) => {
                if let Some(known) = self.legs.get_mut(&leg) {
                    known.local.open(address);
                }
                self.callee_input(cx, leg, callee::Input::Opened);
            }
            Input::MediaRefused(leg, why) if leg == self.caller.id => {
                self.caller_media_refused(cx, &why);
            }
            Input::MediaRefused(leg, why) => {
                self.lose(leg, 503, &why);
                self.callee_input(cx, leg, callee::Input::OpenFailed);
            }
            Input::CarrierFull(leg, why) => self.carrier_full(cx, leg, &why),
            Input::MediaTimeout(leg) => self.media_timeout(cx, leg),
            Input::HookReply(hook, reply) => self.hook_reply(cx, hook, reply),
            Input::Played(leg, play, end) => self.played(cx, leg, play, &end),
            Input::Key(leg, key, length) => self.key_heard(cx, leg, key, length),
            Input::KeysSent(leg) => self.keys_sent(cx, leg),
            Input::End => self.end_caller(cx, Farewell::status(480)),
        }
    }

    /// A timer may be due.
    pub(crate) fn handle_timeout(&mut self, cx: Context<'_>) {
        while let Some(timer) = self.timers.take_due(cx.now) {
            match timer {
                Timer::Ring => self.ring_timeout(cx),
                Timer::TimeLimit => self.dial_input(cx, ring::Input::TimeLimit),
                Timer::Progress(leg) => self.progress_timeout(cx, leg),
                Timer::CallLimit => self.end_caller(cx, Farewell::status(480)),
                Timer::Pause(party) => self.go_on(party),
                Timer::Gather(party) => self.gather_waited(cx, party),
                Timer::Screening(leg) => self.screening_input(cx, leg, screening::Input::Cap),
                Timer::NoProgress(leg) => self.never_rang(cx, leg),
                Timer::Target(target) => self.target_timeout(cx, target.into()),
                Timer::Delay(target) => self.delay_over(cx, target.into()),
                Timer::Warning => self.warn_of_limit(),
                Timer::Hold(holder) => self.hold_on(cx, holder),
                Timer::MediaPath => self.leave_media_path(cx),
            }
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The caller is there.
    pub(crate) fn has_caller(&self) -> bool {
        self.caller.state.alive()
    }

    /// Somebody is there, or an application is still being told something.
    pub(crate) fn is_busy(&self) -> bool {
        let callee = || self.legs.values().any(|leg| leg.state != callee::State::Ended);
        self.has_caller() || self.dial.is_some() || !self.hooks.is_empty() || callee()
    }

    /// The end of each step: runs verbs until one waits, then sees whether anything is left of the
    /// call.
    pub(crate) fn settle(&mut self, cx: Context<'_>) {
        while let Some(party) = self.ready() {
            self.run_next(cx, party);
        }
        self.bring_back(cx);
        let done = self.caller.over() && self.legs.is_empty() && self.dial.is_none();
        if done && !self.over {
            self.over = true;
            self.timers.clear();
            self.effect(Effect::Over);
        }
    }

    /// A party whose next verb is due.
    fn ready(&self) -> Option<LegId> {
        let due = |script: &Script| matches!(script.stage, Stage::Next);
        if due(&self.script) {
            return Some(self.caller.id);
        }
        let screened = |leg: &Leg| leg.screening.as_ref().is_some_and(|s| due(&s.script));
        self.legs.iter().find(|(_, leg)| screened(leg)).map(|(id, _)| *id)
    }

    /// What a party runs.
    pub(crate) fn script(&mut self, party: LegId) -> Option<&mut Script> {
        if party == self.caller.id {
            return Some(&mut self.script);
        }
        let leg = self.legs.get_mut(&party)?;
        leg.screening.as_mut().map(|screening| &mut screening.script)
    }

    /// The next verb of a party is due.
    pub(crate) fn go_on(&mut self, party: LegId) {
        if let Some(script) = self.script(party)
            && !matches!(script.stage, Stage::Over)
        {
            script.stage = Stage::Next;
        }
    }

    /// A verb of a party runs.
    pub(crate) fn run(&mut self, party: LegId, running: Running) {
        if let Some(script) = self.script(party)
            && !matches!(script.stage, Stage::Over)
        {
            script.stage = Stage::Running(running);
        }
    }

    /// The script of a party is at its end, or gives way to another: what it plays and waits for
    /// is over.
    pub(crate) fn interrupt(&mut self, party: LegId) {
        self.timers.disarm(Timer::Pause(party));
        self.timers.disarm(Timer::Gather(party));
        self.silence_script(party);
    }

    fn media_timeout(&mut self, cx: Context<'_>, leg: LegId) {
        let headers = vec![("X-Reason".to_owned(), "Media Timeout".to_owned())];
        if !self.sends_here(leg) {
            return;
        }
        // why: before an answer nobody is obliged to send.
        if leg == self.caller.id && self.caller.state.answered() {
            self.end_caller(cx, Farewell { headers, ..Farewell::status(408) });
        } else if let Some(known) = self.legs.get_mut(&leg)
            && known.state == callee::State::Up
        {
            known.bye_headers = headers;
            self.callee_input(cx, leg, callee::Input::Stop);
        }
    }

    /// What this wants done, apart from what is wanted already.
    pub(crate) fn set_apart(&mut self, say: impl FnOnce(&mut Call)) -> VecDeque<Output> {
        let before = self.outputs.len();
        say(self);
        self.outputs.split_off(before)
    }

    /// What is told of the answer is told now, unless our 200 waits.
    pub(crate) fn tell_of_answer(&mut self, mut told: VecDeque<Output>) {
        if !self.caller.answer_waits {
            told.append(&mut self.outputs);
            self.outputs = told;
        }
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn sip(&mut self, action: SipAction) {
        self.outputs.push_back(Output::Sip(action));
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.outputs.push_back(Output::Effect(effect));
    }

    pub(crate) fn alert(&mut self, alert_type: &'static str, message: String) {
        let call_sid = self.call_sid.clone();
        self.effect(Effect::Alert(Alert { alert_type, message, call_sid }));
    }

    fn caller_sip(&mut self, cx: Context<'_>, event: Event) {
        match event {
            Event::Cancelled { .. } => self.caller_left(cx, None, true),
            Event::Ended { request, cause, .. } => {
                let peer = matches!(
                    cause,
                    sip::EndCause::Bye | sip::EndCause::Unreachable | sip::EndCause::Gone
                );
                match cause {
                    // RFC 3262 §3: the endpoint has refused its INVITE.
                    sip::EndCause::NoPrack => self.caller_status(CallStatus::Failed, 504, None),
                    // Our 200 could not be written.
                    sip::EndCause::Failed => {
                        self.caller.answered_at = None;
                        self.caller_status(CallStatus::Failed, 500, None);
                    }
                    _ => {}
                }
                self.caller_left(cx, request.as_ref(), peer);
            }
            Event::Accepted { .. } => self.caller_accepted(cx),
            Event::Acked { request, .. } => self.caller_acked(cx, &request),
            Event::Reinvite { request, .. } => self.reinvite(cx, self.caller.id, &request),
            Event::Request { request_id, request, .. } => {
                self.requested_inside(cx, self.caller.id, request_id, &request);
            }
            Event::Modified { response, .. } => self.modified(cx, self.caller.id, &response),
            Event::NotModified { status, .. } => self.not_modified(cx, self.caller.id, status),
            Event::Released { .. } => self.caller.released = true,
            Event::Invite { .. }
            | Event::Progress { .. }
            | Event::Answered { .. }
            | Event::Responded { .. }
            | Event::RefreshChallenged { .. }
            | Event::Rejected { .. } => {}
        }
    }

    fn callee_sip(&mut self, cx: Context<'_>, leg: LegId, event: Event) {
        match event {
            Event::Progress { response, .. } => self.callee_progress(cx, leg, &response),
            Event::Answered { response, .. } => self.callee_answered(cx, leg, &response),
            Event::Rejected { status, reason, cause, response, .. } => {
                if response.as_ref().is_some_and(|response| self.answer_challenge(leg, response)) {
                    return self.callee_input(cx, leg, callee::Input::Challenged);
                }
                if self.tries_elsewhere(leg, status, cause) {
                    self.note_fruitless(cx, leg, status, &reason);
                    return self.callee_input(cx, leg, callee::Input::FlowFailed);
                }
                self.lose_by_peer(leg, status, &reason, cause);
                self.rest_gateway(cx, leg, response.as_ref());
                self.note_redirection(cx, leg, response.as_ref());
                self.callee_input(cx, leg, callee::Input::Rejected);
            }
            Event::Ended { request, .. } => {
                self.note_hangup(leg, request.as_ref());
                self.callee_input(cx, leg, callee::Input::Hangup);
            }
            Event::Reinvite { request, .. } => self.reinvite(cx, leg, &request),
            Event::Acked { request, .. } => self.reinvite_acked(cx, leg, &request),
            Event::Request { request_id, request, .. } => {
                self.requested_inside(cx, leg, request_id, &request);
            }
            Event::Modified { response, .. } => self.modified(cx, leg, &response),
            Event::NotModified { status, .. } => self.not_modified(cx, leg, status),
            Event::Released { .. } => self.callee_released(leg),
            Event::Invite { .. }
            | Event::Accepted { .. }
            | Event::Cancelled { .. }
            | Event::Responded { .. }
            | Event::RefreshChallenged { .. } => {}
        }
    }
}
