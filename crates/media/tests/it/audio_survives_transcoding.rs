//! What is heard at the far end is what was said, within the quantisation of both laws.

use std::f64::consts::TAU;

use media::codec::g711;
use media::sdp::Codec;

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, packet_of, stream};

/// 50 packets of a sine of 1004 Hz at half of full scale, across the call; both ends' samples.
fn carried(from: Codec, to: Codec) -> (Vec<f64>, Vec<f64>) {
    let mut call = Call::bridged(stream(CALLER_RTP, from), stream(CALLEE_RTP, to));
    let mut said = Vec::new();
    let mut heard = Vec::new();
    for index in 0..50 {
        let samples = (0..160).map(|n| {
            let seconds = f64::from(index * 160 + n) / 8000.0;
            ((TAU * 1004.0 * seconds).sin() * 16_000.0) as i16
        });
        let payload: Vec<u8> = samples.clone().map(|s| g711::encode(from, s)).collect();
        said.extend(samples.map(f64::from));
        let mut bytes = packet_of(from.payload_type(), &payload);
        let forward = call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
        assert_eq!(forward.leg, CALLEE);
        assert_eq!(bytes[1] & 0x7f, to.payload_type());
        heard.extend(bytes[12..].iter().map(|code| f64::from(g711::decode(to, *code))));
    }
    (said, heard)
}

fn signal_to_noise(said: &[f64], heard: &[f64]) -> f64 {
    let signal: f64 = said.iter().map(|s| s * s).sum();
    let noise: f64 = said.iter().zip(heard).map(|(s, h)| (s - h) * (s - h)).sum();
    10.0 * (signal / noise).log10()
}

#[test]
fn a_tone_arrives_as_the_same_tone() {
    for (from, to) in [(Codec::Pcma, Codec::Pcmu), (Codec::Pcmu, Codec::Pcma)] {
        let (said, heard) = carried(from, to);
        let ratio = signal_to_noise(&said, &heard);
        // One law alone is good for 38 dB at this level; a second one costs up to 3 dB.
        assert!(ratio > 33.0, "{from:?} to {to:?}: {ratio} dB");
    }
}

#[test]
fn without_transcoding_only_the_sender_quantises() {
    let (said, heard) = carried(Codec::Pcma, Codec::Pcma);
    let expected =
        said.iter().map(|s| g711::decode(Codec::Pcma, g711::encode(Codec::Pcma, *s as i16)));
    assert!(expected.map(f64::from).eq(heard.iter().copied()));
}
