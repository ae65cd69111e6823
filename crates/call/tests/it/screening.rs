//! A callee that answers runs a list of its own before it is connected: it accepts by hearing it
//! to its end, and declines by anything else.

use call::{CallKey, Input, LegId};
use serde_json::{Value, json};
use sip::Method;
use testkit::{Answer, Callee, MediaFact, Note, World};

use crate::scene::{
    CALLER, Scene, alerts, answers, assert_near, callee_address, cancels, dial, finish, hangs_up,
    heard, refuses, result, s, saw_at, talks, target, text, waits,
};
use crate::sent::{Sent, requests_to, responses_to, statuses_to};

const CONFIRM: &str = "/confirm";

fn key() -> CallKey {
    CallKey(1)
}

fn screened(callees: Vec<Callee>, more: &Value) -> Scene {
    let mut more = more.clone();
    more["confirmHook"] = json!(CONFIRM);
    Scene::dialling(callees, &more)
}

fn play(seconds: u64) -> Value {
    json!({ "verb": "play", "url": format!("http://sounds.test/{seconds}.wav") })
}

fn with_sounds(scene: Scene) -> World {
    let mut world = scene.begin();
    for seconds in 1..=100 {
        world.sounds.insert(format!("http://sounds.test/{seconds}.wav"), s(f64::from(seconds)));
    }
    world
}

fn press(world: &mut World, leg: u8, key_pressed: char) {
    world.input(key(), Input::Key(LegId(leg), key_pressed, s(0.1)));
}

fn bridged_with(world: &World) -> Vec<LegId> {
    let bridged = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Bridged(_, _, callee) => Some(*callee),
        _ => None,
    });
    bridged.collect()
}

fn assert_declined(world: &World) {
    let result = result(world);
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"], &result["dial_declined"]),
        (&json!("no-answer"), &json!(200), &json!(true))
    );
    let entry = &result["dial_targets"][0];
    assert_eq!(
        (&entry["call_status"], &entry["lost_because"]),
        (&json!("no-answer"), &json!("screening-declined"))
    );
}

#[test]
fn the_callee_hears_its_list_while_the_caller_rings_and_is_connected_after_it() {
    let scene = screened(vec![answers(1.0)], &json!({}));
    let scene = scene.answering(CONFIRM, text(&json!([play(3)]))).caller(hangs_up(2.0));
    let mut world = with_sounds(scene);
    world.run_for(s(3.0));
    assert_eq!(statuses_to(&world, CALLER), [100, 180], "it is not answered yet");
    assert!(bridged_with(&world).is_empty());
    finish(&mut world);
    assert_near(saw_at(&world, "A", &Note::Answered), 4.02);
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    let asked = world.application.asked_at(CONFIRM);
    let child = &world.application.calls(true)[0];
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].payload["call_sid"], json!(child));
    assert_eq!(asked[0].payload["parent_call_sid"], json!(world.application.calls(false)[0]));
    assert_eq!(asked[0].payload["call_status"], "in-progress");
    assert_eq!(asked[0].payload["direction"], "outbound");
}

#[test]
fn nothing_to_run_is_consent() {
    for answer in [Answer::Empty, Answer::List("[]".to_owned()), Answer::List("{}".to_owned())] {
        let scene = screened(vec![answers(1.0)], &json!({}));
        let world = scene.answering(CONFIRM, answer).caller(hangs_up(1.0)).play();
        assert_near(saw_at(&world, "A", &Note::Answered), 1.0);
        assert_eq!(result(&world)["dial_call_status"], "completed");
        assert!(result(&world).get("dial_declined").is_none());
    }
}

#[test]
fn a_hook_that_fails_declines() {
    let invalid = Answer::List("[{\"verb\":\"play\"}]".to_owned());
    for answer in [Answer::Status(500), Answer::Fails, invalid] {
        let world = screened(vec![answers(1.0)], &json!({})).answering(CONFIRM, answer).play();
        assert_declined(&world);
        assert_eq!(world.phone("B1").saw(&Note::Ended), 1, "BYE");
        assert_eq!(statuses_to(&world, CALLER), [100, 180, 603]);
        let child = &world.application.calls(true)[0];
        let told = world.application.statuses_of(child);
        assert_eq!(told, ["trying/100", "ringing/180", "in-progress/200", "completed/200"]);
    }
}

#[test]
fn a_verb_that_may_not_run_there_declines() {
    for verb in [
        json!({ "verb": "sip:decline", "status": 486 }),
        json!({ "verb": "redirect", "actionHook": "/x" }),
        dial(1, &json!({})),
    ] {
        let list = text(&json!([{ "verb": "pause", "length": 1 }, verb]));
        let world = screened(vec![answers(1.0)], &json!({})).answering(CONFIRM, list).play();
        assert_declined(&world);
        let said = alerts(&world);
        assert!(said[0].starts_with("invalid-app-payload: /1: "), "{said:?}");
    }
}

#[test]
fn what_a_hook_inside_it_answers_may_play_and_may_not_do_what_the_list_may_not() {
    let pressed = |answer: Value| {
        let scene = screened(vec![answers(1.0)], &json!({})).caller(hangs_up(1.0));
        let scene = scene.answering(CONFIRM, text(&press_one_to_accept()));
        let mut world = with_sounds(scene.answering("/key", text(&json!([answer]))));
        world.run_for(s(2.0));
        press(&mut world, 0, '1');
        world.run_for(s(0.5));
        assert!(world.application.asked_at("/key").is_empty(), "that was the caller");
        press(&mut world, 1, '1');
        finish(&mut world);
        world
    };
    for verb in [
        json!({ "verb": "sip:decline", "status": 486 }),
        json!({ "verb": "redirect", "actionHook": "/x" }),
        dial(1, &json!({})),
    ] {
        let world = pressed(verb);
        assert_declined(&world);
        let said = alerts(&world);
        assert!(said[0].starts_with("invalid-app-payload: /0: "), "{said:?}");
        assert!(world.application.asked_at("/x").is_empty());
    }
    let world = pressed(play(3));
    let mut played = world.media.iter().rev().filter_map(|fact| match fact {
        MediaFact::Plays(_, LegId(1), _, url) => Some(url.as_str()),
        _ => None,
    });
    assert_eq!(played.next(), Some("http://sounds.test/3.wav"));
    assert_eq!(bridged_with(&world), [LegId(1)]);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

fn press_one_to_accept() -> Value {
    json!([
        { "verb": "gather", "numDigits": 1, "timeout": 5, "actionHook": "/key", "play": play(2) },
        { "verb": "hangup", "headers": { "X-Why": "no key" } }
    ])
}

#[test]
fn a_key_accepts_and_its_absence_declines() {
    for accepts in [true, false] {
        let scene = screened(vec![answers(1.0)], &json!({})).caller(hangs_up(1.0));
        let scene = scene.answering(CONFIRM, text(&press_one_to_accept()));
        let scene = match accepts {
            true => scene.answering("/key", text(&json!([{ "verb": "pause", "length": 1 }]))),
            false => scene,
        };
        let mut world = with_sounds(scene);
        world.run_for(s(2.0));
        if accepts {
            press(&mut world, 1, '1');
        }
        finish(&mut world);
        let asked = world.application.asked_at("/key")[0].payload.clone();
        let got = (&asked["reason"], &asked["digits"]);
        if accepts {
            assert_eq!(got, (&json!("dtmfDetected"), &json!("1")));
            assert_near(saw_at(&world, "A", &Note::Answered), 3.0);
            assert_eq!(result(&world)["dial_call_status"], "completed");
        } else {
            assert_eq!(got, (&json!("timeout"), &json!("")));
            // Two seconds of prompt, five of waiting.
            assert_near(saw_at(&world, "B1", &Note::Ended), 8.02);
            assert_declined(&world);
            let bye = &requests_to(&world, callee_address(1), &Method::Bye)[0];
            assert_eq!(bye.header("X-Why").as_deref(), Some("no key"));
        }
        assert_eq!(asked["call_sid"], json!(world.application.calls(true)[0]));
    }
}

#[test]
fn a_hook_inside_it_may_hang_up_and_others_go_on() {
    let scene = screened(vec![answers(1.0), answers(6.0)], &json!({}));
    let scene = scene
        .answering(CONFIRM, text(&press_one_to_accept()))
        .answering(CONFIRM, Answer::Empty)
        .answering("/key", text(&json!([{ "verb": "hangup" }])))
        .caller(hangs_up(1.0));
    let mut world = with_sounds(scene);
    world.run_for(s(2.0));
    press(&mut world, 1, '2');
    finish(&mut world);
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "completed");
    assert_eq!(result["dial_targets"][0]["lost_because"], "screening-declined");
    assert_eq!(result["dial_targets"][1]["call_status"], "completed");
    assert_near(saw_at(&world, "B1", &Note::Ended), 2.0);
}

#[test]
fn the_hook_of_a_target_goes_before_that_of_the_dial() {
    let mut one = target(1);
    one["url"] = json!("/own");
    let targets = json!({ "target": [one, target(2)], "confirmHook": CONFIRM });
    let scene = Scene::running(&json!([dial(0, &targets)]))
        .callees(vec![answers(1.0), answers(2.0)])
        .answering("/own", text(&json!([{ "verb": "pause", "length": 9 }])))
        .caller(hangs_up(1.0));
    let world = scene.play();
    assert_eq!(world.application.asked_at("/own").len(), 1);
    assert_eq!(world.application.asked_at(CONFIRM).len(), 1, "for the other one");
    assert_eq!(result(&world)["dial_targets"][1]["call_status"], "completed");
}

#[test]
fn whoever_is_accepted_first_wins_and_the_others_are_hung_up() {
    let mut one = target(1);
    one["confirmHook"] = json!("/slow");
    let mut two = target(2);
    two["confirmHook"] = json!("/fast");
    let targets = json!({ "target": [one, two, target(3)] });
    let pause = |seconds: u64| text(&json!([{ "verb": "pause", "length": seconds }]));
    let scene = Scene::running(&json!([dial(0, &targets)]))
        .callees(vec![answers(1.0), answers(2.0), waits()])
        .answering("/slow", pause(10))
        .answering("/fast", pause(3))
        .caller(hangs_up(1.0));
    let world = scene.play();
    assert_eq!(bridged_with(&world), [LegId(2)], "one of three, once");
    assert_near(saw_at(&world, "A", &Note::Answered), 5.0);
    assert_near(saw_at(&world, "B1", &Note::Ended), 5.0);
    let entries = &result(&world)["dial_targets"];
    assert_eq!(entries[0]["lost_because"], "answered-elsewhere");
    assert_eq!(entries[1]["call_status"], "completed");
    assert_eq!(entries[2]["lost_because"], "answered-elsewhere");
}

#[test]
fn who_needs_no_screening_wins_at_once() {
    let mut one = target(1);
    one["confirmHook"] = json!(CONFIRM);
    let targets = json!({ "target": [one, target(2)] });
    let scene = Scene::running(&json!([dial(0, &targets)]))
        .callees(vec![answers(1.0), answers(2.0)])
        .answering(CONFIRM, text(&json!([{ "verb": "pause", "length": 30 }])))
        .caller(hangs_up(1.0));
    let world = scene.play();
    assert_near(saw_at(&world, "A", &Note::Answered), 2.0);
    assert_near(saw_at(&world, "B1", &Note::Ended), 2.0);
}

#[test]
fn the_ring_time_goes_on_for_those_who_ring() {
    let scene = screened(vec![answers(1.0), waits()], &json!({ "timeout": 5 }));
    let world = scene
        .answering(CONFIRM, text(&json!([{ "verb": "pause", "length": 2 }, { "verb": "hangup" }])))
        .play();
    assert_near(saw_at(&world, "B1", &Note::Ended), 3.0);
    assert_near(saw_at(&world, "B2", &Note::Cancelled(None)), 5.0);
    let result = result(&world);
    assert_eq!(
        (&result["dial_call_status"], &result["dial_declined"]),
        (&json!("no-answer"), &json!(true))
    );
}

#[test]
fn who_is_screened_when_the_ring_time_ends_may_still_win() {
    let scene = screened(vec![answers(4.0), waits()], &json!({ "timeout": 5 }));
    let world = scene
        .answering(CONFIRM, text(&json!([{ "verb": "pause", "length": 3 }])))
        .caller(hangs_up(1.0))
        .play();
    assert_near(saw_at(&world, "B2", &Note::Cancelled(None)), 5.0);
    assert_near(saw_at(&world, "A", &Note::Answered), 7.0);
    let entries = &result(&world)["dial_targets"];
    assert_eq!(entries[0]["call_status"], "completed");
    assert_eq!(entries[1]["lost_because"], "ring-timeout");
}

#[test]
fn a_screening_without_end_is_ended() {
    let scene = screened(vec![answers(1.0)], &json!({ "timeout": 10 }));
    let list = json!([{ "verb": "pause", "length": 300 }]);
    let world = scene.answering(CONFIRM, text(&list)).play();
    assert_near(saw_at(&world, "B1", &Note::Ended), 61.0);
    assert_declined(&world);
}

#[test]
fn a_callee_that_hangs_up_has_declined() {
    let scene = screened(vec![talks(1.0, 2.0)], &json!({}));
    let world = scene.answering(CONFIRM, text(&json!([{ "verb": "pause", "length": 30 }]))).play();
    assert_declined(&world);
    assert_near(saw_at(&world, "A", &Note::Rejected(603, "Decline".to_owned())), 3.0);
}

#[test]
fn a_caller_that_gives_up_ends_it_all() {
    let scene = screened(vec![answers(1.0), waits()], &json!({})).caller(cancels(3.0));
    let world = scene.answering(CONFIRM, text(&json!([{ "verb": "pause", "length": 30 }]))).play();
    assert_near(saw_at(&world, "B1", &Note::Ended), 3.0);
    assert_near(saw_at(&world, "B2", &Note::Cancelled(None)), 3.0);
    let entries = &result(&world)["dial_targets"];
    assert_eq!(entries[0]["lost_because"], "caller-gone");
    assert_eq!(entries[1]["lost_because"], "caller-gone");
}

#[test]
fn an_answered_caller_that_hangs_up_ends_it_all() {
    let more = json!({ "answerOnBridge": false });
    let scene = screened(vec![answers(1.0), waits()], &more).caller(hangs_up(3.0));
    let world = scene.answering(CONFIRM, text(&json!([{ "verb": "pause", "length": 30 }]))).play();
    assert_near(saw_at(&world, "B1", &Note::Ended), 3.0);
    assert_near(saw_at(&world, "B2", &Note::Cancelled(None)), 3.0);
    assert!(bridged_with(&world).is_empty());
    for entry in result(&world)["dial_targets"].as_array().unwrap() {
        assert_eq!(entry["lost_because"], "caller-gone");
    }
}

/// Seconds at which the switch sent the 200 to the caller, and the first request of this method to
/// each of these callees.
fn ended_at(world: &World, method: &Method, callees: std::ops::RangeInclusive<u8>) -> Vec<f64> {
    let of_invite = |sent: &Sent| sent.header("CSeq").unwrap().ends_with(" INVITE");
    let mut answers = responses_to(world, CALLER, 200).into_iter();
    let of_caller = answers.find(of_invite).unwrap().at;
    let first = |number: u8| requests_to(world, callee_address(number), method).remove(0).at;
    std::iter::once(of_caller).chain(callees.map(first)).collect()
}

#[test]
fn the_losers_are_ended_in_the_instant_in_which_the_winner_is_accepted() {
    let pause = text(&json!([{ "verb": "pause", "length": 2 }]));
    let config = text(&json!([{ "verb": "tag", "data": { "took": "it" } }]));
    // The answer of the hook, and how long the winner is screened after it.
    for (answer, lasts) in [(Answer::Empty, 0.0), (config, 0.0), (pause, 2.0)] {
        // The first wins; three more are being screened, six ring.
        let callees = (1..=10).map(|number| match number {
            1 => answers(1.0),
            2..=4 => answers(1.0 + f64::from(number) / 100.0),
            _ => waits(),
        });
        let mut scene = screened(callees.collect(), &json!({})).caller(hangs_up(1.0));
        scene.config.application.thinks_at.insert(CONFIRM.to_owned(), s(0.3));
        let mut world = scene.answering(CONFIRM, answer).begin();
        finish(&mut world);
        let asked = world.application.asked_at(CONFIRM)[0].at.duration_since(world.start);
        let expected = asked.as_secs_f64() + 0.3 + lasts;
        let mut at = ended_at(&world, &Method::Cancel, 5..=10);
        at.extend(ended_at(&world, &Method::Bye, 2..=4));
        let together = at.iter().all(|at| (at - expected).abs() < 1e-6);
        assert!(together, "expected all at {expected}, got {at:?}");
        assert_eq!(bridged_with(&world), [LegId(1)]);
    }
}

#[test]
fn a_key_that_accepts_ends_the_losers_in_the_same_instant() {
    let list = json!([{ "verb": "gather", "numDigits": 1, "timeout": 9, "actionHook": "/key" }]);
    let scene = screened(vec![answers(1.0), waits(), waits()], &json!({})).caller(hangs_up(1.0));
    let mut scene = scene.answering(CONFIRM, text(&list));
    scene.config.application.thinks_at.insert("/key".to_owned(), s(0.25));
    let mut world = scene.begin();
    world.run_for(s(2.0));
    press(&mut world, 1, '1');
    let expected = world.now.duration_since(world.start).as_secs_f64() + 0.25;
    finish(&mut world);
    let at = ended_at(&world, &Method::Cancel, 2..=3);
    assert!(at.iter().all(|at| (at - expected).abs() < 1e-6), "expected {expected}, got {at:?}");
}

#[test]
fn busy_beats_declined() {
    let scene = screened(vec![answers(1.0), refuses(486, 2.0)], &json!({}));
    let world = scene.answering(CONFIRM, text(&json!([{ "verb": "hangup" }]))).play();
    let result = result(&world);
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"], &result["dial_declined"]),
        (&json!("busy"), &json!(486), &json!(true))
    );
}

#[test]
fn what_it_plays_before_its_answer_is_not_for_the_caller() {
    let mut callee = answers(2.0);
    callee.rings = None;
    callee.early_media = Some(s(0.5));
    let scene = screened(vec![callee], &json!({})).caller(hangs_up(1.0));
    let world = scene.answering(CONFIRM, Answer::Empty).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 200]);
    assert_eq!(heard(&world), ["callee 1", "nothing"], "only from the answer on");
}

#[test]
fn what_the_callee_says_meanwhile_reaches_nobody() {
    let mut callee = answers(2.0);
    callee.rings = None;
    callee.early_media = Some(s(0.5));
    let more = json!({ "earlyMedia": "first" });
    let scene = screened(vec![callee], &more).caller(hangs_up(1.0));
    let list = json!([{ "verb": "pause", "length": 2 }]);
    let world = scene.answering(CONFIRM, text(&list)).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 183, 200]);
    assert_eq!(heard(&world), ["callee 1", "tone us", "callee 1", "nothing"]);
    let silenced = MediaFact::Silence(key(), LegId(1));
    assert!(world.media.contains(&silenced), "nor does it hear the caller");
}

#[test]
fn who_played_and_gave_way_to_another_hears_nobody_either() {
    let plays = |after: f64, answer: f64| Callee {
        rings: None,
        early_media: Some(s(after)),
        ..answers(answer)
    };
    let callees = vec![plays(0.8, 9.0), plays(0.4, 2.0)];
    let more = json!({ "earlyMedia": "priority" });
    let list = json!([{ "verb": "pause", "length": 2 }]);
    let scene = screened(callees, &more).caller(hangs_up(1.0));
    let world = scene.answering(CONFIRM, text(&list)).play();
    assert_eq!(heard(&world)[..2], ["callee 2", "callee 1"]);
    let at = |wanted: MediaFact| world.media.iter().position(|fact| *fact == wanted);
    let silenced = at(MediaFact::Silence(key(), LegId(2)));
    let other = at(MediaFact::Bridged(key(), LegId::CALLER, LegId(1)));
    assert!(silenced.is_some() && silenced < other, "it hears the caller while it is screened");
}

#[test]
fn audio_that_cannot_be_had_is_said_and_the_list_goes_on() {
    let scene = screened(vec![answers(1.0)], &json!({})).caller(hangs_up(1.0));
    let list = json!([{ "verb": "play", "url": "http://sounds.test/none.wav" }]);
    let world = scene.answering(CONFIRM, text(&list)).play();
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert!(alerts(&world)[0].contains("http://sounds.test/none.wav"), "{:?}", alerts(&world));
}
