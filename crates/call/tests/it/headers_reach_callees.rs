//! Headers that an application sets on the INVITE of its callees, and those that stay inside.

use std::sync::Arc;

use serde_json::{Value, json};
use sip::{Message, Method};

use crate::events::children;
use crate::scene::{Scene, callee_address, dial, phone, target, waits};
use crate::sent::request_to;

fn text(message: &Message, name: &str) -> Vec<String> {
    message.header_all(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

#[test]
fn a_target_wins_over_the_dial() {
    let mut second = target(2);
    second["headers"] = json!({ "x-foo": "second", "X-Own": "yes" });
    let headers = json!({ "X-Foo": "bar", "X-N": 5, "X-Fraction": 1.5 });
    let more = json!({ "target": [target(1), second], "headers": headers, "timeout": 1 });
    let scene = Scene::running(&json!([dial(0, &more)])).callees(vec![waits(), waits()]);
    let world = scene.play();
    let one = request_to(&world, callee_address(1), &Method::Invite).message;
    let two = request_to(&world, callee_address(2), &Method::Invite).message;
    assert_eq!(text(&one, "X-Foo"), ["bar"]);
    assert_eq!(text(&one, "X-N"), ["5"]);
    assert_eq!(text(&one, "X-Fraction"), ["1.5"]);
    assert_eq!(one.header("X-Own"), None, "of one target, for one target");
    assert_eq!(text(&two, "X-Foo"), ["second"], "names do not care for case");
    assert_eq!(text(&two, "X-Own"), ["yes"]);
    assert_eq!(text(&two, "X-N"), ["5"]);
}

#[test]
fn a_second_dial_does_not_inherit_headers() {
    let first = dial(1, &json!({ "headers": { "X-Foo": "bar" }, "timeout": 1 }));
    let second = dial(0, &json!({ "target": [target(2)], "timeout": 1 }));
    let world = Scene::running(&json!([first, second])).callees(vec![waits(), waits()]).play();
    let second = request_to(&world, callee_address(2), &Method::Invite).message;
    assert_eq!(second.header("X-Foo"), None);
}

fn to_carrier(target: &Value, send_call_sid: bool) -> (Message, String) {
    let list = json!([dial(0, &json!({ "target": [target], "timeout": 1 }))]);
    let world = Scene::running(&list)
        .callees(vec![waits()])
        .settings(|settings| {
            Arc::make_mut(&mut settings.carriers[1]).send_call_sid = send_call_sid;
        })
        .play();
    let invite = request_to(&world, callee_address(1), &Method::Invite).message;
    (invite, children(&world).remove(0))
}

#[test]
fn a_carrier_is_not_told_our_identifiers_unless_it_should_be() {
    let number = phone("4915112345678");
    let (invite, _) = to_carrier(&number, false);
    let internal = invite.headers().find(|(name, _)| name.starts_with("X-"));
    assert_eq!(internal, None);
    let (invite, call_sid) = to_carrier(&number, true);
    assert_eq!(text(&invite, "X-Call-Sid"), [call_sid]);
    let (invite, _) = to_carrier(&target(1), true);
    assert_eq!(invite.header("X-Call-Sid"), None, "a SIP URI is nobody we know");
}

#[test]
fn neither_is_the_carrier_that_calls() {
    for send_call_sid in [false, true] {
        let world = Scene::dialling(vec![crate::scene::answers(0.5)], &json!({}))
            .caller(crate::scene::hangs_up(1.0))
            .settings(|settings| {
                Arc::make_mut(&mut settings.carriers[0]).send_call_sid = send_call_sid;
            })
            .play();
        let answer = &crate::sent::responses_to(&world, crate::scene::CALLER, 200)[0];
        let expected = send_call_sid.then(|| crate::events::parent(&world));
        assert_eq!(answer.header("X-Call-Sid"), expected);
    }
}
