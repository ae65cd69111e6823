//! Nobody takes the status events: the call does not notice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::application::Answer;
use crate::support::network;
use crate::support::scene::{ANOTHER_APPLICATION, CALLEE, CALLER, Scene, dial};

/// Dials of one call that give more events than may wait.
const DIALS: usize = 70;

/// Ways of an application to fail its caller, and what they are called.
fn ways_to_fail() -> Vec<(&'static str, Answer)> {
    let slow = Answer { delay: Duration::from_secs(30), ..Answer::json(&json!([])) };
    vec![
        ("slow", slow),
        ("broken", Answer::status(500)),
        ("a redirection", Answer::status(302)),
        ("garbage", Answer::text("application/json", "{\"verb\": ")),
        ("no JSON", Answer::text("text/html", "<html>")),
        ("verbs that nobody asked for", Answer::json(&json!([{ "verb": "hangup" }]))),
    ]
}

/// A call with this status hook goes as every other one: it is bridged, and its `actionHook`
/// decides how it ends.
fn the_call_goes_its_way(what: &str, status_answer: Option<Answer>) {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE).with("talk", 300));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let last = json!([{ "verb": "hangup", "headers": { "X-Last": "verb" } }]);
    scene.app.runs("/dialled", &last);
    let mut config = scene.config();
    match status_answer {
        Some(answer) => scene.app.answers("/status", answer),
        None => {
            let ip = scene.network.ip(ANOTHER_APPLICATION);
            config.status_hook = format!("http://{ip}:{}/status", network::free_port(ip));
        }
    }
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_hangs_up", &switch);
    let ladder = caller.plays("caller_stays", &switch).finishes();
    callee_runs.finishes();
    assert_eq!(ladder.only("BYE").header("X-Last"), Some("verb"), "{what}");
    let lasted = ladder.only("BYE").at - ladder.only("200").at;
    assert!(lasted < 5.0, "{what}: the call lasted {lasted} s");
    let result: Value = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "completed", "{what}");
    switch.has_no_calls();
}

#[test]
fn a_dead_application() {
    the_call_goes_its_way("dead", None);
}

#[test]
fn an_application_that_answers_badly() {
    for (what, answer) in ways_to_fail() {
        the_call_goes_its_way(what, Some(answer));
    }
}

#[test]
fn more_events_than_may_wait_are_dropped_and_counted() {
    let scene = Scene::new();
    let slow = Answer { delay: Duration::from_secs(30), ..Answer::status(204) };
    scene.app.answers("/status", slow);
    let calls = DIALS.to_string();
    let callee = scene.phone(CALLEE).with("response", "486 Busy Here");
    let callee = callee.with_options(&["-m", &calls]);
    let one = dial(&[&callee], &json!({}))[0].clone();
    scene.app.runs("/incoming", &Value::Array(vec![one; DIALS]));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_refuses", &switch);
    scene.phone(CALLER).plays("caller_stays", &switch).finishes();
    callee_runs.finishes();
    switch.has_no_calls();
    let metrics = switch.get("/metrics");
    let dropped = metrics.lines().find_map(|line| {
        line.strip_prefix("switchhook_status_events_dropped_total ")?.parse::<usize>().ok()
    });
    // Two of each callee and three of the caller; 128 wait, and one may be on its way.
    let most = 2 * DIALS + 3 - 128;
    assert!(dropped.is_some_and(|dropped| (most - 1..=most).contains(&dropped)), "{metrics}");
}
