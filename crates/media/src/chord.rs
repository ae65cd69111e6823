//! Up to four sines that sound together, sample by sample and without a gap in phase: what
//! ringback tones, dual tones and tone streams are made of.
//!
//! Levels are in dBm0 (ITU-T G.711 §3: a full-scale sine of µ-law is +3.17 dBm0). How long it
//! sounds is decided elsewhere.

/// Samples a second of every codec here.
pub(crate) const SAMPLE_RATE: u32 = 8000;

/// Most frequencies of one tone.
pub const MAX_FREQUENCIES: usize = 4;

/// Entries of the sine table; a power of two.
const SINE_STEPS: usize = 2048;
/// How far an index lies above the lowest bit of a 32-bit phase.
const SINE_SHIFT: u32 = 32 - SINE_STEPS.trailing_zeros();

/// One period of a sine with peak 32767.
static SINE: [i16; SINE_STEPS] = sine_table();

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn sine_table() -> [i16; SINE_STEPS] {
    let mut table = [0; SINE_STEPS];
    let mut step = 0;
    while step < SINE_STEPS {
        // Between −π and π, where the series needs few terms.
        let half = (SINE_STEPS / 2) as f64;
        let x = (step as f64 - half) / half * std::f64::consts::PI;
        let mut term = x;
        let mut sum = x;
        let mut n = 1.0;
        while n < 15.0 {
            term = -term * x * x / ((2.0 * n) * (2.0 * n + 1.0));
            sum += term;
            n += 1.0;
        }
        // sin(x − π) = −sin x
        table[step] = (-sum * 32767.0) as i16;
        step += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "the shift leaves 11 bits")]
fn sine(phase: u32) -> i16 {
    SINE[(phase >> SINE_SHIFT) as usize]
}

/// Peak of a sine of that level as a 16-bit sample.
pub(crate) fn peak_of(dbm0: f64) -> f64 {
    32767.0 * 10_f64.powf((dbm0 - 3.17) / 20.0)
}

/// Frequencies that sound, each of the same level.
#[derive(Clone, Debug)]
pub(crate) struct Chord {
    /// Where each frequency is in its period, and what it gains with a sample, in 2⁻³² periods.
    oscillators: [(u32, u32); MAX_FREQUENCIES],
    /// How many of them there are, at least one.
    count: i32,
    /// Peak of all together.
    peak: i32,
}

impl Chord {
    /// The first [`MAX_FREQUENCIES`] of those, in Hz, from phase 0. `peak` is that of all
    /// together, at most 32767.
    pub(crate) fn new(frequencies: impl IntoIterator<Item = f64>, peak: i32) -> Chord {
        let mut oscillators = [(0, 0); MAX_FREQUENCIES];
        let mut count = 0;
        for ((_, step), frequency) in oscillators.iter_mut().zip(frequencies) {
            *step = (frequency * 4_294_967_296.0 / f64::from(SAMPLE_RATE)) as u32;
            count += 1;
        }
        Chord { oscillators, count: count.max(1), peak: peak.clamp(0, 32767) }
    }

    /// The current sample.
    pub(crate) fn sample(&self) -> i16 {
        let sounding = self.oscillators.iter().take(self.count as usize);
        let sum: i32 = sounding.map(|(phase, _)| i32::from(sine(*phase))).sum();
        (sum / self.count * self.peak / 32767) as i16
    }

    /// Goes on by that many samples.
    pub(crate) fn skip(&mut self, samples: u32) {
        for (phase, step) in &mut self.oscillators {
            *phase = phase.wrapping_add(step.wrapping_mul(samples));
        }
    }
}
