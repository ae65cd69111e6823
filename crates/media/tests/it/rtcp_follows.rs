//! RTCP goes the way of the RTP it reports on.

use media::sdp::Codec;
use media::{Remote, Socket};

use crate::support::{
    CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, address, ip, packet, sender_report, stream,
};

const CALLER_RTCP: &str = "203.0.113.10:4001";
const CALLEE_RTCP: &str = "198.51.100.20:5001";

fn bridged() -> Call {
    Call::bridged(stream(CALLER_RTP, Codec::Pcmu), stream(CALLEE_RTP, Codec::Pcmu))
}

#[test]
fn reports_pass_untouched_both_ways() {
    let mut call = bridged();
    let mut report = sender_report();
    let forward = call.rtcp(CALLER, CALLER_RTCP, &mut report).unwrap();
    assert_eq!(report, sender_report());
    assert_eq!((forward.leg, forward.socket), (CALLEE, Socket::Rtcp));
    assert_eq!(forward.to, address(CALLEE_RTCP));
    let back = call.rtcp(CALLEE, CALLEE_RTCP, &mut report).unwrap();
    assert_eq!((back.leg, back.to), (CALLER, address(CALLER_RTCP)));
    let caller = call.session.counters(CALLER).unwrap();
    assert_eq!((caller.rtcp_received.packets, caller.rtcp_sent.packets), (1, 1));
}

#[test]
fn reports_of_strangers_are_dropped() {
    let mut call = bridged();
    for stranger in [CALLER_RTP, "203.0.113.10:4003", "203.0.113.11:4001"] {
        assert!(call.rtcp(CALLER, stranger, &mut sender_report()).is_none(), "{stranger}");
    }
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.source, 3);
}

#[test]
fn on_a_one_way_stream_the_listener_reports_back() {
    let mut call = bridged();
    call.session.silence(CALLEE);
    let back = call.rtcp(CALLER, CALLER_RTCP, &mut sender_report()).unwrap();
    assert_eq!(back.leg, CALLEE);
    call.session.silence(CALLER);
    assert!(call.rtcp(CALLER, CALLER_RTCP, &mut sender_report()).is_none());
}

#[test]
fn behind_a_nat_rtcp_is_believed_after_rtp_from_the_same_address() {
    let mut call = bridged();
    let negotiated = stream("192.168.1.5:4000", Codec::Pcmu);
    let caller = Remote { negotiated, signalling_source: ip("203.0.113.9"), has_tones: false };
    call.session.set_remote(call.now, CALLER, caller);
    assert!(call.rtcp(CALLER, "203.0.113.9:61001", &mut sender_report()).is_none());
    call.rtp(CALLER, "203.0.113.9:61000", &mut packet(0)).unwrap();
    let guess = call.rtcp(CALLEE, CALLEE_RTCP, &mut sender_report()).unwrap();
    assert_eq!(guess.to, address("203.0.113.9:61001"));
    assert!(call.rtcp(CALLER, "198.51.100.66:61001", &mut sender_report()).is_none());
    assert!(call.rtcp(CALLER, "203.0.113.9:61007", &mut sender_report()).is_some());
    let known = call.rtcp(CALLEE, CALLEE_RTCP, &mut sender_report()).unwrap();
    assert_eq!(known.to, address("203.0.113.9:61007"));
    assert!(call.rtcp(CALLER, "203.0.113.9:61001", &mut sender_report()).is_none());
}

#[test]
fn after_an_offer_of_the_same_address_rtcp_goes_where_it_went() {
    let negotiated = stream("192.168.1.5:4000", Codec::Pcmu);
    let caller = Remote { negotiated, signalling_source: ip("203.0.113.9"), has_tones: false };
    let mut call = bridged();
    call.session.set_remote(call.now, CALLER, caller);
    call.rtp(CALLER, "203.0.113.9:61000", &mut packet(0)).unwrap();
    call.rtcp(CALLER, "203.0.113.9:61007", &mut sender_report()).unwrap();
    let to = |call: &mut Call| call.rtcp(CALLEE, CALLEE_RTCP, &mut sender_report()).unwrap().to;
    call.session.set_remote(call.now, CALLER, caller);
    assert_eq!(to(&mut call), address("203.0.113.9:61007"));
    call.rtp(CALLER, "203.0.113.9:62000", &mut packet(0)).unwrap();
    assert_eq!(to(&mut call), address("203.0.113.9:61007"));
    call.rtcp(CALLER, "203.0.113.9:62007", &mut sender_report()).unwrap();
    assert_eq!(to(&mut call), address("203.0.113.9:62007"));
    let mut elsewhere = caller;
    elsewhere.negotiated.remote_rtcp = address("203.0.113.9:4101");
    call.session.set_remote(call.now, CALLER, elsewhere);
    assert_eq!(to(&mut call), address("203.0.113.9:4101"));
}

#[test]
fn where_rtp_settles_on_its_sdp_address_rtcp_goes_to_that_of_the_sdp() {
    let mut negotiated = stream("192.168.1.5:4000", Codec::Pcmu);
    negotiated.remote_rtcp = address("192.168.1.5:4100");
    let mut call = Call::bridged(negotiated, stream(CALLEE_RTP, Codec::Pcmu));
    call.rtp(CALLER, "192.168.1.5:4000", &mut packet(0)).unwrap();
    let forward = call.rtcp(CALLEE, CALLEE_RTCP, &mut sender_report()).unwrap();
    assert_eq!(forward.to, address("192.168.1.5:4100"));
}

#[test]
fn a_shared_port_carries_both() {
    let mut caller = stream(CALLER_RTP, Codec::Pcmu);
    caller.rtcp_mux = true;
    caller.remote_rtcp = caller.remote_rtp;
    let mut call = Call::bridged(caller, stream(CALLEE_RTP, Codec::Pcmu));
    let forward = call.rtp(CALLER, CALLER_RTP, &mut sender_report()).unwrap();
    assert_eq!((forward.leg, forward.socket), (CALLEE, Socket::Rtcp));
    assert_eq!(forward.to, address(CALLEE_RTCP));
    let back = call.rtcp(CALLEE, CALLEE_RTCP, &mut sender_report()).unwrap();
    assert_eq!((back.leg, back.socket), (CALLER, Socket::Rtp));
    assert_eq!(back.to, address(CALLER_RTP));
    assert!(call.rtp(CALLER, "203.0.113.11:4000", &mut sender_report()).is_none());
    let counters = call.session.counters(CALLER).unwrap();
    assert_eq!((counters.received.packets, counters.rtcp_received.packets), (0, 1));
}

#[test]
fn what_does_not_add_up_is_dropped() {
    let report = sender_report();
    let cases: [Vec<u8>; 6] = [
        vec![],
        vec![0x80, 200, 0],
        report[..report.len() - 1].to_vec(),
        [&report[..], &[0x80]].concat(),
        [&[0x40], &report[1..]].concat(),
        packet(0),
    ];
    let mut call = bridged();
    for case in &cases {
        assert!(call.rtcp(CALLER, CALLER_RTCP, &mut case.clone()).is_none(), "{case:?}");
    }
    assert_eq!(call.session.counters(CALLER).unwrap().dropped.malformed, 6);
}
