//! The race of a dial: who wins, when the others are told to stop, and when the dial is over.
//!
//! One dial has one winner, chosen in the single step that takes the first answer: the state
//! changes to [`State::Bridged`] before anything else can be looked at. How a loser is ended (a
//! CANCEL now or later, a BYE) is its own machine's affair, `leg/callee.rs`.

use verbs::status::LostBecause;

use crate::leg::LegId;

/// Where the dial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Callees are being called; nobody has won.
    Ringing,
    /// The ring time is over; callees that answered in time are being screened.
    Screening,
    /// This callee won and is connected to the caller.
    Bridged(LegId),
    /// The outcome is known. Legs may still be winding down.
    Over,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A callee answered, and was accepted where it is screened.
    Answered(LegId),
    /// A callee was lost before it answered; others are still being called.
    Lost,
    /// The last callee was lost: nobody is left to answer.
    LastLost,
    /// The winner hung up, or its media stopped.
    WinnerGone,
    /// `timeout` of the dial; nobody is being screened.
    RingTimeout,
    /// `timeout` of the dial, while somebody who answered is being screened.
    RingTimeoutScreened,
    /// `timeLimit` of the dial.
    TimeLimit,
    /// The caller cancelled or hung up, or was ended by us.
    CallerGone,
    /// New instructions came for the caller.
    Replaced,
    /// The winner goes on as a call of its own.
    Detached,
}

/// What is to be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Stop the ring timer.
    DisarmRing,
    /// Start the time limit, where the verb has one.
    ArmTimeLimit,
    /// Stop the time limit.
    DisarmTimeLimit,
    /// End every callee but the winner, for this reason.
    StopLosers(LostBecause),
    /// End every callee, for this reason.
    StopAll(LostBecause),
    /// End every callee that has not answered, for this reason; call nobody else.
    StopRinging(LostBecause),
    /// End the winner.
    StopWinner,
    /// Answer the caller, where it is not answered yet, and connect it to the winner.
    Connect,
    /// The dial is over without a winner: take the best failure of its targets.
    FinishFailed,
    /// The dial is over without a winner because time, or the caller, ran out.
    FinishNoAnswer,
    /// The dial is over after its winner was connected.
    FinishCompleted,
}

/// The whole machine: what `input` does in `state`.
pub(crate) fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Action as A;
    use Input as I;
    use State as S;
    match (state, input) {
        (S::Ringing | S::Screening, I::Answered(leg)) => (
            S::Bridged(leg),
            &[
                A::StopLosers(LostBecause::AnsweredElsewhere),
                A::DisarmRing,
                A::Connect,
                A::ArmTimeLimit,
            ],
        ),
        (S::Ringing, I::Lost) => (S::Ringing, &[]),
        (S::Ringing | S::Screening, I::LastLost) => (S::Over, &[A::DisarmRing, A::FinishFailed]),
        (S::Ringing, I::RingTimeout) => {
            (S::Over, &[A::StopAll(LostBecause::RingTimeout), A::FinishNoAnswer])
        }
        (S::Ringing, I::RingTimeoutScreened) => {
            (S::Screening, &[A::StopRinging(LostBecause::RingTimeout)])
        }
        (S::Ringing | S::Screening, I::CallerGone) => {
            (S::Over, &[A::DisarmRing, A::StopAll(LostBecause::CallerGone), A::FinishNoAnswer])
        }
        (S::Bridged(_), I::WinnerGone | I::Detached) => {
            (S::Over, &[A::DisarmTimeLimit, A::FinishCompleted])
        }
        (S::Bridged(_), I::TimeLimit) => (S::Over, &[A::StopWinner, A::FinishCompleted]),
        (S::Bridged(_), I::CallerGone) => {
            (S::Over, &[A::DisarmTimeLimit, A::StopWinner, A::FinishCompleted])
        }
        (S::Ringing | S::Screening, I::Replaced) => {
            (S::Over, &[A::DisarmRing, A::StopAll(LostBecause::Replaced), A::FinishNoAnswer])
        }
        (S::Bridged(_), I::Replaced) => {
            (S::Over, &[A::DisarmTimeLimit, A::StopWinner, A::FinishCompleted])
        }
        // why: a callee's answer after the race never gets here as an answer; its leg is being
        // cancelled and ends itself. Timers of a state that was left are disarmed by that step.
        (state, _) => (state, &[]),
    }
}

impl State {
    /// Nobody has won, and somebody still may.
    pub(crate) fn races(self) -> bool {
        matches!(self, State::Ringing | State::Screening)
    }
}

#[cfg(test)]
mod tests {
    use super::Action as A;
    use super::Input as I;
    use super::State as S;
    use super::*;

    const ONE: LegId = LegId(1);
    const TWO: LegId = LegId(2);
    const STATES: [S; 4] = [S::Ringing, S::Screening, S::Bridged(ONE), S::Over];
    const INPUTS: [I; 11] = [
        I::Answered(ONE),
        I::Answered(TWO),
        I::Lost,
        I::LastLost,
        I::WinnerGone,
        I::RingTimeout,
        I::RingTimeoutScreened,
        I::TimeLimit,
        I::CallerGone,
        I::Replaced,
        I::Detached,
    ];
    const WON: &[A] = &[
        A::StopLosers(LostBecause::AnsweredElsewhere),
        A::DisarmRing,
        A::Connect,
        A::ArmTimeLimit,
    ];

    type Row = (S, &'static [I], S, &'static [A]);

    #[rustfmt::skip]
    const TABLE: &[Row] = &[
        (S::Ringing, &[I::Answered(ONE)], S::Bridged(ONE), WON),
        (S::Ringing, &[I::Answered(TWO)], S::Bridged(TWO), WON),
        (S::Ringing, &[I::Lost],          S::Ringing, &[]),
        (S::Ringing, &[I::LastLost],      S::Over, &[A::DisarmRing, A::FinishFailed]),
        (S::Ringing, &[I::RingTimeout],   S::Over,
            &[A::StopAll(LostBecause::RingTimeout), A::FinishNoAnswer]),
        (S::Ringing, &[I::CallerGone],    S::Over,
            &[A::DisarmRing, A::StopAll(LostBecause::CallerGone), A::FinishNoAnswer]),
        (S::Ringing, &[I::Replaced],      S::Over,
            &[A::DisarmRing, A::StopAll(LostBecause::Replaced), A::FinishNoAnswer]),
        (S::Ringing, &[I::RingTimeoutScreened], S::Screening,
            &[A::StopRinging(LostBecause::RingTimeout)]),
        (S::Ringing, &[I::WinnerGone, I::TimeLimit, I::Detached], S::Ringing, &[]),

        (S::Screening, &[I::Answered(ONE)], S::Bridged(ONE), WON),
        (S::Screening, &[I::Answered(TWO)], S::Bridged(TWO), WON),
        (S::Screening, &[I::LastLost],    S::Over, &[A::DisarmRing, A::FinishFailed]),
        (S::Screening, &[I::CallerGone],  S::Over,
            &[A::DisarmRing, A::StopAll(LostBecause::CallerGone), A::FinishNoAnswer]),
        (S::Screening, &[I::Replaced],    S::Over,
            &[A::DisarmRing, A::StopAll(LostBecause::Replaced), A::FinishNoAnswer]),
        (S::Screening, &[I::Lost, I::WinnerGone, I::RingTimeout, I::RingTimeoutScreened,
                         I::TimeLimit, I::Detached], S::Screening, &[]),

        (S::Bridged(ONE), &[I::WinnerGone, I::Detached], S::Over,
            &[A::DisarmTimeLimit, A::FinishCompleted]),
        (S::Bridged(ONE), &[I::TimeLimit],  S::Over, &[A::StopWinner, A::FinishCompleted]),
        (S::Bridged(ONE), &[I::CallerGone, I::Replaced], S::Over,
            &[A::DisarmTimeLimit, A::StopWinner, A::FinishCompleted]),
        (S::Bridged(ONE), &[I::Answered(ONE), I::Answered(TWO), I::Lost, I::LastLost,
                            I::RingTimeout, I::RingTimeoutScreened], S::Bridged(ONE), &[]),

        (S::Over, &[I::Answered(ONE), I::Answered(TWO), I::Lost, I::LastLost, I::WinnerGone,
                    I::RingTimeout, I::RingTimeoutScreened, I::TimeLimit, I::CallerGone,
                    I::Replaced, I::Detached], S::Over, &[]),
    ];

    #[test]
    fn each_row_holds() {
        for (state, inputs, next, actions) in TABLE {
            for input in *inputs {
                assert_eq!(step(*state, *input), (*next, *actions), "{state:?} × {input:?}");
            }
        }
    }

    #[test]
    fn no_pair_is_missing() {
        for state in STATES {
            for input in INPUTS {
                let rows = TABLE
                    .iter()
                    .filter(|(from, inputs, ..)| *from == state && inputs.contains(&input))
                    .count();
                assert_eq!(rows, 1, "{state:?} × {input:?} has {rows} rows");
            }
        }
    }
}
