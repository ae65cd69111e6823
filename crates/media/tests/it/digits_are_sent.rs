//! Digits that are sent to a leg: as telephone-events, or as tones.

use media::codec::g711;
use media::digits::{DIGIT_LENGTH, DigitsError};
use media::rtp::packet::Packet;
use media::sdp::{Codec, Negotiated, PayloadTypes};
use media::{Digits, LegId, Play, PlayId, Repeat, SessionEvent, Sound};

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, amplitude, ms, packet, stream};

fn digits(text: &str) -> Digits {
    Digits::parse(text).unwrap()
}

const SENT: SessionEvent = SessionEvent::DigitsSent { leg: CALLER, whole: true };

/// A leg that takes telephone-events, or only audio.
fn caller(events: bool) -> Call {
    let mut call = Call::new(None);
    let mut negotiated = stream(CALLER_RTP, Codec::Pcmu);
    let payload_types = PayloadTypes { telephone_event: None, ..negotiated.payload_types };
    if !events {
        negotiated = Negotiated { payload_types, ..negotiated };
    }
    call.set(CALLER, negotiated);
    call
}

/// What is sent, with the number of the frame, until it is over.
fn send(call: &mut Call, text: &str, length: u64) -> Vec<(u64, Vec<u8>)> {
    call.session.send_digits(call.now, CALLER, digits(text), ms(length));
    let mut packets: Vec<(u64, Vec<u8>)> = Vec::new();
    packets.extend(call.generated().into_iter().map(|(_, bytes)| (0, bytes)));
    for frame in 1..1000 {
        packets.extend(call.advance(ms(20)).into_iter().map(|(_, bytes)| (frame, bytes)));
        let events = call.events();
        if !events.is_empty() {
            assert_eq!(events, [SENT]);
            return packets;
        }
    }
    panic!("never sent to its end");
}

#[test]
fn an_event_has_one_timestamp_growing_lengths_and_three_ends() {
    let mut call = caller(true);
    let packets = send(&mut call, "5", 200);
    assert_eq!(packets.len(), 12);
    let first = Packet::parse(&packets[0].1).unwrap();
    for (n, (frame, bytes)) in packets.iter().enumerate() {
        let packet = Packet::parse(bytes).unwrap();
        let length = 160 * (n as u16 + 1).min(10);
        let [high, low] = length.to_be_bytes();
        let end = if n >= 9 { 0x80 } else { 0 };
        assert_eq!(bytes[12..], [5, end | 9, high, low], "{n}");
        assert_eq!((packet.payload_type, packet.marker), (101, n == 0));
        assert_eq!((packet.ssrc, packet.timestamp), (first.ssrc, first.timestamp));
        assert_eq!(packet.sequence, first.sequence.wrapping_add(n as u16));
        assert_eq!(*frame, n as u64, "one each 20 ms");
    }
}

#[test]
fn digits_follow_each_other_after_a_pause() {
    let mut call = caller(true);
    let packets = send(&mut call, "1wW#", 100);
    let starts: Vec<(u64, u8, u32)> = packets
        .iter()
        .filter(|(_, bytes)| Packet::parse(bytes).unwrap().marker)
        .map(|(frame, bytes)| (*frame, bytes[12], Packet::parse(bytes).unwrap().timestamp))
        .collect();
    // 100 ms of digit and 100 of pause, 500, 1000.
    assert_eq!((starts[0].1, starts[1].1), (1, 11));
    assert_eq!((starts[0].0, starts[1].0), (0, 85));
    assert_eq!(starts[1].2, starts[0].2.wrapping_add(1700 * 8));
    assert_eq!(packets.len(), 14);
}

#[test]
fn lengths_are_those_asked_for_within_bounds() {
    for (asked, samples) in [(250, 2000), (1, 320), (40, 320), (45, 360), (60_000, 64_000)] {
        let packets = send(&mut caller(true), "0", asked);
        let last = &packets.last().unwrap().1;
        assert_eq!(u16::from_be_bytes([last[14], last[15]]), samples, "{asked}");
        assert_eq!(packets.iter().filter(|(_, bytes)| bytes[13] & 0x80 != 0).count(), 3);
    }
    assert_eq!(DIGIT_LENGTH, ms(200));
}

#[test]
fn longer_packets_make_the_same_events() {
    let mut call = Call::new(None);
    call.set(CALLER, Negotiated { ptime: ms(60), ..stream(CALLER_RTP, Codec::Pcmu) });
    let packets = send(&mut call, "9", 100);
    let lengths: Vec<u16> =
        packets.iter().map(|(_, p)| u16::from_be_bytes([p[14], p[15]])).collect();
    assert_eq!(lengths, [480, 800, 800, 800]);
}

#[test]
fn a_leg_without_events_hears_two_tones() {
    let lows = [697.0, 770.0, 852.0, 941.0];
    let highs = [1209.0, 1336.0, 1477.0, 1633.0];
    for (n, digit) in "123A456B789C*0#D".chars().enumerate() {
        let mut call = caller(false);
        let packets = send(&mut call, &digit.to_string(), 100);
        assert_eq!(packets.len(), 10, "tone and pause are one stream of audio");
        let audio = packets.iter().flat_map(|(_, bytes)| &bytes[12..]);
        let samples: Vec<f64> = audio.map(|code| f64::from(g711::ulaw_to_linear(*code))).collect();
        for (which, frequency) in lows.iter().chain(&highs).enumerate() {
            let present = which == n / 4 || which == 4 + n % 4;
            let found = amplitude(&samples[..800], *frequency);
            // -9 dBm0 has a peak of 8070.
            let expected = if present { 7500.0..8600.0 } else { 0.0..2000.0 };
            assert!(expected.contains(&found), "{digit}: {frequency} Hz has {found}");
        }
        assert!(samples[800..].iter().all(|sample| *sample == 0.0));
        let headers = packets.iter().map(|(_, bytes)| Packet::parse(bytes).unwrap());
        assert!(headers.enumerate().all(|(n, p)| p.marker == (n == 0) && p.payload_type == 0));
    }
}

#[test]
fn nothing_else_is_sent_meanwhile_and_it_goes_on_after() {
    let stream = |rtp| stream(rtp, Codec::Pcmu);
    let mut call = Call::bridged(stream(CALLER_RTP), stream(CALLEE_RTP));
    call.session.send_digits(call.now, CALLER, digits("5"), ms(100));
    call.generated();
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_none());
    for _ in 0..10 {
        call.advance(ms(20));
    }
    assert_eq!(call.events(), [SENT]);
    let mut voice = packet(0);
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut voice).is_some());
    assert!(Packet::parse(&voice).unwrap().marker);
}

#[test]
fn a_sound_goes_on_under_digits_in_the_same_stream() {
    let music: Vec<i16> = (0..8000).map(|n| g711::ulaw_to_linear((n / 160) as u8)).collect();
    let mut call = caller(true);
    let (id, sound) = (PlayId(1), Sound::from_samples(music));
    let play = Play { id, sound, repeat: Repeat::Times(1), from_sample: 0, longest: None };
    call.session.play(call.now, CALLER, play);
    let before = Packet::parse(&call.generated()[0].1).unwrap();
    let packets = send(&mut call, "5", 60);
    let event = Packet::parse(&packets[0].1).unwrap();
    assert_eq!((event.ssrc, event.payload_type), (before.ssrc, 101));
    assert_eq!(event.timestamp, before.timestamp.wrapping_add(160));
    let (frame, after) = packets.last().unwrap();
    let sounding = Packet::parse(after).unwrap();
    assert_eq!((sounding.payload_type, sounding.marker), (0, true));
    assert_eq!(after[12..], [*frame as u8; 160], "where it would be");
    assert_eq!(sounding.timestamp, before.timestamp.wrapping_add(*frame as u32 * 160));
}

#[test]
fn lists_wait_for_each_other_up_to_a_limit() {
    let mut call = caller(true);
    for _ in 0..media::session::DIGIT_LISTS_MAX {
        call.session.send_digits(call.now, CALLER, digits("1"), ms(40));
    }
    assert!(call.events().is_empty());
    call.session.send_digits(call.now, CALLER, digits("2"), ms(40));
    let refused = SessionEvent::DigitsSent { leg: CALLER, whole: false };
    assert_eq!(call.events(), [refused]);
    let mut sent = Vec::new();
    while sent.len() < media::session::DIGIT_LISTS_MAX {
        call.advance(ms(20));
        sent.extend(call.events());
    }
    assert!(sent.iter().all(|event| *event == SENT));
    assert_eq!(call.session.poll_timeout(), None);
}

#[test]
fn digits_take_their_time_while_nothing_can_be_sent() {
    let mut call = Call::new(None);
    call.session.send_digits(call.now, CALLER, digits("1w"), ms(100));
    call.advance(ms(680));
    assert!(call.events().is_empty());
    call.advance(ms(20));
    assert_eq!(call.events(), [SENT]);
    assert_eq!(call.session.poll_timeout(), None);
}

#[test]
fn after_a_late_wake_up_the_event_has_its_end_all_the_same() {
    let mut call = caller(true);
    call.session.send_digits(call.now, CALLER, digits("1"), ms(200));
    let mut packets = call.generated();
    packets.extend(call.advance(ms(1000)));
    for _ in 0..20 {
        packets.extend(call.advance(ms(20)));
    }
    let ends = packets.iter().filter(|(_, bytes)| bytes[13] & 0x80 != 0).count();
    assert_eq!((packets.len(), ends), (12, 3));
}

#[test]
fn a_leg_that_goes_or_is_not_there_has_not_been_sent_all() {
    let mut call = caller(true);
    let lost = |leg| SessionEvent::DigitsSent { leg, whole: false };
    call.session.send_digits(call.now, CALLER, digits("1"), ms(200));
    call.session.send_digits(call.now, CALLER, digits("2"), ms(200));
    call.session.remove_leg(CALLER);
    assert_eq!(call.events(), [lost(CALLER), lost(CALLER)]);
    call.session.send_digits(call.now, LegId(9), digits("1"), ms(200));
    assert_eq!(call.events(), [lost(LegId(9))]);
}

#[test]
fn lists_of_digits_are_read_or_their_fault_is_named() {
    assert_eq!(digits("aB"), digits("Ab"));
    assert_ne!(digits("w"), digits("W"));
    let rows = [
        ("", "digits: expected at least one of 0-9, *, #, A-D, w or W, got none"),
        ("12é", "digits, character 3: expected 0-9, *, #, A-D, w (0.5 s) or W (1 s), got `é`"),
        ("1 2", "digits, character 2: expected 0-9, *, #, A-D, w (0.5 s) or W (1 s), got ` `"),
        ("E", "digits, character 1: expected 0-9, *, #, A-D, w (0.5 s) or W (1 s), got `E`"),
    ];
    for (text, expected) in rows {
        assert_eq!(Digits::parse(text).unwrap_err().to_string(), expected);
    }
    assert!(Digits::parse(&"1".repeat(256)).is_ok());
    assert_eq!(Digits::parse(&"1".repeat(257)), Err(DigitsError::TooMany));
}
