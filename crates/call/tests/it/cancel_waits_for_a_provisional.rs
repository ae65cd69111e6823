//! RFC 3261 §9.1: a CANCEL may only follow a provisional response; until one comes it is held
//! back, and where an answer comes instead, BYE ends it.

use serde_json::json;
use sip::Method;
use testkit::World;

use crate::events::child_history;
use crate::raw::{Raw, description};
use crate::scene::{Scene, assert_near, callee_address, cancels, dial, finish, s};
use crate::sent::{Sent, methods_to, request_to, requests_to};

/// The caller has given up, and callee 1 has not said a word: its INVITE.
fn silent() -> (World, Raw, Sent) {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).caller(cancels(1.0)).begin();
    world.run_for(s(2.9));
    assert!(methods_to(&world, peer.0).iter().all(|method| method == "INVITE"));
    let invite = requests_to(&world, peer.0, &Method::Invite).remove(0);
    (world, peer, invite)
}

#[test]
fn it_goes_out_when_the_callee_rings() {
    let (mut world, peer, invite) = silent();
    peer.respond(&mut world, &invite, "180 Ringing", "x", "");
    world.run_for(s(0.1));
    let cancel = request_to(&world, peer.0, &Method::Cancel);
    assert_near(cancel.at, 2.9);
    assert_eq!(cancel.header("Via"), invite.header("Via"), "the same branch");
    peer.respond(&mut world, &cancel, "200 OK", "x", "");
    peer.respond(&mut world, &invite, "487 Request Terminated", "x", "");
    finish(&mut world);
    assert_eq!(child_history(&world, 1), ["trying/100", "no-answer/487"]);
}

#[test]
fn a_100_is_enough() {
    let (mut world, peer, invite) = silent();
    peer.respond(&mut world, &invite, "100 Trying", "x", "");
    world.run_for(s(0.1));
    let cancel = request_to(&world, peer.0, &Method::Cancel);
    peer.respond(&mut world, &cancel, "200 OK", "x", "");
    peer.respond(&mut world, &invite, "487 Request Terminated", "x", "");
    finish(&mut world);
    assert_eq!(child_history(&world, 1), ["trying/100", "no-answer/487"]);
}

#[test]
fn an_answer_instead_is_ended_with_bye() {
    let (mut world, peer, invite) = silent();
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.1));
    let bye = request_to(&world, peer.0, &Method::Bye);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
    assert!(requests_to(&world, peer.0, &Method::Cancel).is_empty());
    assert_eq!(child_history(&world, 1), ["trying/100", "no-answer/487"]);
}

#[test]
fn a_refusal_instead_ends_it() {
    let (mut world, peer, invite) = silent();
    peer.respond(&mut world, &invite, "404 Not Found", "x", "");
    finish(&mut world);
    assert!(requests_to(&world, peer.0, &Method::Cancel).is_empty());
    assert_eq!(child_history(&world, 1), ["trying/100", "no-answer/487"]);
}
