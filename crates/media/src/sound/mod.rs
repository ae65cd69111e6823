//! Sound that can be played to a leg: decoded once, kept as 16-bit samples at 8000 a second, and
//! shared by every leg that hears it.
//!
//! It comes from a WAVE file ([`Sound::from_wav`]), from a `tone_stream://` script
//! ([`Sound::from_tone_stream`]) or from samples. Where bytes come from, and how long they are
//! kept, is decided elsewhere; playing is the business of [`Session::play`](crate::Session::play).

mod resample;
mod tone_stream;
mod wav;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::tone_stream::{ToneStreamError, ToneStreamProblem};
pub use self::wav::SoundError;

use crate::chord::{Chord, SAMPLE_RATE, peak_of};

/// Longest sound, once through; what is longer is refused before it is decoded.
pub const LENGTH_MAX: Duration = Duration::from_mins(30);

/// How often a sound is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// That many times in all; 0 is over at once.
    Times(u32),
    /// Until something ends it.
    Forever,
}

/// Decoded audio, mono, 8000 samples a second. A clone shares the samples.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    samples: Arc<[i16]>,
    repeat: Option<Repeat>,
}

impl Sound {
    /// Decodes a RIFF WAVE file: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, G.711; one to
    /// eight channels, which are mixed; 4000 to 192,000 samples a second.
    ///
    /// Chunks may stand in any order. Data that announce more than there is, or a length that was
    /// never filled in, reach to the end of the file.
    ///
    /// # Errors
    /// [`SoundError`] says what is wrong, at which byte, and what was expected.
    pub fn from_wav(bytes: &[u8]) -> Result<Sound, SoundError> {
        let (rate, samples) = wav::read(bytes)?;
        Ok(Sound::of(resample::to_8000(samples, rate)))
    }

    /// Renders a tone script of FreeSWITCH, such as `tone_stream://L=20;%(2000,4000,440,480)`:
    /// tones `%(on,off,f1,f2,…)` in milliseconds and Hz, of which one round is kept; `v=-12` sets
    /// the level of each frequency of the tones that follow, in dBm0; `l=2` sounds each tone that
    /// follows twice; `L=20` and `loops=20` are kept in [`Sound::repeat`], -1 as
    /// [`Repeat::Forever`].
    ///
    /// # Errors
    /// [`ToneStreamError`], with the character at which it stands.
    pub fn from_tone_stream(text: &str) -> Result<Sound, ToneStreamError> {
        let (samples, repeat) = tone_stream::render(text)?;
        Ok(Sound { repeat, ..Sound::of(samples) })
    }

    /// Samples that were made elsewhere, 8000 a second; what is beyond [`LENGTH_MAX`] is left out.
    pub fn from_samples(mut samples: Vec<i16>) -> Sound {
        samples.truncate(LENGTH_MAX.as_secs() as usize * SAMPLE_RATE as usize);
        Sound::of(samples)
    }

    /// Three short beeps, to say that a call is about to end.
    ///
    /// 1400 Hz is the frequency of the warning tones of ITU-T E.180; the rhythm, 200 ms of tone
    /// and 200 ms of pause, is ours, and quicker than any of theirs.
    pub fn warning_tone() -> Sound {
        const BEEP: usize = SAMPLE_RATE as usize / 5;
        let mut samples = Vec::with_capacity(6 * BEEP);
        for _ in 0..3 {
            let mut chord = Chord::new([1400.0], peak_of(-13.0) as i32);
            samples.extend((0..BEEP).map(|_| {
                let sample = chord.sample();
                chord.skip(1);
                sample
            }));
            samples.resize(samples.len() + BEEP, 0);
        }
        Sound::of(samples)
    }

    fn of(samples: Vec<i16>) -> Sound {
        Sound { samples: samples.into(), repeat: None }
    }

    /// The samples, once through.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// How long it is, once through.
    pub fn duration(&self) -> Duration {
        let samples = self.samples.len() as u64;
        Duration::from_nanos(samples.saturating_mul(1_000_000_000 / u64::from(SAMPLE_RATE)))
    }

    /// Bytes of memory that its samples take, for whoever bounds a cache of them.
    pub fn bytes(&self) -> usize {
        size_of_val::<[i16]>(&self.samples)
    }

    /// How often the sound itself wants to be heard; `None`: as whoever plays it says.
    pub fn repeat(&self) -> Option<Repeat> {
        self.repeat
    }

    /// The same samples with another wish of how often they are heard.
    #[must_use]
    pub fn with_repeat(self, repeat: Option<Repeat>) -> Sound {
        Sound { repeat, ..self }
    }
}

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sound { samples, repeat } = self;
        f.debug_struct("Sound")
            .field("samples", &samples.len())
            .field("repeat", repeat)
            .finish_non_exhaustive()
    }
}
