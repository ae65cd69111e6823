//! Packets between two phones through the real threads.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use media::Codec;
use net::rtp::{Command, Config, Ports, Totals};

use crate::rig::{CALLEE, CALLER, Phone, Rig, bridged, packet};

/// Everything but the marker bit, which the first packet of a new source carries.
fn assert_same(heard: &[u8], spoken: &[u8]) {
    assert_eq!(heard[1] & 0x7f, spoken[1] & 0x7f);
    assert_eq!((heard[0], &heard[2..]), (spoken[0], &spoken[2..]));
}

#[test]
fn two_phones_hear_each_other() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    for sequence in 0..50 {
        for (from, to) in [(&caller, &callee), (&callee, &caller)] {
            let spoken = packet(0, sequence);
            from.speak(&spoken);
            let (heard, source) = to.hear_from();
            assert_same(&heard, &spoken);
            assert_eq!(source, to.switch, "from the port that the phone knows");
        }
    }
}

#[test]
fn ports_on_every_ipv6_address_serve_ipv4_phones() {
    let mut rig = Rig::new(1, Config::default());
    rig.ports = Ports::new(Ipv6Addr::UNSPECIFIED.into(), 23_900..=23_919);
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    for (from, to) in [(&caller, &callee), (&callee, &caller)] {
        from.speak(&packet(0, 1));
        let (heard, source) = to.hear_from();
        assert_same(&heard, &packet(0, 1));
        assert_eq!(source, to.switch);
    }
}

#[test]
fn packets_that_come_together_stay_in_order() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    for sequence in 0..200 {
        caller.speak(&packet(0, sequence));
    }
    for sequence in 0..200 {
        assert_same(&callee.hear(), &packet(0, sequence));
    }
}

#[test]
fn calls_on_several_threads_do_not_mix() {
    let mut rig = Rig::new(3, Config::default());
    let calls: Vec<(Phone, Phone)> =
        (0..6).map(|call| bridged(&mut rig, call, Codec::Pcmu, Codec::Pcmu)).collect();
    for (sequence, (caller, callee)) in calls.iter().enumerate() {
        let sequence = u16::try_from(sequence).expect("small");
        caller.speak(&packet(0, sequence));
        callee.speak(&packet(0, 100 + sequence));
    }
    for (sequence, (caller, callee)) in calls.iter().enumerate() {
        let sequence = u16::try_from(sequence).expect("small");
        assert_same(&callee.hear(), &packet(0, sequence));
        assert_same(&caller.hear(), &packet(0, 100 + sequence));
    }
    // why: a thread counts a batch after it was sent, so the last may not be counted yet.
    let counted = || rig.workers.totals().iter().map(|totals| totals.received).collect::<Vec<_>>();
    let patience = Instant::now() + Duration::from_secs(5);
    while counted() != [4, 4, 4] && Instant::now() < patience {
        std::thread::yield_now();
    }
    assert_eq!(counted(), [4, 4, 4]);
}

#[test]
fn a_law_and_mu_law_phones_understand_each_other() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcma);
    let spoken = packet(0, 1);
    caller.speak(&spoken);
    let heard = callee.hear();
    let mut expected = spoken[12..].to_vec();
    media::codec::g711::convert(Codec::Pcmu, Codec::Pcma, &mut expected);
    assert_eq!(heard[1] & 0x7f, 8);
    assert_eq!(heard[12..], expected);

    callee.speak(&packet(8, 2));
    assert_eq!(caller.hear()[1] & 0x7f, 0);
}

#[test]
fn a_key_press_goes_out_under_the_number_that_the_other_side_negotiated() {
    let mut rig = Rig::new(1, Config::default());
    let caller = rig.phone(1, CALLER, Codec::Pcmu);
    let mut callee = Phone::new(rig.open(1, CALLEE), Codec::Pcmu);
    callee.negotiated.payload_types.telephone_event = Some(96);
    rig.send(Command::SetRemote { call: 1, leg: CALLEE, remote: callee.remote() });
    rig.send(Command::Bridge { call: 1, x: CALLER, y: CALLEE });
    let mut event = packet(101, 7);
    event.truncate(16);
    caller.speak(&event);
    let heard = callee.hear();
    assert_eq!(heard[1] & 0x7f, 96);
    assert_eq!(heard[2..], event[2..]);
}

#[test]
fn rtcp_travels_on_the_odd_ports() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    // why: only a stream whose RTP has settled believes RTCP from a private address.
    for (from, to) in [(&caller, &callee), (&callee, &caller)] {
        from.speak(&packet(0, 1));
        to.hear();
    }
    let mut report = vec![0x80, 201, 0, 1];
    report.extend(0x5117_c400_u32.to_be_bytes());
    let odd = (caller.switch.ip(), caller.switch.port() + 1);
    caller.rtcp.send_to(&report, odd).expect("loopback takes it");
    let mut heard = [0; 64];
    let (length, from) = callee.rtcp.recv_from(&mut heard).expect("a report in time");
    assert_eq!(heard[..length], report);
    assert_eq!(from.port(), callee.switch.port() + 1);
}

#[test]
fn garbage_goes_nowhere_and_harms_nothing() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    for garbage in [&b""[..], b"x", &[0xff; 11], &[0x00; 172], &[0x8f; 20]] {
        caller.rtp.send_to(garbage, caller.switch).expect("loopback takes it");
    }
    let mut oversized = packet(0, 4);
    oversized.resize(3000, 0);
    caller.speak(&oversized);
    caller.speak(&packet(0, 5));
    assert_same(&callee.hear(), &packet(0, 5));
    callee.hears_nothing();
}

#[test]
fn what_was_carried_is_counted() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    caller.speak(b"not RTP");
    for sequence in 0..10 {
        caller.speak(&packet(0, sequence));
        callee.hear();
    }
    rig.send(Command::Close { call: 1 });
    // why: ports are reported after everything of the same turn is counted.
    rig.event();
    let totals = rig.workers.totals();
    let [Totals { received, received_bytes, sent, sent_bytes, refused, .. }] = totals[..] else {
        panic!("one thread, got {totals:?}");
    };
    assert_eq!((received, received_bytes), (11, 10 * 172 + 7));
    assert_eq!((sent, sent_bytes, refused), (10, 10 * 172, 0));
}
