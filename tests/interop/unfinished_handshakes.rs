//! Messages that cross, come late, or never come.

use media::Codec;
use serde_json::json;

use crate::support::scene::{CALLEE, CALLER, Scene, dial};

#[test]
fn an_invite_without_an_offer_gets_one_and_the_ack_answers_it() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let caller = caller.with_formats(&[(8, "PCMA/8000")]);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({})));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_offers_late", &switch);
    caller_runs.receives("200");
    callee_runs.receives("ACK");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcma, 700.0);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    callee.audio.hears(Codec::Pcmu, 700.0);
    caller.audio.hears(Codec::Pcma, 1100.0);
    caller_runs.finishes();
    callee_runs.finishes();
    switch.ends();
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 487);
    let callee = scene.phone(CALLEE);
    let more = json!({ "answerOnBridge": true, "timeout": 0.4 });
    scene.app.runs("/incoming", &dial(&[&callee], &more));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers_too_late", &switch);
    caller.plays("caller_is_refused", &switch).finishes();
    let ladder = callee_runs.finishes();
    assert_eq!(ladder.received_kinds(), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert_eq!(scene.app.is_asked("/dialled").json["dial_call_status"], "no-answer");
    switch.ends();
}

#[test]
fn an_answer_that_is_never_acknowledged_is_repeated_and_then_ended() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    config.sip = "t1_ms = 20".to_owned();
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    let ladder = caller.plays("caller_never_acknowledges", &switch).finishes();
    callee_runs.finishes();
    let answers = ladder.received_copies("200");
    assert!(answers.len() > 4, "{}", ladder.summary());
    let gap = |index: usize| answers[index + 1].at - answers[index].at;
    assert!(gap(2) > 1.4 * gap(0), "RFC 3261 §13.3.1.4: it doubles\n{}", ladder.summary());
    // RFC 3261 §13.3.1.4: 64 T1 after the answer.
    let until_bye = ladder.only("BYE").at - answers[0].at;
    assert!((1.2..5.0).contains(&until_bye), "{until_bye} s");
    switch.ends();
}

#[test]
fn a_callee_that_is_not_there_fails_after_64_t1() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 408);
    // A socket that takes everything and says nothing.
    let silent = scene.phone(CALLEE);
    let _socket = std::net::UdpSocket::bind(silent.address).expect("the port is free");
    scene.app.runs("/incoming", &dial(&[&silent], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    config.sip = "t1_ms = 15".to_owned();
    let switch = scene.starts(&config);
    caller.plays("caller_is_refused", &switch).finishes();
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_targets"][0]["lost_because"], "unreachable", "{result}");
    assert_eq!(result["dial_call_status"], "failed");
    switch.ends();
}

#[test]
fn a_port_where_nobody_listens_fails_at_once() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 503);
    let nobody = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&nobody], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let ladder = caller.plays("caller_is_refused", &switch).finishes();
    let waited = ladder.only("503").at - ladder.sent("INVITE")[0].at;
    assert!(waited < 2.0, "the refusal of the network was known after {waited} s only");
    switch.ends();
}
