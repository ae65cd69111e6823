//! The INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §7.2).
//!
//! Goes in: the class of a response, a timer, a transport error, the wish to give up. Comes out:
//! actions. It retransmits the INVITE, acknowledges a non-2xx final by itself, and after a 2xx
//! stays in Accepted so that the core sees repeated ones and those of other forks.

use std::time::Duration;

use super::{Action, Failure, Intervals, timer::Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No response yet; the pause before the next retransmission.
    Calling {
        /// What timer A was last armed with.
        interval: Duration,
    },
    /// A provisional came: no more retransmissions, no more limit.
    Proceeding,
    /// A non-2xx final came and is acknowledged again whenever it comes again.
    Completed,
    /// A 2xx came; each further one is the core's to acknowledge.
    Accepted,
    /// Nothing is left to do.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 3xx to 6xx.
    Failure,
    /// A timer of its own ran out.
    Timer(Timer),
    /// The network refused what was sent last.
    TransportError,
    /// The core no longer waits: RFC 3261 §9.1, no final response long after a CANCEL.
    Abandon,
}

impl State {
    /// The transaction starts with its request sent.
    pub(crate) fn start(times: Intervals, out: &mut Vec<Action>) -> State {
        out.push(Action::Send);
        if !times.reliable {
            out.push(Action::Arm(Timer::A, times.t1));
        }
        out.push(Action::Arm(Timer::B, times.timeout()));
        State::Calling { interval: times.t1 }
    }

    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Calling { interval } => calling(interval, times, input, out),
            State::Proceeding => proceeding(times, input, out),
            State::Completed => completed(input, out),
            State::Accepted => accepted(input, out),
            State::Terminated => State::Terminated,
        };
    }
}

fn calling(interval: Duration, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Timer(Timer::A) if !times.reliable => {
            let interval = interval * 2;
            out.extend([Action::Send, Action::Arm(Timer::A, interval)]);
            State::Calling { interval }
        }
        Input::Timer(Timer::B) => fail(Failure::Timeout, out),
        Input::TransportError => fail(Failure::Transport, out),
        Input::Provisional | Input::Success | Input::Failure => {
            out.extend([Action::Disarm(Timer::A), Action::Disarm(Timer::B)]);
            proceeding(times, input, out)
        }
        Input::Abandon => {
            out.push(Action::Terminate);
            State::Terminated
        }
        Input::Timer(_) => State::Calling { interval },
    }
}

fn proceeding(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Provisional => {
            out.push(Action::Inform);
            State::Proceeding
        }
        Input::Success => {
            out.extend([Action::Arm(Timer::M, times.timeout()), Action::Inform]);
            State::Accepted
        }
        Input::Failure => {
            out.extend([Action::Ack, Action::Arm(Timer::D, times.timer_d()), Action::Inform]);
            State::Completed
        }
        Input::Abandon => {
            out.push(Action::Terminate);
            State::Terminated
        }
        // why: nothing is sent in this state, so an error here speaks of another request.
        Input::TransportError | Input::Timer(_) => State::Proceeding,
    }
}

fn completed(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Failure => {
            out.push(Action::Ack);
            State::Completed
        }
        Input::Timer(Timer::D) | Input::TransportError => {
            out.push(Action::Terminate);
            State::Terminated
        }
        Input::Provisional | Input::Success | Input::Abandon | Input::Timer(_) => State::Completed,
    }
}

fn accepted(input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Success => {
            out.push(Action::Inform);
            State::Accepted
        }
        Input::Timer(Timer::M) => {
            out.push(Action::Terminate);
            State::Terminated
        }
        Input::Provisional
        | Input::Failure
        | Input::TransportError
        | Input::Abandon
        | Input::Timer(_) => State::Accepted,
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
        Action::{Ack, Arm, Disarm, Fail, Inform, Send, Terminate},
        Input::{Abandon, Failure, Provisional, Success, TransportError},
        State::{Accepted, Completed, Proceeding, Terminated},
        *,
    };

    const T1: Duration = INTERVALS.t1;
    const LIFE: Duration = Duration::from_secs(32);
    const NONE: Duration = Duration::ZERO;
    const CALLING: State = State::Calling { interval: T1 };
    const LATER: State = State::Calling { interval: Duration::from_secs(8) };
    const A: Input = Input::Timer(Timer::A);
    const B: Input = Input::Timer(Timer::B);
    const D: Input = Input::Timer(Timer::D);
    const M: Input = Input::Timer(Timer::M);
    const STATES: [State; 5] = [CALLING, Proceeding, Completed, Accepted, Terminated];
    const INPUTS: [Input; 9] = [Provisional, Success, Failure, A, B, D, M, TransportError, Abandon];
    const ANSWERED: (Action, Action) = (Disarm(Timer::A), Disarm(Timer::B));

    const ROWS: &[Row<State, Input, Action>] = &[
        (CALLING, Provisional, Proceeding, &[ANSWERED.0, ANSWERED.1, Inform]),
        (CALLING, Success, Accepted, &[ANSWERED.0, ANSWERED.1, Arm(Timer::M, LIFE), Inform]),
        (CALLING, Failure, Completed, &[ANSWERED.0, ANSWERED.1, Ack, Arm(Timer::D, LIFE), Inform]),
        (
            CALLING,
            A,
            State::Calling { interval: Duration::from_secs(1) },
            &[Send, Arm(Timer::A, Duration::from_secs(1))],
        ),
        // Timer A has no ceiling, unlike E and G.
        (
            LATER,
            A,
            State::Calling { interval: Duration::from_secs(16) },
            &[Send, Arm(Timer::A, Duration::from_secs(16))],
        ),
        (CALLING, B, Terminated, &[Fail(super::Failure::Timeout), Terminate]),
        (CALLING, D, CALLING, &[]),
        (CALLING, M, CALLING, &[]),
        (CALLING, TransportError, Terminated, &[Fail(super::Failure::Transport), Terminate]),
        (CALLING, Abandon, Terminated, &[Terminate]),
        (Proceeding, Provisional, Proceeding, &[Inform]),
        (Proceeding, Success, Accepted, &[Arm(Timer::M, LIFE), Inform]),
        (Proceeding, Failure, Completed, &[Ack, Arm(Timer::D, LIFE), Inform]),
        (Proceeding, A, Proceeding, &[]),
        (Proceeding, B, Proceeding, &[]),
        (Proceeding, D, Proceeding, &[]),
        (Proceeding, M, Proceeding, &[]),
        (Proceeding, TransportError, Proceeding, &[]),
        (Proceeding, Abandon, Terminated, &[Terminate]),
        (Completed, Provisional, Completed, &[]),
        (Completed, Success, Completed, &[]),
        (Completed, Failure, Completed, &[Ack]),
        (Completed, A, Completed, &[]),
        (Completed, B, Completed, &[]),
        (Completed, D, Terminated, &[Terminate]),
        (Completed, M, Completed, &[]),
        (Completed, TransportError, Terminated, &[Terminate]),
        (Completed, Abandon, Completed, &[]),
        (Accepted, Provisional, Accepted, &[]),
        (Accepted, Success, Accepted, &[Inform]),
        (Accepted, Failure, Accepted, &[]),
        (Accepted, A, Accepted, &[]),
        (Accepted, B, Accepted, &[]),
        (Accepted, D, Accepted, &[]),
        (Accepted, M, Terminated, &[Terminate]),
        (Accepted, TransportError, Accepted, &[]),
        (Accepted, Abandon, Accepted, &[]),
        (Terminated, Provisional, Terminated, &[]),
        (Terminated, Success, Terminated, &[]),
        (Terminated, Failure, Terminated, &[]),
        (Terminated, A, Terminated, &[]),
        (Terminated, B, Terminated, &[]),
        (Terminated, D, Terminated, &[]),
        (Terminated, M, Terminated, &[]),
        (Terminated, TransportError, Terminated, &[]),
        (Terminated, Abandon, Terminated, &[]),
    ];

    const OVER_TCP: &[Row<State, Input, Action>] = &[
        (CALLING, Failure, Completed, &[ANSWERED.0, ANSWERED.1, Ack, Arm(Timer::D, NONE), Inform]),
        (CALLING, A, CALLING, &[]),
        (Proceeding, Failure, Completed, &[Ack, Arm(Timer::D, NONE), Inform]),
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
    fn starts_with_the_invite_sent_and_both_timers_running() {
        let mut out = Vec::new();
        assert_eq!(State::start(INTERVALS, &mut out), CALLING);
        assert_eq!(out, [Send, Arm(Timer::A, T1), Arm(Timer::B, LIFE)]);
    }

    #[test]
    fn over_a_reliable_transport_only_the_limit_runs() {
        let mut out = Vec::new();
        assert_eq!(State::start(RELIABLE, &mut out), CALLING);
        assert_eq!(out, [Send, Arm(Timer::B, LIFE)]);
    }
}
