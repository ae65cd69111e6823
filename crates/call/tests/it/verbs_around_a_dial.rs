//! The verbs that need no media: answer, pause, redirect, tag, hangup, sip:decline.

use serde_json::{Value, json};
use testkit::{Answer, Note, World};

use crate::events::{event, parent, parent_history};
use crate::scene::{
    CALLER, Scene, alerts, assert_near, dial, hangs_up, patient, refuses, saw_at, text,
};
use crate::sent::{methods_to, request_to, response_to, responses_to, statuses_to};

fn play(list: &Value) -> World {
    Scene::running(list).play()
}

#[test]
fn answer_then_nothing_hangs_up() {
    let world = play(&json!([{ "verb": "answer" }]));
    assert_eq!(statuses_to(&world, CALLER), [100, 200]);
    assert_eq!(parent_history(&world), ["trying/100", "in-progress/200", "completed/200"]);
    assert_eq!(event(&world, &parent(&world), "completed")["duration"], 0);
}

#[test]
fn a_pause_lasts() {
    let list = json!([{ "verb": "answer" }, { "verb": "pause", "length": 1.5 }]);
    let world = play(&list);
    assert_near(saw_at(&world, "A", &Note::Ended), 1.5);
    let unanswered = play(&json!([{ "verb": "pause", "length": 2 }]));
    assert_eq!(statuses_to(&unanswered, CALLER), [100, 603], "it answers nobody");
    assert_near(response_to(&unanswered, CALLER, 603).at, 2.0);
}

#[test]
fn a_caller_that_hangs_up_ends_a_pause() {
    let list = json!([{ "verb": "answer" }, { "verb": "pause", "length": 60 },
                      { "verb": "redirect", "actionHook": "/next" }]);
    let world = Scene::running(&list).caller(hangs_up(2.0)).play();
    assert_near(world.now.duration_since(world.start).as_secs_f64().min(40.0), 34.01);
    assert!(world.application.asked_at("/next").is_empty());
}

#[test]
fn hangup_refuses_a_caller_with_603_or_with_its_own_status() {
    let refused = |more: Value| {
        let mut hangup = json!({ "verb": "hangup", "headers": { "X-Why": "closed" } });
        hangup.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let world = play(&json!([hangup]));
        let sent = responses_to(&world, CALLER, world_status(&world)).remove(0);
        assert_eq!(sent.header("X-Why").as_deref(), Some("closed"));
        let history = parent_history(&world);
        (sent.message.reason().into_owned(), history.last().unwrap().clone())
    };
    let said = |reason: &str, status: &str| (reason.to_owned(), status.to_owned());
    assert_eq!(refused(json!({})), said("Decline", "failed/603"));
    assert_eq!(refused(json!({ "status": 486 })), said("Busy Here", "failed/486"));
    let closed = json!({ "status": 480, "reason": "Closed" });
    assert_eq!(refused(closed), said("Closed", "failed/480"));
    let answered = play(&json!([{ "verb": "answer" }, { "verb": "hangup", "status": 486 }]));
    assert_eq!(statuses_to(&answered, CALLER), [100, 200]);
    assert_eq!(parent_history(&answered).last().unwrap(), "completed/200");
}

/// The final status that the caller got.
fn world_status(world: &World) -> u16 {
    *statuses_to(world, CALLER).last().unwrap()
}

#[test]
fn redirect_takes_the_new_list() {
    let list = json!([{ "verb": "redirect", "actionHook": "/next" },
                      { "verb": "redirect", "actionHook": "/old" }]);
    let answer = text(&json!([{ "verb": "sip:decline", "status": 486 }]));
    let world = Scene::running(&list).answering("/next", answer).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 486]);
    assert!(world.application.asked_at("/old").is_empty());
    let payload = &world.application.asked_at("/next")[0].payload;
    assert_eq!(payload["call_sid"], parent(&world));
    assert_eq!(payload["call_status"], "trying");
    assert!(payload.get("dial_status").is_none());
}

#[test]
fn a_redirect_that_fails_lets_the_list_go_on() {
    let list = json!([{ "verb": "redirect", "actionHook": "/next" },
                      { "verb": "sip:decline", "status": 480 }]);
    let world = Scene::running(&list).answering("/next", Answer::Fails).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 480]);
    assert_eq!(alerts(&world).len(), 1);
}

#[test]
fn hangup_says_bye_with_its_headers() {
    let list = json!([{ "verb": "answer" },
                      { "verb": "hangup", "headers": { "X-Reason": "closed", "X-N": 3 } },
                      { "verb": "redirect", "actionHook": "/never" }]);
    let world = play(&list);
    let bye = request_to(&world, CALLER, &sip::Method::Bye);
    assert_eq!(bye.header("X-Reason").as_deref(), Some("closed"));
    assert_eq!(bye.header("X-N").as_deref(), Some("3"));
    assert!(world.application.asked_at("/never").is_empty());
    let completed = event(&world, &parent(&world), "completed");
    assert_eq!(completed["call_termination_by"], "jambonz");
}

#[test]
fn hangup_declines_a_caller_that_was_not_answered() {
    let world = play(&json!([{ "verb": "hangup", "headers": { "X-Reason": "closed" } }]));
    assert_eq!(statuses_to(&world, CALLER), [100, 603]);
    let declined = response_to(&world, CALLER, 603);
    assert_eq!(declined.header("X-Reason").as_deref(), Some("closed"));
    assert_eq!(parent_history(&world), ["trying/100", "failed/603"]);
}

#[test]
fn decline_says_what_it_is_told_to() {
    let list = json!([{ "verb": "sip:decline", "status": 503, "reason": "Lunch Break",
                        "headers": { "Retry-After": "1800" } }]);
    let world = play(&list);
    assert_eq!(world.phone("A").saw(&Note::Rejected(503, "Lunch Break".to_owned())), 1);
    let declined = response_to(&world, CALLER, 503);
    assert_eq!(declined.header("Retry-After").as_deref(), Some("1800"));
    let failed = event(&world, &parent(&world), "failed");
    assert_eq!(failed["sip_status"], 503);
    assert_eq!(failed["sip_reason"], "Lunch Break");
}

#[test]
fn decline_after_a_failed_dial() {
    let list = json!([dial(1, &json!({})), { "verb": "sip:decline", "status": 486 }]);
    let world = Scene::running(&list).callees(vec![refuses(404, 0.5)]).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 486]);
    assert_eq!(parent_history(&world), ["trying/100", "failed/486"]);
}

#[test]
fn decline_of_an_answered_caller_is_an_alert() {
    let list = json!([{ "verb": "answer" }, { "verb": "sip:decline", "status": 486 },
                      { "verb": "pause", "length": 1 }]);
    let world = Scene::running(&list).caller(patient()).play();
    assert!(alerts(&world)[0].starts_with("invalid-app-payload: /1: "), "{:?}", world.alerts);
    assert_eq!(methods_to(&world, CALLER), ["BYE"]);
    assert_near(saw_at(&world, "A", &Note::Ended), 1.0);
}

#[test]
fn what_was_dialled_before_an_answered_call_is_not_its_status() {
    let list = json!([dial(1, &json!({})), { "verb": "answer" }]);
    let world = Scene::running(&list).callees(vec![refuses(404, 0.5)]).play();
    assert_eq!(statuses_to(&world, CALLER), [100, 180, 200]);
    assert_eq!(responses_to(&world, CALLER, 404).len(), 0);
    assert_eq!(parent_history(&world).last().unwrap(), "completed/200");
}
