//! The life of one outbound INVITE of a dial, from "we want to call it" to "nothing is left".
//!
//! Owns when to open media, when to send INVITE, CANCEL and BYE. It does not know other legs: who
//! wins is decided in `verb/dial/ring.rs`, which asks for the end of a leg by [`Input::Stop`].
//! In goes what the network and the dial say, out come [`Action`]s in the order to carry out.

use super::callee::Action::{
    Answered, Bye, Cancel, CloseMedia, Declined, Gone, Invite, InviteAgain, Lost, OpenMedia, Rang,
    TryNext, Unusable,
};

/// Where the INVITE stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// The address of the next hop is being looked up.
    Resolving,
    /// An RTP port is being opened.
    Opening,
    /// INVITE sent, nothing heard.
    Calling,
    /// A provisional response was heard.
    Early,
    /// Answered and acknowledged.
    Up,
    /// No longer wanted: CANCEL asked for, the final response is awaited.
    Cancelling,
    /// No longer wanted before the INVITE left; a look-up or a port is still to come.
    Abandoned,
    /// Final.
    Ended,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// The next hop is known.
    Resolved,
    /// The next hop has no address.
    Unresolved,
    /// The RTP port is open.
    Opened,
    /// No RTP port is free.
    OpenFailed,
    /// A provisional response above 100.
    Progress,
    /// A 2xx with a usable answer.
    Answered,
    /// A 2xx whose session description cannot be used.
    AnsweredUnusable,
    /// A 401 or 407 that credentials are there for.
    Challenged,
    /// The next hop failed at this address, and has another one.
    FlowFailed,
    /// A final failure: a response, a time-out, a dead transport.
    Rejected,
    /// The peer ended the dialog.
    Hangup,
    /// The dial, or the end of the call, no longer wants it.
    Stop,
}

/// What is to be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open an RTP port.
    OpenMedia,
    /// Send the INVITE.
    Invite,
    /// Send the INVITE again, with credentials.
    InviteAgain,
    /// Take the next address of the next hop.
    TryNext,
    /// Send CANCEL, once the RFC allows it.
    Cancel,
    /// Send BYE.
    Bye,
    /// Free the RTP port.
    CloseMedia,
    /// Tell the dial: it rings.
    Rang,
    /// Tell the dial: it answered.
    Answered,
    /// Tell the dial: it refused, or could not be reached.
    Declined,
    /// Tell the dial: it answered with media that nobody can use.
    Unusable,
    /// Tell the dial: the answered leg is gone.
    Gone,
    /// Tell the dial: the leg that it stopped is over.
    Lost,
}

/// The whole machine: what `input` does in `state`.
pub(crate) fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Input as I;
    use State::{Abandoned, Calling, Cancelling, Early, Ended, Opening, Resolving, Up};
    match (state, input) {
        (Resolving, I::Resolved) => (Opening, &[OpenMedia]),
        (Resolving, I::Unresolved) => (Ended, &[Declined]),
        (Opening, I::Opened) => (Calling, &[Invite]),
        (Opening, I::OpenFailed) => (Ended, &[Declined]),
        (Resolving | Opening, I::Stop) => (Abandoned, &[Lost]),

        (Calling | Early, I::Progress) => (Early, &[Rang]),
        (Calling | Early, I::Answered) => (Up, &[Answered]),
        (Calling | Early, I::AnsweredUnusable) => (Ended, &[Bye, CloseMedia, Unusable]),
        // RFC 3261 §22.2: nothing rings any more; the second INVITE starts from the beginning.
        (Calling | Early, I::Challenged) => (Calling, &[InviteAgain]),
        // RFC 3263 §4.3: a request of its own to the next address. why: with a port of its own
        // too, for another address may be reached from another of ours.
        (Calling | Early, I::FlowFailed) => (Opening, &[CloseMedia, TryNext, OpenMedia]),
        (Calling | Early, I::Rejected) => (Ended, &[CloseMedia, Declined]),
        // RFC 3261 §9.1: the endpoint holds the CANCEL until a provisional response has come.
        (Calling | Early, I::Stop) => (Cancelling, &[Cancel]),

        (Up, I::Hangup) => (Ended, &[CloseMedia, Gone]),
        (Up, I::Stop) => (Ended, &[Bye, CloseMedia, Gone]),

        // RFC 3261 §15: a 2xx that crosses the CANCEL made a dialog; only BYE ends it.
        (Cancelling, I::Answered | I::AnsweredUnusable) => (Ended, &[Bye, CloseMedia, Lost]),
        (Cancelling, I::Rejected | I::Challenged | I::FlowFailed) => (Ended, &[CloseMedia, Lost]),

        // why: look-up and port were asked for; their answer must not find a reused leg.
        (Abandoned, I::Opened) => (Ended, &[CloseMedia]),
        (Abandoned, I::Resolved | I::Unresolved | I::OpenFailed) => (Ended, &[]),

        // why: nothing else changes anything; the table test names every such pair.
        (state, _) => (state, &[]),
    }
}

impl State {
    /// The INVITE is out, and no final response to it is known.
    pub(crate) fn calling(self) -> bool {
        matches!(self, State::Calling | State::Early)
    }
}

#[cfg(test)]
mod tests {
    use super::Input as I;
    use super::State as S;
    use super::*;

    const STATES: [S; 8] = [
        S::Resolving,
        S::Opening,
        S::Calling,
        S::Early,
        S::Up,
        S::Cancelling,
        S::Abandoned,
        S::Ended,
    ];
    const INPUTS: [I; 12] = [
        I::Resolved,
        I::Unresolved,
        I::Opened,
        I::OpenFailed,
        I::Progress,
        I::Answered,
        I::AnsweredUnusable,
        I::Challenged,
        I::FlowFailed,
        I::Rejected,
        I::Hangup,
        I::Stop,
    ];

    /// (state, inputs that lead to the same row, next state, actions)
    type Row = (S, &'static [I], S, &'static [Action]);

    #[rustfmt::skip]
    const TABLE: &[Row] = &[
        (S::Resolving,  &[I::Resolved],         S::Opening,    &[OpenMedia]),
        (S::Resolving,  &[I::Unresolved],       S::Ended,      &[Declined]),
        (S::Resolving,  &[I::Stop],             S::Abandoned,  &[Lost]),
        (S::Resolving,  &[I::Opened, I::OpenFailed, I::Progress, I::Answered,
                          I::AnsweredUnusable, I::Challenged, I::FlowFailed, I::Rejected,
                          I::Hangup],
                                                S::Resolving,  &[]),
        (S::Opening,    &[I::Opened],           S::Calling,    &[Invite]),
        (S::Opening,    &[I::OpenFailed],       S::Ended,      &[Declined]),
        (S::Opening,    &[I::Stop],             S::Abandoned,  &[Lost]),
        (S::Opening,    &[I::Resolved, I::Unresolved, I::Progress, I::Answered,
                          I::AnsweredUnusable, I::Challenged, I::FlowFailed, I::Rejected,
                          I::Hangup],
                                                S::Opening,    &[]),
        (S::Calling,    &[I::Progress],         S::Early,      &[Rang]),
        (S::Calling,    &[I::Answered],         S::Up,         &[Answered]),
        (S::Calling,    &[I::AnsweredUnusable], S::Ended,      &[Bye, CloseMedia, Unusable]),
        (S::Calling,    &[I::Challenged],       S::Calling,    &[InviteAgain]),
        (S::Calling,    &[I::FlowFailed],       S::Opening,    &[CloseMedia, TryNext, OpenMedia]),
        (S::Calling,    &[I::Rejected],         S::Ended,      &[CloseMedia, Declined]),
        (S::Calling,    &[I::Stop],             S::Cancelling, &[Cancel]),
        (S::Calling,    &[I::Resolved, I::Unresolved, I::Opened, I::OpenFailed, I::Hangup],
                                                S::Calling,    &[]),
        (S::Early,      &[I::Progress],         S::Early,      &[Rang]),
        (S::Early,      &[I::Answered],         S::Up,         &[Answered]),
        (S::Early,      &[I::AnsweredUnusable], S::Ended,      &[Bye, CloseMedia, Unusable]),
        (S::Early,      &[I::Challenged],       S::Calling,    &[InviteAgain]),
        (S::Early,      &[I::FlowFailed],       S::Opening,    &[CloseMedia, TryNext, OpenMedia]),
        (S::Early,      &[I::Rejected],         S::Ended,      &[CloseMedia, Declined]),
        (S::Early,      &[I::Stop],             S::Cancelling, &[Cancel]),
        (S::Early,      &[I::Resolved, I::Unresolved, I::Opened, I::OpenFailed, I::Hangup],
                                                S::Early,      &[]),
        (S::Up,         &[I::Hangup],           S::Ended,      &[CloseMedia, Gone]),
        (S::Up,         &[I::Stop],             S::Ended,      &[Bye, CloseMedia, Gone]),
        (S::Up,         &[I::Resolved, I::Unresolved, I::Opened, I::OpenFailed, I::Progress,
                          I::Answered, I::AnsweredUnusable, I::Challenged, I::FlowFailed,
                          I::Rejected],
                                                S::Up,         &[]),
        (S::Cancelling, &[I::Answered, I::AnsweredUnusable],
                                                S::Ended,      &[Bye, CloseMedia, Lost]),
        (S::Cancelling, &[I::Rejected, I::Challenged, I::FlowFailed],
                                                S::Ended,      &[CloseMedia, Lost]),
        (S::Cancelling, &[I::Resolved, I::Unresolved, I::Opened, I::OpenFailed, I::Progress,
                          I::Hangup, I::Stop],  S::Cancelling, &[]),
        (S::Abandoned,  &[I::Opened],           S::Ended,      &[CloseMedia]),
        (S::Abandoned,  &[I::Resolved, I::Unresolved, I::OpenFailed], S::Ended, &[]),
        (S::Abandoned,  &[I::Progress, I::Answered, I::AnsweredUnusable, I::Challenged,
                          I::FlowFailed, I::Rejected, I::Hangup, I::Stop],
                                                S::Abandoned,  &[]),
        (S::Ended,      &[I::Resolved, I::Unresolved, I::Opened, I::OpenFailed, I::Progress,
                          I::Answered, I::AnsweredUnusable, I::Challenged, I::FlowFailed,
                          I::Rejected, I::Hangup, I::Stop],
                                                S::Ended,      &[]),
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
