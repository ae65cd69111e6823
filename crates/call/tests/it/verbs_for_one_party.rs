//! Verbs that the caller hears or answers by keys: play, gather, dtmf; with what follows.

use std::time::Duration;

use call::{CallKey, Input, LegId};
use serde_json::{Value, json};
use testkit::{MediaFact, Note, World};

use crate::scene::{
    CALLER, Scene, alerts, answers, assert_near, dial, finish, hangs_up, patient, s, saw_at, text,
};
use crate::sent::statuses_to;

const KEY: CallKey = CallKey(1);

fn begin(list: &Value) -> World {
    begin_with(Scene::running(list))
}

fn begin_with(scene: Scene) -> World {
    let mut world = scene.caller(patient()).before_the_call();
    for seconds in 1..=5_u8 {
        world.sounds.insert(format!("/{seconds}.wav"), s(f64::from(seconds)));
    }
    world.call("A");
    world
}

fn press(world: &mut World, keys: &str) {
    for key in keys.chars() {
        world.input(KEY, Input::Key(LegId::CALLER, key, Duration::from_millis(100)));
    }
}

fn played(world: &World) -> Vec<&str> {
    let facts = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Plays(_, _, _, url) => Some(url.as_str()),
        _ => None,
    });
    facts.collect()
}

#[test]
fn a_play_answers_plays_all_and_says_how_it_went() {
    let play =
        json!({ "verb": "play", "url": ["/1.wav", "/2.wav"], "loop": 2, "actionHook": "/p" });
    let mut world = begin(&json!([play]));
    finish(&mut world);
    assert_eq!(statuses_to(&world, CALLER), [100, 200]);
    assert_eq!(played(&world), ["/1.wav", "/2.wav", "/1.wav", "/2.wav"]);
    let told = &world.application.asked_at("/p")[0].payload;
    assert_eq!(told["reason"], "playCompleted");
    assert_eq!(told["playback_seconds"], 6);
    assert_eq!(told["playback_milliseconds"], 6000);
    assert_eq!(told["playback_last_offset_pos"], 48_000);
    assert_near(saw_at(&world, "A", &Note::Ended), 6.04);
}

#[test]
fn early_media_does_not_answer() {
    let play = json!({ "verb": "play", "url": "/1.wav", "earlyMedia": true });
    let mut world = begin(&json!([play, { "verb": "hangup" }]));
    finish(&mut world);
    assert_eq!(statuses_to(&world, CALLER), [100, 183, 603]);
}

#[test]
fn a_play_may_be_short_and_begin_late() {
    let play = json!({ "verb": "play", "url": "/5.wav", "timeoutSecs": 2, "actionHook": "/p" });
    let mut world = begin(&json!([play]));
    finish(&mut world);
    assert_eq!(world.application.asked_at("/p")[0].payload["playback_seconds"], 2);
}

#[test]
fn what_cannot_be_had_is_said_and_the_next_is_played() {
    let play =
        json!({ "verb": "play", "url": ["/none.wav", "/1.wav"], "loop": 9, "actionHook": "/p" });
    let mut world = begin(&json!([play]));
    finish(&mut world);
    assert_eq!(played(&world), ["/none.wav", "/1.wav"], "no second round of what is broken");
    assert_eq!(world.application.asked_at("/p")[0].payload["reason"], "playFailed");
    assert!(alerts(&world)[0].contains("/none.wav"), "{:?}", alerts(&world));
}

#[test]
fn audio_that_lasts_no_time_is_not_repeated() {
    let play = json!({ "verb": "play", "url": ["/none", "/none"], "loop": "forever" });
    let mut world = begin(&json!([play]));
    world.sounds.insert("/none".to_owned(), Duration::ZERO);
    finish(&mut world);
    assert_eq!(played(&world), ["/none", "/none"]);
}

#[test]
fn a_caller_that_hangs_up_stops_it() {
    let mut world = begin_with(Scene::running(
        &json!([{ "verb": "play", "url": "/5.wav", "loop": "forever" }]),
    ));
    world.run_for(s(2.0));
    world.with_phone("A", |phone, now| phone.hang_up(now));
    finish(&mut world);
    assert!(world.media.iter().any(|fact| matches!(fact, MediaFact::Stops(..))));
}

fn gathered(verb: &Value, act: impl FnOnce(&mut World)) -> (World, Value) {
    let mut verb = verb.clone();
    verb["verb"] = json!("gather");
    verb["actionHook"] = json!("/g");
    let mut world = begin(&json!([verb, { "verb": "pause", "length": 1 }]));
    world.run_for(s(0.5));
    act(&mut world);
    finish(&mut world);
    let payload = world.application.asked_at("/g")[0].payload.clone();
    let got = json!([payload["reason"], payload["digits"]]);
    (world, got)
}

#[test]
fn a_gather_ends_when_it_has_what_it_wants() {
    let (_, got) = gathered(&json!({ "numDigits": 3 }), |world| press(world, "12345"));
    assert_eq!(got, json!(["dtmfDetected", "123"]));
    let (_, got) = gathered(&json!({ "finishOnKey": "#" }), |world| press(world, "12#4"));
    assert_eq!(got, json!(["dtmfDetected", "12"]));
    let (_, got) = gathered(&json!({ "maxDigits": 2 }), |world| press(world, "12"));
    assert_eq!(got, json!(["dtmfDetected", "12"]));
}

#[test]
fn it_waits_between_keys_and_takes_what_there_is_if_that_is_enough() {
    let wanted = json!({ "minDigits": 2, "maxDigits": 4, "interDigitTimeout": 2 });
    let (world, got) = gathered(&wanted, |world| press(world, "12"));
    assert_eq!(got, json!(["dtmfDetected", "12"]));
    let at = world.application.asked_at("/g")[0].at.duration_since(world.start);
    assert_near(at.as_secs_f64(), 2.5);
    let (_, got) = gathered(&wanted, |world| press(world, "1"));
    assert_eq!(got, json!(["timeout", "1"]), "too few");
}

#[test]
fn it_waits_for_the_first_key_from_the_end_of_the_prompt() {
    let wanted = json!({ "timeout": 4, "play": { "url": "/3.wav" } });
    let (world, got) = gathered(&wanted, |_| {});
    assert_eq!(got, json!(["timeout", ""]));
    let at = world.application.asked_at("/g")[0].at.duration_since(world.start);
    assert_near(at.as_secs_f64(), 7.01);
}

#[test]
fn a_key_stops_the_prompt_unless_it_may_not() {
    let wanted = json!({ "numDigits": 2, "play": { "url": "/5.wav" } });
    let (world, got) = gathered(&wanted, |world| {
        press(world, "1");
        assert!(world.media.iter().any(|fact| matches!(fact, MediaFact::Stops(..))));
        press(world, "2");
    });
    assert_eq!(got, json!(["dtmfDetected", "12"]));
    assert_eq!(played(&world), ["/5.wav"]);
    let mut deaf = wanted.clone();
    deaf["listenDuringPrompt"] = json!(false);
    deaf["timeout"] = json!(1);
    let (_, got) = gathered(&deaf, |world| press(world, "12"));
    assert_eq!(got, json!(["timeout", ""]));
    let mut patient = wanted;
    patient["dtmfBargein"] = json!(false);
    let (world, got) = gathered(&patient, |world| press(world, "12"));
    assert_eq!(got, json!(["dtmfDetected", "12"]));
    let at = world.application.asked_at("/g")[0].at.duration_since(world.start);
    assert_near(at.as_secs_f64(), 0.5);
}

#[test]
fn what_the_hook_of_a_gather_answers_runs() {
    let gather = json!({ "verb": "gather", "numDigits": 1, "actionHook": "/g" });
    let list = json!([gather, { "verb": "hangup" }]);
    let scene = Scene::running(&list)
        .callees(vec![answers(1.0)])
        .answering("/g", text(&json!([dial(1, &json!({}))])));
    let mut world = begin_with(scene.caller(hangs_up(9.0)));
    world.run_for(s(1.0));
    press(&mut world, "1");
    world.run_for(s(3.0));
    world.with_phone("A", |phone, now| phone.hang_up(now));
    finish(&mut world);
    assert_eq!(crate::scene::result(&world)["dial_call_status"], "completed");
}

#[test]
fn keys_are_sent_before_the_next_verb_runs() {
    let list = json!([{ "verb": "dtmf", "dtmf": "1w2", "duration": 500 }]);
    let mut world = begin(&list);
    finish(&mut world);
    let sent = MediaFact::Keys(KEY, LegId::CALLER, "1w2".to_owned());
    assert!(world.media.contains(&sent));
    assert_near(saw_at(&world, "A", &Note::Ended), 1.5);
}
