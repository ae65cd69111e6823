//! What happens to a packet on its way from one leg to another.

use media::sdp::{Codec, PayloadTypes};
use media::{LegId, Socket};

use crate::support::{
    CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, address, packet, packet_of, stream,
};

fn same_codec() -> Call {
    Call::bridged(stream(CALLER_RTP, Codec::Pcmu), stream(CALLEE_RTP, Codec::Pcmu))
}

/// Past the first packet, which carries a marker of its own.
fn warmed(mut call: Call) -> Call {
    for (leg, from) in [(CALLER, CALLER_RTP), (CALLEE, CALLEE_RTP)] {
        for number in [0, 8] {
            call.rtp(leg, from, &mut packet(number));
        }
    }
    call
}

#[test]
fn a_packet_of_a_common_codec_is_not_touched() {
    let mut call = warmed(same_codec());
    let original = packet(0);
    let mut bytes = original.clone();
    let forward = call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes, original);
    assert_eq!(forward.leg, CALLEE);
    assert_eq!(forward.socket, Socket::Rtp);
    assert_eq!(forward.to, address(CALLEE_RTP));
    assert_eq!(forward.len, original.len());
    let back = call.rtp(CALLEE, CALLEE_RTP, &mut bytes).unwrap();
    assert_eq!((back.leg, back.to), (CALLER, address(CALLER_RTP)));
}

#[test]
fn the_first_packet_of_a_source_has_the_marker() {
    let mut call = same_codec();
    let mut bytes = packet(0);
    call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes[1], 0x80);
    let mut bytes = packet(0);
    call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes[1], 0);
    call.session.bridge(call.now, CALLER, CALLEE);
    let mut bytes = packet(0);
    call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes[1], 0, "bridged again to the same leg, the source is the same");
}

#[test]
fn the_marker_of_a_source_waits_for_audio() {
    let mut call = same_codec();
    let mut event = packet_of(101, &[1, 10, 0, 160]);
    call.rtp(CALLER, CALLER_RTP, &mut event).unwrap();
    assert_eq!(event[1], 101, "an event in progress does not begin anew");
    let mut bytes = packet(0);
    call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes[1], 0x80);
}

#[test]
fn numbers_are_those_of_the_listener_and_markers_stay() {
    let mut callee = stream(CALLEE_RTP, Codec::Pcmu);
    callee.payload_types = PayloadTypes { pcmu: Some(96), pcma: None, telephone_event: Some(100) };
    let mut call = warmed(Call::bridged(stream(CALLER_RTP, Codec::Pcmu), callee));
    let mut bytes = packet(0);
    bytes[1] |= 0x80;
    call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes[1], 0x80 | 96);
    let mut event = packet_of(101, &[1, 10, 0, 160]);
    call.rtp(CALLER, CALLER_RTP, &mut event).unwrap();
    assert_eq!(event, packet_of(100, &[1, 10, 0, 160]));
    let mut back = packet(96);
    call.rtp(CALLEE, CALLEE_RTP, &mut back);
    let mut back = packet(96);
    call.rtp(CALLEE, CALLEE_RTP, &mut back).unwrap();
    assert_eq!(back, packet(0));
}

#[test]
fn a_peer_may_send_under_the_numbers_of_our_offer() {
    let mut caller = stream(CALLER_RTP, Codec::Pcmu);
    caller.payload_types = PayloadTypes { pcmu: Some(96), pcma: None, telephone_event: Some(97) };
    let mut call = Call::bridged(caller, stream(CALLEE_RTP, Codec::Pcmu));
    for (sent, received) in [(97, 101), (101, 101)] {
        let mut event = packet_of(sent, &[1, 10, 0, 160]);
        call.rtp(CALLER, CALLER_RTP, &mut event).unwrap();
        assert_eq!(event[1], received);
    }
    for sent in [96, 0] {
        let mut bytes = packet(sent);
        call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
        assert_eq!(bytes[1] & 0x7f, 0);
    }
}

#[test]
fn a_listener_that_takes_both_laws_gets_what_was_sent() {
    let mut callee = stream(CALLEE_RTP, Codec::Pcmu);
    callee.payload_types.pcma = Some(8);
    let mut call = warmed(Call::bridged(stream(CALLER_RTP, Codec::Pcma), callee));
    let original = packet(8);
    let mut bytes = original.clone();
    call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes, original);
}

#[test]
fn what_the_listener_has_no_number_for_is_dropped() {
    let mut callee = stream(CALLEE_RTP, Codec::Pcmu);
    callee.payload_types.telephone_event = None;
    let mut call = Call::bridged(stream(CALLER_RTP, Codec::Pcmu), callee);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet_of(101, &[1, 10, 0, 160])).is_none());
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.payload_type, 1);
}

#[test]
fn numbers_that_were_not_negotiated_are_dropped() {
    let mut call = same_codec();
    // Comfort noise, G.729, the other law, something dynamic.
    for number in [13, 18, 8, 96] {
        assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(number)).is_none(), "{number}");
    }
    let counters = call.session.counters(CALLER).unwrap();
    assert_eq!(counters.dropped.payload_type, 4);
    assert_eq!(counters.dropped.total(), 4);
    assert_eq!(counters.received.packets, 4);
}

#[test]
fn early_media_is_one_way() {
    let mut call = same_codec();
    call.session.silence(CALLER);
    call.session.silence(CALLEE);
    call.session.connect(call.now, CALLEE, CALLER);
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_some());
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_none());
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.unheard, 1);
}

#[test]
fn a_leg_is_heard_by_one_other() {
    const SECOND: LegId = LegId(2);
    let mut call = same_codec();
    call.session.add_leg(SECOND);
    call.set(SECOND, stream("198.51.100.30:6000", Codec::Pcmu));
    call.session.bridge(call.now, CALLER, SECOND);
    assert_eq!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).unwrap().leg, SECOND);
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_none());
    call.session.remove_leg(SECOND);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_none());
    assert!(call.rtp(SECOND, "198.51.100.30:6000", &mut packet(0)).is_none());
    assert_eq!(call.session.counters(SECOND), None);
}

#[test]
fn silence_stops_what_is_heard() {
    let mut call = same_codec();
    call.session.silence(CALLEE);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_none());
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_some());
}

#[test]
fn traffic_is_counted_on_both_sides() {
    let mut call = same_codec();
    for _ in 0..3 {
        call.rtp(CALLER, CALLER_RTP, &mut packet(0)).unwrap();
    }
    let caller = *call.session.counters(CALLER).unwrap();
    let callee = *call.session.counters(CALLEE).unwrap();
    assert_eq!((caller.received.packets, caller.received.octets), (3, 3 * 172));
    assert_eq!((callee.sent.packets, callee.sent.octets), (3, 3 * 172));
    assert_eq!((caller.sent.packets, callee.received.packets), (0, 0));
    assert_eq!(caller.dropped.total() + callee.dropped.total(), 0);
}
