//! The timers of a [`Session`](crate::Session), and nothing else about time: what arms each, what
//! disarms it, how long it is, what sets it.

use std::time::{Duration, Instant};

use crate::session::LegId;

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The next generated packet of a tone, a sound or digits. Armed by `ringback` on a leg that
    /// can be sent to, by `play` and `send_digits` on any, again after each packet, by its length;
    /// disarmed when nothing of them is left.
    Packet(LegId),
    /// No packet from a peer that should send. Armed by `set_remote` with direction `sendrecv`,
    /// again by each valid packet; disarmed by any other direction and when it fires. As long as
    /// `SessionConfig::inactivity`, off if that is `None`.
    Inactivity(LegId),
    /// No more packets of a digit that is pressed. Armed by each of its packets, for
    /// [`PRESS_SILENCE`]; disarmed by one with the end bit, and when it fires.
    Press(LegId),
}

/// When a session wants to be woken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Not before this.
    pub at: Instant,
    /// The reason.
    pub timer: Timer,
}

/// Most generated packets that are sent to a leg at once after a late wake-up; what is later than
/// that is left out, and the sound goes on where it would be.
pub const GENERATED_BURST_MAX: u32 = 5;

/// How long after its last packet a digit counts as released whose end was lost.
pub const PRESS_SILENCE: Duration = Duration::from_millis(200);
