//! A progressHook hears of each target as it goes: rings, answers, is lost and why.

use serde_json::{Value, json};
use testkit::World;

use crate::scene::{Scene, answers, assert_near, dial, hangs_up, refuses, target, text};

fn told(world: &World) -> Vec<String> {
    let asked = world.application.asked_at("/progress");
    let describe = |payload: &Value| {
        let target = &payload["dial_target"];
        let why = target["lost_because"].as_str().map(|why| format!(" {why}"));
        let status = target["call_status"].as_str().unwrap();
        format!("{} {status}{}", target["index"], why.unwrap_or_default())
    };
    asked.iter().map(|asked| describe(&asked.payload)).collect()
}

#[test]
fn each_target_is_told_of_once_for_each_change() {
    let more = json!({ "progressHook": "/progress", "id": "the dial" });
    let callees = vec![answers(3.0), refuses(486, 1.0), refuses(404, 2.0)];
    let world = Scene::dialling(callees, &more).caller(hangs_up(1.0)).play();
    assert_eq!(
        told(&world),
        [
            "0 ringing",
            "1 ringing",
            "2 ringing",
            "1 busy busy",
            "2 failed rejected",
            "0 in-progress",
            "0 completed"
        ]
    );
    let first = &world.application.asked_at("/progress")[0].payload;
    assert_eq!(first["verb_id"], "the dial");
    assert_eq!(first["call_sid"], json!(world.application.calls(false)[0]));
    let rang = first["dial_target"]["attempts"][0]["ringing_ms"].as_f64().unwrap();
    assert_near(rang / 1000.0, 0.1);
}

#[test]
fn what_it_answers_changes_nothing() {
    let more = json!({ "progressHook": "/progress" });
    let scene = Scene::dialling(vec![answers(1.0)], &more).caller(hangs_up(1.0));
    let world = scene.answering("/progress", text(&json!([{ "verb": "hangup" }]))).play();
    assert_eq!(crate::scene::result(&world)["dial_call_duration"], 1);
}

#[test]
fn a_screened_callee_is_in_progress_until_it_declines() {
    let more = json!({ "progressHook": "/progress", "confirmHook": "/confirm" });
    let scene = Scene::dialling(vec![answers(1.0)], &more);
    let list = json!([{ "verb": "pause", "length": 1 }, { "verb": "hangup" }]);
    let world = scene.answering("/confirm", text(&list)).play();
    assert_eq!(told(&world), ["0 ringing", "0 in-progress", "0 no-answer screening-declined"]);
}

#[test]
fn of_whom_nobody_could_call_it_hears_why_as_well() {
    let nobody = json!({ "type": "user", "name": "nobody" });
    let nowhere = json!({ "type": "phone", "number": "15551234567", "trunk": "none" });
    let (one, later) = (target(1), target(2));
    let mut later = later;
    later["priority"] = json!(1);
    let more = json!({ "progressHook": "/progress", "target": [nobody, nowhere, one, one, later] });
    let scene = Scene::running(&json!([dial(0, &more)])).callees(vec![answers(1.0), answers(1.0)]);
    let world = scene.caller(hangs_up(1.0)).play();
    let mut told = told(&world);
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "0 failed not-registered",
            "1 failed no-such-trunk",
            "2 completed",
            "2 in-progress",
            "2 ringing",
            "3 skipped duplicate",
            "4 skipped answered-elsewhere",
        ]
    );
}
