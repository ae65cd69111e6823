//! Ringback tones by country: which frequencies, for how long.
//!
//! The values are the national ones collected in Supplement 2 to ITU-T E.180. A tone that a
//! country modulates (400 Hz by 25 Hz) is listed as the frequencies that the modulation yields.
//! Sound is made of them in `Ringing`, one sample after the other, without a gap in phase.
//!
//! Which country a call uses, and when it rings, is decided elsewhere.

use crate::chord::Chord;
use crate::codec::{Codec, g711};

pub use crate::chord::MAX_FREQUENCIES;

/// Samples in a millisecond.
const SAMPLES_PER_MS: u32 = 8;

/// Peak of the whole tone as a 16-bit sample: two frequencies at −19 dBm0 each, the level of the
/// North American plan.
const PEAK: i32 = 5104;

/// A tone that repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    /// In Hz, all of the same level; at most four.
    pub frequencies: &'static [u16],
    /// In milliseconds, on and off in turn, beginning with on.
    pub cadence: &'static [u16],
}

const fn tone(frequencies: &'static [u16], cadence: &'static [u16]) -> Tone {
    Tone { frequencies, cadence }
}

/// On 1 s, off 4 s.
const LONG: &[u16] = &[1000, 4000];
/// The double ring of the British system.
const DOUBLE: &[u16] = &[400, 200, 400, 2000];

/// ISO 3166 codes with the tone of the country, in alphabetical order.
static COUNTRIES: &[(&str, Tone)] = &[
    ("ar", tone(&[425], &[1000, 4500])),
    ("at", tone(&[420], &[1000, 5000])),
    ("au", tone(&[400, 425, 450], DOUBLE)),
    ("be", tone(&[425], &[1000, 3000])),
    ("bg", tone(&[425], LONG)),
    ("br", tone(&[425], LONG)),
    ("ca", tone(&[440, 480], &[2000, 4000])),
    ("ch", tone(&[425], LONG)),
    ("cl", tone(&[400], &[1000, 3000])),
    ("cn", tone(&[450], LONG)),
    ("cz", tone(&[425], LONG)),
    ("de", tone(&[425], LONG)),
    ("dk", tone(&[425], LONG)),
    ("ee", tone(&[425], LONG)),
    ("es", tone(&[425], &[1500, 3000])),
    ("fi", tone(&[425], LONG)),
    ("fr", tone(&[440], &[1500, 3500])),
    ("gb", tone(&[400, 450], DOUBLE)),
    ("gr", tone(&[425], LONG)),
    ("hk", tone(&[440, 480], &[400, 200, 400, 3000])),
    ("hu", tone(&[425], &[1250, 3750])),
    ("id", tone(&[425], LONG)),
    ("ie", tone(&[400, 450], DOUBLE)),
    ("il", tone(&[400], &[1000, 3000])),
    ("in", tone(&[375, 400, 425], DOUBLE)),
    ("it", tone(&[425], LONG)),
    ("jp", tone(&[384, 416], &[1000, 2000])),
    ("kr", tone(&[440, 480], &[1000, 2000])),
    ("lt", tone(&[425], LONG)),
    ("mx", tone(&[425], LONG)),
    ("my", tone(&[425], DOUBLE)),
    ("nl", tone(&[425], LONG)),
    ("no", tone(&[425], LONG)),
    ("nz", tone(&[400, 450], DOUBLE)),
    ("pl", tone(&[425], LONG)),
    ("pt", tone(&[425], &[1000, 5000])),
    ("ru", tone(&[425], &[800, 3200])),
    ("se", tone(&[425], &[1000, 5000])),
    ("sg", tone(&[401, 425, 449], DOUBLE)),
    ("sk", tone(&[425], LONG)),
    ("th", tone(&[400], LONG)),
    ("tr", tone(&[450], &[2000, 4000])),
    ("tw", tone(&[440, 480], &[1000, 2000])),
    ("ua", tone(&[425], LONG)),
    ("uk", tone(&[400, 450], DOUBLE)),
    ("us", tone(&[440, 480], &[2000, 4000])),
    ("za", tone(&[367, 400, 433], DOUBLE)),
];

/// The ringback tone of a country: an ISO 3166 code of two letters, or `uk`; in any letter case.
pub fn country(code: &str) -> Option<&'static Tone> {
    let found = COUNTRIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
    found.map(|(_, tone)| tone)
}

/// The codes that [`country`] knows, in alphabetical order, for error messages and docs.
pub fn countries() -> impl Iterator<Item = &'static str> {
    COUNTRIES.iter().map(|(code, _)| *code)
}

/// A tone that sounds: where it is in its cadence and in each period.
#[derive(Clone, Debug)]
pub(crate) struct Ringing {
    tone: &'static Tone,
    /// Samples of one cadence.
    period: u32,
    /// Samples since the cadence began, below `period`.
    position: u32,
    chord: Chord,
}

impl Ringing {
    /// The tone from its beginning.
    pub(crate) fn new(tone: &'static Tone) -> Ringing {
        let chord = Chord::new(tone.frequencies.iter().copied().map(f64::from), PEAK);
        let period = tone.cadence.iter().map(|length| u32::from(*length) * SAMPLES_PER_MS).sum();
        Ringing { tone, period, position: 0, chord }
    }

    /// The tone that it sounds.
    pub(crate) fn tone(&self) -> &'static Tone {
        self.tone
    }

    /// Fills `payload` with the next samples in the law of `codec`.
    pub(crate) fn fill(&mut self, codec: Codec, payload: &mut [u8]) {
        for octet in payload {
            let sample = if self.is_on() { self.chord.sample() } else { 0 };
            *octet = g711::encode(codec, sample);
            self.skip(1);
        }
    }

    /// Goes on by that many samples without making them.
    pub(crate) fn skip(&mut self, samples: u32) {
        let position = u64::from(self.position) + u64::from(samples);
        let position = position.checked_rem(u64::from(self.period)).unwrap_or_default();
        self.position = position as u32;
        self.chord.skip(samples);
    }

    /// Whether the current sample lies in an odd entry of the cadence; always without cadence.
    fn is_on(&self) -> bool {
        let mut end = 0;
        for (index, length) in self.tone.cadence.iter().enumerate() {
            end += u32::from(*length) * SAMPLES_PER_MS;
            if self.position < end {
                return index % 2 == 0;
            }
        }
        true
    }
}
