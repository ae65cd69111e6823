//! With `answerOnBridge` the caller hears its own phone ring until a callee answers, and is
//! answered only then.

use serde_json::json;
use testkit::Note;

use crate::events::history;
use crate::scene::{
    CALLER, Scene, answers, assert_near, callee_address, hangs_up, heard, saw_at, waits,
};
use crate::sent::{methods_to, response_to, statuses_to};

#[test]
fn the_caller_rings_and_is_answered_when_the_callee_is() {
    let scene = Scene::dialling(vec![answers(2.0)], &json!({})).caller(hangs_up(4.0));
    let world = scene.play();
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 200]);
    let ringing = response_to(&world, CALLER, 180);
    assert!(ringing.message.body().is_empty(), "nothing to hear yet");
    assert_near(saw_at(&world, "A", &Note::Answered), 2.0);
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "ACK", "BYE"]);
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
}

#[test]
fn the_callee_is_told_of_as_answered_before_the_caller() {
    let mut callee = answers(2.0);
    callee.hangs_up = Some(crate::scene::s(3.0));
    let world = Scene::dialling(vec![callee], &json!({})).play();
    assert_eq!(
        history(&world),
        [
            "A trying/100",
            "B1 trying/100",
            "B1 ringing/180",
            "B1 in-progress/200",
            "A in-progress/200",
            "B1 completed/200",
            "A completed/200",
        ]
    );
}

#[test]
fn one_180_whatever_number_of_callees_ring() {
    let callees = vec![waits(), waits(), answers(3.0)];
    let world = Scene::dialling(callees, &json!({})).caller(hangs_up(1.0)).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 200]);
}
