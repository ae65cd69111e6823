//! `sip:request`: a list sends a request to the party that runs it, and goes on when that has
//! answered.

use serde_json::{Value, json};
use sip::Method;
use testkit::World;

use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, answers, assert_near, callee_address, dial, finish, hangs_up, result, s, text,
};
use crate::sent::{Sent, request_to, requests_to, response_to, statuses_to};

fn request(more: &Value) -> Value {
    let mut verb = json!({
        "verb": "sip:request", "method": "INFO", "body": "hello", "headers": { "X-One": "1" },
        "actionHook": "/sent"
    });
    verb.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    verb
}

/// A caller that the test plays and whose list this is; it was answered.
fn answered(list: &Value, hook: &Value) -> World {
    let scene = Scene::running(list).answering("/sent", text(hook));
    let mut world = scene.before_the_call();
    world.phones.remove(&CALLER);
    Raw(CALLER).invite(&mut world, "", &description(Raw(CALLER), 1, ""));
    world.run_for(s(0.3));
    let answer = response_to(&world, CALLER, 200);
    Raw(CALLER).request_as_caller(&mut world, &answer.message, &Request::new("ACK", 1));
    world
}

/// The same, and the request that it got.
fn asked(list: &Value, hook: &Value) -> (World, Sent) {
    let mut world = answered(list, hook);
    world.run_for(s(0.2));
    let info = request_to(&world, CALLER, &Method::Info);
    (world, info)
}

fn told(world: &World) -> Value {
    world.application.asked_at("/sent")[0].payload.clone()
}

fn takes_bye(world: &mut World) {
    world.run_for(s(0.2));
    let bye = requests_to(world, CALLER, &Method::Bye).remove(0);
    Raw(CALLER).respond(world, &bye, "200 OK", "", "");
    finish(world);
    world.judge.at_rest().unwrap();
}

#[test]
fn the_list_waits_for_the_response_and_its_hook_hears_of_it() {
    let list = json!([{ "verb": "answer" }, request(&json!({ "id": "r" }))]);
    for (line, outcome, status) in
        [("200 OK", "success", 200), ("202 Accepted", "success", 202), ("488 No", "failed", 488)]
    {
        let (mut world, info) = asked(&list, &json!([]));
        assert_eq!((info.body().as_str(), info.header("X-One").as_deref()), ("hello", Some("1")));
        assert_eq!(info.header("Content-Type").as_deref(), Some("text/plain"));
        world.run_for(s(1.0));
        assert!(world.application.asked_at("/sent").is_empty(), "not before the response");
        Raw(CALLER).respond(&mut world, &info, line, "", "");
        world.run_for(s(0.2));
        let told = told(&world);
        assert_eq!(
            (&told["result"], &told["sip_status"], &told["verb_id"]),
            (&json!(outcome), &json!(status), &json!("r"))
        );
        assert_eq!(told.get("err"), None);
        assert_eq!(told["call_sid"], json!(world.application.calls(false)[0]));
        takes_bye(&mut world);
    }
}

#[test]
fn what_its_hook_answers_takes_the_place_of_the_rest() {
    let rest = json!({ "verb": "pause", "length": 60 });
    let list = json!([{ "verb": "answer" }, request(&json!({})), rest]);
    let (mut world, info) = asked(&list, &json!([{ "verb": "hangup" }]));
    Raw(CALLER).respond(&mut world, &info, "200 OK", "", "");
    takes_bye(&mut world);
}

#[test]
fn who_does_not_answer_it_lets_the_list_go_on_after_32_seconds() {
    let list = json!([{ "verb": "answer" }, request(&json!({ "method": "MESSAGE" }))]);
    let mut world = answered(&list, &json!([]));
    world.run_for(s(40.0));
    let asked = &world.application.asked_at("/sent")[0];
    assert_near(asked.at.duration_since(world.start).as_secs_f64(), 32.0);
    assert_eq!(
        (&told(&world)["result"], &told(&world)["sip_status"]),
        (&json!("failed"), &json!(408))
    );
    takes_bye(&mut world);
}

#[test]
fn to_a_caller_who_is_not_answered_there_is_nothing_to_send() {
    let list = json!([request(&json!({})), { "verb": "sip:decline", "status": 480 }]);
    let world = Scene::running(&list).play();
    assert!(requests_to(&world, CALLER, &Method::Info).is_empty());
    let told = told(&world);
    assert_eq!(
        (&told["result"], &told["err"]),
        (&json!("failed"), &json!("the call is not answered"))
    );
    assert_eq!(statuses_to(&world, CALLER), [100, 480], "the list goes on");
}

#[test]
fn a_response_for_a_list_that_has_given_way_changes_nothing() {
    let list = json!([{ "verb": "answer" }, request(&json!({}))]);
    let (mut world, info) = asked(&list, &json!([]));
    let sid = world.application.calls(false)[0].clone();
    let elsewhere = json!([request(&json!({ "method": "MESSAGE", "actionHook": "/second" }))]);
    world.application = world.application.clone().answering("/elsewhere", text(&elsewhere));
    let change = json!({ "call_hook": "/elsewhere" });
    assert_eq!(crate::placed::changes(&mut world, &sid, &change), call::Reply::Accepted);
    world.run_for(s(0.2));
    let message = request_to(&world, CALLER, &Method::Message);
    Raw(CALLER).respond(&mut world, &info, "200 OK", "", "");
    world.run_for(s(0.2));
    assert!(world.application.asked_at("/sent").is_empty());
    assert!(world.application.asked_at("/second").is_empty(), "that one waits for its own");
    Raw(CALLER).respond(&mut world, &message, "200 OK", "", "");
    world.run_for(s(0.2));
    assert_eq!(world.application.asked_at("/second").len(), 1);
    takes_bye(&mut world);
}

#[test]
fn a_callee_that_is_screened_gets_it_and_is_connected_after_its_response() {
    let more = json!({ "confirmHook": "/confirm" });
    let list = json!([request(&json!({}))]);
    let scene = Scene::dialling(vec![answers(1.0)], &more).caller(hangs_up(1.0));
    let world = scene.answering("/confirm", text(&list)).play();
    let info = request_to(&world, callee_address(1), &Method::Info);
    assert_eq!(info.body(), "hello");
    assert_near(info.at, 1.0);
    let told = told(&world);
    assert_eq!(told["call_sid"], json!(world.application.calls(true)[0]), "of the callee");
    assert_eq!(told["result"], "success");
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn after_a_dial_it_goes_to_the_caller() {
    let list = json!([dial(1, &json!({})), request(&json!({}))]);
    let scene = Scene::running(&list).callees(vec![crate::scene::talks(0.5, 1.0)]);
    let world = scene.caller(crate::scene::patient()).play();
    assert_eq!(requests_to(&world, CALLER, &Method::Info).len(), 1);
    assert!(requests_to(&world, callee_address(1), &Method::Info).is_empty());
    assert_eq!(told(&world)["result"], "success");
}
