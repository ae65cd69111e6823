//! A witness at the boundary of the switch: sees every message, effect and input in their order,
//! and says what must never happen.
//!
//! What holds at every moment is checked when it is seen (`talk.rs` for SIP, `told.rs` for what
//! the application is told, `sound.rs` for what is heard, `screening.rs` for callees that are not
//! accepted yet, `refer.rs` for transfers, `paths.rs` for audio that passes the switch by); what
//! holds when everything has come to rest is asked of [`Judge::at_rest`]. It knows nothing of the
//! inside of the switch, and so judges random dials, the exhaustive walk and forged traces alike.
//! `crossings.rs` names what it counts on the way.

pub(crate) mod crossings;
mod paths;
mod refer;
mod screening;
mod session;
mod sound;
mod talk;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use bytes::Bytes;
use call::{CallKey, Command, CommandId, Effect, HookId, Input, LegId, Reply};
use verbs::rest::Update;

use crossings::{Crossing, Meter};
use paths::Path;
use refer::{Referring, Step};
use screening::{Confirming, Screening};
use sound::Sounds;
use talk::{Called, Caller};
use told::Life;

/// One thing that passes the boundary of the switch.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// The switch is given this message.
    Heard(SocketAddr, &'a [u8]),
    /// The switch sends this message.
    Said(SocketAddr, &'a [u8]),
    /// The switch wants this done.
    Wanted(CallKey, &'a Effect),
    /// The switch is given this input.
    Told(CallKey, &'a Input),
    /// The switch is given this command.
    Commanded(CommandId, &'a Command),
    /// The switch answers a command.
    Replied(CommandId, &'a Reply),
    /// The switch is woken by what has no words here: a timer that is due, a connection that broke,
    /// its operator.
    Woken,
}

/// A [`Fact`] that is kept: what was seen can be shown to another judge, as it was or forged.
#[derive(Clone, Debug)]
pub enum Seen {
    /// As [`Fact::Heard`].
    Heard(SocketAddr, Bytes),
    /// As [`Fact::Said`].
    Said(SocketAddr, Bytes),
    /// As [`Fact::Wanted`].
    Wanted(CallKey, Box<Effect>),
    /// As [`Fact::Told`].
    Told(CallKey, Box<Input>),
    /// As [`Fact::Woken`].
    Woken,
}

impl Seen {
    /// Keeps a fact; commands and their replies are not kept.
    pub fn of(fact: &Fact<'_>) -> Option<Seen> {
        match fact {
            Fact::Heard(from, message) => Some(Seen::Heard(*from, Bytes::copy_from_slice(message))),
            Fact::Said(to, message) => Some(Seen::Said(*to, Bytes::copy_from_slice(message))),
            Fact::Wanted(key, effect) => Some(Seen::Wanted(*key, Box::new(Effect::clone(effect)))),
            Fact::Told(key, input) => Some(Seen::Told(*key, Box::new(Input::clone(input)))),
            Fact::Woken => Some(Seen::Woken),
            Fact::Commanded(..) | Fact::Replied(..) => None,
        }
    }

    /// The fact.
    pub fn fact(&self) -> Fact<'_> {
        match self {
            Seen::Heard(from, message) => Fact::Heard(*from, message),
            Seen::Said(to, message) => Fact::Said(*to, message),
            Seen::Wanted(key, effect) => Fact::Wanted(*key, effect),
            Seen::Told(key, input) => Fact::Told(*key, input),
            Seen::Woken => Fact::Woken,
        }
    }
}

/// One call, as it looks from outside.
#[derive(Clone, Debug, Default)]
struct Call {
    /// Who won the dial that runs.
    winner: Option<LegId>,
    /// Who had won it, and has left before its result was told.
    last_winner: Option<LegId>,
    /// The caller and the winner, as long as they should hear each other.
    bridge: Option<(LegId, LegId)>,
    /// Who holds the other of them.
    holders: BTreeSet<LegId>,
    /// Somebody was given up just now, without a winner.
    gave_up: bool,
    /// Its caller sent CANCEL, or BYE, or we ended it.
    cancelled: bool,
    hung_up: bool,
    over: bool,
    /// The caller's port was asked for, and is not there yet.
    opening: bool,
    /// Webhooks that are being asked; those of a result apart.
    asking: BTreeMap<HookId, bool>,
    /// Callees that were called and not yet reported in a result.
    unreported: BTreeSet<String>,
    /// Some dial of it has no actionHook, and tells no result.
    keeps_silent: bool,
    /// Some dial of it has no confirmHook, though those of the lists have.
    unscreened: bool,
    /// Its caller was sent on by a REFER.
    onward: bool,
    /// The callee that leaves it is sent on by the switch itself.
    heir_is_transferred: bool,
    /// Of its caller, where that was a leg of another call before.
    caller_sid: Option<String>,
    results: usize,
}

/// Something that was awaited for a leg, and is here: the leg goes on, or it was too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Name(CallKey, LegId),
    Port(CallKey, LegId),
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    /// INVITEs of the switch, by SIP Call-ID.
    called: BTreeMap<String, Called>,
    /// INVITEs to the switch, by SIP Call-ID.
    callers: BTreeMap<String, Caller>,
    calls: BTreeMap<CallKey, Call>,
    /// Every leg that the application was told of, by call_sid.
    lives: BTreeMap<String, Life>,
    confirming: Confirming,
    screenings: BTreeMap<(CallKey, LegId), Screening>,
    sounds: Sounds,
    referring: Referring,
    /// Where parties are told to send, by the SIP Call-ID of their dialogs.
    paths: BTreeMap<String, Path>,
    step: Step,
    /// Legs that came from another call, connected already.
    joined: BTreeSet<(CallKey, LegId)>,
    awaited: Option<Awaited>,
    unanswered: BTreeMap<CommandId, Option<Crossing>>,
    meter: Meter,
    log: Option<Vec<Seen>>,
    broken: Option<String>,
}

impl Judge {
    /// A judge that keeps what it sees.
    pub fn with_log() -> Judge {
        Judge { log: Some(Vec::new()), ..Judge::default() }
    }

    /// What it kept.
    pub fn log(&self) -> &[Seen] {
        self.log.as_deref().unwrap_or_default()
    }

    /// Sees what happens next.
    pub fn see(&mut self, fact: Fact<'_>) {
        if let Some(log) = self.log.as_mut() {
            log.extend(Seen::of(&fact));
        }
        if !matches!(fact, Fact::Said(..) | Fact::Wanted(..) | Fact::Replied(..)) {
            self.settles();
        }
        let held = match fact {
            Fact::Heard(from, message) => self.heard(from, message),
            Fact::Said(to, message) => self.said(to, message),
            Fact::Wanted(key, effect) => self.wanted(key, effect),
            Fact::Told(key, input) => {
                self.told(key, input);
                Ok(())
            }
            Fact::Commanded(id, command) => {
                let crossing = self.crossing_of(command);
                self.unanswered.insert(id, crossing);
                Ok(())
            }
            Fact::Replied(id, reply) => self.replied(id, reply),
            Fact::Woken => Ok(()),
        };
        if let Err(broken) = held {
            self.broken.get_or_insert(broken);
        }
    }

    /// The first thing that must never happen and did.
    pub fn verdict(&self) -> Result<(), String> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// The same, and what must hold once nothing is under way and no timer runs.
    pub fn at_rest(&mut self) -> Result<(), String> {
        self.settles();
        self.verdict()?;
        self.talk_at_rest()?;
        self.sound_at_rest()?;
        self.told_at_rest()?;
        self.refers_at_rest()?;
        match self.unanswered.keys().next() {
            Some(silent) => Err(format!("{silent:?} was not answered")),
            None => Ok(()),
        }
    }

    /// What it remembers, without what it counted: tells states of a walk apart.
    pub(crate) fn state(&self) -> impl std::fmt::Debug {
        let told = (&self.lives, &self.awaited, &self.unanswered);
        let heard = (&self.sounds, &self.confirming.asked, &self.screenings);
        let heard = (heard, self.refers_state(), &self.paths);
        (&self.called, &self.callers, &self.calls, told, heard)
    }

    /// What crossed what.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Results of dials that the application was asked with.
    pub fn results(&self) -> usize {
        self.calls.values().map(|call| call.results).sum()
    }

    /// The switch has done all that follows from what it was last told.
    fn settles(&mut self) {
        self.too_late();
        let settled = self.hearing_settled().and_then(|()| self.screenings_settled());
        let settled = settled.and_then(|()| self.refers_settled());
        let settled = settled.and_then(|()| self.paths_settled());
        if let Err(broken) = settled {
            self.broken.get_or_insert(broken);
        }
    }

    /// The leg whose dialog has this SIP Call-ID.
    pub fn leg_of(&self, call_id: &str) -> Option<(CallKey, LegId)> {
        let caller = || self.callers.get(call_id)?.leg;
        self.called.get(call_id).map(|called| called.leg).or_else(caller)
    }

    /// What was awaited came, and nothing followed from it.
    fn too_late(&mut self) {
        match self.awaited.take() {
            Some(Awaited::Name(..)) => self.meter.count(Crossing::NameFoundTooLate),
            Some(Awaited::Port(..)) => self.meter.count(Crossing::PortOpensTooLate),
            None => {}
        }
    }

    fn wanted(&mut self, key: CallKey, effect: &Effect) -> Result<(), String> {
        if let Effect::Hook { hook, request } = effect
            && self.refer_hook_asked(key, *hook, request)?
        {
            self.call(key).asking.insert(*hook, false);
            return Ok(());
        }
        self.acts(effect);
        match effect {
            Effect::Media(media) => self.media(key, media),
            Effect::Hook { hook, request } => {
                let result = request.payload.get("dial_call_status").is_some();
                self.call(key).asking.insert(*hook, result);
                self.hook_asked(key, *hook, &request.hook.url, &request.payload);
                if result { self.result(key, &request.payload) } else { Ok(()) }
            }
            Effect::Status(request) => self.event(key, &request.payload),
            Effect::Record(record) => self.record(record),
            Effect::Resolve { .. } | Effect::Alert(_) | Effect::Over => Ok(()),
        }
    }

    fn told(&mut self, key: CallKey, input: &Input) {
        match input {
            Input::Resolved(leg, _) => self.awaited = Some(Awaited::Name(key, *leg)),
            Input::MediaOpened(..)
            | Input::MediaRefused(..)
            | Input::MediaTimeout(_)
            | Input::Played(..)
            | Input::Key(..) => self.heard_of_sound(key, input),
            Input::Unresolved(..) => self.meter.count(Crossing::NameUnknown),
            Input::HookReply(hook, reply) => {
                self.hook_answers(key, *hook, reply);
                self.refer_hook_answers(key, *hook, reply);
                let call = self.call(key);
                let result = call.asking.remove(hook).unwrap_or_default();
                call.keeps_silent |= matches!(reply, Ok(Some(list)) if told::keeps_silent(list));
                let crossing = match reply {
                    _ if call.over => Some(Crossing::HookAnswersTooLate),
                    Err(_) => Some(Crossing::HookFails),
                    Ok(None) if result => Some(Crossing::HookAnswersNothing),
                    Ok(Some(list)) if result && list.contains("\"dial\"") => {
                        Some(Crossing::HookAnswersAnotherDial)
                    }
                    Ok(_) => None,
                };
                crossing.into_iter().for_each(|crossing| self.meter.count(crossing));
            }
            Input::Sip(..) | Input::CarrierFull(..) | Input::KeysSent(_) | Input::End => {}
        }
    }

    /// What this command crosses, if it is taken.
    fn crossing_of(&self, command: &Command) -> Option<Crossing> {
        let Command::Update { call_sid, update } = command else { return None };
        let life = self.lives.get(call_sid)?;
        let call = self.calls.get(&life.key)?;
        let talking = call.winner.is_some();
        let ringing = !talking && !call.unreported.is_empty();
        let screening = !talking && self.is_anybody_screened(life.key);
        match update.as_ref() {
            _ if life.is_over() => Some(Crossing::CommandTooLate),
            Update::CallStatus(_) if life.is_child => match life.is_up() {
                true if screening => Some(Crossing::ChildEndedWhileScreened),
                true => Some(Crossing::ChildEndedWhileTalking),
                false => Some(Crossing::ChildEndedWhileRinging),
            },
            Update::CallStatus(_) if talking => Some(Crossing::ParentEndedWhileTalking),
            Update::CallStatus(_) if ringing => Some(Crossing::ParentEndedWhileRinging),
            Update::CallStatus(_) => {
                (!call.asking.is_empty()).then_some(Crossing::ParentEndedWhileAsking)
            }
            Update::CallHook { .. } if life.is_child => None,
            Update::CallHook { .. } if talking => Some(Crossing::NewHookWhileTalking),
            Update::CallHook { .. } if screening => Some(Crossing::NewHookWhileScreening),
            Update::CallHook { .. } if ringing => Some(Crossing::NewHookWhileRinging),
            Update::CallHook { .. } => {
                (!call.asking.is_empty()).then_some(Crossing::NewHookWhileAsking)
            }
            Update::Mute(_)
            | Update::Whisper(_)
            | Update::SipRequest(_)
            | Update::Dtmf { .. }
            | Update::Tag(_)
            | Update::Boost(_)
            | Update::Whispering { .. }
            | Update::NotYet { .. } => None,
        }
    }

    fn replied(&mut self, id: CommandId, reply: &Reply) -> Result<(), String> {
        let Some(crossing) = self.unanswered.remove(&id) else {
            return Err(format!("{id:?} is answered twice, or was never given: {reply:?}"));
        };
        let taken = !matches!(reply, Reply::Refused { .. });
        if let Some(crossing) = crossing
            && (taken || crossing == Crossing::CommandTooLate)
        {
            self.meter.count(crossing);
        }
        Ok(())
    }

    fn call(&mut self, key: CallKey) -> &mut Call {
        self.calls.entry(key).or_default()
    }
}
