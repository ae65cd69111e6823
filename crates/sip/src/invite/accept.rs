//! Our side of an INVITE that the peer sent (RFC 3261 §13.3, §15).
//!
//! Goes in: the core's responses and its wish to hang up, the peer's CANCEL, ACK and BYE, timers.
//! Comes out: actions. The 2xx is repeated until its ACK, and a BYE of ours waits for that ACK,
//! because before it the peer may not know the dialog.

use std::time::Duration;

use super::{action::Action, timer::Timer};
use crate::{endpoint::EndCause, transaction::Intervals};

/// RFC 3261 §13.3.1.1: how often a provisional is repeated so that no proxy gives the INVITE up.
pub(crate) const PROVISIONAL_REFRESH: Duration = Duration::from_secs(60);

/// Where the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No final response yet.
    Proceeding,
    /// The 2xx is out and waits for its ACK.
    Accepted {
        /// What [`Timer::Success`] was last armed with.
        interval: Duration,
    },
    /// The 2xx waits for its ACK, after which a BYE is due.
    Hanging {
        /// What [`Timer::Success`] was last armed with.
        interval: Duration,
    },
    /// The dialog stands.
    Confirmed,
    /// Our BYE waits for its response.
    Closing,
    /// Over; what is left are transactions.
    Ended,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The core sends 101 to 199.
    Provisional,
    /// The core sends a 2xx.
    Success,
    /// The core sends a 3xx to 6xx.
    Failure,
    /// The peer takes its INVITE back.
    Cancel,
    /// The ACK of our 2xx.
    Ack,
    /// The core hangs up.
    Bye,
    /// The peer hangs up.
    PeerBye,
    /// [`Timer::Success`].
    Repeat,
    /// [`Timer::AckWait`], of the INVITE or of a re-INVITE.
    NoAck,
    /// [`Timer::Refresh`].
    Refresh,
    /// Our BYE has its final response, or never will.
    ByeDone,
    /// The connection of the INVITE is gone, and no other can be made for its response.
    Unreachable,
    /// A request within the dialog has shown that it cannot go on.
    Broken(EndCause),
    /// A reliable provisional response never got its PRACK.
    NotAcknowledged,
}

impl State {
    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Proceeding => proceeding(times, input, out),
            State::Accepted { interval } => accepted(interval, times, input, out),
            State::Hanging { interval } => hanging(interval, times, input, out),
            State::Confirmed => confirmed(input, out),
            State::Closing if input == Input::ByeDone => State::Ended,
            State::Closing => State::Closing,
            State::Ended => State::Ended,
        };
    }
}

fn proceeding(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    const DONE: Action = Action::Disarm(Timer::Refresh);
    match input {
        Input::Provisional => {
            out.extend([Action::Respond, Action::Arm(Timer::Refresh, PROVISIONAL_REFRESH)]);
            State::Proceeding
        }
        Input::Refresh => {
            out.extend([
                Action::RepeatProvisional,
                Action::Arm(Timer::Refresh, PROVISIONAL_REFRESH),
            ]);
            State::Proceeding
        }
        Input::Success => {
            out.extend([
                DONE,
                Action::Respond,
                Action::Arm(Timer::Success, times.t1),
                Action::Arm(Timer::AckWait, times.timeout()),
            ]);
            State::Accepted { interval: times.t1 }
        }
        Input::Failure => {
            out.extend([DONE, Action::Respond]);
            State::Ended
        }
        // RFC 3261 §15: the caller may also end an early dialog with BYE; §15.1.2: the INVITE
        // then gets its 487 like one that is cancelled.
        Input::Cancel | Input::PeerBye => {
            out.extend([DONE, Action::Refuse(487), Action::Cancelled]);
            State::Ended
        }
        Input::Bye => {
            out.extend([DONE, Action::Refuse(480)]);
            State::Ended
        }
        // RFC 3261 §17.2.4: nobody is there to be answered.
        Input::Unreachable => {
            out.extend([DONE, Action::Refuse(487), Action::Ended(EndCause::Unreachable)]);
            State::Ended
        }
        // RFC 3262 §3: a 5xx.
        Input::NotAcknowledged => {
            out.extend([DONE, Action::Refuse(504), Action::Ended(EndCause::NoPrack)]);
            State::Ended
        }
        Input::Ack | Input::Repeat | Input::NoAck | Input::ByeDone | Input::Broken(_) => {
            State::Proceeding
        }
    }
}

fn accepted(interval: Duration, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Ack => {
            stop_waiting(out);
            out.push(Action::Acked);
            State::Confirmed
        }
        Input::PeerBye => {
            stop_waiting(out);
            out.push(Action::Ended(EndCause::Bye));
            State::Ended
        }
        Input::NoAck => {
            stop_waiting(out);
            out.extend([Action::SendBye, Action::Ended(EndCause::NoAck)]);
            State::Closing
        }
        Input::Unreachable => {
            stop_waiting(out);
            out.extend([Action::SendBye, Action::Ended(EndCause::Unreachable)]);
            State::Closing
        }
        Input::Bye => State::Hanging { interval },
        Input::Repeat => State::Accepted { interval: repeat(interval, times, out) },
        _ => State::Accepted { interval },
    }
}

fn hanging(interval: Duration, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Ack | Input::NoAck | Input::Unreachable => {
            stop_waiting(out);
            out.push(Action::SendBye);
            State::Closing
        }
        Input::PeerBye => {
            stop_waiting(out);
            State::Ended
        }
        Input::Repeat => State::Hanging { interval: repeat(interval, times, out) },
        _ => State::Hanging { interval },
    }
}

fn confirmed(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Bye => {
            out.push(Action::SendBye);
            State::Closing
        }
        Input::PeerBye => {
            out.push(Action::Ended(EndCause::Bye));
            State::Ended
        }
        Input::NoAck => {
            out.extend([Action::SendBye, Action::Ended(EndCause::NoAck)]);
            State::Closing
        }
        Input::Broken(cause) => {
            out.extend([Action::SendBye, Action::Ended(cause)]);
            State::Closing
        }
        _ => State::Confirmed,
    }
}

fn repeat(interval: Duration, times: Intervals, out: &mut Vec<Action>) -> Duration {
    let interval = times.next(interval);
    out.extend([Action::RepeatSuccess, Action::Arm(Timer::Success, interval)]);
    interval
}

fn stop_waiting(out: &mut Vec<Action>) {
    out.extend([Action::Disarm(Timer::Success), Action::Disarm(Timer::AckWait)]);
}

#[cfg(test)]
mod tests {
    use super::{
        Action::{Acked, Arm, Cancelled, Disarm, Refuse, RepeatSuccess, Respond, SendBye},
        Input::{
            Ack, Broken, Bye, ByeDone, Cancel, Failure, NoAck, NotAcknowledged, PeerBye,
            Provisional, Refresh, Repeat, Success, Unreachable,
        },
        State::{Closing, Confirmed, Ended, Proceeding},
        *,
    };
    use crate::transaction::table_test::{INTERVALS, Row, check, check_complete};

    const T1: Duration = INTERVALS.t1;
    const T2: Duration = INTERVALS.t2;
    const ONE: Duration = Duration::from_secs(1);
    const ACCEPTED: State = State::Accepted { interval: T1 };
    const SLOW: State = State::Accepted { interval: T2 };
    const HANGING: State = State::Hanging { interval: T1 };
    const STATES: [State; 6] = [Proceeding, ACCEPTED, HANGING, Confirmed, Closing, Ended];
    const INPUTS: [Input; 14] = [
        Provisional,
        Success,
        Failure,
        Cancel,
        Ack,
        Bye,
        PeerBye,
        Repeat,
        NoAck,
        Refresh,
        ByeDone,
        Unreachable,
        LOST,
        NotAcknowledged,
    ];
    const LOST: Input = Broken(EndCause::Gone);
    const FINAL: Action = Disarm(Timer::Refresh);
    const REFRESH: Action = Arm(Timer::Refresh, PROVISIONAL_REFRESH);
    const QUIET: Action = Disarm(Timer::Success);
    const HEARD: Action = Disarm(Timer::AckWait);
    const BYE: Action = Action::Ended(EndCause::Bye);
    const NO_ACK: Action = Action::Ended(EndCause::NoAck);
    const GONE: Action = Action::Ended(EndCause::Unreachable);
    const NO_PRACK: Action = Action::Ended(EndCause::NoPrack);

    const ROWS: &[Row<State, Input, Action>] = &[
        (Proceeding, Provisional, Proceeding, &[Respond, REFRESH]),
        (
            Proceeding,
            Success,
            ACCEPTED,
            &[
                FINAL,
                Respond,
                Arm(Timer::Success, T1),
                Arm(Timer::AckWait, Duration::from_secs(32)),
            ],
        ),
        (Proceeding, Failure, Ended, &[FINAL, Respond]),
        (Proceeding, Cancel, Ended, &[FINAL, Refuse(487), Cancelled]),
        (Proceeding, Ack, Proceeding, &[]),
        (Proceeding, Bye, Ended, &[FINAL, Refuse(480)]),
        (Proceeding, PeerBye, Ended, &[FINAL, Refuse(487), Cancelled]),
        (Proceeding, Repeat, Proceeding, &[]),
        (Proceeding, NoAck, Proceeding, &[]),
        (Proceeding, Refresh, Proceeding, &[Action::RepeatProvisional, REFRESH]),
        (Proceeding, ByeDone, Proceeding, &[]),
        (Proceeding, Unreachable, Ended, &[FINAL, Refuse(487), GONE]),
        (Proceeding, LOST, Proceeding, &[]),
        (Proceeding, NotAcknowledged, Ended, &[FINAL, Refuse(504), NO_PRACK]),
        (ACCEPTED, Provisional, ACCEPTED, &[]),
        (ACCEPTED, Success, ACCEPTED, &[]),
        (ACCEPTED, Failure, ACCEPTED, &[]),
        (ACCEPTED, Cancel, ACCEPTED, &[]),
        (ACCEPTED, Ack, Confirmed, &[QUIET, HEARD, Acked]),
        (ACCEPTED, Bye, HANGING, &[]),
        (ACCEPTED, PeerBye, Ended, &[QUIET, HEARD, BYE]),
        (
            ACCEPTED,
            Repeat,
            State::Accepted { interval: ONE },
            &[RepeatSuccess, Arm(Timer::Success, ONE)],
        ),
        (SLOW, Repeat, SLOW, &[RepeatSuccess, Arm(Timer::Success, T2)]),
        (ACCEPTED, NoAck, Closing, &[QUIET, HEARD, SendBye, NO_ACK]),
        (ACCEPTED, Refresh, ACCEPTED, &[]),
        (ACCEPTED, ByeDone, ACCEPTED, &[]),
        (ACCEPTED, Unreachable, Closing, &[QUIET, HEARD, SendBye, GONE]),
        (ACCEPTED, LOST, ACCEPTED, &[]),
        (ACCEPTED, NotAcknowledged, ACCEPTED, &[]),
        (HANGING, Provisional, HANGING, &[]),
        (HANGING, Success, HANGING, &[]),
        (HANGING, Failure, HANGING, &[]),
        (HANGING, Cancel, HANGING, &[]),
        (HANGING, Ack, Closing, &[QUIET, HEARD, SendBye]),
        (HANGING, Bye, HANGING, &[]),
        (HANGING, PeerBye, Ended, &[QUIET, HEARD]),
        (
            HANGING,
            Repeat,
            State::Hanging { interval: ONE },
            &[RepeatSuccess, Arm(Timer::Success, ONE)],
        ),
        (HANGING, NoAck, Closing, &[QUIET, HEARD, SendBye]),
        (HANGING, Refresh, HANGING, &[]),
        (HANGING, ByeDone, HANGING, &[]),
        (HANGING, Unreachable, Closing, &[QUIET, HEARD, SendBye]),
        (HANGING, LOST, HANGING, &[]),
        (HANGING, NotAcknowledged, HANGING, &[]),
        (Confirmed, Provisional, Confirmed, &[]),
        (Confirmed, Success, Confirmed, &[]),
        (Confirmed, Failure, Confirmed, &[]),
        (Confirmed, Cancel, Confirmed, &[]),
        (Confirmed, Ack, Confirmed, &[]),
        (Confirmed, Bye, Closing, &[SendBye]),
        (Confirmed, PeerBye, Ended, &[BYE]),
        (Confirmed, Repeat, Confirmed, &[]),
        (Confirmed, NoAck, Closing, &[SendBye, NO_ACK]),
        (Confirmed, Refresh, Confirmed, &[]),
        (Confirmed, ByeDone, Confirmed, &[]),
        (Confirmed, Unreachable, Confirmed, &[]),
        (Confirmed, LOST, Closing, &[SendBye, Action::Ended(EndCause::Gone)]),
        (Confirmed, NotAcknowledged, Confirmed, &[]),
        (Closing, Provisional, Closing, &[]),
        (Closing, Success, Closing, &[]),
        (Closing, Failure, Closing, &[]),
        (Closing, Cancel, Closing, &[]),
        (Closing, Ack, Closing, &[]),
        (Closing, Bye, Closing, &[]),
        (Closing, PeerBye, Closing, &[]),
        (Closing, Repeat, Closing, &[]),
        (Closing, NoAck, Closing, &[]),
        (Closing, Refresh, Closing, &[]),
        (Closing, ByeDone, Ended, &[]),
        (Closing, Unreachable, Closing, &[]),
        (Closing, LOST, Closing, &[]),
        (Closing, NotAcknowledged, Closing, &[]),
        (Ended, Provisional, Ended, &[]),
        (Ended, Success, Ended, &[]),
        (Ended, Failure, Ended, &[]),
        (Ended, Cancel, Ended, &[]),
        (Ended, Ack, Ended, &[]),
        (Ended, Bye, Ended, &[]),
        (Ended, PeerBye, Ended, &[]),
        (Ended, Repeat, Ended, &[]),
        (Ended, NoAck, Ended, &[]),
        (Ended, Refresh, Ended, &[]),
        (Ended, ByeDone, Ended, &[]),
        (Ended, Unreachable, Ended, &[]),
        (Ended, LOST, Ended, &[]),
        (Ended, NotAcknowledged, Ended, &[]),
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
