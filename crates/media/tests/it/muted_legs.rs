//! A leg that is muted is heard by nobody, and its digits are still told.

use media::SessionEvent;
use media::rtp::packet::{self, Packet};
use media::sdp::Codec;

use crate::support::{
    CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, ms, packet, sender_report, stream,
};

fn call() -> Call {
    let stream = |rtp| stream(rtp, Codec::Pcmu);
    Call::bridged(stream(CALLER_RTP), stream(CALLEE_RTP))
}

#[test]
fn neither_audio_nor_digits_pass_and_the_other_way_stays_open() {
    let mut call = call();
    call.session.mute(CALLER, true);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_none());
    let header = packet::header(true, 101, 1, 0, 7);
    let mut digit = [&header[..], &[7, 0x8a, 0x06, 0x40]].concat();
    assert!(call.rtp(CALLER, CALLER_RTP, &mut digit).is_none());
    let told = SessionEvent::Digit { leg: CALLER, digit: '7', duration: ms(200) };
    assert_eq!(call.events(), [told]);
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.unheard, 2);
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_some());
    assert!(call.rtcp(CALLER, "203.0.113.10:4001", &mut sender_report()).is_some());
}

#[test]
fn unmuted_it_is_heard_again_with_a_marker() {
    let mut call = call();
    call.rtp(CALLER, CALLER_RTP, &mut packet(0));
    call.session.mute(CALLER, true);
    call.rtp(CALLER, CALLER_RTP, &mut packet(0));
    call.session.mute(CALLER, false);
    let mut voice = packet(0);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut voice).is_some());
    assert!(Packet::parse(&voice).unwrap().marker);
}

#[test]
fn it_stays_muted_whoever_it_talks_to() {
    let mut call = call();
    call.session.mute(CALLER, true);
    call.session.silence(CALLEE);
    call.session.bridge(call.now, CALLER, CALLEE);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_none());
}
