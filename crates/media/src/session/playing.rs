//! A sound that is played to a leg: where it is, and how much of it is still to come.

use std::time::Duration;

use crate::chord::SAMPLE_RATE;
use crate::codec::{Codec, g711};
use crate::sound::{Repeat, Sound};

/// A sound played to a leg, as the owner numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// What to play, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// Named by [`SessionEvent::Played`](super::SessionEvent::Played).
    pub id: PlayId,
    /// The sound.
    pub sound: Sound,
    /// How often, where [`Sound::repeat`] does not say it.
    pub repeat: Repeat,
    /// Where to begin, in samples over all repetitions: 0 at the beginning, and at or beyond the
    /// end it is over at once.
    pub from_sample: u64,
    /// Ends it after that long, if it is not over before.
    pub longest: Option<Duration>,
}

/// Why a sound is played no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayEnd {
    /// It was heard to its end, or for as long as it might.
    Finished,
    /// `stop_play`, or its leg is gone.
    Stopped,
    /// Another began on the same leg.
    Replaced,
}

#[derive(Debug)]
pub(super) struct Playing {
    pub(super) id: PlayId,
    sound: Sound,
    /// Samples over all repetitions so far.
    position: u64,
    /// Samples still to come; `None` without end.
    left: Option<u64>,
}

impl Playing {
    pub(super) fn new(play: Play) -> Playing {
        let Play { id, sound, repeat, from_sample: position, longest } = play;
        let length = sound.samples().len() as u64;
        let all = match sound.repeat().unwrap_or(repeat) {
            Repeat::Times(times) => Some(length.saturating_mul(times.into())),
            Repeat::Forever => (length == 0).then_some(0),
        };
        let limit = longest.map(|longest| {
            let samples = longest.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000;
            u64::try_from(samples).unwrap_or(u64::MAX)
        });
        let left = all.map(|all| all.saturating_sub(position));
        Playing { id, sound, position, left: left.into_iter().chain(limit).min() }
    }

    pub(super) fn is_over(&self) -> bool {
        self.left == Some(0)
    }

    /// Samples over all repetitions so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Fills `payload` with the next samples in the law of `codec`, and with silence after the
    /// end.
    pub(super) fn fill(&mut self, codec: Codec, payload: &mut [u8]) {
        payload.fill(g711::encode(codec, 0));
        let wanted = self.within(payload.len() as u64);
        let samples = self.sound.samples();
        let start = self.position.checked_rem(samples.len() as u64).unwrap_or_default();
        let first = samples.get(start as usize..).unwrap_or_default();
        let heard = first.iter().chain(samples.iter().cycle());
        for (octet, sample) in payload.iter_mut().zip(heard.take(wanted as usize)) {
            *octet = g711::encode(codec, *sample);
        }
        self.skip(wanted);
    }

    /// Goes on by that many samples unheard.
    pub(super) fn skip(&mut self, samples: u64) {
        let samples = self.within(samples);
        self.position = self.position.saturating_add(samples);
        self.left = self.left.map(|left| left - samples);
    }

    fn within(&self, samples: u64) -> u64 {
        self.left.map_or(samples, |left| left.min(samples))
    }
}
