//! The `dial` verb: which callees are called, when one has won, how it ended.
//!
//! `targets.rs` turns targets into legs, `ring.rs` is the race, `connected.rs` is what the caller
//! hears and the bridge, `result.rs` the outcome and its payload. This file holds what a dial
//! knows and carries out the steps of the race.

pub(crate) mod connected;
pub(crate) mod crank_back;
mod redirect;
pub(crate) mod result;
pub(crate) mod ring;
pub(crate) mod targets;

use std::time::Instant;

use verbs::status::LostBecause;

use crate::call::{Call, Context, Stage};
use crate::leg::LegId;
use crate::leg::callee;
use crate::timer::Timer;
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
    /// The callee whose early media the caller hears.
    pub(crate) heard: Option<LegId>,
    /// One for each element of `target`.
    pub(crate) records: Vec<Record>,
    /// Its targets are being called one after the other; the outcome waits until all were.
    starting: bool,
}

impl Dial {
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
        self.stage = Stage::Running;
        self.dials += 1;
        let records = verb.target.iter().map(|_| Record::default()).collect();
        let timeout = verb.timeout;
        self.dial = Some(Dial {
            verb,
            places,
            index,
            state: State::Ringing,
            started: cx.now,
            bridged_at: None,
            winner: None,
            heard: None,
            records,
            starting: true,
        });
        self.say_what_does_not_run();
        self.prepare_caller(cx);
        self.timers.arm(Timer::Ring, cx.now + timeout);
        self.call_targets(cx);
        if let Some(dial) = self.dial.as_mut() {
            dial.starting = false;
        }
        self.dial_lost(cx);
    }

    /// A callee was lost, or the last target was tried: is anyone left to answer?
    pub(crate) fn dial_lost(&mut self, cx: Context<'_>) {
        if self.dial.as_ref().is_none_or(|dial| dial.starting) {
            return;
        }
        let number = self.dials;
        let left = self.legs.values().any(|leg| {
            leg.dial == number
                && matches!(
                    leg.state,
                    callee::State::Resolving
                        | callee::State::Opening
                        | callee::State::Calling
                        | callee::State::Early
                        | callee::State::Up
                )
        });
        self.dial_input(cx, if left { Input::Lost } else { Input::LastLost });
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
            Action::ArmTimeLimit => {
                let limit = self.dial.as_ref().and_then(|dial| dial.verb.time_limit);
                if let Some(limit) = limit {
                    self.timers.arm(Timer::TimeLimit, cx.now + limit);
                }
            }
            Action::DisarmTimeLimit => self.timers.disarm(Timer::TimeLimit),
            Action::StopLosers(because) | Action::StopAll(because) => {
                self.stop_losers(cx, because);
            }
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

    /// Ends every callee of this dial but its winner.
    fn stop_losers(&mut self, cx: Context<'_>, because: LostBecause) {
        let winner = self.dial.as_ref().and_then(|dial| dial.winner);
        let number = self.dials;
        let losers: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(id, leg)| leg.dial == number && Some(**id) != winner)
            .map(|(id, _)| *id)
            .collect();
        for loser in losers {
            self.stop_callee(cx, loser, because);
        }
    }
}
