//! PJSUA2 as the phone of users: it registers with every part of digest, calls, is called, is
//! heard, and its keys arrive.

use media::Codec;
use serde_json::json;

use crate::support::baresip::{Account, Baresip};
use crate::support::pjsua::Pjsua;
use crate::support::scene::{CALLEE, CALLER, Config, Scene, dial};
use crate::support::wait_for;

/// Addresses of the phones.
const DEMO: u8 = 3;
const JANE: u8 = 4;

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

#[test]
fn a_pjsua_registers_with_quality_of_protection() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let phone = Pjsua::registered(&scene, DEMO, &switch, &demo());
    let log = phone.log();
    let (_, answer) = log.split_once("Authorization: Digest").expect("it is there");
    let answer = answer.lines().next().unwrap_or_default();
    for part in ["qop=auth", "nc=00000001", "cnonce=\""] {
        assert!(answer.contains(part), "{part} is not in {answer}");
    }
    switch.ends();
}

#[test]
fn a_pjsua_with_a_wrong_password_is_refused() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let account = Account { password: "guess", ..demo() };
    let phone = Pjsua::start(&scene, DEMO, &switch, &account);
    assert_eq!(phone.tells("refused")["status"], 403);
    assert!(phone.events("registered").is_empty());
    switch.ends();
}

#[test]
fn a_pjsua_runs_the_application_and_its_keys_arrive() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, true));
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let callee_runs = callee.plays("callee_answers", &switch);
    let mut jane = Pjsua::registered(&scene, JANE, &switch, &jane());
    jane.dials("4930123");
    jane.tells("confirmed");
    let to_switch = callee_runs.audio_of_switch();
    callee.audio.says(to_switch, Codec::Pcmu, 700.0);
    callee.audio.hears(Codec::Pcmu, 1100.0);
    jane.hears(700.0);
    jane.presses("5");
    wait_for("the key of the phone", || {
        let heard = callee.audio.heard();
        let mut events = heard.iter().filter(|packet| packet.payload_type == 101);
        events.any(|packet| packet.payload.first() == Some(&5)).then_some(())
    });
    callee.audio.is_quiet();
    callee.audio.presses(to_switch, 101, 7);
    assert_eq!(jane.tells("key")["key"], "7");
    jane.does("hang up");
    callee_runs.finishes();
    assert_eq!(scene.app.is_asked("/incoming").json["from"], "jane");
    assert_eq!(scene.app.is_asked("/dialled").json["dial_call_status"], "completed");
    switch.ends();
}

#[test]
fn a_called_pjsua_holds_and_is_heard_again() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let mut demo = Pjsua::registered(&scene, DEMO, &switch, &demo());
    let caller = scene.phone(CALLER);
    let caller_runs = caller.plays("caller_stays", &switch);
    demo.accepts();
    demo.tells("confirmed");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    demo.hears(1100.0);
    caller.audio.hears(Codec::Pcmu, 700.0);
    let answers = |demo: &Pjsua| demo.events("media").len();
    for change in ["hold", "resume"] {
        let before = answers(&demo);
        demo.does(change);
        wait_for(change, || (answers(&demo) > before).then_some(()));
    }
    demo.hears(1100.0);
    caller.audio.hears(Codec::Pcmu, 700.0);
    demo.does("hang up");
    caller_runs.finishes();
    switch.ends();
}

#[test]
fn a_pjsua_and_a_baresip_call_each_other() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let mut pjsua = Pjsua::registered(&scene, DEMO, &switch, &demo());
    let mut baresip = Baresip::registered(&scene, &switch, &jane());
    baresip.dials("demo");
    pjsua.accepts();
    pjsua.hears(1100.0);
    baresip.hears(700.0);
    baresip.hangs_up();
    pjsua.tells("over");
    pjsua.dials("jane");
    wait_for("the second call", || (baresip.events("CALL_INCOMING").len() == 1).then_some(()));
    baresip.hangs_up();
    wait_for("the refusal", || {
        let over = pjsua.events("over");
        (over.len() == 2).then(|| assert_eq!(over[1]["status"], 486, "{over:?}"))
    });
    switch.ends();
}

#[test]
fn a_refusing_pjsua_decides_what_the_caller_gets() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let mut demo = Pjsua::registered(&scene, DEMO, &switch, &demo());
    let caller_runs = scene.phone(CALLER).with("status", 603).plays("caller_is_refused", &switch);
    demo.refuses(603);
    caller_runs.finishes();
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_targets"][0]["lost_because"], "declined", "{result}");
    switch.ends();
}
