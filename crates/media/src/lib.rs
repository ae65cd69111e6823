//! Session descriptions, RTP and audio without input or output.
//!
//! [`sdp`] turns an offer into an answer and both into a [`sdp::Negotiated`] stream. A
//! [`Session`] is the media of one call: it is told of packets and of time, rewrites packets in
//! place and says where they go, plays a [`Sound`], and hears and sends [`Digits`]. [`tone`] knows
//! what ringing sounds like in each country.
//!
//! No socket, clock, thread or random source is here, nor anything of SIP: the owner passes in
//! bytes, `now` and a seed.

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod chord;
pub mod codec;
pub mod digits;
mod random;
pub mod rtp;
pub mod sdp;
pub mod session;
pub mod sound;
pub mod timer;
pub mod tone;

pub use codec::Codec;
pub use codec::gain::{Decibels, Gain};
pub use digits::Digits;
pub use session::{
    Counters, Dropped, Forward, LegId, Play, PlayEnd, PlayId, Remote, Session, SessionConfig,
    SessionEvent, Socket, TakenLeg,
};
pub use sound::{Repeat, Sound};
pub use tone::Tone;
