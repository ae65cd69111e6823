//! Sounds that lie over what a leg hears: the right samples at the right time, and an end that is
//! told once.

use media::codec::g711;
use media::rtp::packet::Packet;
use media::sdp::{Codec, Direction, Negotiated};
use media::timer::Timer;
use media::{LegId, Play, PlayEnd, PlayId, Repeat, SessionEvent, Sound, tone};

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, ms, packet, stream};

/// Samples that G.711 keeps as they are, all different from their neighbours.
fn sound(milliseconds: usize) -> Sound {
    let code = |n: usize| g711::ulaw_to_linear((n % 127) as u8);
    Sound::from_samples((0..milliseconds * 8).map(code).collect())
}

fn once(id: u64, sound: Sound) -> Play {
    let (id, repeat) = (PlayId(id), Repeat::Times(1));
    Play { id, sound, repeat, from_sample: 0, longest: None }
}

fn played(id: u64, end: PlayEnd, at_sample: u64) -> SessionEvent {
    SessionEvent::Played { leg: CALLER, id: PlayId(id), end, at_sample }
}

fn caller() -> Call {
    let mut call = Call::new(None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    call
}

/// What is heard in so many frames from now on, packet by packet.
fn frames(call: &mut Call, count: usize) -> Vec<Vec<u8>> {
    let mut packets = call.generated();
    for _ in 1..count {
        packets.extend(call.advance(ms(20)));
    }
    packets.into_iter().map(|(_, bytes)| bytes).collect()
}

fn samples(packets: &[Vec<u8>]) -> Vec<i16> {
    packets.iter().flat_map(|bytes| &bytes[12..]).map(|c| g711::ulaw_to_linear(*c)).collect()
}

#[test]
fn every_sample_is_heard_once_and_the_end_told_when_it_was() {
    let mut call = caller();
    let music = sound(110);
    call.session.play(call.now, CALLER, once(1, music.clone()));
    let heard = frames(&mut call, 6);
    assert_eq!(heard.len(), 6);
    assert_eq!(samples(&heard)[..880], music.samples()[..]);
    assert!(samples(&heard)[880..].iter().all(|sample| *sample == 0), "then silence");
    assert!(call.events().is_empty(), "the last packet still sounds");
    assert!(call.advance(ms(20)).is_empty());
    assert_eq!(call.events(), [played(1, PlayEnd::Finished, 880)]);
    assert_eq!(call.session.poll_timeout(), None);
}

#[test]
fn all_that_is_played_is_one_stream_with_a_marker_at_each_beginning() {
    let mut call = caller();
    let mut packets = Vec::new();
    for id in 0..3 {
        call.session.play(call.now, CALLER, once(id, sound(40)));
        packets.extend(frames(&mut call, 2));
        call.advance(ms(220));
    }
    let packets: Vec<Packet> = packets.iter().map(|p| Packet::parse(p).unwrap()).collect();
    let first = &packets[0];
    for (n, packet) in packets.iter().enumerate() {
        assert_eq!((packet.ssrc, packet.marker), (first.ssrc, n % 2 == 0), "{n}");
        assert_eq!(packet.sequence, first.sequence.wrapping_add(n as u16));
        // why: each play began 240 ms after the one before.
        let passed = (n as u32 / 2) * 240 * 8 + (n as u32 % 2) * 160;
        assert_eq!(packet.timestamp, first.timestamp.wrapping_add(passed));
    }
}

#[test]
fn repetitions_follow_each_other_without_a_gap() {
    let music = sound(33);
    let thrice = music.samples().repeat(3);
    let mut call = caller();
    let play = Play { repeat: Repeat::Times(3), ..once(1, music.clone()) };
    call.session.play(call.now, CALLER, play);
    assert_eq!(samples(&frames(&mut call, 5))[..792], thrice[..]);
    call.advance(ms(20));
    assert_eq!(call.events(), [played(1, PlayEnd::Finished, 792)]);

    let for_ever = Play { repeat: Repeat::Forever, ..once(2, music.clone()) };
    call.session.play(call.now, CALLER, for_ever);
    let heard = samples(&frames(&mut call, 100));
    assert!(heard.chunks(264).all(|round| round == &music.samples()[..round.len()]));
    assert!(call.events().is_empty());
}

#[test]
fn the_sound_itself_may_say_how_often() {
    let mut call = caller();
    let twice = sound(20).with_repeat(Some(Repeat::Times(2)));
    call.session.play(call.now, CALLER, Play { repeat: Repeat::Forever, ..once(1, twice) });
    assert_eq!(frames(&mut call, 9).len(), 2);
    assert_eq!(call.events(), [played(1, PlayEnd::Finished, 320)]);
}

#[test]
fn a_play_begins_where_it_is_told_and_lasts_no_longer_than_told() {
    let music = sound(40);
    let rows = [
        (80, None, 1, 80..320),
        (0, Some(ms(30)), 1, 0..240),
        (400, Some(ms(20)), 2, 80..240),
        (319, Some(ms(1000)), 1, 319..320),
    ];
    for (from_sample, longest, times, expected) in rows {
        let mut call = caller();
        let repeat = Repeat::Times(times);
        let play = Play { from_sample, longest, repeat, ..once(1, music.clone()) };
        call.session.play(call.now, CALLER, play);
        let heard = samples(&frames(&mut call, 5));
        let length = expected.len() as u64;
        assert_eq!(heard[..expected.len()], music.samples()[expected]);
        let end = played(1, PlayEnd::Finished, from_sample + length);
        assert_eq!(call.events(), [end]);
    }
}

#[test]
fn what_has_nothing_to_play_is_over_at_once() {
    let empty = Sound::from_samples(Vec::new());
    let rows = [
        Play { repeat: Repeat::Times(0), ..once(1, sound(20)) },
        Play { repeat: Repeat::Forever, ..once(1, empty.clone()) },
        once(1, empty),
        Play { longest: Some(ms(0)), ..once(1, sound(20)) },
    ];
    for play in rows {
        let mut call = caller();
        call.session.play(call.now, CALLER, play);
        assert!(call.generated().is_empty());
        assert_eq!(call.events(), [played(1, PlayEnd::Finished, 0)]);
        assert_eq!(call.session.poll_timeout(), None);
    }
    let mut call = caller();
    call.session.play(call.now, CALLER, Play { from_sample: 160, ..once(1, sound(20)) });
    assert!(call.generated().is_empty());
    assert_eq!(call.events(), [played(1, PlayEnd::Finished, 160)]);
}

#[test]
fn a_new_sound_replaces_the_old_and_a_stopped_one_stops() {
    let mut call = caller();
    call.session.play(call.now, CALLER, once(1, sound(1000)));
    frames(&mut call, 2);
    call.session.play(call.now, CALLER, once(2, sound(60)));
    assert_eq!(call.events(), [played(1, PlayEnd::Replaced, 320)]);
    let heard = call.advance(ms(20));
    assert_eq!(heard[0].1[12..], frames_of(&sound(60))[0][..], "from its beginning");
    call.session.stop_play(call.now, CALLER, Some(PlayId(1)));
    assert!(call.events().is_empty(), "another sound is meant");
    call.session.stop_play(call.now, CALLER, Some(PlayId(2)));
    call.session.stop_play(call.now, CALLER, None);
    assert_eq!(call.events(), [played(2, PlayEnd::Stopped, 160)]);
    assert!(call.advance(ms(100)).is_empty());
    assert_eq!(call.session.poll_timeout(), None);
}

fn frames_of(sound: &Sound) -> Vec<Vec<u8>> {
    let code = |frame: &[i16]| frame.iter().map(|s| g711::linear_to_ulaw(*s)).collect();
    sound.samples().chunks(160).map(code).collect()
}

#[test]
fn the_other_leg_is_not_heard_under_a_sound_and_is_after_it() {
    let stream = |rtp| stream(rtp, Codec::Pcmu);
    let mut call = Call::bridged(stream(CALLER_RTP), stream(CALLEE_RTP));
    call.session.play(call.now, CALLER, once(1, sound(40)));
    frames(&mut call, 2);
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_none());
    assert_eq!(call.session.counters(CALLEE).unwrap().dropped.unheard, 1);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_some(), "the other way is open");
    call.advance(ms(20));
    let mut voice = packet(0);
    call.rtp(CALLEE, CALLEE_RTP, &mut voice).expect("heard again");
    assert!(Packet::parse(&voice).unwrap().marker, "after something else");
}

#[test]
fn a_tone_goes_on_under_a_sound_where_it_would_be() {
    let de = tone::country("de").unwrap();
    let mut call = caller();
    call.session.ringback(call.now, CALLER, de);
    let mut with_sound = frames(&mut call, 10);
    call.session.play(call.now, CALLER, once(1, sound(60)));
    with_sound.extend((0..60).flat_map(|_| call.advance(ms(20))).map(|(_, bytes)| bytes));
    assert_eq!(call.events(), [played(1, PlayEnd::Finished, 480)]);

    let mut call = caller();
    call.session.ringback(call.now, CALLER, de);
    let alone = frames(&mut call, 70);
    assert_eq!(with_sound.len(), 70);
    assert_eq!(with_sound[..10], alone[..10]);
    for (frame, covered) in frames_of(&sound(60)).iter().zip(&with_sound[10..]) {
        assert_eq!(covered[12..], frame[..]);
    }
    for (after, tone) in with_sound[13..].iter().zip(&alone[13..]) {
        assert_eq!(after[12..], tone[12..]);
        assert_eq!(after[2..8], tone[2..8], "one stream");
    }
}

#[test]
fn what_is_heard_may_change_under_a_sound() {
    let mut call = caller();
    call.set(CALLEE, stream(CALLEE_RTP, Codec::Pcmu));
    call.session.play(call.now, CALLER, once(1, sound(60)));
    assert_eq!(call.generated().len(), 1);
    call.session.ringback(call.now, CALLER, tone::country("us").unwrap());
    assert_eq!(call.advance(ms(20))[0].1[12..], frames_of(&sound(60))[1][..]);
    call.session.silence(CALLER);
    assert_eq!(call.advance(ms(20))[0].1[12..], frames_of(&sound(60))[2][..]);
    call.session.bridge(call.now, CALLER, CALLEE);
    assert!(call.advance(ms(20)).is_empty());
    assert_eq!(call.events(), [played(1, PlayEnd::Finished, 480)]);
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_some());
}

#[test]
fn a_sound_takes_its_time_while_the_leg_cannot_be_sent_to() {
    let held = Negotiated { direction: Direction::RecvOnly, ..stream(CALLER_RTP, Codec::Pcmu) };
    for set_up in [false, true] {
        let mut call = Call::new(None);
        if set_up {
            call.set(CALLER, held);
        }
        call.session.play(call.now, CALLER, once(1, sound(100)));
        for _ in 0..4 {
            let deadline = call.session.next_deadline().unwrap();
            assert_eq!((deadline.at, deadline.timer), (call.now + ms(20), Timer::Packet(CALLER)));
            assert!(call.advance(ms(20)).is_empty());
        }
        assert!(call.events().is_empty());
        call.advance(ms(20));
        assert_eq!(call.events(), [played(1, PlayEnd::Finished, 800)]);
        assert_eq!(call.session.poll_timeout(), None);

        let mut call = Call::new(None);
        if set_up {
            call.set(CALLER, held);
        }
        call.session.play(call.now, CALLER, once(1, sound(100)));
        assert!(call.advance(ms(60)).is_empty());
        call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
        let heard = call.advance(ms(20));
        assert_eq!(heard[0].1[12..], frames_of(&sound(100))[4][..], "where it would be");
        call.advance(ms(20));
        assert_eq!(call.events(), [played(1, PlayEnd::Finished, 800)]);
    }
}

#[test]
fn a_late_wake_up_leaves_out_what_is_too_late() {
    let mut call = caller();
    call.session.play(call.now, CALLER, once(1, sound(1000)));
    call.generated();
    let burst = call.advance(ms(500));
    let expected = frames_of(&sound(1000));
    let heard: Vec<&[u8]> = burst.iter().map(|(_, bytes)| &bytes[12..]).collect();
    assert_eq!(heard, expected[21..=25].iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(call.advance(ms(2000)).len(), 0, "it was over long ago");
    assert_eq!(call.events(), [played(1, PlayEnd::Finished, 8000)]);
}

#[test]
fn a_leg_that_goes_and_one_that_is_not_there_stop_their_sounds() {
    let mut call = caller();
    call.session.play(call.now, CALLER, once(1, sound(1000)));
    call.session.remove_leg(CALLER);
    assert_eq!(call.events(), [played(1, PlayEnd::Stopped, 0)]);
    let nobody = LegId(9);
    call.session.play(call.now, nobody, once(2, sound(1000)));
    let stopped =
        SessionEvent::Played { leg: nobody, id: PlayId(2), end: PlayEnd::Stopped, at_sample: 0 };
    assert_eq!(call.events(), [stopped]);
}

#[test]
fn a_sound_is_heard_in_the_law_of_the_leg() {
    let mut call = Call::new(None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcma));
    call.session.play(call.now, CALLER, once(1, sound(20)));
    let heard = call.generated().remove(0).1;
    assert_eq!(heard[1], 0x80 | 8);
    for (code, sample) in heard[12..].iter().zip(sound(20).samples()) {
        assert_eq!(*code, g711::linear_to_alaw(*sample));
    }
}
