//! Calls that are not taken, and the status each of them gets.

use serde_json::json;

use crate::support::ladder::Ladder;
use crate::support::phone::Phone;
use crate::support::scene::{CALLEE, CALLER, Config, STRANGER, Scene, dial};

/// What a phone of this kind gets, when every call would be put through.
fn refused(scene: &Scene, config: &Config, phone: &Phone) -> Ladder {
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({})));
    let switch = scene.starts(config);
    let ladder = phone.plays("caller_is_refused", &switch).finishes();
    switch.ends();
    ladder
}

#[test]
fn an_unknown_source_is_not_found() {
    let scene = Scene::new();
    let phone = scene.phone(STRANGER).with("status", 404).with_options(&["-s", "x"]);
    let mut config = scene.config();
    // why: without a realm every address of ours is one, and the caller may be a user.
    config.sip = "realm = \"sip.example.com\"".to_owned();
    let ladder = refused(&scene, &config, &phone);
    assert_eq!(ladder.only("404").header("X-Reason"), None, "nothing is told to strangers");
    assert!(scene.app.requests("/incoming").is_empty());
}

#[test]
fn a_stranger_who_calls_our_address_must_prove_to_be_a_user() {
    let scene = Scene::new();
    let phone = scene.phone(STRANGER).with("status", 401);
    let ladder = refused(&scene, &scene.config(), &phone);
    let challenge = ladder.only("401").header("WWW-Authenticate").unwrap_or_default().to_owned();
    assert!(challenge.starts_with("Digest "), "{challenge}");
}

#[test]
fn a_required_extension_that_is_not_there_is_named() {
    let scene = Scene::new();
    let phone = scene.phone(CALLER).with("status", 420).with("headers", "\nRequire: 100rel, x");
    let ladder = refused(&scene, &scene.config(), &phone);
    assert_eq!(ladder.only("420").header("Unsupported"), Some("x"), "100rel is there");
}

#[test]
fn a_call_that_has_made_all_its_hops_ends_here() {
    let scene = Scene::new();
    let phone = scene.phone(CALLER).with("status", 483).with("max_forwards", 0);
    refused(&scene, &scene.config(), &phone);
    assert!(scene.app.requests("/incoming").is_empty());
}

#[test]
fn a_call_without_a_shared_codec_is_not_acceptable() {
    let scene = Scene::new();
    let phone = scene.phone(CALLER).with("status", 488).with_formats(&[(18, "G729/8000")]);
    let ladder = refused(&scene, &scene.config(), &phone);
    assert!(ladder.only("488").header("X-Reason").is_some(), "{}", ladder.only("488").text);
    assert!(scene.app.requests("/incoming").is_empty());
}

#[test]
fn a_call_that_finds_no_rtp_port_is_asked_to_come_again() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.ports = "20000-20003".to_owned();
    config.limits = "calls = 1".to_owned();
    // Somebody else has them.
    let sockets: Vec<_> = [20000, 20002]
        .iter()
        .map(|port| std::net::UdpSocket::bind((scene.network.ip(1), *port)).expect("it is free"))
        .collect();
    let phone = scene.phone(CALLER).with("status", 503);
    let ladder = refused(&scene, &config, &phone);
    assert!(ladder.only("503").header("Retry-After").is_some());
    drop(sockets);
}

#[test]
fn a_callee_that_finds_no_rtp_port_fails_and_the_caller_is_told() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.ports = "20000-20003".to_owned();
    config.limits = "calls = 1".to_owned();
    let taken = std::net::UdpSocket::bind((scene.network.ip(1), 20002)).expect("it is free");
    let phone = scene.phone(CALLER).with("status", 503);
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts(&config);
    phone.plays("caller_is_refused", &switch).finishes();
    assert_eq!(scene.app.is_asked("/dialled").json["dial_call_status"], "failed");
    switch.ends();
    drop(taken);
}

#[test]
fn an_unknown_number_of_a_carrier_is_not_found() {
    let scene = Scene::new();
    let mut config = scene.config();
    let source = config.carrier.take().expect("there is a carrier");
    config.rest = format!(
        "[[carrier]]\nname = \"trunk\"\n[[carrier.gateway]]\nhost = \"{source}\"\n\
         [[phone_number]]\nnumber = \"4930999\"\ncarrier = \"trunk\"\napplication = \"main\"\n"
    );
    let phone = scene.phone(CALLER).with("status", 404);
    let ladder = refused(&scene, &config, &phone);
    assert!(ladder.only("404").header("X-Reason").is_some(), "a carrier is told why");
}

#[test]
fn more_calls_than_allowed_are_asked_to_come_again() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.limits = "calls = 1".to_owned();
    let (first, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let second = scene.phone(CALLER).with("status", 503);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    let first_runs = first.plays("caller_hangs_up", &switch);
    callee_runs.receives("ACK");
    let ladder = second.plays("caller_is_refused", &switch).finishes();
    assert!(ladder.only("503").header("Retry-After").is_some());
    first_runs.finishes();
    callee_runs.finishes();
    switch.ends();
}
