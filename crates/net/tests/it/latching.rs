//! Only the phone itself may speak on its leg.

use std::net::UdpSocket;

use media::Codec;
use net::rtp::Config;

use crate::rig::{Rig, bridged, packet};

#[test]
fn a_stranger_on_another_address_is_not_heard_and_hears_nothing() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    let stranger = UdpSocket::bind("127.0.0.2:0").expect("loopback has many addresses");
    for sequence in 0..20 {
        stranger.send_to(&packet(0, sequence), caller.switch).expect("loopback takes it");
    }
    caller.speak(&packet(0, 99));
    assert_eq!(callee.hear()[2..], packet(0, 99)[2..], "the phone's packet is the first heard");
    callee.speak(&packet(0, 7));
    assert_eq!(caller.hear()[2..], packet(0, 7)[2..]);
    stranger.set_nonblocking(true).expect("a socket option");
    stranger.recv(&mut [0; 64]).expect_err("the stranger was sent something");
}

#[test]
fn once_settled_a_second_source_of_the_same_address_is_refused() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    caller.speak(&packet(0, 1));
    callee.hear();
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    stranger.send_to(&packet(0, 2), caller.switch).expect("loopback takes it");
    callee.hears_nothing();
}

#[test]
fn a_phone_behind_a_nat_is_answered_where_its_packets_come_from() {
    let mut rig = Rig::new(1, Config::default());
    let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
    let mapped = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    mapped.set_read_timeout(Some(crate::rig::PATIENCE)).expect("a socket option");
    mapped.send_to(&packet(0, 1), caller.switch).expect("loopback takes it");
    callee.hear();
    callee.speak(&packet(0, 2));
    let mut heard = [0; 2048];
    let length = mapped.recv(&mut heard).expect("a packet in time");
    assert_eq!(heard[2..length], packet(0, 2)[2..]);
    caller.hears_nothing();
}
