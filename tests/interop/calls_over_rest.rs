//! Calls that a program begins, watches, redirects and ends over REST, with the client library of
//! jambonz and without.

use media::Codec;
use serde_json::{Value, json};

use crate::support::rest_client::RestClient;
use crate::support::scene::{CALLEE, Config, STRANGER, Scene, dial};
use crate::support::switch::{ADMIN_TOKEN, Switch};
use crate::support::wait_for;

/// Addresses of more phones.
const SECOND: u8 = 4;
const THIRD: u8 = 5;

fn config(scene: &Scene) -> Config {
    let mut config = scene.config();
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    config
}

/// The record of a leg that is over.
fn record(switch: &Switch, call_sid: &Value) -> Value {
    let path = format!("/RecentCalls?page=1&count=25&filter={}", call_sid.as_str().expect("text"));
    wait_for("the record of the call", || {
        let (status, page) = switch.rest("GET", &path, &json!(null));
        assert_eq!(status, 200, "{page}");
        page["data"].as_array().and_then(|records| records.first().cloned())
    })
}

/// What the status hook of a call was told of this leg, in order.
fn told(scene: &Scene, call_sid: &Value) -> Vec<String> {
    let events = wait_for("the last status event", || {
        let mut events = scene.app.requests("/status");
        events.retain(|event| event.json["call_sid"] == *call_sid);
        let over = |event: &Value| event["call_status"] == "completed";
        events.iter().any(|event| over(&event.json)).then_some(events)
    });
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let describe = |event: &Value| word(&event["direction"]) + " " + &word(&event["call_status"]);
    events.iter().map(|event| describe(&event.json)).collect()
}

#[test]
fn a_call_of_the_client_library_is_placed_watched_redirected_and_ended() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let mut client = RestClient::start(&scene, &switch);
    let (callee, second, third) = (scene.phone(CALLEE), scene.phone(SECOND), scene.phone(THIRD));
    scene.app.runs("/placed", &dial(&[&second], &json!({})));
    scene.app.runs("/elsewhere", &dial(&[&third], &json!({})));
    let callee_runs = callee.plays("callee_answers", &switch);
    let second_runs = second.plays("callee_answers", &switch);
    let third_runs = third.plays("callee_answers", &switch);
    let hook = |path: &str| json!({ "url": scene.app.url(path), "method": "POST" });
    let sid = client.does(
        "calls",
        "create",
        &json!([{
            "from": "15551230001", "to": callee.target(), "call_hook": hook("/placed"),
            "call_status_hook": hook("/status"), "tag": { "order": 7 },
        }]),
    );
    let first = scene.app.is_asked("/placed").json;
    assert_eq!((&first["call_sid"], &first["direction"]), (&sid, &json!("outbound")), "{first}");
    assert_eq!(first["customerData"], json!({ "order": 7 }), "{first}");
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 700.0);
    second.audio.hears(Codec::Pcmu, 700.0);
    second.audio.says(second_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    callee.audio.hears(Codec::Pcmu, 1100.0);

    let calls = client.does("calls", "list", &json!([]));
    let listed = calls.as_array().and_then(|calls| calls.iter().find(|c| c["call_sid"] == sid));
    let listed = listed.unwrap_or_else(|| panic!("{sid} is not in {calls}"));
    let call = client.does("calls", "retrieve", &json!([sid]));
    assert_eq!(*listed, call);
    assert_eq!(
        (&call["call_status"], &call["direction"]),
        (&json!("in-progress"), &json!("outbound"))
    );
    let nobody = client.asks("calls", "retrieve", &json!(["no-such-call"]));
    assert!(nobody.as_ref().is_err_and(|error| error.contains("not found")), "{nobody:?}");

    client.does("calls", "update", &json!([sid, { "call_hook": hook("/elsewhere") }]));
    second_runs.finishes();
    assert_eq!(scene.app.is_asked("/elsewhere").json["call_sid"], sid);
    third_runs.receives("ACK");
    third.audio.hears(Codec::Pcmu, 700.0);
    third.audio.says(third_runs.audio_of_switch(), Codec::Pcmu, 500.0);
    callee.audio.hears(Codec::Pcmu, 500.0);

    client.does("calls", "update", &json!([sid, { "call_status": "completed" }]));
    callee_runs.finishes();
    third_runs.finishes();
    let told = told(&scene, &sid);
    let expected = ["trying", "ringing", "in-progress", "completed"];
    assert_eq!(told, expected.map(|status| format!("outbound {status}")));
    let record = record(&switch, &sid);
    assert_eq!((&record["direction"], &record["answered"]), (&json!("outbound"), &json!(true)));
    assert_eq!((&record["from"], &record["sip_status"]), (&json!("15551230001"), &json!(200)));
    switch.ends();
}

#[test]
fn applications_of_the_client_library_are_made_listed_read_used_and_removed() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let mut client = RestClient::start(&scene, &switch);
    let hook = |path: &str| json!({ "url": scene.app.url(path), "method": "POST" });
    let sid = client.does(
        "applications",
        "create",
        &json!([{
            "name": "hotline", "call_hook": hook("/hotline"), "call_status_hook": hook("/status"),
        }]),
    );
    let made = client.does("applications", "retrieve", &json!([sid]));
    assert_eq!((&made["application_sid"], &made["name"]), (&sid, &json!("hotline")), "{made}");
    assert_eq!(made["call_hook"]["url"], scene.app.url("/hotline"), "{made}");
    let all = client.does("applications", "list", &json!([]));
    assert!(all.as_array().is_some_and(|all| all.contains(&made)), "{made} is not in {all}");
    let callee = scene.phone(CALLEE);
    let callee_runs = callee.plays("callee_answers", &switch);
    scene.app.runs("/hotline", &json!([{ "verb": "hangup" }]));
    let call = client.does(
        "calls",
        "create",
        &json!([{
            "from": "15551230001", "to": callee.target(), "application_sid": sid,
        }]),
    );
    callee_runs.finishes();
    let first = scene.app.is_asked("/hotline").json;
    assert_eq!((&first["call_sid"], &first["application_sid"]), (&call, &sid), "{first}");
    client.does("applications", "delete", &json!([sid]));
    let gone = client.asks("applications", "retrieve", &json!([sid]));
    assert!(gone.as_ref().is_err_and(|error| error.contains("not found")), "{gone:?}");
    switch.ends();
}

#[test]
fn a_device_ends_its_call_by_the_sid_that_its_answer_told() {
    let scene = Scene::new();
    let mut config = config(&scene);
    config.rest += "[[client]]\nusername = \"jane\"\npassword = \"secret\"\n\
                    [device_calls]\napplication = \"main\"\n";
    let switch = scene.starts(&config);
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let callee_runs = callee.plays("callee_answers", &switch);
    let jane = scene.phone(STRANGER).with("user", "jane");
    let jane_runs = jane.plays("user_stays", &switch);
    let answer = jane_runs.receives("200");
    let sid = answer.header("X-Call-Sid").expect("a device is told").to_owned();
    let path = format!("/Calls/{sid}");
    let (status, call) = switch.rest("GET", &path, &json!(null));
    assert_eq!((status, &call["call_status"]), (200, &json!("in-progress")), "{call}");
    let end = json!({ "call_status": "completed" });
    assert_eq!(switch.rest("PUT", &path, &end).0, 202);
    jane_runs.finishes();
    callee_runs.finishes();
    switch.has_no_calls();
    assert_eq!(switch.rest("PUT", &path, &end).0, 422, "it is over");
    assert_eq!(record(&switch, &json!(sid))["direction"], "inbound");
    switch.ends();
}
