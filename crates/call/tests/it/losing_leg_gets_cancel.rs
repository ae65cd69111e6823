//! Several callees and one answer: the others are cancelled, and told that the call was completed
//! elsewhere, so that they do not show it as missed. Nobody else is told so.

use serde_json::json;
use testkit::Note;

use crate::events::child_history;
use crate::scene::{
    Scene, answers, assert_near, cancels, hangs_up, heard, result, saw_at, talks, waits,
};

const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

#[test]
fn the_losers_are_told_that_the_call_was_completed_elsewhere() {
    let callees = vec![talks(1.0, 3.0), waits(), waits()];
    let world = Scene::dialling(callees, &json!({})).play();
    for name in ["B2", "B3"] {
        let cancelled = Note::Cancelled(Some(ELSEWHERE.to_owned()));
        assert_near(saw_at(&world, name, &cancelled), 1.0);
    }
    assert_eq!(child_history(&world, 2), ["trying/100", "ringing/180", "no-answer/487"]);
    assert_eq!(heard(&world), ["callee 1", "nothing"], "exactly one bridge");
    let targets = result(&world)["dial_targets"].as_array().unwrap();
    assert_eq!(targets[0]["call_status"], "completed");
    assert!(targets[0].get("lost_because").is_none());
    for loser in &targets[1..] {
        assert_eq!(loser["call_status"], "no-answer");
        assert_eq!(loser["sip_status"], 487);
        assert_eq!(loser["lost_because"], "answered-elsewhere");
    }
}

#[test]
fn a_loser_that_is_cancelled_for_want_of_time_or_caller_is_told_nothing() {
    let world = Scene::dialling(vec![waits(), waits()], &json!({ "timeout": 2 })).play();
    assert_eq!(world.phone("B2").saw(&Note::Cancelled(None)), 1);
    let world = Scene::dialling(vec![waits(), waits()], &json!({})).caller(cancels(2.0)).play();
    assert_eq!(world.phone("B2").saw(&Note::Cancelled(None)), 1);
}

#[test]
fn the_second_target_may_win() {
    let callees = vec![waits(), answers(1.0)];
    let world = Scene::dialling(callees, &json!({})).caller(hangs_up(2.0)).play();
    assert_eq!(heard(&world), ["callee 2", "nothing"]);
    assert_eq!(result(&world)["dial_call_sid"], world.application.calls(true)[1].as_str());
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "answered-elsewhere");
}
