//! The screening of a callee that answered: what it hears and decides before it is connected.
//!
//! Owns when a screening is accepted and when it is declined. What runs in it is a
//! [`Script`](crate::script::Script) of the callee's own; who wins is `verb/dial/ring.rs`.

use Action::{Accept, Decline, Run};

use crate::script::Script;

/// A callee that is screened, or was.
#[derive(Clone, Debug)]
pub(crate) struct Screening {
    pub(crate) state: State,
    /// What it runs.
    pub(crate) script: Script,
}

/// Where the screening stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// The confirmHook was asked.
    Asked,
    /// Its list runs.
    Running,
    /// Decided.
    Over,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// The hook answered with a list that may run.
    List,
    /// The hook answered with nothing to run.
    Nothing,
    /// The hook failed, or answered what may not run.
    Failed,
    /// The list was run to its end.
    Ended,
    /// A verb declined: `hangup`.
    Declined,
    /// `[limits] confirm` has passed.
    Cap,
    /// The callee is gone, or no longer wanted.
    Gone,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Run the list.
    Run,
    /// The callee may be connected.
    Accept,
    /// The callee is hung up.
    Decline,
}

/// The whole machine: what `input` does in `state`.
pub(crate) fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Input as I;
    use State::{Asked, Over, Running};
    match (state, input) {
        (Asked, I::List) => (Running, &[Run]),
        (Asked, I::Nothing) | (Running, I::Ended) => (Over, &[Accept]),
        (Asked | Running, I::Failed | I::Declined | I::Cap) => (Over, &[Decline]),
        (Asked | Running, I::Gone) => (Over, &[]),
        // why: nothing else changes anything; the table test names every such pair.
        (state, _) => (state, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::Input as I;
    use super::State as S;
    use super::*;

    const STATES: [S; 3] = [S::Asked, S::Running, S::Over];
    const INPUTS: [I; 7] = [I::List, I::Nothing, I::Failed, I::Ended, I::Declined, I::Cap, I::Gone];

    /// (state, inputs that lead to the same row, next state, actions)
    type Row = (S, &'static [I], S, &'static [Action]);

    #[rustfmt::skip]
    const TABLE: &[Row] = &[
        (S::Asked,   &[I::List],                         S::Running, &[Run]),
        (S::Asked,   &[I::Nothing],                      S::Over,    &[Accept]),
        (S::Asked,   &[I::Failed, I::Declined, I::Cap],  S::Over,    &[Decline]),
        (S::Asked,   &[I::Gone],                         S::Over,    &[]),
        (S::Asked,   &[I::Ended],                        S::Asked,   &[]),
        (S::Running, &[I::Ended],                        S::Over,    &[Accept]),
        (S::Running, &[I::Failed, I::Declined, I::Cap],  S::Over,    &[Decline]),
        (S::Running, &[I::Gone],                         S::Over,    &[]),
        (S::Running, &[I::List, I::Nothing],             S::Running, &[]),
        (S::Over,    &[I::List, I::Nothing, I::Failed, I::Ended, I::Declined, I::Cap, I::Gone],
                                                         S::Over,    &[]),
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
