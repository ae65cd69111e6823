//! While callees ring: what the caller hears, who wins, and how the others learn that they lost.

use media::Codec;
use serde_json::{Value, json};

use crate::support::scene::{CALLEE, CALLER, Scene, dial};

/// The callees' part of the result, one word for each target.
fn lost_because(result: &Value) -> Vec<String> {
    let targets = result["dial_targets"].as_array().cloned().unwrap_or_default();
    let word = |target: &Value| target["lost_because"].as_str().unwrap_or("-").to_owned();
    targets.iter().map(word).collect()
}

#[test]
fn of_three_that_ring_one_wins_and_the_losers_are_told_so() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER);
    let callees = [scene.phone(3), scene.phone(4), scene.phone(5)];
    let targets = [&callees[0], &callees[1], &callees[2]];
    scene.app.runs("/incoming", &dial(&targets, &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let losers =
        [callees[0].plays("callee_rings", &switch), callees[2].plays("callee_rings", &switch)];
    let winner = callees[1].plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    winner.finishes();
    for loser in losers {
        let ladder = loser.finishes();
        let reason = ladder.only("CANCEL").header("Reason").map(str::to_owned);
        let expected = "SIP;cause=200;text=\"Call completed elsewhere\"";
        assert_eq!(reason.as_deref(), Some(expected));
        assert_eq!(ladder.sent("487").len(), 1, "{}", ladder.summary());
    }
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "completed");
    assert_eq!(lost_because(&result), ["answered-elsewhere", "-", "answered-elsewhere"]);
    let told = scene.app.told();
    let lost = told.iter().filter(|event| *event == "outbound no-answer 487").count();
    assert_eq!(lost, 2, "{told:?}");
    switch.ends();
}

#[test]
fn nobody_answers_until_the_ring_timeout() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 487);
    let callees = [scene.phone(3), scene.phone(4)];
    let more = json!({ "answerOnBridge": true, "timeout": 0.8 });
    scene.app.runs("/incoming", &dial(&[&callees[0], &callees[1]], &more));
    let switch = scene.starts_usual();
    let rings =
        [callees[0].plays("callee_rings", &switch), callees[1].plays("callee_rings", &switch)];
    caller.plays("caller_is_refused", &switch).finishes();
    for ring in rings {
        let ladder = ring.finishes();
        let cancel = ladder.only("CANCEL");
        assert!(!cancel.header("Reason").unwrap_or_default().contains("elsewhere"));
        let rang = cancel.at - ladder.only("INVITE").at;
        assert!((0.7..4.0).contains(&rang), "cancelled after {rang} s");
    }
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"]),
        (&json!("no-answer"), &json!(487))
    );
    assert_eq!(lost_because(&result), ["ring-timeout", "ring-timeout"]);
    switch.ends();
}

#[test]
fn a_busy_callee_makes_the_caller_busy() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 486);
    let callee = scene.phone(CALLEE).with("response", "486 Busy Here");
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_refuses", &switch);
    let ladder = caller.plays("caller_is_refused", &switch).finishes();
    callee_runs.finishes();
    assert_eq!(ladder.received_kinds(), ["100", "486"]);
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"]),
        (&json!("busy"), &json!(486))
    );
    let told = scene.app.told();
    let expected =
        ["inbound trying 100", "outbound trying 100", "outbound busy 486", "inbound failed 486"];
    assert_eq!(told, expected);
    switch.ends();
}

#[test]
fn busy_beats_not_found_and_all_of_it_is_reported() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 603);
    let callees = [
        scene.phone(3).with("response", "486 Busy Here"),
        scene.phone(4).with("response", "404 Nobody of that name"),
    ];
    scene
        .app
        .runs("/incoming", &dial(&[&callees[0], &callees[1]], &json!({ "answerOnBridge": true })));
    let mut config = scene.config();
    config.application += "\ndecline = 603";
    let switch = scene.starts(&config);
    let runs =
        [callees[0].plays("callee_refuses", &switch), callees[1].plays("callee_refuses", &switch)];
    caller.plays("caller_is_refused", &switch).finishes();
    runs.into_iter().for_each(|run| drop(run.finishes()));
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "busy");
    let second = &result["dial_targets"][1];
    assert_eq!(
        (&second["sip_status"], &second["sip_reason"]),
        (&json!(404), &json!("Nobody of that name"))
    );
    switch.ends();
}

#[test]
fn a_caller_gives_up_while_it_rings() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("talk", 200);
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_rings", &switch);
    caller.plays("caller_gives_up", &switch).finishes();
    callee_runs.finishes();
    let told = scene.app.told();
    assert!(told.contains(&"inbound no-answer 487".to_owned()), "{told:?}");
    assert!(told.contains(&"outbound no-answer 487".to_owned()), "{told:?}");
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "no-answer");
    assert_eq!(lost_because(&result), ["caller-gone"]);
    switch.ends();
}

#[test]
fn an_answered_caller_hears_ringback_until_the_callee_answers() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("talk", 2000);
    let callee = scene.phone(CALLEE).with("ring", 1200);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({})));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    caller_runs.receives("200");
    caller.audio.hears_all(Codec::Pcmu, &[440.0, 480.0]);
    assert!(callee_runs.ladder().received("ACK").is_empty(), "it rang only after the answer");
    callee_runs.receives("ACK");
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    caller.audio.hears(Codec::Pcmu, 1100.0);
    let ladder = caller_runs.finishes();
    assert_eq!(ladder.received_kinds(), ["100", "200", "200"]);
    callee_runs.finishes();
    let order = ["inbound trying 100", "inbound in-progress 200", "outbound trying 100"];
    assert_eq!(scene.app.told()[..3], order, "answered before the callee is called");
    switch.ends();
}

#[test]
fn early_media_of_a_single_callee_is_heard() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER);
    let callee = scene.phone(CALLEE).with("ring", 1200);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_plays_early", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    let early = caller_runs.receives("183");
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 600.0);
    caller.audio.hears(Codec::Pcmu, 600.0);
    assert!(caller_runs.ladder().received("200").is_empty(), "heard only after the answer");
    let answer = caller_runs.receives("200");
    assert_eq!(early.body(), answer.body(), "one answer to one offer");
    caller_runs.finishes();
    callee_runs.finishes();
    let told = scene.app.told();
    assert!(told.contains(&"outbound early-media 183".to_owned()), "{told:?}");
    switch.ends();
}

#[test]
fn early_media_of_one_of_several_callees_is_not_heard() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER);
    let (early, rings) = (scene.phone(3).with("ring", 700), scene.phone(4));
    scene.app.runs("/incoming", &dial(&[&early, &rings], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let rings_runs = rings.plays("callee_rings", &switch);
    let early_runs = early.plays("callee_plays_early", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    early.audio.says(early_runs.audio_of_switch(), Codec::Pcmu, 600.0);
    caller_runs.receives("180");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let heard = caller.audio.heard().len();
    assert!(caller_runs.ladder().received("200").is_empty(), "answered too early to tell");
    assert_eq!(heard, 0, "packets before the answer");
    caller.audio.hears(Codec::Pcmu, 600.0);
    let ladder = caller_runs.finishes();
    assert!(ladder.received("183").is_empty(), "{}", ladder.summary());
    early_runs.finishes();
    rings_runs.finishes();
    switch.ends();
}
