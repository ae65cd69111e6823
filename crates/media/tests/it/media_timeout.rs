//! A peer that should send and does not.

use media::sdp::{Codec, Direction, Negotiated};
use media::timer::Timer;
use media::{LegId, SessionEvent};

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, ms, packet, stream};

const LIMIT: u64 = 30_000;

fn timed(direction: Direction) -> Call {
    let mut call = Call::new(Some(ms(LIMIT)));
    call.set(CALLER, Negotiated { direction, ..stream(CALLER_RTP, Codec::Pcmu) });
    call
}

fn timeout(leg: LegId) -> SessionEvent {
    SessionEvent::MediaTimeout { leg }
}

#[test]
fn silence_from_the_beginning_is_told_once() {
    let mut call = timed(Direction::SendRecv);
    let deadline = call.session.next_deadline().unwrap();
    assert_eq!(deadline.at, call.now + ms(LIMIT));
    assert_eq!(deadline.timer, Timer::Inactivity(CALLER));
    call.advance(ms(LIMIT - 1));
    assert_eq!(call.events(), []);
    call.advance(ms(1));
    assert_eq!(call.events(), [timeout(CALLER)]);
    assert_eq!(call.session.poll_timeout(), None);
    call.advance(ms(10 * LIMIT));
    assert_eq!(call.events(), []);
}

#[test]
fn each_packet_begins_the_wait_anew() {
    let mut call = timed(Direction::SendRecv);
    for _ in 0..5 {
        call.advance(ms(LIMIT - 1));
        call.rtp(CALLER, CALLER_RTP, &mut packet(0));
        assert_eq!(call.session.poll_timeout(), Some(call.now + ms(LIMIT)));
    }
    assert_eq!(call.events(), []);
    call.advance(ms(LIMIT));
    assert_eq!(call.events(), [timeout(CALLER)]);
    call.rtp(CALLER, CALLER_RTP, &mut packet(0));
    call.advance(ms(LIMIT));
    assert_eq!(call.events(), [timeout(CALLER)], "it came back, and fell silent again");
}

#[test]
fn packets_of_strangers_and_junk_are_no_life() {
    let mut call = timed(Direction::SendRecv);
    call.advance(ms(LIMIT - 1));
    call.rtp(CALLER, "203.0.113.66:4000", &mut packet(0));
    call.rtp(CALLER, CALLER_RTP, &mut [0; 12]);
    call.advance(ms(1));
    assert_eq!(call.events(), [timeout(CALLER)]);
}

#[test]
fn it_is_off_where_the_peer_may_be_silent() {
    for direction in [Direction::RecvOnly, Direction::SendOnly, Direction::Inactive] {
        let mut call = timed(direction);
        assert_eq!(call.session.poll_timeout(), None, "{direction:?}");
        call.rtp(CALLER, CALLER_RTP, &mut packet(0));
        call.advance(ms(10 * LIMIT));
        assert_eq!(call.events(), [], "{direction:?}");
    }
}

#[test]
fn it_is_off_where_nobody_wants_it_and_before_the_leg_is_set_up() {
    let mut call = Call::new(None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    assert_eq!(call.session.poll_timeout(), None);
    let call = Call::new(Some(ms(LIMIT)));
    assert_eq!(call.session.poll_timeout(), None);
}

#[test]
fn the_end_of_a_hold_begins_the_wait_anew() {
    let mut call = timed(Direction::RecvOnly);
    call.advance(ms(10 * LIMIT));
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    assert_eq!(call.session.poll_timeout(), Some(call.now + ms(LIMIT)));
}

#[test]
fn a_new_offer_takes_back_a_timeout_not_yet_told() {
    let mut call = timed(Direction::SendRecv);
    call.advance(ms(LIMIT));
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    assert_eq!(call.events(), []);
    call.advance(ms(LIMIT));
    assert_eq!(call.events(), [timeout(CALLER)]);
}

#[test]
fn each_leg_is_timed_on_its_own_and_a_removed_one_not_at_all() {
    let mut call = timed(Direction::SendRecv);
    call.set(CALLEE, stream(CALLEE_RTP, Codec::Pcmu));
    call.session.bridge(call.now, CALLER, CALLEE);
    call.advance(ms(LIMIT / 2));
    call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).unwrap();
    call.advance(ms(LIMIT / 2));
    assert_eq!(call.events(), [timeout(CALLER)]);
    call.session.remove_leg(CALLEE);
    assert_eq!(call.session.poll_timeout(), None);
    call.advance(ms(LIMIT));
    assert_eq!(call.events(), []);
}
