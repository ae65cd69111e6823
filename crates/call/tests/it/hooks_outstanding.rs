//! The caller leaves while the application thinks: the call ends at once, and what the
//! application answers afterwards does nothing.

use serde_json::json;
use testkit::World;

use crate::events::parent_history;
use crate::scene::{
    CALLER, Scene, assert_near, callee_address, cancels, dial, finish, hangs_up, s, waits,
};
use crate::sent::{methods_to, response_to};

fn slow(mut scene: Scene, seconds: f64) -> World {
    scene.config.application.thinks = s(seconds);
    scene.begin()
}

#[test]
fn the_first_hook() {
    let scene = Scene::dialling(vec![waits()], &json!({})).caller(cancels(2.0));
    let mut world = slow(scene, 9.0);
    finish(&mut world);
    assert_near(response_to(&world, CALLER, 487).at, 2.0);
    assert_eq!(parent_history(&world), ["trying/100", "no-answer/487"]);
    assert!(methods_to(&world, callee_address(1)).is_empty());
}

#[test]
fn a_redirect() {
    let list = json!([{ "verb": "answer" }, { "verb": "redirect", "actionHook": "/next" }]);
    let scene = Scene::running(&list)
        .callees(vec![waits()])
        .answering("/next", crate::scene::text(&json!([dial(1, &json!({}))])))
        .caller(hangs_up(2.0));
    let mut world = slow(scene, 5.0);
    finish(&mut world);
    assert!(methods_to(&world, callee_address(1)).is_empty());
    assert_eq!(parent_history(&world), ["trying/100", "in-progress/200", "completed/200"]);
}

#[test]
fn the_operator_ends_a_call_whose_application_thinks() {
    let mut world = slow(Scene::dialling(vec![waits()], &json!({})), 9.0);
    world.run_for(s(1.0));
    world.with_switch(|switch, now| switch.end_all(now));
    finish(&mut world);
    assert_near(response_to(&world, CALLER, 480).at, 1.0);
    assert_eq!(parent_history(&world), ["trying/100", "failed/480"]);
    assert!(methods_to(&world, callee_address(1)).is_empty());
}
