//! Digits that a peer presses: each told once, whatever becomes of its packets.

use std::time::Duration;

use media::rtp::packet;
use media::sdp::{Codec, Direction, Negotiated};
use media::timer::{PRESS_SILENCE, Timer};
use media::{LegId, SessionEvent};

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, Numbers, ms, stream};

const STRANGER: &str = "192.0.2.66:4000";

/// A packet of a telephone-event.
fn event(event: u8, timestamp: u32, duration: u16, end: bool) -> Vec<u8> {
    let header = packet::header(false, 101, 1, timestamp, 7);
    let [high, low] = duration.to_be_bytes();
    [&header[..], &[event, u8::from(end) << 7 | 10, high, low]].concat()
}

/// The packets of a press of 200 ms, its last packet three times.
fn press(code: u8, timestamp: u32) -> Vec<Vec<u8>> {
    let going = (1..10).map(|n| event(code, timestamp, n * 160, false));
    going.chain((0..3).map(|_| event(code, timestamp, 1600, true))).collect()
}

fn pressed(leg: LegId, digit: char, milliseconds: u64) -> SessionEvent {
    SessionEvent::Digit { leg, digit, duration: ms(milliseconds) }
}

fn caller() -> Call {
    let mut call = Call::new(None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    call
}

fn give(call: &mut Call, packets: &[Vec<u8>]) -> Vec<SessionEvent> {
    for bytes in packets {
        call.now += ms(20);
        call.session.handle_timeout(call.now);
        call.rtp(CALLER, CALLER_RTP, &mut bytes.clone());
    }
    call.events()
}

#[test]
fn each_digit_is_told_once_with_its_length_though_nobody_hears_the_leg() {
    let mut call = caller();
    for (code, digit) in (0..).zip("0123456789*#ABCD".chars()) {
        let events = give(&mut call, &press(code, u32::from(code) * 4000));
        assert_eq!(events, [pressed(CALLER, digit, 200)]);
    }
    assert_eq!(call.session.poll_timeout(), None, "nothing is waited for");
}

#[test]
fn digits_pass_to_whoever_hears_the_leg_as_well() {
    let (caller, callee) = (stream(CALLER_RTP, Codec::Pcmu), stream(CALLEE_RTP, Codec::Pcma));
    let mut call = Call::bridged(caller, callee);
    for mut bytes in press(5, 0) {
        let sent = bytes.clone();
        let forward = call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
        assert_eq!((forward.leg, &bytes), (CALLEE, &sent));
    }
    assert_eq!(call.events(), [pressed(CALLER, '5', 200)]);
}

#[test]
fn other_events_are_no_digits() {
    for code in [16, 32, 255] {
        assert!(give(&mut caller(), &press(code, 0)).is_empty(), "{code}");
    }
}

#[test]
fn a_press_without_an_end_is_told_when_nothing_more_comes() {
    let mut call = caller();
    assert!(give(&mut call, &press(5, 0)[..9]).is_empty());
    let deadline = call.session.next_deadline().unwrap();
    assert_eq!((deadline.at, deadline.timer), (call.now + PRESS_SILENCE, Timer::Press(CALLER)));
    call.advance(PRESS_SILENCE - ms(1));
    assert!(call.events().is_empty());
    call.advance(ms(1));
    assert_eq!(call.events(), [pressed(CALLER, '5', 180)]);
    assert!(give(&mut call, &press(5, 0)[9..]).is_empty(), "its end comes after all");
    assert_eq!(call.session.poll_timeout(), None);
}

#[test]
fn a_press_without_an_end_is_told_when_the_next_begins() {
    let mut call = caller();
    give(&mut call, &press(5, 0)[..9]);
    let events = give(&mut call, &press(5, 4000));
    assert_eq!(events, [pressed(CALLER, '5', 180), pressed(CALLER, '5', 200)]);
}

#[test]
fn late_and_repeated_packets_make_nothing() {
    let mut call = caller();
    let (first, second) = (press(1, 0), press(2, 4000));
    give(&mut call, &first);
    let mixed = [&second[..5], &first[4..], &second[5..], &first, &second].concat();
    assert_eq!(give(&mut call, &mixed), [pressed(CALLER, '2', 200)]);
}

#[test]
fn whatever_is_lost_or_swapped_each_digit_is_told_once() {
    let mut numbers = Numbers(11);
    for _ in 0..300 {
        let mut packets = Vec::new();
        for code in 1..10_u8 {
            let all = press(code, u32::from(code) * 3200);
            // why: two survive, so that one comes in time whichever is swapped.
            let kept = numbers.below(all.len() - 1);
            for (n, bytes) in all.into_iter().enumerate() {
                if n == kept || n == kept + 1 || numbers.below(3) > 0 {
                    packets.push(bytes);
                }
            }
        }
        for pair in packets.chunks_exact_mut(2) {
            if numbers.below(3) == 0 {
                pair.swap(0, 1);
            }
        }
        let mut call = caller();
        let mut events = give(&mut call, &packets);
        call.advance(PRESS_SILENCE);
        events.extend(call.events());
        let heard: String = events.iter().map(digit).collect();
        assert_eq!(heard, "123456789");
    }
}

fn digit(event: &SessionEvent) -> char {
    match event {
        SessionEvent::Digit { digit, .. } => *digit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn strangers_press_nothing() {
    let mut call = caller();
    for mut bytes in press(5, 0) {
        call.rtp(CALLER, STRANGER, &mut bytes);
    }
    assert!(call.events().is_empty());
    let none = Negotiated { payload_types: Default::default(), ..stream(CALLER_RTP, Codec::Pcmu) };
    call.set(CALLER, none);
    assert!(give(&mut call, &press(5, 0)).is_empty(), "not agreed on");
}

#[test]
fn a_peer_that_may_not_send_presses_nothing() {
    let mut call = caller();
    let held = Negotiated { direction: Direction::SendOnly, ..stream(CALLER_RTP, Codec::Pcmu) };
    call.set(CALLER, held);
    assert!(give(&mut call, &press(5, 0)).is_empty());
}

#[test]
fn payloads_too_short_are_no_digits() {
    for length in 0..4 {
        let bytes = event(5, 0, 1600, true)[..12 + length].to_vec();
        assert!(give(&mut caller(), &[bytes]).is_empty());
    }
}

#[test]
fn a_flood_of_digits_is_cut_off() {
    let mut call = caller();
    for number in 0..10_000 {
        call.rtp(CALLER, CALLER_RTP, &mut event(1, number * 1000, 800, true));
    }
    let told = call.events().len();
    assert!((1..=16).contains(&told), "{told}");
    call.now += Duration::from_secs(10);
    call.rtp(CALLER, CALLER_RTP, &mut event(1, 20_000_000, 800, true));
    assert_eq!(call.events().len(), 1);
}

/// Packets of a digit as tones, and as many of silence.
fn tones(row: f64, column: f64, codec: Codec, packets: u32) -> Vec<Vec<u8>> {
    let sample = |hertz: f64, at: u32| {
        6000.0 * (std::f64::consts::TAU * hertz * f64::from(at) / 8000.0).sin()
    };
    let packet = |number: u32, is_loud: bool| {
        let header = packet::header(false, codec.payload_type(), number as u16, number * 160, 7);
        let code = |at| {
            let loud = (sample(row, at) + sample(column, at)) as i16;
            media::codec::g711::encode(codec, if is_loud { loud } else { 0 })
        };
        let payload: Vec<u8> = (number * 160..(number + 1) * 160).map(code).collect();
        [&header[..], &payload].concat()
    };
    (0..2 * packets).map(|number| packet(number, number < packets)).collect()
}

#[test]
fn digits_in_the_audio_are_told_where_they_are_listened_for_and_pass_as_audio() {
    for (has_tones, codec) in [(true, Codec::Pcmu), (true, Codec::Pcma), (false, Codec::Pcmu)] {
        let mut call = Call::bridged(stream(CALLER_RTP, codec), stream(CALLEE_RTP, Codec::Pcma));
        let negotiated = stream(CALLER_RTP, codec);
        let signalling_source = negotiated.remote_rtp.ip();
        let remote = media::Remote { negotiated, signalling_source, has_tones };
        call.session.set_remote(call.now, CALLER, remote);
        let mut passed = 0;
        for mut bytes in tones(770.0, 1336.0, codec, 10) {
            call.now += ms(20);
            passed += usize::from(call.rtp(CALLER, CALLER_RTP, &mut bytes).is_some());
        }
        assert_eq!(passed, 20, "all of it is heard");
        let told: Vec<(LegId, char)> = call
            .events()
            .into_iter()
            .filter_map(|event| match event {
                SessionEvent::Digit { leg, digit, .. } => Some((leg, digit)),
                _ => None,
            })
            .collect();
        assert_eq!(told, if has_tones { vec![(CALLER, '5')] } else { vec![] }, "{codec:?}");
    }
}
