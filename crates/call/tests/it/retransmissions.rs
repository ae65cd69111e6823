//! What is repeated, lost or answered twice: every 200 is acknowledged, one of several forks is
//! kept, and an answer that is never acknowledged ends the call.

use serde_json::json;
use sip::Method;

use crate::events::{child_history, event, parent, parent_history};
use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, answers, assert_near, callee_address, dial, finish, hangs_up, heard, result, s,
};
use crate::sent::{methods_to, request_to, requests_to, responses_to};

#[test]
fn each_repeated_200_is_acknowledged() {
    let peer = Raw(callee_address(1));
    let list = json!([dial(1, &json!({}))]);
    let mut world = Scene::running(&list).caller(hangs_up(5.0)).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    for _ in 0..4 {
        peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
        world.run_for(s(0.5));
    }
    let acks = requests_to(&world, peer.0, &Method::Ack);
    assert_eq!(acks.len(), 4);
    assert!(acks.iter().all(|ack| ack.header("CSeq").unwrap() == "1 ACK"));
    assert!(acks.iter().all(|ack| ack.header("To").unwrap().ends_with(";tag=x")));
    world.run_for(s(3.2));
    let bye = request_to(&world, peer.0, &Method::Bye);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
    let told = child_history(&world, 1);
    assert_eq!(told, ["trying/100", "in-progress/200", "completed/200"]);
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
}

#[test]
fn of_two_forks_that_answer_the_second_is_hung_up_on() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    for tag in ["one", "two"] {
        peer.respond(&mut world, &invite, "180 Ringing", tag, "");
    }
    world.run_for(s(0.5));
    for tag in ["one", "two"] {
        peer.respond(&mut world, &invite, "200 OK", tag, &description(peer, 1, ""));
    }
    world.run_for(s(0.1));
    let acks = requests_to(&world, peer.0, &Method::Ack);
    let to: Vec<String> = acks.iter().map(|ack| ack.header("To").unwrap()).collect();
    assert!(to[0].ends_with(";tag=one") && to[1].ends_with(";tag=two"), "{to:?}");
    let bye = request_to(&world, peer.0, &Method::Bye);
    assert!(bye.header("To").unwrap().ends_with(";tag=two"));
    peer.respond(&mut world, &bye, "200 OK", "two", "");
    world.run_for(s(1.0));
    peer.request_as_callee(&mut world, &invite.message, "one", &Request::new("BYE", 1));
    finish(&mut world);
    assert_eq!(heard(&world), ["callee 1", "nothing"], "one bridge");
    let told = child_history(&world, 1);
    assert_eq!(told, ["trying/100", "ringing/180", "in-progress/200", "completed/200"]);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn a_caller_that_never_acknowledges_is_hung_up_on() {
    let peer = Raw(CALLER);
    let scene = Scene::running(&json!([dial(1, &json!({}))])).callees(vec![answers(1.0)]);
    let mut world = scene.without_caller();
    peer.invite(&mut world, "", &description(peer, 1, ""));
    world.run_for(s(40.0));
    let answers = responses_to(&world, peer.0, 200);
    assert_eq!(answers.len(), 11, "repeated for 64*T1, RFC 3261 §13.3.1.4");
    let bye = requests_to(&world, peer.0, &Method::Bye).remove(0);
    assert_near(bye.at, 33.0);
    peer.respond(&mut world, &bye, "200 OK", "", "");
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "ACK", "BYE"]);
    assert_eq!(parent_history(&world), ["trying/100", "in-progress/200", "completed/200"]);
    let completed = event(&world, &parent(&world), "completed");
    assert_eq!(completed["call_termination_by"], "jambonz");
    assert_eq!(completed["duration"], 32);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn a_repeated_invite_makes_no_second_call() {
    let peer = Raw(CALLER);
    let scene = Scene::running(&json!([dial(1, &json!({}))]));
    let mut world = scene.callees(vec![crate::scene::refuses(486, 2.0)]).without_caller();
    for _ in 0..3 {
        peer.invite(&mut world, "", &description(peer, 1, ""));
        world.run_for(s(0.5));
    }
    finish(&mut world);
    assert_eq!(requests_to(&world, callee_address(1), &Method::Invite).len(), 1);
    assert_eq!(parent_history(&world), ["trying/100", "failed/486"]);
}
