//! Whose packets are believed, and where the answer to them goes.

use media::sdp::Codec;
use media::{LegId, Remote, SessionEvent};

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, address, ip, packet, stream};

/// The caller behind a NAT: it names 192.168.1.5 and signals from 203.0.113.9.
fn behind_nat() -> (Call, Remote) {
    let mut call = Call::new(None);
    let negotiated = stream("192.168.1.5:4000", Codec::Pcmu);
    let caller = Remote { negotiated, signalling_source: ip("203.0.113.9"), has_tones: false };
    call.session.set_remote(call.now, CALLER, caller);
    call.set(CALLEE, stream(CALLEE_RTP, Codec::Pcmu));
    call.session.bridge(call.now, CALLER, CALLEE);
    (call, caller)
}

fn sent_to(call: &mut Call, speaker: LegId, from: &str) -> Option<String> {
    call.rtp(speaker, from, &mut packet(0)).map(|forward| forward.to.to_string())
}

#[test]
fn a_public_address_that_signals_itself_is_believed_alone() {
    let mut call = Call::bridged(stream(CALLER_RTP, Codec::Pcmu), stream(CALLEE_RTP, Codec::Pcmu));
    assert!(sent_to(&mut call, CALLER, CALLER_RTP).is_some());
    for stranger in ["203.0.113.10:4002", "203.0.113.11:4000"] {
        assert_eq!(sent_to(&mut call, CALLER, stranger), None);
    }
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.source, 2);
    assert_eq!(call.events(), []);
}

#[test]
fn the_first_packet_from_the_signalling_address_settles_the_stream() {
    let (mut call, _) = behind_nat();
    assert_eq!(sent_to(&mut call, CALLEE, CALLEE_RTP).unwrap(), "192.168.1.5:4000");
    assert_eq!(sent_to(&mut call, CALLER, "198.51.100.66:4000"), None);
    assert_eq!(call.events(), []);
    assert!(sent_to(&mut call, CALLER, "203.0.113.9:61000").is_some());
    let latched = SessionEvent::Latched { leg: CALLER, address: address("203.0.113.9:61000") };
    assert_eq!(call.events(), [latched]);
    assert_eq!(sent_to(&mut call, CALLEE, CALLEE_RTP).unwrap(), "203.0.113.9:61000");
}

#[test]
fn a_settled_stream_does_not_move() {
    let (mut call, _) = behind_nat();
    assert!(sent_to(&mut call, CALLER, "203.0.113.9:61000").is_some());
    for late in ["203.0.113.9:61002", "192.168.1.5:4000", "198.51.100.66:4000"] {
        assert_eq!(sent_to(&mut call, CALLER, late), None, "{late}");
    }
    assert!(sent_to(&mut call, CALLER, "203.0.113.9:61000").is_some());
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.source, 3);
}

#[test]
fn a_new_offer_lets_it_settle_anew_and_sends_as_before_until_it_has() {
    let (mut call, caller) = behind_nat();
    assert!(sent_to(&mut call, CALLER, "203.0.113.9:61000").is_some());
    call.session.set_remote(call.now, CALLER, caller);
    assert_eq!(sent_to(&mut call, CALLEE, CALLEE_RTP).unwrap(), "203.0.113.9:61000");
    assert!(sent_to(&mut call, CALLER, "203.0.113.9:62000").is_some());
    assert_eq!(sent_to(&mut call, CALLEE, CALLEE_RTP).unwrap(), "203.0.113.9:62000");
    assert_eq!(sent_to(&mut call, CALLER, "203.0.113.9:61000"), None);
}

#[test]
fn a_packet_that_is_not_rtp_settles_nothing() {
    let (mut call, _) = behind_nat();
    let mut junk = packet(0);
    junk[0] = 0x40;
    assert!(call.rtp(CALLER, "203.0.113.9:61000", &mut junk).is_none());
    assert!(sent_to(&mut call, CALLER, "203.0.113.9:61002").is_some());
}

#[test]
fn a_media_gateway_elsewhere_than_its_signalling_is_believed_at_its_sdp_address() {
    let mut call = Call::new(None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    let negotiated = stream(CALLEE_RTP, Codec::Pcmu);
    let carrier = Remote { negotiated, signalling_source: ip("198.51.100.1"), has_tones: false };
    call.session.set_remote(call.now, CALLEE, carrier);
    call.session.bridge(call.now, CALLER, CALLEE);
    assert_eq!(sent_to(&mut call, CALLEE, "198.51.100.20:5002"), None);
    assert!(sent_to(&mut call, CALLEE, CALLEE_RTP).is_some());
    assert_eq!(sent_to(&mut call, CALLEE, "198.51.100.1:5000"), None);
}

#[test]
fn loopback_settles_like_any_private_address() {
    let local = stream("127.0.0.1:4000", Codec::Pcmu);
    let mut call = Call::bridged(local, stream(CALLEE_RTP, Codec::Pcmu));
    assert!(sent_to(&mut call, CALLER, "127.0.0.1:4444").is_some());
    assert_eq!(sent_to(&mut call, CALLER, "127.0.0.1:4000"), None);
}

#[test]
fn before_it_is_set_up_a_leg_believes_nobody() {
    let mut call = Call::new(None);
    assert_eq!(sent_to(&mut call, CALLER, CALLER_RTP), None);
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.source, 1);
}
