//! What the answer of the actionHook does: a list replaces the rest; anything else, a failure
//! included, lets the running list go on; it never ends the call by itself.

use serde_json::json;
use testkit::{Answer, Note, World};

use crate::events::{event, parent};
use crate::scene::{
    CALLER, Scene, alerts, assert_near, callee_address, dial, finish, hangs_up, result, s, saw_at,
    talks, text,
};
use crate::sent::methods_to;

/// A dial that completes after about 4 s, then a redirect to `/next`; the actionHook answers this.
fn answered_with(answer: Answer) -> Scene {
    let next = json!({ "verb": "redirect", "actionHook": "/next" });
    Scene::running(&json!([dial(1, &json!({})), next]))
        .callees(vec![talks(2.0, 2.0)])
        .answering("/done", answer)
}

fn asked(world: &World, url: &str) -> usize {
    world.application.asked_at(url).len()
}

#[test]
fn an_empty_answer_lets_the_list_go_on() {
    for answer in [Answer::Empty, Answer::List("[]".to_owned()), Answer::List(" [\n] ".to_owned())]
    {
        let world = answered_with(answer.clone()).play();
        assert_eq!((asked(&world, "/done"), asked(&world, "/next")), (1, 1), "{answer:?}");
        assert_eq!(methods_to(&world, CALLER), ["BYE"], "nothing is left to run");
        assert!(world.alerts.is_empty(), "{answer:?}: {:?}", alerts(&world));
    }
}

#[test]
fn a_list_replaces_the_rest() {
    let replacement = json!([{ "verb": "redirect", "actionHook": "/replaced" }]);
    let world = answered_with(text(&replacement)).play();
    assert_eq!((asked(&world, "/replaced"), asked(&world, "/next")), (1, 0));
    assert_eq!(methods_to(&world, CALLER), ["BYE"]);
}

#[test]
fn a_hook_that_fails_lets_the_list_go_on() {
    let world = answered_with(Answer::Fails).play();
    assert_eq!(asked(&world, "/next"), 1);
    assert!(alerts(&world)[0].starts_with("webhook-connection-failure: "), "{:?}", world.alerts);
}

#[test]
fn a_list_that_is_refused_lets_the_running_one_go_on() {
    for refused in ["{nonsense", "{\"verb\":\"x\"}", "[{\"verb\":\"dial\",\"target\":[]}]", "7"] {
        let world = answered_with(Answer::List(refused.to_owned())).play();
        assert_eq!(asked(&world, "/next"), 1, "{refused}");
        let alerts = alerts(&world);
        assert_eq!(alerts.len(), 1, "{refused}: {alerts:?}");
        assert!(alerts[0].starts_with("invalid-app-payload: "), "{alerts:?}");
    }
}

#[test]
fn a_slow_answer_holds_up_nothing_but_the_list() {
    let mut world = answered_with(Answer::Empty).begin();
    world.run_for(s(1.0));
    world.application.thinks = s(9.0);
    world.run_for(s(5.0));
    assert_eq!((asked(&world, "/done"), asked(&world, "/next")), (1, 0));
    world.with_phone("A", |phone, now| phone.hang_up(now));
    world.run_for(s(0.1));
    let told = event(&world, &parent(&world), "completed").clone();
    assert_eq!(told["call_termination_by"], "caller", "told at once, not after the hook");
    finish(&mut world);
    assert_eq!(asked(&world, "/next"), 0, "nobody is left to run it for");
}

#[test]
fn the_caller_gone_the_answer_is_ignored() {
    let replacement = json!([{ "verb": "redirect", "actionHook": "/replaced" }]);
    let scene = answered_with(text(&replacement)).caller(hangs_up(1.0));
    let world = scene.play();
    assert_eq!(asked(&world, "/done"), 1, "the outcome is told all the same");
    assert_eq!(result(&world)["call_status"], "completed");
    assert_eq!((asked(&world, "/replaced"), asked(&world, "/next")), (0, 0));
}

#[test]
fn a_second_dial_runs_after_the_first() {
    let second = dial(1, &json!({ "actionHook": "/second" }));
    let scene = Scene::running(&json!([dial(1, &json!({})), second]));
    let world = scene.callees(vec![talks(1.0, 2.0)]).play();
    assert_eq!((asked(&world, "/done"), asked(&world, "/second")), (1, 1));
    assert_eq!(world.application.asked_at("/second")[0].payload["dial_status"], "completed");
    let methods = methods_to(&world, callee_address(1));
    assert_eq!(methods, ["INVITE", "ACK", "INVITE", "ACK"]);
    assert_near(saw_at(&world, "A", &Note::Ended), 6.1);
}

#[test]
fn without_an_action_hook_nobody_is_asked_unless_the_application_wants_defaults() {
    let list = json!([{ "verb": "dial", "target": [crate::scene::target(1)] }]);
    let scene = || Scene::running(&list).callees(vec![talks(1.0, 1.0)]);
    let world = scene().play();
    assert_eq!(world.application.asked.len(), 1, "only the call_hook");
    let world = scene().application(|application| application.default_hooks = true).play();
    assert_eq!(world.application.asked_at("dial").len(), 1);
    assert_eq!(world.application.asked_at("dial")[0].payload["dial_status"], "completed");
}
