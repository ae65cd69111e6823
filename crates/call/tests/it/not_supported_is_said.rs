//! Verbs and properties that parse and do not run yet: each raises an alert that names it, and
//! everything else runs.

use serde_json::{Value, json};

use crate::scene::{Scene, alerts, dial, result, talks, target};

#[test]
fn a_verb_is_left_out_and_the_next_one_runs() {
    let verbs = [
        json!({ "verb": "say", "text": "hello" }),
        json!({ "verb": "conference", "name": "room" }),
        json!({ "verb": "enqueue", "name": "queue" }),
    ];
    for verb in verbs {
        let list = json!([verb, dial(1, &json!({}))]);
        let world = Scene::running(&list).callees(vec![talks(0.5, 1.0)]).play();
        let name = verb["verb"].as_str().unwrap();
        let seen = alerts(&world);
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(seen[0].starts_with("not-supported: /0: "), "{seen:?}");
        assert!(seen[0].contains(name), "{seen:?}");
        assert_eq!(result(&world)["dial_call_status"], "completed", "{name}");
    }
}

/// A property of a dial that does not run yet, with a value that parses.
fn of_dial() -> Vec<(&'static str, Value)> {
    vec![
        ("amd", json!({ "actionHook": "/amd" })),
        ("dub", json!({ "action": "addTrack", "track": "one" })),
        ("listen", json!({ "url": "wss://example.com/audio" })),
        ("srtpEncryption", json!("sdes")),
        ("transcribe", json!({ "transcriptionHook": "/transcript" })),
    ]
}

#[test]
fn a_property_of_the_dial_is_left_out() {
    for (name, value) in of_dial() {
        let mut more = json!({});
        more[name] = value;
        let world = Scene::dialling(vec![talks(0.5, 1.0)], &more).play();
        let seen = alerts(&world);
        assert_eq!(seen.len(), 1, "{name}: {seen:?}");
        assert!(seen[0].starts_with(&format!("not-supported: /0/{name}: ")), "{seen:?}");
        assert_eq!(result(&world)["dial_call_status"], "completed", "{name}");
    }
}

#[test]
fn a_property_of_a_target_is_left_out() {
    let mut with = target(1);
    with["srtp"] = json!("required");
    let more = json!({ "target": [with] });
    let world = Scene::dialling(vec![talks(0.5, 1.0)], &more).play();
    let seen = alerts(&world);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("not-supported: /0/target/0/srtp: "), "{seen:?}");
    assert_eq!(result(&world)["dial_call_status"], "completed");
}
