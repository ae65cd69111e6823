//! Where the audio of one leg is sent by its peer: to us, or past us to the party that it is
//! connected to. Which of the two its last description says, and what is under way.
//!
//! Owns when a re-INVITE of ours goes out, one at a time: what the peer says to the last decides
//! what comes next. It does not decide where audio is to go: that is `verb/dial/media_path.rs`
//! while a dial lasts, and "to us" after it. It belongs to the leg, and goes with it to another
//! call.

use Action::{Left, Lost, OfferOurs, OfferTheirs, Stayed};

/// Where the peer of a leg sends its audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// To us.
    #[default]
    Here,
    /// To us; it is asked to send it to the other party.
    Leaving,
    /// To the other party.
    Away,
    /// It was asked to send it to the other party, and is to be asked to send it to us once it has
    /// said what comes of that.
    Recalled,
    /// To the other party; it is asked to send it to us.
    Returning,
    /// To us, by our answer to an offer of its own, while what we asked it before is open.
    Settling,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Its audio shall go to the other party.
    Leave,
    /// Its audio shall come to us.
    Return,
    /// It made an offer and has our description, or asked for our offer and gets it.
    Offered,
    /// It took what our re-INVITE said.
    Accepted,
    /// It did not, or could not be asked.
    Refused,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a re-INVITE with the description of the other party.
    OfferTheirs,
    /// Send a re-INVITE with our description.
    OfferOurs,
    /// Tell the dial: its audio goes to the other party.
    Left,
    /// Tell the dial: its audio stays here.
    Stayed,
    /// Hang up: it goes on sending to somebody else, and nobody could bring it back.
    Lost,
}

/// The whole machine: what `input` does in `state`.
pub(crate) fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Input as I;
    use State::{Away, Here, Leaving, Recalled, Returning, Settling};
    match (state, input) {
        (Here, I::Leave) => (Leaving, &[OfferTheirs]),

        (Leaving, I::Accepted) => (Away, &[Left]),
        (Leaving, I::Refused) => (Here, &[Stayed]),
        // why: ours may wait for its turn behind the offer of the peer, and is still to come.
        (Leaving, I::Return | I::Offered) => (Recalled, &[]),

        (Recalled, I::Accepted) => (Returning, &[OfferOurs]),
        (Recalled, I::Refused) => (Here, &[]),

        (Away, I::Return) => (Returning, &[OfferOurs]),
        (Away, I::Offered) => (Here, &[]),

        (Returning, I::Accepted) => (Here, &[]),
        (Returning, I::Refused) => (Here, &[Lost]),
        (Returning, I::Offered) => (Settling, &[]),

        (Settling, I::Accepted | I::Refused) => (Here, &[]),

        // why: nothing else changes anything; the table test names every such pair.
        (state, _) => (state, &[]),
    }
}

impl State {
    /// Its peer was never told to send its audio elsewhere, or has been told to send it here.
    pub(crate) fn sends_here(self) -> bool {
        matches!(self, State::Here | State::Settling)
    }
}

#[cfg(test)]
mod tests {
    use super::Input as I;
    use super::State as S;
    use super::*;

    const STATES: [S; 6] = [S::Here, S::Leaving, S::Away, S::Recalled, S::Returning, S::Settling];
    const INPUTS: [I; 5] = [I::Leave, I::Return, I::Offered, I::Accepted, I::Refused];

    type Row = (S, &'static [I], S, &'static [Action]);

    #[rustfmt::skip]
    const TABLE: &[Row] = &[
        (S::Here,      &[I::Leave],               S::Leaving,   &[OfferTheirs]),
        (S::Here,      &[I::Return, I::Offered, I::Accepted, I::Refused],
                                                  S::Here,      &[]),
        (S::Leaving,   &[I::Accepted],            S::Away,      &[Left]),
        (S::Leaving,   &[I::Refused],             S::Here,      &[Stayed]),
        (S::Leaving,   &[I::Return, I::Offered],  S::Recalled,  &[]),
        (S::Leaving,   &[I::Leave],               S::Leaving,   &[]),
        (S::Away,      &[I::Return],              S::Returning, &[OfferOurs]),
        (S::Away,      &[I::Offered],             S::Here,      &[]),
        (S::Away,      &[I::Leave, I::Accepted, I::Refused],
                                                  S::Away,      &[]),
        (S::Recalled,  &[I::Accepted],            S::Returning, &[OfferOurs]),
        (S::Recalled,  &[I::Refused],             S::Here,      &[]),
        (S::Recalled,  &[I::Leave, I::Return, I::Offered],
                                                  S::Recalled,  &[]),
        (S::Returning, &[I::Accepted],            S::Here,      &[]),
        (S::Returning, &[I::Refused],             S::Here,      &[Lost]),
        (S::Returning, &[I::Offered],             S::Settling,  &[]),
        (S::Returning, &[I::Leave, I::Return],    S::Returning, &[]),
        (S::Settling,  &[I::Accepted, I::Refused], S::Here,     &[]),
        (S::Settling,  &[I::Leave, I::Return, I::Offered],
                                                  S::Settling,  &[]),
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
