//! The end of a bridge: either side's BYE reaches the other, everything is told once, and the
//! actionHook gets the outcome.

use serde_json::json;
use sip::Method;
use testkit::Note;

use crate::events::{child_history, children, event, parent, parent_history};
use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, assert_near, callee_address, dial, finish, hangs_up, patient, result, s, saw_at,
    talks, target,
};
use crate::sent::{Sent, methods_to, request_to, requests_to, responses_to, sent_to};

#[test]
fn a_callee_that_hangs_up_completes_the_dial() {
    let world = Scene::dialling(vec![talks(2.0, 5.0)], &json!({ "id": "my-dial" })).play();
    let result = result(&world);
    let child = &children(&world)[0];
    assert_eq!(result["dial_call_status"], "completed");
    assert_eq!(result["dial_status"], "completed");
    assert_eq!(result["dial_sip_status"], 200);
    assert_eq!(result["dial_call_sid"], child.as_str());
    assert_eq!(result["dial_call_duration"], 5);
    assert_eq!(result["verb_id"], "my-dial");
    assert_eq!(result["call_sid"], parent(&world));
    assert_eq!(result["call_status"], "in-progress", "the parent is still up");
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert_eq!(result["dial_sbc_callid"], invite.header("Call-ID").unwrap());
    assert!(result.get("dial_declined").is_none());

    assert_eq!(event(&world, child, "completed")["duration"], 5);
    assert_eq!(event(&world, &parent(&world), "completed")["duration"], 5);
    let ended_by = &event(&world, &parent(&world), "completed")["call_termination_by"];
    assert_eq!(ended_by, "jambonz", "the list was run");
    assert_eq!(methods_to(&world, CALLER), ["BYE"]);
}

#[test]
fn a_caller_that_hangs_up_ends_the_callee() {
    let scene = Scene::dialling(vec![crate::scene::answers(2.0)], &json!({}));
    let world = scene.caller(hangs_up(5.0)).play();
    assert_near(saw_at(&world, "B1", &Note::Ended), 7.0);
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "ACK", "BYE"]);
    assert_eq!(parent_history(&world), ["trying/100", "in-progress/200", "completed/200"]);
    assert_eq!(
        child_history(&world, 1),
        ["trying/100", "ringing/180", "in-progress/200", "completed/200"]
    );
    let completed = event(&world, &parent(&world), "completed");
    assert_eq!(completed["call_termination_by"], "caller");
    assert_eq!(completed["duration"], 5);
    assert_eq!(event(&world, &children(&world)[0], "completed")["duration"], 5);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(result(&world)["call_status"], "completed", "the parent is gone");
}

#[test]
fn both_hang_up_at_the_same_time() {
    // The caller is answered 5 ms after the callee's ACK has left, which takes 5 ms.
    let world = Scene::dialling(vec![talks(2.0, 3.0)], &json!({})).caller(hangs_up(3.0)).play();
    assert_eq!(parent_history(&world), ["trying/100", "in-progress/200", "completed/200"]);
    assert_eq!(child_history(&world, 1).last().unwrap(), "completed/200");
    assert_eq!(result(&world)["dial_call_status"], "completed");
    let mut ours = 0;
    for party in [CALLER, callee_address(1)] {
        let is_bye = |sent: &&Sent| sent.header("CSeq").unwrap().ends_with(" BYE");
        let sent = sent_to(&world, party);
        let statuses = sent.iter().filter(is_bye).filter_map(|sent| sent.message.status());
        assert_eq!(statuses.collect::<Vec<_>>(), [200], "its BYE was answered, {party}");
        ours += requests_to(&world, party, &Method::Bye).len();
    }
    assert!(ours > 0, "one of ours crossed");
}

#[test]
fn headers_of_the_callees_bye_are_told() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(2.0));
    let lines = "X-Why: lunch\r\nReason: Q.850;cause=16\r\n";
    let bye = Request { lines, ..Request::new("BYE", 1) };
    peer.request_as_callee(&mut world, &invite.message, "x", &bye);
    world.run_for(s(1.0));
    // Its 200 was lost: the same BYE again.
    peer.request_as_callee(&mut world, &invite.message, "x", &bye);
    world.run_for(s(1.0));
    assert_eq!(responses_to(&world, peer.0, 200).len(), 2, "each BYE gets its 200");
    finish(&mut world);

    let completed = event(&world, &children(&world)[0], "completed");
    let headers = completed["headers"].as_object().unwrap();
    let said: Vec<String> = headers.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(said, ["x-why", "reason"]);
    assert!(headers.values().any(|value| value == "lunch"));
    assert!(event(&world, &parent(&world), "completed").get("headers").is_none());
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn headers_of_the_callers_bye_are_told() {
    let peer = Raw(CALLER);
    let scene = Scene::running(&json!([dial(1, &json!({}))]));
    let mut world = scene.callees(vec![crate::scene::answers(1.0)]).without_caller();
    peer.invite(&mut world, "Content-Disposition: session\r\n", &description(peer, 1, ""));
    world.run_for(s(2.0));
    let answer = crate::sent::response_to(&world, peer.0, 200).message;
    peer.request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    let bye = Request { lines: "X-Why: done\r\n", ..Request::new("BYE", 2) };
    peer.request_as_caller(&mut world, &answer, &bye);
    finish(&mut world);
    let completed = event(&world, &parent(&world), "completed");
    assert!(completed["headers"].as_object().unwrap().values().any(|value| value == "done"));
}

#[test]
fn durations_are_rounded_and_come_with_completed_alone() {
    let list = json!([{ "verb": "dial", "actionHook": "/done", "target": [target(1)] }]);
    let scene = Scene::running(&list).callees(vec![crate::scene::refuses(486, 2.7)]);
    let world = scene.caller(patient()).play();
    let with_duration: Vec<&str> = world
        .application
        .told
        .iter()
        .filter(|event| event.get("duration").is_some())
        .map(|event| event["call_status"].as_str().unwrap())
        .collect();
    assert_eq!(with_duration, ["completed"], "of the parent alone");
    assert_eq!(event(&world, &parent(&world), "completed")["duration"], 3);
    assert_eq!(result(&world)["dial_call_duration"], 0);
}
