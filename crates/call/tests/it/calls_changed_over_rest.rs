//! What a program changes of a call that is up: it ends a leg, or sends the caller elsewhere; at
//! any moment, and once it is over not any more.

use call::Reply;
use serde_json::{Value, json};
use sip::Method;
use testkit::{Callee, Note, World};

use crate::events::{child_history, children, history, parent, parent_history};
use crate::placed::{begins, changes, completes, refused, sid_of};
use crate::scene::{
    CALLER, Scene, answers, assert_near, callee_address, dial, finish, result, s, text, waits,
};
use crate::sent::{request_to, requests_to, statuses_to};

const ELSEWHERE: &str = "http://elsewhere.test/b";

/// A caller that dials these callees, so many seconds after its INVITE.
fn dialling(callees: Vec<Callee>, more: &Value, after: f64) -> World {
    let scene = Scene::dialling(callees, more);
    let list = json!([{ "verb": "pause", "length": 1 }]);
    let mut world = scene.answering(ELSEWHERE, text(&list)).begin();
    world.run_for(s(after));
    world
}

fn call_hook() -> Value {
    json!({ "call_hook": ELSEWHERE })
}

/// Seconds of virtual time at which this hook was asked.
fn asked_at(world: &World, url: &str) -> Vec<f64> {
    let asked = world.application.asked_at(url);
    asked.iter().map(|asked| asked.at.duration_since(world.start).as_secs_f64()).collect()
}

#[test]
fn a_caller_that_waits_is_refused_and_those_it_called_are_cancelled() {
    for (change, status) in [("completed", 487), ("no-answer", 503)] {
        let mut world = dialling(vec![waits(), waits()], &json!({}), 1.0);
        let sid = parent(&world);
        let update = json!({ "call_status": change });
        assert_eq!(changes(&mut world, &sid, &update), Reply::Accepted);
        finish(&mut world);
        assert_eq!(statuses_to(&world, CALLER).last(), Some(&status));
        assert_eq!(parent_history(&world).last().unwrap(), &format!("no-answer/{status}"));
        let end = world.application.told.iter().rfind(|told| told["call_sid"] == sid.as_str());
        assert_eq!(end.unwrap()["call_termination_by"], "jambonz");
        for name in ["B1", "B2"] {
            assert_eq!(world.phone(name).saw(&Note::Cancelled(None)), 1);
        }
        assert_eq!(result(&world)["dial_call_status"], "no-answer");
    }
}

#[test]
fn both_parties_of_a_connected_call_get_bye() {
    let mut world = dialling(vec![answers(0.5)], &json!({}), 2.0);
    let sid = parent(&world);
    assert_eq!(completes(&mut world, &sid), Reply::Accepted);
    finish(&mut world);
    assert_eq!((world.phone("A").saw(&Note::Ended), world.phone("B1").saw(&Note::Ended)), (1, 1));
    assert_eq!(parent_history(&world).last().unwrap(), "completed/200");
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn a_call_that_a_program_began_is_cancelled_while_it_rings() {
    for change in ["completed", "no-answer"] {
        let mut world = Scene::running(&json!([])).callees(vec![waits()]).without_caller();
        let id = begins(&mut world, &json!({}));
        world.run_for(s(1.0));
        let sid = sid_of(&world, id);
        let update = json!({ "call_status": change });
        assert_eq!(changes(&mut world, &sid, &update), Reply::Accepted);
        assert_eq!(refused(&completes(&mut world, &sid)).0, 404, "it is over for the program");
        finish(&mut world);
        assert_eq!(parent_history(&world), ["trying/100", "ringing/180", "no-answer/487"]);
        assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 1);
    }
}

#[test]
fn an_answer_that_crosses_the_end_of_a_call_is_followed_by_bye() {
    let quick = Callee { rings: None, ..answers(0.0) };
    let mut world = Scene::running(&json!([])).callees(vec![quick]).without_caller();
    let id = begins(&mut world, &json!({}));
    // why: the INVITE has just left; its 200 is on the way back.
    while !world.replies.contains_key(&id) {
        world.run_for(s(0.0005));
    }
    let sid = sid_of(&world, id);
    assert_eq!(completes(&mut world, &sid), Reply::Accepted);
    finish(&mut world);
    assert_eq!(parent_history(&world), ["trying/100", "no-answer/487"]);
    assert_eq!(requests_to(&world, callee_address(1), &Method::Bye).len(), 1);
    assert!(world.application.asked.is_empty());
}

#[test]
fn one_callee_is_cancelled_and_the_others_go_on_ringing() {
    let mut world = dialling(vec![waits(), answers(3.0)], &json!({}), 1.0);
    let child = children(&world).remove(0);
    assert_eq!(completes(&mut world, &child), Reply::Accepted);
    assert_eq!(completes(&mut world, &child), Reply::Accepted, "it is on its way out");
    world.run_for(s(4.0));
    let sid = parent(&world);
    completes(&mut world, &sid);
    finish(&mut world);
    assert_near(request_to(&world, callee_address(1), &Method::Cancel).at, 1.0);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "completed");
    assert_eq!(result["dial_targets"][0]["lost_because"], "replaced");
}

#[test]
fn with_the_last_callee_the_dial_ends_and_the_list_goes_on() {
    for change in ["completed", "no-answer"] {
        let mut world = dialling(vec![waits()], &json!({}), 1.0);
        let child = children(&world).remove(0);
        let update = json!({ "call_status": change });
        assert_eq!(changes(&mut world, &child, &update), Reply::Accepted);
        finish(&mut world);
        assert_eq!(asked_at(&world, "/done"), [1.0]);
        let result = result(&world);
        assert_eq!(
            (&result["dial_call_status"], &result["dial_sip_status"]),
            (&"no-answer".into(), &487.into())
        );
        assert_eq!(result["dial_call_sid"], child.as_str());
        assert_eq!(parent_history(&world).last().unwrap(), "failed/487");
    }
}

#[test]
fn a_callee_whose_answer_crosses_its_end_has_not_answered() {
    let callees = vec![answers(1.0), crate::scene::refuses(404, 2.0)];
    let mut world = dialling(callees, &json!({}), 1.0);
    let child = children(&world).remove(0);
    // why: the callee has answered by now, and its 200 is on the way.
    world.run_for(s(0.012));
    assert_eq!(completes(&mut world, &child), Reply::Accepted);
    finish(&mut world);
    assert_eq!(requests_to(&world, callee_address(1), &Method::Bye).len(), 1, "it did cross");
    let result = result(&world);
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"]),
        (&"no-answer".into(), &487.into())
    );
    assert_eq!(result["dial_call_sid"], child.as_str());
    assert_eq!(result["dial_targets"][0]["attempts"][0]["sip_status"], 200, "the exact truth");
}

#[test]
fn of_a_connected_pair_only_the_callee_gets_bye() {
    let list = json!([dial(1, &json!({})), { "verb": "pause", "length": 2 }]);
    let mut world = Scene::running(&list).callees(vec![answers(0.5)]).begin();
    world.run_for(s(2.0));
    let child = children(&world).remove(0);
    let no_answer = json!({ "call_status": "no-answer" });
    assert_eq!(refused(&changes(&mut world, &child, &no_answer)).0, 422);
    assert_eq!(completes(&mut world, &child), Reply::Accepted);
    world.run_for(s(0.5));
    assert_eq!((world.phone("A").saw(&Note::Ended), world.phone("B1").saw(&Note::Ended)), (0, 1));
    finish(&mut world);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_near(request_to(&world, CALLER, &Method::Bye).at, 4.0);
}

#[test]
fn another_hook_replaces_a_dial_that_rings() {
    let mut world = dialling(vec![waits(), waits()], &json!({}), 1.0);
    let sid = parent(&world);
    assert_eq!(changes(&mut world, &sid, &call_hook()), Reply::Accepted);
    finish(&mut world);
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 1);
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "no-answer");
    assert_eq!(result["dial_targets"][1]["lost_because"], "replaced");
    assert_eq!((asked_at(&world, "/done"), asked_at(&world, ELSEWHERE)), (vec![1.0], vec![1.0]));
    let asked = &world.application.asked_at(ELSEWHERE)[0].payload;
    assert_eq!((&asked["call_sid"], asked.get("sip")), (&json!(sid), None));
    // why: the pause of the new list ran before the caller was refused.
    assert_near(
        crate::scene::saw_at(&world, "A", &Note::Rejected(487, "Request Terminated".to_owned())),
        2.0,
    );
}

#[test]
fn another_hook_replaces_a_connected_dial_and_the_caller_stays() {
    let mut world = dialling(vec![answers(0.5)], &json!({}), 2.0);
    let sid = parent(&world);
    assert_eq!(changes(&mut world, &sid, &call_hook()), Reply::Accepted);
    finish(&mut world);
    assert_near(request_to(&world, callee_address(1), &Method::Bye).at, 2.0);
    assert_near(request_to(&world, CALLER, &Method::Bye).at, 3.0);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn another_hook_replaces_a_pause_and_what_stands_behind_it() {
    let list =
        json!([{ "verb": "answer" }, { "verb": "pause", "length": 30 }, dial(1, &json!({}))]);
    let mut world = Scene::running(&list)
        .callees(vec![answers(0.5)])
        .answering(ELSEWHERE, text(&json!([{ "verb": "pause", "length": 1 }])))
        .begin();
    world.run_for(s(1.0));
    let sid = parent(&world);
    assert_eq!(changes(&mut world, &sid, &call_hook()), Reply::Accepted);
    finish(&mut world);
    assert_near(request_to(&world, CALLER, &Method::Bye).at, 2.0);
    assert!(requests_to(&world, callee_address(1), &Method::Invite).is_empty());
}

#[test]
fn the_late_answer_of_the_hook_before_is_forgotten() {
    let mut scene = Scene::dialling(vec![answers(0.5)], &json!({}));
    scene.config.application.thinks = s(2.0);
    let mut world = scene
        .answering(ELSEWHERE, text(&json!([{ "verb": "sip:decline", "status": 404 }])))
        .begin();
    world.run_for(s(1.0));
    let sid = parent(&world);
    assert_eq!(changes(&mut world, &sid, &call_hook()), Reply::Accepted);
    finish(&mut world);
    assert_eq!(history(&world), ["A trying/100", "A failed/404"]);
    assert!(requests_to(&world, callee_address(1), &Method::Invite).is_empty());
}

#[test]
fn before_anything_runs_the_other_hook_is_the_first_that_is_asked() {
    let mut scene = Scene::dialling(vec![], &json!({}));
    scene = scene.answering(ELSEWHERE, text(&json!([{ "verb": "sip:decline", "status": 404 }])));
    let mut world = scene.before_the_call();
    world.opening = s(1.0);
    world.call("A");
    world.run_for(s(0.5));
    let sid = parent(&world);
    assert_eq!(changes(&mut world, &sid, &call_hook()), Reply::Accepted);
    finish(&mut world);
    assert_eq!(world.application.asked.len(), 1);
    assert!(world.application.asked_at(ELSEWHERE)[0].payload.get("sip").is_some());

    let list = json!([{ "verb": "pause", "length": 1 }]);
    let mut world = Scene::running(&json!([]))
        .callees(vec![answers(2.0)])
        .answering(ELSEWHERE, text(&list))
        .without_caller();
    let id = begins(&mut world, &json!({}));
    world.run_for(s(1.0));
    let sid = sid_of(&world, id);
    assert_eq!(changes(&mut world, &sid, &call_hook()), Reply::Accepted);
    finish(&mut world);
    assert_eq!(asked_at(&world, ELSEWHERE).len(), world.application.asked.len());
    assert_near(request_to(&world, callee_address(1), &Method::Bye).at, 3.0);
}

#[test]
fn status_events_go_to_the_new_hook_from_then_on() {
    let mut world = dialling(vec![answers(0.5)], &json!({}), 2.0);
    let sid = parent(&world);
    let update = json!({ "call_hook": ELSEWHERE, "call_status_hook": "/status" });
    assert_eq!(changes(&mut world, &sid, &update), Reply::Accepted);
    finish(&mut world);
    let hooks = |ended: bool| {
        let of_caller = world.records.iter().filter(|record| record.call_sid == sid);
        of_caller
            .filter(|record| record.ended_at.is_some() == ended)
            .map(|record| {
                let url = |hook: &Option<verbs::Hook>| hook.as_ref().unwrap().url.clone();
                (url(&record.call_status_hook), url(&record.base_hook))
            })
            .next_back()
            .unwrap()
    };
    let before = ("http://application.test/status", "http://application.test/incoming");
    assert_eq!(hooks(false), (before.0.to_owned(), before.1.to_owned()));
    assert_eq!(hooks(true), ("/status".to_owned(), ELSEWHERE.to_owned()));
}

#[test]
fn what_is_unknown_over_or_not_built_is_refused() {
    let mut world = dialling(vec![answers(0.5)], &json!({}), 2.0);
    let (parent, child) = (parent(&world), children(&world).remove(0));
    let no_answer = json!({ "call_status": "no-answer" });
    assert_eq!(refused(&changes(&mut world, &parent, &no_answer)).0, 422);
    let (status, why) = (422, "listen_status is not supported by this version");
    let mute = json!({ "listen_status": "pause" });
    for sid in [&parent, &child] {
        assert_eq!(refused(&changes(&mut world, sid, &mute)), (status, why));
    }
    assert_eq!(refused(&completes(&mut world, "nobody")).0, 404);
    assert_eq!(completes(&mut world, &parent), Reply::Accepted);
    world.run_for(s(0.2));
    for sid in [&parent, &child] {
        assert_eq!(refused(&completes(&mut world, sid)).0, 404);
        assert_eq!(refused(&changes(&mut world, sid, &mute)).0, 404);
    }
    finish(&mut world);
    assert_eq!(refused(&completes(&mut world, &parent)).0, 404);
}

#[test]
fn a_caller_that_cancels_at_the_same_moment_ends_once() {
    let mut world = dialling(vec![waits()], &json!({}), 1.0);
    let sid = parent(&world);
    world.with_phone("A", |phone, now| phone.cancel(now));
    assert_eq!(completes(&mut world, &sid), Reply::Accepted);
    finish(&mut world);
    let ends = parent_history(&world).iter().filter(|said| said.starts_with("no-answer")).count();
    assert_eq!(ends, 1);
}
