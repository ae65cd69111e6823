//! The server transaction of every request but INVITE and ACK (RFC 3261 §17.2.2).
//!
//! Goes in: a repeated request, the class of a response the core sends, a timer. Comes out:
//! actions. A request that the core never answers is dropped after 64*T1, so that nothing leaks.
//! A transport error is no input: the client repeats its request, and asks for the response again.

use super::{Action, Failure, Intervals, timer::Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing was sent; repeated requests are absorbed.
    Trying,
    /// A provisional was sent and is repeated for repeated requests.
    Proceeding,
    /// A final was sent and is repeated for repeated requests.
    Completed,
    /// Nothing is left to do.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The request came again.
    Request,
    /// The core sends a 1xx.
    Provisional,
    /// The core sends a final response.
    Final,
    /// A timer of its own ran out.
    Timer(Timer),
}

impl State {
    /// The transaction starts when a request arrives.
    pub(crate) fn start(times: Intervals, out: &mut Vec<Action>) -> State {
        out.push(Action::Arm(Timer::Unanswered, times.timeout()));
        State::Trying
    }

    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Trying if input == Input::Request => State::Trying,
            State::Trying | State::Proceeding => unanswered(*self, times, input, out),
            State::Completed => match input {
                Input::Request => {
                    out.push(Action::Send);
                    State::Completed
                }
                Input::Timer(Timer::J) => {
                    out.push(Action::Terminate);
                    State::Terminated
                }
                _ => State::Completed,
            },
            State::Terminated => State::Terminated,
        };
    }
}

fn unanswered(state: State, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Request | Input::Provisional => {
            out.push(Action::Send);
            State::Proceeding
        }
        Input::Final => {
            out.extend([
                Action::Disarm(Timer::Unanswered),
                Action::Send,
                Action::Arm(Timer::J, times.timer_j()),
            ]);
            State::Completed
        }
        Input::Timer(Timer::Unanswered) => {
            out.extend([Action::Fail(Failure::Timeout), Action::Terminate]);
            State::Terminated
        }
        Input::Timer(_) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::table_test::{INTERVALS, Row, check_both, check_complete},
        Action::{Arm, Disarm, Fail, Send, Terminate},
        Input::{Final, Provisional, Request},
        State::{Completed, Proceeding, Terminated, Trying},
        *,
    };
    use std::time::Duration;

    const LIFE: Duration = Duration::from_secs(32);
    const J: Input = Input::Timer(Timer::J);
    const UNANSWERED: Input = Input::Timer(Timer::Unanswered);
    const STATES: [State; 4] = [Trying, Proceeding, Completed, Terminated];
    const INPUTS: [Input; 5] = [Request, Provisional, Final, J, UNANSWERED];
    const ANSWER: &[Action] = &[Disarm(Timer::Unanswered), Send, Arm(Timer::J, LIFE)];

    const ROWS: &[Row<State, Input, Action>] = &[
        (Trying, Request, Trying, &[]),
        (Trying, Provisional, Proceeding, &[Send]),
        (Trying, Final, Completed, ANSWER),
        (Trying, J, Trying, &[]),
        (Trying, UNANSWERED, Terminated, &[Fail(Failure::Timeout), Terminate]),
        (Proceeding, Request, Proceeding, &[Send]),
        (Proceeding, Provisional, Proceeding, &[Send]),
        (Proceeding, Final, Completed, ANSWER),
        (Proceeding, J, Proceeding, &[]),
        (Proceeding, UNANSWERED, Terminated, &[Fail(Failure::Timeout), Terminate]),
        (Completed, Request, Completed, &[Send]),
        (Completed, Provisional, Completed, &[]),
        (Completed, Final, Completed, &[]),
        (Completed, J, Terminated, &[Terminate]),
        (Completed, UNANSWERED, Completed, &[]),
        (Terminated, Request, Terminated, &[]),
        (Terminated, Provisional, Terminated, &[]),
        (Terminated, Final, Terminated, &[]),
        (Terminated, J, Terminated, &[]),
        (Terminated, UNANSWERED, Terminated, &[]),
    ];

    const ANSWER_OVER_TCP: &[Action] =
        &[Disarm(Timer::Unanswered), Send, Arm(Timer::J, Duration::ZERO)];
    const OVER_TCP: &[Row<State, Input, Action>] = &[
        (Trying, Final, Completed, ANSWER_OVER_TCP),
        (Proceeding, Final, Completed, ANSWER_OVER_TCP),
    ];

    #[test]
    fn every_row_of_the_table_holds() {
        check_both(ROWS, OVER_TCP, |times, state, input, out| state.handle(times, input, out));
    }

    #[test]
    fn the_table_has_every_pair() {
        check_complete(ROWS, &STATES, &INPUTS);
    }

    #[test]
    fn starts_with_a_limit_on_the_wait_for_an_answer() {
        let mut out = Vec::new();
        assert_eq!(State::start(INTERVALS, &mut out), Trying);
        assert_eq!(out, [Arm(Timer::Unanswered, LIFE)]);
    }
}
