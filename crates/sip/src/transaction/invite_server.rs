//! The INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §7.1).
//!
//! Goes in: a repeated INVITE, an ACK, the class of a response the core sends, a timer. Comes
//! out: actions. A non-2xx final is retransmitted here until its ACK; a 2xx is not, because only
//! the core may do that (RFC 3261 §13.3.1.4): this machine then merely absorbs the INVITE. A
//! transport error is no input: the client repeats itself, and the next response may get through.

use std::time::Duration;

use super::{Action, Failure, Intervals, timer::Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No final response yet.
    Proceeding,
    /// A non-2xx final was sent and waits for its ACK.
    Completed {
        /// What timer G was last armed with.
        interval: Duration,
    },
    /// The ACK came; repeated ones are absorbed.
    Confirmed,
    /// A 2xx was sent; repeated INVITEs are absorbed, ACKs go to the core.
    Accepted,
    /// Nothing is left to do.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The INVITE came again.
    Request,
    /// An ACK with this transaction's branch.
    Ack,
    /// The core sends a 1xx.
    Provisional,
    /// The core sends a 2xx, the first or a repeated one.
    Success,
    /// The core sends a 3xx to 6xx.
    Failure,
    /// A timer of its own ran out.
    Timer(Timer),
}

impl State {
    /// The transaction starts when an INVITE arrives.
    pub(crate) fn start() -> State {
        State::Proceeding
    }

    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, times: Intervals, input: Input, out: &mut Vec<Action>) {
        *self = match *self {
            State::Proceeding => proceeding(times, input, out),
            State::Completed { interval } => completed(interval, times, input, out),
            State::Confirmed => terminated_by(Timer::I, State::Confirmed, input, out),
            State::Accepted => match input {
                Input::Ack => {
                    out.push(Action::Inform);
                    State::Accepted
                }
                Input::Success => {
                    out.push(Action::Send);
                    State::Accepted
                }
                _ => terminated_by(Timer::L, State::Accepted, input, out),
            },
            State::Terminated => State::Terminated,
        };
    }
}

fn proceeding(times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Request | Input::Provisional => {
            out.push(Action::Send);
            State::Proceeding
        }
        Input::Success => {
            out.extend([Action::Send, Action::Arm(Timer::L, times.timeout())]);
            State::Accepted
        }
        Input::Failure => {
            out.push(Action::Send);
            if !times.reliable {
                out.push(Action::Arm(Timer::G, times.t1));
            }
            out.push(Action::Arm(Timer::H, times.timeout()));
            State::Completed { interval: times.t1 }
        }
        Input::Ack | Input::Timer(_) => State::Proceeding,
    }
}

fn completed(interval: Duration, times: Intervals, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Request => {
            out.push(Action::Send);
            State::Completed { interval }
        }
        Input::Ack => {
            out.extend([
                Action::Disarm(Timer::G),
                Action::Disarm(Timer::H),
                Action::Arm(Timer::I, times.timer_i_or_k()),
            ]);
            State::Confirmed
        }
        Input::Timer(Timer::G) if !times.reliable => {
            let interval = times.next(interval);
            out.extend([Action::Send, Action::Arm(Timer::G, interval)]);
            State::Completed { interval }
        }
        Input::Timer(Timer::H) => {
            out.extend([
                Action::Disarm(Timer::G),
                Action::Fail(Failure::Timeout),
                Action::Terminate,
            ]);
            State::Terminated
        }
        Input::Provisional | Input::Success | Input::Failure | Input::Timer(_) => {
            State::Completed { interval }
        }
    }
}

fn terminated_by(timer: Timer, state: State, input: Input, out: &mut Vec<Action>) -> State {
    if input != Input::Timer(timer) {
        return state;
    }
    out.push(Action::Terminate);
    State::Terminated
}

#[cfg(test)]
mod tests {
    use super::{
        super::table_test::{INTERVALS, Row, check_both, check_complete},
        Action::{Arm, Disarm, Fail, Inform, Send, Terminate},
        Input::{Ack, Failure, Provisional, Request, Success},
        State::{Accepted, Confirmed, Proceeding, Terminated},
        *,
    };

    const T1: Duration = INTERVALS.t1;
    const T2: Duration = INTERVALS.t2;
    const LIFE: Duration = Duration::from_secs(32);
    const COMPLETED: State = State::Completed { interval: T1 };
    const SLOW: State = State::Completed { interval: T2 };
    const G: Input = Input::Timer(Timer::G);
    const H: Input = Input::Timer(Timer::H);
    const I: Input = Input::Timer(Timer::I);
    const L: Input = Input::Timer(Timer::L);
    const STATES: [State; 5] = [Proceeding, COMPLETED, Confirmed, Accepted, Terminated];
    const INPUTS: [Input; 9] = [Request, Ack, Provisional, Success, Failure, G, H, I, L];

    const ROWS: &[Row<State, Input, Action>] = &[
        (Proceeding, Request, Proceeding, &[Send]),
        (Proceeding, Ack, Proceeding, &[]),
        (Proceeding, Provisional, Proceeding, &[Send]),
        (Proceeding, Success, Accepted, &[Send, Arm(Timer::L, LIFE)]),
        (Proceeding, Failure, COMPLETED, &[Send, Arm(Timer::G, T1), Arm(Timer::H, LIFE)]),
        (Proceeding, G, Proceeding, &[]),
        (Proceeding, H, Proceeding, &[]),
        (Proceeding, I, Proceeding, &[]),
        (Proceeding, L, Proceeding, &[]),
        (COMPLETED, Request, COMPLETED, &[Send]),
        (
            COMPLETED,
            Ack,
            Confirmed,
            &[Disarm(Timer::G), Disarm(Timer::H), Arm(Timer::I, INTERVALS.t4)],
        ),
        (COMPLETED, Provisional, COMPLETED, &[]),
        (COMPLETED, Success, COMPLETED, &[]),
        (COMPLETED, Failure, COMPLETED, &[]),
        (
            COMPLETED,
            G,
            State::Completed { interval: Duration::from_secs(1) },
            &[Send, Arm(Timer::G, Duration::from_secs(1))],
        ),
        (SLOW, G, SLOW, &[Send, Arm(Timer::G, T2)]),
        (COMPLETED, H, Terminated, &[Disarm(Timer::G), Fail(super::Failure::Timeout), Terminate]),
        (COMPLETED, I, COMPLETED, &[]),
        (COMPLETED, L, COMPLETED, &[]),
        (Confirmed, Request, Confirmed, &[]),
        (Confirmed, Ack, Confirmed, &[]),
        (Confirmed, Provisional, Confirmed, &[]),
        (Confirmed, Success, Confirmed, &[]),
        (Confirmed, Failure, Confirmed, &[]),
        (Confirmed, G, Confirmed, &[]),
        (Confirmed, H, Confirmed, &[]),
        (Confirmed, I, Terminated, &[Terminate]),
        (Confirmed, L, Confirmed, &[]),
        (Accepted, Request, Accepted, &[]),
        (Accepted, Ack, Accepted, &[Inform]),
        (Accepted, Provisional, Accepted, &[]),
        (Accepted, Success, Accepted, &[Send]),
        (Accepted, Failure, Accepted, &[]),
        (Accepted, G, Accepted, &[]),
        (Accepted, H, Accepted, &[]),
        (Accepted, I, Accepted, &[]),
        (Accepted, L, Terminated, &[Terminate]),
        (Terminated, Request, Terminated, &[]),
        (Terminated, Ack, Terminated, &[]),
        (Terminated, Provisional, Terminated, &[]),
        (Terminated, Success, Terminated, &[]),
        (Terminated, Failure, Terminated, &[]),
        (Terminated, G, Terminated, &[]),
        (Terminated, H, Terminated, &[]),
        (Terminated, I, Terminated, &[]),
        (Terminated, L, Terminated, &[]),
    ];

    const OVER_TCP: &[Row<State, Input, Action>] = &[
        (Proceeding, Failure, COMPLETED, &[Send, Arm(Timer::H, LIFE)]),
        (
            COMPLETED,
            Ack,
            Confirmed,
            &[Disarm(Timer::G), Disarm(Timer::H), Arm(Timer::I, Duration::ZERO)],
        ),
        (COMPLETED, G, COMPLETED, &[]),
    ];

    #[test]
    fn every_row_of_the_table_holds() {
        check_both(ROWS, OVER_TCP, |times, state, input, out| state.handle(times, input, out));
    }

    #[test]
    fn the_table_has_every_pair() {
        check_complete(ROWS, &STATES, &INPUTS);
    }
}
