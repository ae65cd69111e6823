//! `exitMediaPath`: two phones that are told each other's address talk past the switch, until one
//! of them holds.

use std::net::SocketAddr;

use media::Codec;
use serde_json::json;

use crate::support::pair::{OF_CALLEE, OF_CALLER, Pair};
use crate::support::scene::Scene;
use crate::support::sipp::Run;
use crate::support::steps::Steps;
use crate::support::wait_for;

/// Where a phone is told to send, by the description that it gets at this place.
fn told(runs: &Run, place: usize) -> SocketAddr {
    wait_for(&format!("session description {place}"), || {
        let ladder = runs.ladder();
        let received = ladder.0.iter().filter(|message| !message.sent);
        received.filter_map(|message| message.audio_address()).nth(place)
    })
}

#[test]
fn two_phones_talk_to_each_other_and_come_back_for_a_hold() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let caller =
        Steps::of_caller().is_answered().is_reinvited(&[]).is_reinvited(&[]).waits().hangs_up();
    let callee = Steps::of_callee()
        .rings()
        .answers()
        .is_reinvited(&[])
        .waits()
        .asks("INVITE", &[], "{{held_sdp}}", 200)
        .is_hung_up();
    let more = json!({ "exitMediaPath": true });
    let pair = Pair::connected(&scene, &switch, (caller, callee), &more);
    let before = told(&pair.caller_runs, 0);
    assert_eq!(told(&pair.callee_runs, 1), pair.caller.audio.address());
    assert_eq!(told(&pair.caller_runs, 1), pair.callee.audio.address());
    pair.caller.audio.says(pair.callee.audio.address(), Codec::Pcmu, OF_CALLER);
    pair.callee.audio.says(pair.caller.audio.address(), Codec::Pcmu, OF_CALLEE);
    pair.both_hear();
    for (hearer, sayer) in [(&pair.caller, &pair.callee), (&pair.callee, &pair.caller)] {
        let last = hearer.audio.heard().pop().map(|packet| packet.from);
        assert_eq!(last, Some(sayer.audio.address()), "from the other phone itself");
    }
    pair.callee_runs.proceeds();
    assert_eq!(told(&pair.caller_runs, 2), before, "the switch again");
    assert_ne!(told(&pair.callee_runs, 2), pair.caller.audio.address());
    pair.ends();
    switch.ends();
}
