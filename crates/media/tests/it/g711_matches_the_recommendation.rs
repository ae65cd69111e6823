//! Every code and every sample against the decision values of ITU-T G.711 tables 1 and 2, built
//! here from their step sizes.

use media::codec::g711::{alaw_to_linear, convert, linear_to_alaw, linear_to_ulaw, ulaw_to_linear};
use media::sdp::Codec;

/// Decision values 0 to 128 on the 16-bit scale: (steps, size) in turn.
fn decision_values(steps: &[(usize, i32)]) -> Vec<i32> {
    let mut values = vec![0];
    for (count, size) in steps {
        for _ in 0..*count {
            values.push(values.last().unwrap() + size);
        }
    }
    assert_eq!(values.len(), 129);
    values
}

fn ulaw_values() -> Vec<i32> {
    let mut steps = vec![(1, 4), (15, 8)];
    steps.extend((1..8).map(|segment| (16, 8 << segment)));
    decision_values(&steps)
}

fn alaw_values() -> Vec<i32> {
    let mut steps = vec![(32, 16)];
    steps.extend((1..7).map(|segment| (16, 16 << segment)));
    decision_values(&steps)
}

/// The interval of a magnitude; on a decision value the upper one if `outward`.
fn interval(values: &[i32], magnitude: i32, outward: bool) -> u8 {
    let reached = |value: &&i32| if outward { **value <= magnitude } else { **value < magnitude };
    values[1..128].iter().filter(reached).count() as u8
}

#[test]
fn all_samples_fall_into_their_interval() {
    let (ulaw, alaw) = (ulaw_values(), alaw_values());
    for sample in i16::MIN..=i16::MAX {
        let positive = sample >= 0;
        let magnitude = i32::from(sample).abs();
        let u = interval(&ulaw, magnitude, positive);
        let a = interval(&alaw, magnitude, positive);
        assert_eq!(linear_to_ulaw(sample), if positive { 0xff - u } else { 0x7f - u }, "{sample}");
        assert_eq!(
            linear_to_alaw(sample),
            (if positive { 0x80 | a } else { a }) ^ 0x55,
            "{sample}"
        );
    }
}

#[test]
fn all_codes_decode_to_the_middle_of_their_interval() {
    let (ulaw, alaw) = (ulaw_values(), alaw_values());
    for n in 0..128_u8 {
        let index = usize::from(n);
        let u = if n == 0 { 0 } else { (ulaw[index] + ulaw[index + 1]) / 2 };
        let a = (alaw[index] + alaw[index + 1]) / 2;
        assert_eq!(i32::from(ulaw_to_linear(0xff - n)), u);
        assert_eq!(i32::from(ulaw_to_linear(0x7f - n)), -u);
        assert_eq!(i32::from(alaw_to_linear((0x80 | n) ^ 0x55)), a);
        assert_eq!(i32::from(alaw_to_linear(n ^ 0x55)), -a);
    }
}

#[test]
fn codes_survive_a_round_trip_but_for_negative_zero() {
    for code in 0..=255_u8 {
        let ulaw = linear_to_ulaw(ulaw_to_linear(code));
        assert_eq!(ulaw, if code == 0x7f { 0xff } else { code });
        assert_eq!(linear_to_alaw(alaw_to_linear(code)), code);
    }
}

#[test]
fn conversion_is_by_way_of_linear() {
    for code in 0..=255_u8 {
        let mut to_alaw = [code];
        convert(Codec::Pcmu, Codec::Pcma, &mut to_alaw);
        assert_eq!(to_alaw[0], linear_to_alaw(ulaw_to_linear(code)));
        let mut to_ulaw = [code];
        convert(Codec::Pcma, Codec::Pcmu, &mut to_ulaw);
        assert_eq!(to_ulaw[0], linear_to_ulaw(alaw_to_linear(code)));
        let mut same = [code];
        convert(Codec::Pcma, Codec::Pcma, &mut same);
        assert_eq!(same[0], code);
    }
}

#[test]
fn a_second_tandem_conversion_adds_nothing() {
    for code in 0..=255_u8 {
        let mut once = [code];
        convert(Codec::Pcmu, Codec::Pcma, &mut once);
        convert(Codec::Pcma, Codec::Pcmu, &mut once);
        let mut twice = once;
        convert(Codec::Pcmu, Codec::Pcma, &mut twice);
        convert(Codec::Pcma, Codec::Pcmu, &mut twice);
        assert_eq!(once, twice, "{code}");
    }
}
