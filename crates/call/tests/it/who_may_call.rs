//! Calls that are not taken in: unknown callers, numbers and applications, limits, draining.

use call::Input;
use call::settings::PhoneNumber;
use serde_json::json;
use testkit::{Caller, Note, Phone, Script, World};

use crate::events::parent_history;
use crate::raw::{Raw, description};
use crate::scene::{
    CALLER, Scene, answers, assert_near, finish, hangs_up, patient, result, s, saw_at, waits,
};
use crate::sent::{response_to, statuses_to};

const STRANGER: &str = "10.9.9.9:5060";

fn rejected(world: &World, name: &str) -> Option<u16> {
    world.phone(name).notes.iter().find_map(|(_, note)| match note {
        Note::Rejected(status, _) => Some(*status),
        _ => None,
    })
}

fn from_stranger(calls: &str) -> World {
    let mut world = Scene::dialling(vec![waits()], &json!({})).before_the_call();
    let caller = Caller { calls: calls.to_owned(), ..patient() };
    let address = STRANGER.parse().unwrap();
    world.add(Phone::new("X", address, Script::Caller(caller), 99));
    world.call("X");
    finish(&mut world);
    world
}

#[test]
fn a_stranger_is_told_nothing() {
    let world = from_stranger("sip:+4930999888@elsewhere.example");
    assert_eq!(rejected(&world, "X"), Some(404));
    let refusal = response_to(&world, STRANGER.parse().unwrap(), 404);
    assert_eq!(refusal.header("X-Reason"), None);
    let world = from_stranger("sip:jane@10.0.0.1");
    assert_eq!(rejected(&world, "X"), Some(401), "our own host: it must prove who it is");
    assert!(world.application.asked.is_empty() && world.application.told.is_empty());
}

#[test]
fn a_number_that_nobody_configured_is_404_and_no_application_480() {
    let without_default = |numbers: bool| {
        let scene = Scene::dialling(vec![waits()], &json!({})).settings(|settings| {
            std::sync::Arc::make_mut(&mut settings.carriers[0]).application = None;
            if numbers {
                settings.phone_numbers.push(PhoneNumber {
                    number: "4930111111".to_owned(),
                    carrier: None,
                    application: "main".to_owned(),
                });
            }
        });
        scene.play()
    };
    for (numbers, status) in [(true, 404), (false, 480)] {
        let world = without_default(numbers);
        assert_eq!(rejected(&world, "A"), Some(status));
        assert!(response_to(&world, CALLER, status).header("X-Reason").is_some());
        assert!(world.application.told.is_empty());
    }
}

#[test]
fn a_switch_that_drains_sends_new_calls_elsewhere_and_keeps_the_old() {
    let mut world = Scene::dialling(vec![answers(1.0)], &json!({})).caller(hangs_up(5.0)).begin();
    world.run_for(s(2.0));
    world.with_switch(|switch, _| switch.drain());
    let address = "10.0.1.1:5062".parse().unwrap();
    world.add(Phone::new("late", address, Script::Caller(patient()), 7));
    world.call("late");
    finish(&mut world);
    assert_eq!(rejected(&world, "late"), Some(503));
    assert!(response_to(&world, address, 503).header("Retry-After").is_some());
    assert_eq!(result(&world)["dial_call_duration"], 5, "the old call went on");
}

#[test]
fn the_operator_ends_a_bridge() {
    let mut world = Scene::dialling(vec![answers(1.0)], &json!({})).begin();
    world.run_for(s(3.0));
    world.with_switch(|switch, now| switch.end_all(now));
    finish(&mut world);
    for name in ["A", "B1"] {
        assert_near(saw_at(&world, name, &Note::Ended), 3.0);
    }
    assert_eq!(parent_history(&world).last().unwrap(), "completed/200");
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn the_operator_ends_a_call_that_rings() {
    let mut world = Scene::dialling(vec![waits()], &json!({})).begin();
    world.run_for(s(3.0));
    world.input(call::CallKey(1), Input::End);
    finish(&mut world);
    assert_eq!(rejected(&world, "A"), Some(480));
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 1);
    assert_eq!(parent_history(&world), ["trying/100", "failed/480"]);
}

fn several(callers: u8, change: impl FnOnce(&mut call::Settings)) -> World {
    let scene = Scene::dialling(vec![answers(1.0)], &json!({})).settings(change);
    let mut world = scene.without_caller();
    for number in 0..callers {
        let address = format!("10.0.1.1:{}", 6000 + u16::from(number)).parse().unwrap();
        let name = format!("A{number}");
        let script = Script::Caller(hangs_up(3.0));
        world.add(Phone::new(&name, address, script, u64::from(number)));
        world.call(&name);
    }
    finish(&mut world);
    world
}

#[test]
fn over_a_limit_of_calls_the_caller_is_told_when_to_try_again() {
    let over = [
        several(4, |settings| settings.limits.calls = 2),
        several(4, |settings| settings.limits.calls_per_second = 2),
    ];
    for world in over {
        let got: Vec<Option<u16>> =
            (0..4).map(|number| rejected(&world, &format!("A{number}"))).collect();
        assert_eq!(got.iter().filter(|status| status.is_none()).count(), 2, "{got:?}");
        assert_eq!(got.iter().filter(|status| **status == Some(503)).count(), 2, "{got:?}");
        assert_eq!(world.application.calls(false).len(), 2);
        let busy = (0..4).map(|number| format!("10.0.1.1:{}", 6000 + number).parse().unwrap());
        let refusals = busy.flat_map(|address| crate::sent::responses_to(&world, address, 503));
        assert!(refusals.into_iter().all(|sent| sent.header("Retry-After").is_some()));
    }
}

#[test]
fn without_a_free_port_the_caller_gets_503() {
    let mut world = Scene::dialling(vec![waits()], &json!({})).begin();
    world.ports_max = 0;
    finish(&mut world);
    assert_eq!(statuses_to(&world, CALLER), [100, 503]);
    let refusal = response_to(&world, CALLER, 503);
    assert!(refusal.header("Retry-After").is_some());
    assert!(refusal.header("X-Reason").is_some());
    assert_eq!(parent_history(&world), ["trying/100", "failed/503"]);
    assert!(world.application.asked.is_empty(), "the application need not know");
}

#[test]
fn what_the_protocol_forbids_never_becomes_a_call() {
    for (lines, status) in [
        ("Max-Forwards: 0\r\n", 483),
        ("Max-Forwards: 70\r\nRequire: precondition\r\n", 420),
        ("Max-Forwards: 70\r\nRequire: gruu, outbound\r\n", 420),
    ] {
        let peer = Raw(CALLER);
        let mut world = Scene::dialling(vec![waits()], &json!({})).without_caller();
        peer.invite(&mut world, lines, &description(peer, 1, ""));
        finish(&mut world);
        let refusal = response_to(&world, peer.0, status);
        let unsupported = refusal.header("Unsupported");
        let required = lines.split("Require: ").nth(1).map(str::trim).map(str::to_owned);
        assert_eq!(unsupported, required);
        assert!(world.application.asked.is_empty() && world.application.told.is_empty());
    }
}
