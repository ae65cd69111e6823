//! Who a request comes from: HTTP digest in SIP (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! [`digest`] computes and reads, for both sides; [`challenge`] is the server's memory of the
//! nonces it gave out, [`login`] the client's of the challenges it answered; [`standing`] is who
//! has proved or failed what, by address. Passwords are looked up by the caller, and what a proven
//! user may do is the caller's too.

pub mod challenge;
pub mod digest;
pub mod login;
pub mod standing;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A secret for one purpose: whoever learns it cannot tell the secret, nor those for others.
pub fn derived(secret: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}
