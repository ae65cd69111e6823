//! What a callee plays before it answers: heard where it is the only target, never where several
//! ring.

use serde_json::json;
use sip::Method;
use testkit::{Callee, Note};

use crate::raw::{Raw, description};
use crate::scene::{
    CALLER, Scene, answers, assert_near, callee_address, dial, finish, hangs_up, heard, result, s,
    saw_at, text, waits,
};
use crate::sent::{Sent, request_to, response_to, statuses_to};

/// Plays after so many seconds instead of ringing.
fn plays(after: f64, mut callee: Callee) -> Callee {
    callee.rings = None;
    callee.early_media = Some(s(after));
    callee
}

#[test]
fn of_a_single_callee_it_reaches_the_caller() {
    let callee = plays(0.5, answers(2.0));
    let world = Scene::dialling(vec![callee], &json!({})).caller(hangs_up(2.0)).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 183, 200]);
    let progress = response_to(&world, CALLER, 183);
    assert_near(progress.at, 0.5);
    assert!(progress.body().contains("m=audio 20000 RTP/AVP 0"), "{}", progress.body());
    // why: the first 200 is that of the PRACK, the phone supports 100rel.
    let answers = crate::sent::responses_to(&world, CALLER, 200);
    let of_invite = |sent: &&Sent| sent.header("CSeq").unwrap().ends_with("INVITE");
    let answer = answers.iter().find(of_invite).unwrap();
    assert_eq!(answer.body(), progress.body(), "RFC 3261 §13.2.1: the same answer");
    assert_eq!(heard(&world), ["callee 1", "callee 1", "nothing"]);
    let attempt = &result(&world)["dial_targets"][0]["attempts"][0];
    assert!(attempt.get("ringing_ms").is_none());
    assert_near(attempt["early_media_ms"].as_f64().unwrap() / 1000.0, 0.5);
}

#[test]
fn an_answered_caller_hears_it_in_place_of_the_ringback() {
    let callee = plays(0.5, answers(2.0));
    let scene = Scene::dialling(vec![callee], &json!({ "answerOnBridge": false }));
    let world = scene.caller(hangs_up(4.0)).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 200]);
    assert_eq!(heard(&world), ["tone us", "callee 1", "callee 1", "nothing"]);
}

#[test]
fn of_one_among_several_it_is_not_heard() {
    let callees = vec![plays(0.5, answers(2.0)), waits()];
    let world = Scene::dialling(callees, &json!({})).caller(hangs_up(2.0)).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 200], "its own phone rings");
    assert_eq!(heard(&world), ["callee 1", "nothing"], "only from the answer on");
    assert_near(saw_at(&world, "A", &Note::Progress(180, false)), 0.1);
}

#[test]
fn a_180_after_a_183_changes_nothing_for_the_caller() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "183 Session Progress", "x", &description(peer, 1, ""));
    world.run_for(s(0.5));
    peer.respond(&mut world, &invite, "180 Ringing", "x", "");
    world.run_for(s(0.5));
    assert_eq!(statuses_to(&world, CALLER), [100, 183]);
    assert_eq!(heard(&world), ["callee 1"]);
    peer.respond(&mut world, &invite, "486 Busy Here", "x", "");
    finish(&mut world);
    let attempt = &result(&world)["dial_targets"][0]["attempts"][0];
    let seconds = |name: &str| attempt[name].as_f64().unwrap() / 1000.0;
    assert_near(seconds("early_media_ms"), 0.5);
    assert_near(seconds("ringing_ms"), 1.0);
}

#[test]
fn the_answer_of_a_183_stands_for_that_of_a_200_without_one() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).caller(hangs_up(1.0)).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "183 Session Progress", "x", &description(peer, 1, ""));
    world.run_for(s(0.5));
    peer.respond(&mut world, &invite, "200 OK", "x", "");
    world.run_for(s(1.2));
    let bye = request_to(&world, peer.0, &Method::Bye);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
    assert_eq!(world.phone("A").saw(&Note::Answered), 1);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn after_early_media_a_second_dial_is_not_silent() {
    // The caller was given a 183: its phone plays what it is sent and rings no more by itself.
    let second = dial(0, &json!({ "target": [crate::scene::target(2)], "actionHook": "/second" }));
    let world = Scene::running(&json!([dial(1, &json!({}))]))
        .callees(vec![plays(0.2, crate::scene::refuses(486, 1.0)), answers(2.0)])
        .answering("/done", text(&json!([second])))
        .caller(hangs_up(1.0))
        .play();
    assert_eq!(heard(&world), ["callee 1", "nothing", "tone us", "callee 2", "nothing"]);
}
