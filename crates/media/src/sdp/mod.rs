//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264) for one audio stream.
//!
//! In go the bytes of a SIP body, out come a [`Description`]: the list of its lines, each kept as
//! it was, with the lines that we act on also read into fields. [`offer`] and [`answer`] write our
//! side; [`answer`] and [`accept`] say what was agreed as a [`Negotiated`]. [`offer_of`] and
//! [`answer_for`] send the peer to another party's address, [`offer_again`] brings it back.
//!
//! Not here: which port is ours and how often our description changed (the caller passes both in
//! a [`Local`]), and whether a source of packets is believed (`session::latch`).

mod answer;
mod offer;
mod parse;
mod write;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use crate::codec::Codec;
pub use answer::{accept, answer, answer_for};
pub use offer::{offer, offer_again, offer_of};
pub use parse::{
    Address, Connection, Description, Line, MAX_FORMATS, MAX_LINE, MAX_LINES, MAX_MEDIA, MAX_SIZE,
    Media, Origin, Rtcp, RtpMap, SdpError,
};

/// Packet length where nobody says otherwise (RFC 3551 §4.2).
pub const DEFAULT_PTIME: Duration = Duration::from_millis(20);

/// Payload type of `telephone-event/8000` in our offers.
pub const TELEPHONE_EVENT: u8 = 101;

/// Who may send on a stream (RFC 8866 §6.7), from the side of whoever wrote the description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both; what an absent attribute means.
    #[default]
    SendRecv,
    /// Only the writer sends.
    SendOnly,
    /// Only the writer receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The attribute's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// The direction of an attribute's name.
    pub fn from_name(name: &str) -> Option<Direction> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| direction.as_str().eq_ignore_ascii_case(name))
    }

    /// The writer sends.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// The writer receives.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same stream from the other side.
    pub fn mirrored(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// The direction in which the writer does exactly these.
    pub fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

/// What our descriptions of one leg say about us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// Address of `o=` and `c=`: the one a peer can reach.
    pub address: IpAddr,
    /// RTP port; RTCP is the next.
    pub port: u16,
    /// `sess-id` of `o=`: the same in every description of a leg (RFC 3264 §8).
    pub session_id: u64,
    /// `sess-version` of `o=`: one higher for each description that differs from the last.
    pub version: u64,
}

/// Payload numbers of one leg; `None` = not negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadTypes {
    /// G.711 µ-law.
    pub pcmu: Option<u8>,
    /// G.711 A-law.
    pub pcma: Option<u8>,
    /// `telephone-event/8000` (RFC 4733).
    pub telephone_event: Option<u8>,
}

impl PayloadTypes {
    /// The number of a codec.
    pub fn of(&self, codec: Codec) -> Option<u8> {
        match codec {
            Codec::Pcmu => self.pcmu,
            Codec::Pcma => self.pcma,
        }
    }

    /// The codec of a number.
    pub fn codec(&self, payload_type: u8) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| self.of(*codec) == Some(payload_type))
    }

    /// Gives a codec its number.
    pub fn set(&mut self, codec: Codec, payload_type: u8) {
        match codec {
            Codec::Pcmu => self.pcmu = Some(payload_type),
            Codec::Pcma => self.pcma = Some(payload_type),
        }
    }
}

/// What an offer and its answer agreed on for the audio stream of one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the peer receives RTP. Unspecified (`0.0.0.0`, `::`) while it holds in the manner of
    /// RFC 2543; then nothing is sent.
    pub remote_rtp: SocketAddr,
    /// Where the peer receives RTCP: `a=rtcp` (RFC 3605), the RTP port with `rtcp_mux`, otherwise
    /// the port after it.
    pub remote_rtcp: SocketAddr,
    /// RTP and RTCP share the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// Our direction: `RecvOnly` when the peer said `sendonly`.
    pub direction: Direction,
    /// What we send when the choice is ours.
    pub codec: Codec,
    /// Numbers of everything the peer takes.
    pub payload_types: PayloadTypes,
    /// Packet length that the peer asked for; 20 ms if it did not.
    pub ptime: Duration,
}

/// Why an offer cannot be answered, or an answer not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// Audio is there, but in no codec of ours.
    #[error("no common codec; expected PCMU or PCMA at 8000 Hz, got `{offered}`")]
    NoCommonCodec {
        /// The formats of the first audio line, with their names where it gave them.
        offered: String,
    },
    /// Audio is there, but not over a profile of ours (RFC 3551 AVP, RFC 4585 AVPF).
    #[error("no common media; expected RTP/AVP or RTP/AVPF, got `{protocol}`")]
    Protocol {
        /// `proto` of the first audio line.
        protocol: String,
    },
    /// No `m=audio` line, or only with port 0.
    #[error("no audio; expected an `m=audio` line with a port, got none")]
    NoAudio,
    /// No `c=` line for the audio stream.
    #[error("no connection address; expected a `c=` line for the audio stream, got none")]
    AddressMissing,
    /// The `c=` line has a name where we need an address.
    #[error("connection address; expected an IP address, got the name `{name}`")]
    AddressName {
        /// The name.
        name: String,
    },
}
