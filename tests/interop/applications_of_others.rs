//! An application made with the client library of jambonz, unmodified: the lists that it builds
//! run, the payloads suit it, and its middleware accepts our signatures.

use serde_json::{Value, json};

use crate::support::node::NodeApplication;
use crate::support::scene::{CALLEE, CALLER, Config, Scene};
use crate::support::wait_for;

const SECRET: &str = "a-secret-of-both";

/// Everything is asked of this application, with these credentials.
fn config(scene: &Scene, app: &NodeApplication, credentials: Option<(&str, &str)>) -> Config {
    let hook = |path: &str| {
        let url = app.url(path);
        credentials.map_or_else(
            || format!("\"{url}\""),
            |(name, password)| {
                format!("{{ url = \"{url}\", username = \"{name}\", password = \"{password}\" }}")
            },
        )
    };
    let mut config = scene.config();
    config.http = format!("webhook_secret = \"{SECRET}\"");
    config.application = format!("call_hook = {}", hook("/incoming"));
    config.status_hook = app.url("/status");
    config
}

/// A dial as the library takes it.
fn dial(target: &Value, action_hook: &Value) -> Value {
    json!([["dial", {
        "answerOnBridge": true,
        "actionHook": action_hook,
        "target": [target],
    }]])
}

#[test]
fn a_list_of_the_library_runs_and_every_request_is_verified() {
    let scene = Scene::new();
    let mut app = NodeApplication::start(&scene, SECRET, "");
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    app.runs("/incoming", &dial(&callee.target(), &json!("/dialled")));
    app.runs("/dialled", &json!([["hangup", { "headers": { "X-Last": "verb" } }]]));
    let switch = scene.starts(&config(&scene, &app, None));
    let callee_runs = callee.plays("callee_hangs_up", &switch);
    let ladder = caller.plays("caller_stays", &switch).finishes();
    callee_runs.finishes();
    assert_eq!(ladder.only("BYE").header("X-Last"), Some("verb"));
    let first = app.is_asked("/incoming");
    assert_eq!(first["body"]["from"], "491701234567", "{first}");
    let result = app.is_asked("/dialled");
    assert_eq!(result["body"]["dial_call_status"], "completed", "{result}");
    let events = wait_for("the events of both parties", || {
        let events = app.requests("/status");
        (events.len() == 7).then_some(events)
    });
    for request in events.iter().chain([&first, &result]) {
        assert_eq!(request["refusal"], json!(null), "{request}");
        assert_eq!(request["method"], "POST");
    }
    let sid = &first["body"]["call_sid"];
    let of_caller = events.iter().filter(|event| event["body"]["call_sid"] == *sid);
    assert_eq!(of_caller.count(), 3, "{events:?}");
    switch.ends();
}

#[test]
fn a_signature_with_another_secret_is_not_accepted() {
    let scene = Scene::new();
    let mut app = NodeApplication::start(&scene, "another-secret", "");
    app.runs("/incoming", &json!([["sip_decline", { "status": 486 }]]));
    let switch = scene.starts(&config(&scene, &app, None));
    scene.phone(CALLER).with("status", 486).plays("caller_is_refused", &switch).finishes();
    assert_eq!(app.is_asked("/incoming")["refusal"], "No matching signatures found");
    switch.ends();
}

#[test]
fn a_hook_by_get_carries_its_payload_and_signature_in_the_query() {
    let scene = Scene::new();
    let mut app = NodeApplication::start(&scene, SECRET, "");
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let hook = json!({ "url": "/dialled?shop=7", "method": "GET" });
    app.runs("/incoming", &dial(&callee.target(), &hook));
    let switch = scene.starts(&config(&scene, &app, None));
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    let first = app.is_asked("/incoming");
    let result = app.is_asked("/dialled");
    assert_eq!((&result["method"], &result["refusal"]), (&json!("GET"), &json!(null)), "{result}");
    let query = result["query"].as_str().unwrap_or_default();
    let sid = first["body"]["call_sid"].as_str().unwrap_or_default();
    for pair in ["shop=7", "dial_call_status=completed", &format!("call_sid={sid}")] {
        assert!(query.split('&').any(|found| found == pair), "{pair} is not in {query}");
    }
    switch.ends();
}

#[test]
fn an_application_with_a_password_is_given_it() {
    let scene = Scene::new();
    let mut app = NodeApplication::start(&scene, SECRET, "jane:secret");
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    app.runs("/incoming", &dial(&callee.target(), &json!("/dialled")));
    let switch = scene.starts(&config(&scene, &app, Some(("jane", "secret"))));
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    for path in ["/incoming", "/dialled"] {
        assert_eq!(app.is_asked(path)["authorized"], true, "{path}");
    }
    switch.ends();
}

#[test]
fn an_application_that_gets_a_wrong_password_refuses_and_the_caller_is_told() {
    let scene = Scene::new();
    let app = NodeApplication::start(&scene, SECRET, "jane:secret");
    let switch = scene.starts(&config(&scene, &app, Some(("jane", "guess"))));
    let caller = scene.phone(CALLER).with("status", 480);
    let ladder = caller.plays("caller_is_refused", &switch).finishes();
    let reason = ladder.only("480").header("X-Reason").unwrap_or_default().to_owned();
    assert!(reason.contains("401"), "{reason}");
    assert_eq!(app.is_asked("/incoming")["authorized"], false);
    switch.ends();
}
