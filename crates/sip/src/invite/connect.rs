//! Our side of an INVITE that we sent (RFC 3261 §9.1, §13.2, §15).
//!
//! Goes in: the INVITE's responses and failures, the core's wish to cancel or hang up, the peer's
//! BYE. Comes out: actions. A CANCEL is held until a provisional came; the first 2xx makes the
//! session, each other fork is acknowledged and ended; nothing is reported twice.

use super::{
    action::{Action, Rejection},
    timer::Timer,
};
use crate::{endpoint::EndCause, transaction::Intervals};

/// Where the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No response yet.
    Calling,
    /// No response yet, and the core wants a CANCEL sent as soon as that is allowed.
    CancelHeld,
    /// A provisional came.
    Proceeding,
    /// CANCEL is sent, the final response awaited.
    Cancelling,
    /// The failure is reported, but the INVITE's final response is still to come.
    Abandoned,
    /// The dialog stands.
    Confirmed,
    /// Our BYE waits for its response.
    Closing,
    /// The peer's failure is reported; the core may send the INVITE again.
    Refused,
    /// Over; what is left are transactions.
    Ended,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// 1xx.
    Provisional,
    /// A 2xx of a fork that had none before.
    Success,
    /// A final 3xx to 6xx.
    Failure,
    /// A 422: the INVITE is good with a longer session interval.
    TooShort,
    /// Timer B.
    NoResponse,
    /// The network refused the INVITE.
    Unreachable,
    /// The core takes the INVITE back.
    Cancel,
    /// The core hangs up.
    Bye,
    /// The peer hangs up.
    PeerBye,
    /// [`Timer::GiveUp`].
    GiveUp,
    /// The ACK of a re-INVITE's 2xx never came.
    NoAck,
    /// Our BYE has its final response, or never will.
    ByeDone,
    /// The core sends the INVITE again.
    Again,
    /// A request within the dialog has shown that it cannot go on.
    Broken(EndCause),
}

impl State {
    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match self {
            State::Calling => calling(input, out),
            State::CancelHeld => cancel_held(times, input, out),
            State::Proceeding => proceeding(times, input, out),
            State::Cancelling => cancelling(input, out),
            State::Abandoned => abandoned(input, out),
            State::Confirmed => confirmed(input, out),
            State::Closing => closing(input, out),
            State::Refused => refused(input, out),
            State::Ended => ended(input, out),
        };
    }
}

fn calling(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Provisional => {
            out.push(Action::Progress);
            State::Proceeding
        }
        Input::Cancel | Input::Bye => State::CancelHeld,
        Input::PeerBye => {
            // why: the 2xx before this BYE was lost. A late copy finds no transaction and is
            // dropped, so nobody is left up.
            out.extend([Action::Rejected(Rejection::HungUp), Action::Abandon]);
            State::Ended
        }
        _ => outcome(State::Calling, input, out),
    }
}

fn cancel_held(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Provisional => {
            out.extend([Action::SendCancel, Action::Arm(Timer::GiveUp, times.timeout())]);
            State::Cancelling
        }
        Input::PeerBye => {
            out.extend([Action::Rejected(Rejection::HungUp), Action::Abandon]);
            State::Ended
        }
        _ => outcome(State::CancelHeld, input, out),
    }
}

fn proceeding(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Provisional => {
            out.push(Action::Progress);
            State::Proceeding
        }
        Input::Cancel | Input::Bye => {
            out.extend([Action::SendCancel, Action::Arm(Timer::GiveUp, times.timeout())]);
            State::Cancelling
        }
        Input::PeerBye => {
            out.extend([
                Action::SendCancel,
                Action::Arm(Timer::GiveUp, times.timeout()),
                Action::Rejected(Rejection::HungUp),
            ]);
            State::Abandoned
        }
        _ => outcome(State::Proceeding, input, out),
    }
}

fn cancelling(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Success
        | Input::Failure
        | Input::TooShort
        | Input::NoResponse
        | Input::Unreachable => {
            out.push(Action::Disarm(Timer::GiveUp));
            outcome(State::Cancelling, input, out)
        }
        Input::GiveUp => {
            out.extend([Action::Rejected(Rejection::NoFinal), Action::Abandon]);
            State::Ended
        }
        Input::PeerBye => {
            out.push(Action::Rejected(Rejection::HungUp));
            State::Abandoned
        }
        _ => State::Cancelling,
    }
}

/// What ends the wait for a final response, wherever the session waits for it.
fn outcome(state: State, input: Input, out: &mut Vec<Action>) -> State {
    let rejection = match input {
        Input::Success => {
            out.extend([Action::Ack, Action::Answered]);
            return State::Confirmed;
        }
        Input::Failure if matches!(state, State::Calling | State::Proceeding) => {
            out.push(Action::Rejected(Rejection::Response));
            return State::Refused;
        }
        // RFC 4028 §7.3: the same session; nobody hears of it.
        Input::TooShort if matches!(state, State::Calling | State::Proceeding) => {
            out.push(Action::SendAgain);
            return State::Calling;
        }
        Input::Failure | Input::TooShort => Rejection::Response,
        Input::NoResponse => Rejection::NoResponse,
        Input::Unreachable => Rejection::Unreachable,
        _ => return state,
    };
    out.push(Action::Rejected(rejection));
    State::Ended
}

fn abandoned(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Success => out.extend([Action::Disarm(Timer::GiveUp), Action::DropFork]),
        Input::Failure | Input::TooShort | Input::NoResponse | Input::Unreachable => {
            out.push(Action::Disarm(Timer::GiveUp));
        }
        Input::GiveUp => out.push(Action::Abandon),
        _ => return State::Abandoned,
    }
    State::Ended
}

fn confirmed(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Success => {
            out.push(Action::DropFork);
            State::Confirmed
        }
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

fn closing(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Success => {
            out.push(Action::DropFork);
            State::Closing
        }
        Input::ByeDone => State::Ended,
        _ => State::Closing,
    }
}

fn refused(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        // RFC 3261 §22.2: as the answer to a challenge, with the next sequence number.
        Input::Again => {
            out.push(Action::SendAgain);
            State::Calling
        }
        Input::Success => {
            out.push(Action::DropFork);
            State::Refused
        }
        Input::Cancel | Input::Bye => State::Ended,
        _ => State::Refused,
    }
}

fn ended(input: Input, out: &mut Vec<Action>) -> State {
    if input == Input::Success {
        out.push(Action::DropFork);
    }
    State::Ended
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        Action::{Abandon, Ack, Answered, Arm, Disarm, DropFork, Progress, Rejected, SendBye},
        Input::{
            Again, Broken, Bye, ByeDone, Cancel, Failure, GiveUp, NoAck, NoResponse, PeerBye,
            Provisional, Success, TooShort, Unreachable,
        },
        State::{
            Abandoned, Calling, CancelHeld, Cancelling, Closing, Confirmed, Ended, Proceeding,
            Refused,
        },
        *,
    };
    use crate::transaction::table_test::{INTERVALS, Row, check, check_complete};

    const STATES: [State; 9] = [
        Calling, CancelHeld, Proceeding, Cancelling, Abandoned, Confirmed, Closing, Refused, Ended,
    ];
    const INPUTS: [Input; 14] = [
        Provisional,
        Success,
        Failure,
        NoResponse,
        Unreachable,
        Cancel,
        Bye,
        PeerBye,
        GiveUp,
        NoAck,
        ByeDone,
        Again,
        GONE,
        TooShort,
    ];
    const GONE: Input = Broken(EndCause::Gone);
    const GIVE_UP: Action = Arm(Timer::GiveUp, Duration::from_secs(32));
    const FINAL: Action = Disarm(Timer::GiveUp);
    const SEND: Action = Action::SendCancel;
    const RESPONSE: Action = Rejected(Rejection::Response);
    const SILENCE: Action = Rejected(Rejection::NoResponse);
    const UNREACHABLE: Action = Rejected(Rejection::Unreachable);
    const HUNG_UP: Action = Rejected(Rejection::HungUp);

    const ROWS: &[Row<State, Input, Action>] = &[
        (Calling, Provisional, Proceeding, &[Progress]),
        (Calling, Success, Confirmed, &[Ack, Answered]),
        (Calling, Failure, Refused, &[RESPONSE]),
        (Calling, NoResponse, Ended, &[SILENCE]),
        (Calling, Unreachable, Ended, &[UNREACHABLE]),
        (Calling, Cancel, CancelHeld, &[]),
        (Calling, Bye, CancelHeld, &[]),
        (Calling, PeerBye, Ended, &[HUNG_UP, Abandon]),
        (Calling, GiveUp, Calling, &[]),
        (Calling, NoAck, Calling, &[]),
        (Calling, ByeDone, Calling, &[]),
        (Calling, Again, Calling, &[]),
        (Calling, GONE, Calling, &[]),
        (Calling, TooShort, Calling, &[Action::SendAgain]),
        (CancelHeld, Provisional, Cancelling, &[SEND, GIVE_UP]),
        (CancelHeld, Success, Confirmed, &[Ack, Answered]),
        (CancelHeld, Failure, Ended, &[RESPONSE]),
        (CancelHeld, NoResponse, Ended, &[SILENCE]),
        (CancelHeld, Unreachable, Ended, &[UNREACHABLE]),
        (CancelHeld, Cancel, CancelHeld, &[]),
        (CancelHeld, Bye, CancelHeld, &[]),
        (CancelHeld, PeerBye, Ended, &[HUNG_UP, Abandon]),
        (CancelHeld, GiveUp, CancelHeld, &[]),
        (CancelHeld, NoAck, CancelHeld, &[]),
        (CancelHeld, ByeDone, CancelHeld, &[]),
        (CancelHeld, Again, CancelHeld, &[]),
        (CancelHeld, GONE, CancelHeld, &[]),
        (CancelHeld, TooShort, Ended, &[RESPONSE]),
        (Proceeding, Provisional, Proceeding, &[Progress]),
        (Proceeding, Success, Confirmed, &[Ack, Answered]),
        (Proceeding, Failure, Refused, &[RESPONSE]),
        (Proceeding, NoResponse, Ended, &[SILENCE]),
        (Proceeding, Unreachable, Ended, &[UNREACHABLE]),
        (Proceeding, Cancel, Cancelling, &[SEND, GIVE_UP]),
        (Proceeding, Bye, Cancelling, &[SEND, GIVE_UP]),
        (Proceeding, PeerBye, Abandoned, &[SEND, GIVE_UP, HUNG_UP]),
        (Proceeding, GiveUp, Proceeding, &[]),
        (Proceeding, NoAck, Proceeding, &[]),
        (Proceeding, ByeDone, Proceeding, &[]),
        (Proceeding, Again, Proceeding, &[]),
        (Proceeding, GONE, Proceeding, &[]),
        (Proceeding, TooShort, Calling, &[Action::SendAgain]),
        (Cancelling, Provisional, Cancelling, &[]),
        (Cancelling, Success, Confirmed, &[FINAL, Ack, Answered]),
        (Cancelling, Failure, Ended, &[FINAL, RESPONSE]),
        (Cancelling, NoResponse, Ended, &[FINAL, SILENCE]),
        (Cancelling, Unreachable, Ended, &[FINAL, UNREACHABLE]),
        (Cancelling, Cancel, Cancelling, &[]),
        (Cancelling, Bye, Cancelling, &[]),
        (Cancelling, PeerBye, Abandoned, &[HUNG_UP]),
        (Cancelling, GiveUp, Ended, &[Rejected(Rejection::NoFinal), Abandon]),
        (Cancelling, NoAck, Cancelling, &[]),
        (Cancelling, ByeDone, Cancelling, &[]),
        (Cancelling, Again, Cancelling, &[]),
        (Cancelling, GONE, Cancelling, &[]),
        (Cancelling, TooShort, Ended, &[FINAL, RESPONSE]),
        (Abandoned, Provisional, Abandoned, &[]),
        (Abandoned, Success, Ended, &[FINAL, DropFork]),
        (Abandoned, Failure, Ended, &[FINAL]),
        (Abandoned, NoResponse, Ended, &[FINAL]),
        (Abandoned, Unreachable, Ended, &[FINAL]),
        (Abandoned, Cancel, Abandoned, &[]),
        (Abandoned, Bye, Abandoned, &[]),
        (Abandoned, PeerBye, Abandoned, &[]),
        (Abandoned, GiveUp, Ended, &[Abandon]),
        (Abandoned, NoAck, Abandoned, &[]),
        (Abandoned, ByeDone, Abandoned, &[]),
        (Abandoned, Again, Abandoned, &[]),
        (Abandoned, GONE, Abandoned, &[]),
        (Abandoned, TooShort, Ended, &[FINAL]),
        (Confirmed, Provisional, Confirmed, &[]),
        (Confirmed, Success, Confirmed, &[DropFork]),
        (Confirmed, Failure, Confirmed, &[]),
        (Confirmed, NoResponse, Confirmed, &[]),
        (Confirmed, Unreachable, Confirmed, &[]),
        (Confirmed, Cancel, Confirmed, &[]),
        (Confirmed, Bye, Closing, &[SendBye]),
        (Confirmed, PeerBye, Ended, &[Action::Ended(EndCause::Bye)]),
        (Confirmed, GiveUp, Confirmed, &[]),
        (Confirmed, NoAck, Closing, &[SendBye, Action::Ended(EndCause::NoAck)]),
        (Confirmed, ByeDone, Confirmed, &[]),
        (Confirmed, Again, Confirmed, &[]),
        (Confirmed, GONE, Closing, &[SendBye, Action::Ended(EndCause::Gone)]),
        (Confirmed, TooShort, Confirmed, &[]),
        (Closing, Provisional, Closing, &[]),
        (Closing, Success, Closing, &[DropFork]),
        (Closing, Failure, Closing, &[]),
        (Closing, NoResponse, Closing, &[]),
        (Closing, Unreachable, Closing, &[]),
        (Closing, Cancel, Closing, &[]),
        (Closing, Bye, Closing, &[]),
        (Closing, PeerBye, Closing, &[]),
        (Closing, GiveUp, Closing, &[]),
        (Closing, NoAck, Closing, &[]),
        (Closing, ByeDone, Ended, &[]),
        (Closing, Again, Closing, &[]),
        (Closing, GONE, Closing, &[]),
        (Closing, TooShort, Closing, &[]),
        (Refused, Provisional, Refused, &[]),
        (Refused, Success, Refused, &[DropFork]),
        (Refused, Failure, Refused, &[]),
        (Refused, NoResponse, Refused, &[]),
        (Refused, Unreachable, Refused, &[]),
        (Refused, Cancel, Ended, &[]),
        (Refused, Bye, Ended, &[]),
        (Refused, PeerBye, Refused, &[]),
        (Refused, GiveUp, Refused, &[]),
        (Refused, NoAck, Refused, &[]),
        (Refused, ByeDone, Refused, &[]),
        (Refused, Again, Calling, &[Action::SendAgain]),
        (Refused, GONE, Refused, &[]),
        (Refused, TooShort, Refused, &[]),
        (Ended, Provisional, Ended, &[]),
        (Ended, Success, Ended, &[DropFork]),
        (Ended, Failure, Ended, &[]),
        (Ended, NoResponse, Ended, &[]),
        (Ended, Unreachable, Ended, &[]),
        (Ended, Cancel, Ended, &[]),
        (Ended, Bye, Ended, &[]),
        (Ended, PeerBye, Ended, &[]),
        (Ended, GiveUp, Ended, &[]),
        (Ended, NoAck, Ended, &[]),
        (Ended, ByeDone, Ended, &[]),
        (Ended, Again, Ended, &[]),
        (Ended, GONE, Ended, &[]),
        (Ended, TooShort, Ended, &[]),
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
