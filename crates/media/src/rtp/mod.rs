//! RTP and RTCP as views over a packet that somebody else holds (RFC 3550).

pub mod packet;
pub mod rtcp;
