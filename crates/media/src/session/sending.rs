//! Digits that are sent to a leg, frame by frame: as telephone-events where the leg takes them
//! (RFC 4733 §2.5.1), otherwise as two sines in the audio (ITU-T Q.23).
//!
//! Lists wait for each other. Each digit begins with a frame and is followed by a pause, in which
//! an event's last packet is repeated twice. Which stream the packets belong to, and when frames
//! are due, is not known here.

use std::collections::VecDeque;
use std::time::Duration;

use crate::chord::{Chord, peak_of};
use crate::digits::{DIGIT_LENGTH_MAX, DIGIT_LENGTH_MIN, Digits, Step, frequencies_of};

/// Lists of digits that wait on one leg.
pub const DIGIT_LISTS_MAX: usize = 16;

/// Pause after each digit.
const PAUSE: Duration = Duration::from_millis(100);

/// RFC 4733 §2.5.1.4: the last packet of an event is sent this often in all.
const ENDS: u8 = 3;

/// Level of each of the two sines in dBm0; ITU-T Q.24 has receivers take -3 to -24.
const LEVEL: f64 = -9.0;

/// RFC 4733 §2.3: the power of the tone in -dBm0, the same.
const VOLUME: u8 = 9;

/// What one frame carries.
#[derive(Debug)]
pub(super) enum Say<'s> {
    /// A packet of a telephone-event.
    Event(EventPayload),
    /// Audio: so many samples of the sines, then silence.
    Sines(&'s mut Chord, u32),
    /// Audio without sound.
    Silence,
    /// No packet.
    Nothing,
}

/// A packet of a telephone-event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventPayload {
    /// The first of the event, which has the marker.
    pub(super) first: bool,
    /// That of the whole event.
    pub(super) timestamp: u32,
    pub(super) octets: [u8; 4],
}

/// A step that has begun.
#[derive(Debug)]
enum Current {
    Digit(Digit),
    Pause { left: u32 },
}

/// A digit on its way. All lengths in samples.
#[derive(Debug)]
struct Digit {
    event: u8,
    way: Way,
    length: u32,
    /// Of `length`.
    elapsed: u32,
    /// Of the pause after it.
    left: u32,
}

/// How a digit is sent. Decided when it begins.
#[derive(Debug)]
enum Way {
    Event { timestamp: u32, ends: u8 },
    Sines(Chord),
}

/// Digits that were asked for together.
#[derive(Debug)]
struct List {
    digits: Digits,
    /// Samples of each digit.
    length: u32,
    /// The step after the current one.
    next: usize,
}

/// All that is to be sent to one leg.
#[derive(Debug)]
pub(super) struct Sending {
    lists: VecDeque<List>,
    current: Option<Current>,
    /// Lists that were sent and not yet taken.
    done: usize,
}

impl Sending {
    pub(super) fn new() -> Sending {
        Sending { lists: VecDeque::new(), current: None, done: 0 }
    }

    /// Sends these after those that wait; no if too many do.
    pub(super) fn add(&mut self, digits: Digits, length: Duration) -> bool {
        let has_room = self.lists() < DIGIT_LISTS_MAX;
        if has_room {
            let length = samples_of(length.clamp(DIGIT_LENGTH_MIN, DIGIT_LENGTH_MAX));
            self.lists.push_back(List { digits, length, next: 0 });
        }
        has_room
    }

    /// Nothing is to be sent or to be reported.
    pub(super) fn is_idle(&self) -> bool {
        self.lists() == 0
    }

    /// Lists that are not reported.
    pub(super) fn lists(&self) -> usize {
        self.lists.len() + self.done
    }

    /// Takes a list that was sent to its end.
    pub(super) fn take_done(&mut self) -> bool {
        let is_done = self.done > 0;
        self.done -= usize::from(is_done);
        is_done
    }

    /// The next frame, of so many samples, at this timestamp; `events`: does the leg take them?
    pub(super) fn frame(&mut self, frame: u32, timestamp: u32, events: bool) -> Say<'_> {
        if self.current.is_none() {
            self.current = self.begin(timestamp, events);
        }
        let is_over = match &mut self.current {
            None => true,
            Some(Current::Pause { left }) => {
                *left = left.saturating_sub(frame);
                *left == 0
            }
            Some(Current::Digit(digit)) => digit.ends_with_frame(frame),
        };
        if is_over {
            self.current = None;
            self.end_step();
        }
        match &mut self.current {
            Some(Current::Digit(digit)) => digit.frame(frame),
            None | Some(Current::Pause { .. }) if events => Say::Nothing,
            None | Some(Current::Pause { .. }) => Say::Silence,
        }
    }

    /// The next step of the first list.
    fn begin(&mut self, timestamp: u32, events: bool) -> Option<Current> {
        let list = self.lists.front_mut()?;
        let step = list.digits.step(list.next)?;
        list.next += 1;
        Some(match step {
            Step::Pause(length) => Current::Pause { left: samples_of(length) },
            Step::Digit(event) => {
                let sines = || Chord::new(frequencies_of(event), (2.0 * peak_of(LEVEL)) as i32);
                let as_event = || Way::Event { timestamp, ends: 0 };
                let way = if events { as_event() } else { Way::Sines(sines()) };
                let left = samples_of(PAUSE);
                Current::Digit(Digit { event, way, length: list.length, elapsed: 0, left })
            }
        })
    }

    /// The current step is over, and perhaps the list with it.
    fn end_step(&mut self) {
        let is_done = |list: &mut List| list.digits.step(list.next).is_none();
        if self.lists.front_mut().is_some_and(is_done) {
            self.lists.pop_front();
            self.done += 1;
        }
    }
}

impl Digit {
    /// In the last frame of its pause nothing more is said, so it may be forgotten before.
    fn ends_with_frame(&self, frame: u32) -> bool {
        let has_said_all = match self.way {
            Way::Event { ends, .. } => ends >= ENDS,
            Way::Sines(_) => self.elapsed >= self.length,
        };
        has_said_all && self.left <= frame
    }

    fn frame(&mut self, frame: u32) -> Say<'_> {
        let (first, began) = (self.elapsed == 0, self.elapsed);
        self.elapsed = self.length.min(began + frame);
        let is_pause = began == self.length;
        if is_pause {
            self.left = self.left.saturating_sub(frame);
        }
        let is_end = self.elapsed == self.length;
        match &mut self.way {
            Way::Sines(_) if is_pause => Say::Silence,
            Way::Sines(chord) => Say::Sines(chord, self.elapsed - began),
            Way::Event { ends: ENDS.., .. } => Say::Nothing,
            Way::Event { timestamp, ends } => {
                *ends += u8::from(is_end);
                let [high, low] = u16::try_from(self.elapsed).unwrap_or(u16::MAX).to_be_bytes();
                let flags = u8::from(is_end) << 7 | VOLUME;
                let octets = [self.event, flags, high, low];
                Say::Event(EventPayload { first, timestamp: *timestamp, octets })
            }
        }
    }
}

fn samples_of(length: Duration) -> u32 {
    u32::try_from(length.as_millis()).unwrap_or(u32::MAX).saturating_mul(8)
}
