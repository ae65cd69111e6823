//! Digits that the peer of a leg presses, out of its telephone-event packets (RFC 4733): each
//! once, whatever is lost, repeated or late.
//!
//! All packets of one press have its timestamp. A press is over at the first packet with the end
//! bit; where all of those were lost, when another begins, or [`PRESS_SILENCE`] after the last
//! packet. What belongs to a press that is over, or to one before, makes nothing.

use std::time::{Duration, Instant};

use crate::digits::digit_of;
use crate::timer::PRESS_SILENCE;

/// How far behind the current press a timestamp is late, and not a new press, in samples: 10 s.
const LATE_SAMPLES: u32 = 80_000;

/// For how long the last press is remembered to tell what is late.
const REMEMBERED: Duration = Duration::from_secs(10);

/// RFC 4733 §2.5.1.3: a longer press goes on with a timestamp that is later by this.
const SEGMENT: u32 = 0xffff;

/// Digits that may come in one moment, after a gap in the network. Beyond it a peer may press
/// one each [`DIGIT_INTERVAL`]; more are not reported.
pub(super) const DIGITS_BURST_MAX: u32 = 16;

/// ITU-T Q.24 and the phones that follow it: 40 ms of tone and 40 ms of pause are the quickest.
const DIGIT_INTERVAL: Duration = Duration::from_millis(80);

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventPacket {
    ssrc: u32,
    timestamp: u32,
    marker: bool,
    event: u8,
    end: bool,
    /// Samples since the event, or its segment, began.
    duration: u16,
}

impl EventPacket {
    /// RFC 4733 §2.3; `None` where the payload is too short.
    pub(super) fn read(
        ssrc: u32,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Option<EventPacket> {
        let ([event, flags, high, low], _) = payload.split_first_chunk::<4>()?;
        let duration = u16::from_be_bytes([*high, *low]);
        let end = flags & 0x80 != 0;
        Some(EventPacket { ssrc, timestamp, marker, event: *event, end, duration })
    }
}

/// A press that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pressed {
    pub(super) digit: char,
    pub(super) duration: Duration,
}

/// A press of which packets come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    event: u8,
    /// Samples of the segments before this one.
    before: u32,
    /// Samples of this segment.
    duration: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was pressed that is still remembered.
    Idle,
    /// A press that is not over, or not known to be.
    Held(Held),
    /// The last press is over and was reported.
    Over,
}

/// What a packet is to the press that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Same,
    NextSegment,
    Late,
    New,
}

/// The presses of one leg.
#[derive(Debug)]
pub(super) struct Presses {
    state: State,
    /// SSRC and timestamp of the current press, and of the one before.
    current: (u32, u32),
    previous: (u32, u32),
    /// When the last packet of the current press came.
    last: Option<Instant>,
    /// When the digits reported so far would have been pressed at the quickest.
    quickest: Option<Instant>,
}

impl Presses {
    pub(super) fn new() -> Presses {
        let none = (0, 0);
        Presses { state: State::Idle, current: none, previous: none, last: None, quickest: None }
    }

    /// When to call [`Presses::handle_timeout`].
    pub(super) fn next(&self) -> Option<Instant> {
        let last = self.last.filter(|_| matches!(self.state, State::Held(_)))?;
        last.checked_add(PRESS_SILENCE)
    }

    /// Takes a packet; the press before, where this one shows that it is over, and this one,
    /// where it is.
    pub(super) fn handle_packet(
        &mut self,
        now: Instant,
        packet: EventPacket,
    ) -> [Option<Pressed>; 2] {
        let relation = self.relation(now, packet);
        let before = match (self.state, relation) {
            (_, Relation::Late) | (State::Over, Relation::Same | Relation::NextSegment) => {
                return [None; 2];
            }
            (State::Held(held), Relation::Same) => {
                let duration = held.duration.max(packet.duration);
                self.state = State::Held(Held { duration, ..held });
                None
            }
            (State::Held(held), Relation::NextSegment) => {
                let before = held.before.saturating_add(SEGMENT);
                self.begin(packet, before);
                None
            }
            (State::Held(held), Relation::New) => {
                let over = self.report(now, held);
                self.begin(packet, 0);
                over
            }
            (State::Idle, _) | (State::Over, Relation::New) => {
                self.begin(packet, 0);
                None
            }
        };
        self.last = Some(now);
        match self.state {
            State::Held(held) if packet.end => [before, self.report(now, held)],
            _ => [before, None],
        }
    }

    /// The press that is over because nothing more of it came.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Pressed> {
        match self.state {
            State::Held(held) if self.next().is_some_and(|next| next <= now) => {
                self.report(now, held)
            }
            State::Held(_) | State::Idle | State::Over => None,
        }
    }

    fn relation(&self, now: Instant, packet: EventPacket) -> Relation {
        let EventPacket { ssrc, timestamp, marker, event, .. } = packet;
        let forgotten = |last| now.saturating_duration_since(last) > REMEMBERED;
        if self.state == State::Idle || self.last.is_none_or(forgotten) {
            return Relation::New;
        }
        if (ssrc, timestamp) == self.current {
            return Relation::Same;
        }
        if (ssrc, timestamp) == self.previous {
            return Relation::Late;
        }
        if ssrc != self.current.0 {
            return Relation::New;
        }
        let ahead = timestamp.wrapping_sub(self.current.1);
        let goes_on = matches!(self.state, State::Held(held) if held.event == event);
        if ahead == SEGMENT && goes_on && !marker {
            Relation::NextSegment
        } else if ahead.wrapping_neg() < LATE_SAMPLES {
            Relation::Late
        } else {
            Relation::New
        }
    }

    fn begin(&mut self, packet: EventPacket, before: u32) {
        self.previous = self.current;
        self.current = (packet.ssrc, packet.timestamp);
        let EventPacket { event, duration, .. } = packet;
        self.state = State::Held(Held { event, before, duration });
    }

    /// The press is over. `None` if it is no digit, or one of too many.
    fn report(&mut self, now: Instant, held: Held) -> Option<Pressed> {
        self.state = State::Over;
        let digit = digit_of(held.event).filter(|_| self.allow(now))?;
        let samples = u64::from(held.before) + u64::from(held.duration);
        Some(Pressed { digit, duration: Duration::from_micros(samples * 125) })
    }

    /// Whether one more digit is not too many.
    pub(super) fn allow(&mut self, now: Instant) -> bool {
        let quickest = self.quickest.map_or(now, |quickest| quickest.max(now));
        let burst = quickest.saturating_duration_since(now);
        let is_allowed = burst < DIGIT_INTERVAL * DIGITS_BURST_MAX;
        if is_allowed {
            self.quickest = quickest.checked_add(DIGIT_INTERVAL);
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum In {
        /// The first packet, or any, of a press that is not known.
        New,
        /// A press that is not known, and only its last packet.
        NewEnd,
        Same,
        SameEnd,
        /// The next segment of the same press.
        Segment,
        /// Of the press before the current one.
        Previous,
        /// Before the current press, and never seen.
        Older,
        /// A hook flash.
        Flash,
        /// 199 ms after the last packet.
        Early,
        /// 200 ms after it.
        Due,
        /// The same timestamp from another SSRC.
        OtherSource,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Is {
        Idle,
        Held,
        Over,
    }

    const STATES: [Is; 3] = [Is::Idle, Is::Held, Is::Over];
    const INPUTS: [In; 11] = [
        In::New,
        In::NewEnd,
        In::Same,
        In::SameEnd,
        In::Segment,
        In::Previous,
        In::Older,
        In::Flash,
        In::Early,
        In::Due,
        In::OtherSource,
    ];

    /// State, input, next state, digits reported. The current press is a 5, a new one a 7.
    const TABLE: &[(Is, In, Is, &str)] = &[
        (Is::Idle, In::New, Is::Held, ""),
        (Is::Idle, In::NewEnd, Is::Over, "7"),
        (Is::Idle, In::Same, Is::Held, ""),
        (Is::Idle, In::SameEnd, Is::Over, "5"),
        (Is::Idle, In::Segment, Is::Held, ""),
        (Is::Idle, In::Previous, Is::Over, "3"),
        (Is::Idle, In::Older, Is::Held, ""),
        (Is::Idle, In::Flash, Is::Held, ""),
        (Is::Idle, In::Early, Is::Idle, ""),
        (Is::Idle, In::Due, Is::Idle, ""),
        (Is::Idle, In::OtherSource, Is::Held, ""),
        (Is::Held, In::New, Is::Held, "5"),
        (Is::Held, In::NewEnd, Is::Over, "57"),
        (Is::Held, In::Same, Is::Held, ""),
        (Is::Held, In::SameEnd, Is::Over, "5"),
        (Is::Held, In::Segment, Is::Held, ""),
        (Is::Held, In::Previous, Is::Held, ""),
        (Is::Held, In::Older, Is::Held, ""),
        (Is::Held, In::Flash, Is::Held, "5"),
        (Is::Held, In::Early, Is::Held, ""),
        (Is::Held, In::Due, Is::Over, "5"),
        (Is::Held, In::OtherSource, Is::Held, "5"),
        (Is::Over, In::New, Is::Held, ""),
        (Is::Over, In::NewEnd, Is::Over, "7"),
        (Is::Over, In::Same, Is::Over, ""),
        (Is::Over, In::SameEnd, Is::Over, ""),
        (Is::Over, In::Segment, Is::Held, ""),
        (Is::Over, In::Previous, Is::Over, ""),
        (Is::Over, In::Older, Is::Over, ""),
        (Is::Over, In::Flash, Is::Held, ""),
        (Is::Over, In::Early, Is::Over, ""),
        (Is::Over, In::Due, Is::Over, ""),
        (Is::Over, In::OtherSource, Is::Held, ""),
    ];

    const NOW: u32 = 1_000_000;

    #[allow(clippy::disallowed_methods, reason = "the epoch of the virtual clock")]
    fn epoch() -> Instant {
        Instant::now()
    }

    fn packet(event: u8, timestamp: u32, end: bool) -> EventPacket {
        EventPacket { ssrc: 7, timestamp, marker: false, event, end, duration: 800 }
    }

    /// Presses whose current one is a 5, after a 3; the time of its last packet.
    fn presses(state: Is) -> (Presses, Instant) {
        let (mut presses, start) = (Presses::new(), epoch());
        if state != Is::Idle {
            presses.handle_packet(start, packet(3, NOW - 200_000, true));
            presses.handle_packet(start, packet(5, NOW, state == Is::Over));
        }
        (presses, start)
    }

    fn give(presses: &mut Presses, start: Instant, input: In) -> Vec<Pressed> {
        let soon = start + Duration::from_millis(20);
        let packet = match input {
            In::New => packet(7, NOW + 4000, false),
            In::NewEnd => packet(7, NOW + 4000, true),
            In::Same => packet(5, NOW, false),
            In::SameEnd => packet(5, NOW, true),
            In::Segment => packet(5, NOW + SEGMENT, false),
            In::Previous => packet(3, NOW - 200_000, true),
            In::Older => packet(3, NOW - LATE_SAMPLES + 1, false),
            In::Flash => packet(16, NOW + 4000, false),
            In::OtherSource => EventPacket { ssrc: 8, ..packet(7, NOW, false) },
            In::Early | In::Due => {
                let after = PRESS_SILENCE - Duration::from_millis(u64::from(input == In::Early));
                return presses.handle_timeout(start + after).into_iter().collect();
            }
        };
        presses.handle_packet(soon, packet).into_iter().flatten().collect()
    }

    fn check(row: &(Is, In, Is, &str)) {
        let (state, input, after, reported) = *row;
        let (mut presses, start) = presses(state);
        let pressed: String = give(&mut presses, start, input).iter().map(|p| p.digit).collect();
        assert_eq!(pressed, reported, "{row:?}");
        let now = match presses.state {
            State::Idle => Is::Idle,
            State::Held(_) => Is::Held,
            State::Over => Is::Over,
        };
        assert_eq!(now, after, "{row:?}");
    }

    #[test]
    fn every_row_holds() {
        TABLE.iter().for_each(check);
    }

    #[test]
    fn no_pair_is_missing() {
        for state in STATES {
            for input in INPUTS {
                let rows = TABLE.iter().filter(|row| (row.0, row.1) == (state, input)).count();
                assert_eq!(rows, 1, "{state:?} {input:?}");
            }
        }
    }

    #[test]
    fn a_press_of_several_segments_is_one_and_its_length_their_sum() {
        let (mut presses, start) = presses(Is::Held);
        let full = EventPacket { duration: u16::MAX, ..packet(5, NOW, false) };
        presses.handle_packet(start, full);
        let second = EventPacket { duration: 1600, ..packet(5, NOW + SEGMENT, true) };
        let [before, pressed] = presses.handle_packet(start, second);
        assert_eq!(before, None);
        let duration = Duration::from_micros((0xffff + 1600) * 125);
        assert_eq!(pressed, Some(Pressed { digit: '5', duration }));
    }

    #[test]
    fn a_peer_whose_timestamps_fall_back_is_heard_again_after_ten_seconds() {
        let (mut presses, start) = presses(Is::Over);
        let back = packet(7, NOW - 100, true);
        assert_eq!(presses.handle_packet(start, back), [None; 2]);
        let later = start + REMEMBERED + Duration::from_millis(1);
        let pressed = presses.handle_packet(later, back);
        assert_eq!(pressed.into_iter().flatten().count(), 1);
    }

    #[test]
    fn digits_quicker_than_any_phone_are_reported_up_to_a_limit() {
        let (mut presses, start) = (Presses::new(), epoch());
        let press = |presses: &mut Presses, at, number: u32| {
            let packet = packet(1, NOW + number * 1000, true);
            presses.handle_packet(at, packet).into_iter().flatten().count()
        };
        let counted: usize = (0..100_u32).map(|number| press(&mut presses, start, number)).sum();
        assert_eq!(counted, DIGITS_BURST_MAX as usize);
        let later = start + DIGIT_INTERVAL;
        let counted: usize = (100..200_u32).map(|number| press(&mut presses, later, number)).sum();
        assert_eq!(counted, 1);
    }

    #[test]
    fn a_payload_too_short_is_no_event() {
        assert_eq!(EventPacket::read(1, 2, true, &[5, 0x80, 0]), None);
        let read = EventPacket::read(1, 2, true, &[5, 0x8a, 3, 32, 9]).unwrap();
        assert_eq!((read.event, read.end, read.duration), (5, true, 800));
    }
}
