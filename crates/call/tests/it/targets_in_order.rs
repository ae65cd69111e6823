//! Targets that are not called all at once: one after the other, in groups, after a delay, each
//! for its own time.

use serde_json::{Value, json};
use testkit::{Callee, Note, World};

use crate::scene::{
    Scene, answers, assert_near, dial, hangs_up, patient, refuses, result, saw_at, target, waits,
};

fn targets(properties: &[Value]) -> Value {
    let numbered = properties.iter().zip(1..);
    let targets: Vec<Value> = numbered
        .map(|(properties, number)| {
            let mut target = target(number);
            for (name, value) in properties.as_object().unwrap() {
                target[name] = value.clone();
            }
            target
        })
        .collect();
    json!(targets)
}

fn play(properties: &[Value], more: &Value, callees: Vec<Callee>) -> World {
    let mut more = more.clone();
    more["target"] = targets(properties);
    let scene = Scene::running(&json!([dial(0, &more)])).callees(callees);
    scene.caller(hangs_up(1.0)).play()
}

fn invited_at(world: &World, phone: &str) -> Option<f64> {
    let at = world.phone(phone).when(&Note::Invited)?;
    Some(at.duration_since(world.start).as_secs_f64())
}

fn why(world: &World, index: usize) -> (Value, Value) {
    let entry = &result(world)["dial_targets"][index];
    (entry["call_status"].clone(), entry["lost_because"].clone())
}

#[test]
fn a_hunt_goes_on_where_one_is_busy_or_does_not_answer() {
    let plain = [json!({}), json!({}), json!({ "timeout": 3 }), json!({})];
    let callees = vec![refuses(486, 1.0), waits(), waits(), answers(2.0)];
    let world = play(&plain, &json!({ "strategy": "hunt", "timeout": 90 }), callees);
    assert_near(invited_at(&world, "B2").unwrap(), 1.0);
    assert_near(invited_at(&world, "B3").unwrap(), 21.0);
    assert_near(invited_at(&world, "B4").unwrap(), 24.0);
    assert_near(saw_at(&world, "A", &Note::Answered), 26.0);
    assert_eq!(why(&world, 0), (json!("busy"), json!("busy")));
    assert_eq!(why(&world, 1), (json!("no-answer"), json!("ring-timeout")));
    assert_eq!(why(&world, 2), (json!("no-answer"), json!("ring-timeout")));
    assert_eq!(why(&world, 3).0, json!("completed"));
    assert_eq!(world.phone("B2").saw(&Note::Cancelled(None)), 1);
}

#[test]
fn who_comes_after_the_winner_is_not_called() {
    let plain = [json!({}), json!({})];
    let world = play(&plain, &json!({ "strategy": "hunt" }), vec![answers(1.0), answers(1.0)]);
    assert_eq!(invited_at(&world, "B2"), None);
    assert_eq!(why(&world, 1), (json!("skipped"), json!("answered-elsewhere")));
}

#[test]
fn a_hunt_that_nobody_answers_ends_as_any_dial() {
    let plain = [json!({ "timeout": 2 }), json!({ "timeout": 2 })];
    let scene_targets = json!({ "target": targets(&plain), "strategy": "hunt" });
    let scene = Scene::running(&json!([dial(0, &scene_targets)])).callees(vec![waits(), waits()]);
    let world = scene.caller(patient()).play();
    let result = result(&world);
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"]),
        (&json!("no-answer"), &json!(487))
    );
    assert_near(saw_at(&world, "B2", &Note::Cancelled(None)), 4.0);
}

#[test]
fn the_time_of_the_dial_ends_a_hunt() {
    let plain = [json!({}), json!({})];
    let world = play(&plain, &json!({ "strategy": "hunt", "timeout": 5 }), vec![waits(), waits()]);
    assert_eq!(invited_at(&world, "B2"), None);
    assert_eq!(why(&world, 1), (json!("skipped"), json!("ring-timeout")));
}

#[test]
fn the_next_group_is_called_where_the_one_before_has_failed_or_rung_for_long_enough() {
    let groups = [
        json!({ "priority": 2 }),
        json!({ "priority": 0, "timeout": 4 }),
        json!({ "priority": 0, "timeout": 6 }),
        json!({ "priority": 1 }),
    ];
    let callees = vec![answers(1.0), waits(), refuses(480, 1.0), refuses(486, 2.0)];
    let world = play(&groups, &json!({}), callees);
    assert_near(invited_at(&world, "B2").unwrap(), 0.0);
    assert_near(invited_at(&world, "B3").unwrap(), 0.0);
    assert_near(invited_at(&world, "B4").unwrap(), 4.0);
    assert_near(invited_at(&world, "B1").unwrap(), 6.0);
    assert_eq!(why(&world, 0).0, json!("completed"));
}

#[test]
fn a_delay_lets_others_ring_first() {
    let delayed = [json!({}), json!({ "delay": 3 }), json!({ "delay": 9 })];
    let world = play(&delayed, &json!({}), vec![waits(), answers(1.0), waits()]);
    assert_near(invited_at(&world, "B2").unwrap(), 3.0);
    assert_eq!(invited_at(&world, "B3"), None);
    assert_eq!(why(&world, 2), (json!("skipped"), json!("answered-elsewhere")));
    assert_near(saw_at(&world, "B1", &cancelled_elsewhere()), 4.0);
}

fn cancelled_elsewhere() -> Note {
    Note::Cancelled(Some("SIP;cause=200;text=\"Call completed elsewhere\"".to_owned()))
}

#[test]
fn a_delayed_target_is_called_though_all_others_have_failed() {
    let delayed = [json!({}), json!({ "delay": 3 })];
    let world = play(&delayed, &json!({}), vec![refuses(486, 1.0), answers(1.0)]);
    assert_near(invited_at(&world, "B2").unwrap(), 3.0);
    assert_eq!(why(&world, 1).0, json!("completed"));
}

#[test]
fn who_does_not_even_ring_is_given_up() {
    let mut silent = waits();
    silent.rings = None;
    let plain = [json!({}), json!({})];
    let world = play(&plain, &json!({ "progressTimeout": 3 }), vec![silent, answers(6.0)]);
    assert_eq!(why(&world, 0), (json!("failed"), json!("progress-timeout")));
    assert_eq!(result(&world)["dial_targets"][0]["sip_status"], 408);
    assert_near(saw_at(&world, "B1", &Note::Cancelled(None)), 3.0);
    assert_near(saw_at(&world, "A", &Note::Answered), 6.0);
}

#[test]
fn a_target_has_a_caller_id_and_codecs_of_its_own() {
    let own = [json!({ "callerId": "4930111111", "codecs": ["pcma"] }), json!({})];
    let world = play(&own, &json!({ "callerId": "4930222222" }), vec![waits(), answers(1.0)]);
    let invite = |phone: &str| world.phone(phone).received[0].clone();
    let from = |phone: &str| invite(phone).header_text("From").unwrap().into_owned();
    assert!(from("B1").contains("<sip:4930111111@"), "{}", from("B1"));
    assert!(from("B2").contains("<sip:4930222222@"), "{}", from("B2"));
    let body = |phone: &str| String::from_utf8_lossy(invite(phone).body()).into_owned();
    assert!(body("B1").contains("RTP/AVP 8 101"), "{}", body("B1"));
    assert!(body("B2").contains("RTP/AVP 0 8 101"), "{}", body("B2"));
}

#[test]
fn a_target_whose_codecs_nobody_has_is_not_called() {
    let own = [json!({ "codecs": ["G723"] }), json!({})];
    let world = play(&own, &json!({}), vec![answers(1.0), answers(2.0)]);
    assert_eq!(invited_at(&world, "B1"), None);
    assert_eq!(result(&world)["dial_targets"][0]["sip_status"], 488);
    assert_eq!(why(&world, 1).0, json!("completed"));
}
