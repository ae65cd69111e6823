//! `dial_targets` of the actionHook: one entry for each target, exactly.

use serde_json::{Value, json};
use testkit::Callee;

use crate::events::children;
use crate::scene::{Scene, dial, hangs_up, refuses, result, s, talks, target, waits};

/// The entry without its call_sids, which are checked apart.
fn without_sids(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry.as_object_mut().unwrap().remove("call_sid");
    for attempt in entry["attempts"].as_array_mut().unwrap() {
        attempt.as_object_mut().unwrap().remove("call_sid");
    }
    entry
}

#[test]
fn every_fate_of_a_target() {
    let early = Callee { early_media: Some(s(0.3)), ..waits() };
    let silent = Callee { rings: None, ..refuses(404, 0.2) };
    let callees = vec![refuses(486, 0.5), talks(2.0, 3.0), waits(), early, silent];
    let mut targets: Vec<Value> = (1..=5).map(target).collect();
    targets.push(target(1));
    targets.push(json!({ "type": "phone", "number": "1555", "trunk": "nobody" }));
    targets.push(json!({ "type": "user", "name": "jane" }));
    let list = json!([dial(0, &json!({ "target": targets, "answerOnBridge": false }))]);
    let world = Scene::running(&list).callees(callees).caller(hangs_up(60.0)).play();

    let result = result(&world);
    let entries: Vec<Value> =
        result["dial_targets"].as_array().unwrap().iter().map(without_sids).collect();
    let uri = |number: u8| format!("sip:b{number}@10.0.2.{number}:5060");
    // Look-up 1 ms, each way 5 ms.
    let rejected = |index: usize, number: u8, status: &str, because: &str, attempt: &Value| {
        let mut attempt = attempt.clone();
        attempt["uri"] = json!(uri(number));
        json!({
            "index": index, "type": "sip", "address": uri(number), "call_status": status,
            "sip_status": attempt["sip_status"], "sip_reason": attempt["sip_reason"],
            "lost_because": because, "attempts": [attempt],
        })
    };
    let busy = json!({ "trying_ms": 1, "ringing_ms": 111, "ended_ms": 511,
        "sip_status": 486, "sip_reason": "Busy Here" });
    assert_eq!(entries[0], rejected(0, 1, "busy", "busy", &busy));
    let mut won = rejected(
        1,
        2,
        "completed",
        "",
        &json!({
        "trying_ms": 1, "ringing_ms": 111, "answered_ms": 2011, "ended_ms": 5021,
        "sip_status": 200, "sip_reason": "OK" }),
    );
    won.as_object_mut().unwrap().remove("lost_because");
    assert_eq!(entries[1], won);
    let stopped = json!({ "trying_ms": 1, "ringing_ms": 111, "ended_ms": 2021,
        "sip_status": 487, "sip_reason": "Request Terminated" });
    assert_eq!(entries[2], rejected(2, 3, "no-answer", "answered-elsewhere", &stopped));
    let mut with_media = stopped;
    with_media["early_media_ms"] = json!(311);
    assert_eq!(entries[3], rejected(3, 4, "no-answer", "answered-elsewhere", &with_media));
    let silent = json!({ "trying_ms": 1, "ended_ms": 211,
        "sip_status": 404, "sip_reason": "Not Found" });
    assert_eq!(entries[4], rejected(4, 5, "failed", "rejected", &silent));
    assert_eq!(
        entries[5..],
        [
            json!({ "index": 5, "type": "sip", "address": uri(1), "call_status": "skipped",
                "lost_because": "duplicate", "attempts": [] }),
            json!({ "index": 6, "type": "phone", "address": "1555", "trunk": "nobody",
                "call_status": "failed", "sip_status": 404, "sip_reason": "no such trunk",
                "lost_because": "no-such-trunk", "attempts": [] }),
            json!({ "index": 7, "type": "user", "address": "jane", "call_status": "failed",
                "sip_status": 404, "sip_reason": "jane is not registered",
                "lost_because": "not-registered", "attempts": [] }),
        ]
    );
}

#[test]
fn call_sids_are_those_of_the_status_events() {
    let callees = vec![refuses(486, 0.5), talks(1.0, 1.0), waits()];
    let world = Scene::dialling(callees, &json!({})).play();
    let targets = result(&world)["dial_targets"].as_array().unwrap();
    let sids: Vec<&str> = targets.iter().map(|of| of["call_sid"].as_str().unwrap()).collect();
    assert_eq!(sids, children(&world));
    for of in targets {
        assert_eq!(of["call_sid"], of["attempts"][0]["call_sid"]);
    }
}

#[test]
fn who_is_still_winding_down_has_no_end_yet() {
    let world = Scene::dialling(vec![waits()], &json!({ "timeout": 2 })).play();
    let entry = without_sids(&result(&world)["dial_targets"][0]);
    let attempt = &entry["attempts"][0];
    assert_eq!(attempt["uri"], "sip:b1@10.0.2.1:5060");
    assert_eq!((&attempt["trying_ms"], &attempt["ringing_ms"]), (&json!(1), &json!(111)));
    for later in ["answered_ms", "ended_ms", "sip_status", "sip_reason"] {
        assert!(attempt.get(later).is_none(), "{later} of {attempt}");
    }
    assert_eq!(entry["sip_status"], 487);
    assert_eq!(entry["lost_because"], "ring-timeout");
}
