//! What a caller hears while callees ring: music of the dial, early media of whom the dial says, a
//! tone; never silence.

use call::{CallKey, LegId, PlayId};
use serde_json::{Value, json};
use testkit::{Callee, MediaFact, World};

use crate::placed::begins;
use crate::scene::{
    CALLER, Scene, alerts, answers, dial, finish, hangs_up, heard, refuses, result, s, target,
    waits,
};
use crate::sent::statuses_to;

const MUSIC: &str = "http://sounds.test/music.wav";

fn early(after: f64, mut callee: Callee) -> Callee {
    callee.rings = None;
    callee.early_media = Some(s(after));
    callee
}

/// Plays to the end, in a world that has the music.
fn play(scene: Scene) -> World {
    let mut world = scene.before_the_call();
    world.sounds.insert(MUSIC.to_owned(), s(30.0));
    world.call("A");
    finish(&mut world);
    world
}

/// What was played to the caller, and when it was stopped.
fn played(world: &World) -> Vec<String> {
    let facts = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Plays(_, LegId::CALLER, _, url) => Some(format!("plays {url}")),
        MediaFact::Stops(_, LegId::CALLER, _) => Some("stops".to_owned()),
        _ => None,
    });
    facts.collect()
}

#[test]
fn music_is_heard_until_the_callee_answers_and_nothing_of_the_callee() {
    for answered in [false, true] {
        let more = json!({ "dialMusic": MUSIC, "answerOnBridge": !answered });
        let scene = Scene::dialling(vec![early(0.5, answers(2.0))], &more).caller(hangs_up(4.0));
        let world = play(scene);
        let statuses: &[u16] = if answered { &[100, 200] } else { &[100, 183, 200] };
        assert_eq!(statuses_to(&world, CALLER), statuses);
        assert_eq!(played(&world), [&*format!("plays {MUSIC}"), "stops"]);
        assert_eq!(heard(&world), ["tone us", "callee 1", "nothing"], "beneath it a tone");
        let facts = &world.media;
        let stops = MediaFact::Stops(CallKey(1), LegId::CALLER, PlayId(0));
        let bridge = MediaFact::Bridged(CallKey(1), LegId::CALLER, LegId(1));
        let at = |wanted: &MediaFact| facts.iter().position(|fact| fact == wanted).unwrap();
        assert!(at(&stops) < at(&bridge));
    }
}

#[test]
fn music_that_is_shorter_than_the_ringing_goes_on_to_its_end() {
    let more = json!({ "dialMusic": MUSIC, "answerOnBridge": false });
    let mut world =
        Scene::dialling(vec![answers(30.0)], &more).caller(hangs_up(32.0)).before_the_call();
    world.sounds.insert(MUSIC.to_owned(), s(5.0));
    world.call("A");
    world.run_for(s(29.0));
    assert_eq!(played(&world), [&*format!("plays {MUSIC}")], "it was not over after 5 s");
    finish(&mut world);
    assert_eq!(played(&world), [&*format!("plays {MUSIC}"), "stops"]);
}

#[test]
fn a_caller_that_a_program_called_hears_it_too() {
    let more = json!({ "dialMusic": MUSIC, "target": [target(2)] });
    let mut world = Scene::running(&json!([dial(0, &more)]))
        .callees(vec![answers(0.5), Callee { hangs_up: Some(s(1.0)), ..answers(3.0) }])
        .without_caller();
    world.sounds.insert(MUSIC.to_owned(), s(1.0));
    begins(&mut world, &json!({}));
    finish(&mut world);
    let facts = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Plays(_, leg, _, url) => Some((*leg, url.as_str())),
        MediaFact::Stops(_, leg, _) => Some((*leg, "stops")),
        MediaFact::Bridged(_, caller, _) => Some((*caller, "bridge")),
        _ => None,
    });
    let facts: Vec<(LegId, &str)> = facts.collect();
    let caller = facts[0].0;
    assert_eq!(facts, [(caller, MUSIC), (caller, "stops"), (caller, "bridge")]);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn music_ends_with_a_dial_that_fails() {
    let more = json!({ "dialMusic": MUSIC });
    let world = play(Scene::dialling(vec![refuses(486, 2.0)], &more));
    assert_eq!(played(&world), [&*format!("plays {MUSIC}"), "stops"]);
    assert_eq!(heard(&world), ["tone us", "nothing"]);
}

#[test]
fn without_the_music_the_tone_goes_on_and_so_does_the_call() {
    let more = json!({ "dialMusic": "http://sounds.test/none.wav", "answerOnBridge": false });
    let world = Scene::dialling(vec![answers(2.0)], &more).caller(hangs_up(4.0)).play();
    assert_eq!(heard(&world), ["tone us", "callee 1", "nothing"]);
    assert_eq!(played(&world), ["plays http://sounds.test/none.wav"], "once, and not again");
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert!(alerts(&world)[0].contains("http://sounds.test/none.wav"), "{:?}", alerts(&world));
}

#[test]
fn early_media_of_the_callee_takes_the_place_of_music_that_is_not_there() {
    let more = json!({ "dialMusic": "http://sounds.test/none.wav", "answerOnBridge": false });
    let callee = early(1.0, answers(2.0));
    let world = Scene::dialling(vec![callee], &more).caller(hangs_up(4.0)).play();
    assert_eq!(heard(&world), ["tone us", "callee 1", "callee 1", "nothing"]);
}

#[test]
fn a_tone_may_be_audio_of_ones_own() {
    let more = json!({ "ringback": MUSIC, "answerOnBridge": false });
    let world = play(Scene::dialling(vec![answers(2.0)], &more).caller(hangs_up(4.0)));
    assert_eq!(played(&world), [&*format!("plays {MUSIC}"), "stops"]);
    let more = json!({ "ringback": MUSIC });
    let world = play(Scene::dialling(vec![answers(2.0)], &more).caller(hangs_up(4.0)));
    assert_eq!(played(&world), Vec::<String>::new(), "its own phone rings");
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 200]);
}

#[test]
fn silence_is_for_those_who_ask_for_it() {
    let more = json!({ "ringback": "none", "answerOnBridge": false });
    let world = play(Scene::dialling(vec![answers(2.0)], &more).caller(hangs_up(4.0)));
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
}

fn of_two(policy: &str, first: Callee, second: Callee, priorities: [u32; 2]) -> World {
    let mut targets = [target(1), target(2)];
    for (target, priority) in targets.iter_mut().zip(priorities) {
        target["priority"] = json!(priority);
    }
    let targets: Vec<Value> = targets.into_iter().collect();
    let more = json!({ "target": targets, "earlyMedia": policy, "timeout": 6 });
    let scene = Scene::running(&json!([dial(0, &more)])).callees(vec![first, second]);
    play(scene)
}

#[test]
fn of_several_the_dial_says_whose_early_media_is_heard() {
    let play = |policy: &str| of_two(policy, early(2.0, waits()), early(1.0, waits()), [0, 0]);
    let heard_of = |policy: &str| heard(&play(policy));
    for policy in ["auto", "none"] {
        let world = play(policy);
        assert_eq!(heard(&world), ["nothing"], "{policy}");
        assert_eq!(statuses_to(&world, CALLER)[..2], [100, 180], "{policy}: its own phone rings");
    }
    assert_eq!(heard_of("first"), ["callee 2", "nothing"], "and it stays");
    assert_eq!(heard_of("priority"), ["callee 2", "callee 1", "nothing"], "in the order of target");
}

#[test]
fn an_answered_caller_hears_a_tone_where_several_play() {
    let more = json!({ "answerOnBridge": false, "timeout": 6 });
    let callees = vec![early(1.0, waits()), early(2.0, waits())];
    let world = play(Scene::dialling(callees, &more));
    assert_eq!(heard(&world), ["tone us", "nothing"]);
}

#[test]
fn whose_early_media_ends_gives_way_to_the_next() {
    let world = of_two("first", early(1.0, refuses(486, 3.0)), early(2.0, waits()), [0, 0]);
    assert_eq!(heard(&world), ["callee 1", "callee 2", "nothing"]);
    let world = of_two("first", early(1.0, refuses(486, 3.0)), waits(), [0, 0]);
    assert_eq!(heard(&world), ["callee 1", "tone us", "nothing"], "never silence");
}
