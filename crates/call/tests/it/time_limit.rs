//! `timeLimit` ends the callee, counted from its answer; the caller goes on with its list.

use call::LegId;
use serde_json::json;
use testkit::{MediaFact, Note, World};

use crate::events::{child_history, children, event};
use crate::scene::{CALLER, Scene, answers, assert_near, dial, finish, result, s, saw_at, talks};
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

#[test]
fn both_are_warned_before_it() {
    for (warning, url) in [
        (json!({ "before": 2 }), "tone_stream://L=3;%(200,100,1400)"),
        (json!({ "before": 2, "play": "/warning.wav" }), "/warning.wav"),
    ] {
        let more = json!({ "timeLimit": 5, "timeLimitWarning": warning });
        let mut world = Scene::dialling(vec![answers(1.0)], &more).begin();
        let played = |world: &World| {
            let facts = world.media.iter().filter_map(|fact| match fact {
                MediaFact::Plays(_, leg, _, played) if played == url => Some(*leg),
                _ => None,
            });
            facts.collect::<Vec<LegId>>()
        };
        world.run_for(s(3.9));
        assert!(played(&world).is_empty(), "not yet");
        world.run_for(s(0.2));
        assert_eq!(played(&world), [LegId(0), LegId(1)]);
        finish(&mut world);
        assert_near(saw_at(&world, "B1", &Note::Ended), 6.0);
    }
}

#[test]
fn a_warning_longer_than_the_limit_is_none() {
    let more = json!({ "timeLimit": 2, "timeLimitWarning": { "before": 5 } });
    let world = Scene::dialling(vec![answers(1.0)], &more).play();
    assert!(!world.media.iter().any(|fact| matches!(fact, MediaFact::Plays(..))));
}
