//! What a program does to the legs of a connected call over REST, each by its own `call_sid`.

use media::Codec;
use serde_json::{Value, json};

use crate::support::application::Answer;
use crate::support::pair::{self, OF_CALLEE, OF_CALLER, Pair};
use crate::support::scene::{Config, Scene};
use crate::support::steps::Steps;
use crate::support::switch::{ADMIN_TOKEN, Switch};
use crate::support::wait_for;

fn config(scene: &Scene) -> Config {
    let mut config = scene.config();
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    config
}

/// Changes a leg, which must be accepted.
fn changes(switch: &Switch, sid: &str, change: &Value) {
    let (status, body) = switch.rest("PUT", &format!("/Calls/{sid}"), change);
    assert_eq!(status, 202, "{change}: {body}");
}

#[test]
fn whoever_is_muted_is_not_heard_and_hears_all_the_same() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let pair = Pair::talking(&scene, &switch, (pair::caller(), pair::callee()), &json!({}));
    let (parent, child) = (pair::parent(&scene), pair::child(&scene));
    changes(&switch, &child, &json!({ "mute_status": "mute" }));
    pair.caller.audio.hears_nothing(Codec::Pcmu);
    pair.callee.audio.hears(Codec::Pcmu, OF_CALLER);
    changes(&switch, &child, &json!({ "mute_status": "unmute" }));
    pair.both_hear();
    changes(&switch, &parent, &json!({ "mute_status": "mute" }));
    pair.callee.audio.hears_nothing(Codec::Pcmu);
    pair.caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    changes(&switch, &parent, &json!({ "mute_status": "unmute" }));
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn a_whisper_is_heard_by_one_party_alone() {
    let scene = Scene::new();
    scene.app.answers("/whisper.wav", Answer::tone(820.0, 1500));
    let switch = scene.starts(&config(&scene));
    let pair = Pair::talking(&scene, &switch, (pair::caller(), pair::callee()), &json!({}));
    let whisper = json!({ "whisper": { "verb": "play", "url": "/whisper.wav" } });
    changes(&switch, &pair::child(&scene), &whisper);
    pair.callee.audio.hears(Codec::Pcmu, 820.0);
    assert!(pair.caller.audio.share_of(Codec::Pcmu, 820.0) < 0.05, "it is not for the caller");
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn keys_are_sent_to_the_leg_that_is_named() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let pair = Pair::talking(&scene, &switch, (pair::caller(), pair::callee()), &json!({}));
    changes(&switch, &pair::child(&scene), &json!({ "dtmf": { "digit": "12#" } }));
    wait_for("the keys", || (pair.callee.audio.keys(101).len() >= 3).then_some(()));
    assert_eq!(pair.callee.audio.keys(101), [1, 2, 11]);
    assert!(pair.caller.audio.keys(101).is_empty());
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn a_request_is_sent_inside_the_call_and_its_answer_is_told() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let steps = Steps::of_callee()
        .rings()
        .answers()
        .is_asked("INFO", "200 Lamp is on", &[])
        .is_asked("MESSAGE", "488 No such words", &[])
        .is_hung_up();
    let pair = Pair::talking(&scene, &switch, (pair::caller(), steps), &json!({}));
    let path = format!("/Calls/{}", pair::child(&scene));
    let info = json!({ "sip_request": {
        "method": "INFO", "content_type": "text/plain", "content": "lamp on",
        "headers": { "X-Lamp": "3" },
    } });
    let (status, told) = switch.rest("PUT", &path, &info);
    assert_eq!((status, &told), (200, &json!({ "status": 200, "reason": "Lamp is on" })));
    let got = pair.callee_runs.receives("INFO");
    assert_eq!(
        (got.header("Content-Type"), got.header("X-Lamp"), got.body().concat()),
        (Some("text/plain"), Some("3"), "lamp on".to_owned()),
        "{}",
        got.text
    );
    let message = json!({ "sip_request": { "method": "MESSAGE", "content": "hello" } });
    let (status, told) = switch.rest("PUT", &path, &message);
    assert_eq!((status, &told), (200, &json!({ "status": 488, "reason": "No such words" })));
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn a_callee_goes_on_alone_with_a_list_of_its_own() {
    let scene = Scene::new();
    scene.app.answers("/alone.wav", Answer::tone(820.0, 1000));
    scene.app.runs("/alone", &json!([{ "verb": "play", "url": "/alone.wav", "loop": 20 }]));
    scene.app.runs("/dialled", &json!([{ "verb": "pause", "length": 20 }]));
    let switch = scene.starts(&config(&scene));
    let callee = Steps::of_callee().rings().answers().waits().hangs_up();
    let pair = Pair::talking(&scene, &switch, (pair::caller(), callee), &json!({}));
    let (parent, child) = (pair::parent(&scene), pair::child(&scene));
    changes(&switch, &parent, &json!({ "child_call_hook": scene.app.url("/alone") }));
    pair.callee.audio.hears(Codec::Pcmu, 820.0);
    let asked = scene.app.is_asked("/alone").json;
    assert_eq!(asked["call_sid"], Value::from(child.clone()), "{asked}");
    // The caller goes on with its own list, and is heard by nobody.
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "completed", "{result}");
    assert!(pair.callee.audio.share_of(Codec::Pcmu, OF_CALLER) < 0.05);
    pair.caller.audio.hears_nothing(Codec::Pcmu);
    let (status, call) = switch.rest("GET", &format!("/Calls/{child}"), &json!(null));
    assert_eq!((status, &call["call_status"]), (200, &json!("in-progress")), "{call}");
    let Pair { caller_runs, callee_runs, .. } = pair;
    caller_runs.proceeds();
    caller_runs.finishes();
    callee_runs.proceeds();
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn a_callee_is_hung_up_by_its_own_sid_and_the_list_of_the_caller_goes_on() {
    let scene = Scene::new();
    scene.app.answers("/after.wav", Answer::tone(820.0, 1000));
    scene.app.runs("/dialled", &json!([{ "verb": "play", "url": "/after.wav", "loop": 20 }]));
    let switch = scene.starts(&config(&scene));
    let pair = Pair::talking(&scene, &switch, (pair::caller(), pair::callee()), &json!({}));
    changes(&switch, &pair::child(&scene), &json!({ "call_status": "completed" }));
    pair.caller.audio.hears(Codec::Pcmu, 820.0);
    let Pair { caller_runs, callee_runs, .. } = pair;
    callee_runs.finishes();
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "completed", "{result}");
    caller_runs.proceeds();
    caller_runs.finishes();
    switch.ends();
}
