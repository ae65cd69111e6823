//! Callees that answer 302: the phone that they name is rung in their place, and wins.

use serde_json::{Value, json};

use crate::support::ladder::Ladder;
use crate::support::phone::Phone;
use crate::support::scene::{CALLEE, CALLER, STRANGER, Scene, dial};
use crate::support::switch::Switch;

/// A phone that answers its INVITE with a 302 to there.
fn moved(phone: Phone, to: &str) -> Phone {
    phone.with("response", format!("302 Moved Temporarily\n    Contact: <{to}>"))
}

/// The caller calls; what the application heard of the dial at its end.
fn calls(scene: &Scene, switch: &Switch) -> Value {
    scene.phone(CALLER).plays("caller_hangs_up", switch).finishes();
    scene.app.is_asked("/dialled").json
}

/// One target was called twice: it answered 302, then this phone answered, as it was asked for.
fn assert_moved(result: &Value, winner: &Ladder, uri: &str) {
    assert_eq!(result["dial_call_status"], "completed", "{result}");
    let target = &result["dial_targets"][0];
    let attempts: Vec<&Value> = target["attempts"].as_array().expect("an array").iter().collect();
    let [first, second] = attempts[..] else { panic!("{target}") };
    assert_eq!((&first["sip_status"], &second["sip_status"]), (&json!(302), &json!(200)));
    assert_eq!((&second["uri"], &second["call_sid"]), (&json!(uri), &result["dial_call_sid"]));
    assert_eq!(winner.only("INVITE").first_line(), format!("INVITE {uri} SIP/2.0"));
}

#[test]
fn the_device_of_the_user_that_another_device_names_is_rung() {
    let scene = Scene::new();
    let mut config = scene.config();
    for user in ["demo", "jane"] {
        config.rest += &format!("[[client]]\nusername = \"{user}\"\npassword = \"secret\"\n");
    }
    let switch = scene.starts(&config);
    let registers = |host: u8, user: &str| {
        let phone = scene.phone(host).with("user", user).with("status", 200);
        phone.plays("user_registers", &switch).finishes();
        phone
    };
    let (demo, jane) = (registers(CALLEE, "demo"), registers(STRANGER, "jane"));
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let uri = format!("sip:jane@{}", jane.address);
    let demo_runs =
        moved(demo, &format!("sip:jane@{}", switch.sip)).plays("callee_refuses", &switch);
    let jane_runs = jane.plays("callee_answers", &switch);
    let result = calls(&scene, &switch);
    demo_runs.finishes();
    assert_moved(&result, &jane_runs.finishes(), &uri);
    switch.ends();
}

#[test]
fn another_port_of_the_host_that_a_sip_uri_names_is_called() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let (first, second) = (scene.phone(CALLEE), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&first], &json!({ "answerOnBridge": true })));
    let uri = format!("sip:second@{}", second.address);
    let first_runs = moved(first, &uri).plays("callee_refuses", &switch);
    let second_runs = second.plays("callee_answers", &switch);
    let result = calls(&scene, &switch);
    first_runs.finishes();
    assert_moved(&result, &second_runs.finishes(), &uri);
    switch.ends();
}
