//! The client transaction of every request but INVITE and ACK (RFC 3261 §17.1.2).
//!
//! Goes in: the class of a response, a timer, a transport error. Comes out: actions. It
//! retransmits until a final response, also after a provisional, and then absorbs repeated ones.

use std::time::Duration;

use super::{Action, Failure, Intervals, timer::Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No response yet.
    Trying {
        /// What timer E was last armed with.
        interval: Duration,
    },
    /// A provisional came: retransmissions slow down to T2, the limit stays.
    Proceeding,
    /// A final came; repeated ones are absorbed.
    Completed,
    /// Nothing is left to do.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// 1xx.
    Provisional,
    /// 2xx to 6xx.
    Final,
    /// A timer of its own ran out.
    Timer(Timer),
    /// The network refused what was sent last.
    TransportError,
}

impl State {
    /// The transaction starts with its request sent.
    pub(crate) fn start(times: Intervals, out: &mut Vec<Action>) -> State {
        out.push(Action::Send);
        if !times.reliable {
            out.push(Action::Arm(Timer::E, times.t1));
        }
        out.push(Action::Arm(Timer::F, times.timeout()));
        State::Trying { interval: times.t1 }
    }

    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Trying { interval } => match input {
                Input::Timer(Timer::E) if !times.reliable => {
                    let interval = times.next(interval);
                    out.extend([Action::Send, Action::Arm(Timer::E, interval)]);
                    State::Trying { interval }
                }
                _ => waiting(*self, times, input, out),
            },
            State::Proceeding => match input {
                Input::Timer(Timer::E) if !times.reliable => {
                    out.extend([Action::Send, Action::Arm(Timer::E, times.t2)]);
                    State::Proceeding
                }
                _ => waiting(*self, times, input, out),
            },
            State::Completed => match input {
                Input::Timer(Timer::K) => {
                    out.push(Action::Terminate);
                    State::Terminated
                }
                _ => State::Completed,
            },
            State::Terminated => State::Terminated,
        };
    }
}

/// What Trying and Proceeding do alike.
fn waiting(state: State, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Provisional => {
            out.push(Action::Inform);
            State::Proceeding
        }
        Input::Final => {
            out.extend([
                Action::Disarm(Timer::E),
                Action::Disarm(Timer::F),
                Action::Arm(Timer::K, times.timer_i_or_k()),
                Action::Inform,
            ]);
            State::Completed
        }
        Input::Timer(Timer::F) => fail(Failure::Timeout, out),
        Input::TransportError => fail(Failure::Transport, out),
        Input::Timer(_) => state,
    }
}

fn fail(failure: Failure, out: &mut Vec<Action>) -> State {
    out.extend([Action::Fail(failure), Action::Terminate]);
    State::Terminated
}

#[cfg(test)]
mod tests {
    use super::{
        super::table_test::{INTERVALS, RELIABLE, Row, check_both, check_complete},
        Action::{Arm, Disarm, Fail, Inform, Send, Terminate},
        Input::{Final, Provisional, TransportError},
        State::{Completed, Proceeding, Terminated},
        *,
    };

    const T1: Duration = INTERVALS.t1;
    const T2: Duration = INTERVALS.t2;
    const T4: Duration = INTERVALS.t4;
    const TRYING: State = State::Trying { interval: T1 };
    const SLOW: State = State::Trying { interval: T2 };
    const E: Input = Input::Timer(Timer::E);
    const F: Input = Input::Timer(Timer::F);
    const K: Input = Input::Timer(Timer::K);
    const STATES: [State; 4] = [TRYING, Proceeding, Completed, Terminated];
    const INPUTS: [Input; 6] = [Provisional, Final, E, F, K, TransportError];
    const DONE: &[Action] = &[Disarm(Timer::E), Disarm(Timer::F), Arm(Timer::K, T4), Inform];

    const ROWS: &[Row<State, Input, Action>] = &[
        (TRYING, Provisional, Proceeding, &[Inform]),
        (TRYING, Final, Completed, DONE),
        (
            TRYING,
            E,
            State::Trying { interval: Duration::from_secs(1) },
            &[Send, Arm(Timer::E, Duration::from_secs(1))],
        ),
        (SLOW, E, SLOW, &[Send, Arm(Timer::E, T2)]),
        (TRYING, F, Terminated, &[Fail(Failure::Timeout), Terminate]),
        (TRYING, K, TRYING, &[]),
        (TRYING, TransportError, Terminated, &[Fail(Failure::Transport), Terminate]),
        (Proceeding, Provisional, Proceeding, &[Inform]),
        (Proceeding, Final, Completed, DONE),
        (Proceeding, E, Proceeding, &[Send, Arm(Timer::E, T2)]),
        (Proceeding, F, Terminated, &[Fail(Failure::Timeout), Terminate]),
        (Proceeding, K, Proceeding, &[]),
        (Proceeding, TransportError, Terminated, &[Fail(Failure::Transport), Terminate]),
        (Completed, Provisional, Completed, &[]),
        (Completed, Final, Completed, &[]),
        (Completed, E, Completed, &[]),
        (Completed, F, Completed, &[]),
        (Completed, K, Terminated, &[Terminate]),
        (Completed, TransportError, Completed, &[]),
        (Terminated, Provisional, Terminated, &[]),
        (Terminated, Final, Terminated, &[]),
        (Terminated, E, Terminated, &[]),
        (Terminated, F, Terminated, &[]),
        (Terminated, K, Terminated, &[]),
        (Terminated, TransportError, Terminated, &[]),
    ];

    const DONE_OVER_TCP: &[Action] =
        &[Disarm(Timer::E), Disarm(Timer::F), Arm(Timer::K, Duration::ZERO), Inform];
    const OVER_TCP: &[Row<State, Input, Action>] = &[
        (TRYING, Final, Completed, DONE_OVER_TCP),
        (TRYING, E, TRYING, &[]),
        (Proceeding, Final, Completed, DONE_OVER_TCP),
        (Proceeding, E, Proceeding, &[]),
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
    fn starts_with_the_request_sent_and_both_timers_running() {
        let mut out = Vec::new();
        assert_eq!(State::start(INTERVALS, &mut out), TRYING);
        assert_eq!(out, [Send, Arm(Timer::E, T1), Arm(Timer::F, T1 * 64)]);
    }

    #[test]
    fn over_a_reliable_transport_only_the_limit_runs() {
        let mut out = Vec::new();
        assert_eq!(State::start(RELIABLE, &mut out), TRYING);
        assert_eq!(out, [Send, Arm(Timer::F, T1 * 64)]);
    }
}
