//! A caller that supports 100rel was sent a description while it rang: our 200 waits for the PRACK
//! of that (RFC 3262 §3), and until it is sent the caller was not answered, whatever happens.

use call::{CallKey, Input, LegId};
use serde_json::json;
use sip::{Message, Method};
use testkit::{Callee, World};

use crate::events::{child_history, parent, parent_history};
use crate::raw::{Raw, Request, description};
use crate::scene::{CALLER, Scene, answers, assert_near, callee_address, finish, result, s};
use crate::sent::{requests_to, response_to, statuses_to};

/// The caller, which the test plays.
fn anna() -> Raw {
    Raw(CALLER)
}

/// The callee plays, then answers; the caller acknowledges nothing. With the 183 that it got.
fn answered_and_not_acknowledged() -> (World, Message) {
    let callee = Callee { rings: None, early_media: Some(s(0.2)), ..answers(0.6) };
    let mut world = Scene::dialling(vec![callee], &json!({})).without_caller();
    anna().invite(&mut world, "Supported: 100rel\r\n", &description(anna(), 1, ""));
    world.run_for(s(0.9));
    let early = response_to(&world, CALLER, 183).message;
    assert_eq!(early.header_text("Require").as_deref(), Some("100rel"));
    assert!(!statuses_to(&world, CALLER).contains(&200), "{:?}", statuses_to(&world, CALLER));
    (world, early)
}

/// When the record says that the caller was answered, in seconds; and its last SIP status.
fn recorded(world: &World) -> (Option<f64>, u16) {
    let sid = parent(world);
    let record = world.records.iter().rfind(|record| record.call_sid == sid).unwrap();
    assert!(record.ended_at.is_some());
    let since_start = |at: std::time::Instant| at.duration_since(world.start).as_secs_f64();
    (record.answered_at.map(since_start), record.sip_status)
}

/// What the application is told of the caller at last, which it never heard was answered.
fn told_at_last(world: &World) -> String {
    let history = parent_history(world);
    assert!(!history.contains(&"in-progress/200".to_owned()), "{history:?}");
    history.last().unwrap().clone()
}

#[test]
fn a_caller_that_cancels_was_not_answered() {
    let (mut world, _) = answered_and_not_acknowledged();
    anna().cancel(&mut world);
    finish(&mut world);
    let statuses = statuses_to(&world, CALLER);
    assert_eq!(statuses.last(), Some(&487), "{statuses:?}");
    assert!(!statuses.contains(&200), "{statuses:?}");
    assert_eq!(told_at_last(&world), "no-answer/487");
    assert_eq!(recorded(&world), (None, 487));
    let payload = result(&world);
    assert_eq!(
        (&payload["call_status"], &payload["sip_status"]),
        (&json!("no-answer"), &json!(487))
    );
    assert_eq!(payload["dial_call_status"], "completed", "the callee did answer");
    assert_eq!(child_history(&world, 1).last().unwrap(), "completed/200");
    assert_eq!(requests_to(&world, callee_address(1), &Method::Bye).len(), 1);
}

#[test]
fn a_caller_that_never_acknowledges_was_not_answered() {
    let (mut world, _) = answered_and_not_acknowledged();
    finish(&mut world);
    assert_eq!(statuses_to(&world, CALLER).last(), Some(&504));
    assert_eq!(told_at_last(&world), "failed/504");
    assert_eq!(recorded(&world), (None, 504));
}

#[test]
fn a_caller_that_the_switch_ends_was_not_answered() {
    let (mut world, _) = answered_and_not_acknowledged();
    world.with_switch(|switch, now| switch.end_all(now));
    finish(&mut world);
    assert_eq!(statuses_to(&world, CALLER).last(), Some(&480));
    assert_eq!(told_at_last(&world), "failed/480");
    assert_eq!(recorded(&world), (None, 480));
}

#[test]
fn a_caller_whose_audio_ends_was_not_answered() {
    let (mut world, _) = answered_and_not_acknowledged();
    world.input(CallKey(1), Input::MediaTimeout(LegId::CALLER));
    finish(&mut world);
    assert_eq!(statuses_to(&world, CALLER).last(), Some(&480));
    assert_eq!(told_at_last(&world), "failed/480");
    assert_eq!(recorded(&world), (None, 480));
}

#[test]
fn a_caller_that_acknowledges_is_answered_then() {
    let (mut world, early) = answered_and_not_acknowledged();
    let rack = format!("RAck: {} 1 INVITE\r\n", early.header_text("RSeq").unwrap());
    let prack = Request { lines: &rack, ..Request::new("PRACK", 2) };
    let told = |world: &World| parent_history(world).last().unwrap().clone();
    assert_ne!(told(&world), "in-progress/200");
    anna().request_as_caller(&mut world, &early, &prack);
    world.run_for(s(0.1));
    assert_eq!(told(&world), "in-progress/200");
    assert_eq!(statuses_to(&world, CALLER).last(), Some(&200));
    anna().request_as_caller(&mut world, &early, &Request::new("ACK", 1));
    world.run_for(s(1.0));
    anna().request_as_caller(&mut world, &early, &Request::new("BYE", 3));
    finish(&mut world);
    assert_eq!(parent_history(&world).last().unwrap(), "completed/200");
    let (answered, status) = recorded(&world);
    assert_near(answered.unwrap(), 0.9);
    assert_eq!(status, 200);
}
