//! Applications that answer well, badly, late or not at all.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::application::Answer;
use crate::support::scene::{ANOTHER_APPLICATION, CALLEE, CALLER, Scene, dial};
use crate::support::wait_for;

/// Longest body that a switch reads, and more.
const HUGE: usize = 1024 * 1024 + 1;

/// Answers that are no list of verbs, and a word that the caller must find in X-Reason.
fn bad_answers() -> Vec<(&'static str, Answer, &'static str)> {
    let redirect =
        Answer { headers: vec!["Location: /elsewhere".to_owned()], ..Answer::status(302) };
    let huge = format!("[{}]", " ".repeat(HUGE));
    let unknown = json!([{ "verb": "dail", "target": [] }]);
    vec![
        ("an error", Answer::status(500), "500"),
        ("a redirect", redirect, "302"),
        ("garbage", Answer::text("application/json", "<html>"), "JSON"),
        ("a huge answer", Answer::text("application/json", &huge), "too long"),
        ("an unknown verb", Answer::json(&unknown), "dail"),
    ]
}

#[test]
fn a_first_answer_that_is_no_list_refuses_the_caller_and_says_why() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    for (what, answer, word) in bad_answers() {
        scene.app.answers("/incoming", answer);
        let caller = scene.phone(CALLER).with("status", 480);
        let ladder = caller.plays("caller_is_refused", &switch).finishes();
        let reason = ladder.only("480").header("X-Reason").unwrap_or_default().to_owned();
        assert!(reason.contains(word), "{what}: {reason}");
    }
    assert!(scene.app.requests("/elsewhere").is_empty(), "a redirect was followed");
    switch.ends();
}

#[test]
fn an_application_that_is_not_there_refuses_the_caller_and_is_named_in_the_log() {
    let scene = Scene::new();
    let nobody = TcpListener::bind((scene.network.ip(ANOTHER_APPLICATION), 0)).expect("it is free");
    let address = nobody.local_addr().expect("a bound socket has an address");
    drop(nobody);
    let mut config = scene.config();
    config.application = format!("call_hook = \"http://{address}/incoming\"");
    let switch = scene.starts(&config);
    let caller = scene.phone(CALLER).with("status", 480);
    let ladder = caller.plays("caller_is_refused", &switch).finishes();
    let reason = ladder.only("480").header("X-Reason").unwrap_or_default().to_owned();
    assert!(reason.contains("no connection"), "{reason}");
    assert!(switch.log().contains(&format!("POST http://{address}/incoming")), "{}", switch.log());
    switch.ends();
}

#[test]
fn a_bad_answer_after_a_dial_lets_the_list_go_on() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let empty = ("an empty answer", Answer::status(204), "");
    let no_verbs = ("an empty list", Answer::json(&json!([])), "");
    for (what, answer, _) in bad_answers().into_iter().chain([empty, no_verbs]) {
        let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE).with("talk", 50));
        let mut list = dial(&[&callee], &json!({}));
        let last = json!({ "verb": "hangup", "headers": { "X-Last": "verb" } });
        list.as_array_mut().expect("a list").push(last);
        scene.app.runs("/incoming", &list);
        scene.app.answers("/dialled", answer);
        let callee_runs = callee.plays("callee_hangs_up", &switch);
        let ladder = caller.plays("caller_stays", &switch).finishes();
        callee_runs.finishes();
        assert_eq!(ladder.only("BYE").header("X-Last"), Some("verb"), "{what}");
    }
    switch.ends();
}

#[test]
fn a_slow_application_is_given_up_and_nothing_else_waits_for_it() {
    let scene = Scene::new();
    let slow = Answer { delay: Duration::from_secs(11), ..Answer::json(&json!([])) };
    let (caller, callee) = (scene.phone(CALLER).with("status", 480), scene.phone(CALLEE));
    let second = scene.phone(6);
    scene.app.answers("/incoming", slow.clone());
    scene.app.answers("/dialled", slow);
    scene.app.runs("/second", &dial(&[&callee], &json!({})));
    let mut config = scene.config();
    config.rest = format!(
        "[[application]]\nname = \"second\"\ncall_hook = \"{}\"\n\
         [[carrier]]\nname = \"second\"\napplication = \"second\"\n\
         [[carrier.gateway]]\nhost = \"{}\"\n",
        scene.app.url("/second"),
        second.address.ip()
    );
    let switch = scene.starts(&config);
    let slow_start = caller.plays("caller_is_refused", &switch);
    let callee_runs = callee.plays("callee_hangs_up", &switch);
    let slow_end = second.plays("caller_stays", &switch);
    callee_runs.finishes();
    // A third caller is served while both of them wait.
    let (third, its_callee) = (scene.phone(6), scene.phone(4));
    scene.app.runs("/second", &dial(&[&its_callee], &json!({ "actionHook": "/quick" })));
    let its_callee_runs = its_callee.plays("callee_answers", &switch);
    third.plays("caller_hangs_up", &switch).finishes();
    its_callee_runs.finishes();
    assert!(slow_start.ladder().received("480").is_empty(), "it did not wait for the answer");
    let ladder = slow_start.finishes();
    let reason = ladder.only("480").header("X-Reason").unwrap_or_default().to_owned();
    assert!(reason.contains("no answer in time"), "{reason}");
    let ladder = slow_end.finishes();
    let waited = ladder.only("BYE").at - ladder.only("200").at;
    assert!((9.0..14.0).contains(&waited), "went on after {waited} s");
    switch.ends();
}

#[test]
fn a_caller_who_leaves_while_the_application_thinks_is_let_go() {
    let scene = Scene::new();
    let callee = scene.phone(CALLEE).with("talk", 50);
    let caller = scene.phone(CALLER).with("talk", 800);
    let list = Answer::json(&json!([{ "verb": "hangup" }]));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({})));
    scene.app.answers("/dialled", Answer { delay: Duration::from_secs(9), ..list });
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_hangs_up", &switch);
    let ladder = caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    let answers = ladder.received("200");
    assert_eq!(answers.len(), 2, "{}", ladder.summary());
    let waited = answers[1].at - ladder.sent("BYE")[0].at;
    assert!(waited < 4.0, "its BYE was answered after {waited} s");
    assert!(ladder.received("BYE").is_empty(), "{}", ladder.summary());
    switch.ends();
}

#[test]
fn a_hook_is_asked_again_as_often_as_its_fragment_says() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.application = format!("call_hook = \"{}#rc=2&rp=5xx\"", scene.app.url("/incoming"));
    let switch = scene.starts(&config);
    for (status, attempts) in [(503, 3), (404, 1)] {
        let before = scene.app.requests("/incoming").len();
        scene.app.answers("/incoming", Answer::status(status));
        let caller = scene.phone(CALLER).with("status", 480);
        caller.plays("caller_is_refused", &switch).finishes();
        assert_eq!(scene.app.requests("/incoming").len() - before, attempts, "{status}");
    }
    switch.ends();
}

#[test]
fn hooks_may_be_relative_absolute_or_a_bare_word() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let absolute = scene.app.url("/absolute?shop=7");
    for (hook, path) in [("/relative", "/relative"), (&absolute, "/absolute"), ("word", "/word")] {
        let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
        scene.app.runs("/incoming", &dial(&[&callee], &json!({ "actionHook": hook })));
        let callee_runs = callee.plays("callee_answers", &switch);
        caller.plays("caller_hangs_up", &switch).finishes();
        callee_runs.finishes();
        let request = scene.app.is_asked(path);
        assert_eq!(request.method, "POST");
        assert_eq!(request.query, if path == "/absolute" { "shop=7" } else { "" });
        assert_eq!(request.json["dial_call_status"], "completed", "{hook}");
    }
    switch.ends();
}

#[test]
fn a_get_hook_has_its_payload_in_the_query() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let hook = json!({ "url": "/dialled?shop=7", "method": "GET" });
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "actionHook": hook })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    let request = scene.app.is_asked("/dialled");
    assert_eq!(request.method, "GET");
    let query: Vec<&str> = request.query.split('&').collect();
    for wanted in
        ["shop=7", "dial_call_status=completed", "dial_sip_status=200", "from=491701234567"]
    {
        assert!(query.contains(&wanted), "{wanted} is not in {query:?}");
    }
    assert!(query.iter().any(|pair| pair.starts_with("dial_targets=%5B%7B")), "{query:?}");
    switch.ends();
}

#[test]
fn the_first_request_tells_who_calls_whom_and_how() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 603).with("headers", "\nX-Shop: 7");
    scene.app.runs("/incoming", &json!([]));
    let switch = scene.starts_usual();
    caller.plays("caller_is_refused", &switch).finishes();
    let request = scene.app.is_asked("/incoming");
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(request.headers["jambonz-signature"].starts_with("t="));
    let expected = [
        ("direction", json!("inbound")),
        ("from", json!("491701234567")),
        ("to", json!("4930123")),
        ("caller_name", json!("Caller")),
        ("call_status", json!("trying")),
        ("sip_status", json!(100)),
        ("originating_sip_ip", json!(caller.address.ip().to_string())),
        ("originating_sip_trunk_name", json!("trunk")),
    ];
    for (name, value) in expected {
        assert_eq!(request.json[name], value, "{name} in {}", request.json);
    }
    let headers = &request.json["sip"]["headers"];
    let shop = headers
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| name.eq_ignore_ascii_case("X-Shop"));
    assert_eq!(shop.map(|(_, value)| value), Some(&json!("7")), "{headers}");
    switch.ends();
}

#[test]
fn a_fixed_list_runs_without_any_request() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let list: Value =
        json!([{ "verb": "dial", "answerOnBridge": true, "target": [callee.target()] }]);
    std::fs::write(scene.folder.join("list.json"), list.to_string()).expect("it can be written");
    let mut config = scene.config();
    config.application = "app_json = \"list.json\"".to_owned();
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    assert!(scene.app.requests("/incoming").is_empty());
    wait_for("events all the same", || (scene.app.told().len() == 7).then_some(()));
    switch.ends();
}
