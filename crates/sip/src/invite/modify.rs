//! The peer's re-INVITE within a dialog (RFC 3261 §14.2).
//!
//! Goes in: an INVITE within the dialog, the core's response, CANCEL, ACK, timers, the end of the
//! dialog. Comes out: actions. One re-INVITE at a time: a second one is refused, 500 while the
//! first is unanswered, 491 while its 2xx waits for the ACK (RFC 5407 §3.1.4). Ours are in
//! [`super::change`].

use std::time::Duration;

use super::{action::Action, timer::Timer};
use crate::transaction::Intervals;

/// Where the dialog is with re-INVITEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// None is going on.
    Idle,
    /// One waits for the core's answer.
    Pending,
    /// Our 2xx waits for its ACK.
    Accepted {
        /// What [`Timer::Success`] was last armed with.
        interval: Duration,
    },
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// An INVITE within the confirmed dialog.
    Invite,
    /// The core sends a 2xx.
    Success,
    /// The core sends a 3xx to 6xx.
    Failure,
    /// The peer takes the re-INVITE back.
    Cancel,
    /// The ACK of our 2xx.
    Ack,
    /// [`Timer::Success`].
    Repeat,
    /// [`Timer::AckWait`].
    NoAck,
    /// The dialog is over.
    Over,
}

impl State {
    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Idle => match input {
                Input::Invite => {
                    out.push(Action::Reinvite);
                    State::Pending
                }
                _ => State::Idle,
            },
            State::Pending => pending(times, input, out),
            State::Accepted { interval } => accepted(interval, times, input, out),
        };
    }
}

fn pending(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Invite => {
            out.push(Action::RefuseNew(500));
            State::Pending
        }
        Input::Success => {
            out.extend([
                Action::Respond,
                Action::Arm(Timer::Success, times.t1),
                Action::Arm(Timer::AckWait, times.timeout()),
            ]);
            State::Accepted { interval: times.t1 }
        }
        Input::Failure => {
            out.push(Action::Respond);
            State::Idle
        }
        // RFC 3261 §15.1.2: what is pending when the dialog ends gets 487 too.
        Input::Cancel | Input::Over => {
            out.push(Action::Refuse(487));
            State::Idle
        }
        Input::Ack | Input::Repeat | Input::NoAck => State::Pending,
    }
}

fn accepted(interval: Duration, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    let stop = [Action::Disarm(Timer::Success), Action::Disarm(Timer::AckWait)];
    match input {
        Input::Invite => {
            out.push(Action::RefuseNew(491));
            State::Accepted { interval }
        }
        Input::Repeat => {
            let interval = times.next(interval);
            out.extend([Action::RepeatSuccess, Action::Arm(Timer::Success, interval)]);
            State::Accepted { interval }
        }
        Input::Ack => {
            out.extend(stop);
            out.push(Action::Acked);
            State::Idle
        }
        Input::NoAck => {
            out.extend(stop);
            out.push(Action::Lost);
            State::Idle
        }
        Input::Over => {
            out.extend(stop);
            State::Idle
        }
        Input::Success | Input::Failure | Input::Cancel => State::Accepted { interval },
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Action::{Acked, Arm, Disarm, Lost, Refuse, RefuseNew, Reinvite, RepeatSuccess, Respond},
        Input::{Ack, Cancel, Failure, Invite, NoAck, Over, Repeat, Success},
        State::{Idle, Pending},
        *,
    };
    use crate::transaction::table_test::{INTERVALS, Row, check, check_complete};

    const T1: Duration = INTERVALS.t1;
    const T2: Duration = INTERVALS.t2;
    const ONE: Duration = Duration::from_secs(1);
    const ACCEPTED: State = State::Accepted { interval: T1 };
    const SLOW: State = State::Accepted { interval: T2 };
    const STATES: [State; 3] = [Idle, Pending, ACCEPTED];
    const INPUTS: [Input; 8] = [Invite, Success, Failure, Cancel, Ack, Repeat, NoAck, Over];
    const QUIET: Action = Disarm(Timer::Success);
    const HEARD: Action = Disarm(Timer::AckWait);

    const ROWS: &[Row<State, Input, Action>] = &[
        (Idle, Invite, Pending, &[Reinvite]),
        (Idle, Success, Idle, &[]),
        (Idle, Failure, Idle, &[]),
        (Idle, Cancel, Idle, &[]),
        (Idle, Ack, Idle, &[]),
        (Idle, Repeat, Idle, &[]),
        (Idle, NoAck, Idle, &[]),
        (Idle, Over, Idle, &[]),
        (Pending, Invite, Pending, &[RefuseNew(500)]),
        (
            Pending,
            Success,
            ACCEPTED,
            &[Respond, Arm(Timer::Success, T1), Arm(Timer::AckWait, Duration::from_secs(32))],
        ),
        (Pending, Failure, Idle, &[Respond]),
        (Pending, Cancel, Idle, &[Refuse(487)]),
        (Pending, Ack, Pending, &[]),
        (Pending, Repeat, Pending, &[]),
        (Pending, NoAck, Pending, &[]),
        (Pending, Over, Idle, &[Refuse(487)]),
        (ACCEPTED, Invite, ACCEPTED, &[RefuseNew(491)]),
        (ACCEPTED, Success, ACCEPTED, &[]),
        (ACCEPTED, Failure, ACCEPTED, &[]),
        (ACCEPTED, Cancel, ACCEPTED, &[]),
        (ACCEPTED, Ack, Idle, &[QUIET, HEARD, Acked]),
        (
            ACCEPTED,
            Repeat,
            State::Accepted { interval: ONE },
            &[RepeatSuccess, Arm(Timer::Success, ONE)],
        ),
        (SLOW, Repeat, SLOW, &[RepeatSuccess, Arm(Timer::Success, T2)]),
        (ACCEPTED, NoAck, Idle, &[QUIET, HEARD, Lost]),
        (ACCEPTED, Over, Idle, &[QUIET, HEARD]),
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
