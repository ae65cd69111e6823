//! baresip as the phone of users: it registers, calls, is called, and is heard.

use std::time::Duration;

use media::Codec;
use serde_json::json;

use crate::support::baresip::{Account, Baresip};
use crate::support::scene::{CALLER, Config, Scene, dial};
use crate::support::wait_for;

fn demo() -> Account<'static> {
    Account::over_udp("demo", 700.0)
}

fn jane() -> Account<'static> {
    Account::over_udp("jane", 1100.0)
}

/// With two users, and the application for their calls where there is one.
fn config(scene: &Scene, device_calls: bool) -> Config {
    let mut config = scene.config();
    for user in ["demo", "jane"] {
        config.rest += &format!("[[client]]\nusername = \"{user}\"\npassword = \"secret\"\n");
    }
    if device_calls {
        config.rest += "[device_calls]\napplication = \"main\"\n";
    }
    config
}

/// A list that rings the user demo.
fn dial_demo() -> serde_json::Value {
    let target = json!([{ "type": "user", "name": "demo" }]);
    dial(&[], &json!({ "answerOnBridge": true, "target": target }))
}

#[test]
fn a_baresip_with_a_wrong_password_is_refused() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let account = Account { password: "guess", ..demo() };
    let phone = Baresip::start(&scene, &switch, &account);
    let refusal = phone.tells("REGISTER_FAIL");
    assert!(refusal["param"].as_str().unwrap_or_default().starts_with("403"), "{refusal}");
    assert!(phone.events("REGISTER_OK").is_empty());
    switch.ends();
}

#[test]
fn one_baresip_calls_another_and_both_are_heard() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let mut demo = Baresip::registered(&scene, &switch, &demo());
    let mut jane = Baresip::registered(&scene, &switch, &jane());
    jane.dials("demo");
    demo.accepts();
    jane.tells("CALL_ESTABLISHED");
    demo.hears(1100.0);
    jane.hears(700.0);
    jane.hangs_up();
    demo.tells("CALL_CLOSED");
    assert!(scene.app.requests("/incoming").is_empty());
    switch.ends();
}

#[test]
fn a_baresip_runs_the_application_for_devices_and_the_called_one_hangs_up() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, true));
    scene.app.runs("/incoming", &dial_demo());
    let mut demo = Baresip::registered(&scene, &switch, &demo());
    let mut jane = Baresip::registered(&scene, &switch, &jane());
    jane.dials("4930123");
    jane.tells("CALL_RINGING");
    demo.accepts();
    jane.tells("CALL_ESTABLISHED");
    demo.hears(1100.0);
    jane.hears(700.0);
    demo.hangs_up();
    jane.tells("CALL_CLOSED");
    let first = scene.app.is_asked("/incoming").json;
    assert_eq!((&first["from"], &first["to"]), (&json!("jane"), &json!("4930123")));
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "completed", "{result}");
    switch.ends();
}

#[test]
fn a_called_baresip_holds_and_takes_back() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    scene.app.runs("/incoming", &dial_demo());
    let mut demo = Baresip::registered(&scene, &switch, &demo());
    let caller = scene.phone(CALLER);
    let caller_runs = caller.plays("caller_stays", &switch);
    demo.accepts();
    caller_runs.receives("200");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    demo.hears(1100.0);
    caller.audio.hears(Codec::Pcmu, 700.0);
    demo.holds(true);
    let held = wait_for("no audio for a phone that holds", || {
        let before = demo.packets();
        std::thread::sleep(Duration::from_millis(300));
        (demo.packets() == before).then_some(before)
    });
    demo.holds(false);
    wait_for("audio after the hold", || (demo.packets() > held + 20).then_some(()));
    caller.audio.hears(Codec::Pcmu, 700.0);
    demo.hangs_up();
    caller_runs.finishes();
    switch.ends();
}

#[test]
fn a_refusing_baresip_makes_the_caller_busy() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    scene.app.runs("/incoming", &dial_demo());
    let mut demo = Baresip::registered(&scene, &switch, &demo());
    let caller = scene.phone(CALLER).with("status", 486);
    let caller_runs = caller.plays("caller_is_refused", &switch);
    demo.tells("CALL_INCOMING");
    demo.hangs_up();
    caller_runs.finishes();
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "busy", "{result}");
    switch.ends();
}

#[test]
fn both_phones_of_a_user_ring_and_one_stops_when_the_other_answers() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    scene.app.runs("/incoming", &dial_demo());
    let mut desk = Baresip::registered(&scene, &switch, &demo());
    let other = Account { hertz: 500.0, ..demo() };
    let pocket = Baresip::registered(&scene, &switch, &other);
    let caller = scene.phone(CALLER).with("talk", 2500);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    pocket.tells("CALL_INCOMING");
    desk.accepts();
    pocket.tells("CALL_CLOSED");
    assert!(pocket.events("CALL_ESTABLISHED").is_empty());
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller.audio.hears(Codec::Pcmu, 700.0);
    desk.hears(1100.0);
    caller_runs.finishes();
    desk.tells("CALL_CLOSED");
    let result = scene.app.is_asked("/dialled").json;
    let attempts = result["dial_targets"][0]["attempts"].as_array().map(Vec::len);
    assert_eq!(attempts, Some(2), "{result}");
    switch.ends();
}
