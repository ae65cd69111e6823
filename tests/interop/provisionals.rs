//! Provisional responses that are acknowledged (RFC 3262), with sipp on both sides.

use media::Codec;
use serde_json::json;

use crate::support::ladder::{Ladder, Message};
use crate::support::pair;
use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::steps::Steps;
use crate::support::wait_for;

/// The answer that a phone got to its request of this method.
fn answer<'a>(ladder: &'a Ladder, method: &str) -> &'a Message {
    let is_answer = |message: &&Message| {
        !message.sent && message.kind() == "200" && message.cseq_method() == method
    };
    ladder.0.iter().find(is_answer).unwrap_or_else(|| panic!("no 200 to {method}"))
}

fn asserts_acknowledged(ladder: &Ladder, status: &str) {
    let provisional = ladder.only(status);
    let required = provisional.header("Require").unwrap_or_default();
    assert!(required.contains("100rel"), "{}", provisional.text);
    let number = provisional.header("RSeq").expect("a number to acknowledge");
    let prack = ladder.sent("PRACK")[0].header("RAck").unwrap_or_default();
    assert_eq!(prack, format!("{number} 1 INVITE"));
    assert!(answer(ladder, "PRACK").at <= answer(ladder, "INVITE").at);
}

#[test]
fn early_media_is_acknowledged_by_a_caller_that_can() {
    let scene = Scene::new();
    let steps =
        Steps::of_caller().gets_reliably(183).acknowledges().is_answered().waits().hangs_up();
    let caller =
        scene.phone(CALLER).with("headers", "\n    Supported: 100rel").with("steps", steps);
    let steps = Steps::of_callee()
        .responds("183 Session Progress", &[], "{{sdp}}")
        .waits()
        .answers()
        .is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller.audio.hears(Codec::Pcmu, 1100.0);
    callee_runs.proceeds();
    callee_runs.receives("ACK");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 700.0);
    callee.audio.hears(Codec::Pcmu, 700.0);
    caller_runs.proceeds();
    asserts_acknowledged(&caller_runs.finishes(), "183");
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn a_caller_that_requires_it_acknowledges_that_it_rings() {
    let scene = Scene::new();
    let steps =
        Steps::of_caller().gets_reliably(180).acknowledges().is_answered().waits().hangs_up();
    let caller = scene.phone(CALLER).with("headers", "\n    Require: 100rel").with("steps", steps);
    let steps = Steps::of_callee().rings().waits().answers().is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    caller_runs.receives("200");
    callee_runs.proceeds();
    callee_runs.receives("ACK");
    caller_runs.audio_of_switch();
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 700.0);
    callee.audio.hears(Codec::Pcmu, 700.0);
    caller_runs.proceeds();
    asserts_acknowledged(&caller_runs.finishes(), "180");
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn a_provisional_that_is_not_acknowledged_comes_again() {
    let scene = Scene::new();
    let steps = Steps::of_caller()
        .gets_reliably(180)
        .waits()
        .acknowledges()
        .is_answered()
        .waits()
        .hangs_up();
    let caller = scene.phone(CALLER).with("headers", "\n    Require: 100rel").with("steps", steps);
    let steps = Steps::of_callee().rings().waits().answers().is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    config.sip = "t1_ms = 100".to_owned();
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    wait_for("the third time", || {
        (caller_runs.ladder().received_copies("180").len() >= 3).then_some(())
    });
    caller_runs.proceeds();
    caller_runs.receives("200");
    callee_runs.proceeds();
    callee_runs.receives("ACK");
    caller_runs.audio_of_switch();
    caller_runs.proceeds();
    let ladder = caller_runs.finishes();
    let numbers: Vec<_> = ladder.received_copies("180").iter().map(|m| m.header("RSeq")).collect();
    assert!(numbers.len() >= 3 && numbers.iter().all(|n| *n == numbers[0]), "{numbers:?}");
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn a_callee_has_its_provisional_acknowledged() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("steps", pair::caller());
    let reliable = ["Require: 100rel", "RSeq: 4711"];
    let steps = Steps::of_callee()
        .responds("183 Session Progress", &reliable, "{{sdp}}")
        .is_asked("PRACK", "200 OK", &[])
        .waits()
        .answers()
        .is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    let prack = callee_runs.receives("PRACK");
    assert_eq!(prack.header("RAck"), Some("4711 1 INVITE"), "{}", prack.text);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller.audio.hears(Codec::Pcmu, 1100.0);
    let early = caller_runs.receives("183");
    assert_eq!(early.header("Require"), None, "the caller cannot: {}", early.text);
    callee_runs.proceeds();
    caller_runs.receives("200");
    caller_runs.proceeds();
    caller_runs.finishes();
    let invite = callee_runs.finishes().received("INVITE")[0].clone();
    let supported = invite.header("Supported").unwrap_or_default();
    assert!(supported.contains("100rel"), "{supported}");
    switch.ends();
}
