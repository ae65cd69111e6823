//! The `dial` verb: which callees are called, when one has won, how it ended.
//!
//! `order.rs` is who is called when, `targets.rs` turns targets into legs, `ring.rs` is the race;
//! `crank_back.rs` is who is called in the place of whom, `redirect.rs` and `bounds.rs` what a 3xx
//! adds to that. `confirm.rs` is the screening, `hears.rs` what the caller hears meanwhile,
//! `elsewhere.rs` where a party may send another. `connected.rs` is the bridge; `keys.rs`,
//! `hold.rs`, `whisper.rs`, `refer.rs`, `transfer.rs` and `join.rs` are what its parties and
//! programs do on it; `exit.rs` and `media_path.rs` are its audio leaving the switch. `result.rs`
//! is the outcome and its payload. This file holds what a dial knows and carries out the steps of
//! the race.

mod bounds;
pub(crate) mod confirm;
pub(crate) mod connected;
pub(crate) mod crank_back;
mod elsewhere;
pub(crate) mod exit;
pub(crate) mod hears;
pub(crate) mod hold;
pub(crate) mod join;
pub(crate) mod keys;
pub(crate) mod media_path;
pub(crate) mod order;
mod redirect;
pub(crate) mod refer;
pub(crate) mod result;
pub(crate) mod ring;
pub(crate) mod targets;
pub(crate) mod transfer;
pub(crate) mod whisper;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use verbs::status::LostBecause;

use crate::call::{Call, Context};
use crate::leg::LegId;
use crate::leg::callee;
use crate::leg::callee_leg::Leg;
use crate::script::{Running, Stage};
use crate::timer::Timer;
use crate::verb::play::Playlist;
use hears::{Beneath, Music};
use hold::Hold;
use keys::Keys;
use result::Record;
use ring::{Action, Input, State};

/// A dial while it runs, and until its result is sent.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    pub(crate) verb: verbs::Dial,
    /// It calls the caller itself: whoever wins runs the verbs.
    pub(crate) places: bool,
    /// Its place in the list, for alerts.
    pub(crate) index: usize,
    pub(crate) state: State,
    pub(crate) started: Instant,
    pub(crate) bridged_at: Option<Instant>,
    /// The winner, also after it is gone.
    pub(crate) winner: Option<LegId>,
    /// What the caller hears, and what is played over it.
    pub(crate) beneath: Beneath,
    pub(crate) music: Option<Music>,
    /// URLs that could not be had.
    pub(crate) unplayable: Vec<String>,
    /// Targets still to call, in the groups that are called together.
    pub(crate) groups: VecDeque<Vec<usize>>,
    /// Targets of the group that is being called, whose delay is not over.
    pub(crate) delayed: BTreeSet<usize>,
    /// Keys pressed on the bridge.
    pub(crate) keys: Keys,
    /// Who holds the other.
    pub(crate) holds: Vec<Hold>,
    /// What a program has played to a party, one after the other.
    pub(crate) whispers: BTreeMap<LegId, VecDeque<Playlist>>,
    /// Where the audio of its bridge goes.
    pub(crate) path: media_path::State,
    /// `sendDigits` is on its way to the winner.
    pub(crate) sends_digits: bool,
    /// One for each element of `target`.
    pub(crate) records: Vec<Record>,
    /// Its targets are being called one after the other; the outcome waits until all were.
    starting: bool,
}

impl Dial {
    /// One that has called nobody yet.
    pub(crate) fn new(now: Instant, verb: verbs::Dial) -> Dial {
        Dial {
            records: verb.target.iter().map(|_| Record::default()).collect(),
            verb,
            places: false,
            index: 0,
            state: State::Ringing,
            started: now,
            bridged_at: None,
            winner: None,
            beneath: Beneath::default(),
            music: None,
            unplayable: Vec::new(),
            groups: VecDeque::new(),
            delayed: BTreeSet::new(),
            keys: Keys::default(),
            holds: Vec::new(),
            whispers: BTreeMap::new(),
            path: media_path::State::Stays,
            sends_digits: false,
            starting: false,
        }
    }

    /// JSON pointer of a target, for alerts.
    pub(crate) fn place(&self, target: usize) -> String {
        if self.places {
            return "/to".to_owned();
        }
        format!("/{}/target/{target}", self.index)
    }
}

impl Call {
    /// Starts a dial.
    pub(crate) fn run_dial(&mut self, cx: Context<'_>, index: usize, verb: verbs::Dial) {
        self.start_dial(cx, index, verb, false);
    }

    /// Starts a dial, of callees or (`places`) of the caller itself.
    pub(crate) fn start_dial(
        &mut self,
        cx: Context<'_>,
        index: usize,
        verb: verbs::Dial,
        places: bool,
    ) {
        self.script.stage = Stage::Running(Running::Dial);
        self.dials += 1;
        let timeout = verb.timeout;
        let dial = Dial::new(cx.now, verb);
        self.dial = Some(Dial { places, index, starting: true, ..dial });
        self.say_what_does_not_run();
        self.plan_media_path();
        self.prepare_caller(cx);
        self.timers.arm(Timer::Ring, cx.now + timeout);
        self.call_targets(cx);
        if let Some(dial) = self.dial.as_mut() {
            dial.starting = false;
        }
        self.dial_lost(cx);
        self.update_hearing(cx);
    }

    /// A callee was lost, or the last target was tried: is anyone left to answer?
    pub(crate) fn dial_lost(&mut self, cx: Context<'_>) {
        if self.dial.as_ref().is_none_or(|dial| dial.starting) {
            return;
        }
        while !self.is_anyone_left() {
            if self.dial.as_ref().is_none_or(|dial| dial.state != State::Ringing) {
                return self.dial_input(cx, Input::LastLost);
            }
            if !self.start_next_group(cx) {
                return self.dial_input(cx, Input::LastLost);
            }
        }
        self.dial_input(cx, Input::Lost);
    }

    /// Calls the next targets; false where none is left.
    fn start_next_group(&mut self, cx: Context<'_>) -> bool {
        let starting = |call: &mut Call, starting| {
            if let Some(dial) = call.dial.as_mut() {
                dial.starting = starting;
            }
        };
        starting(self, true);
        let called = self.call_next_group(cx);
        starting(self, false);
        called
    }

    /// Somebody who may still win, or is called later without anybody's doing.
    fn is_anyone_left(&self) -> bool {
        let number = self.dials;
        let waits = self.dial.as_ref().is_some_and(|dial| !dial.delayed.is_empty());
        waits
            || self.legs.values().any(|leg| {
                leg.dial == number
                    && matches!(
                        leg.state,
                        callee::State::Resolving
                            | callee::State::Opening
                            | callee::State::Calling
                            | callee::State::Early
                            | callee::State::Up
                    )
            })
    }

    /// The ring time of the dial is over.
    pub(crate) fn ring_timeout(&mut self, cx: Context<'_>) {
        let number = self.dials;
        let answered = |leg: &Leg| leg.dial == number && leg.state == callee::State::Up;
        let screened = self.legs.values().any(|leg| answered(leg));
        let input = if screened { Input::RingTimeoutScreened } else { Input::RingTimeout };
        self.dial_input(cx, input);
        self.update_hearing(cx);
    }

    /// One step of the race.
    pub(crate) fn dial_input(&mut self, cx: Context<'_>, input: Input) {
        let Some(dial) = self.dial.as_mut() else { return };
        let (next, actions) = ring::step(dial.state, input);
        dial.state = next;
        if let State::Bridged(winner) = next {
            dial.winner = Some(winner);
        }
        for action in actions {
            self.dial_action(cx, *action);
        }
    }

    fn dial_action(&mut self, cx: Context<'_>, action: Action) {
        match action {
            Action::DisarmRing => self.timers.disarm(Timer::Ring),
            Action::ArmTimeLimit => self.limit_time(cx),
            Action::DisarmTimeLimit => {
                self.timers.disarm(Timer::TimeLimit);
                self.timers.disarm(Timer::Warning);
            }
            Action::StopLosers(because) | Action::StopAll(because) => {
                self.stop_losers(cx, because, false);
            }
            Action::StopRinging(because) => self.stop_losers(cx, because, true),
            Action::StopWinner => {
                if let Some(winner) = self.dial.as_ref().and_then(|dial| dial.winner) {
                    self.callee_input(cx, winner, callee::Input::Stop);
                }
            }
            Action::Connect => match self.dial.as_ref().is_some_and(|dial| dial.places) {
                true => self.become_caller(cx),
                false => self.connect_winner(cx),
            },
            Action::FinishFailed => self.finish_dial(cx, result::End::Failed),
            Action::FinishNoAnswer => self.finish_dial(cx, result::End::NoAnswer),
            Action::FinishCompleted => self.finish_dial(cx, result::End::Completed),
        }
    }

    /// The winner is connected: how long it may stay.
    fn limit_time(&mut self, cx: Context<'_>) {
        let verb = self.dial.as_ref().map(|dial| &dial.verb);
        let Some(limit) = verb.and_then(|verb| verb.time_limit) else { return };
        let before = verb.and_then(|verb| verb.time_limit_warning.as_ref()).map(|w| w.before);
        self.timers.arm(Timer::TimeLimit, cx.now + limit);
        // why: a warning that is due before the beginning is none.
        if let Some(after) = before.and_then(|before| limit.checked_sub(before)) {
            self.timers.arm(Timer::Warning, cx.now + after);
        }
    }

    /// Ends every callee of this dial but its winner, or of those alone that only ring.
    fn stop_losers(&mut self, cx: Context<'_>, because: LostBecause, ringing: bool) {
        self.call_nobody_else(because);
        let winner = self.dial.as_ref().and_then(|dial| dial.winner);
        let number = self.dials;
        let losers: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(id, leg)| leg.dial == number && Some(**id) != winner)
            .filter(|(_, leg)| !ringing || leg.state != callee::State::Up)
            .map(|(id, _)| *id)
            .collect();
        for loser in losers {
            self.stop_callee(cx, loser, because);
        }
    }
}
