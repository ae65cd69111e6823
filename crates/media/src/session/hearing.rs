//! Digits that the peer of a leg presses and that come as tones in its audio (ITU-T Q.23, Q.24).
//!
//! Audio is looked at in blocks. A block is of a digit where one frequency of the rows and one of
//! the columns stand out, alone and about as loud as each other, and make up most of what is
//! heard. Two blocks of a digit in a row begin it; three of anything else end it. So, wherever the
//! blocks begin, 40 ms are a digit and 15 ms are none, a pause of 40 ms parts two digits and one of
//! 10 ms does not: two whole blocks fit into 40 ms, and 10 ms spoil two.

use std::f32::consts::TAU;
use std::time::Duration;

use crate::codec::{Codec, g711};
use crate::digits::{self, COLUMNS, ROWS};

/// Samples of a block, 12.75 ms.
const BLOCK: u16 = 102;

/// Blocks of a digit that begin it.
const BEGINS: u8 = 2;

/// Blocks of anything else that end it.
const ENDS: u8 = 3;

/// How long a digit has sounded, more or less, when it is heard.
pub(super) const SOONEST: Duration = Duration::from_micros(BEGINS as u64 * BLOCK as u64 * 125);

/// Samples a second.
const RATE: f32 = 8000.0;

/// Least power of each frequency: that of a sine of -30 dBm0 (peak 705), less what is lost where it
/// is 1.8 % beside its place.
const POWER_MIN: f32 = 0.65 * (705.0 * BLOCK as f32 / 2.0) * (705.0 * BLOCK as f32 / 2.0);

/// How much louder one of the two may be than the other: 10 dB, for networks may make it 8 (Q.24).
const TWIST_MAX: f32 = 10.0;

/// How much louder than the next of its group a frequency stands out: 6 dB.
const STANDS_OUT: f32 = 4.0;

/// Least share of the two frequencies in all that is heard; speech has less.
const SHARE_MIN: f32 = 0.6;

/// What was heard of one frequency in this block (the filter of Goertzel).
#[derive(Clone, Copy, Debug, Default)]
struct Filter {
    coefficient: f32,
    last: f32,
    before: f32,
}

impl Filter {
    fn of(frequency: f64) -> Filter {
        Filter { coefficient: 2.0 * (TAU * frequency as f32 / RATE).cos(), ..Filter::default() }
    }

    fn take(&mut self, sample: f32) {
        // why: not `mul_add`, which is a call where the processor need not have it.
        let next = sample + self.coefficient * self.last - self.before;
        (self.before, self.last) = (self.last, next);
    }

    /// The power of the block, whose next one begins.
    fn power(&mut self) -> f32 {
        let Filter { coefficient, last, before } = *self;
        (self.last, self.before) = (0.0, 0.0);
        last * last + before * before - coefficient * last * before
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Hearing {
    rows: [Filter; 4],
    columns: [Filter; 4],
    /// Of all samples of this block.
    energy: f32,
    samples: u16,
    /// Of the last block, and how many like it there were in a row.
    last: Option<char>,
    blocks: u8,
    /// The digit that sounds.
    pressed: Option<char>,
    /// Blocks in a row that were not of it.
    missed: u8,
}

impl Hearing {
    pub(super) fn new() -> Hearing {
        Hearing {
            rows: ROWS.map(Filter::of),
            columns: COLUMNS.map(Filter::of),
            energy: 0.0,
            samples: 0,
            last: None,
            blocks: 0,
            pressed: None,
            missed: 0,
        }
    }

    /// Hears one sample of a G.711 stream; a digit that begins with it.
    pub(super) fn take(&mut self, codec: Codec, code: u8) -> Option<char> {
        let sample = f32::from(g711::decode(codec, code));
        self.energy += sample * sample;
        for filter in self.rows.iter_mut().chain(&mut self.columns) {
            filter.take(sample);
        }
        self.samples += 1;
        if self.samples < BLOCK {
            return None;
        }
        self.samples = 0;
        let heard = self.digit();
        self.hear(heard)
    }

    /// The digit of the block that is complete.
    fn digit(&mut self) -> Option<char> {
        let energy = std::mem::take(&mut self.energy);
        let rows = self.rows.each_mut().map(Filter::power);
        let columns = self.columns.each_mut().map(Filter::power);
        let (row, low) = outstanding(rows)?;
        let (column, high) = outstanding(columns)?;
        let is_even = low <= high * TWIST_MAX && high <= low * TWIST_MAX;
        let whole = energy * f32::from(BLOCK) / 2.0;
        if is_even && low + high >= SHARE_MIN * whole { digits::at(row, column) } else { None }
    }

    /// A block of this digit, or of none, was heard.
    fn hear(&mut self, heard: Option<char>) -> Option<char> {
        let before = std::mem::replace(&mut self.last, heard);
        self.blocks = if heard == before { self.blocks.saturating_add(1) } else { 1 };
        self.missed = if heard == self.pressed { 0 } else { self.missed.saturating_add(1) };
        if self.missed >= ENDS {
            self.pressed = None;
        }
        let begins = heard.filter(|_| self.blocks >= BEGINS && heard != self.pressed)?;
        (self.pressed, self.missed) = (Some(begins), 0);
        Some(begins)
    }
}

/// The one of a group that stands out, and its power.
fn outstanding(powers: [f32; 4]) -> Option<(usize, f32)> {
    let (place, power) =
        powers.into_iter().enumerate().max_by(|one, two| one.1.total_cmp(&two.1))?;
    let others = powers.iter().enumerate().filter(|(other, _)| *other != place);
    let alone = others.into_iter().all(|(_, other)| other * STANDS_OUT <= power);
    (alone && power >= POWER_MIN).then_some((place, power))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "0123456789*#ABCD";
    const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    /// Samples of a digit: its frequencies times `bent`, each with a peak.
    fn tones(digit: char, samples: usize, bent: f64, peaks: [f64; 2]) -> Vec<f64> {
        let event = DIGITS.find(digit).unwrap() as u8;
        let [low, high] = digits::frequencies_of(event);
        let sine = |frequency: f64, peak: f64, at: usize| {
            peak * (std::f64::consts::TAU * frequency * bent * at as f64 / 8000.0).sin()
        };
        let sum = |at| sine(low, peaks[0], at) + sine(high, peaks[1], at);
        (0..samples).map(sum).collect()
    }

    fn heard(codec: Codec, audio: &[f64]) -> String {
        let mut hearing = Hearing::new();
        audio
            .iter()
            .filter_map(|sample| hearing.take(codec, g711::encode(codec, *sample as i16)))
            .collect()
    }

    /// Silence, in samples.
    fn pause(samples: usize) -> Vec<f64> {
        vec![0.0; samples]
    }

    /// The peak of a sine of so many dBm0.
    fn peak(dbm0: f64) -> f64 {
        22_320.0 * 10f64.powf(dbm0 / 20.0)
    }

    #[test]
    fn each_digit_is_heard_once_wherever_a_block_begins() {
        for codec in CODECS {
            for offset in (0..102).step_by(7) {
                let mut audio = pause(offset);
                for digit in DIGITS.chars() {
                    audio.extend(tones(digit, 320, 1.0, [peak(-8.0); 2]));
                    audio.extend(pause(320));
                }
                assert_eq!(heard(codec, &audio), DIGITS, "{codec:?} {offset}");
            }
        }
    }

    #[test]
    fn soft_and_uneven_and_bent_ones_are_heard() {
        for (low, high) in [(-25.0, -25.0), (-10.0, -6.5), (-6.0, -13.0), (-3.0, -3.0)] {
            for bent in [0.985, 1.0, 1.015] {
                let mut audio = Vec::new();
                for digit in DIGITS.chars() {
                    audio.extend(tones(digit, 320, bent, [peak(low), peak(high)]));
                    audio.extend(pause(330));
                }
                assert_eq!(heard(Codec::Pcma, &audio), DIGITS, "{low} {high} {bent}");
            }
        }
    }

    #[test]
    fn the_same_digit_again_is_another_and_a_short_gap_is_none() {
        let tone = |samples| tones('5', samples, 1.0, [peak(-10.0); 2]);
        for offset in (0..102).step_by(3) {
            let twice = [pause(offset), tone(400), pause(320), tone(400), pause(400)].concat();
            assert_eq!(heard(Codec::Pcmu, &twice), "55", "{offset}");
            let once = [pause(offset), tone(800), pause(80), tone(800), pause(400)].concat();
            assert_eq!(heard(Codec::Pcmu, &once), "5", "{offset}");
        }
    }

    #[test]
    fn what_is_too_short_too_soft_too_uneven_or_something_else_is_no_digit() {
        let of = |samples, low, high| tones('7', samples, 1.0, [peak(low), peak(high)]);
        for offset in (0..102).step_by(3) {
            let short = [pause(offset), of(120, -10.0, -10.0), pause(400)].concat();
            assert_eq!(heard(Codec::Pcmu, &short), "", "15 ms, {offset}");
        }
        for (low, high) in [(-40.0, -40.0), (-3.0, -15.0), (-15.0, -3.0), (-90.0, -10.0)] {
            assert_eq!(heard(Codec::Pcmu, &of(1600, low, high)), "", "{low} {high}");
        }
        let aside = tones('7', 1600, 1.05, [peak(-10.0); 2]);
        assert_eq!(heard(Codec::Pcmu, &aside), "", "5 % beside the frequencies");
    }

    #[test]
    fn noise_beside_it_is_borne_and_alone_is_nothing() {
        let mut state = 1_u32;
        let mut noise = |peak: f64| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            peak * (f64::from(state >> 8) / f64::from(1 << 23) - 1.0)
        };
        let alone: Vec<f64> = (0..400_000).map(|_| noise(peak(-5.0))).collect();
        assert_eq!(heard(Codec::Pcmu, &alone), "");
        let beside: Vec<f64> = DIGITS
            .chars()
            .flat_map(|digit| [tones(digit, 480, 1.0, [peak(-10.0); 2]), pause(480)].concat())
            .map(|sample| sample + noise(peak(-22.0)))
            .collect();
        assert_eq!(heard(Codec::Pcmu, &beside), DIGITS);
    }

    #[test]
    fn two_tones_and_a_third_voice_are_no_digit() {
        for (low, high) in [(440.0, 480.0), (425.0, 425.0), (400.0, 450.0), (697.0, 1209.0)] {
            let chord = |at: usize| {
                let sine =
                    |frequency: f64| (std::f64::consts::TAU * frequency * at as f64 / 8000.0).sin();
                // As music and speech have it.
                peak(-14.0) * (sine(low) + sine(high) + 1.6 * sine(1000.0))
            };
            let audio: Vec<f64> = (0..16_000).map(chord).collect();
            assert_eq!(heard(Codec::Pcmu, &audio), "", "{low} {high}");
        }
    }
}
