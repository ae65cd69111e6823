//! INVITE with Replaces of sipp: one phone takes over the call of another, audio and all.

use media::Codec;
use serde_json::{Value, json};

use crate::support::pair::{self, OF_CALLEE, OF_CALLER, Pair};
use crate::support::phone::Phone;
use crate::support::scene::{CALLER, Scene};
use crate::support::sipp::Run;
use crate::support::steps::Steps;
use crate::support::switch::Switch;
use crate::support::wait_for;

/// What the phone says that takes over.
const OF_OTHER: f64 = 1500.0;

/// The headers that name the dialog which the 200 to this caller made, as the switch sees it.
fn replaces(runs: &Run) -> String {
    let answer = runs.receives("200");
    let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    let tag = |name: &str| header(name).split("tag=").nth(1).unwrap_or_default().to_owned();
    let (call_id, ours, theirs) = (header("Call-ID"), tag("To"), tag("From"));
    format!("\n    Require: replaces\n    Replaces: {call_id};to-tag={ours};from-tag={theirs}")
}

/// Another phone of the same carrier calls with these headers.
fn another(scene: &Scene, switch: &Switch, headers: &str) -> (Phone, Run) {
    let phone = scene.phone(CALLER).with("headers", headers).with("steps", pair::caller());
    let runs = phone.plays("caller_by_steps", switch);
    (phone, runs)
}

#[test]
fn a_callee_goes_on_with_the_phone_that_takes_over_from_its_caller() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let left = Steps::of_caller().is_answered().is_hung_up();
    let pair = Pair::talking(&scene, &switch, (left, pair::callee()), &json!({}));
    let (other, other_runs) = another(&scene, &switch, &replaces(&pair.caller_runs));
    other_runs.receives("200");
    other.audio.says(other_runs.audio_of_switch(), Codec::Pcmu, OF_OTHER);
    pair.callee.audio.hears(Codec::Pcmu, OF_OTHER);
    other.audio.hears(Codec::Pcmu, OF_CALLEE);
    let Pair { caller_runs, callee_runs, .. } = pair;
    caller_runs.finishes();
    other_runs.proceeds();
    other_runs.finishes();
    let ladder = callee_runs.finishes();
    assert_eq!(ladder.received("INVITE").len(), 1, "{}", ladder.summary());
    let asked = scene.app.is_asked("/dialled").json;
    assert_eq!(asked["dial_call_status"], "completed", "{asked}");
    // The application hears of the one that took over, and is asked for nothing.
    let of = |status: &str| {
        let events = scene.app.requests("/status").into_iter().map(|request| request.json);
        events
            .filter(|event| event["direction"] == "inbound" && event["call_status"] == status)
            .map(|event| event["call_sid"].clone())
            .collect::<Vec<Value>>()
    };
    wait_for("the end of both", || (of("completed").len() == 2).then_some(()));
    assert_eq!(of("trying").len(), 2);
    assert_eq!(scene.app.requests("/incoming").len(), 1);
    switch.ends();
}

#[test]
fn a_dialog_that_is_not_there_is_not_taken_over() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let pair = Pair::talking(&scene, &switch, (pair::caller(), pair::callee()), &json!({}));
    let headers = replaces(&pair.caller_runs).replace("to-tag=", "to-tag=0");
    let other = scene.phone(CALLER).with("headers", headers).with("status", 481);
    let ladder = other.plays("caller_is_refused", &switch).finishes();
    assert!(ladder.only("481").header("X-Reason").is_some(), "{}", ladder.summary());
    pair.caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    pair.callee.audio.hears(Codec::Pcmu, OF_CALLER);
    pair.ends();
    switch.ends();
}
