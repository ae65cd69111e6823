//! What is left of a call when it is over: nothing.

use std::net::UdpSocket;
use std::time::Instant;

use media::Codec;
use net::rtp::{Command, Config, Event, PortsError, REST, SendError};

use crate::rig::{CALLEE, CALLER, Rig, bridged, packet};

#[test]
fn a_closed_calls_ports_are_reported_and_free_at_once() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    let mut expected = vec![caller.switch.port(), callee.switch.port()];
    expected.sort_unstable();
    rig.send(Command::Close { call: 1 });
    let Event::PortsFreed(mut freed) = rig.event() else { panic!("ports come back") };
    freed.sort_unstable();
    assert_eq!(freed, expected);
    for port in freed {
        for port in [port, port + 1] {
            UdpSocket::bind(("127.0.0.1", port)).expect("nobody holds it");
        }
    }
}

#[test]
fn the_pool_runs_dry_and_fills_again_five_seconds_after_the_calls() {
    let mut rig = Rig::new(1, Config::default());
    let now = Instant::now();
    for call in 0..20 {
        let pair = rig.ports.open(now).expect("twenty pairs are free");
        rig.send(Command::Open { call, leg: CALLER, pair });
    }
    let error = rig.ports.open(now).expect_err("none is left");
    assert!(matches!(error, PortsError::NoneFree { used: 20, .. }), "{error}");
    for call in 0..20 {
        rig.send(Command::Close { call });
    }
    while rig.ports.used() > 0 {
        let Event::PortsFreed(freed) = rig.event() else { panic!("only ports come back") };
        freed.into_iter().for_each(|port| rig.ports.release(now, port));
    }
    rig.ports.open(now).expect_err("they rest");
    for _ in 0..20 {
        rig.ports.open(now + REST).expect("they have rested");
    }
}

#[test]
fn one_leg_closes_and_the_other_goes_on() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    rig.send(Command::CloseLeg { call: 1, leg: CALLEE });
    assert_eq!(rig.event(), Event::PortsFreed(vec![callee.switch.port()]));
    let next = rig.phone(1, CALLEE, Codec::Pcmu);
    rig.send(Command::Bridge { call: 1, x: CALLER, y: CALLEE });
    next.speak(&packet(0, 3));
    assert_eq!(caller.hear()[2..], packet(0, 3)[2..]);
}

#[test]
fn a_leg_opened_twice_fails_its_call_and_no_other() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    rig.open(2, CALLER);
    rig.open(2, CALLER);
    let Event::Failed { call: 2, reason } = rig.event() else { panic!("call 2 fails") };
    assert_eq!(reason, "leg 0 is opened twice");
    let Event::PortsFreed(freed) = rig.event() else { panic!("ports come back") };
    assert_eq!(freed.len(), 2);
    rig.send(Command::Silence { call: 2, to: CALLER });
    rig.send(Command::Close { call: 2 });
    caller.speak(&packet(0, 3));
    assert_eq!(callee.hear()[2..], packet(0, 3)[2..]);
}

#[test]
fn stopped_threads_have_closed_every_call() {
    let mut rig = Rig::new(2, Config::default());
    let ports = [rig.open(1, CALLER), rig.open(2, CALLER)];
    let handle = rig.workers.handle();
    rig.workers.stop();
    for port in ports {
        UdpSocket::bind(("127.0.0.1", port)).expect("nobody holds it");
    }
    let refused = handle.send(Command::Close { call: 1 }).expect_err("nobody is there");
    assert!(matches!(refused, SendError::Stopped(_)), "{refused}");
    let mut freed = Vec::new();
    while let Some(event) = rig.events.blocking_recv() {
        let Event::PortsFreed(ports) = event else { panic!("only ports come back") };
        freed.extend(ports);
    }
    assert_eq!(freed.len(), 2, "and the channel has ended");
}
