//! One state of the walk: the switch, its witness, the parties, and what is still to be answered.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use call::{
    CallKey, Command, CommandId, Effect, HookFailure, HookId, Input, LegId, Media, Output, Switch,
    Way,
};
use serde_json::json;
use sip::{Flow, Message, Method, Transport};
use verbs::rest::parse_update_call;

use super::digest::digest;
use super::opening::{CONFIRM, Opening, callee_address};
use super::party::{Asked, Callee, Caller, answer};
use crate::judge::{Fact, Judge};
use crate::settings::carrier_settings;
use crate::world::SWITCH;

const CALLER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), 5060);

/// The callee of the second dial, which answers of hooks ask for.
const ANOTHER: u8 = 9;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The callee of this INVITE sends a response to it: 180, 183, 200, 486 or 500; 200 a second
    /// time as if the ACK were lost.
    Says(u8, u16),
    /// It takes the CANCEL that came.
    GivesIn(u8),
    /// It hangs up.
    CalleeHangsUp(u8),
    /// It takes the BYE that came.
    CalleeTakesBye(u8),
    /// The caller sends CANCEL, also where our answer crosses it.
    CallerCancels,
    /// The caller acknowledges our 200.
    CallerAcks,
    /// The caller hangs up, acknowledged or not.
    CallerHangsUp,
    /// The caller takes our BYE.
    CallerTakesBye,
    /// The caller holds, or takes back.
    CallerHolds,
    /// This callee does.
    CalleeHolds(u8),
    /// The caller sends REFER.
    CallerRefers,
    /// This callee does.
    CalleeRefers(u8),
    /// The oldest webhook that is being asked answers: nothing, a failure, another dial.
    HookAnswers(u8),
    /// Of the confirmHooks that are being asked the one in this place answers: nothing, which is
    /// consent, a failure, a pause.
    Confirms(u8, u8),
    /// The oldest look-up ends, with an address or without.
    NameFound(bool),
    /// The oldest port opens, or none is free.
    PortOpens(bool),
    /// A program ends this leg: 0 is the caller, then the callees in order.
    Ends(u8),
    /// A program sends the caller elsewhere.
    Elsewhere,
    /// Nothing happens until the next timer.
    Tick,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    now: Instant,
    switch: Switch,
    judge: Judge,
    caller: Caller,
    callees: Vec<Callee>,
    names: Vec<(CallKey, LegId, SocketAddr)>,
    opening: Vec<(CallKey, LegId)>,
    hooks: Vec<(CallKey, HookId)>,
    /// Those that screen.
    confirms: Vec<(CallKey, HookId)>,
    ports: BTreeSet<(CallKey, LegId)>,
    sids: Vec<String>,
    commands: u64,
    begins: Opening,
    /// Answers to NOTIFYs, which leave when the switch has done what it does.
    replies: Vec<(SocketAddr, Bytes)>,
    /// Nobody answers any more, whatever is asked.
    silent: bool,
}

fn flow(remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local: SWITCH, remote }
}

/// A webhook that cannot be reached.
fn no_answer() -> HookFailure {
    HookFailure {
        alert_type: "webhook-connection-failure",
        message: "no answer".to_owned(),
        status: None,
    }
}

impl Scene {
    /// The state from which the walk begins.
    pub(super) fn new(start: Instant, opening: Opening) -> Scene {
        let settings = Arc::new(carrier_settings(CALLER.ip(), callee_address(8)));
        let mut scene = Scene {
            now: start,
            switch: Switch::new(settings, sip::Config::default(), [7; 32]),
            judge: Judge::default()
                .screened_by(&[CONFIRM.to_owned()], opening == Opening::Screened),
            caller: Caller::new(CALLER),
            callees: Vec::new(),
            names: Vec::new(),
            opening: Vec::new(),
            hooks: Vec::new(),
            confirms: Vec::new(),
            ports: BTreeSet::new(),
            sids: Vec::new(),
            commands: 0,
            // why: the caller's own port is there at once, however the walk begins.
            begins: Opening::Waiting,
            replies: Vec::new(),
            silent: false,
        };
        let invite = scene.caller.calls();
        scene.say(CALLER, &invite);
        scene.begins = opening;
        scene.answer_hook(Ok(Some(opening.list(opening.callees()))));
        for step in opening.steps() {
            // why: what breaks here breaks at the first step, where it is told.
            let _ = scene.take(*step);
        }
        scene
    }

    /// All that may happen next.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut untouched = false;
        for (number, callee) in (0..).zip(&self.callees) {
            // why: callees to whom nothing has happened differ by name only; one stands for all.
            if callee.is_untouched() && std::mem::replace(&mut untouched, true) {
                continue;
            }
            self.steps_of(number, callee, &mut steps);
        }
        self.steps_of_caller(&mut steps);
        if !self.hooks.is_empty() {
            steps.extend((0..3).map(Step::HookAnswers));
        }
        for (place, _) in (0..).zip(&self.confirms) {
            steps.extend((0..3).map(|answer| Step::Confirms(place, answer)));
        }
        if !self.names.is_empty() {
            steps.extend([Step::NameFound(true), Step::NameFound(false)]);
        }
        if !self.opening.is_empty() {
            steps.extend([Step::PortOpens(true), Step::PortOpens(false)]);
        }
        if self.switch.alive().callers > 0 {
            steps.extend([Step::Ends(0), Step::Elsewhere]);
        }
        if self.switch.poll_timeout().is_some() {
            steps.push(Step::Tick);
        }
        steps
    }

    fn steps_of(&self, number: u8, callee: &Callee, steps: &mut Vec<Step>) {
        let screened = self.begins == Opening::Screened;
        let connected = self.begins == Opening::Connected;
        if callee.status.is_none() {
            let provisional = [(180, callee.rang), (183, callee.early)];
            let said = provisional.into_iter().filter(|(_, said)| !said);
            let statuses = said.map(|(status, _)| status).chain([200, 486, 500]);
            // why: where the walk begins otherwise these are walked, and a screening differs in
            // other things.
            let left_out = |status: &u16| (screened || connected) && matches!(status, 183 | 500);
            let statuses = statuses.filter(|status| !left_out(status));
            steps.extend(statuses.map(|status| Step::Says(number, status)));
            if usize::from(number) + 1 < self.sids.len() {
                steps.push(Step::Ends(number + 1));
            }
        }
        if callee.answered() && !callee.hung_up {
            if !callee.repeated && !screened && !connected {
                steps.push(Step::Says(number, 200));
            }
            if callee.acked {
                steps.extend([Step::CalleeHangsUp(number), Step::Ends(number + 1)]);
            }
            if callee.acked && connected {
                let (refers, holds) = (Step::CalleeRefers(number), Step::CalleeHolds(number));
                steps.extend(self.asks(&callee.asked, refers, holds));
            }
        }
        if callee.cancel.is_some() {
            steps.push(Step::GivesIn(number));
        }
        if callee.bye.is_some() {
            steps.push(Step::CalleeTakesBye(number));
        }
    }

    fn steps_of_caller(&self, steps: &mut Vec<Step>) {
        let caller = &self.caller;
        if !caller.cancelled && !caller.acked && !caller.hung_up {
            steps.push(Step::CallerCancels);
        }
        if caller.answered() && !caller.acked {
            steps.push(Step::CallerAcks);
        }
        if caller.answered() && !caller.hung_up {
            steps.push(Step::CallerHangsUp);
        }
        if caller.bye.is_some() {
            steps.push(Step::CallerTakesBye);
        }
        if self.begins == Opening::Connected && caller.acked && !caller.hung_up {
            steps.extend(self.asks(&caller.asked, Step::CallerRefers, Step::CallerHolds));
        }
    }

    /// What a party that is connected may still ask for: one REFER, to hold and to take back.
    fn asks(&self, asked: &Asked, refers: Step, holds: Step) -> impl Iterator<Item = Step> {
        let refers = (asked.refers < 1).then_some(refers);
        refers.into_iter().chain((asked.holds < 2).then_some(holds))
    }

    /// Lets this happen, and says what broke.
    pub(super) fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Says(number, status) => self.callee(number, |callee| vec![callee.says(status)]),
            Step::GivesIn(number) => self.callee(number, Callee::gives_in),
            Step::CalleeHangsUp(number) => self.callee(number, |callee| vec![callee.hangs_up()]),
            Step::CalleeTakesBye(number) => {
                self.callee(number, |callee| callee.takes_bye().into_iter().collect());
            }
            Step::CallerCancels => self.caller(|caller| Some(caller.cancels())),
            Step::CallerAcks => self.caller(|caller| Some(caller.acknowledges())),
            Step::CallerHangsUp => self.caller(|caller| Some(caller.hangs_up())),
            Step::CallerTakesBye => self.caller(Caller::takes_bye),
            Step::CallerHolds => self.caller(|caller| Some(caller.holds())),
            Step::CallerRefers => self.caller(|caller| Some(caller.refers())),
            Step::CalleeHolds(number) => self.callee(number, |callee| vec![callee.holds()]),
            Step::CalleeRefers(number) => self.callee(number, |callee| vec![callee.refers()]),
            Step::HookAnswers(0) => self.answer_hook(Ok(None)),
            Step::HookAnswers(1) => self.answer_hook(Err(no_answer())),
            Step::HookAnswers(_) => {
                self.answer_hook(Ok(Some(self.begins.again().list(&[ANOTHER]))));
            }
            Step::Confirms(place, answer) => self.confirm(place, answer),
            Step::NameFound(found) => self.answer_name(found),
            Step::PortOpens(opens) => self.answer_port(opens),
            Step::Ends(leg) => self.command(usize::from(leg), r#"{"call_status":"completed"}"#),
            Step::Elsewhere => self.command(0, r#"{"call_hook":"http://elsewhere.test/b"}"#),
            Step::Tick => self.tick(),
        }
        self.judge.verdict()
    }

    /// Everybody does what is polite and ends the call; then nothing may be left.
    pub(super) fn rest_politely(mut self) -> Result<(), String> {
        // why: a call of some seconds has some hundred timers; whoever needs more goes in circles.
        for _ in 0..2_000 {
            let steps = self.steps();
            let polite = |step: &&Step| {
                matches!(
                    step,
                    Step::GivesIn(_)
                        | Step::CalleeTakesBye(_)
                        | Step::CallerTakesBye
                        | Step::CallerAcks
                        | Step::HookAnswers(0)
                        | Step::Confirms(_, 0)
                        | Step::NameFound(true)
                        | Step::PortOpens(true)
                )
            };
            let ends = |step: &&Step| {
                matches!(
                    step,
                    Step::CallerHangsUp | Step::CalleeHangsUp(_) | Step::Says(_, 486) | Step::Tick
                )
            };
            let first = steps.iter().find(polite).or_else(|| steps.iter().find(ends));
            match first {
                Some(step) => self.take(*step)?,
                None => return self.at_rest(),
            }
        }
        Err("it does not come to rest".to_owned())
    }

    /// Everybody is gone without a word; then nothing may be left either.
    pub(super) fn rest_alone(mut self) -> Result<(), String> {
        self.silent = true;
        for _ in 0..2_000 {
            let steps = self.steps();
            let answer = |step: &&Step| {
                matches!(
                    step,
                    Step::HookAnswers(0)
                        | Step::Confirms(_, 1)
                        | Step::NameFound(false)
                        | Step::PortOpens(false)
                )
            };
            let tick = |step: &&Step| **step == Step::Tick;
            match steps.iter().find(answer).or_else(|| steps.iter().find(tick)) {
                Some(step) => self.take(*step)?,
                None if self.ports.is_empty() => return self.at_rest(),
                None => {
                    for (key, leg) in self.ports.clone() {
                        self.tell(key, Input::MediaTimeout(leg));
                    }
                    self.judge.verdict()?;
                }
            }
        }
        Err("it does not come to rest".to_owned())
    }

    fn at_rest(&mut self) -> Result<(), String> {
        let alive = self.switch.alive();
        if alive != call::Alive::default() || !self.ports.is_empty() {
            return Err(format!("{alive:?} and ports {:?} are left", self.ports));
        }
        self.judge.at_rest()
    }

    /// What tells this state from others.
    pub(super) fn digest(&self) -> u128 {
        let asked = (&self.names, &self.opening, &self.hooks, &self.confirms);
        let parties = (&self.caller, &self.callees, asked);
        digest(&(&self.switch, self.judge.state(), parties, self.now))
    }

    fn callee(&mut self, number: u8, act: impl FnOnce(&mut Callee) -> Vec<Bytes>) {
        let Some(callee) = self.callees.get_mut(usize::from(number)) else { return };
        let address = callee.address;
        for said in act(callee) {
            self.say(address, &said);
        }
    }

    fn caller(&mut self, act: impl FnOnce(&mut Caller) -> Option<Bytes>) {
        if let Some(said) = act(&mut self.caller) {
            self.say(CALLER, &said);
        }
    }

    fn say(&mut self, from: SocketAddr, message: &[u8]) {
        self.judge.see(Fact::Heard(from, message));
        self.switch.handle_datagram(self.now, flow(from), message);
        self.flush();
    }

    fn tell(&mut self, key: CallKey, input: Input) {
        self.judge.see(Fact::Told(key, &input));
        self.switch.handle_input(self.now, key, input);
        self.flush();
    }

    fn tick(&mut self) {
        if let Some(at) = self.switch.poll_timeout() {
            self.now = self.now.max(at);
            self.judge.see(Fact::Woken);
            self.switch.handle_timeout(self.now);
            self.flush();
        }
    }

    fn command(&mut self, leg: usize, body: &str) {
        let call_sid = self.sids.get(leg).cloned().unwrap_or_default();
        let update = parse_update_call(body).expect("a body of ours");
        self.commands += 1;
        let update = Box::new(update);
        let (id, command) = (CommandId(self.commands), Command::Update { call_sid, update });
        self.judge.see(Fact::Commanded(id, &command));
        self.switch.handle_command(self.now, id, command);
        self.flush();
    }

    fn answer_hook(&mut self, reply: Result<Option<String>, HookFailure>) {
        if !self.hooks.is_empty() {
            let (key, hook) = self.hooks.remove(0);
            self.tell(key, Input::HookReply(hook, reply));
        }
    }

    fn confirm(&mut self, place: u8, answer: u8) {
        let place = usize::from(place);
        if place >= self.confirms.len() {
            return;
        }
        let (key, hook) = self.confirms.remove(place);
        let reply = match answer {
            0 => Ok(None),
            1 => Err(no_answer()),
            _ => Ok(Some(json!([{ "verb": "pause", "length": 5 }]).to_string())),
        };
        self.tell(key, Input::HookReply(hook, reply));
    }

    fn answer_name(&mut self, found: bool) {
        if !self.names.is_empty() {
            let (key, leg, address) = self.names.remove(0);
            let input = match found {
                true => Input::Resolved(leg, vec![Way { flow: flow(address), large: None }]),
                false => Input::Unresolved(leg, "no such host".to_owned()),
            };
            self.tell(key, input);
        }
    }

    fn answer_port(&mut self, opens: bool) {
        if !self.opening.is_empty() {
            let (key, leg) = self.opening.remove(0);
            let input = match opens {
                true => {
                    self.ports.insert((key, leg));
                    let port = 20_000 + 2 * u16::from(leg.0);
                    Input::MediaOpened(leg, SocketAddr::new(SWITCH.ip(), port))
                }
                false => Input::MediaRefused(leg, "no RTP port is free".to_owned()),
            };
            self.tell(key, input);
        }
    }

    fn flush(&mut self) {
        while let Some(output) = self.switch.poll() {
            match output {
                Output::Transmit(transmit) => {
                    let to = transmit.flow.remote;
                    self.judge.see(Fact::Said(to, &transmit.bytes));
                    self.deliver(to, &transmit.bytes);
                }
                Output::Call(key, effect) => {
                    self.judge.see(Fact::Wanted(key, &effect));
                    self.carry_out(key, effect);
                }
                Output::Reply(id, reply) => self.judge.see(Fact::Replied(id, &reply)),
                Output::Bound { .. } => {}
            }
        }
        for (from, reply) in std::mem::take(&mut self.replies) {
            self.say(from, &reply);
        }
        let prompt = self.begins != Opening::LookingUp;
        if prompt && !self.names.is_empty() {
            self.answer_name(true);
        }
        if prompt && !self.opening.is_empty() {
            self.answer_port(true);
        }
    }

    fn deliver(&mut self, to: SocketAddr, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        if message.is(&Method::Notify) {
            let reply = (!self.silent).then(|| (to, answer(to, &message, 200)));
            return self.replies.extend(reply);
        }
        if to == CALLER {
            return self.deliver_to_caller(message);
        }
        let call_id = message.call_id().unwrap_or_default().into_owned();
        let of_call = |callee: &&mut Callee| {
            callee.invite.call_id().is_ok_and(|of_invite| of_invite == call_id)
        };
        let Some(callee) = self.callees.iter_mut().find(of_call) else {
            return self.callees.push(Callee::new(to, message));
        };
        if message.is(&Method::Cancel) {
            callee.cancel = Some(message);
        } else if message.is(&Method::Ack) {
            callee.acked = true;
        } else if message.is(&Method::Bye) {
            callee.bye = Some(message);
        }
    }

    fn deliver_to_caller(&mut self, message: Message) {
        let invite = || message.cseq().is_ok_and(|(_, method)| method == Method::Invite);
        match message.status() {
            None if message.is(&Method::Bye) => self.caller.bye = Some(message),
            Some(200..) if invite() && self.caller.answer.is_none() => {
                self.caller.answer = Some(message);
                // RFC 3261 §17.1.1.3: the transaction does this, not the user.
                if !self.caller.answered() {
                    let ack = self.caller.acknowledges();
                    self.say(CALLER, &ack);
                }
            }
            _ => {}
        }
    }

    fn carry_out(&mut self, key: CallKey, effect: Effect) {
        match effect {
            Effect::Resolve { leg, host, port, .. } => {
                let ip = host.parse().unwrap_or(CALLER.ip());
                self.names.push((key, leg, SocketAddr::new(ip, port.unwrap_or(5060))));
            }
            Effect::Media(Media::Open(leg, _)) => self.opening.push((key, leg)),
            Effect::Media(Media::Close(leg)) => {
                self.ports.remove(&(key, leg));
            }
            Effect::Media(Media::Adopt(leg, before)) => {
                if self.ports.remove(&before) {
                    self.ports.insert((key, leg));
                }
            }
            Effect::Hook { hook, request } if request.hook.url == CONFIRM => {
                self.confirms.push((key, hook));
            }
            Effect::Hook { hook, .. } => self.hooks.push((key, hook)),
            Effect::Status(request) => {
                let sid = request.payload["call_sid"].as_str().unwrap_or_default().to_owned();
                if !self.sids.contains(&sid) {
                    self.sids.push(sid);
                }
            }
            Effect::Media(_) | Effect::Alert(_) | Effect::Record(_) | Effect::Over => {}
        }
    }

    /// The time that has passed since the walk began.
    pub(super) fn lasted(&self, start: Instant) -> Duration {
        self.now.duration_since(start)
    }
}
