//! The one RTP stream that everything generated for a leg makes, whatever it is: its SSRC, its
//! sequence numbers and timestamps, and when the next packet is due.
//!
//! Time goes in frames, each as long as a packet. Due times are multiples of a frame from the
//! first, so that no error adds up. After a late wake-up at most [`GENERATED_BURST_MAX`] frames
//! follow at once; the rest is left out of sequence numbers, not of timestamps, as a sender does
//! that was silent (RFC 3550 §5.1). So are the times at which nothing is generated: SSRC and
//! sequence go on after them. What a frame carries is not known here.

use std::time::{Duration, Instant};

use crate::random::Random;
use crate::rtp::packet;
use crate::sdp::DEFAULT_PTIME;
use crate::timer::GENERATED_BURST_MAX;

/// Shortest and longest packet that is generated; a peer that asks for others gets the nearest.
const PTIME: std::ops::RangeInclusive<u128> = 10..=60;

/// Samples in a millisecond.
const SAMPLES_PER_MS: u32 = 8;

/// Room for any generated packet in octets: the header and one octet for each of 60 ms.
pub const GENERATED_PACKET: usize =
    packet::HEADER + (*PTIME.end() as usize) * SAMPLES_PER_MS as usize;

#[derive(Debug)]
pub(super) struct Source {
    ssrc: u32,
    sequence: u16,
    /// Of the next frame.
    timestamp: u32,
    /// The next packet of audio follows on silence, or on something else.
    marker: bool,
    /// Samples of a frame.
    frame: u32,
    /// When the next frame that is not taken is due, or would be; `None` before the first.
    reached: Option<Instant>,
    /// Frames become due.
    running: bool,
    /// Frames that are due and not yet taken.
    owed: u32,
}

impl Source {
    pub(super) fn new(random: &mut Random) -> Source {
        Source {
            ssrc: random.next_u32(),
            sequence: random.next_u16(),
            timestamp: random.next_u32(),
            marker: true,
            frame: samples_of(DEFAULT_PTIME),
            reached: None,
            running: false,
            owed: 0,
        }
    }

    /// Packets are this long from now on.
    pub(super) fn set_ptime(&mut self, ptime: Duration) {
        self.frame = samples_of(ptime);
    }

    /// Samples of a frame.
    pub(super) fn frame(&self) -> u32 {
        self.frame
    }

    /// Of the next frame.
    pub(super) fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// When the next frame becomes due.
    pub(super) fn next(&self) -> Option<Instant> {
        let reached = self.reached.filter(|_| self.running)?;
        reached.checked_add(self.interval(self.owed))
    }

    pub(super) fn is_due(&self) -> bool {
        self.owed > 0
    }

    /// The next packet of audio has the marker.
    pub(super) fn mark(&mut self) {
        self.marker = true;
    }

    /// Frames become due, the first at once if it is not running; how many samples have passed
    /// since it stopped.
    pub(super) fn start(&mut self, now: Instant) -> u32 {
        if self.running {
            return 0;
        }
        let passed = self.pass(now);
        self.running = true;
        self.tick(now);
        passed
    }

    /// No frame becomes due any more; those that are owed are forgotten.
    pub(super) fn stop(&mut self) {
        self.running = false;
        self.owed = 0;
    }

    /// Time goes by while nothing is generated; how many samples. None while it is running.
    pub(super) fn pass(&mut self, now: Instant) -> u32 {
        if self.running {
            return 0;
        }
        let reached = self.reached.unwrap_or(now).max(now);
        let late = self.reached.map(|before| reached.saturating_duration_since(before));
        let passed = (late.unwrap_or_default().as_nanos() / 125_000) as u32;
        self.reached = Some(reached);
        self.timestamp = self.timestamp.wrapping_add(passed);
        // RFC 3551 §4.1: the first packet after a silence that was not sent has the marker.
        self.marker |= passed > 0;
        passed
    }

    /// Counts the frames that have become due; how many of them come too late to be taken.
    pub(super) fn tick(&mut self, now: Instant) -> u32 {
        let Some(next) = self.next().filter(|next| *next <= now) else { return 0 };
        let late = now.duration_since(next).as_nanos() / self.interval(1).as_nanos().max(1);
        let due = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
        let owed = self.owed.saturating_add(due);
        let missed = owed.saturating_sub(GENERATED_BURST_MAX);
        self.owed = owed - missed;
        self.go_on(missed);
        self.marker |= missed > 0;
        missed
    }

    /// The frame that is due is not sent.
    pub(super) fn leave_out(&mut self) {
        self.end_frame();
        self.marker = true;
    }

    /// The frame that is due is over.
    pub(super) fn end_frame(&mut self) {
        self.owed = self.owed.saturating_sub(1);
        self.go_on(1);
    }

    /// The header of the frame's packet of audio.
    pub(super) fn audio_header(&mut self, payload_type: u8) -> [u8; packet::HEADER] {
        let marker = std::mem::take(&mut self.marker);
        self.header(marker, payload_type, self.timestamp)
    }

    /// The header of a packet with a timestamp of its own.
    pub(super) fn header(
        &mut self,
        marker: bool,
        payload_type: u8,
        timestamp: u32,
    ) -> [u8; packet::HEADER] {
        let header = packet::header(marker, payload_type, self.sequence, timestamp, self.ssrc);
        self.sequence = self.sequence.wrapping_add(1);
        header
    }

    fn go_on(&mut self, frames: u32) {
        self.timestamp = self.timestamp.wrapping_add(frames.wrapping_mul(self.frame));
        let interval = self.interval(frames);
        self.reached = self.reached.and_then(|reached| reached.checked_add(interval));
    }

    fn interval(&self, frames: u32) -> Duration {
        Duration::from_micros(u64::from(frames) * u64::from(self.frame) * 125)
    }
}

fn samples_of(ptime: Duration) -> u32 {
    let milliseconds = ptime.as_millis().clamp(*PTIME.start(), *PTIME.end());
    milliseconds as u32 * SAMPLES_PER_MS
}
