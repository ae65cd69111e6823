//! Session timers (RFC 4028) with sipp on both sides: who refreshes, what is too short, and that
//! we refresh.

use std::time::Duration;

use media::Codec;
use serde_json::json;

use crate::support::pair::{self, OF_CALLER, Pair};
use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::steps::Steps;
use crate::support::wait_within;

#[test]
fn the_caller_says_who_refreshes() {
    for refresher in ["uac", "uas"] {
        let scene = Scene::new();
        let expires = format!("90;refresher={refresher}");
        let headers = format!("\n    Supported: timer\n    Session-Expires: {expires}");
        let caller = scene.phone(CALLER).with("headers", headers).with("steps", pair::caller());
        let callee = scene.phone(CALLEE).with("steps", pair::callee());
        scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
        let switch = scene.starts_usual();
        let callee_runs = callee.plays("callee_by_steps", &switch);
        let caller_runs = caller.plays("caller_by_steps", &switch);
        let answer = caller_runs.receives("200");
        assert_eq!(answer.header("Session-Expires"), Some(&*expires), "{}", answer.text);
        // RFC 4028 §9: required where the caller is to refresh.
        let required = answer.header("Require").unwrap_or_default();
        assert!(refresher == "uas" || required.contains("timer"), "{}", answer.text);
        let invite = callee_runs.receives("INVITE");
        assert_eq!(invite.header("Session-Expires"), Some("1800"), "{}", invite.text);
        let supported = invite.header("Supported").unwrap_or_default();
        assert!(supported.contains("timer"), "{}", invite.text);
        caller_runs.proceeds();
        caller_runs.finishes();
        callee_runs.finishes();
        switch.ends();
    }
}

#[test]
fn an_interval_that_is_too_short_is_refused_with_the_shortest() {
    let scene = Scene::new();
    let headers = "\n    Supported: timer\n    Session-Expires: 60";
    let caller = scene.phone(CALLER).with("headers", headers).with("status", 422);
    scene.app.runs("/incoming", &json!([{ "verb": "answer" }]));
    let switch = scene.starts_usual();
    let ladder = caller.plays("caller_is_refused", &switch).finishes();
    assert_eq!(ladder.only("422").header("Min-SE"), Some("90"));
    assert!(scene.app.requests("/incoming").is_empty(), "it is no call yet");
    switch.ends();
}

#[test]
fn a_callee_that_wants_longer_is_called_again_with_that() {
    let scene = Scene::new();
    let steps = Steps::of_callee()
        .responds("422 Session Interval Too Small", &["Min-SE: 3600"], "")
        .is_invited_again()
        .rings()
        .answers_with(&["Require: timer", "Session-Expires: 3600;refresher=uas"])
        .is_hung_up();
    let switch = scene.starts_usual();
    let pair = Pair::talking(&scene, &switch, (pair::caller(), steps), &json!({}));
    let ladder = pair.callee_runs.ladder();
    let invites = ladder.received("INVITE");
    let expires: Vec<_> = invites.iter().map(|invite| invite.header("Session-Expires")).collect();
    assert_eq!(expires, [Some("1800"), Some("3600")]);
    assert_eq!(invites[1].header("Min-SE"), Some("3600"));
    assert_eq!(invites[0].header("Call-ID"), invites[1].header("Call-ID"));
    pair.ends();
    let result = scene.app.is_asked("/dialled").json;
    let attempts = result["dial_targets"][0]["attempts"].as_array().map(Vec::len);
    assert_eq!(attempts, Some(1), "{result}");
    switch.ends();
}

/// The shortest interval there may be, so it takes its time.
#[test]
fn we_refresh_both_legs_at_half_of_the_interval() {
    let scene = Scene::new();
    let refreshed = ["Require: timer", "Session-Expires: 90;refresher=uac"];
    let steps = Steps::of_caller().is_answered().is_reinvited(&refreshed).waits().hangs_up();
    let caller = scene
        .phone(CALLER)
        .with("headers", "\n    Supported: timer\n    Session-Expires: 90;refresher=uas")
        .with("steps", steps)
        .with_options(&["-timeout", "70s"]);
    let answer =
        ["Require: timer", "Session-Expires: 90;refresher=uac", "Allow: INVITE, ACK, BYE, UPDATE"];
    let steps = Steps::of_callee()
        .rings()
        .answers_with(&answer)
        .is_asked("UPDATE", "200 OK", &refreshed)
        .is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps).with_options(&["-timeout", "70s"]);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    caller_runs.receives("200");
    let to_switch = caller_runs.audio_of_switch();
    caller.audio.says(to_switch, Codec::Pcmu, OF_CALLER);
    callee.audio.hears(Codec::Pcmu, OF_CALLER);
    let patience = Duration::from_secs(55);
    for (runs, method) in [(&callee_runs, "UPDATE"), (&caller_runs, "INVITE")] {
        let refresh = wait_within(patience, &format!("a refresh by {method}"), || {
            runs.ladder()
                .received(method)
                .into_iter()
                .rfind(|m| m.header("To").is_some_and(|to| to.contains("tag=")))
                .cloned()
        });
        let ladder = runs.ladder();
        let begun = ladder.0.iter().find(|message| message.kind() == "200").expect("an answer").at;
        let after = refresh.at - begun;
        assert!((44.0..52.0).contains(&after), "{method} after {after} s");
        let expires = refresh.header("Session-Expires").unwrap_or_default();
        assert!(expires.starts_with("90;refresher=uac"), "{}", refresh.text);
    }
    assert_eq!(caller_runs.audio_of_switch(), to_switch, "the port stays");
    callee.audio.hears(Codec::Pcmu, OF_CALLER);
    caller_runs.receives("ACK");
    caller_runs.proceeds();
    caller_runs.finishes();
    callee_runs.finishes();
    switch.ends();
}
