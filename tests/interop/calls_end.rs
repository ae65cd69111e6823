//! Who ends a call, how the other party learns of it, and what the application is told.

use serde_json::json;

use crate::support::scene::{CALLEE, CALLER, Scene, dial};

/// Events of a call that was bridged.
const BRIDGED: [&str; 7] = [
    "inbound trying 100",
    "outbound trying 100",
    "outbound ringing 180",
    "outbound in-progress 200",
    "inbound in-progress 200",
    "outbound completed 200",
    "inbound completed 200",
];

#[test]
fn a_caller_hangs_up() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let ladder = caller.plays("caller_hangs_up", &switch).finishes();
    let kinds = ladder.received_kinds();
    assert_eq!(kinds, ["100", "180", "200", "200"], "answered before the callee, or twice");
    callee_runs.finishes();
    let mut told = scene.app.told();
    let mut expected = BRIDGED.to_vec();
    // Which of the two ended events comes first is nobody's business when the caller leaves.
    told[5..].sort();
    expected[5..].sort_unstable();
    assert_eq!(told, expected);
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "completed");
    assert_eq!(result["dial_status"], "completed");
    assert_eq!(result["dial_sip_status"], 200);
    let events = scene.app.requests("/status");
    let last = events.iter().find(|event| {
        event.json["direction"] == "inbound" && event.json["call_status"] == "completed"
    });
    let last = &last.expect("the caller's last event").json;
    assert_eq!(last["call_termination_by"], "caller", "{last}");
    switch.ends();
}

#[test]
fn a_callee_hangs_up_and_the_next_verb_runs() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    scene.app.runs("/dialled", &json!([{ "verb": "hangup", "headers": { "X-Bye": "thanks" } }]));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_hangs_up", &switch);
    let ladder = caller.plays("caller_stays", &switch).finishes();
    callee_runs.finishes();
    assert_eq!(ladder.only("BYE").header("X-Bye"), Some("thanks"));
    assert_eq!(scene.app.told(), BRIDGED);
    let events = scene.app.requests("/status");
    let child_ended = events.iter().find(|event| {
        event.json["direction"] == "outbound" && event.json["call_status"] == "completed"
    });
    let child_ended = &child_ended.expect("the callee's last event").json;
    assert_eq!(child_ended["headers"]["x-why"], "enough", "{child_ended}");
    assert!(child_ended["duration"].is_number(), "{child_ended}");
    assert_eq!(scene.app.requests("/dialled").len(), 1);
    switch.ends();
}

#[test]
fn events_carry_one_call_sid_for_each_leg_and_children_name_their_parent() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "tag": { "ticket": 7 } })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    scene.app.told();
    let parent = scene.app.is_asked("/incoming").json["call_sid"].clone();
    assert!(parent.is_string());
    let child = scene.app.is_asked("/dialled").json["dial_call_sid"].clone();
    assert_ne!(parent, child);
    for event in scene.app.requests("/status") {
        let (event, inbound) = (&event.json, event.json["direction"] == "inbound");
        assert_eq!(event["call_sid"], if inbound { parent.clone() } else { child.clone() });
        assert_eq!(event["parent_call_sid"], if inbound { json!(null) } else { parent.clone() });
        let data = if inbound { json!(null) } else { json!({ "ticket": 7 }) };
        assert_eq!(event["customerData"], data, "{event}");
    }
    switch.ends();
}

#[test]
fn a_time_limit_ends_the_callee_and_the_list_goes_on() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "timeLimit": 0.6 })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_stays", &switch).finishes();
    let ladder = callee_runs.finishes();
    let lasted = ladder.only("BYE").at - ladder.only("ACK").at;
    assert!((0.5..4.0).contains(&lasted), "ended {lasted} s after the answer");
    assert_eq!(scene.app.is_asked("/dialled").json["dial_call_status"], "completed");
    switch.ends();
}
