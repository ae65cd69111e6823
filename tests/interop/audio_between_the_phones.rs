//! What one party says, the other hears: by content, in the law each of them speaks.

use media::Codec;
use serde_json::json;

use crate::support::pair::{self, Pair};
use crate::support::phone::Phone;
use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::switch::ADMIN_TOKEN;
use crate::support::wait_for;

const CALLER_TONE: f64 = 700.0;
const CALLEE_TONE: f64 = 1100.0;

/// A call of `caller` to `callee`, both of them talking; both must hear the other and nothing else.
fn both_hear_the_other(scene: &Scene, caller: (&Phone, Codec), callee: (&Phone, Codec)) {
    scene.app.runs("/incoming", &dial(&[callee.0], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.0.plays("callee_answers", &switch);
    let caller_runs = caller.0.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    caller.0.audio.says(caller_runs.audio_of_switch(), caller.1, CALLER_TONE);
    callee.0.audio.says(callee_runs.audio_of_switch(), callee.1, CALLEE_TONE);
    callee.0.audio.hears(callee.1, CALLER_TONE);
    caller.0.audio.hears(caller.1, CALLEE_TONE);
    let parties =
        [(caller, caller_runs.audio_of_switch()), (callee, callee_runs.audio_of_switch())];
    caller_runs.finishes();
    callee_runs.finishes();
    for ((phone, codec), audio_of_switch) in parties {
        for packet in phone.audio.heard() {
            assert_eq!(packet.payload_type, wire(codec), "{codec:?}");
            // Firewalls let in only what comes from where one sends.
            assert_eq!(packet.from, audio_of_switch);
        }
    }
    switch.ends();
}

fn wire(codec: Codec) -> u8 {
    if codec == Codec::Pcmu { 0 } else { 8 }
}

#[test]
fn a_bridged_call_has_audio_both_ways() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    both_hear_the_other(&scene, (&caller, Codec::Pcmu), (&callee, Codec::Pcmu));
}

#[test]
fn a_mu_law_caller_and_an_a_law_callee_understand_each_other() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with_formats(&[(0, "PCMU/8000")]);
    let callee = scene.phone(CALLEE).with_formats(&[(8, "PCMA/8000")]);
    both_hear_the_other(&scene, (&caller, Codec::Pcmu), (&callee, Codec::Pcma));
}

#[test]
fn the_first_codec_of_the_caller_is_the_first_offered_to_the_callee() {
    let scene = Scene::new();
    let alaw_first = [(8, "PCMA/8000"), (0, "PCMU/8000"), (96, "telephone-event/8000")];
    let (caller, callee) = (scene.phone(CALLER).with_formats(&alaw_first), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    let ladder = callee_runs.finishes();
    let body = ladder.only("INVITE").body();
    let media = body.iter().find(|line| line.starts_with("m=audio")).expect("audio is offered");
    let formats: Vec<&str> = media.split(' ').skip(3).collect();
    assert_eq!(formats[..2], ["8", "0"], "{media}");
    switch.ends();
}

#[test]
fn keys_are_heard_under_the_number_that_each_party_gave_them() {
    let scene = Scene::new();
    let numbered = |number| [(0, "PCMU/8000"), (number, "telephone-event/8000")];
    let caller = scene.phone(CALLER).with_formats(&numbered(96)).with("talk", 3000);
    let callee = scene.phone(CALLEE).with_formats(&numbered(120));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    let offered = callee_runs.receives("INVITE").text;
    let type_for_callee = offered.lines().find_map(|line| {
        line.strip_prefix("a=rtpmap:")?.strip_suffix(" telephone-event/8000")?.parse().ok()
    });
    // A key comes once: not before each is heard.
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, CALLER_TONE);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, CALLEE_TONE);
    callee.audio.hears(Codec::Pcmu, CALLER_TONE);
    caller.audio.hears(Codec::Pcmu, CALLEE_TONE);
    caller.audio.presses(caller_runs.audio_of_switch(), 96, 5);
    callee.audio.presses(callee_runs.audio_of_switch(), type_for_callee.unwrap_or(120), 7);
    let key = |phone: &Phone, number: u8| {
        wait_for(&format!("a key as payload type {number}"), || {
            phone.audio.heard().into_iter().find(|packet| packet.payload_type == number)
        })
    };
    assert_eq!(key(&callee, 120).payload[0], 5);
    assert_eq!(key(&caller, 96).payload[0], 7);
    caller_runs.finishes();
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn a_callee_hears_the_caller_as_loud_as_the_dial_says_and_a_program_changes_that() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    let switch = scene.starts(&config);
    let more = json!({ "boostAudioSignal": "-6 dB" });
    let pair = Pair::talking(&scene, &switch, (pair::caller(), pair::callee()), &more);
    let near = |level: f64, wanted: f64| (level - wanted).abs() < 0.5;
    wait_for("a softer caller", || near(pair.callee.audio.level(Codec::Pcmu), -6.0).then_some(()));
    wait_for("the callee as it is", || {
        near(pair.caller.audio.level(Codec::Pcmu), 0.0).then_some(())
    });
    for (sid, audio) in
        [(pair::child(&scene), &pair.callee.audio), (pair::parent(&scene), &pair.caller.audio)]
    {
        let change = json!({ "boostAudioSignal": 4 });
        let (status, answer) = switch.rest("PUT", &format!("/Calls/{sid}"), &change);
        assert_eq!(status, 202, "{answer}");
        wait_for("a louder party", || near(audio.level(Codec::Pcmu), 4.0).then_some(()));
    }
    pair.ends();
    switch.ends();
}
