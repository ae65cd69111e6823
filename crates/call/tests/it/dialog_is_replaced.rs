//! INVITE with Replaces (RFC 3891): another phone takes over a leg that is connected. Who may not,
//! or names what cannot be taken over, is refused, and nobody else notices.

use std::net::SocketAddr;

use call::LegId;
use serde_json::json;
use sip::{Message, Method};
use testkit::{MediaFact, Note, World};

use crate::raw::{Raw, Request, description};
use crate::scene::{CALLER, Scene, callee_address, dial, s, talks, waits};
use crate::sent::{request_to, requests_to, response_to, sent_to};

/// The phone that is called first, and the one that takes its place; both behind the carrier.
fn desk() -> Raw {
    Raw(CALLER)
}

fn mobile() -> Raw {
    Raw(SocketAddr::new(CALLER.ip(), 5070))
}

fn tag(message: &Message, header: &str) -> String {
    let text = message.header_text(header).unwrap().into_owned();
    text.split("tag=").nth(1).unwrap().to_owned()
}

/// Replaces of the dialog that an answer of the switch made.
fn replaces(answer: &Message, more: &str) -> String {
    let call_id = answer.header_text("Call-ID").unwrap();
    let (ours, theirs) = (tag(answer, "To"), tag(answer, "From"));
    format!("Replaces: {call_id};to-tag={ours};from-tag={theirs}{more}\r\n")
}

/// The desk calls B1, which answers; with the 200 that the desk got.
fn desk_talks(hangs_up: f64) -> (World, Message) {
    let scene = Scene::running(&json!([dial(1, &json!({}))]));
    let mut world = scene.callees(vec![talks(0.2, hangs_up)]).without_caller();
    desk().invite(&mut world, "", &description(desk(), 1, ""));
    world.run_for(s(0.5));
    let answer = response_to(&world, desk().0, 200).message;
    desk().request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    world.run_for(s(0.2));
    (world, answer)
}

/// The mobile calls with these headers; the final status that it gets.
fn mobile_calls(world: &mut World, lines: &str) -> u16 {
    mobile().invite_with("mobile", world, lines, &description(mobile(), 1, ""));
    world.run_for(s(0.2));
    last_status(world, mobile().0)
}

fn last_status(world: &World, to: SocketAddr) -> u16 {
    let statuses = sent_to(world, to);
    statuses.iter().filter_map(|sent| sent.message.status()).next_back().unwrap()
}

fn takes_byes(world: &mut World, peer: Raw) {
    for bye in requests_to(world, peer.0, &Method::Bye) {
        peer.respond(world, &bye, "200 OK", "x", "");
    }
    world.run_for(s(0.2));
}

/// Events of the call that came in as this number in order.
fn history(world: &World, call: usize) -> Vec<String> {
    let sids = world.application.calls(false);
    world.application.statuses_of(&sids[call])
}

#[test]
fn the_callee_of_a_caller_goes_on_with_the_one_that_replaces_it() {
    let (mut world, answer) = desk_talks(9.0);
    assert_eq!(mobile_calls(&mut world, &replaces(&answer, "")), 200);
    let taken = response_to(&world, mobile().0, 200).message;
    mobile().request_as_caller(&mut world, &taken, &Request::new("ACK", 1));
    world.run_for(s(0.2));
    let moved = world.media.iter().find_map(|fact| match fact {
        MediaFact::Adopted(key, leg, from) => Some((*key, *leg, *from)),
        _ => None,
    });
    let (host, leg, from) = moved.unwrap();
    assert_ne!(host, from);
    assert!(world.media.contains(&MediaFact::Bridged(host, LegId::CALLER, leg)));
    assert_eq!(requests_to(&world, desk().0, &Method::Bye).len(), 1, "it was replaced");
    takes_byes(&mut world, desk());
    assert_eq!(world.phone("B1").saw(&Note::Ended), 0, "it talks on");
    assert_eq!(history(&world, 0).last().unwrap(), "completed/200");
    assert_eq!(history(&world, 1), ["trying/100", "in-progress/200"]);
    world.run_for(s(10.0));
    assert!(!requests_to(&world, mobile().0, &Method::Bye).is_empty(), "B1 has hung up");
    takes_byes(&mut world, mobile());
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert_eq!(history(&world, 1).last().unwrap(), "completed/200");
    let told = world.application.asked_at("/done");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].payload["dial_call_status"], "completed");
    assert!(world.open_ports.is_empty());
}

#[test]
fn the_caller_of_a_callee_goes_on_with_the_one_that_replaces_that() {
    let b1 = Raw(callee_address(1));
    let list = json!([dial(1, &json!({})), { "verb": "pause", "length": 60 }]);
    let mut world = Scene::running(&list).without_caller();
    desk().invite(&mut world, "", &description(desk(), 1, ""));
    world.run_for(s(0.2));
    let invite = request_to(&world, b1.0, &Method::Invite);
    b1.respond(&mut world, &invite, "200 OK", "x", &description(b1, 1, ""));
    world.run_for(s(0.2));
    let answer = response_to(&world, desk().0, 200).message;
    let call_id = invite.header("Call-ID").unwrap();
    let ours = tag(&invite.message, "From");
    let lines = format!("Replaces: {call_id};to-tag={ours};from-tag=x\r\n");
    // Before the ACK of its answer the desk cannot be connected to anybody else.
    mobile().invite_with("early", &mut world, &lines, &description(mobile(), 1, ""));
    world.run_for(s(0.2));
    assert_eq!(last_status(&world, mobile().0), 480);
    desk().request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    assert_eq!(mobile_calls(&mut world, &lines), 200);
    let taken = response_to(&world, mobile().0, 200).message;
    mobile().request_as_caller(&mut world, &taken, &Request::new("ACK", 1));
    world.run_for(s(0.2));
    assert_eq!(requests_to(&world, b1.0, &Method::Bye).len(), 1, "it was replaced");
    takes_byes(&mut world, b1);
    assert!(requests_to(&world, desk().0, &Method::Bye).is_empty(), "it talks on");
    desk().request_as_caller(&mut world, &answer, &Request::new("BYE", 2));
    world.run_for(s(0.2));
    takes_byes(&mut world, mobile());
    assert_eq!(requests_to(&world, mobile().0, &Method::Bye).len(), 1, "the desk has hung up");
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert_eq!(history(&world, 0).last().unwrap(), "completed/200");
    assert_eq!(history(&world, 1).last().unwrap(), "completed/200");
    let told = world.application.asked_at("/done");
    assert_eq!(told[0].payload["dial_call_status"], "completed");
    assert!(world.open_ports.is_empty());
}

#[test]
fn a_mobile_that_requires_it_is_served() {
    let (mut world, answer) = desk_talks(2.0);
    let lines = format!("Require: replaces\r\n{}", replaces(&answer, ""));
    assert_eq!(mobile_calls(&mut world, &lines), 200);
    let taken = response_to(&world, mobile().0, 200).message;
    assert!(taken.header_text("Supported").unwrap().contains("replaces"));
    mobile().request_as_caller(&mut world, &taken, &Request::new("ACK", 1));
    mobile().request_as_caller(&mut world, &taken, &Request::new("BYE", 2));
    world.run_for(s(0.2));
    takes_byes(&mut world, desk());
    assert_eq!(world.phone("B1").saw(&Note::Ended), 1);
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn what_names_no_dialog_that_can_be_replaced_is_refused_and_nobody_notices() {
    let (mut world, answer) = desk_talks(30.0);
    let right = replaces(&answer, "");
    let (ours, theirs) = (tag(&answer, "To"), tag(&answer, "From"));
    let cases = [
        ("Replaces: nothing;to-tag=one;from-tag=two\r\n".to_owned(), 481),
        (right.replace("from-tag=", "from-tag=x"), 481),
        (right.replace(": raw-call;", ": another;"), 481),
        (format!("Replaces: raw-call;to-tag={theirs};from-tag={ours}\r\n"), 481),
        (replaces(&answer, ";early-only"), 486),
        ("Replaces: \r\n".to_owned(), 400),
        ("Replaces: nothing;to-tag=one\r\n".to_owned(), 400),
        (format!("{right}{right}"), 400),
    ];
    for (number, (lines, status)) in cases.iter().enumerate() {
        let call_id = format!("mobile-{number}");
        let body = description(mobile(), 1, "");
        mobile().invite_with(&call_id, &mut world, lines, &body);
        world.run_for(s(0.2));
        let refused = response_to(&world, mobile().0, *status);
        assert_eq!(refused.header("Call-ID"), Some(call_id), "{lines}");
        assert!(refused.header("X-Reason").is_some());
    }
    assert_eq!(world.application.calls(false).len(), 1, "nobody was told of the others");
    assert_eq!(world.switch.alive().callers, 1);
    assert!(requests_to(&world, desk().0, &Method::Bye).is_empty());
    world.with_switch(|switch, now| switch.end_all(now));
    takes_byes(&mut world, desk());
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn a_leg_that_has_not_answered_or_is_over_is_not_replaced() {
    // The desk rings B1: its dialog with us is early, and the INVITE was not ours.
    let scene = Scene::running(&json!([dial(1, &json!({}))]));
    let mut world = scene.callees(vec![waits()]).without_caller();
    desk().invite(&mut world, "", &description(desk(), 1, ""));
    world.run_for(s(0.5));
    let ringing = response_to(&world, desk().0, 180).message;
    assert_eq!(mobile_calls(&mut world, &replaces(&ringing, "")), 481);
    let early = replaces(&ringing, ";early-only");
    mobile().invite_with("again", &mut world, &early, &description(mobile(), 1, ""));
    world.run_for(s(0.2));
    assert_eq!(last_status(&world, mobile().0), 481);
    // The one with B1 is early too, and ours; but nobody has answered it.
    let invite = request_to(&world, callee_address(1), &Method::Invite).message;
    let mut of_b1 = world.wire.iter().filter(|(_, sent)| sent.from == callee_address(1));
    let rang = of_b1.find_map(|(_, sent)| {
        let message = Message::parse(&sent.bytes).unwrap();
        (message.status() == Some(180)).then(|| tag(&message, "To"))
    });
    let rang = rang.unwrap();
    let call_id = invite.header_text("Call-ID").unwrap();
    let ours = tag(&invite, "From");
    let lines = format!("Replaces: {call_id};to-tag={ours};from-tag={rang}\r\n");
    mobile().invite_with("third", &mut world, &lines, &description(mobile(), 1, ""));
    world.run_for(s(0.2));
    assert_eq!(last_status(&world, mobile().0), 480);
    desk().cancel(&mut world);
    world.run_for(s(0.2));
    mobile().invite_with(
        "late",
        &mut world,
        &replaces(&ringing, ""),
        &description(mobile(), 1, ""),
    );
    world.run_for(s(0.2));
    assert_eq!(last_status(&world, mobile().0), 603);
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn a_caller_that_is_connected_to_nobody_is_not_replaced() {
    let list = json!([{ "verb": "answer" }, { "verb": "pause", "length": 5 }]);
    let mut world = Scene::running(&list).without_caller();
    desk().invite(&mut world, "", &description(desk(), 1, ""));
    world.run_for(s(0.5));
    let answer = response_to(&world, desk().0, 200).message;
    desk().request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    assert_eq!(mobile_calls(&mut world, &replaces(&answer, "")), 480);
    world.run_for(s(6.0));
    takes_byes(&mut world, desk());
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn a_stranger_that_knows_the_tags_is_a_stranger() {
    let (mut world, answer) = desk_talks(2.0);
    let stranger = Raw("10.9.9.9:5060".parse().unwrap());
    let body = description(stranger, 1, "");
    stranger.invite_with("stranger", &mut world, &replaces(&answer, ""), &body);
    world.run_for(s(0.2));
    let refused = response_to(&world, stranger.0, 401);
    assert_eq!(refused.header("X-Reason"), None);
    assert!(requests_to(&world, desk().0, &Method::Bye).is_empty());
    world.run_for(s(3.0));
    takes_byes(&mut world, desk());
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn a_place_that_is_gone_when_the_port_is_open_is_not_taken() {
    let (mut world, answer) = desk_talks(30.0);
    world.opening = s(0.5);
    mobile().invite_with(
        "mobile",
        &mut world,
        &replaces(&answer, ""),
        &description(mobile(), 1, ""),
    );
    world.run_for(s(0.2));
    desk().request_as_caller(&mut world, &answer, &Request::new("BYE", 2));
    world.run_for(s(1.0));
    let status = last_status(&world, mobile().0);
    assert!(status == 481 || status == 603, "{status}");
    assert_eq!(history(&world, 1), ["trying/100".to_owned(), format!("failed/{status}")]);
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert!(world.open_ports.is_empty());
}

#[test]
fn a_user_that_proves_who_it_is_takes_over_from_any_place() {
    let scene = Scene::running(&json!([dial(1, &json!({}))])).settings(|settings| {
        let (username, password) = ("jane".to_owned(), "secret".to_owned());
        settings.clients = vec![call::settings::Client { username, password }];
    });
    let mut world = scene.callees(vec![talks(0.2, 9.0)]).without_caller();
    desk().invite(&mut world, "", &description(desk(), 1, ""));
    world.run_for(s(0.5));
    let answer = response_to(&world, desk().0, 200).message;
    desk().request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    let jane = Raw("10.0.3.1:5060".parse().unwrap());
    let body = description(jane, 1, "");
    let lines = replaces(&answer, "");
    jane.invite_with("first", &mut world, &lines, &body);
    world.run_for(s(0.2));
    let challenge = response_to(&world, jane.0, 401).header("WWW-Authenticate").unwrap();
    let uri = format!("sip:+4930999888@{}", testkit::SWITCH);
    for (password, status) in [("wrong", 403), ("secret", 200)] {
        let digest = sip::auth::digest::answer;
        let proof = digest(&challenge, &Method::Invite, &uri, "jane", password, "c", 1).unwrap();
        let lines = format!("Authorization: {proof}\r\n{lines}");
        jane.invite_with(password, &mut world, &lines, &body);
        world.run_for(s(0.2));
        assert_eq!(last_status(&world, jane.0), status, "{password}");
    }
    let taken = response_to(&world, jane.0, 200).message;
    jane.request_as_caller(&mut world, &taken, &Request::new("ACK", 1));
    world.run_for(s(0.2));
    takes_byes(&mut world, desk());
    jane.request_as_caller(&mut world, &taken, &Request::new("BYE", 2));
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert_eq!(world.phone("B1").saw(&Note::Ended), 1);
    assert!(world.open_ports.is_empty());
}
