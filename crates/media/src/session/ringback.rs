//! A tone as a stream of RTP packets of its own: SSRC, sequence, timestamps, and when the next
//! packet is due.
//!
//! Due times are multiples of [`TONE_INTERVAL`] from the first, so that no error adds up. After a
//! late wake-up at most [`TONE_BURST_MAX`] packets follow at once; the rest is left out of sequence
//! numbers, not of timestamps and cadence, as a sender does that was silent (RFC 3550 §5.1).

use std::time::Instant;

use crate::codec::Codec;
use crate::random::Random;
use crate::rtp::packet;
use crate::timer::{TONE_BURST_MAX, TONE_INTERVAL};
use crate::tone::{Ringing, Tone};

/// Samples of a packet.
const SAMPLES: u32 = 160;

/// Octets of a generated packet: header and one octet a sample.
pub const GENERATED_PACKET: usize = packet::HEADER + SAMPLES as usize;

#[derive(Debug)]
pub(super) struct Ringback {
    ringing: Ringing,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    /// When the next packet is due; `None` until the leg can be sent to.
    next: Option<Instant>,
    /// Packets that are due and not yet taken.
    owed: u32,
}

impl Ringback {
    pub(super) fn new(tone: &'static Tone, random: &mut Random) -> Ringback {
        Ringback {
            ringing: Ringing::new(tone),
            ssrc: random.next_u32(),
            sequence: random.next_u16(),
            timestamp: random.next_u32(),
            marker: true,
            next: None,
            owed: 0,
        }
    }

    pub(super) fn tone(&self) -> &'static Tone {
        self.ringing.tone()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn is_due(&self) -> bool {
        self.owed > 0
    }

    /// The leg can be sent to, for the first time or again: goes on where the tone would be now.
    pub(super) fn resume(&mut self, now: Instant) {
        self.next.get_or_insert(now);
        let late = self.tick(now);
        if late > 1 {
            self.leave_out(self.owed.saturating_sub(1));
            self.owed = self.owed.min(1);
        }
    }

    /// The leg cannot be sent to any more: what is owed is forgotten.
    pub(super) fn forget_owed(&mut self) {
        self.leave_out(self.owed);
        self.owed = 0;
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
    }

    /// Counts the packets that have become due; how many.
    fn tick(&mut self, now: Instant) -> u32 {
        let Some(next) = self.next.filter(|next| *next <= now) else { return 0 };
        let late = now.duration_since(next).as_nanos() / TONE_INTERVAL.as_nanos();
        let due = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
        self.next = TONE_INTERVAL.checked_mul(due).and_then(|time| next.checked_add(time));
        let owed = self.owed.saturating_add(due);
        self.owed = owed.min(TONE_BURST_MAX);
        self.leave_out(owed - self.owed);
        due
    }

    fn leave_out(&mut self, packets: u32) {
        if packets > 0 {
            let samples = packets.saturating_mul(SAMPLES);
            self.timestamp = self.timestamp.wrapping_add(samples);
            self.ringing.skip(samples);
            // RFC 3551 §4.1: the first packet after a silence that was not sent has the marker.
            self.marker = true;
        }
    }

    /// Writes the next packet that is due; its length, or `None` if `buffer` is too short.
    pub(super) fn write(
        &mut self,
        codec: Codec,
        payload_type: u8,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let (header, payload) = buffer.get_mut(..GENERATED_PACKET)?.split_first_chunk_mut()?;
        *header =
            packet::header(self.marker, payload_type, self.sequence, self.timestamp, self.ssrc);
        self.ringing.fill(codec, payload);
        self.marker = false;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(SAMPLES);
        self.owed = self.owed.saturating_sub(1);
        Some(GENERATED_PACKET)
    }
}
