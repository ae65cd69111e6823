//! How the process starts, is told to change, and ends.

use std::net::{TcpListener, UdpSocket};

use serde_json::{Value, json};

use crate::support::scene::{CALLEE, CALLER, SWITCH, Scene, dial};
use crate::support::switch::Switch;
use crate::support::wait_for;

#[test]
fn a_wrong_key_keeps_it_from_starting_and_the_right_one_is_suggested() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.media = "ringbak = \"de\"".to_owned();
    let path = scene.writes(&config);
    let (code, said) = Switch::fails(&path);
    assert_eq!(code, Some(1), "{said}");
    let line = said.lines().find(|line| line.contains("ringbak")).unwrap_or_default();
    let wanted = [path.to_str().expect("a path of text"), ":7:1:", "/media/ringbak", "ringback"];
    for word in wanted {
        assert!(line.contains(word), "{word} is not in: {said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let scene = Scene::new();
    let path = scene.folder.join("gone.toml");
    let (code, said) = Switch::fails(&path);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("gone.toml: cannot be read") && said.contains("check the path"),
        "{said}"
    );
}

#[test]
fn a_sip_port_in_use_is_named_with_what_to_do() {
    let scene = Scene::new();
    let taken = UdpSocket::bind((scene.network.ip(SWITCH), 0)).expect("loopback has a free port");
    let address = taken.local_addr().expect("a bound socket has an address").to_string();
    let path = scene.writes(&scene.config());
    let text = std::fs::read_to_string(&path).expect("it was written");
    let usual = format!("udp = \"{}:0\"", scene.network.ip(SWITCH));
    let text = text.replace(&usual, &format!("udp = \"{address}\""));
    std::fs::write(&path, text).expect("it can be written");
    let (code, said) = Switch::fails(&path);
    assert_eq!(code, Some(1), "{said}");
    for word in [address.as_str(), "in use", "[sip] udp"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[test]
fn an_http_port_in_use_is_named_with_what_to_do() {
    let scene = Scene::new();
    let taken = TcpListener::bind((scene.network.ip(SWITCH), 0)).expect("there is a free port");
    let address = taken.local_addr().expect("a bound socket has an address").to_string();
    let path = scene.writes(&scene.config());
    let text = std::fs::read_to_string(&path).expect("it was written");
    let usual = format!("listen = \"{}:0\"", scene.network.ip(SWITCH));
    let text = text.replace(&usual, &format!("listen = \"{address}\""));
    std::fs::write(&path, text).expect("it can be written");
    let (code, said) = Switch::fails(&path);
    assert_eq!(code, Some(1), "{said}");
    for word in [address.as_str(), "in use", "[http] listen"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[test]
fn more_calls_than_ports_are_refused_at_the_start() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.limits = "calls = 51".to_owned();
    let (code, said) = Switch::fails(&scene.writes(&config));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/limits/calls") && said.contains("[media] ports"), "{said}");
}

#[test]
fn each_line_of_a_json_log_is_an_object_and_names_its_call() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({})));
    let mut config = scene.config();
    config.rest = "[log]\nformat = \"json\"\n".to_owned();
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    let first = scene.app.is_asked("/incoming").json;
    let ended = wait_for("a line for the end of each party", || {
        let log = switch.log();
        let lines = log.lines().filter(|line| line.starts_with('{'));
        let lines: Vec<Value> =
            lines.map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        let ended: Vec<Value> =
            lines.into_iter().filter(|line| line["message"] == "leg ended").collect();
        (ended.len() == 2).then_some(ended)
    });
    assert!(ended.iter().all(|line| line["trace_id"] == first["trace_id"]), "{ended:?}");
    assert!(ended.iter().any(|line| line["call_sid"] == first["call_sid"]), "{ended:?}");
    assert!(ended.iter().any(|line| line["parent"] == first["call_sid"]), "{ended:?}");
    switch.ends();
}

#[test]
fn told_to_end_it_refuses_new_calls_and_lets_live_ones_go_on() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("talk", 1500);
    let late = scene.phone(CALLER).with("status", 503);
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    callee_runs.receives("ACK");
    switch.signal("TERM");
    wait_for("the drain", || (switch.health()["draining"] == true).then_some(()));
    let readiness: Value = serde_json::from_str(&switch.get("/readyz")).expect("JSON");
    assert_eq!(readiness["status"], "draining");
    let ladder = late.plays("caller_is_refused", &switch).finishes();
    assert!(ladder.only("503").header("Retry-After").is_some());
    assert_eq!(switch.health()["live_calls"], 1);
    assert!(callee_runs.ladder().received("BYE").is_empty(), "the live call was ended");
    caller_runs.finishes();
    callee_runs.finishes();
    assert_eq!(switch.ended().code(), Some(0), "{}", switch.log());
    assert_eq!(scene.app.told().last().map(String::as_str), Some("inbound completed 200"));
}

#[test]
fn told_twice_it_ends_every_call() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let mut switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_answers", &switch);
    let caller_runs = caller.plays("caller_stays", &switch);
    callee_runs.receives("ACK");
    caller_runs.receives("200");
    switch.signal("TERM");
    wait_for("the drain", || (switch.health()["draining"] == true).then_some(()));
    switch.signal("TERM");
    caller_runs.finishes();
    callee_runs.finishes();
    assert_eq!(switch.ended().code(), Some(0), "{}", switch.log());
    let told = scene.app.told();
    assert!(told.contains(&"outbound completed 200".to_owned()), "{told:?}");
}

#[test]
fn a_broken_file_read_again_changes_nothing_and_a_sound_one_does() {
    let scene = Scene::new();
    let config = scene.config();
    let switch = scene.starts(&config);
    let mut broken = config.clone();
    broken.limits = "calls = \"many\"".to_owned();
    scene.writes(&broken);
    switch.signal("HUP");
    wait_for("the fault", || switch.log().contains("stays as it was").then_some(()));
    assert!(switch.log().contains("/limits/calls"), "{}", switch.log());
    let refused = |status: u16| {
        let caller = scene.phone(CALLER).with("status", status);
        caller.plays("caller_is_refused", &switch).finishes();
    };
    scene.app.runs("/incoming", &json!([{ "verb": "sip:decline", "status": 486 }]));
    scene.app.runs("/changed", &json!([{ "verb": "sip:decline", "status": 404 }]));
    refused(486);
    let mut changed = config;
    changed.application = format!("call_hook = \"{}\"", scene.app.url("/changed"));
    scene.writes(&changed);
    switch.signal("HUP");
    wait_for("the news", || switch.log().contains("was read again").then_some(()));
    wait_for("the new application", || {
        let before = scene.app.requests("/changed").len();
        if before == 0 {
            refused_with_either(&scene, &switch);
        }
        (!scene.app.requests("/changed").is_empty()).then_some(())
    });
    refused(404);
    switch.ends();
}

/// why: the news reach the calls a moment after they reach the log.
fn refused_with_either(scene: &Scene, switch: &Switch) {
    let before = scene.app.requests("/incoming").len();
    let caller = scene.phone(CALLER).with("status", 404);
    let runs = caller.plays("caller_is_refused", switch);
    wait_for("an application to be asked", || {
        let asked = scene.app.requests("/incoming").len() > before;
        (asked || !scene.app.requests("/changed").is_empty()).then_some(())
    });
    drop(runs);
}
