//! One callee that fails: which status the dial has, what its target says, and what a caller that
//! was never answered gets when the list ends.

use call::settings::Decline;
use serde_json::json;
use sip::Method;
use testkit::Note;

use crate::events::{child_history, event, parent, parent_history};
use crate::raw::Raw;
use crate::scene::{
    CALLER, Scene, assert_near, callee_address, dial, finish, refuses, result, rings, s, saw_at,
    target,
};
use crate::sent::{request_to, requests_to, response_to};

/// Status of the callee, `dial_status`, `lost_because`, what the caller gets.
const FAILURES: [(u16, &str, &str, u16); 13] = [
    (302, "failed", "rejected", 603),
    (403, "failed", "rejected", 403),
    (404, "failed", "rejected", 404),
    (408, "failed", "rejected", 408),
    (480, "failed", "rejected", 480),
    (486, "busy", "busy", 486),
    (487, "no-answer", "rejected", 487),
    (488, "failed", "rejected", 488),
    (500, "failed", "rejected", 500),
    (503, "failed", "rejected", 503),
    (600, "busy", "busy", 600),
    (603, "failed", "declined", 603),
    (604, "failed", "rejected", 604),
];

#[test]
fn the_status_of_the_callee_is_that_of_the_dial() {
    for (status, dial_status, because, to_caller) in FAILURES {
        let world = Scene::dialling(vec![refuses(status, 1.0)], &json!({})).play();
        let result = result(&world);
        assert_eq!(result["dial_call_status"], dial_status, "{status}");
        assert_eq!(result["dial_sip_status"], status);
        assert_eq!(result["dial_call_sid"], world.application.calls(true)[0].as_str());
        let of_target = &result["dial_targets"][0];
        assert_eq!(of_target["call_status"], dial_status, "{status}");
        assert_eq!(of_target["sip_status"], status);
        assert_eq!(of_target["lost_because"], because, "{status}");
        assert_eq!(of_target["attempts"][0]["sip_status"], status);
        let expected = format!("{dial_status}/{status}");
        assert_eq!(*child_history(&world, 1).last().unwrap(), expected);

        let got = world.phone("A").notes.iter().find_map(|(_, note)| match note {
            Note::Rejected(status, _) => Some(*status),
            _ => None,
        });
        assert_eq!(got, Some(to_caller), "after {status}");
        let expected = format!("failed/{to_caller}");
        assert_eq!(parent_history(&world), ["trying/100", expected.as_str()]);
    }
}

#[test]
fn an_application_may_decline_always_the_same_way() {
    for status in [404, 486, 503] {
        let world = Scene::dialling(vec![refuses(status, 1.0)], &json!({}))
            .application(|application| application.decline = Decline::Always603)
            .play();
        assert_eq!(world.phone("A").saw(&Note::Rejected(603, "Decline".to_owned())), 1);
        assert_eq!(parent_history(&world), ["trying/100", "failed/603"]);
    }
}

#[test]
fn the_words_of_the_callee_reach_the_caller() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(1.0));
    let invite = requests_to(&world, peer.0, &Method::Invite).remove(0);
    peer.respond(&mut world, &invite, "486 Gone Fishing", "x", "");
    finish(&mut world);
    assert_eq!(world.phone("A").saw(&Note::Rejected(486, "Gone Fishing".to_owned())), 1);
    assert_eq!(result(&world)["dial_targets"][0]["sip_reason"], "Gone Fishing");
    let last = event(&world, &parent(&world), "failed");
    assert_eq!(last["sip_reason"], "Gone Fishing");
    assert_eq!(last["call_termination_by"], "jambonz");
}

#[test]
fn a_callee_that_never_says_a_word_is_unreachable_after_32_seconds() {
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    finish(&mut world);
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "failed");
    assert_eq!(result["dial_sip_status"], 408);
    assert_eq!(result["dial_targets"][0]["lost_because"], "unreachable");
    assert_eq!(child_history(&world, 1), ["trying/100", "failed/408"]);
    let asked = world.application.asked_at("/done")[0].at;
    assert_near(asked.duration_since(world.start).as_secs_f64(), 32.0);
    assert_eq!(response_to(&world, CALLER, 408).header("X-Reason"), None);
}

#[test]
fn a_callee_whose_host_is_dead_fails_at_once() {
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(0.5));
    world.transport_error(callee_address(1));
    finish(&mut world);
    let result = result(&world);
    assert_eq!(result["dial_sip_status"], 503);
    assert_eq!(result["dial_targets"][0]["lost_because"], "unreachable");
    assert_near(response_to(&world, CALLER, 503).at, 0.5);
}

#[test]
fn a_callee_that_answers_without_media_of_ours_is_hung_up_on() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(1.0));
    let invite = requests_to(&world, peer.0, &Method::Invite).remove(0);
    let body = "v=0\r\no=- 1 1 IN IP4 10.0.2.1\r\ns=-\r\nc=IN IP4 10.0.2.1\r\nt=0 0\r\n\
                m=audio 41000 RTP/AVP 18\r\n";
    peer.respond(&mut world, &invite, "200 OK", "x", body);
    world.run_for(s(0.1));
    let bye = request_to(&world, peer.0, &Method::Bye);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
    assert_eq!(result(&world)["dial_call_status"], "failed");
    assert_eq!(result(&world)["dial_sip_status"], 488);
    assert_eq!(child_history(&world, 1), ["trying/100", "failed/488"]);
    assert_eq!(world.phone("A").saw(&Note::Answered), 0);
}

#[test]
fn a_callee_that_fails_before_it_rings_lets_nobody_hear_ringing() {
    let mut callee = rings(testkit::Outcome::Refuses(404, s(0.2)));
    callee.rings = None;
    let list = json!([{ "verb": "dial", "answerOnBridge": true, "target": [target(1)] }]);
    let world = Scene::running(&list).callees(vec![callee]).play();
    assert_eq!(crate::sent::statuses_to(&world, CALLER), [100, 404]);
    assert_near(saw_at(&world, "A", &Note::Rejected(404, "Not Found".to_owned())), 0.2);
}
