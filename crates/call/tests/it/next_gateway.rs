//! A carrier's gateways, one after the other: which failure passes a call on, which is final, and
//! when a gateway is left alone.

use std::sync::Arc;

use call::settings::{Gateway, GatewayHost};
use serde_json::{Value, json};
use sip::Method;
use testkit::{Callee, Note, Outcome};

use crate::scene::{
    Scene, answers, callee_address, heard, patient, refuses, result, s, saw_at, waits,
};
use crate::sent::request_to;

fn gateway(number: u8, priority: u32) -> Gateway {
    Gateway {
        host: GatewayHost::Net(callee_address(number).ip().into()),
        port: Some(5060),
        transport: None,
        inbound: false,
        outbound: true,
        priority,
        weight: 1,
    }
}

/// A dial of one number over a carrier whose gateways are these callees, in their order.
fn over_gateways(callees: Vec<Callee>) -> Scene {
    let target = json!([{ "type": "phone", "number": "+4915112345678" }]);
    let mut scene = Scene::dialling(callees, &json!({ "target": target, "timeout": 30 }));
    let count = u8::try_from(scene.callees.len()).unwrap();
    change_outbound(&mut scene, |carrier| {
        carrier.gateways = (1..=count).map(|number| gateway(number, u32::from(number))).collect();
    });
    let hangs_up = Some(s(2.0));
    scene.caller(testkit::Caller { hangs_up, ..patient() })
}

fn change_outbound(scene: &mut Scene, change: impl FnOnce(&mut call::settings::Carrier)) {
    let carriers = &mut scene.config.settings.carriers;
    let outbound = carriers.iter_mut().find(|carrier| carrier.name == "outbound").unwrap();
    change(Arc::make_mut(outbound));
}

fn gateways_tried(payload: &Value) -> Vec<&str> {
    let attempts = payload["dial_targets"][0]["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["gateway"].as_str().unwrap()).collect()
}

#[test]
fn a_broken_gateway_gives_way_to_the_next() {
    let world = over_gateways(vec![refuses(503, 0.2), refuses(500, 0.2), answers(0.5)]).play();
    let payload = result(&world);
    assert_eq!(payload["dial_status"], "completed");
    assert_eq!(gateways_tried(payload), ["10.0.2.1", "10.0.2.2", "10.0.2.3"]);
    let target = &payload["dial_targets"][0];
    assert_eq!(target["call_status"], "completed");
    assert_eq!(payload["dial_call_sid"], target["attempts"][2]["call_sid"]);
    assert_eq!(target["attempts"][0]["sip_status"], 503);
}

#[test]
fn after_early_media_too_and_with_an_offer_of_its_own() {
    let breaks = Callee { rings: None, early_media: Some(s(0.2)), ..refuses(503, 1.0) };
    let world = over_gateways(vec![breaks, answers(0.5)]).play();
    let payload = result(&world);
    assert_eq!(payload["dial_status"], "completed");
    assert_eq!(gateways_tried(payload), ["10.0.2.1", "10.0.2.2"]);
    let [one, two] = [1, 2].map(|number| {
        let invite = request_to(&world, callee_address(number), &Method::Invite);
        let body = invite.body();
        let line =
            |start: &str| body.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
        [invite.header("Call-ID").unwrap(), line("o="), line("m=audio")]
    });
    for (of_one, of_two) in one.iter().zip(&two) {
        assert_ne!(of_one, of_two, "nothing of the session that broke is used again");
    }
    assert_eq!(heard(&world), ["callee 1", "tone us", "callee 2", "nothing"]);
}

#[test]
fn who_was_refused_by_a_person_is_not_rung_again() {
    for status in [486, 600, 603, 480, 404] {
        let world = over_gateways(vec![refuses(status, 0.2), answers(0.5)]).play();
        assert_eq!(result(&world)["dial_sip_status"], status, "{status}");
        assert_eq!(world.phone("B2").saw(&Note::Invited), 0, "{status}");
    }
}

#[test]
fn a_silent_gateway_gives_way_after_five_seconds() {
    let silent = Callee { rings: None, ..waits() };
    let world = over_gateways(vec![silent, answers(0.5)]).play();
    assert_eq!(result(&world)["dial_status"], "completed");
    let since = saw_at(&world, "B2", &Note::Invited) - saw_at(&world, "B1", &Note::Invited);
    assert!((4.9..5.1).contains(&since), "after {since} s");
    // why: the silent one gets CANCEL, it may ring yet.
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 1);
}

#[test]
fn an_answer_that_crosses_the_cancel_of_a_silent_gateway_is_none() {
    // Its 200 leaves just before our CANCEL arrives. Until it was seen, such a target was told to
    // be `completed` in a dial that connected nobody.
    for outcome in [Outcome::Waits, Outcome::Answers(s(4.998))] {
        let silent = Callee { rings: None, outcome, ..waits() };
        let world = over_gateways(vec![silent, refuses(404, 0.5)]).play();
        assert_eq!(world.phone("B1").saw(&Note::Acked), usize::from(outcome != Outcome::Waits));
        let payload = result(&world);
        let target = &payload["dial_targets"][0];
        assert_eq!(payload["dial_status"], "no-answer", "{outcome:?}: {payload}");
        assert_eq!(target["call_status"], "no-answer", "{outcome:?}: {target}");
        assert_eq!(target["sip_status"], 487, "{outcome:?}: {target}");
        assert_eq!(target["lost_because"], "progress-timeout", "{outcome:?}: {target}");
    }
}

#[test]
fn a_ringing_gateway_is_left_ringing() {
    let world = over_gateways(vec![answers(9.0), answers(0.5)]).play();
    assert_eq!(result(&world)["dial_status"], "completed");
    assert_eq!(world.phone("B2").saw(&Note::Invited), 0);
}

#[test]
fn the_last_failure_is_told_where_all_fail() {
    let world = over_gateways(vec![refuses(503, 0.2), refuses(500, 0.2)]).play();
    let payload = result(&world);
    assert_eq!(payload["dial_status"], "failed");
    assert_eq!(payload["dial_sip_status"], 500);
    assert_eq!(payload["dial_targets"][0]["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn no_gateway_is_tried_after_the_caller_has_left() {
    let scene = over_gateways(vec![
        Callee { outcome: Outcome::Refuses(503, s(1.0)), ..waits() },
        answers(0.1),
    ]);
    let world = scene.caller(testkit::Caller { cancels: Some(s(0.5)), ..patient() }).play();
    assert_eq!(world.phone("B2").saw(&Note::Invited), 0);
    assert_eq!(result(&world)["dial_status"], "no-answer");
}

#[test]
fn a_carrier_at_its_limit_refuses_with_a_reason() {
    let mut scene = over_gateways(vec![answers(0.2)]);
    change_outbound(&mut scene, |carrier| carrier.max_calls = Some(0));
    let world = scene.play();
    let payload = result(&world);
    assert_eq!(payload["dial_sip_status"], 503);
    assert_eq!(payload["dial_targets"][0]["lost_because"], "over-limit");
    assert_eq!(world.phone("B1").saw(&Note::Invited), 0);
    assert!(world.alerts.iter().any(|alert| alert.message.contains("max_calls")));
}

#[test]
fn an_ended_call_makes_room_on_its_carrier() {
    let mut scene = over_gateways(vec![answers(0.2)]);
    change_outbound(&mut scene, |carrier| carrier.max_calls = Some(1));
    let list = json!([scene_dial(), scene_dial()]);
    scene.config.application = testkit::Application::default()
        .answering("http://application.test/incoming", crate::scene::text(&list));
    scene.callees = vec![Callee { hangs_up: Some(s(0.5)), ..answers(0.2) }];
    let world = scene.caller(testkit::Caller { hangs_up: Some(s(3.0)), ..patient() }).play();
    let statuses: Vec<&Value> = world
        .application
        .asked_at("/done")
        .into_iter()
        .map(|asked| &asked.payload["dial_status"])
        .collect();
    assert_eq!(statuses, ["completed", "completed"]);
}

fn scene_dial() -> Value {
    let target = json!([{ "type": "phone", "number": "+4915112345678" }]);
    json!({ "verb": "dial", "actionHook": "/done", "answerOnBridge": true, "target": target })
}
