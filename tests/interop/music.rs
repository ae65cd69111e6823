//! What is played to a caller: music while callees ring, prompts, sounds of the application and of
//! the installation, and what is refused.

use std::fs;

use media::Codec;
use serde_json::{Value, json};

use crate::support::application::{Answer, Application};
use crate::support::phone::Phone;
use crate::support::recording;
use crate::support::scene::{ANOTHER_APPLICATION, CALLEE, CALLER, Config, Scene, dial};
use crate::support::sipp::Run;
use crate::support::steps::Steps;
use crate::support::switch::{ADMIN_TOKEN, Switch};
use crate::support::wait_for;

const MUSIC: f64 = 500.0;

fn config(scene: &Scene) -> Config {
    let mut config = scene.config();
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    config
}

/// Waits for an alert that says this.
fn is_said(switch: &Switch, what: &str) -> Value {
    wait_for(&format!("an alert that says {what}"), || {
        let (status, page) = switch.rest("GET", "/Alerts?page=1&count=25", &json!(null));
        assert_eq!(status, 200, "{page}");
        let alerts = page["data"].as_array().cloned().unwrap_or_default();
        alerts.into_iter().find(|alert| alert.to_string().contains(what))
    })
}

/// Who calls, and who rings until a test lets it answer.
fn parties(scene: &Scene) -> (Phone, Phone) {
    let caller = Steps::of_caller().is_answered().waits().hangs_up();
    let callee = Steps::of_callee().rings().waits().answers().is_hung_up();
    (scene.phone(CALLER).with("steps", caller), scene.phone(CALLEE).with("steps", callee))
}

/// The callee answers, is heard instead of what was heard before, and the caller hangs up.
fn the_callee_answers_and_is_heard(caller: (&Phone, Run), callee: (&Phone, Run)) {
    callee.1.proceeds();
    callee.1.receives("ACK");
    callee.0.audio.says(callee.1.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller.0.audio.hears(Codec::Pcmu, 1100.0);
    caller.1.receives("200");
    caller.1.proceeds();
    caller.1.finishes();
    callee.1.finishes();
}

#[test]
fn music_of_the_dial_is_heard_again_and_again_until_the_callee_answers() {
    for answer_on_bridge in [true, false] {
        let scene = Scene::new();
        let (caller, callee) = parties(&scene);
        scene.app.answers("/music.wav", Answer::tone(MUSIC, 400));
        let music = scene.app.url("/music.wav");
        let more = json!({ "answerOnBridge": answer_on_bridge, "dialMusic": music });
        scene.app.runs("/incoming", &dial(&[&callee], &more));
        let switch = scene.starts_usual();
        let callee_runs = callee.plays("callee_by_steps", &switch);
        let caller_runs = caller.plays("caller_by_steps", &switch);
        let before = if answer_on_bridge { "183" } else { "200" };
        caller_runs.receives(before);
        caller.audio.hears(Codec::Pcmu, MUSIC);
        // Longer than the sound is.
        let heard = caller.audio.heard().len();
        wait_for("a second round", || (caller.audio.heard().len() > heard + 40).then_some(()));
        caller.audio.hears(Codec::Pcmu, MUSIC);
        let kinds = caller_runs.ladder();
        let expected = ["100", before];
        assert_eq!(kinds.received_kinds(), expected, "{}", kinds.summary());
        the_callee_answers_and_is_heard((&caller, caller_runs), (&callee, callee_runs));
        assert_eq!(scene.app.requests("/music.wav").len(), 1, "it is fetched once");
        switch.ends();
    }
}

#[test]
fn music_may_be_a_script_of_tones() {
    let scene = Scene::new();
    let (caller, callee) = parties(&scene);
    let more = json!({ "dialMusic": "tone_stream://L=-1;%(1000,0,620)" });
    scene.app.runs("/incoming", &dial(&[&callee], &more));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    caller.audio.hears(Codec::Pcmu, 620.0);
    the_callee_answers_and_is_heard((&caller, caller_runs), (&callee, callee_runs));
    switch.ends();
}

#[test]
fn music_that_is_not_there_is_said_and_the_caller_hears_it_ring() {
    let scene = Scene::new();
    let (caller, callee) = parties(&scene);
    scene.app.answers("/music.wav", Answer::status(404));
    let music = scene.app.url("/music.wav");
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "dialMusic": music })));
    let switch = scene.starts(&config(&scene));
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    caller.audio.hears_all(Codec::Pcmu, &[440.0, 480.0]);
    let alert = is_said(&switch, &music);
    assert!(alert.to_string().contains("404"), "{alert}");
    the_callee_answers_and_is_heard((&caller, caller_runs), (&callee, callee_runs));
    switch.ends();
}

#[test]
fn music_at_a_private_address_that_is_not_the_applications_is_refused() {
    let scene = Scene::new();
    let (caller, callee) = parties(&scene);
    let elsewhere = Application::start(scene.network.ip(ANOTHER_APPLICATION));
    elsewhere.answers("/music.wav", Answer::tone(MUSIC, 400));
    let music = elsewhere.url("/music.wav");
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "dialMusic": music })));
    let switch = scene.starts(&config(&scene));
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    is_said(&switch, &music);
    caller.audio.hears_all(Codec::Pcmu, &[440.0, 480.0]);
    assert!(elsewhere.requests("/music.wav").is_empty(), "it was asked");
    the_callee_answers_and_is_heard((&caller, caller_runs), (&callee, callee_runs));
    switch.ends();
}

#[test]
fn a_private_address_that_the_operator_opens_is_asked() {
    let scene = Scene::new();
    let (caller, callee) = parties(&scene);
    let elsewhere = Application::start(scene.network.ip(ANOTHER_APPLICATION));
    elsewhere.answers("/music.wav", Answer::tone(MUSIC, 400));
    let more = json!({ "dialMusic": elsewhere.url("/music.wav") });
    scene.app.runs("/incoming", &dial(&[&callee], &more));
    let mut config = config(&scene);
    config.http += "\nallow_private = [\"127.0.0.0/8\"]";
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    caller.audio.hears(Codec::Pcmu, MUSIC);
    the_callee_answers_and_is_heard((&caller, caller_runs), (&callee, callee_runs));
    switch.ends();
}

#[test]
fn a_file_is_played_where_it_lies_below_the_directory_of_sounds_alone() {
    let scene = Scene::new();
    let sounds = scene.folder.join("sounds");
    fs::create_dir_all(&sounds).expect("the directory of the test can be written");
    let (inside, outside) = (sounds.join("inside.wav"), scene.folder.join("outside.wav"));
    for (file, hertz) in [(&inside, 820.0), (&outside, 310.0)] {
        fs::write(file, recording::wav(hertz, 2000)).expect("it can be written");
    }
    let url = |file: &std::path::Path| format!("file://{}", file.display());
    scene.app.runs(
        "/incoming",
        &json!([
            { "verb": "play", "url": url(&outside), "actionHook": "/refused" },
            { "verb": "play", "url": url(&inside), "loop": 5 },
        ]),
    );
    let mut config = config(&scene);
    config.media = format!("sounds = [\"{}\"]", sounds.display());
    let switch = scene.starts(&config);
    let caller = parties(&scene).0;
    let caller_runs = caller.plays("caller_by_steps", &switch);
    assert_eq!(scene.app.is_asked("/refused").json["reason"], "playFailed");
    caller.audio.hears(Codec::Pcmu, 820.0);
    assert!(caller.audio.share_of(Codec::Pcmu, 310.0) < 0.05);
    is_said(&switch, "outside.wav");
    caller_runs.proceeds();
    caller_runs.finishes();
    switch.ends();
}

#[test]
fn a_caller_hears_a_sound_and_the_application_how_long() {
    let scene = Scene::new();
    let caller = parties(&scene).0;
    scene.app.answers("/one.wav", Answer::tone(700.0, 600));
    scene.app.answers("/two.wav", Answer::tone(900.0, 600));
    let urls = [scene.app.url("/one.wav"), scene.app.url("/two.wav")];
    let play = json!({ "verb": "play", "url": urls, "actionHook": "/played" });
    scene.app.runs("/incoming", &json!([play, { "verb": "pause", "length": 10 }]));
    let switch = scene.starts_usual();
    let caller_runs = caller.plays("caller_by_steps", &switch);
    caller.audio.hears(Codec::Pcmu, 700.0);
    caller.audio.hears(Codec::Pcmu, 900.0);
    let played = scene.app.is_asked("/played").json;
    assert_eq!(played["reason"], "playCompleted", "{played}");
    let long = played["playback_milliseconds"].as_u64().unwrap_or_default();
    assert!((1200..2500).contains(&long), "{played}");
    caller.audio.hears_nothing(Codec::Pcmu);
    caller_runs.proceeds();
    caller_runs.finishes();
    switch.ends();
}

#[test]
fn keys_of_a_caller_stop_its_prompt_and_are_told_to_the_application() {
    let scene = Scene::new();
    let caller = parties(&scene).0;
    scene.app.answers("/prompt.wav", Answer::tone(MUSIC, 9000));
    let gather = json!({
        "verb": "gather", "minDigits": 2, "maxDigits": 5, "finishOnKey": "#", "timeout": 10,
        "actionHook": "/gathered", "play": { "verb": "play", "url": "/prompt.wav" },
    });
    scene.app.runs("/incoming", &json!([gather]));
    scene.app.runs("/gathered", &json!([{ "verb": "pause", "length": 10 }]));
    let switch = scene.starts_usual();
    let caller_runs = caller.plays("caller_by_steps", &switch);
    caller.audio.hears(Codec::Pcmu, MUSIC);
    let to_switch = caller_runs.audio_of_switch();
    caller.audio.presses(to_switch, 101, 4);
    caller.audio.hears_nothing(Codec::Pcmu);
    assert!(scene.app.requests("/gathered").is_empty(), "there is more to come");
    // 2, the star, and the hash, which ends it.
    [2, 10, 11].into_iter().for_each(|key| caller.audio.presses(to_switch, 101, key));
    let gathered = scene.app.is_asked("/gathered").json;
    assert_eq!(
        (&gathered["reason"], &gathered["digits"]),
        (&json!("dtmfDetected"), &json!("42*")),
        "{gathered}"
    );
    caller_runs.proceeds();
    caller_runs.finishes();
    switch.ends();
}
