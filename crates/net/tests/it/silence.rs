//! A peer that should send and does not.

use std::time::{Duration, Instant};

use media::Codec;
use media::sdp::Direction;
use net::rtp::{Command, Config, Event};

use crate::rig::{CALLEE, CALLER, Phone, Rig, packet};

#[test]
fn a_silent_peer_is_reported_once_and_one_on_hold_never() {
    let limit = Duration::from_millis(300);
    let mut rig = Rig::new(1, Config { inactivity: Some(limit) });
    let start = Instant::now();
    let caller = rig.phone(5, CALLER, Codec::Pcmu);
    let mut callee = Phone::new(rig.open(5, CALLEE), Codec::Pcmu);
    callee.negotiated.direction = Direction::SendOnly;
    rig.send(Command::SetRemote { call: 5, leg: CALLEE, remote: callee.remote() });
    // why: a packet moves the deadline, which the thread only finds out when the first one is due.
    std::thread::sleep(limit / 2);
    caller.speak(&packet(0, 1));
    assert_eq!(rig.event(), Event::MediaTimeout { call: 5, leg: CALLER });
    assert!(start.elapsed() >= limit + limit / 2, "after {:?}", start.elapsed());
    std::thread::sleep(limit * 2);
    assert!(rig.events.try_recv().is_err(), "reported again");

    rig.send(Command::Close { call: 5 });
    assert!(matches!(rig.event(), Event::PortsFreed(ports) if ports.len() == 2));
}
