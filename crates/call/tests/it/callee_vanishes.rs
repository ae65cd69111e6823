//! A callee that is there no more: it never says anything, stops in the middle of ringing, or is
//! gone when the call is up.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

use crate::scene::{Scene, answers, finish, hangs_up, result, s, waits};

/// The first of two callees vanishes so long after its INVITE.
fn vanishes(after: Duration, first: testkit::Callee, second: testkit::Callee) -> World {
    let scene = Scene::dialling(vec![first, second], &json!({ "timeout": 40 }));
    let mut world = scene.caller(hangs_up(2.0)).before_the_call();
    world.with_phone("B1", |phone, _| phone.vanishes = Some(after));
    world.call("A");
    finish(&mut world);
    world
}

fn targets(world: &World) -> Vec<(&Value, &Value)> {
    let targets = result(world)["dial_targets"].as_array().unwrap();
    targets.iter().map(|target| (&target["call_status"], &target["lost_because"])).collect()
}

#[test]
fn one_that_never_says_anything_loses_to_the_one_that_answers() {
    let world = vanishes(Duration::ZERO, waits(), answers(3.0));
    assert!(world.phone("B1").is_gone());
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(targets(&world)[0], (&json!("no-answer"), &json!("answered-elsewhere")));
}

#[test]
fn one_that_never_says_anything_is_unreachable_after_the_time_of_a_transaction() {
    let world = vanishes(Duration::ZERO, waits(), crate::scene::refuses(486, 1.0));
    let lost = targets(&world);
    assert_eq!(lost[0], (&json!("failed"), &json!("unreachable")));
    assert_eq!(lost[1], (&json!("busy"), &json!("busy")));
    let ended = result(&world)["dial_targets"][0]["attempts"][0]["ended_ms"].as_u64().unwrap();
    assert!((31_900..32_200).contains(&ended), "64*T1, not {ended} ms");
}

#[test]
fn one_that_stops_ringing_is_given_up_like_one_that_rings_on() {
    let world = vanishes(s(1.0), waits(), answers(3.0));
    assert_eq!(targets(&world)[0], (&json!("no-answer"), &json!("answered-elsewhere")));
    assert!(world.phone("B1").is_gone());
}

#[test]
fn one_that_is_gone_when_the_call_is_up_does_not_hold_the_caller() {
    let world = vanishes(s(2.0), answers(1.0), waits());
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(targets(&world)[0], (&json!("completed"), &Value::Null));
}
