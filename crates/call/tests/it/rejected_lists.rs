//! Lists of verbs that are refused: before the caller is answered with 480, the reason and an
//! alert, and nobody is called; and a `call_hook` that gives no list at all.

use serde_json::{Value, json};
use testkit::{Answer, World};

use crate::events::parent_history;
use crate::scene::{
    CALLER, Scene, alerts, callee_address, dial, hangs_up, phone, result, target, text, waits,
};
use crate::sent::{methods_to, response_to, statuses_to};

fn refused(answer: Answer) -> World {
    let mut scene = Scene::running(&json!([])).callees(vec![waits()]);
    scene.config.application =
        testkit::Application::default().answering("http://application.test/incoming", answer);
    scene.play()
}

#[track_caller]
fn assert_refused(world: &World, reason: &str) {
    assert_eq!(statuses_to(world, CALLER), [100, 480], "{reason}");
    let got = response_to(world, CALLER, 480).header("X-Reason").unwrap();
    assert!(got.contains(reason), "expected {reason}, got {got}");
    assert!(methods_to(world, callee_address(1)).is_empty());
    assert!(world.application.asked_at("/done").is_empty());
    assert_eq!(parent_history(world), ["trying/100", "failed/480"]);
}

#[test]
fn a_malformed_dial_calls_nobody() {
    let with = |name: &str, value: Value| {
        let mut dial = dial(1, &json!({}));
        dial[name] = value;
        json!([dial])
    };
    let cases = [
        (with("target", json!([])), "/0/target"),
        (with("target", json!("b1")), "/0/target"),
        (with("timeout", json!("5")), "/0/timeout"),
        (with("timeLimit", json!(-1)), "/0/timeLimit"),
        (with("answerOnBridge", json!("true")), "/0/answerOnBridge"),
        (with("target", json!([{ "type": "phone" }])), "/0/target/0"),
        (with("target", json!([{ "type": "pigeon", "number": "1" }])), "/0/target/0/type"),
        (with("callerId", json!("a\u{0}b")), "/0/callerId"),
        (json!([{ "verb": "dail", "target": [target(1)] }]), "/0"),
        (json!({ "verb": "dial" }), ""),
    ];
    for (list, pointer) in cases {
        let world = refused(text(&list));
        assert_refused(&world, pointer);
        let alerts = alerts(&world);
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(alerts[0].starts_with("invalid-app-payload: "), "{alerts:?}");
    }
}

#[test]
fn all_faults_are_in_the_alert_and_the_first_in_the_response() {
    let list = json!([{ "verb": "dial", "timeout": "5", "callerId": 7, "target": [] }]);
    let world = refused(text(&list));
    let alert = &alerts(&world)[0];
    for pointer in ["/0/timeout", "/0/callerId", "/0/target"] {
        assert!(alert.contains(pointer), "{pointer} in {alert}");
    }
    assert_eq!(alert.lines().count(), 3, "{alert}");
    assert_refused(&world, "/0/timeout");
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let world = refused(Answer::List("[{\"verb\":\"dial\",}]".to_owned()));
    assert_refused(&world, "1:16");
    let world = refused(Answer::List("<html>".to_owned()));
    assert_refused(&world, "1:1");
}

#[test]
fn headers_cannot_be_smuggled_in() {
    for (name, value) in [
        ("X-A", "b\r\nVia: x"),
        ("X-A", "b\nVia: x"),
        ("X-A", "b\u{0}c"),
        ("X-A\r\nVia", "x"),
        ("X A", "x"),
        ("Via", "x"),
        ("call-id", "x"),
        ("Contact", "<sip:x@y>"),
        ("m", "<sip:x@y>"),
        ("Content-Type", "text/plain"),
        ("Route", "<sip:x@y;lr>"),
        ("Proxy-Authorization", "x"),
    ] {
        let mut headers = json!({});
        headers[name] = json!(value);
        let of_dial = dial(1, &json!({ "headers": headers.clone() }));
        let mut with_headers = target(1);
        with_headers["headers"] = headers;
        let of_target = dial(0, &json!({ "target": [with_headers] }));
        for list in [of_dial, of_target] {
            assert_refused(&refused(text(&json!([list]))), "/headers/");
        }
    }
}

#[test]
fn a_hook_that_fails_refuses_the_caller() {
    let world = refused(Answer::Fails);
    assert_refused(&world, "application.test");
    assert!(alerts(&world)[0].starts_with("webhook-connection-failure: "));
}

#[test]
fn an_empty_list_declines_the_caller() {
    for answer in [Answer::Empty, Answer::List("[]".to_owned())] {
        let world = refused(answer);
        assert_eq!(statuses_to(&world, CALLER), [100, 603]);
        assert_eq!(parent_history(&world), ["trying/100", "failed/603"]);
    }
}

#[test]
fn an_unknown_property_is_an_alert_and_under_strict_a_refusal() {
    let list = json!([dial(1, &json!({ "timeOut": 5, "timeout": 1 }))]);
    let world = Scene::running(&list).callees(vec![waits()]).play();
    let seen = alerts(&world);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("unknown-property: "), "{seen:?}");
    assert!(seen[0].contains("/0/timeOut") && seen[0].contains("`timeout`"), "{seen:?}");
    assert_eq!(result(&world)["dial_call_status"], "no-answer", "the rest runs");

    let scene = Scene::running(&list).callees(vec![waits()]);
    let world = scene.application(|application| application.strict = true).play();
    assert_refused(&world, "/0/timeOut");
}

#[test]
fn a_list_that_comes_later_is_refused_without_ending_the_call() {
    let list = json!([{ "verb": "answer" }, { "verb": "redirect", "actionHook": "/bad" },
                      { "verb": "pause", "length": 2 }]);
    let scene = Scene::running(&list).callees(vec![waits()]).caller(hangs_up(30.0));
    let wrong = dial(0, &json!({ "target": [phone("1")], "timeout": "5 minutes" }));
    let world = scene.answering("/bad", text(&json!([wrong]))).play();
    let said = alerts(&world);
    assert!(said[0].starts_with("invalid-app-payload: "), "{said:?}");
    assert!(said[0].contains("/0/timeout"), "{said:?}");
    assert_eq!(methods_to(&world, CALLER), ["BYE"]);
    let ended = crate::scene::saw_at(&world, "A", &testkit::Note::Ended);
    crate::scene::assert_near(ended, 2.0);
}
