//! `timeLimit` ends the callee, counted from its answer; the caller goes on with its list.

use serde_json::json;
use testkit::Note;

use crate::events::{child_history, children, event};
use crate::scene::{CALLER, Scene, answers, assert_near, dial, result, saw_at, talks};
use crate::sent::methods_to;

#[test]
fn the_callee_is_hung_up_on_and_the_caller_is_not() {
    let limited = dial(1, &json!({ "timeLimit": 3 }));
    let list = json!([limited, { "verb": "pause", "length": 5 }]);
    let world = Scene::running(&list).callees(vec![answers(2.0)]).play();
    assert_near(saw_at(&world, "B1", &Note::Ended), 5.0);
    assert_near(saw_at(&world, "A", &Note::Ended), 10.0);
    assert_eq!(methods_to(&world, CALLER), ["BYE"]);
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "completed");
    assert_eq!(result["dial_sip_status"], 200);
    assert_eq!(result["dial_call_duration"], 3);
    assert_eq!(event(&world, &children(&world)[0], "completed")["duration"], 3);
}

#[test]
fn who_hangs_up_in_time_is_not_limited_and_the_next_call_neither() {
    let limited = dial(1, &json!({ "timeLimit": 3 }));
    let free = dial(1, &json!({ "actionHook": "/free" }));
    let list = json!([limited, free]);
    let world = Scene::running(&list).callees(vec![talks(0.2, 2.5)]).play();
    let payload = &world.application.asked_at("/free")[0].payload;
    assert_near(payload["dial_call_duration"].as_f64().unwrap(), 3.0);
    assert_eq!(result(&world)["dial_call_duration"], 3, "2.5 s, rounded");
    assert_eq!(child_history(&world, 2).last().unwrap(), "completed/200");
    let ended = world.application.asked_at("/free")[0].at.duration_since(world.start);
    assert_near(ended.as_secs_f64(), 5.45);
}

#[test]
fn ringing_does_not_count() {
    let world = Scene::dialling(vec![talks(4.0, 2.0)], &json!({ "timeLimit": 3 })).play();
    assert_eq!(result(&world)["dial_call_duration"], 2);
}
