//! The leg that runs the verbs: what we may still say to the caller, and what it heard last.
//!
//! Mostly it came in, and this owns which response to its INVITE goes out when. It does not decide
//! why: verbs ask for ringing, early media, an answer or an end. Asking twice is harmless. Where
//! the switch placed the call, there is nobody until one of the legs that are being called answers
//! and becomes the caller.

use Action::{Answer, Bye, CloseMedia, Departed, Early183, Gone, OpenMedia, Reject, Ring180};

/// How far the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// We are calling it; nothing can be said to it.
    Placing,
    /// INVITE received, 100 sent; nothing asked for yet.
    Received,
    /// The RTP port is being opened.
    Opening,
    /// Ready: a port is open, no response beyond 100.
    Ready,
    /// 180 sent.
    Ringing,
    /// 183 with a session description sent.
    Early,
    /// 200 sent, ACK awaited.
    Answered,
    /// 200 acknowledged.
    Up,
    /// Over.
    Gone,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// The call is admitted: open its media.
    Admit,
    /// The RTP port is open.
    Opened,
    /// A verb lets it ring.
    Ring,
    /// A verb has early media for it.
    EarlyMedia,
    /// A verb answers it.
    Answer,
    /// Its ACK came.
    Acked,
    /// It answered the INVITE that we sent.
    Connected,
    /// We end it: a failure response before the answer, BYE after it.
    End,
    /// It sent CANCEL, or BYE, or its ACK never came; or it did not answer our INVITE.
    Left,
    /// It goes on in another call.
    Moved,
}

/// What is to be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open an RTP port.
    OpenMedia,
    /// Send 180.
    Ring180,
    /// Send 183 with our session description.
    Early183,
    /// Send 200 with our session description.
    Answer,
    /// Send the final failure.
    Reject,
    /// Send BYE.
    Bye,
    /// Free the RTP port.
    CloseMedia,
    /// Tell the call: the caller is no more.
    Gone,
    /// Tell the call: the caller is elsewhere, with its port and its dialog.
    Departed,
}

/// The whole machine: what `input` does in `state`.
pub(crate) fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Input as I;
    use State as S;
    match (state, input) {
        // why: the port and the dialog are those of the leg that answered.
        (S::Placing, I::Connected) => (S::Up, &[]),
        (S::Placing, I::End | I::Left) => (S::Gone, &[Gone]),

        (S::Received, I::Admit) => (S::Opening, &[OpenMedia]),
        (S::Received, I::End) => (S::Gone, &[Reject, Gone]),
        (S::Received, I::Left) => (S::Gone, &[Gone]),

        (S::Opening, I::Opened) => (S::Ready, &[]),
        (S::Opening, I::End) => (S::Gone, &[Reject, Gone]),
        (S::Opening, I::Left) => (S::Gone, &[Gone]),

        (S::Ready, I::Ring) => (S::Ringing, &[Ring180]),
        (S::Ready | S::Ringing, I::EarlyMedia) => (S::Early, &[Early183]),
        (S::Ready | S::Ringing | S::Early, I::Answer) => (S::Answered, &[Answer]),
        (S::Ready | S::Ringing | S::Early, I::End) => (S::Gone, &[Reject, CloseMedia, Gone]),
        (S::Ready | S::Ringing | S::Early, I::Left) => (S::Gone, &[CloseMedia, Gone]),

        (S::Answered, I::Acked) => (S::Up, &[]),
        // RFC 3261 §15: the endpoint holds this BYE until the ACK has come.
        (S::Answered | S::Up, I::End) => (S::Gone, &[Bye, CloseMedia, Gone]),
        (S::Answered | S::Up, I::Left) => (S::Gone, &[CloseMedia, Gone]),
        // why: before the ACK nothing of it is agreed for good.
        (S::Up, I::Moved) => (S::Gone, &[Departed]),

        // why: the port that was asked for before the caller left.
        (S::Gone, I::Opened) => (S::Gone, &[CloseMedia]),

        (state, _) => (state, &[]),
    }
}

impl State {
    /// A 200 went out.
    pub(crate) fn answered(self) -> bool {
        matches!(self, State::Answered | State::Up)
    }

    /// It plays what we send: after our description its own phone rings no more.
    pub(crate) fn hears_us(self) -> bool {
        self == State::Early || self.answered()
    }

    /// It is still there.
    pub(crate) fn alive(self) -> bool {
        self != State::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::Input as I;
    use super::State as S;
    use super::*;

    const STATES: [S; 9] = [
        S::Placing,
        S::Received,
        S::Opening,
        S::Ready,
        S::Ringing,
        S::Early,
        S::Answered,
        S::Up,
        S::Gone,
    ];
    const INPUTS: [I; 10] = [
        I::Admit,
        I::Opened,
        I::Ring,
        I::EarlyMedia,
        I::Answer,
        I::Acked,
        I::Connected,
        I::End,
        I::Left,
        I::Moved,
    ];

    type Row = (S, &'static [I], S, &'static [Action]);

    #[rustfmt::skip]
    const TABLE: &[Row] = &[
        (S::Placing,  &[I::Connected],  S::Up,       &[]),
        (S::Placing,  &[I::End, I::Left], S::Gone,   &[Gone]),
        (S::Placing,  &[I::Admit, I::Opened, I::Ring, I::EarlyMedia, I::Answer, I::Acked,
                          I::Moved],    S::Placing,  &[]),
        (S::Received, &[I::Admit],      S::Opening,  &[OpenMedia]),
        (S::Received, &[I::End],        S::Gone,     &[Reject, Gone]),
        (S::Received, &[I::Left],       S::Gone,     &[Gone]),
        (S::Received, &[I::Opened, I::Ring, I::EarlyMedia, I::Answer, I::Acked, I::Connected,
                          I::Moved],    S::Received, &[]),
        (S::Opening,  &[I::Opened],     S::Ready,    &[]),
        (S::Opening,  &[I::End],        S::Gone,     &[Reject, Gone]),
        (S::Opening,  &[I::Left],       S::Gone,     &[Gone]),
        (S::Opening,  &[I::Admit, I::Ring, I::EarlyMedia, I::Answer, I::Acked, I::Connected,
                          I::Moved],    S::Opening,  &[]),
        (S::Ready,    &[I::Ring],       S::Ringing,  &[Ring180]),
        (S::Ready,    &[I::EarlyMedia], S::Early,    &[Early183]),
        (S::Ready,    &[I::Answer],     S::Answered, &[Answer]),
        (S::Ready,    &[I::End],        S::Gone,     &[Reject, CloseMedia, Gone]),
        (S::Ready,    &[I::Left],       S::Gone,     &[CloseMedia, Gone]),
        (S::Ready,    &[I::Admit, I::Opened, I::Acked, I::Connected, I::Moved], S::Ready, &[]),
        (S::Ringing,  &[I::EarlyMedia], S::Early,    &[Early183]),
        (S::Ringing,  &[I::Answer],     S::Answered, &[Answer]),
        (S::Ringing,  &[I::End],        S::Gone,     &[Reject, CloseMedia, Gone]),
        (S::Ringing,  &[I::Left],       S::Gone,     &[CloseMedia, Gone]),
        (S::Ringing,  &[I::Admit, I::Opened, I::Ring, I::Acked, I::Connected, I::Moved],
                                        S::Ringing,  &[]),
        (S::Early,    &[I::Answer],     S::Answered, &[Answer]),
        (S::Early,    &[I::End],        S::Gone,     &[Reject, CloseMedia, Gone]),
        (S::Early,    &[I::Left],       S::Gone,     &[CloseMedia, Gone]),
        (S::Early,    &[I::Admit, I::Opened, I::Ring, I::EarlyMedia, I::Acked,
                          I::Connected, I::Moved], S::Early,   &[]),
        (S::Answered, &[I::Acked],      S::Up,       &[]),
        (S::Answered, &[I::End],        S::Gone,     &[Bye, CloseMedia, Gone]),
        (S::Answered, &[I::Left],       S::Gone,     &[CloseMedia, Gone]),
        (S::Answered, &[I::Admit, I::Opened, I::Ring, I::EarlyMedia, I::Answer, I::Connected,
                          I::Moved],    S::Answered, &[]),
        (S::Up,       &[I::End],        S::Gone,     &[Bye, CloseMedia, Gone]),
        (S::Up,       &[I::Left],       S::Gone,     &[CloseMedia, Gone]),
        (S::Up,       &[I::Moved],      S::Gone,     &[Departed]),
        (S::Up,       &[I::Admit, I::Opened, I::Ring, I::EarlyMedia, I::Answer, I::Acked,
                          I::Connected],        S::Up,       &[]),
        (S::Gone,     &[I::Opened],     S::Gone,     &[CloseMedia]),
        (S::Gone,     &[I::Admit, I::Ring, I::EarlyMedia, I::Answer, I::Acked, I::End, I::Left,
                          I::Connected, I::Moved], S::Gone,    &[]),
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
