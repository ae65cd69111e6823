//! A 200 that was under way when the CANCEL left made a dialog: it is acknowledged and ended with
//! BYE, nobody hears the callee, and it is told as not answered.

use serde_json::json;
use sip::Method;
use testkit::World;

use crate::events::child_history;
use crate::raw::{Raw, description};
use crate::scene::{
    Scene, callee_address, cancels, dial, finish, hangs_up, heard, result, s, talks,
};
use crate::sent::{methods_to, request_to, requests_to};

/// Callee 1 rings at half a second; the call is cancelled at two.
fn ringing(more: &serde_json::Value) -> (World, Raw) {
    let peer = Raw(callee_address(1));
    let list = json!([dial(1, more)]);
    let mut world = Scene::running(&list).caller(cancels(2.5)).begin();
    world.run_for(s(0.5));
    let invite = requests_to(&world, peer.0, &Method::Invite).remove(0);
    peer.respond(&mut world, &invite, "180 Ringing", "x", "");
    (world, peer)
}

/// The 200 that crosses, sent twice, and answers to what the switch asks then.
fn cross(world: &mut World, peer: Raw) {
    let invite = requests_to(world, peer.0, &Method::Invite).remove(0);
    let cancel = request_to(world, peer.0, &Method::Cancel);
    peer.respond(world, &invite, "200 OK", "x", &description(peer, 1, ""));
    peer.respond(world, &cancel, "200 OK", "x", "");
    world.run_for(s(0.4));
    peer.respond(world, &invite, "200 OK", "x", &description(peer, 1, ""));
    let bye = request_to(world, peer.0, &Method::Bye);
    peer.respond(world, &bye, "200 OK", "x", "");
    finish(world);
}

#[test]
fn after_a_ring_timeout() {
    let (mut world, peer) = ringing(&json!({ "timeout": 2 }));
    world.run_for(s(1.506));
    cross(&mut world, peer);
    assert_eq!(methods_to(&world, peer.0), ["INVITE", "CANCEL", "ACK", "BYE", "ACK"]);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
    assert_eq!(heard(&world), ["nothing"]);
    assert_eq!(result(&world)["dial_call_status"], "no-answer");
}

#[test]
fn after_the_caller_gave_up() {
    let (mut world, peer) = ringing(&json!({}));
    world.run_for(s(2.006));
    cross(&mut world, peer);
    assert_eq!(methods_to(&world, peer.0), ["INVITE", "CANCEL", "ACK", "BYE", "ACK"]);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "caller-gone");
}

#[test]
fn after_another_callee_won() {
    let loser = Raw(callee_address(2));
    let scene = Scene::running(&json!([dial(2, &json!({}))])).callees(vec![talks(1.0, 3.0)]);
    let mut world = scene.caller(hangs_up(20.0)).begin();
    world.run_for(s(0.5));
    let invite = requests_to(&world, loser.0, &Method::Invite).remove(0);
    loser.respond(&mut world, &invite, "180 Ringing", "x", "");
    // Callee 1 answers, and the CANCEL to callee 2 is on its way.
    world.run_for(s(0.518));
    cross(&mut world, loser);
    assert_eq!(child_history(&world, 2), ["trying/100", "ringing/180", "no-answer/487"]);
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
    let of_loser = &result(&world)["dial_targets"][1];
    assert_eq!(of_loser["call_status"], "no-answer");
    assert_eq!(of_loser["lost_because"], "answered-elsewhere");
    assert_eq!(of_loser["attempts"][0]["sip_status"], 200, "its INVITE was answered: {of_loser}");
}

#[test]
fn the_other_way_round_a_refusal_crosses_the_cancel() {
    let (mut world, peer) = ringing(&json!({ "timeout": 2 }));
    world.run_for(s(1.506));
    let invite = requests_to(&world, peer.0, &Method::Invite).remove(0);
    peer.respond(&mut world, &invite, "486 Busy Here", "x", "");
    let cancel = request_to(&world, peer.0, &Method::Cancel);
    peer.respond(&mut world, &cancel, "481 Gone", "x", "");
    finish(&mut world);
    assert_eq!(methods_to(&world, peer.0), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(child_history(&world, 1).last().unwrap(), "no-answer/487");
}
