//! Whose packets are believed, which are passed on, and what happens when none come.

use std::time::Duration;

use media::Codec;
use serde_json::json;

use crate::support::audio::Audio;
use crate::support::scene::{CALLEE, CALLER, STRANGER, Scene, dial};
use crate::support::wait_for;

#[test]
fn packets_of_a_stranger_are_not_heard() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("talk", 5_000);
    let callee = scene.phone(CALLEE);
    let stranger = Audio::open(scene.network.ip(STRANGER));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    let to_switch = caller_runs.audio_of_switch();
    // Before the caller has said anything, and while it talks.
    stranger.says(to_switch, Codec::Pcmu, 1900.0);
    std::thread::sleep(Duration::from_millis(200));
    assert!(callee.audio.heard().is_empty(), "the stranger was heard first");
    caller.audio.says(to_switch, Codec::Pcmu, 700.0);
    callee.audio.hears(Codec::Pcmu, 700.0);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller.audio.hears(Codec::Pcmu, 1100.0);
    assert!(callee.audio.share_of(Codec::Pcmu, 1900.0) < 0.05);
    assert!(stranger.heard().is_empty(), "the stranger was sent audio");
    caller_runs.finishes();
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn reports_of_a_stream_reach_the_other_party() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    let to_switch = caller_runs.audio_of_switch();
    caller.audio.says(to_switch, Codec::Pcmu, 700.0);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    callee.audio.hears(Codec::Pcmu, 700.0);
    // RFC 3550 §6.4.2: a receiver report without blocks.
    let report = [0x80, 201, 0, 1, 0x12, 0x34, 0x56, 0x78];
    let relayed = wait_for("the report", || {
        caller.audio.sends_report(to_switch, &report);
        callee.audio.reports().into_iter().next()
    });
    assert_eq!(relayed[1], 201, "{relayed:?}");
    caller_runs.finishes();
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn a_party_that_sends_nothing_for_too_long_ends_the_call() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    config.media = "timeout = \"1s\"".to_owned();
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_stays", &switch);
    caller_runs.receives("200");
    // The caller talks all the time, the callee falls silent.
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 700.0);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller.audio.hears(Codec::Pcmu, 1100.0);
    callee.audio.is_quiet();
    let ladder = callee_runs.finishes();
    let reason = ladder.only("BYE").header("X-Reason").unwrap_or_default().to_owned();
    assert!(reason.to_lowercase().contains("media timeout"), "{reason}");
    caller_runs.finishes();
    switch.ends();
}

#[test]
fn while_both_talk_no_timeout_ends_the_call() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("talk", 2200);
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    config.media = "timeout = \"1s\"".to_owned();
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 700.0);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller_runs.finishes();
    callee_runs.finishes();
    switch.ends();
}
