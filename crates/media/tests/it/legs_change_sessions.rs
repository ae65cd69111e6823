//! A leg moves from one call to another with everything that its peer could notice.

use media::codec::g711;
use media::rtp::packet::Packet;
use media::sdp::Codec;
use media::{LegId, Play, PlayEnd, PlayId, Remote, Repeat, SessionEvent, Sound, tone};

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, address, ms, packet, stream};

const BEHIND_NAT: &str = "198.51.100.77:61000";
const MOVED: LegId = LegId(5);

/// A call whose callee's stream settled on an address behind a NAT, and one to move it to.
fn calls() -> (Call, Call) {
    let mut call = Call::new(None);
    let private = stream("10.0.0.5:5000", Codec::Pcmu);
    let source = address(BEHIND_NAT).ip();
    let remote = Remote { negotiated: private, signalling_source: source, has_tones: false };
    call.session.set_remote(call.now, CALLEE, remote);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    call.session.bridge(call.now, CALLER, CALLEE);
    call.rtp(CALLEE, BEHIND_NAT, &mut packet(0)).unwrap();
    call.events();
    let mut other = Call::new(None);
    other.set(CALLER, stream(CALLEE_RTP, Codec::Pcmu));
    other.now = call.now;
    (call, other)
}

fn shift(from: &mut Call, to: &mut Call) {
    let taken = from.session.take_leg(CALLEE).expect("it is there");
    to.session.put_leg(to.now, MOVED, taken).expect("the number is free");
}

#[test]
fn its_source_is_believed_where_it_comes_and_its_counters_go_on() {
    let (mut from, mut to) = calls();
    shift(&mut from, &mut to);
    to.session.bridge(to.now, CALLER, MOVED);
    assert!(to.rtp(MOVED, BEHIND_NAT, &mut packet(0)).is_some());
    let mut bytes = packet(0);
    let forward = to.rtp(CALLER, CALLEE_RTP, &mut bytes).unwrap();
    assert_eq!((forward.leg, forward.to), (MOVED, address(BEHIND_NAT)));
    assert!(Packet::parse(&bytes).unwrap().marker, "somebody else speaks");
    assert!(to.events().is_empty(), "it was settled before");
    assert_eq!(to.session.counters(MOVED).unwrap().received.packets, 2);

    assert!(from.session.counters(CALLEE).is_none());
    assert!(from.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_none(), "nobody hears the caller");
    assert!(from.session.take_leg(CALLEE).is_none());
}

#[test]
fn it_hears_nothing_where_it_comes() {
    let (mut from, mut to) = calls();
    from.session.ringback(from.now, CALLEE, tone::country("us").unwrap());
    from.generated();
    shift(&mut from, &mut to);
    assert!(to.advance(ms(100)).is_empty());
    assert_eq!(to.session.poll_timeout(), None);
}

#[test]
fn a_sound_goes_on_where_it_would_be_in_the_same_stream() {
    let (mut from, mut to) = calls();
    let music = (0..1600).map(|n| g711::ulaw_to_linear((n / 160) as u8)).collect();
    let (id, sound) = (PlayId(3), Sound::from_samples(music));
    let play = Play { id, sound, repeat: Repeat::Times(1), from_sample: 0, longest: None };
    from.session.play(from.now, CALLEE, play);
    let first = Packet::parse(&from.generated()[0].1).unwrap();
    shift(&mut from, &mut to);
    let heard = to.advance(ms(20));
    let next = Packet::parse(&heard[0].1).unwrap();
    assert_eq!((next.ssrc, next.sequence), (first.ssrc, first.sequence.wrapping_add(1)));
    assert_eq!(heard[0].0.leg, MOVED);
    to.advance(ms(180));
    let end = PlayEnd::Finished;
    let over = SessionEvent::Played { leg: MOVED, id, end, at_sample: 1600 };
    assert_eq!(to.events(), [over]);
    assert!(from.events().is_empty());
}

#[test]
fn a_number_that_is_taken_gives_it_back() {
    let (mut from, mut to) = calls();
    let taken = from.session.take_leg(CALLEE).unwrap();
    let taken = to.session.put_leg(to.now, CALLER, taken).unwrap_err();
    from.session.put_leg(from.now, CALLEE, taken).expect("back again");
    from.session.bridge(from.now, CALLER, CALLEE);
    assert!(from.rtp(CALLEE, BEHIND_NAT, &mut packet(0)).is_some());
}
