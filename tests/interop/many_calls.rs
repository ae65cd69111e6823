//! Many calls that are up at the same time, and nothing of them afterwards.

use serde_json::json;

use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::wait_for;

/// So many calls, so many new ones a second; each talks for so many milliseconds, long enough
/// that the first is still up when the last begins.
fn all_succeed_and_leave_nothing(calls: usize, rate: usize, talk: usize) {
    let scene = Scene::new();
    let [calls_text, rate_text] = [calls, rate].map(|number| number.to_string());
    let options = ["-m", &calls_text, "-r", &rate_text, "-l", &calls_text, "-timeout", "60s"];
    let caller = scene.phone(CALLER).with_options(&options).with("talk", talk);
    let callee = scene.phone(CALLEE).with_options(&["-m", &calls_text, "-timeout", "60s"]);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    // Two parties with two ports each, and room for those that rest.
    config.ports = format!("20000-{}", 20000 + calls * 5);
    config.limits = format!("calls = {calls}");
    let switch = scene.starts(&config);
    let before = switch.descriptors();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    let mut most = 0;
    wait_for("nearly all calls at the same time", || {
        most = most.max(switch.health()["live_calls"].as_u64().unwrap_or_default());
        (most as usize >= calls - calls / 10).then_some(())
    });
    let results = || scene.app.requests("/dialled");
    wait_for("every result", || (results().len() >= calls).then_some(()));
    caller_runs.finishes();
    callee_runs.finishes();
    switch.has_no_calls();
    // Ports rest before they are closed, idle connections to the application for a few seconds.
    wait_for("every socket to be closed", || (switch.descriptors() <= before).then_some(()));
    let results = results();
    assert_eq!(results.len(), calls, "one result for each dial");
    assert!(results.iter().all(|result| result.json["dial_call_status"] == "completed"));
    switch.ends();
}

#[test]
fn fifty_calls_at_the_same_time_all_succeed_and_leave_nothing() {
    all_succeed_and_leave_nothing(50, 20, 2700);
}

#[test]
fn five_hundred_calls_at_the_same_time_all_succeed_and_leave_nothing() {
    all_succeed_and_leave_nothing(500, 100, 6000);
}
