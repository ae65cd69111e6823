//! A next hop with several addresses: the next one is tried where one fails, and nothing else of
//! the call changes. RFC 3263 §4.3.

use serde_json::{Value, json};
use sip::auth::digest::Algorithm;
use sip::{Builder, Flow, Method, Transport};
use testkit::{Callee, Challenge, Note, SWITCH, World};

use crate::events::child_history;
use crate::scene::{
    CALLER, Scene, callee_address, cancels, finish, refuses, result, s, saw_at, talks, waits,
};
use crate::sent::{request_to, requests_to};

/// Calls a host whose addresses are those of the callees, in order.
fn calling(callees: Vec<Callee>, more: &Value) -> Scene {
    let mut verb = json!({ "target": [{ "type": "sip", "sipUri": "sip:b@pbx.example" }] });
    for (name, value) in more.as_object().unwrap() {
        verb[name] = value.clone();
    }
    Scene::dialling(callees, &verb)
}

/// The call is made to so many addresses.
fn begin(scene: Scene, addresses: u8) -> World {
    let mut world = scene.before_the_call();
    let known = (1..=addresses).map(callee_address).collect();
    world.names.insert("pbx.example".to_owned(), known);
    world.call("A");
    world
}

fn played(scene: Scene, addresses: u8) -> World {
    let mut world = begin(scene, addresses);
    finish(&mut world);
    world
}

/// Statuses of the attempts at the one target.
fn attempts(world: &World) -> Vec<u64> {
    let attempts = result(world)["dial_targets"][0]["attempts"].as_array().unwrap();
    let sid = &attempts[0]["call_sid"];
    assert!(attempts.iter().all(|attempt| attempt["call_sid"] == *sid), "one child call");
    attempts.iter().map(|attempt| attempt["sip_status"].as_u64().unwrap()).collect()
}

fn invited(world: &World, number: u8) -> usize {
    let sent = requests_to(world, callee_address(number), &Method::Invite);
    let mut ids: Vec<_> = sent.iter().map(|sent| sent.header("Via")).collect();
    ids.dedup();
    ids.len()
}

#[test]
fn after_a_503_the_next_address_is_called() {
    let world = played(calling(vec![refuses(503, 0.2), talks(1.0, 2.0)], &json!({})), 2);
    assert_eq!(attempts(&world), [503, 200]);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    let history = child_history(&world, 1);
    assert_eq!(history, ["trying/100", "ringing/180", "in-progress/200", "completed/200"]);
    let (first, second) = (
        request_to(&world, callee_address(1), &Method::Invite).message,
        request_to(&world, callee_address(2), &Method::Invite).message,
    );
    assert_ne!(first.call_id().unwrap(), second.call_id().unwrap(), "a request of its own");
    assert_eq!(first.request_uri(), second.request_uri());
}

#[test]
fn an_address_that_the_network_refuses_is_passed_over_at_once() {
    let mut world = begin(calling(vec![waits(), talks(1.0, 2.0)], &json!({})), 2);
    world.phones.remove(&callee_address(1));
    world.run_for(s(0.01));
    world.transport_error(callee_address(1));
    finish(&mut world);
    assert_eq!(attempts(&world), [503, 200]);
    assert!(saw_at(&world, "B2", &Note::Invited) < 0.1);
}

#[test]
fn an_address_that_never_answers_is_given_up_after_timer_b() {
    let mut world = begin(calling(vec![waits(), talks(1.0, 2.0)], &json!({})), 2);
    world.phones.remove(&callee_address(1));
    finish(&mut world);
    assert_eq!(attempts(&world), [408, 200]);
    assert!((32.0..33.0).contains(&saw_at(&world, "B2", &Note::Invited)));
}

#[test]
fn what_the_callee_itself_says_is_final() {
    for status in [404, 480, 486, 500, 603] {
        let world = played(calling(vec![refuses(status, 0.5), waits()], &json!({})), 2);
        assert_eq!(attempts(&world), [u64::from(status)]);
        assert_eq!(invited(&world, 2), 0, "{status}");
    }
}

#[test]
fn the_last_address_speaks_for_the_target() {
    let callees = vec![refuses(503, 0.2), refuses(503, 0.2), refuses(404, 0.2)];
    let world = played(calling(callees, &json!({})), 3);
    assert_eq!(attempts(&world), [503, 503, 404]);
    let target = &result(&world)["dial_targets"][0];
    assert_eq!((&target["call_status"], &target["sip_status"]), (&json!("failed"), &json!(404)));
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "failed/404"]);
}

#[test]
fn where_all_fail_the_target_fails() {
    let world = played(calling(vec![refuses(503, 0.2), refuses(503, 0.2)], &json!({})), 2);
    assert_eq!(attempts(&world), [503, 503]);
    assert_eq!(result(&world)["dial_sip_status"], 503);
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "rejected");
}

#[test]
fn the_ring_timer_goes_on_over_all_addresses() {
    let world = played(calling(vec![refuses(503, 3.0), waits()], &json!({ "timeout": 5 })), 2);
    assert_eq!(result(&world)["dial_call_status"], "no-answer");
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "ring-timeout");
    assert_eq!(world.phone("B2").saw(&Note::Cancelled(None)), 1);
}

#[test]
fn the_caller_leaves_while_the_second_address_rings() {
    let scene = calling(vec![refuses(503, 0.2), waits()], &json!({})).caller(cancels(2.0));
    let world = played(scene, 2);
    assert_eq!(world.phone("B2").saw(&Note::Cancelled(None)), 1);
    assert_eq!(requests_to(&world, callee_address(1), &Method::Cancel).len(), 0);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
}

#[test]
fn without_a_port_for_the_second_address_the_call_that_was_told_of_ends() {
    let mut world = begin(calling(vec![refuses(503, 0.2), waits()], &json!({})), 2);
    world.run_for(s(0.1));
    world.ports_max = 1;
    finish(&mut world);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "failed/503"]);
    assert_eq!(invited(&world, 2), 0);
}

#[test]
fn a_call_that_is_stopped_between_two_addresses_ends_once() {
    let mut world = begin(calling(vec![waits(), waits()], &json!({})), 2);
    world.phones.remove(&callee_address(1));
    world.run_for(s(0.05));
    let invite = request_to(&world, callee_address(1), &Method::Invite).message;
    let refusal = Builder::response_to(&invite, 503, None).to_tag("t").build().unwrap();
    let flow = Flow { transport: Transport::Udp, local: SWITCH, remote: callee_address(1) };
    // The port of the second address is asked for, and the call ends before it is there.
    world.switch.handle_datagram(world.now, flow, refusal.as_bytes());
    world.switch.end_all(world.now);
    finish(&mut world);
    assert_eq!(child_history(&world, 1), ["trying/100", "no-answer/487"]);
    assert_eq!(attempts(&world), [503, 487]);
    assert_eq!(invited(&world, 2), 0);
}

#[test]
fn each_address_may_ask_for_the_credentials() {
    let auth = json!([{
        "type": "sip", "sipUri": "sip:b@pbx.example",
        "auth": { "username": "jane", "password": "secret" }
    }]);
    let scene = calling(vec![refuses(503, 0.2), talks(1.0, 2.0)], &json!({ "target": auth }));
    let mut world = scene.before_the_call();
    let known = vec![callee_address(1), callee_address(2)];
    world.names.insert("pbx.example".to_owned(), known);
    for name in ["B1", "B2"] {
        let challenge = Challenge {
            status: 401,
            username: "jane",
            password: "secret",
            algorithms: vec![Algorithm::Sha256],
            forgets: false,
        };
        world.with_phone(name, |phone, _| phone.challenge = Some(challenge));
    }
    world.call("A");
    finish(&mut world);
    assert_eq!((invited(&world, 1), invited(&world, 2)), (2, 2));
    assert_eq!(attempts(&world), [503, 200]);
}

#[test]
fn a_name_without_address_fails_its_target() {
    let world = played(calling(vec![], &json!({})), 0);
    assert_eq!(result(&world)["dial_sip_status"], 503);
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "unreachable");
}

#[test]
fn no_more_than_eight_addresses_are_tried() {
    let callees = (0..10).map(|_| refuses(503, 0.2)).collect();
    let world = played(calling(callees, &json!({})), 10);
    assert_eq!(attempts(&world).len(), 8);
    assert_eq!(world.phone("A").address, CALLER);
}
