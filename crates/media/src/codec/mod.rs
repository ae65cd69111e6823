//! The audio codecs that can be negotiated, and their arithmetic.
//!
//! What payload number a codec has on one call is negotiated and lives in
//! [`crate::sdp::PayloadTypes`].

pub mod g711;
pub mod gain;

/// An audio codec at 8000 samples a second, one octet each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 µ-law, North America and Japan.
    Pcmu,
    /// G.711 A-law, everywhere else.
    Pcma,
}

impl Codec {
    /// Every codec, in the order offered where nobody says otherwise.
    pub const ALL: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    /// Encoding name of `a=rtpmap` (RFC 3551 §6).
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The codec of an encoding name, in any letter case.
    pub fn from_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Payload type that RFC 3551 table 4 gives it.
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// The codec that RFC 3551 table 4 assigns this payload type to.
    pub fn from_payload_type(payload_type: u8) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.payload_type() == payload_type)
    }
}
