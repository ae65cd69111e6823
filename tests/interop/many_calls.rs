//! Fifty calls that are up at the same time, and nothing of them afterwards.

use serde_json::json;

use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::wait_for;

const CALLS: usize = 50;

#[test]
fn fifty_calls_at_the_same_time_all_succeed_and_leave_nothing() {
    let scene = Scene::new();
    let options = ["-m", "50", "-r", "20", "-l", "50"];
    // Twenty a second, so the first still talks when the last begins.
    let caller = scene.phone(CALLER).with_options(&options).with("talk", 2700);
    let callee = scene.phone(CALLEE).with_options(&["-m", "50"]);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let before = switch.descriptors();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    let mut most = 0;
    wait_for("all calls at the same time", || {
        most = most.max(switch.health()["live_calls"].as_u64().unwrap_or_default());
        (most as usize >= CALLS - 5).then_some(())
    });
    caller_runs.finishes();
    callee_runs.finishes();
    switch.has_no_calls();
    // Ports rest before they are closed, idle connections to the application for a few seconds.
    wait_for("every socket to be closed", || (switch.descriptors() <= before).then_some(()));
    let results = wait_for("every result", || {
        let results = scene.app.requests("/dialled");
        (results.len() >= CALLS).then_some(results)
    });
    assert_eq!(results.len(), CALLS, "one result for each dial");
    assert!(results.iter().all(|result| result.json["dial_call_status"] == "completed"));
    switch.ends();
}
