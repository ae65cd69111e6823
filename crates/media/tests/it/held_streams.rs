//! Directions: who is sent to, and who is listened to.

use media::sdp::{Codec, Direction};

use crate::support::{CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, packet, sender_report, stream};

fn with_callee(direction: Direction) -> Call {
    let callee = media::sdp::Negotiated { direction, ..stream(CALLEE_RTP, Codec::Pcmu) };
    Call::bridged(stream(CALLER_RTP, Codec::Pcmu), callee)
}

#[test]
fn our_direction_decides_both_ways() {
    let rows = [
        (Direction::SendRecv, true, true),
        (Direction::RecvOnly, false, true),
        (Direction::SendOnly, true, false),
        (Direction::Inactive, false, false),
    ];
    for (direction, sent_to, listened_to) in rows {
        let mut call = with_callee(direction);
        let to_callee = call.rtp(CALLER, CALLER_RTP, &mut packet(0));
        assert_eq!(to_callee.is_some(), sent_to, "{direction:?}");
        let to_caller = call.rtp(CALLEE, CALLEE_RTP, &mut packet(0));
        assert_eq!(to_caller.is_some(), listened_to, "{direction:?}");
        let dropped = |leg| call.session.counters(leg).unwrap().dropped.direction;
        assert_eq!(dropped(CALLER), u64::from(!sent_to), "{direction:?}");
        assert_eq!(dropped(CALLEE), u64::from(!listened_to), "{direction:?}");
    }
}

#[test]
fn rtcp_flows_whatever_the_direction() {
    let mut call = with_callee(Direction::Inactive);
    assert!(call.rtcp(CALLER, "203.0.113.10:4001", &mut sender_report()).is_some());
    assert!(call.rtcp(CALLEE, "198.51.100.20:5001", &mut sender_report()).is_some());
}

#[test]
fn nothing_is_sent_to_an_unspecified_address() {
    let mut call = with_callee(Direction::SendRecv);
    let mut held = stream("0.0.0.0:5000", Codec::Pcmu);
    held.direction = Direction::RecvOnly;
    let source = "198.51.100.20".parse().unwrap();
    let remote = media::Remote { negotiated: held, signalling_source: source, has_tones: false };
    call.session.set_remote(call.now, CALLEE, remote);
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_none());
    assert!(call.rtcp(CALLER, "203.0.113.10:4001", &mut sender_report()).is_none());
    assert!(call.rtp(CALLEE, CALLEE_RTP, &mut packet(0)).is_some(), "music on hold is heard");
    call.set(CALLEE, stream(CALLEE_RTP, Codec::Pcmu));
    assert!(call.rtp(CALLER, CALLER_RTP, &mut packet(0)).is_some());
}
