//! What is made over REST decides on the next call, and what happened is read back: users, counts,
//! alerts, figures.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::program;
use crate::support::scene::{CALLEE, CALLER, Config, STRANGER, Scene, dial};
use crate::support::switch::{ADMIN_TOKEN, Switch};
use crate::support::wait_for;

fn config(scene: &Scene) -> Config {
    let mut config = scene.config();
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    config
}

fn get(switch: &Switch, path: &str) -> Value {
    let (status, body) = switch.rest("GET", path, &json!(null));
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Makes an entry, and gives its sid.
fn make(switch: &Switch, what: &str, body: &Value) -> Value {
    let (status, made) = switch.rest("POST", &format!("/{what}"), body);
    assert_eq!(status, 201, "{what} {body}: {made}");
    made["sid"].clone()
}

#[test]
fn entries_that_were_just_made_route_the_next_call() {
    let scene = Scene::new();
    let mut config = config(&scene);
    config.carrier = None;
    let switch = scene.starts(&config);
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let application = make(
        &switch,
        "Applications",
        &json!({
            "name": "hotline",
            "call_hook": { "url": scene.app.url("/hotline") },
            "call_status_hook": { "url": scene.app.url("/status") },
        }),
    );
    let carrier = make(&switch, "VoipCarriers", &json!({ "name": "made" }));
    make(
        &switch,
        "SipGateways",
        &json!({
            "voip_carrier_sid": carrier, "ipv4": caller.address.ip(), "inbound": 1, "outbound": 0,
        }),
    );
    make(
        &switch,
        "PhoneNumbers",
        &json!({
            "number": "+4930123", "voip_carrier_sid": carrier, "application_sid": application,
        }),
    );
    scene.app.runs("/hotline", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    assert_eq!(get(&switch, "/CallCount"), json!({ "inbound": 1, "outbound": 1 }));
    caller_runs.finishes();
    callee_runs.finishes();
    let first = scene.app.is_asked("/hotline").json;
    assert_eq!(first["application_sid"], application, "{first}");
    assert_eq!(first["originating_sip_trunk_name"], "made", "{first}");
    switch.has_no_calls();
    assert_eq!(get(&switch, "/CallCount"), json!({ "inbound": 0, "outbound": 0 }));
    let other = scene.phone(CALLER).with("status", 404).with_options(&["-s", "4930999"]);
    other.plays("caller_is_refused", &switch).finishes();
    assert_eq!(scene.app.requests("/hotline").len(), 1, "no number of ours");
    switch.ends();
}

#[test]
fn a_client_that_was_just_made_registers_and_is_listed_until_it_is_removed() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    assert_eq!(get(&switch, "/RegisteredSipUsers"), json!([]));
    let sid = make(&switch, "Clients", &json!({ "username": "anna", "password": "secret" }));
    let anna = scene.phone(STRANGER).with("user", "anna");
    anna.with("status", 200).plays("user_registers", &switch).finishes();
    assert_eq!(get(&switch, "/RegisteredSipUsers"), json!(["anna"]));
    let anna = get(&switch, "/RegisteredSipUsers/anna");
    assert_eq!((&anna["registered_status"], &anna["protocol"]), (&json!("active"), &json!("udp")));
    let address = scene.network.ip(STRANGER).to_string();
    assert!(anna["contact"].as_str().is_some_and(|uri| uri.contains(&address)), "{anna}");
    let path = format!("/Clients/{}", sid.as_str().expect("a sid"));
    assert_eq!(switch.rest("DELETE", &path, &json!(null)).0, 204);
    let anna = scene.phone(STRANGER).with("user", "anna");
    anna.with("status", 403).plays("user_registers", &switch).finishes();
    switch.ends();
}

/// The first column of the table in docs/metrics.md.
fn documented() -> BTreeSet<String> {
    let path = program::script("../../docs/metrics.md");
    let text = fs::read_to_string(&path).expect("it is documented");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let names = rows.flat_map(|cell| cell.split(", "));
    names.map(|name| name.trim_matches('`').to_owned()).collect()
}

/// The figures that `/metrics` has values of.
fn given(metrics: &str) -> BTreeSet<String> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let names = lines.filter_map(|line| line.split(['{', ' ']).next());
    let whole = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        let base = ends.iter().find_map(|end| name.strip_suffix(end));
        base.unwrap_or(name).to_owned()
    };
    names.map(whole).collect()
}

#[test]
fn a_bad_list_is_an_alert_and_every_documented_figure_is_given() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    scene.app.runs("/incoming", &json!([{ "verb": "dail", "target": [] }]));
    scene.phone(CALLER).with("status", 480).plays("caller_is_refused", &switch).finishes();
    switch.has_no_calls();
    let alert = wait_for("the alert", || {
        let page = get(&switch, "/Alerts?page=1&count=25&alert_type=invalid-app-payload");
        page["data"].as_array().and_then(|alerts| alerts.first().cloned())
    });
    assert!(alert["message"].as_str().is_some_and(|text| text.contains("dail")), "{alert}");
    let metrics = switch.get("/metrics");
    let mut expected = documented();
    // why: a counter is given from the first time it counts, and no event was dropped here.
    assert!(expected.remove("switchhook_status_events_dropped_total"));
    assert_eq!(given(&metrics), expected);
    for line in [
        "switchhook_legs_total{direction=\"inbound\"} 2",
        "switchhook_legs_total{direction=\"outbound\"} 1",
        "switchhook_answer_seconds_count{direction=\"outbound\"} 1",
        "switchhook_alerts_total{alert_type=\"invalid-app-payload\"} 1",
        "switchhook_calls 0",
        "switchhook_degraded 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    switch.ends();
}
