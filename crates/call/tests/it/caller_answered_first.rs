//! A dial without `answerOnBridge` answers the caller before anybody is called, and lets it hear
//! a ringback tone until somebody answers: never silence.

use serde_json::json;
use sip::Method;

use crate::events::history;
use crate::scene::{
    CALLER, Scene, alerts, answers, callee_address, hangs_up, heard, phone, refuses, text,
};
use crate::sent::{request_to, responses_to, statuses_to};

#[test]
fn the_200_goes_out_before_the_invite() {
    let list = json!([{ "verb": "dial", "target": [phone("4915112345678")] }]);
    let scene = Scene::running(&list).callees(vec![answers(2.0)]).caller(hangs_up(10.0));
    let world = scene.play();
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert_eq!(invite.message.request_uri().unwrap(), "sip:+4915112345678@10.0.2.1");
    assert_eq!(statuses_to(&world, CALLER), [100, 200], "no second answer at the bridge");
    assert!(responses_to(&world, CALLER, 200)[0].at < invite.at);
    assert_eq!(
        history(&world),
        [
            "A trying/100",
            "A in-progress/200",
            "B1 trying/100",
            "B1 ringing/180",
            "B1 in-progress/200",
            "B1 completed/200",
            "A completed/200",
        ]
    );
    assert!(world.application.asked_at("/done").is_empty(), "no actionHook, no callback");
}

#[test]
fn an_answered_caller_hears_ringback_and_then_the_callee() {
    let more = json!({ "answerOnBridge": false });
    let scene = Scene::dialling(vec![answers(2.0)], &more).caller(hangs_up(5.0));
    assert_eq!(heard(&scene.play()), ["tone us", "callee 1", "nothing"]);
}

#[test]
fn the_ringback_is_that_of_the_settings_or_of_the_dial() {
    let scene = |more| {
        Scene::dialling(vec![answers(2.0)], &more)
            .caller(hangs_up(5.0))
            .settings(|settings| settings.ringback = "de".to_owned())
    };
    let world = scene(json!({ "answerOnBridge": false })).play();
    assert_eq!(heard(&world), ["tone de", "callee 1", "nothing"]);
    let world = scene(json!({ "answerOnBridge": false, "ringback": "UK" })).play();
    assert_eq!(heard(&world), ["tone uk", "callee 1", "nothing"]);
    let world = scene(json!({ "answerOnBridge": false, "ringback": "none" })).play();
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
}

#[test]
fn for_a_country_without_a_tone_the_caller_hears_that_of_the_settings_and_an_alert_says_so() {
    let more = json!({ "answerOnBridge": false, "ringback": "xx" });
    let scene = Scene::dialling(vec![answers(2.0)], &more).caller(hangs_up(5.0));
    let world = scene.settings(|settings| settings.ringback = "de".to_owned()).play();
    assert_eq!(heard(&world), ["tone de", "callee 1", "nothing"]);
    let said = alerts(&world);
    assert!(said[0].starts_with("invalid-app-payload: /0/ringback: "), "{said:?}");
    assert!(said[0].contains("\"xx\"; expected one of "), "{said:?}");
}

#[test]
fn a_caller_that_a_verb_answered_is_not_answered_again() {
    let dial = crate::scene::dial(1, &json!({}));
    let list = json!([{ "verb": "answer" }, dial]);
    let scene = Scene::running(&list).callees(vec![answers(2.0)]).caller(hangs_up(10.0));
    let world = scene.play();
    assert_eq!(responses_to(&world, CALLER, 200).len(), 2, "to its INVITE and to its BYE");
    assert_eq!(statuses_to(&world, CALLER), [100, 200], "no 180 after the 200");
    assert_eq!(heard(&world), ["tone us", "callee 1", "nothing"]);
}

#[test]
fn each_dial_of_an_answered_caller_has_its_ringback() {
    let second = crate::scene::dial(1, &json!({ "actionHook": "/second" }));
    let scene = Scene::dialling(vec![refuses(486, 1.0)], &json!({ "answerOnBridge": false }))
        .answering("/done", text(&json!([second])));
    let world = scene.play();
    assert_eq!(heard(&world), ["tone us", "nothing", "tone us", "nothing"]);
}
