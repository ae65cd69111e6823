//! No RTP from a peer that should send: the leg is ended, and the BYE says why.

use call::{CallKey, Input, LegId};
use serde_json::json;
use sip::Method;
use testkit::{Note, World};

use crate::events::{child_history, event, parent, parent_history};
use crate::scene::{
    CALLER, Scene, answers, assert_near, callee_address, finish, hangs_up, result, s, saw_at, waits,
};
use crate::sent::request_to;

/// Bridged for two seconds; then the media of this leg is missed.
fn missed(leg: LegId) -> World {
    let scene = Scene::dialling(vec![answers(1.0)], &json!({})).caller(hangs_up(60.0));
    let mut world = scene.begin();
    world.run_for(s(3.0));
    world.input(CallKey(1), Input::MediaTimeout(leg));
    finish(&mut world);
    world
}

#[test]
fn of_the_callee_ends_the_dial() {
    let world = missed(LegId(1));
    let bye = request_to(&world, callee_address(1), &Method::Bye);
    assert_eq!(bye.header("X-Reason").as_deref(), Some("Media Timeout"));
    assert_near(bye.at, 3.0);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(result(&world)["dial_call_duration"], 2);
    let of_caller = request_to(&world, CALLER, &Method::Bye);
    assert_eq!(of_caller.header("X-Reason"), None, "the caller ends because its list did");
}

#[test]
fn of_the_caller_ends_the_call() {
    let world = missed(LegId::CALLER);
    let bye = request_to(&world, CALLER, &Method::Bye);
    assert_eq!(bye.header("X-Reason").as_deref(), Some("Media Timeout"));
    assert_near(saw_at(&world, "B1", &Note::Ended), 3.0);
    let told = parent_history(&world);
    assert_eq!(told, ["trying/100", "in-progress/200", "completed/200"]);
    let completed = event(&world, &parent(&world), "completed");
    assert_eq!(completed["call_termination_by"], "jambonz");
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn before_the_answer_nobody_is_obliged_to_send() {
    let scene = Scene::dialling(vec![waits()], &json!({ "timeout": 5 }));
    let mut world = scene.begin();
    world.run_for(s(1.0));
    for leg in [LegId::CALLER, LegId(1), LegId(7)] {
        world.input(CallKey(1), Input::MediaTimeout(leg));
    }
    world.run_for(s(1.0));
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180"]);
    finish(&mut world);
    assert_eq!(result(&world)["dial_call_status"], "no-answer");
}

#[test]
fn of_a_call_that_is_over_it_is_forgotten() {
    let mut world = missed(LegId(1));
    let sent = world.wire.len();
    world.input(CallKey(1), Input::MediaTimeout(LegId(1)));
    world.input(CallKey(99), Input::MediaTimeout(LegId(1)));
    assert_eq!(world.wire.len(), sent);
}
