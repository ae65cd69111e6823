//! Targets that are given twice or beyond the limit: they are not called, the others are, and
//! nobody is kept in the dark about it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sip::Method;

use crate::scene::{Scene, alerts, callee_address, dial, phone, result, target, waits};
use crate::sent::requests_to;

fn invites_to(world: &testkit::World, to: SocketAddr) -> usize {
    requests_to(world, to, &Method::Invite).len()
}

#[test]
fn a_duplicate_is_called_once() {
    let targets = json!([target(1), target(2), target(1)]);
    let world = Scene::running(&json!([dial(0, &json!({ "target": targets, "timeout": 2 }))]))
        .callees(vec![waits(), waits()])
        .play();
    assert_eq!(invites_to(&world, callee_address(1)), 1);
    assert_eq!(invites_to(&world, callee_address(2)), 1);
    let skipped = &result(&world)["dial_targets"][2];
    assert_eq!(skipped["call_status"], "skipped");
    assert_eq!(skipped["lost_because"], "duplicate");
    assert_eq!(skipped["attempts"], json!([]));
    assert!(skipped.get("call_sid").is_none() && skipped.get("sip_status").is_none());
    let alerts = alerts(&world);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].starts_with("target-skipped: /0/target/2: "), "{alerts:?}");
}

#[test]
fn the_same_number_on_another_way_is_no_duplicate() {
    let mut by_trunk = phone("4915112345678");
    by_trunk["trunk"] = json!("outbound");
    let mut as_another = phone("4915112345678");
    as_another["from"] = json!({ "user": "4930111111" });
    let targets = json!([phone("4915112345678"), by_trunk, as_another]);
    let world = Scene::running(&json!([dial(0, &json!({ "target": targets, "timeout": 2 }))]))
        .callees(vec![waits()])
        .play();
    assert_eq!(invites_to(&world, callee_address(1)), 3);
    assert!(world.alerts.is_empty(), "{:?}", world.alerts);
}

#[test]
fn ten_of_twelve_are_called() {
    let callees = (0..12).map(|_| waits()).collect();
    let world = Scene::dialling(callees, &json!({ "timeout": 2 })).play();
    let called: Vec<usize> =
        (1..=12).map(|number| invites_to(&world, callee_address(number))).collect();
    assert_eq!(called, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    let targets = result(&world)["dial_targets"].as_array().unwrap();
    let skipped = |index: usize| -> &Value { &targets[index]["lost_because"] };
    assert_eq!(targets.len(), 12);
    assert_eq!((skipped(9), skipped(10)), (&json!("ring-timeout"), &json!("over-limit")));
    assert_eq!(skipped(11), "over-limit");
    assert_eq!(world.alerts.len(), 2);
}

#[test]
fn duplicates_do_not_count_and_the_limit_is_a_setting() {
    let targets = json!([target(1), target(1), target(2), target(3)]);
    let world = Scene::running(&json!([dial(0, &json!({ "target": targets, "timeout": 2 }))]))
        .callees(vec![waits(), waits(), waits()])
        .settings(|settings| settings.limits.dial_targets = 2)
        .play();
    let targets = result(&world)["dial_targets"].as_array().unwrap();
    let lost: Vec<&str> = targets.iter().map(|of| of["lost_because"].as_str().unwrap()).collect();
    assert_eq!(lost, ["ring-timeout", "duplicate", "ring-timeout", "over-limit"]);
}
