//! `timeout` of a dial: everybody who rings is cancelled and the actionHook is asked at once,
//! whenever their 487 comes.

use serde_json::json;
use sip::Method;
use testkit::{Note, Weather};

use crate::events::child_history;
use crate::raw::Raw;
use crate::scene::{
    Scene, assert_near, callee_address, dial, finish, phone, refuses, result, s, saw_at, talks,
    target, waits,
};
use crate::sent::{methods_to, request_to, requests_to};

fn asked_at(world: &testkit::World) -> f64 {
    world.application.asked_at("/done")[0].at.duration_since(world.start).as_secs_f64()
}

#[test]
fn the_callee_is_cancelled_when_the_time_is_up() {
    for (timeout, expected) in [(json!(2), 2.0), (json!(1.5), 1.5), (json!(0), 60.0)] {
        let world = Scene::dialling(vec![waits()], &json!({ "timeout": timeout })).play();
        assert_near(saw_at(&world, "B1", &Note::Cancelled(None)), expected);
        assert_near(asked_at(&world), expected);
        assert_eq!(result(&world)["dial_call_status"], "no-answer");
        assert_eq!(result(&world)["dial_sip_status"], 487);
        assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
    }
}

#[test]
fn without_a_timeout_it_is_a_minute() {
    let world = Scene::dialling(vec![waits()], &json!({})).play();
    assert_near(saw_at(&world, "B1", &Note::Cancelled(None)), 60.0);
}

#[test]
fn a_late_487_changes_nothing_and_holds_nothing_up() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({ "timeout": 2 }))])).begin();
    world.run_for(s(0.5));
    let invite = requests_to(&world, peer.0, &Method::Invite).remove(0);
    peer.respond(&mut world, &invite, "180 Ringing", "x", "");
    world.run_for(s(2.0));
    let cancel = request_to(&world, peer.0, &Method::Cancel);
    assert_near(cancel.at, 2.0);
    peer.respond(&mut world, &cancel, "200 OK", "x", "");
    world.run_for(s(2.5));
    assert_near(asked_at(&world), 2.0);
    let told = child_history(&world, 1);
    assert_eq!(told, ["trying/100", "ringing/180"], "it is not over yet");
    peer.respond(&mut world, &invite, "487 Request Terminated", "x", "");
    finish(&mut world);
    assert_eq!(child_history(&world, 1).last().unwrap(), "no-answer/487");
    assert_eq!(methods_to(&world, peer.0), ["INVITE", "CANCEL", "ACK"]);
    let of_target = &result(&world)["dial_targets"][0];
    assert_eq!(of_target["call_status"], "no-answer");
    assert_eq!(of_target["lost_because"], "ring-timeout");
    assert_eq!(of_target["sip_status"], 487);
    assert_eq!(result(&world)["dial_call_sid"], world.application.calls(true)[0].as_str());
}

#[test]
fn a_487_that_never_comes_still_ends_the_callee() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({ "timeout": 2 }))])).begin();
    world.run_for(s(0.5));
    let invite = requests_to(&world, peer.0, &Method::Invite).remove(0);
    peer.respond(&mut world, &invite, "180 Ringing", "x", "");
    finish(&mut world);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
}

#[test]
fn everybody_who_rings_is_cancelled_and_one_hook_asked() {
    let callees = vec![waits(), waits(), waits()];
    let world = Scene::dialling(callees, &json!({ "timeout": 3 })).play();
    for name in ["B1", "B2", "B3"] {
        assert_eq!(world.phone(name).saw(&Note::Cancelled(None)), 1);
        assert_near(saw_at(&world, name, &Note::Cancelled(None)), 3.0);
    }
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "no-answer");
    for target in result["dial_targets"].as_array().unwrap() {
        assert_eq!(target["lost_because"], "ring-timeout");
    }
}

#[test]
fn a_refusal_of_one_does_not_stop_the_time_of_the_others() {
    let callees = vec![refuses(404, 1.0), waits()];
    let world = Scene::dialling(callees, &json!({ "timeout": 3 })).play();
    assert_near(saw_at(&world, "B2", &Note::Cancelled(None)), 3.0);
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "no-answer");
    assert_eq!(result["dial_sip_status"], 487);
    assert_eq!(result["dial_targets"][0]["lost_because"], "rejected");
    assert_eq!(result["dial_targets"][0]["sip_status"], 404);
}

#[test]
fn a_target_that_cannot_be_called_does_not_stop_the_time_of_the_others() {
    let mut nowhere = phone("+4915112345678");
    nowhere["trunk"] = json!("unknown");
    let unresolved = json!({ "type": "sip", "sipUri": "sip:bob@nowhere.invalid" });
    let targets = json!([nowhere, unresolved, target(1)]);
    let world = Scene::dialling(vec![waits()], &json!({ "target": targets, "timeout": 3 })).play();
    assert_near(saw_at(&world, "B1", &Note::Cancelled(None)), 3.0);
    assert_near(asked_at(&world), 3.0);
    let result = result(&world);
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"]),
        (&json!("no-answer"), &json!(487))
    );
    assert_eq!(result["dial_targets"][0]["lost_because"], "no-such-trunk");
    assert_eq!(result["dial_targets"][1]["lost_because"], "unreachable");
    assert_eq!(result["dial_targets"][2]["lost_because"], "ring-timeout");
}

#[test]
fn whatever_the_network_does_the_outcome_is_the_same() {
    for seed in 0..100 {
        let mut scene = Scene::dialling(vec![waits()], &json!({ "timeout": 3 }));
        (scene.config.seed, scene.config.weather) = (seed, Weather::FOUL);
        let world = scene.play();
        let result = result(&world);
        let got = (&result["dial_call_status"], &result["dial_status"], &result["dial_sip_status"]);
        assert_eq!(got, (&json!("no-answer"), &json!("no-answer"), &json!(487)), "seed {seed}");
        assert_eq!(result["dial_targets"][0]["lost_because"], "ring-timeout", "seed {seed}");
        assert_eq!(child_history(&world, 1).last().unwrap(), "no-answer/487", "seed {seed}");
    }
}

#[test]
fn an_answer_stops_the_time() {
    let world = Scene::dialling(vec![talks(1.0, 10.0)], &json!({ "timeout": 2 })).play();
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(result(&world)["dial_call_duration"], 10);
}
