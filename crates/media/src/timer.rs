//! The timers of a [`Session`](crate::Session), and nothing else about time: what arms each, what
//! disarms it, how long it is, what sets it.

use std::time::{Duration, Instant};

use crate::session::LegId;

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The next packet of a generated tone. Armed by `ringback` on a leg that is set up, again
    /// [`TONE_INTERVAL`] after each; disarmed by `bridge`, `connect` and `silence`.
    Tone(LegId),
    /// No packet from a peer that should send. Armed by `set_remote` with direction `sendrecv`,
    /// again by each valid packet; disarmed by any other direction and when it fires. As long as
    /// `SessionConfig::inactivity`, off if that is `None`.
    Inactivity(LegId),
}

/// When a session wants to be woken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Not before this.
    pub at: Instant,
    /// The reason.
    pub timer: Timer,
}

/// Length of a generated packet.
pub const TONE_INTERVAL: Duration = Duration::from_millis(20);

/// Most packets of a tone that are sent at once after a late wake-up; what is later than that is
/// left out, and the tone goes on where it would be.
pub const TONE_BURST_MAX: u32 = 5;
