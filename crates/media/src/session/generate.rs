//! What is generated for a leg, in layers: digits that are sent lie over a sound that is played,
//! and both over what the leg hears, be that a tone or another leg.
//!
//! All layers make one stream ([`Source`](super::source::Source)). A layer that is covered goes on
//! in time, unheard, and so does everything while the leg cannot be sent to. A sound or a list of
//! digits is over when the frame after its last is due: then the peer has heard it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::SessionEvent;
use super::leg::{Hears, Leg};
use super::playing::{Play, PlayEnd, PlayId, Playing};
use super::sending::{EventPayload, Say};
use crate::codec::{Codec, g711};
use crate::digits::Digits;
use crate::rtp::packet;
use crate::tone::{Ringing, Tone};

/// Events of a session that wait to be taken.
pub(super) type Events = VecDeque<SessionEvent>;

/// What came of a frame.
enum Made {
    /// The payload is full of audio.
    Audio,
    /// A packet of its own.
    Event(EventPayload),
    /// No packet.
    Nothing,
}

impl Leg {
    /// A sound or digits lie over what the peer hears.
    pub(super) fn is_covered(&self) -> bool {
        self.playing.is_some() || !self.sending.is_idle()
    }

    fn is_sent_to(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.is_sent_to())
    }

    /// Frames become due: for a tone only while it can be sent.
    fn is_generated(&self) -> bool {
        self.is_covered() || (matches!(self.hears, Hears::Tone(_)) && self.is_sent_to())
    }

    /// Sets the stream going, or stops it: after each change of a layer or of the peer.
    pub(super) fn pace(&mut self, now: Instant) {
        if self.is_generated() {
            let passed = self.source.start(now);
            if let Hears::Tone(tone) = &mut self.hears {
                tone.skip(passed);
            }
        } else {
            self.source.stop();
        }
    }

    pub(super) fn ringback(&mut self, now: Instant, tone: &'static Tone) {
        if matches!(&self.hears, Hears::Tone(sounding) if sounding.tone() == tone) {
            return;
        }
        // why: a tone begins at its beginning, whenever something was generated last.
        self.source.pass(now);
        self.source.mark();
        self.hears = Hears::Tone(Box::new(Ringing::new(tone)));
        self.pace(now);
    }

    pub(super) fn play(&mut self, now: Instant, play: Play, events: &mut Events) {
        self.end_play(PlayEnd::Replaced, events);
        self.playing = Some(Playing::new(play));
        self.source.mark();
        self.pace(now);
    }

    pub(super) fn stop_play(&mut self, now: Instant, id: Option<PlayId>, events: &mut Events) {
        if self.playing.as_ref().is_some_and(|playing| id.is_none_or(|id| id == playing.id)) {
            self.end_play(PlayEnd::Stopped, events);
            self.pace(now);
        }
    }

    pub(super) fn send_digits(
        &mut self,
        now: Instant,
        digits: Digits,
        length: Duration,
        events: &mut Events,
    ) {
        if self.sending.add(digits, length) {
            self.source.mark();
            self.pace(now);
        } else {
            events.push_back(SessionEvent::DigitsSent { leg: self.id, whole: false });
        }
    }

    /// Everything that waits to be reported is, as far as it came.
    pub(super) fn end_all(&mut self, events: &mut Events) {
        self.end_play(PlayEnd::Stopped, events);
        self.end_digits(events);
        for _ in 0..self.sending.lists() {
            events.push_back(SessionEvent::DigitsSent { leg: self.id, whole: false });
        }
    }

    fn end_play(&mut self, end: PlayEnd, events: &mut Events) {
        let Some(playing) = self.playing.take() else { return };
        let (leg, at_sample) = (self.id, playing.position());
        events.push_back(SessionEvent::Played { leg, id: playing.id, end, at_sample });
        self.uncover();
    }

    fn end_digits(&mut self, events: &mut Events) {
        while self.sending.take_done() {
            events.push_back(SessionEvent::DigitsSent { leg: self.id, whole: true });
            self.uncover();
        }
    }

    /// What is heard next follows on something else.
    fn uncover(&mut self) {
        self.mark_next = true;
        self.source.mark();
    }

    /// Counts the frames that have become due; those of a leg that cannot be sent to go by.
    pub(super) fn handle_frames(&mut self, now: Instant, events: &mut Events) {
        let missed = self.source.tick(now);
        let samples = missed.saturating_mul(self.source.frame());
        self.pass_under(samples);
        if let Some(playing) = &mut self.playing {
            playing.skip(samples.into());
        }
        if self.is_sent_to() {
            return;
        }
        // why: digits that cannot be sent shall not wait without end. After a late wake-up alone
        // they do wait, as a digit of which the end is left out is another digit.
        for _ in 0..missed {
            self.pass_digits();
        }
        while self.begin_frame(events) {
            let frame = self.source.frame();
            self.pass_digits();
            if let Some(playing) = &mut self.playing {
                playing.skip(frame.into());
            }
            self.pass_under(frame);
            self.source.leave_out();
        }
    }

    /// A frame of the digits goes by unsent.
    fn pass_digits(&mut self) {
        if !self.sending.is_idle() {
            self.sending.frame(self.source.frame(), self.source.timestamp(), false);
        }
    }

    /// Ends what is over; is a frame still due?
    pub(super) fn begin_frame(&mut self, events: &mut Events) -> bool {
        if !self.source.is_due() {
            return false;
        }
        if self.playing.as_ref().is_some_and(Playing::is_over) {
            self.end_play(PlayEnd::Finished, events);
        }
        self.end_digits(events);
        if !self.is_generated() {
            self.source.stop();
        }
        self.source.is_due()
    }

    /// Writes the packet of the frame that is due, which is then over; `None` if it has none.
    pub(super) fn write_frame(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let negotiated = self.stream.as_ref()?.negotiated;
        let (codec, numbers) = (negotiated.codec, negotiated.payload_types);
        let audio = numbers.of(codec).unwrap_or(codec.payload_type());
        let (header, payload) = buffer.split_first_chunk_mut::<{ packet::HEADER }>()?;
        let payload = payload.get_mut(..self.source.frame() as usize)?;
        let made = self.compose(codec, numbers.telephone_event.is_some(), payload);
        let length = match (made, numbers.telephone_event) {
            (Made::Audio, _) => {
                *header = self.source.audio_header(audio);
                Some(payload.len())
            }
            (Made::Event(event), Some(number)) => {
                *header = self.source.header(event.first, number, event.timestamp);
                *payload.first_chunk_mut()? = event.octets;
                Some(event.octets.len())
            }
            (Made::Event(_), None) | (Made::Nothing, _) => {
                self.source.mark();
                None
            }
        };
        self.source.end_frame();
        length.map(|length| packet::HEADER + length)
    }

    /// Makes one frame of the highest layer; those below it go on.
    fn compose(&mut self, codec: Codec, events: bool, payload: &mut [u8]) -> Made {
        let frame = payload.len() as u32;
        let mut made = None;
        if !self.sending.is_idle() {
            payload.fill(g711::encode(codec, 0));
            made = Some(match self.sending.frame(frame, self.source.timestamp(), events) {
                Say::Event(event) => Made::Event(event),
                Say::Nothing => Made::Nothing,
                Say::Silence => Made::Audio,
                Say::Sines(chord, samples) => {
                    for octet in payload.iter_mut().take(samples as usize) {
                        *octet = g711::encode(codec, chord.sample());
                        chord.skip(1);
                    }
                    Made::Audio
                }
            });
        }
        if let Some(playing) = &mut self.playing {
            if made.is_none() {
                playing.fill(codec, payload);
                made = Some(Made::Audio);
            } else {
                playing.skip(frame.into());
            }
        }
        if let Hears::Tone(tone) = &mut self.hears {
            if made.is_none() {
                tone.fill(codec, payload);
                made = Some(Made::Audio);
            } else {
                tone.skip(frame);
            }
        }
        made.unwrap_or(Made::Nothing)
    }

    /// The tone underneath goes on unheard.
    fn pass_under(&mut self, samples: u32) {
        if let Hears::Tone(tone) = &mut self.hears {
            tone.skip(samples);
        }
    }
}
