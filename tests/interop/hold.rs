//! A party holds the other one: what that one hears meanwhile, and that both hear each other when
//! it takes the call back.

use media::Codec;
use serde_json::{Value, json};

use crate::support::application::Answer;
use crate::support::baresip::{Account, Baresip};
use crate::support::ladder::Message;
use crate::support::pair::{self, OF_CALLEE, OF_CALLER, Pair};
use crate::support::scene::{CALLER, Config, Scene, dial};
use crate::support::sipp::Run;
use crate::support::steps::Steps;
use crate::support::wait_for;

const MUSIC: f64 = 500.0;

/// With music for those who are held.
fn config(scene: &Scene) -> Config {
    scene.app.answers("/hold.wav", Answer::tone(MUSIC, 2000));
    let mut config = scene.config();
    config.media = format!("hold_music = \"{}\"", scene.app.url("/hold.wav"));
    config
}

/// A callee that holds by this method and description, and takes back.
fn holder(method: &str, description: &str) -> Steps {
    Steps::of_callee()
        .rings()
        .answers()
        .waits()
        .asks(method, &[], description, 200)
        .waits()
        .asks(method, &[], "{{sdp}}", 200)
        .is_hung_up()
}

/// The directions of our answers to offers inside the call, in order.
fn directions(runs: &Run) -> Vec<String> {
    let ladder = runs.ladder();
    let direction = |message: &Message| {
        let mut lines = message.body().into_iter().map(str::to_owned);
        lines.find(|line| {
            ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"].contains(&line.as_str())
        })
    };
    ladder.received("200").into_iter().filter_map(direction).collect()
}

#[test]
fn whoever_is_held_hears_music_and_both_hear_each_other_again() {
    for (method, description, answered) in [
        ("INVITE", "{{held_sdp}}", "a=recvonly"),
        ("INVITE", "{{inactive_sdp}}", "a=inactive"),
        ("INVITE", "{{nowhere_sdp}}", "a=recvonly"),
        ("UPDATE", "{{held_sdp}}", "a=recvonly"),
        ("UPDATE", "{{inactive_sdp}}", "a=inactive"),
    ] {
        let scene = Scene::new();
        let switch = scene.starts(&config(&scene));
        let steps = (pair::caller(), holder(method, description));
        let pair = Pair::talking(&scene, &switch, steps, &json!({}));
        pair.callee_runs.proceeds();
        pair.caller.audio.hears(Codec::Pcmu, MUSIC);
        pair.callee.audio.hears_nothing(Codec::Pcmu);
        pair.callee_runs.proceeds();
        pair.both_hear();
        assert_eq!(
            directions(&pair.callee_runs),
            [answered, "a=sendrecv"],
            "{method} {description}"
        );
        pair.ends();
        switch.ends();
    }
}

#[test]
fn a_caller_may_hold_as_well() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let steps = Steps::of_caller()
        .is_answered()
        .waits()
        .asks("INVITE", &[], "{{held_sdp}}", 200)
        .waits()
        .asks("INVITE", &[], "{{sdp}}", 200)
        .waits()
        .hangs_up();
    let pair = Pair::talking(&scene, &switch, (steps, pair::callee()), &json!({}));
    pair.caller_runs.proceeds();
    pair.callee.audio.hears(Codec::Pcmu, MUSIC);
    pair.caller.audio.hears_nothing(Codec::Pcmu);
    pair.caller_runs.proceeds();
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn without_music_of_ours_that_of_the_holder_is_heard() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let steps = (pair::caller(), holder("INVITE", "{{held_sdp}}"));
    let pair = Pair::talking(&scene, &switch, steps, &json!({}));
    pair.callee_runs.proceeds();
    pair.callee.audio.hears_nothing(Codec::Pcmu);
    let to_switch = pair.callee_runs.audio_of_switch();
    pair.callee.audio.says(to_switch, Codec::Pcmu, 1500.0);
    pair.caller.audio.hears(Codec::Pcmu, 1500.0);
    pair.callee.audio.says(to_switch, Codec::Pcmu, OF_CALLEE);
    pair.callee_runs.proceeds();
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn the_application_may_say_what_is_heard_meanwhile() {
    let scene = Scene::new();
    scene.app.answers("/sorry.wav", Answer::tone(820.0, 1000));
    scene.app.runs("/held", &json!([{ "verb": "play", "url": "/sorry.wav", "loop": 3 }]));
    let switch = scene.starts(&config(&scene));
    let steps = (pair::caller(), holder("INVITE", "{{inactive_sdp}}"));
    let pair = Pair::talking(&scene, &switch, steps, &json!({ "onHoldHook": "/held" }));
    pair.callee_runs.proceeds();
    pair.caller.audio.hears(Codec::Pcmu, 820.0);
    let asked = scene.app.is_asked("/held").json;
    assert_eq!(asked["call_sid"], Value::from(pair::parent(&scene)), "{asked}");
    pair.callee_runs.proceeds();
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn an_invite_without_an_offer_gets_ours() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let steps =
        Steps::of_callee().rings().answers().waits().asks_for_an_offer("{{sdp}}").is_hung_up();
    let pair = Pair::talking(&scene, &switch, (pair::caller(), steps), &json!({}));
    let before = pair.callee_runs.audio_of_switch();
    pair.callee_runs.proceeds();
    wait_for("our offer", || (!directions(&pair.callee_runs).is_empty()).then_some(()));
    assert_eq!(directions(&pair.callee_runs), ["a=sendrecv"]);
    assert_eq!(pair.callee_runs.audio_of_switch(), before, "the port stays");
    let heard = pair.callee.audio.heard().len();
    wait_for("audio after it", || (pair.callee.audio.heard().len() > heard + 25).then_some(()));
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn who_holds_may_be_silent_for_as_long_as_it_likes() {
    let scene = Scene::new();
    let mut config = config(&scene);
    config.media += "\ntimeout = \"1s\"";
    let switch = scene.starts(&config);
    let steps = (pair::caller(), holder("INVITE", "{{inactive_sdp}}"));
    let pair = Pair::talking(&scene, &switch, steps, &json!({}));
    pair.callee_runs.proceeds();
    pair.caller.audio.hears(Codec::Pcmu, MUSIC);
    pair.callee.audio.is_quiet();
    // Three seconds of music.
    let heard = pair.caller.audio.heard().len();
    wait_for("music", || (pair.caller.audio.heard().len() > heard + 150).then_some(()));
    assert!(pair.callee_runs.ladder().received("BYE").is_empty(), "it was hung up");
    pair.callee.audio.says(pair.callee_runs.audio_of_switch(), Codec::Pcmu, OF_CALLEE);
    pair.callee_runs.proceeds();
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn a_baresip_that_holds_lets_the_caller_hear_music() {
    let scene = Scene::new();
    let mut config = config(&scene);
    config.rest += "[[client]]\nusername = \"demo\"\npassword = \"secret\"\n";
    let switch = scene.starts(&config);
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let mut demo = Baresip::registered(&scene, &switch, &Account::over_udp("demo", OF_CALLEE));
    let caller = scene.phone(CALLER);
    let caller_runs = caller.plays("caller_stays", &switch);
    demo.accepts();
    caller_runs.receives("200");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, OF_CALLER);
    demo.hears(OF_CALLER);
    caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    demo.holds(true);
    caller.audio.hears(Codec::Pcmu, MUSIC);
    demo.holds(false);
    caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    demo.hangs_up();
    caller_runs.finishes();
    switch.ends();
}
