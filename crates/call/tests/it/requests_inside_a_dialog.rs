//! re-INVITE, INFO, OPTIONS, BYE inside the dialogs of a call that is up: answered here, and
//! nothing of it disturbs the other leg.

use call::LegId;
use serde_json::json;
use sip::Method;
use testkit::{MediaFact, World};

use crate::events::child_history;
use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, answers, callee_address, dial, finish, hangs_up, heard, patient, result, s,
};
use crate::sent::{Sent, methods_to, request_to, requests_to, response_to, responses_to};

/// Where the media of a leg was sent, each time it was said.
fn remotes(world: &World, wanted: LegId) -> Vec<String> {
    let facts = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Remote(_, leg, to, direction) if *leg == wanted => {
            Some(format!("{to} {direction:?}"))
        }
        _ => None,
    });
    facts.collect()
}

/// Bridged after half a second; the test plays the callee and gets the INVITE to it.
fn bridged() -> (World, Raw, Sent) {
    let peer = Raw(callee_address(1));
    let list = json!([dial(1, &json!({}))]);
    let mut world = Scene::running(&list).caller(hangs_up(30.0)).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.5));
    (world, peer, invite)
}

/// The callee hangs up, and the call ends.
fn hang_up(world: &mut World, peer: Raw, invite: &Sent, cseq: u32) {
    let bye = Request::new("BYE", cseq);
    peer.request_as_callee(world, &invite.message, "x", &bye);
    finish(world);
    assert_eq!(result(world)["dial_call_status"], "completed");
    assert_eq!(child_history(world, 1).last().unwrap(), "completed/200");
}

fn version(body: &str) -> u64 {
    let origin = body.lines().find(|line| line.starts_with("o=")).unwrap();
    origin.split(' ').nth(2).unwrap().parse().unwrap()
}

#[test]
fn a_callee_holds_and_comes_back() {
    let (mut world, peer, invite) = bridged();
    let first = version(&invite.body());
    for (cseq, offered, answered) in
        [(1, "sendonly", "recvonly"), (2, "inactive", "inactive"), (3, "sendrecv", "sendrecv")]
    {
        let body = description(peer, 1 + cseq, &format!("a={offered}\r\n"));
        let hold = Request { body: &body, ..Request::new("INVITE", cseq) };
        peer.request_as_callee(&mut world, &invite.message, "x", &hold);
        world.run_for(s(0.1));
        let answer = responses_to(&world, peer.0, 200)[cseq as usize - 1].clone();
        assert!(answer.body().contains(&format!("a={answered}\r\n")), "{}", answer.body());
        assert_eq!(version(&answer.body()), first + u64::from(cseq));
        peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("ACK", cseq));
        world.run_for(s(0.1));
    }
    assert_eq!(
        remotes(&world, LegId(1)),
        [
            "10.0.2.1:41000 SendRecv",
            "10.0.2.1:41000 RecvOnly",
            "10.0.2.1:41000 Inactive",
            "10.0.2.1:41000 SendRecv",
        ]
    );
    assert!(methods_to(&world, CALLER).is_empty(), "the caller hears nothing of it");
    hang_up(&mut world, peer, &invite, 4);
}

#[test]
fn a_caller_moves_its_media() {
    let peer = Raw(CALLER);
    let scene = Scene::running(&json!([dial(1, &json!({}))])).callees(vec![answers(0.5)]);
    let mut world = scene.without_caller();
    peer.invite(&mut world, "", &description(peer, 1, ""));
    world.run_for(s(0.6));
    let answer = response_to(&world, CALLER, 200).message;
    peer.request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    let body = description(peer, 2, "").replace("41000", "42000");
    let moved = Request { body: &body, ..Request::new("INVITE", 2) };
    peer.request_as_caller(&mut world, &answer, &moved);
    world.run_for(s(0.1));
    peer.request_as_caller(&mut world, &answer, &Request::new("ACK", 2));
    world.run_for(s(0.1));
    assert_eq!(remotes(&world, LegId::CALLER).last().unwrap(), "10.0.1.1:42000 SendRecv");
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "ACK"]);
    peer.request_as_caller(&mut world, &answer, &Request::new("BYE", 3));
    finish(&mut world);
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
}

#[test]
fn a_reinvite_without_an_offer_gets_ours_and_answers_in_its_ack() {
    let (mut world, peer, invite) = bridged();
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("INVITE", 1));
    world.run_for(s(0.1));
    let offer = response_to(&world, peer.0, 200);
    assert!(offer.body().contains("m=audio 20002 RTP/AVP 0 8 101"), "{}", offer.body());
    let body = description(peer, 2, "").replace("41000", "43000");
    let ack = Request { body: &body, ..Request::new("ACK", 1) };
    peer.request_as_callee(&mut world, &invite.message, "x", &ack);
    world.run_for(s(0.1));
    assert_eq!(remotes(&world, LegId(1)).last().unwrap(), "10.0.2.1:43000 SendRecv");
    hang_up(&mut world, peer, &invite, 2);
}

#[test]
fn a_reinvite_that_asks_for_the_impossible_is_refused_and_the_call_goes_on() {
    let (mut world, peer, invite) = bridged();
    let body = description(peer, 2, "").replace("RTP/AVP 0", "RTP/AVP 18");
    let impossible = Request { body: &body, ..Request::new("INVITE", 1) };
    peer.request_as_callee(&mut world, &invite.message, "x", &impossible);
    world.run_for(s(0.1));
    assert!(response_to(&world, peer.0, 488).header("X-Reason").is_some());
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("ACK", 1));
    assert_eq!(remotes(&world, LegId(1)), ["10.0.2.1:41000 SendRecv"], "as it was");
    hang_up(&mut world, peer, &invite, 2);
}

#[test]
fn a_callee_that_refreshes_its_session_stays_and_one_that_stops_is_hung_up() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).caller(patient()).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    let answer = "200 OK\r\nRequire: timer\r\nSession-Expires: 90;refresher=uas";
    peer.respond(&mut world, &invite, answer, "x", &description(peer, 1, ""));
    for cseq in 1..=4 {
        world.run_for(s(45.0));
        let lines = "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n";
        let body = description(peer, 1, "");
        let refresh = Request { lines, body: &body, ..Request::new("INVITE", cseq) };
        peer.request_as_callee(&mut world, &invite.message, "x", &refresh);
        world.run_for(s(0.1));
        let answers = responses_to(&world, peer.0, 200);
        assert_eq!(answers.len(), cseq as usize, "each refresh is answered");
        let expires = answers.last().unwrap().header("Session-Expires");
        assert_eq!(expires.as_deref(), Some("90;refresher=uac"));
        peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("ACK", cseq));
    }
    world.run_for(s(45.0));
    assert!(!methods_to(&world, peer.0).contains(&"BYE".to_owned()), "each refresh counted");
    world.run_for(s(45.0));
    let bye = requests_to(&world, peer.0, &Method::Bye).remove(0);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn info_and_options_are_answered() {
    let (mut world, peer, invite) = bridged();
    let lines = "Content-Type: application/dtmf-relay\r\n";
    let info = Request { lines, ..Request::new("INFO", 1) };
    peer.request_as_callee(&mut world, &invite.message, "x", &info);
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("OPTIONS", 2));
    world.run_for(s(0.1));
    let answers = responses_to(&world, peer.0, 200);
    let methods: Vec<String> = answers.iter().map(|sent| sent.header("CSeq").unwrap()).collect();
    assert_eq!(methods, ["1 INFO", "2 OPTIONS"]);
    assert!(methods_to(&world, CALLER).is_empty());
    hang_up(&mut world, peer, &invite, 3);
}

#[test]
fn a_method_that_does_not_run_is_refused() {
    let (mut world, peer, invite) = bridged();
    for (cseq, method) in [(1, "MESSAGE"), (2, "SUBSCRIBE"), (3, "FOO")] {
        let request = Request::new(method, cseq);
        peer.request_as_callee(&mut world, &invite.message, "x", &request);
        world.run_for(s(0.1));
        let refused = crate::sent::sent_to(&world, peer.0);
        let answer = refused.iter().rfind(|sent| sent.message.status().is_some()).unwrap();
        assert_eq!(answer.header("CSeq").unwrap(), format!("{cseq} {method}"));
        let status = answer.message.status().unwrap();
        assert!([405, 501].contains(&status), "{method} got {status}");
    }
    hang_up(&mut world, peer, &invite, 5);
}

#[test]
fn a_request_of_no_dialog_is_481() {
    let (mut world, peer, invite) = bridged();
    peer.request_as_callee(&mut world, &invite.message, "another", &Request::new("BYE", 9));
    world.run_for(s(0.1));
    assert_eq!(responses_to(&world, peer.0, 481).len(), 1);
    hang_up(&mut world, peer, &invite, 1);
}

#[test]
fn an_update_of_who_is_ended_gives_no_audio_another_address() {
    // RFC 3261 §15: our BYE waits for an ACK that never comes.
    let list = json!([{ "verb": "answer" }, { "verb": "pause", "length": 30 }]);
    let mut world = Scene::running(&list).before_the_call();
    world.phones.remove(&CALLER);
    let caller = Raw(CALLER);
    caller.invite(&mut world, "", &description(caller, 1, ""));
    world.run_for(s(0.3));
    let answer = response_to(&world, CALLER, 200).message;
    let sid = world.application.calls(false)[0].clone();
    assert_eq!(crate::placed::completes(&mut world, &sid), call::Reply::Accepted);
    let body = description(caller, 2, "");
    let update = Request { body: &body, ..Request::new("UPDATE", 2) };
    let media = world.media.len();
    caller.request_as_caller(&mut world, &answer, &update);
    world.run_for(s(0.1));
    assert!(methods_to(&world, CALLER).is_empty(), "no BYE yet");
    assert_eq!(responses_to(&world, CALLER, 481).len(), 1);
    assert_eq!(world.media.len(), media, "{:?}", world.media);
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    world.judge.at_rest().unwrap();
}
