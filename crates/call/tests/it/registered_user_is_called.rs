//! A `user` target is called at each of its contacts; of those, one stands for the user.

use call::settings::Client;
use serde_json::json;
use sip::Method;
use testkit::{Note, World};

use crate::raw::Raw;
use crate::scene::{Scene, answers, callee_address, finish, hangs_up, result, s, waits};
use crate::sent::{request_to, response_to};

/// Registers `jane` from this address, as a phone with two lines would.
pub(crate) fn register(world: &mut World, peer: Raw, cseq: u32) {
    register_as("jane", world, peer, cseq);
}

/// Registers this user, whose password is `secret`, from this address.
pub(crate) fn register_as(user: &str, world: &mut World, peer: Raw, cseq: u32) {
    let Raw(address) = peer;
    let request = |cseq: u32, authorization: &str| {
        format!(
            "REGISTER sip:10.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {address};branch=z9hG4bK-register-{cseq}\r\n\
             From: <sip:{user}@10.0.0.1>;tag=r\r\nTo: <sip:{user}@10.0.0.1>\r\n\
             Call-ID: register-{address}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
             Contact: <sip:{user}@{address}>\r\nExpires: 30\r\n{authorization}\
             Content-Length: 0\r\n\r\n"
        )
    };
    world.say(address, &request(cseq, ""));
    world.run_for(s(0.02));
    let challenge = response_to(world, address, 401).header("WWW-Authenticate").unwrap();
    let answer = sip::auth::digest::answer(
        &challenge,
        &Method::Register,
        "sip:10.0.0.1",
        user,
        "secret",
        &format!("cnonce-{address}"),
        1,
    );
    world.say(address, &request(cseq + 1, &format!("Authorization: {}\r\n", answer.unwrap())));
    world.run_for(s(0.02));
    response_to(world, address, 200);
}

fn jane(more: &serde_json::Value, callees: Vec<testkit::Callee>) -> World {
    let mut more = more.clone();
    more["target"] = json!([{ "type": "user", "name": "jane" }]);
    let contacts = callees.len();
    let mut world = Scene::running(&json!([crate::scene::dial(0, &more)]))
        .callees(callees)
        .caller(hangs_up(2.0))
        .settings(|settings| {
            let (username, password) = ("jane".to_owned(), "secret".to_owned());
            settings.clients.push(Client { username, password });
        })
        .before_the_call();
    for number in 1..=contacts {
        register(&mut world, Raw(callee_address(u8::try_from(number).unwrap())), 1);
    }
    world.call("A");
    finish(&mut world);
    world
}

#[test]
fn a_registered_user_is_called_at_its_contact_and_told_the_call_sid() {
    let world = jane(&json!({}), vec![answers(0.5)]);
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert_eq!(invite.message.request_uri().unwrap(), "sip:jane@10.0.2.1:5060");
    let child = world.application.calls(true).remove(0);
    assert_eq!(invite.header("X-Call-Sid"), Some(child.clone()));
    assert_eq!(result(&world)["dial_call_sid"], child.as_str());
    assert_eq!(result(&world)["dial_targets"][0]["address"], "jane");
}

#[test]
fn of_several_contacts_the_one_that_answers_stands_for_the_user() {
    for (callees, winner) in [(vec![waits(), answers(0.5)], 2), (vec![answers(0.5), waits()], 1)] {
        let world = jane(&json!({}), callees);
        let result = result(&world);
        let of_target = &result["dial_targets"][0];
        assert_eq!(result["dial_targets"].as_array().unwrap().len(), 1, "one target");
        let attempts = of_target["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 2);
        let won = attempts.iter().find(|attempt| attempt["sip_status"] == 200).unwrap();
        assert_eq!(won["uri"], format!("sip:jane@10.0.2.{winner}:5060"));
        assert_eq!(result["dial_call_sid"], won["call_sid"]);
        assert_eq!(of_target["call_sid"], won["call_sid"], "{of_target}");
        assert_eq!(of_target["call_status"], "completed");
        assert!(of_target.get("lost_because").is_none());
        let elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"".to_owned();
        let loser = format!("B{}", 3 - winner);
        assert_eq!(world.phone(&loser).saw(&Note::Cancelled(Some(elsewhere))), 1);
    }
}

#[test]
fn of_several_contacts_the_one_whose_failure_counts_stands_for_the_user() {
    let refuses = crate::scene::refuses;
    for refusing in [
        vec![refuses(480, 0.3), refuses(486, 0.5)],
        vec![refuses(480, 0.5), refuses(486, 0.3)],
        vec![refuses(486, 0.3), refuses(480, 0.5)],
        vec![refuses(486, 0.5), refuses(480, 0.3)],
    ] {
        let world = jane(&json!({}), refusing);
        let of_target = &result(&world)["dial_targets"][0];
        assert_eq!(of_target["sip_status"], 486);
        assert_eq!(of_target["lost_because"], "busy");
        let busy = of_target["attempts"].as_array().unwrap();
        let busy = busy.iter().find(|attempt| attempt["sip_status"] == 486).unwrap();
        assert_eq!(of_target["call_sid"], busy["call_sid"]);
        assert_eq!(result(&world)["dial_call_sid"], busy["call_sid"]);
    }
}

#[test]
fn a_contact_that_rings_in_vain_counts_more_than_one_that_refuses() {
    let refuses = crate::scene::refuses;
    for callees in [vec![refuses(480, 0.3), waits()], vec![waits(), refuses(480, 0.3)]] {
        let world = jane(&json!({ "timeout": 2 }), callees);
        let of_target = &result(&world)["dial_targets"][0];
        assert_eq!(of_target["call_status"], "no-answer");
        assert_eq!(of_target["sip_status"], 487);
        assert_eq!(of_target["lost_because"], "ring-timeout");
    }
}

#[test]
fn a_contact_whose_early_media_was_heard_and_that_is_lost_leaves_no_silence() {
    // The contact that registered last is called first.
    let mut plays = crate::scene::refuses(480, 1.0);
    plays.early_media = Some(s(0.2));
    plays.rings = None;
    let world = jane(&json!({}), vec![plays, answers(2.0)]);
    let heard = crate::scene::heard(&world);
    assert_eq!(heard, ["callee 2", "tone us", "callee 1", "nothing"]);
}
