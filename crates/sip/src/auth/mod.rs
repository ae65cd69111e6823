//! Who a request comes from: HTTP digest in SIP (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! [`digest`] computes and reads, for both sides; [`challenge`] is the server's memory of the
//! nonces it gave out, [`login`] the client's of the challenges it answered. Passwords are looked
//! up by the caller, and what a proven user may do is the caller's too.

pub mod challenge;
pub mod digest;
pub mod login;
