//! A gain makes what a leg hears louder or softer by as much as it says, in both laws.

use std::f64::consts::TAU;

use media::codec::g711;
use media::rtp::packet;
use media::sdp::Codec;
use media::{Decibels, Gain, LegId};

use crate::support::{
    CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, amplitude, ms, packet_of, stream,
};

const LAWS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

fn gain(decibels: f64) -> Option<Box<Gain>> {
    Some(Box::new(Gain::new(Decibels::new(decibels))))
}

/// A second of 1004 Hz of this peak, said by one leg; the peak that the other one hears.
fn heard(call: &mut Call, from: (LegId, &str, Codec), to: Codec, peak: f64) -> f64 {
    let (leg, address, law) = from;
    let mut samples = Vec::new();
    for index in 0..50 {
        let payload: Vec<u8> = (0..160)
            .map(|n| {
                let seconds = f64::from(index * 160 + n) / 8000.0;
                g711::encode(law, ((TAU * 1004.0 * seconds).sin() * peak) as i16)
            })
            .collect();
        let mut bytes = packet_of(law.payload_type(), &payload);
        call.rtp(leg, address, &mut bytes).unwrap();
        samples.extend(bytes[12..].iter().map(|code| f64::from(g711::decode(to, *code))));
    }
    amplitude(&samples, 1004.0)
}

fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

#[test]
fn a_tone_is_heard_as_much_louder_as_was_asked_for() {
    for (from, to) in LAWS.into_iter().flat_map(|from| LAWS.map(|to| (from, to))) {
        for wanted in [-20.0, -6.0, -2.5, 0.1, 3.0, 12.0, 20.0] {
            let mut call = Call::bridged(stream(CALLER_RTP, from), stream(CALLEE_RTP, to));
            call.session.boost(CALLEE, gain(wanted));
            let peak = 2_000.0;
            let got = heard(&mut call, (CALLER, CALLER_RTP, from), to, peak);
            let change = decibels(got / peak);
            assert!((change - wanted).abs() < 0.2, "{from:?} to {to:?}: {wanted} dB, got {change}");
        }
    }
}

#[test]
fn the_other_way_and_everybody_else_stay_as_they_are() {
    let law = Codec::Pcma;
    let mut call = Call::bridged(stream(CALLER_RTP, law), stream(CALLEE_RTP, law));
    call.session.boost(CALLEE, gain(10.0));
    let back = heard(&mut call, (CALLEE, CALLEE_RTP, law), law, 2_000.0);
    assert!(decibels(back / 2_000.0).abs() < 0.1, "{back}");
    call.session.boost(CALLEE, None);
    let forth = heard(&mut call, (CALLER, CALLER_RTP, law), law, 2_000.0);
    assert!(decibels(forth / 2_000.0).abs() < 0.1, "{forth}");
}

#[test]
fn what_is_too_loud_stays_at_the_loudest_and_never_turns_round() {
    for law in LAWS {
        let loudest = f64::from(g711::decode(law, g711::encode(law, i16::MAX)));
        let louder = Gain::new(Decibels::new(20.0));
        for code in 0..=255 {
            let mut octet = [code];
            louder.apply(law, &mut octet);
            let (before, after) = (g711::decode(law, code), g711::decode(law, octet[0]));
            assert!(before.signum() * after.signum() >= 0, "{law:?} {before} became {after}");
            assert!(after.unsigned_abs() >= before.unsigned_abs(), "{law:?} {before} {after}");
            assert!(f64::from(after).abs() <= loudest + 1.0, "{law:?} {before} {after}");
        }
    }
}

#[test]
fn digits_are_passed_as_they_are() {
    let law = Codec::Pcmu;
    let mut call = Call::bridged(stream(CALLER_RTP, law), stream(CALLEE_RTP, law));
    call.session.boost(CALLEE, gain(6.0));
    let header = packet::header(true, 101, 1, 0, 7);
    let digit = [7, 0x0a, 0x00, 0xa0];
    let mut bytes = [&header[..], &digit].concat();
    assert!(call.rtp(CALLER, CALLER_RTP, &mut bytes).is_some());
    assert_eq!(bytes[12..], digit);
}

#[test]
fn a_leg_leaves_its_gain_behind() {
    let law = Codec::Pcmu;
    let mut call = Call::bridged(stream(CALLER_RTP, law), stream(CALLEE_RTP, law));
    call.session.boost(CALLEE, gain(6.0));
    let taken = call.session.take_leg(CALLEE).unwrap();
    call.now += ms(20);
    call.session.put_leg(call.now, CALLEE, taken).unwrap();
    call.session.bridge(call.now, CALLER, CALLEE);
    let got = heard(&mut call, (CALLER, CALLER_RTP, law), law, 2_000.0);
    assert!(decibels(got / 2_000.0).abs() < 0.1, "{got}");
}
