//! Keys in calls, as RFC 4733 has them and in INFO: who is told of them, and who gets them.

use std::time::Duration;

use media::Codec;
use serde_json::json;

use crate::support::audio::Packet;
use crate::support::pair::{self, OF_CALLER, Pair};
use crate::support::phone::Phone;
use crate::support::scene::{CALLER, Scene};
use crate::support::sipp::Run;
use crate::support::steps::Steps;
use crate::support::wait_for;

/// The payload type of keys in the descriptions of these phones.
const KEYS: u8 = 101;
const RELAY: [&str; 1] = ["Content-Type: application/dtmf-relay"];

/// Waits until a phone has got these keys, each once.
fn gets(phone: &Phone, keys: &[u8]) {
    wait_for(&format!("the keys {keys:?}"), || {
        (phone.audio.keys(KEYS).len() >= keys.len()).then_some(())
    });
    assert_eq!(phone.audio.keys(KEYS), keys);
}

#[test]
fn the_application_is_told_of_the_keys_that_it_asked_for() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let capture = json!({ "parentCall": ["*1"], "childCall": ["#9", "7"] });
    let more = json!({ "dtmfCapture": capture, "dtmfHook": "/dtmf" });
    let pair = Pair::connected(&scene, &switch, (pair::caller(), pair::callee()), &more);
    let press = |phone: &Phone, runs: &Run, keys: &[u8]| {
        keys.iter().for_each(|key| phone.audio.presses(runs.audio_of_switch(), KEYS, *key));
    };
    press(&pair.caller, &pair.caller_runs, &[7, 10, 1]);
    press(&pair.callee, &pair.callee_runs, &[10, 1, 11, 9]);
    let told = wait_for("both sequences", || {
        let told = scene.app.requests("/dtmf");
        (told.len() == 2).then_some(told)
    });
    for (keys, leg) in [("*1", pair::parent(&scene)), ("#9", pair::child(&scene))] {
        let of_leg = told.iter().find(|request| request.json["dtmf"] == keys);
        let of_leg = of_leg.unwrap_or_else(|| panic!("{keys} is not in {told:?}"));
        assert_eq!(of_leg.json["call_sid"], leg, "{keys}");
    }
    // The other party gets every key all the same.
    gets(&pair.callee, &[7, 10, 1]);
    gets(&pair.caller, &[10, 1, 11, 9]);
    pair.ends();
    switch.ends();
}

#[test]
fn keys_that_a_carrier_sends_as_tones_are_told_where_it_is_said_to_do_so() {
    for (line, is_told) in [("dtmf_type = \"tones\"\n", true), ("", false)] {
        let scene = Scene::new();
        let mut config = scene.config();
        let source = config.carrier.take().expect("a carrier");
        config.rest = format!(
            "[[carrier]]\nname = \"trunk\"\napplication = \"main\"\n{line}\
             [[carrier.gateway]]\nhost = \"{source}\"\n"
        );
        let switch = scene.starts(&config);
        let more = json!({ "dtmfCapture": ["*11"], "dtmfHook": "/dtmf" });
        let pair = Pair::connected(&scene, &switch, (pair::caller(), pair::callee()), &more);
        let to = pair.caller_runs.audio_of_switch();
        for key in [[941.0, 1209.0], [697.0, 1209.0], [697.0, 1209.0]] {
            for tones in [key, [0.0; 2]] {
                pair.caller.audio.says_both(to, Codec::Pcmu, tones);
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        if is_told {
            let told = scene.app.is_asked("/dtmf").json;
            assert_eq!(told["dtmf"], "*11");
            assert_eq!(told["call_sid"], pair::parent(&scene));
        }
        assert_eq!(scene.app.requests("/dtmf").len(), usize::from(is_told));
        // They pass as what they are, and not as events besides.
        assert!(pair.callee.audio.keys(KEYS).is_empty());
        pair.ends();
        switch.ends();
    }
}

#[test]
fn a_hook_by_get_has_the_keys_and_who_pressed_them_in_its_query() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let hook = json!({ "url": "/dtmf?shop=7", "method": "GET" });
    let more = json!({ "dtmfCapture": ["19"], "dtmfHook": hook });
    let pair = Pair::connected(&scene, &switch, (pair::caller(), pair::callee()), &more);
    for key in [1, 9] {
        pair.callee.audio.presses(pair.callee_runs.audio_of_switch(), KEYS, key);
    }
    let request = scene.app.is_asked("/dtmf");
    assert_eq!(request.method, "GET");
    let query: Vec<&str> = request.query.split('&').collect();
    let child = format!("call_sid={}", pair::child(&scene));
    for wanted in ["shop=7", "dtmf=19", &child] {
        assert!(query.contains(&wanted), "{wanted} is not in {query:?}");
    }
    pair.ends();
    switch.ends();
}

#[test]
fn a_key_in_an_info_is_told_and_reaches_the_other_party_as_an_event() {
    let scene = Scene::new();
    let steps = Steps::of_caller()
        .is_answered()
        .waits()
        .asks("INFO", &RELAY, "Signal=*\nDuration=160", 200)
        .asks("INFO", &["Content-Type: application/dtmf"], "5", 200)
        .waits()
        .hangs_up();
    let switch = scene.starts_usual();
    let more = json!({ "dtmfCapture": ["*5"], "dtmfHook": "/dtmf" });
    let pair = Pair::talking(&scene, &switch, (steps, pair::callee()), &more);
    pair.caller_runs.proceeds();
    assert_eq!(scene.app.is_asked("/dtmf").json["dtmf"], "*5");
    gets(&pair.callee, &[10, 5]);
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn digits_of_the_dial_reach_the_callee_that_answered() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let more = json!({ "sendDigits": "12w#" });
    let pair = Pair::connected(&scene, &switch, (pair::caller(), pair::callee()), &more);
    gets(&pair.callee, &[1, 2, 11]);
    assert!(pair.caller.audio.keys(KEYS).is_empty(), "they are for the callee");
    let heard = pair.callee.audio.heard();
    let at = |key: u8| {
        let is_key =
            |packet: &&Packet| packet.payload_type == KEYS && packet.payload.first() == Some(&key);
        heard.iter().find(is_key).expect("it was got").at
    };
    assert!(at(11) - at(2) > Duration::from_millis(500), "w is half a second");
    // The parties hear each other after it.
    pair.caller.audio.says(pair.caller_runs.audio_of_switch(), Codec::Pcmu, OF_CALLER);
    pair.callee.audio.hears(Codec::Pcmu, OF_CALLER);
    pair.ends();
    switch.ends();
}

#[test]
fn the_dtmf_verb_sends_keys_to_the_caller() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("steps", pair::caller());
    scene.app.runs(
        "/incoming",
        &json!([
            { "verb": "answer" }, { "verb": "dtmf", "dtmf": "4*A", "duration": 100 },
            { "verb": "pause", "length": 10 },
        ]),
    );
    let switch = scene.starts_usual();
    let caller_runs = caller.plays("caller_by_steps", &switch);
    gets(&caller, &[4, 10, 12]);
    caller_runs.proceeds();
    caller_runs.finishes();
    switch.ends();
}
