//! Ringback that the switch makes itself.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use media::{Codec, tone};
use net::rtp::{Command, Config};

use crate::rig::{CALLEE, CALLER, Rig, packet};

/// ITU-T G.711: a µ-law octet to a sample.
fn linear(octet: u8) -> f64 {
    let octet = !octet;
    let magnitude = ((i32::from(octet & 0x0f) << 3) + 0x84) << ((octet >> 4) & 7);
    let sample = magnitude - 0x84;
    f64::from(if octet & 0x80 == 0 { sample } else { -sample })
}

/// Goertzel: the share of the samples' power that is at `frequency`.
fn share(samples: &[f64], frequency: f64) -> f64 {
    let factor = 2.0 * (TAU * frequency / 8000.0).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + factor * last - before, last);
    }
    let power = last * last + before * before - factor * last * before;
    let all: f64 = samples.iter().map(|sample| sample * sample).sum();
    power * 2.0 / (all * samples.len() as f64)
}

#[test]
fn a_caller_hears_its_countrys_tone_at_fifty_packets_a_second() {
    let mut rig = Rig::new(1, Config::default());
    let caller = rig.phone(1, CALLER, Codec::Pcmu);
    let us = tone::country("us").expect("a known country");
    let began = Instant::now();
    rig.send(Command::Ringback { call: 1, to: CALLER, tone: us });

    let mut samples = Vec::new();
    let mut last_sequence = None::<u16>;
    for _ in 0..50 {
        let (heard, from) = caller.hear_from();
        assert_eq!((heard.len(), heard[1] & 0x7f, from), (172, 0, caller.switch));
        let sequence = u16::from_be_bytes([heard[2], heard[3]]);
        if let Some(last) = last_sequence.replace(sequence) {
            assert_eq!(sequence, last.wrapping_add(1));
        }
        samples.extend(heard[12..].iter().copied().map(linear));
    }
    // why: 440 and 480 Hz sound for two seconds, so the first second is all tone.
    let (low, high) = (share(&samples, 440.0), share(&samples, 480.0));
    assert!(low > 0.4 && high > 0.4, "440 Hz has {low}, 480 Hz has {high} of the power");

    // why: never faster than it sounds. How much later depends on the machine.
    let took = began.elapsed();
    assert!(took > Duration::from_millis(49 * 20 - 100), "50 packets in {took:?}");
}

#[test]
fn the_callees_voice_replaces_the_tone() {
    let mut rig = Rig::new(1, Config::default());
    let caller = rig.phone(1, CALLER, Codec::Pcma);
    let callee = rig.phone(1, CALLEE, Codec::Pcma);
    let de = tone::country("de").expect("a known country");
    rig.send(Command::Ringback { call: 1, to: CALLER, tone: de });
    caller.hear();
    rig.send(Command::Connect { call: 1, from: CALLEE, to: CALLER });
    callee.speak(&packet(8, 77));
    let voice = packet(8, 77);
    let heard = (0..50).map(|_| caller.hear()).find(|heard| heard[2..] == voice[2..]);
    assert!(heard.is_some(), "the voice never came");
    caller.hears_nothing();

    // One way: the callee hears nothing of the caller until the call is bridged.
    caller.speak(&packet(8, 1));
    callee.hears_nothing();
    rig.send(Command::Silence { call: 1, to: CALLER });
    callee.speak(&packet(8, 78));
    caller.hears_nothing();
}
