//! Reliable provisional responses of ours (RFC 3262 §3).
//!
//! Goes in: the core's responses, PRACKs that match, timers, the end of the INVITE. Comes out:
//! actions. One response at a time waits for its PRACK and is repeated until then; the next one
//! waits in a queue, and a 2xx waits where a session description has to come before it. The queue
//! and what is in it are [`super::provisional`]'s.

use std::time::Duration;

use super::{action::Action, timer::Timer};
use crate::transaction::Intervals;

/// Where the INVITE is with reliable responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// None waits for its PRACK.
    Idle,
    /// One does.
    Waiting {
        /// What [`Timer::Reliable`] was last armed with.
        interval: Duration,
    },
    /// One does, and the core's 2xx waits for that.
    Holding {
        /// What [`Timer::Reliable`] was last armed with.
        interval: Duration,
    },
    /// The INVITE has its final response.
    Over,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The core sends one that has to be reliable; it stands in the queue.
    Provisional,
    /// The core sends a 2xx, and none that it has to follow is open.
    Success,
    /// The core sends a 2xx that has to follow one that waits, or one in the queue.
    SuccessAfter,
    /// The PRACK; the queue is empty.
    Prack,
    /// The PRACK; the queue is not empty.
    PrackNext,
    /// [`Timer::Reliable`].
    Repeat,
    /// [`Timer::PrackWait`].
    NoPrack,
    /// The INVITE gets another final response, or has one.
    Over,
}

const STOP: [Action; 2] = [Action::Disarm(Timer::Reliable), Action::Disarm(Timer::PrackWait)];

impl State {
    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Idle => idle(times, input, out),
            State::Waiting { interval } => waiting(interval, times, input, out),
            State::Holding { interval } => holding(interval, times, input, out),
            State::Over => State::Over,
        };
    }
}

fn idle(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Provisional => State::Waiting { interval: send(times, out) },
        Input::Success | Input::SuccessAfter => {
            out.push(Action::SendSuccess);
            State::Over
        }
        Input::Over => State::Over,
        Input::Prack | Input::PrackNext | Input::Repeat | Input::NoPrack => State::Idle,
    }
}

fn waiting(interval: Duration, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Prack => {
            out.extend(STOP);
            State::Idle
        }
        Input::PrackNext => State::Waiting { interval: send(times, out) },
        // RFC 3262 §3: one without a description is simply no longer repeated.
        Input::Success => {
            out.extend(STOP);
            out.push(Action::SendSuccess);
            State::Over
        }
        Input::SuccessAfter => State::Holding { interval },
        Input::Provisional => State::Waiting { interval },
        Input::Repeat => State::Waiting { interval: repeat(interval, out) },
        Input::NoPrack | Input::Over => over(input, out),
    }
}

fn holding(interval: Duration, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Prack => {
            out.extend(STOP);
            out.push(Action::SendHeldSuccess);
            State::Over
        }
        Input::PrackNext => State::Holding { interval: send(times, out) },
        Input::Provisional | Input::Success | Input::SuccessAfter => State::Holding { interval },
        Input::Repeat => State::Holding { interval: repeat(interval, out) },
        Input::NoPrack | Input::Over => over(input, out),
    }
}

/// Sends the first of the queue. Last of all: one that cannot be written counts as acknowledged.
fn send(times: Intervals, out: &mut Vec<Action>) -> Duration {
    out.extend([
        Action::Arm(Timer::Reliable, times.t1),
        Action::Arm(Timer::PrackWait, times.timeout()),
        Action::SendReliable,
    ]);
    times.t1
}

/// RFC 3262 §3: the pause is doubled each time, and T2 does not bound it.
fn repeat(interval: Duration, out: &mut Vec<Action>) -> Duration {
    let interval = interval * 2;
    out.extend([Action::RepeatReliable, Action::Arm(Timer::Reliable, interval)]);
    interval
}

fn over(input: Input, out: &mut Vec<Action>) -> State {
    out.extend(STOP);
    if input == Input::NoPrack {
        out.push(Action::NotAcknowledged);
    }
    State::Over
}

#[cfg(test)]
mod tests {
    use super::{
        Action::{
            Arm, Disarm, NotAcknowledged, RepeatReliable, SendHeldSuccess, SendReliable,
            SendSuccess,
        },
        Input::{NoPrack, Prack, PrackNext, Provisional, Repeat, Success, SuccessAfter},
        State::{Idle, Over},
        *,
    };
    use crate::transaction::table_test::{INTERVALS, Row, check, check_complete};

    const T1: Duration = INTERVALS.t1;
    const WAITING: State = State::Waiting { interval: T1 };
    const HOLDING: State = State::Holding { interval: T1 };
    const SLOW: Duration = Duration::from_secs(8);
    const SLOWER: Duration = Duration::from_secs(16);
    const STATES: [State; 4] = [Idle, WAITING, HOLDING, Over];
    const INPUTS: [Input; 8] =
        [Provisional, Success, SuccessAfter, Prack, PrackNext, Repeat, NoPrack, Input::Over];
    const AGAIN: Action = Arm(Timer::Reliable, T1);
    const LONGEST: Action = Arm(Timer::PrackWait, Duration::from_secs(32));
    const QUIET: Action = Disarm(Timer::Reliable);
    const HEARD: Action = Disarm(Timer::PrackWait);
    const TWICE: Duration = Duration::from_secs(1);

    const ROWS: &[Row<State, Input, Action>] = &[
        (Idle, Provisional, WAITING, &[AGAIN, LONGEST, SendReliable]),
        (Idle, Success, Over, &[SendSuccess]),
        (Idle, SuccessAfter, Over, &[SendSuccess]),
        (Idle, Prack, Idle, &[]),
        (Idle, PrackNext, Idle, &[]),
        (Idle, Repeat, Idle, &[]),
        (Idle, NoPrack, Idle, &[]),
        (Idle, Input::Over, Over, &[]),
        (WAITING, Provisional, WAITING, &[]),
        (WAITING, Success, Over, &[QUIET, HEARD, SendSuccess]),
        (WAITING, SuccessAfter, HOLDING, &[]),
        (WAITING, Prack, Idle, &[QUIET, HEARD]),
        (WAITING, PrackNext, WAITING, &[AGAIN, LONGEST, SendReliable]),
        (
            WAITING,
            Repeat,
            State::Waiting { interval: TWICE },
            &[RepeatReliable, Arm(Timer::Reliable, TWICE)],
        ),
        (
            State::Waiting { interval: SLOW },
            Repeat,
            State::Waiting { interval: SLOWER },
            &[RepeatReliable, Arm(Timer::Reliable, SLOWER)],
        ),
        (WAITING, NoPrack, Over, &[QUIET, HEARD, NotAcknowledged]),
        (WAITING, Input::Over, Over, &[QUIET, HEARD]),
        (HOLDING, Provisional, HOLDING, &[]),
        (HOLDING, Success, HOLDING, &[]),
        (HOLDING, SuccessAfter, HOLDING, &[]),
        (HOLDING, Prack, Over, &[QUIET, HEARD, SendHeldSuccess]),
        (HOLDING, PrackNext, HOLDING, &[AGAIN, LONGEST, SendReliable]),
        (
            HOLDING,
            Repeat,
            State::Holding { interval: TWICE },
            &[RepeatReliable, Arm(Timer::Reliable, TWICE)],
        ),
        (HOLDING, NoPrack, Over, &[QUIET, HEARD, NotAcknowledged]),
        (HOLDING, Input::Over, Over, &[QUIET, HEARD]),
        (Over, Provisional, Over, &[]),
        (Over, Success, Over, &[]),
        (Over, SuccessAfter, Over, &[]),
        (Over, Prack, Over, &[]),
        (Over, PrackNext, Over, &[]),
        (Over, Repeat, Over, &[]),
        (Over, NoPrack, Over, &[]),
        (Over, Input::Over, Over, &[]),
    ];

    #[test]
    fn every_row_of_the_table_holds() {
        check(ROWS, |state, input, out| state.handle(INTERVALS, input, out));
    }

    #[test]
    fn the_table_has_every_pair() {
        check_complete(ROWS, &STATES, &INPUTS);
    }
}
