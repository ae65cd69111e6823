//! What phones send once a call is up, and OPTIONS outside of one.

use media::Codec;
use serde_json::json;

use crate::support::ladder::{Ladder, Message};
use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::steps::Steps;
use crate::support::wait_for;

/// The descriptions of our answers to INVITEs, and their directions.
fn answered(ladder: &Ladder) -> Vec<(String, &'static str)> {
    let is_answer = |message: &&Message| message.cseq_method() == "INVITE";
    let describe = |message: &Message| {
        let body = message.body().join("\n");
        let direction = ["a=recvonly", "a=inactive", "a=sendonly"]
            .into_iter()
            .find(|direction| body.contains(direction))
            .unwrap_or("a=sendrecv");
        (message.audio_address().map(|address| address.to_string()).unwrap_or_default(), direction)
    };
    ladder.received("200").into_iter().filter(is_answer).map(describe).collect()
}

#[test]
fn a_caller_holds_and_takes_back_and_asks_in_between() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_holds", &switch);
    let to_switch = caller_runs.audio_of_switch();
    caller.audio.says(to_switch, Codec::Pcmu, 700.0);
    callee.audio.hears(Codec::Pcmu, 700.0);
    let ladder = caller_runs.finishes();
    callee_runs.finishes();
    let answers = answered(&ladder);
    let directions: Vec<&str> = answers.iter().map(|(_, direction)| *direction).collect();
    assert_eq!(directions, ["a=sendrecv", "a=recvonly", "a=sendrecv"]);
    assert!(answers.iter().all(|(address, _)| *address == to_switch.to_string()), "{answers:?}");
    let options = ladder.0.iter().find(|m| !m.sent && m.cseq_method() == "OPTIONS");
    let allow = options.and_then(|message| message.header("Allow")).unwrap_or_default();
    assert!(allow.contains("INVITE"), "{allow}");
    switch.ends();
}

#[test]
fn a_callee_holds_and_is_heard_again_after_it() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("talk", 1500);
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_holds", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    let to_switch = callee_runs.audio_of_switch();
    wait_for("the end of the hold", || (answered(&callee_runs.ladder()).len() == 2).then_some(()));
    callee.audio.says(to_switch, Codec::Pcmu, 1100.0);
    caller.audio.hears(Codec::Pcmu, 1100.0);
    caller_runs.finishes();
    let ladder = callee_runs.finishes();
    let answers = answered(&ladder);
    let directions: Vec<&str> = answers.iter().map(|(_, direction)| *direction).collect();
    assert_eq!(directions, ["a=recvonly", "a=sendrecv"]);
    switch.ends();
}

#[test]
fn an_application_hears_of_what_a_phone_asks_inside_its_call_if_it_likes() {
    let scene = Scene::new();
    let text = ["Content-Type: text/plain"];
    let steps = Steps::of_caller()
        .is_answered()
        .asks("MESSAGE", &text, "hello", 202)
        .asks("INFO", &text, "lamp on", 200)
        .asks("SUBSCRIBE", &["Event: dialog"], "", 405)
        .waits()
        .hangs_up();
    let caller = scene.phone(CALLER).with("steps", steps);
    scene.app.runs(
        "/incoming",
        &json!([
            { "verb": "config", "sipRequestWithinDialogHook": "/inside" }, { "verb": "answer" },
            { "verb": "pause", "length": 20 },
        ]),
    );
    let switch = scene.starts_usual();
    let caller_runs = caller.plays("caller_by_steps", &switch);
    let asked = wait_for("both requests", || {
        let asked = scene.app.requests("/inside");
        (asked.len() == 2).then_some(asked)
    });
    for (method, body) in [("MESSAGE", "hello"), ("INFO", "lamp on")] {
        // why: nothing says which of two questions comes first.
        let of_method = asked.iter().find(|asked| asked.json["sip_method"] == method);
        let asked = &of_method.unwrap_or_else(|| panic!("no {method} in {asked:?}")).json;
        let said = asked["sip_body"].as_str().map(str::trim_end);
        assert_eq!(said, Some(body), "{asked}");
        assert_eq!(asked["sip_headers"]["content-type"], "text/plain", "{asked}");
    }
    caller_runs.receives("405");
    caller_runs.proceeds();
    caller_runs.finishes();
    switch.ends();
}

#[test]
fn options_are_answered_with_what_is_understood() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let ladder = scene.phone(CALLER).plays("options", &switch).finishes();
    let answer = ladder.only("200");
    let allow = answer.header("Allow").unwrap_or_default();
    for method in
        ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "PRACK", "UPDATE", "REFER", "MESSAGE"]
    {
        assert!(allow.split(", ").any(|known| known == method), "{method} is not in {allow}");
    }
    assert_eq!(answer.header("Accept"), Some("application/sdp"));
    let supported = answer.header("Supported").unwrap_or_default();
    for option in ["100rel", "timer"] {
        assert!(supported.contains(option), "{option} is not in {supported}");
    }
    switch.ends();
}

#[test]
fn a_list_sends_a_request_to_a_phone_and_runs_what_its_hook_answers() {
    let scene = Scene::new();
    let steps =
        Steps::of_caller().is_answered().is_asked("INFO", "200 Lamp is on", &[]).is_hung_up();
    let caller = scene.phone(CALLER).with("steps", steps);
    scene.app.runs(
        "/incoming",
        &json!([
            { "verb": "answer" },
            { "verb": "sip:request", "method": "INFO", "body": "lamp on",
              "headers": { "X-Lamp": "3" }, "actionHook": "/sent" },
            { "verb": "pause", "length": 20 },
        ]),
    );
    scene.app.runs("/sent", &json!([{ "verb": "hangup" }]));
    let switch = scene.starts_usual();
    let caller_runs = caller.plays("caller_by_steps", &switch);
    let got = caller_runs.receives("INFO");
    assert_eq!(
        (got.header("Content-Type"), got.header("X-Lamp"), got.body().concat()),
        (Some("text/plain"), Some("3"), "lamp on".to_owned()),
        "{}",
        got.text
    );
    let told = scene.app.is_asked("/sent").json;
    assert_eq!((&told["result"], &told["sip_status"]), (&json!("success"), &json!(200)), "{told}");
    caller_runs.finishes();
    switch.ends();
}
