//! The process is killed with two hundred calls up, and started again: nothing stays open.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::application::Request;
use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::switch::ADMIN_TOKEN;
use crate::support::wait_for;

const CALLS: usize = 200;

/// Both parties of each call.
const LEGS: usize = 2 * CALLS;

fn call_sid(event: &Request) -> String {
    event.json["call_sid"].as_str().unwrap_or_default().to_owned()
}

/// Final events, by the call they are of.
fn final_events(events: &[Request]) -> BTreeMap<String, Vec<Value>> {
    let mut finals: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in events {
        let status = event.json["call_status"].as_str().unwrap_or_default();
        if ["completed", "failed", "busy", "no-answer"].contains(&status) {
            finals.entry(call_sid(event)).or_default().push(event.json.clone());
        }
    }
    finals
}

#[test]
fn every_call_that_was_up_gets_its_record_and_its_last_event_and_the_limits_are_free() {
    let scene = Scene::new();
    let options = ["-m", "200", "-r", "100", "-l", "200"];
    let caller = scene.phone(CALLER).with_options(&options);
    let callee = scene.phone(CALLEE).with_options(&["-m", "200", "-l", "200"]);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    config.ports = "20000-21999".to_owned();
    config.limits = format!("calls = {CALLS}");
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    config.rest = format!("[store]\nurl = \"sqlite:{}\"\n", scene.folder.join("db").display());
    let mut switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_stays", &switch);
    let up = || {
        let events = scene.app.requests("/status");
        events.iter().filter(|event| event.json["call_status"] == "in-progress").count() == LEGS
    };
    wait_for("both parties of each call to be up", || up().then_some(()));
    // What is written a moment after it happens is given that moment.
    wait_for("the journal to be written", || {
        let metrics = switch.get("/metrics");
        metrics.lines().any(|line| line == "switchhook_journal_waiting 0").then_some(())
    });
    switch.signal("KILL");
    switch.ended();
    drop((callee_runs, caller_runs));
    let told_before = scene.app.requests("/status").len();

    let switch = scene.starts(&config);
    let finals = wait_for("the last event of each call", || {
        let finals = final_events(&scene.app.requests("/status"));
        (finals.len() >= LEGS).then_some(finals)
    });
    assert_eq!(finals.len(), LEGS);
    for (call_sid, events) in &finals {
        assert_eq!(events.len(), 1, "{call_sid}: {events:?}");
        assert_eq!(events[0]["call_status"], "failed", "{call_sid}");
    }
    assert_eq!(scene.app.requests("/status").len(), told_before + LEGS, "one event each");

    let (status, page) = switch.rest("GET", "/RecentCalls?page=1&count=500", &Value::Null);
    assert_eq!((status, &page["total"]), (200, &json!(LEGS)), "{page}");
    for record in page["data"].as_array().expect("a page has data") {
        assert_eq!(record["termination_reason"], "restart", "{record}");
        assert!(finals.contains_key(record["call_sid"].as_str().unwrap_or_default()), "{record}");
    }
    assert_eq!(switch.health()["live_calls"], 0);

    // As many calls as before find room.
    let (again, its_callee) = (scene.phone(CALLER), scene.phone(4));
    scene.app.runs("/incoming", &dial(&[&its_callee], &json!({})));
    let its_callee_runs = its_callee.with_options(&["-m", "200", "-l", "200"]);
    let its_callee_runs = its_callee_runs.plays("callee_answers", &switch);
    let again = again.with_options(&options).with("talk", 2500);
    again.plays("caller_hangs_up", &switch).finishes();
    its_callee_runs.finishes();
    switch.ends();
}
