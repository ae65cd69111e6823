//! From any sample rate to 8000: a windowed sinc that lets pass what a telephone carries, up to
//! about 3.3 kHz, and keeps from it what would fold back, above 4 kHz.
//!
//! Positions of the new samples in the old are exact fractions, so nothing drifts however long
//! the sound is.

use std::f64::consts::PI;

use crate::chord::SAMPLE_RATE;

/// Cut-off in cycles of a sample of the slower of the two rates.
const CUTOFF: f64 = 0.45;

/// Zeros of the sinc on each side of its middle: how steep it falls off.
const CROSSINGS: f64 = 32.0;

/// Most places between two old samples for which the filter is worked out; of rates that have
/// more in common with nothing, the nearest one serves.
const PHASES_MAX: usize = 1024;

/// The same sound at 8000 samples a second.
pub(super) fn to_8000(samples: Vec<i16>, rate: u32) -> Vec<i16> {
    if rate == SAMPLE_RATE || rate == 0 {
        return samples;
    }
    let divisor = greatest_common_divisor(rate, SAMPLE_RATE);
    let (up, down) = ((SAMPLE_RATE / divisor) as usize, (rate / divisor) as usize);
    let mut filter = Filter::new(rate, up.min(PHASES_MAX));
    let count = (samples.len() * up).div_ceil(down);
    (0..count)
        .map(|number| {
            let position = number * down;
            let phase = position % up * filter.phases() / up;
            filter.sample(&samples, position / up, phase)
        })
        .collect()
}

fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

struct Filter {
    cutoff: f64,
    /// Old samples that the filter reaches to each side, and the same in whole ones.
    reach: f64,
    half: usize,
    /// `2 * half` taps for each phase; none until it is used.
    rows: Vec<Vec<f32>>,
}

impl Filter {
    fn new(rate: u32, phases: usize) -> Filter {
        let cutoff = CUTOFF * (f64::from(SAMPLE_RATE) / f64::from(rate)).min(1.0);
        let reach = CROSSINGS / (2.0 * cutoff);
        Filter { cutoff, reach, half: reach.ceil() as usize, rows: vec![Vec::new(); phases] }
    }

    fn phases(&self) -> usize {
        self.rows.len()
    }

    /// The taps between two old samples; the sum of them is 1.
    fn row(&self, phase: usize) -> Vec<f32> {
        let offset = phase as f64 / self.phases() as f64;
        let distance = |tap: usize| (tap as f64 + 1.0 - self.half as f64) - offset;
        let taps = |tap| windowed_sinc(distance(tap), self.cutoff, self.reach);
        let sum: f64 = (0..2 * self.half).map(taps).sum();
        (0..2 * self.half).map(|tap| (taps(tap) / sum) as f32).collect()
    }

    /// The sample at that phase after old sample `index`.
    fn sample(&mut self, samples: &[i16], index: usize, phase: usize) -> i16 {
        let is_new = self.rows.get(phase).is_some_and(Vec::is_empty);
        let made = is_new.then(|| self.row(phase));
        let Some(row) = self.rows.get_mut(phase) else { return 0 };
        if let Some(made) = made {
            *row = made;
        }
        // The first tap lies `half - 1` before `index`; what lies before the first sample is 0.
        let before = (index + 1).saturating_sub(self.half);
        let missing = (self.half).saturating_sub(index + 1);
        let heard = samples.get(before..).unwrap_or_default();
        let taps = row.get(missing..).unwrap_or_default();
        // why: one sum alone would wait for each addition before the next.
        let mut sums = [0.0_f32; 8];
        for (taps, samples) in taps.chunks(8).zip(heard.chunks(8)) {
            for ((sum, tap), sample) in sums.iter_mut().zip(taps).zip(samples) {
                *sum += tap * f32::from(*sample);
            }
        }
        // why: `as` saturates where the filter overshoots.
        sums.iter().sum::<f32>().round() as i16
    }
}

/// `distance` in old samples; a Blackman window of `reach` to each side.
fn windowed_sinc(distance: f64, cutoff: f64, reach: f64) -> f64 {
    let place = distance / reach;
    if place.abs() >= 1.0 {
        return 0.0;
    }
    let window = 0.42 + 0.5 * (PI * place).cos() + 0.08 * (2.0 * PI * place).cos();
    let angle = 2.0 * PI * cutoff * distance;
    let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
    sinc * window
}
