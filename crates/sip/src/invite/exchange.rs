//! The offer/answer exchange of one dialog (RFC 3264 §4, RFC 6337 §2), as far as it decides which
//! request must wait.
//!
//! Goes in: who has sent a session description in a message that counts (a request, its 2xx, a
//! reliable provisional response, an ACK or PRACK), and that a request has failed. What stands in
//! the description is not looked at: with none open it is an offer, else an answer.

/// Whose offer waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody's.
    Stable,
    /// Ours.
    Ours,
    /// The peer's.
    Theirs,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// We describe the session.
    Ours,
    /// The peer describes it.
    Theirs,
    /// The request that carried the offer is over.
    Settled,
}

impl State {
    /// One step.
    pub(crate) fn handle(&mut self, input: Input) {
        *self = match (*self, input) {
            (State::Stable, Input::Ours) => State::Ours,
            (State::Stable, Input::Theirs) => State::Theirs,
            // A second offer before the answer changes nothing: it is still ours, or theirs.
            (State::Ours, Input::Ours) => State::Ours,
            (State::Theirs, Input::Theirs) => State::Theirs,
            (State::Ours, Input::Theirs) | (State::Theirs, Input::Ours) => State::Stable,
            (_, Input::Settled) => State::Stable,
        };
    }

    /// Why an offer of the peer has to wait: RFC 3311 §5.2: 491 for ours, 500 for its own.
    pub(crate) fn refuses_offer(self) -> Option<u16> {
        match self {
            State::Stable => None,
            State::Ours => Some(491),
            State::Theirs => Some(500),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        State::{Ours, Stable, Theirs},
        *,
    };
    use crate::transaction::table_test::{Row, check, check_complete};

    const ROWS: &[Row<State, Input, u16>] = &[
        (Stable, Input::Ours, Ours, &[491]),
        (Stable, Input::Theirs, Theirs, &[500]),
        (Stable, Input::Settled, Stable, &[]),
        (Ours, Input::Ours, Ours, &[491]),
        (Ours, Input::Theirs, Stable, &[]),
        (Ours, Input::Settled, Stable, &[]),
        (Theirs, Input::Ours, Stable, &[]),
        (Theirs, Input::Theirs, Theirs, &[500]),
        (Theirs, Input::Settled, Stable, &[]),
    ];

    #[test]
    fn every_row_of_the_table_holds() {
        check(ROWS, |state, input, out| {
            state.handle(input);
            out.extend(state.refuses_offer());
        });
    }

    #[test]
    fn the_table_has_every_pair() {
        let inputs = [Input::Ours, Input::Theirs, Input::Settled];
        check_complete(ROWS, &[Stable, Ours, Theirs], &inputs);
    }
}
