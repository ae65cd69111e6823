//! A target behind a forking proxy: several phones ring for one INVITE, and more than one answers.

use serde_json::json;
use sip::Method;
use testkit::{Callee, Note, Phone, Script, World};

use crate::scene::{
    Scene, answers, callee_address, cancels, finish, hangs_up, refuses, result, s, waits,
};
use crate::sent::{methods_to, requests_to};

/// A dial of one target, behind which these phones ring.
fn forks(branches: &[Callee], change: impl FnOnce(Scene) -> Scene) -> World {
    let scene = Scene::dialling(vec![waits()], &json!({ "timeout": 5 })).caller(hangs_up(2.0));
    let mut world = change(scene).before_the_call();
    let script = Script::Forks(branches.to_vec());
    world.add(Phone::new("B1", callee_address(1), script, 7));
    world.call("A");
    finish(&mut world);
    world
}

#[test]
fn of_two_answers_the_first_wins_and_the_second_is_hung_up_at_once() {
    for second in [1.0, 1.001, 1.02, 1.5, 2.9] {
        let world = forks(&[answers(1.0), answers(second)], |scene| scene);
        assert_eq!(result(&world)["dial_call_status"], "completed");
        let callee = world.phone("B1");
        assert_eq!(callee.saw(&Note::Acked), 2, "each answer is acknowledged: {second}");
        let byes = requests_to(&world, callee_address(1), &Method::Bye);
        assert_eq!(byes.len(), 2, "each dialog is ended: {second}");
        assert!(byes[0].at < second.max(1.0) + 0.1, "the second at {} s", byes[0].at);
        assert_eq!(callee.saw(&Note::Ended), 2);
    }
}

#[test]
fn an_answer_that_comes_when_the_call_is_over_is_hung_up_too() {
    let world = forks(&[answers(1.0), answers(5.0)], |scene| scene.caller(hangs_up(1.0)));
    assert_eq!(result(&world)["dial_call_status"], "completed");
    let callee = world.phone("B1");
    assert_eq!((callee.saw(&Note::Acked), callee.saw(&Note::Ended)), (2, 2));
}

#[test]
fn the_failure_of_one_branch_is_not_that_of_the_target() {
    let world = forks(&[refuses(486, 0.5), answers(1.0)], |scene| scene);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(world.phone("B1").saw(&Note::Acked), 1);
}

#[test]
fn of_several_failures_the_best_is_the_target_s() {
    for (one, other, expected) in [(480, 486, 480), (503, 486, 486), (404, 603, 603)] {
        let world = forks(&[refuses(one, 0.5), refuses(other, 1.0)], |scene| scene);
        assert_eq!(result(&world)["dial_sip_status"], expected, "{one} and {other}");
    }
}

#[test]
fn a_branch_that_rings_on_is_cancelled_by_its_proxy_and_nobody_notices() {
    let world = forks(&[waits(), answers(1.0)], |scene| scene);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "ACK", "BYE"]);
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 1);
}

#[test]
fn a_cancel_reaches_every_branch() {
    let world = forks(&[waits(), waits()], |scene| scene.caller(cancels(1.0)));
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "caller-gone");
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "CANCEL", "ACK"]);
    let cancelled = |(_, note): &&(_, Note)| matches!(note, Note::Cancelled(_));
    assert_eq!(world.phone("B1").notes.iter().filter(cancelled).count(), 2);
}

#[test]
fn early_media_of_one_branch_and_the_answer_of_another_connect() {
    let mut plays = refuses(480, 3.0);
    plays.early_media = Some(s(0.2));
    let world = forks(&[plays, answers(1.0)], |scene| scene);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}
