//! Our re-INVITE within a dialog (RFC 3261 §14.1); the peer's is [`super::modify`]'s.
//!
//! Goes in: the wish to send one, its responses and failures, timers, the end of the dialog. Comes
//! out: actions. One at a time; it waits a random while where another INVITE is in the way, here
//! or at the peer (491), and gives up when that happens too often. What it says, and whether the
//! core or a session timer wants it, is [`super::reinvite`]'s.

use std::time::Duration;

use super::{
    action::{Action, Rejection},
    timer::Timer,
};
use crate::{endpoint::EndCause, transaction::Intervals};

/// How often a re-INVITE is tried again after it has met another INVITE.
pub(crate) const GLARE_RETRIES_MAX: u8 = 3;

/// How long a peer may take to answer a re-INVITE with a final response, as a proxy would let it
/// (RFC 3261 §16.6 step 11, Timer C). Then it is cancelled.
pub(crate) const REINVITE_ANSWER_MAX: Duration = Duration::from_secs(180);

/// Where the dialog is with re-INVITEs of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// None is going on.
    Idle,
    /// One waits for its final response.
    Sent {
        /// How often it has met another INVITE.
        met: u8,
    },
    /// One waits for its turn.
    Waiting {
        /// How often it has met another INVITE.
        met: u8,
    },
    /// It took too long; the CANCEL is sent.
    Cancelling,
    /// The dialog is over, the final response still to come.
    Leaving,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// It is wanted, or its turn has come, and nothing is in the way.
    Start,
    /// It is wanted, or its turn has come, and another INVITE or offer is in the way.
    Blocked,
    /// 2xx.
    Success,
    /// 3xx to 6xx, none of the next three.
    Failure,
    /// 491.
    Glare,
    /// 422 with an interval that can be asked for instead (RFC 4028 §7.3); at most once in a row.
    TooShort,
    /// 408 or 481: the peer no longer knows the dialog (RFC 3261 §12.2.1.2).
    Gone,
    /// Timer B.
    NoResponse,
    /// The network refused it.
    Unreachable,
    /// [`Timer::Answer`].
    GiveUp,
    /// The dialog is over.
    Over,
}

const FINAL: Action = Action::Disarm(Timer::Answer);

impl State {
    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Idle => match input {
                Input::Start => start(0, out),
                Input::Blocked => meet(0, out),
                _ => State::Idle,
            },
            State::Sent { met } => sent(met, times, input, out),
            State::Waiting { met } => waiting(met, input, out),
            State::Cancelling => cancelling(times, input, out),
            State::Leaving => leaving(input, out),
        };
    }
}

fn start(met: u8, out: &mut Vec<Action>) -> State {
    out.extend([Action::Arm(Timer::Answer, REINVITE_ANSWER_MAX), Action::SendReinvite]);
    State::Sent { met }
}

/// RFC 3261 §14.1: another INVITE is in the way.
fn meet(met: u8, out: &mut Vec<Action>) -> State {
    out.push(Action::ArmSoon(Timer::Glare));
    State::Waiting { met }
}

fn sent(met: u8, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Success => {
            out.extend([FINAL, Action::AckReinvite, Action::Modified]);
            State::Idle
        }
        Input::Glare if met < GLARE_RETRIES_MAX => {
            out.push(FINAL);
            meet(met + 1, out)
        }
        Input::TooShort => start(met, out),
        Input::Failure | Input::Glare => not_modified(Rejection::Response, out),
        Input::Gone => {
            not_modified(Rejection::Response, out);
            out.push(Action::Broken(EndCause::Gone));
            State::Idle
        }
        Input::NoResponse => {
            not_modified(Rejection::NoResponse, out);
            out.push(Action::Broken(EndCause::Gone));
            State::Idle
        }
        Input::Unreachable => not_modified(Rejection::Unreachable, out),
        Input::GiveUp => {
            out.extend([Action::CancelReinvite, Action::Arm(Timer::Answer, times.timeout())]);
            State::Cancelling
        }
        Input::Over => {
            out.push(Action::Arm(Timer::Answer, times.timeout()));
            State::Leaving
        }
        Input::Start | Input::Blocked => State::Sent { met },
    }
}

fn not_modified(rejection: Rejection, out: &mut Vec<Action>) -> State {
    out.extend([FINAL, Action::NotModified(rejection)]);
    State::Idle
}

fn waiting(met: u8, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Start => start(met, out),
        Input::Blocked if met < GLARE_RETRIES_MAX => meet(met + 1, out),
        Input::Blocked => {
            out.push(Action::NotModified(Rejection::Glare));
            State::Idle
        }
        Input::Over => {
            out.push(Action::Disarm(Timer::Glare));
            State::Idle
        }
        _ => State::Waiting { met },
    }
}

fn cancelling(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        // It crossed the CANCEL.
        Input::Success => {
            out.extend([FINAL, Action::AckReinvite, Action::Modified]);
            State::Idle
        }
        Input::Failure | Input::Glare | Input::TooShort => not_modified(Rejection::NoFinal, out),
        Input::Gone => {
            not_modified(Rejection::Response, out);
            out.push(Action::Broken(EndCause::Gone));
            State::Idle
        }
        Input::NoResponse | Input::Unreachable => not_modified(Rejection::NoResponse, out),
        Input::GiveUp => {
            out.extend([
                Action::AbandonReinvite,
                Action::NotModified(Rejection::NoResponse),
                Action::Broken(EndCause::Gone),
            ]);
            State::Idle
        }
        Input::Over => {
            out.push(Action::Arm(Timer::Answer, times.timeout()));
            State::Leaving
        }
        Input::Start | Input::Blocked => State::Cancelling,
    }
}

fn leaving(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Success => out.extend([FINAL, Action::AckReinvite]),
        Input::Failure
        | Input::Glare
        | Input::TooShort
        | Input::Gone
        | Input::NoResponse
        | Input::Unreachable => out.push(FINAL),
        Input::GiveUp => out.push(Action::AbandonReinvite),
        Input::Start | Input::Blocked | Input::Over => return State::Leaving,
    }
    State::Idle
}

#[cfg(test)]
mod tests {
    use super::{
        Action::{
            AbandonReinvite, AckReinvite, Arm, ArmSoon, CancelReinvite, Disarm, Modified,
            NotModified, SendReinvite,
        },
        Input::{
            Blocked, Failure, GiveUp, Glare, Gone, NoResponse, Over, Start, Success, TooShort,
            Unreachable,
        },
        State::{Cancelling, Idle, Leaving},
        *,
    };
    use crate::transaction::table_test::{INTERVALS, Row, check, check_complete};

    const SENT: State = State::Sent { met: 0 };
    const WAITING: State = State::Waiting { met: 0 };
    const LAST: State = State::Sent { met: GLARE_RETRIES_MAX };
    const STATES: [State; 5] = [Idle, SENT, WAITING, Cancelling, Leaving];
    const INPUTS: [Input; 11] = [
        Start,
        Blocked,
        Success,
        Failure,
        Glare,
        TooShort,
        Gone,
        NoResponse,
        Unreachable,
        GiveUp,
        Over,
    ];
    const LONGEST: Action = Arm(Timer::Answer, REINVITE_ANSWER_MAX);
    const LEAVE: Action = Arm(Timer::Answer, Duration::from_secs(32));
    const SOON: Action = ArmSoon(Timer::Glare);
    const RESPONSE: Action = NotModified(Rejection::Response);
    const SILENCE: Action = NotModified(Rejection::NoResponse);
    const DEAD: Action = Action::Broken(EndCause::Gone);

    const ROWS: &[Row<State, Input, Action>] = &[
        (Idle, Start, SENT, &[LONGEST, SendReinvite]),
        (Idle, Blocked, WAITING, &[SOON]),
        (Idle, Success, Idle, &[]),
        (Idle, Failure, Idle, &[]),
        (Idle, Glare, Idle, &[]),
        (Idle, TooShort, Idle, &[]),
        (Idle, Gone, Idle, &[]),
        (Idle, NoResponse, Idle, &[]),
        (Idle, Unreachable, Idle, &[]),
        (Idle, GiveUp, Idle, &[]),
        (Idle, Over, Idle, &[]),
        (SENT, Start, SENT, &[]),
        (SENT, Blocked, SENT, &[]),
        (SENT, Success, Idle, &[FINAL, AckReinvite, Modified]),
        (SENT, Failure, Idle, &[FINAL, RESPONSE]),
        (SENT, Glare, State::Waiting { met: 1 }, &[FINAL, SOON]),
        (LAST, Glare, Idle, &[FINAL, RESPONSE]),
        (SENT, TooShort, SENT, &[LONGEST, SendReinvite]),
        (LAST, TooShort, LAST, &[LONGEST, SendReinvite]),
        (SENT, Gone, Idle, &[FINAL, RESPONSE, DEAD]),
        (SENT, NoResponse, Idle, &[FINAL, SILENCE, DEAD]),
        (SENT, Unreachable, Idle, &[FINAL, NotModified(Rejection::Unreachable)]),
        (SENT, GiveUp, Cancelling, &[CancelReinvite, LEAVE]),
        (SENT, Over, Leaving, &[LEAVE]),
        (WAITING, Start, SENT, &[LONGEST, SendReinvite]),
        (WAITING, Blocked, State::Waiting { met: 1 }, &[SOON]),
        (
            State::Waiting { met: GLARE_RETRIES_MAX },
            Blocked,
            Idle,
            &[NotModified(Rejection::Glare)],
        ),
        (WAITING, Success, WAITING, &[]),
        (WAITING, Failure, WAITING, &[]),
        (WAITING, Glare, WAITING, &[]),
        (WAITING, TooShort, WAITING, &[]),
        (WAITING, Gone, WAITING, &[]),
        (WAITING, NoResponse, WAITING, &[]),
        (WAITING, Unreachable, WAITING, &[]),
        (WAITING, GiveUp, WAITING, &[]),
        (WAITING, Over, Idle, &[Disarm(Timer::Glare)]),
        (Cancelling, Start, Cancelling, &[]),
        (Cancelling, Blocked, Cancelling, &[]),
        (Cancelling, Success, Idle, &[FINAL, AckReinvite, Modified]),
        (Cancelling, Failure, Idle, &[FINAL, NotModified(Rejection::NoFinal)]),
        (Cancelling, Glare, Idle, &[FINAL, NotModified(Rejection::NoFinal)]),
        (Cancelling, TooShort, Idle, &[FINAL, NotModified(Rejection::NoFinal)]),
        (Cancelling, Gone, Idle, &[FINAL, RESPONSE, DEAD]),
        (Cancelling, NoResponse, Idle, &[FINAL, SILENCE]),
        (Cancelling, Unreachable, Idle, &[FINAL, SILENCE]),
        (Cancelling, GiveUp, Idle, &[AbandonReinvite, SILENCE, DEAD]),
        (Cancelling, Over, Leaving, &[LEAVE]),
        (Leaving, Start, Leaving, &[]),
        (Leaving, Blocked, Leaving, &[]),
        (Leaving, Success, Idle, &[FINAL, AckReinvite]),
        (Leaving, Failure, Idle, &[FINAL]),
        (Leaving, Glare, Idle, &[FINAL]),
        (Leaving, TooShort, Idle, &[FINAL]),
        (Leaving, Gone, Idle, &[FINAL]),
        (Leaving, NoResponse, Idle, &[FINAL]),
        (Leaving, Unreachable, Idle, &[FINAL]),
        (Leaving, GiveUp, Idle, &[AbandonReinvite]),
        (Leaving, Over, Leaving, &[]),
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
