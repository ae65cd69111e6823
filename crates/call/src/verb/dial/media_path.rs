//! Whether the audio of a bridge passes through the switch: it leaves at most once in a dial
//! (`exitMediaPath`), callee first, and once something needs it here it stays for good.
//!
//! Who is asked when, and no more: what a party was told last is `leg/pointed.rs`, and whoever
//! sends elsewhere while this says otherwise is brought back (`exit.rs`).

use Action::{PointCallee, PointCaller};

/// Where the audio of a bridge goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Through the switch, for as long as the dial lasts.
    #[default]
    Stays,
    /// Through the switch, until it can leave.
    Wanted,
    /// The callee is asked to send to the caller.
    AskingCallee,
    /// The callee sends to the caller, which is asked to send to the callee.
    AskingCaller,
    /// From one to the other.
    Away,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Both parties are there, and nothing keeps their audio here.
    Due,
    /// The callee sends to the caller.
    CalleeLeft,
    /// The callee goes on sending to us.
    CalleeStayed,
    /// The caller sends to the callee.
    CallerLeft,
    /// The caller goes on sending to us.
    CallerStayed,
    /// A party changes its session, and has our description.
    Changed,
    /// Something needs the audio here.
    Needed,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask the callee to send to the caller.
    PointCallee,
    /// Ask the caller to send to the callee.
    PointCaller,
}

/// The whole machine: what `input` does in `state`.
pub(crate) fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Input as I;
    use State::{AskingCallee, AskingCaller, Away, Stays, Wanted};
    match (state, input) {
        (Wanted, I::Due) => (AskingCallee, &[PointCallee]),
        (Wanted, I::Needed) => (Stays, &[]),
        (AskingCallee, I::CalleeLeft) => (AskingCaller, &[PointCaller]),
        (AskingCallee, I::CalleeStayed | I::Changed | I::Needed) => (Stays, &[]),
        (AskingCaller, I::CallerLeft) => (Away, &[]),
        (AskingCaller, I::CallerStayed | I::Changed | I::Needed) => (Stays, &[]),
        (Away, I::Changed | I::Needed) => (Stays, &[]),

        // why: nothing else changes anything; the table test names every such pair.
        (state, _) => (state, &[]),
    }
}

impl State {
    /// The callee is told, or was told, to send to the caller.
    pub(crate) fn takes_callee(self) -> bool {
        matches!(self, State::AskingCallee | State::AskingCaller | State::Away)
    }

    /// The caller is told, or was told, to send to the callee.
    pub(crate) fn takes_caller(self) -> bool {
        matches!(self, State::AskingCaller | State::Away)
    }
}

#[cfg(test)]
mod tests {
    use super::Input as I;
    use super::State as S;
    use super::*;

    const STATES: [S; 5] = [S::Stays, S::Wanted, S::AskingCallee, S::AskingCaller, S::Away];
    const INPUTS: [I; 7] = [
        I::Due,
        I::CalleeLeft,
        I::CalleeStayed,
        I::CallerLeft,
        I::CallerStayed,
        I::Changed,
        I::Needed,
    ];

    type Row = (S, &'static [I], S, &'static [Action]);

    #[rustfmt::skip]
    const TABLE: &[Row] = &[
        (S::Stays,        &[I::Due, I::CalleeLeft, I::CalleeStayed, I::CallerLeft,
                            I::CallerStayed, I::Changed, I::Needed], S::Stays,        &[]),
        (S::Wanted,       &[I::Due],                          S::AskingCallee, &[PointCallee]),
        (S::Wanted,       &[I::Needed],                       S::Stays,        &[]),
        (S::Wanted,       &[I::CalleeLeft, I::CalleeStayed, I::CallerLeft, I::CallerStayed,
                            I::Changed],                      S::Wanted,       &[]),
        (S::AskingCallee, &[I::CalleeLeft],                   S::AskingCaller, &[PointCaller]),
        (S::AskingCallee, &[I::CalleeStayed, I::Changed, I::Needed], S::Stays,  &[]),
        (S::AskingCallee, &[I::Due, I::CallerLeft, I::CallerStayed],
                                                              S::AskingCallee, &[]),
        (S::AskingCaller, &[I::CallerLeft],                   S::Away,         &[]),
        (S::AskingCaller, &[I::CallerStayed, I::Changed, I::Needed], S::Stays,  &[]),
        (S::AskingCaller, &[I::Due, I::CalleeLeft, I::CalleeStayed],
                                                              S::AskingCaller, &[]),
        (S::Away,         &[I::Changed, I::Needed],           S::Stays,        &[]),
        (S::Away,         &[I::Due, I::CalleeLeft, I::CalleeStayed, I::CallerLeft,
                            I::CallerStayed],                 S::Away,         &[]),
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
