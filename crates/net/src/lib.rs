//! The sockets of the switch: SIP over UDP and TCP, RTP ports, media threads.
//!
//! The first floor that touches the outside: here are the clock, tokio and system calls. Bytes
//! are carried to and from the pure crates `sip` and `media`; what they mean is decided there.
//! [`sip::Udp`] belongs to the signalling task, [`rtp::Workers`] are threads of their own, and the
//! two meet only through bounded queues.

pub mod rtp;
mod seed;
pub mod sip;
mod sys;

/// The addresses of this machine.
///
/// # Errors
/// The system's.
pub fn own_addresses() -> std::io::Result<Vec<std::net::IpAddr>> {
    sys::own_addresses()
}

/// Raises the limit of open files to what the system allows this process, and says what that is:
/// each leg of a call takes two.
///
/// # Errors
/// The system's.
pub fn raise_open_files() -> std::io::Result<u64> {
    sys::raise_open_files()
}
