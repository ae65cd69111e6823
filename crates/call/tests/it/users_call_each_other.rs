//! A registered user who dials another, without any application: it proves who it is, and the
//! other's phone rings.

use std::net::SocketAddr;

use call::Reply;
use call::settings::Client;
use sip::Method;
use testkit::{Callee, World};

use crate::placed::completes;
use crate::raw::{Raw, description};
use crate::registered_user_is_called::register;
use crate::scene::{Scene, answers, callee_address, finish, refuses, s};
use crate::sent::{request_to, requests_to, response_to, responses_to};

/// Where the user `bob` is, whom the test plays.
fn bob() -> Raw {
    Raw(SocketAddr::new([10, 0, 3, 1].into(), 5060))
}

fn invite(world: &mut World, user: &str, cseq: u32, authorization: &str) {
    let Raw(address) = bob();
    let body = description(bob(), 1, "");
    world.say(
        address,
        &format!(
            "INVITE sip:{user}@10.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {address};branch=z9hG4bK-bob-{cseq}\r\n\
             From: <sip:bob@10.0.0.1>;tag=bob\r\nTo: <sip:{user}@10.0.0.1>\r\n\
             Call-ID: bob-calls\r\nCSeq: {cseq} INVITE\r\nContact: <sip:bob@{address}>\r\n\
             {authorization}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    world.run_for(s(0.02));
}

/// Bob dials, with this password; `jane` is registered where callee 1 is, `joe` nowhere.
fn dials(user: &str, password: &str, callee: Callee) -> World {
    let scene = Scene::running(&serde_json::json!([])).callees(vec![callee]);
    let mut world = scene
        .settings(|settings| {
            settings.clients = ["jane", "joe", "bob"]
                .map(|username| Client {
                    username: username.to_owned(),
                    password: "secret".to_owned(),
                })
                .to_vec();
        })
        .without_caller();
    register(&mut world, Raw(callee_address(1)), 1);
    invite(&mut world, user, 1, "");
    let challenge = response_to(&world, bob().0, 401).header("WWW-Authenticate").unwrap();
    let uri = format!("sip:{user}@10.0.0.1");
    let method = Method::Invite;
    let answer = sip::auth::digest::answer(&challenge, &method, &uri, "bob", password, "c", 1);
    invite(&mut world, user, 2, &format!("Authorization: {}\r\n", answer.unwrap()));
    world
}

#[test]
fn the_other_phone_rings_and_its_words_come_back() {
    let mut world = dials("jane", "secret", refuses(486, 1.0));
    finish(&mut world);
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert_eq!(invite.message.from().unwrap().uri.user.as_deref(), Some("bob"));
    assert_eq!(invite.message.request_uri().unwrap(), "sip:jane@10.0.2.1:5060");
    assert!(invite.header("X-Call-Sid").is_some());
    assert_eq!(responses_to(&world, bob().0, 180).len(), 1);
    assert!(!responses_to(&world, bob().0, 486).is_empty());
    assert!(world.application.asked.is_empty() && world.application.told.is_empty());
}

#[test]
fn a_device_is_told_the_name_of_its_call_and_a_program_can_end_it_by_that() {
    let mut world = dials("jane", "secret", answers(1.0));
    world.run_for(s(0.5));
    let call_sid = response_to(&world, bob().0, 180).header("X-Call-Sid").unwrap();
    world.run_for(s(1.0));
    let answer = response_to(&world, bob().0, 200);
    assert_eq!(answer.header("X-Call-Sid").as_ref(), Some(&call_sid));
    assert_eq!(completes(&mut world, &call_sid), Reply::Accepted);
    world.run_for(s(0.1));
    assert_eq!(requests_to(&world, callee_address(1), &Method::Bye).len(), 1);
}

#[test]
fn a_wrong_password_is_403_and_nobody_rings() {
    let mut world = dials("jane", "guess", answers(1.0));
    finish(&mut world);
    let refusal = response_to(&world, bob().0, 403);
    assert_eq!(refusal.header("X-Reason"), None, "who it is, is not known");
    assert!(requests_to(&world, callee_address(1), &Method::Invite).is_empty());
}

#[test]
fn a_user_without_a_phone_is_480_and_nobody_404() {
    for (user, status) in [("joe", 480), ("nobody", 404)] {
        let mut world = dials(user, "secret", answers(1.0));
        finish(&mut world);
        assert!(response_to(&world, bob().0, status).header("X-Reason").is_some(), "{user}");
    }
}
