//! Sounds, digits and muting through a media thread, from command to phone and from phone to
//! event.

use std::time::Duration;

use media::codec::g711;
use media::{Codec, Digits, Play, PlayEnd, PlayId, Repeat, Sound};
use net::rtp::{Command, Config, Event};

use crate::rig::{CALLEE, CALLER, Rig, bridged, packet};

/// As many frames as the numbers say, each of one sample value; 20 ms each.
fn sound(codes: &[u8]) -> Sound {
    let frame = |code: &u8| [g711::ulaw_to_linear(*code); 160];
    Sound::from_samples(codes.iter().flat_map(frame).collect())
}

fn play(id: u64, sound: Sound, repeat: Repeat) -> Play {
    Play { id: PlayId(id), sound, repeat, from_sample: 0, longest: None }
}

fn event_packet(code: u8, sequence: u16, end: bool) -> Vec<u8> {
    let header = media::rtp::packet::header(sequence == 0, 101, sequence, 8000, 7);
    [&header[..], &[code, u8::from(end) << 7 | 10, 0x06, 0x40]].concat()
}

#[test]
fn a_sound_is_heard_whole_and_its_end_is_told() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    let codes = [1, 2, 3, 4, 5];
    let twice = play(7, sound(&codes), Repeat::Times(2));
    rig.send(Command::Play { call: 1, to: CALLER, play: twice });
    let (leg, end) = (CALLER, PlayEnd::Finished);
    let over = Event::Played { call: 1, leg, id: PlayId(7), end, at_sample: 1600 };
    assert_eq!(rig.event(), over);
    let timestamp = |heard: &[u8]| u32::from_be_bytes([heard[4], heard[5], heard[6], heard[7]]);
    let first = caller.hear();
    assert_eq!((first[1], &first[12..]), (0x80, &[1; 160][..]));
    // why: on a busy machine the thread may wake too late for some, and leaves those out.
    callee.speak(&packet(0, 2));
    loop {
        let heard = caller.hear();
        if heard[2..] == packet(0, 2)[2..] {
            break;
        }
        let number = timestamp(&heard).wrapping_sub(timestamp(&first)) / 160;
        assert!(number < 10, "beyond the end");
        assert_eq!(heard[12..], [codes[number as usize % 5]; 160]);
    }
    callee.speak(&packet(0, 3));
    assert_eq!(caller.hear()[2..], packet(0, 3)[2..], "the callee is heard again");
}

#[test]
fn a_sound_can_be_stopped_and_is_when_its_leg_is_closed() {
    let mut rig = Rig::new(1, Config::default());
    let caller = rig.phone(1, CALLER, Codec::Pcmu);
    for id in [1, 2] {
        let for_ever = play(id, sound(&[9]), Repeat::Forever);
        rig.send(Command::Play { call: 1, to: CALLER, play: for_ever });
        caller.hear();
        caller.hear();
        if id == 1 {
            rig.send(Command::StopPlay { call: 1, leg: CALLER, id: Some(PlayId(1)) });
        } else {
            rig.send(Command::CloseLeg { call: 1, leg: CALLER });
        }
        let Event::Played { id: known, end, .. } = rig.event() else { panic!("it is over") };
        assert_eq!((known, end), (PlayId(id), PlayEnd::Stopped));
    }
    assert_eq!(rig.event(), Event::PortsFreed(vec![caller.switch.port()]));
}

#[test]
fn a_digit_is_told_once_and_passed_on_but_not_by_a_muted_leg() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcma);
    let press = |sequence, end| event_packet(5, sequence, end);
    for (sequence, end) in [(0, false), (1, true), (2, true), (3, true)] {
        caller.speak(&press(sequence, end));
        assert_eq!(callee.hear(), press(sequence, end));
    }
    let duration = Duration::from_millis(200);
    assert_eq!(rig.event(), Event::Digit { call: 1, leg: CALLER, digit: '5', duration });

    rig.send(Command::Mute { call: 1, leg: CALLEE, muted: true });
    callee.speak(&event_packet(11, 0, true));
    assert_eq!(rig.event(), Event::Digit { call: 1, leg: CALLEE, digit: '#', duration });
    callee.speak(&packet(8, 1));
    caller.hears_nothing();
    rig.send(Command::Mute { call: 1, leg: CALLEE, muted: false });
    callee.speak(&packet(8, 2));
    assert_eq!(caller.hear()[2..12], packet(8, 2)[2..12]);
    assert!(rig.events.try_recv().is_err(), "told again");
}

#[test]
fn digits_are_sent_and_told() {
    let mut rig = Rig::new(1, Config::default());
    let caller = rig.phone(1, CALLER, Codec::Pcmu);
    let digits = Digits::parse("12").expect("digits");
    let length = Duration::from_millis(60);
    rig.send(Command::SendDigits { call: 1, to: CALLER, digits, length });
    for code in [1, 2] {
        for number in 0..5 {
            let heard = caller.hear();
            let end = if number >= 2 { 0x80 } else { 0 };
            assert_eq!((heard.len(), heard[1] & 0x7f), (16, 101));
            assert_eq!((heard[12], heard[13] & 0x80), (code, end));
        }
    }
    assert_eq!(rig.event(), Event::DigitsSent { call: 1, leg: CALLER, whole: true });
}
