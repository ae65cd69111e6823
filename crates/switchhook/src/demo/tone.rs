//! The tones that the phones hum, and how they know what they hear.

use media::Codec;
use media::codec::g711;

/// Samples in a second.
const RATE: f64 = 8000.0;
/// Samples in a packet of 20 ms.
pub(super) const SAMPLES: usize = 160;
/// Well below the loudest, well above a telephone's noise.
const AMPLITUDE: f64 = 8000.0;

/// One packet's worth of a tone in µ-law, from this sample on.
pub(super) fn hum(frequency: f64, first: usize) -> [u8; SAMPLES] {
    std::array::from_fn(|index| {
        let at = (first + index) as f64 / RATE;
        let sample = AMPLITUDE * (std::f64::consts::TAU * frequency * at).sin();
        g711::encode(Codec::Pcmu, sample as i16)
    })
}

/// The share of the energy of a packet that lies at this frequency, 0 to 1 (Goertzel 1958).
pub(super) fn share(frequency: f64, codec: Codec, payload: &[u8]) -> f64 {
    let turn = std::f64::consts::TAU * frequency / RATE;
    let coefficient = 2.0 * turn.cos();
    let (mut last, mut before, mut energy) = (0.0, 0.0, 0.0);
    for code in payload {
        let sample = f64::from(g711::decode(codec, *code));
        energy += sample * sample;
        let now = sample + coefficient * last - before;
        before = last;
        last = now;
    }
    let power = last * last + before * before - coefficient * last * before;
    let most = energy * payload.len() as f64 / 2.0;
    if most > 0.0 { power / most } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_told_from_another() {
        let packet = hum(1000.0, 0);
        assert!(share(1000.0, Codec::Pcmu, &packet) > 0.9);
        assert!(share(440.0, Codec::Pcmu, &packet) < 0.1);
    }
}
