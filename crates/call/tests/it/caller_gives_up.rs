//! The caller leaves while callees are being called: all are cancelled, the outcome is told, and
//! whatever the application answers then is ignored.

use serde_json::json;
use sip::{Method, Transport};
use testkit::Note;

use crate::events::{child_history, event, parent, parent_history};
use crate::raw::{Raw, description};
use crate::scene::{
    CALLER, Scene, assert_near, callee_address, cancels, dial, finish, hangs_up, result, s, saw_at,
    text, waits,
};
use crate::sent::{methods_to, requests_to, response_to, statuses_to};

#[test]
fn a_cancel_reaches_the_callee() {
    let replacement = json!([{ "verb": "redirect", "actionHook": "/replaced" }]);
    let world = Scene::dialling(vec![waits(), waits()], &json!({}))
        .caller(cancels(3.0))
        .answering("/done", text(&replacement))
        .play();
    for name in ["B1", "B2"] {
        assert_near(saw_at(&world, name, &Note::Cancelled(None)), 3.0);
    }
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 487]);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
    assert_eq!(parent_history(&world), ["trying/100", "no-answer/487"]);
    assert_eq!(event(&world, &parent(&world), "no-answer")["call_termination_by"], "caller");
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "no-answer");
    assert_eq!(result["dial_sip_status"], 487);
    assert_eq!(result["call_status"], "no-answer");
    assert_eq!(result["dial_targets"][0]["lost_because"], "caller-gone");
    assert_eq!(result["dial_targets"][0]["call_status"], "no-answer");
    assert!(world.application.asked_at("/replaced").is_empty());
}

#[test]
fn an_answered_caller_hangs_up_while_it_rings() {
    let scene = Scene::dialling(vec![waits()], &json!({ "answerOnBridge": false }));
    let world = scene.caller(hangs_up(3.0)).play();
    assert_near(saw_at(&world, "B1", &Note::Cancelled(None)), 3.0);
    assert_eq!(child_history(&world, 1).last().unwrap(), "no-answer/487");
    assert_eq!(parent_history(&world), ["trying/100", "in-progress/200", "completed/200"]);
    let completed = event(&world, &parent(&world), "completed");
    assert_eq!(completed["call_termination_by"], "caller");
    assert_eq!(completed["duration"], 3);
    assert_eq!(result(&world)["dial_call_status"], "no-answer");
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "caller-gone");
}

#[test]
fn cancelled_while_the_application_thinks_nobody_is_called() {
    let mut scene = Scene::dialling(vec![waits()], &json!({})).caller(cancels(1.0));
    scene.config.application.thinks = s(2.0);
    let world = scene.play();
    assert!(methods_to(&world, callee_address(1)).is_empty());
    assert_eq!(parent_history(&world), ["trying/100", "no-answer/487"]);
    assert!(world.application.asked_at("/done").is_empty(), "no dial, no result");
}

#[test]
fn cancelled_while_the_callee_is_looked_up_no_invite_leaves() {
    let peer = Raw(CALLER);
    let mut world = Scene::dialling(vec![waits()], &json!({})).without_caller();
    peer.invite(&mut world, "", &description(peer, 1, ""));
    world.run_for(s(0.000_5));
    // It arrives when the dial has started, half a millisecond before the look-up is done.
    peer.cancel(&mut world);
    finish(&mut world);
    assert!(methods_to(&world, callee_address(1)).is_empty());
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "no-answer");
    assert!(result.get("dial_call_sid").is_none(), "no INVITE left: {result}");
    assert!(world.application.calls(true).is_empty(), "no event of a child");
    assert_eq!(parent_history(&world), ["trying/100", "no-answer/487"]);
    assert_eq!(response_to(&world, CALLER, 487).message.cseq().unwrap().1, Method::Invite);
}

#[test]
fn cancelled_while_a_port_is_opened_the_port_is_freed() {
    // The caller's own port, then that of the callee, which is asked for 6 ms after the INVITE.
    for until_slow in [0.0, 0.005_5] {
        let mut world = Scene::dialling(vec![waits()], &json!({})).caller(cancels(0.5)).begin();
        world.run_for(s(until_slow));
        world.opening = s(2.0);
        world.run_for(s(1.0));
        assert_eq!(world.open_ports.len(), 1, "it is being opened");
        finish(&mut world);
        assert!(methods_to(&world, callee_address(1)).is_empty());
        assert_eq!(parent_history(&world), ["trying/100", "no-answer/487"]);
    }
}

#[test]
fn a_callee_that_never_says_a_word_gets_no_cancel() {
    // The callee answers no word, and gets no CANCEL before it does.
    let list = json!([dial(1, &json!({}))]);
    let mut world = Scene::running(&list).caller(cancels(0.3)).begin();
    finish(&mut world);
    assert!(requests_to(&world, callee_address(1), &Method::Cancel).is_empty());
    assert_eq!(child_history(&world, 1), ["trying/100", "no-answer/487"]);
}

#[test]
fn a_caller_whose_connection_cannot_be_made_again_has_left() {
    let mut scene = Scene::dialling(vec![waits()], &json!({}));
    scene.transport = Transport::Tcp;
    let mut world = scene.begin();
    world.run_for(s(2.0));
    world.transport_error(CALLER);
    world.run_for(s(1.0));
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 0, "another one may be made");
    world.transport_error(CALLER);
    finish(&mut world);
    assert_near(saw_at(&world, "B1", &Note::Cancelled(None)), 3.0);
    assert_eq!(result(&world)["dial_call_status"], "no-answer");
}
