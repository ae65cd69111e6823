//! Tones as samples, and how much of a sound is one tone (Goertzel's algorithm).

use std::f64::consts::TAU;

use media::Codec;
use media::codec::g711;

/// Samples a second.
const RATE: f64 = 8000.0;
/// Peak of a tone that is sent; far from clipping.
pub(crate) const PEAK: f64 = 8000.0;

/// One packet of two tones: `count` samples from sample `start` of them on.
pub(crate) fn encoded(codec: Codec, tones: [f64; 2], start: u32, count: u32) -> Vec<u8> {
    let [one, two] = tones.map(|hertz| samples(hertz, start, count));
    one.zip(two).map(|(one, two)| g711::encode(codec, one + two)).collect()
}

/// `count` samples of a tone, from sample `start` of it on.
pub(crate) fn samples(hertz: f64, start: u32, count: u32) -> impl Iterator<Item = i16> {
    (start..start + count)
        .map(move |index| ((TAU * hertz * f64::from(index) / RATE).sin() * PEAK) as i16)
}

/// The samples of a payload.
pub(crate) fn decoded(codec: Codec, payload: &[u8]) -> impl Iterator<Item = f64> {
    payload.iter().map(move |code| f64::from(g711::decode(codec, *code)))
}

/// Which part of the energy of `samples` is at this frequency: 1 for the pure tone, about 0 for
/// anything else. Silence is no tone.
pub(crate) fn share(samples: &[f64], hertz: f64) -> f64 {
    let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
    let count = samples.len() as f64;
    if energy < count * 1e4 {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hertz / RATE).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, sample + coefficient * last - before);
    }
    let power = last * last + before * before - coefficient * last * before;
    2.0 * power / (count * energy)
}

#[test]
fn a_tone_is_told_from_another_and_from_silence() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let samples: Vec<f64> = decoded(codec, &encoded(codec, [700.0, 0.0], 5, 1600)).collect();
        assert!(share(&samples, 700.0) > 0.98);
        assert!(share(&samples, 1100.0) < 0.02);
    }
    assert_eq!(share(&[8.0; 1600], 0.0), 0.0);
}
