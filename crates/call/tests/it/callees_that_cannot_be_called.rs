//! Targets that lead nowhere: an unregistered user, a host without address, a kind that does not
//! run yet. They fail by themselves; the others ring.

use serde_json::{Value, json};
use sip::Method;
use testkit::Note;

use crate::events::children;
use crate::scene::{
    CALLER, Scene, alerts, answers, callee_address, dial, hangs_up, result, target,
};
use crate::sent::{request_to, statuses_to};

fn only(target: &Value) -> Scene {
    Scene::running(&json!([dial(0, &json!({ "target": [target] }))]))
}

#[test]
fn a_from_that_is_no_address_fails_its_target_alone() {
    let mut unwritable = target(1);
    unwritable["from"] = json!({ "host": "host:port" });
    let more = json!({ "target": [unwritable, target(2)] });
    let world =
        Scene::dialling(vec![answers(0.5), answers(0.5)], &more).caller(hangs_up(1.0)).play();
    let targets = &result(&world)["dial_targets"];
    assert_eq!((&targets[0]["sip_status"], &targets[1]["sip_status"]), (&json!(400), &json!(200)));
    assert_eq!(world.phone("B1").saw(&Note::Invited), 0);
}

#[test]
fn a_sip_uri_is_called_verbatim() {
    let uri = "sip:Bob;x=y@10.0.2.1:5060;transport=udp;Custom=%41";
    let scene = only(&json!({ "type": "sip", "sipUri": uri })).callees(vec![answers(0.5)]);
    let world = scene.caller(hangs_up(1.0)).play();
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert_eq!(invite.message.request_uri().unwrap(), uri);
    // RFC 3261 §19.1.1: a transport has no place in To.
    assert_eq!(invite.header("To").unwrap(), "<sip:Bob;x=y@10.0.2.1:5060;Custom=%41>");
    let of_target = &result(&world)["dial_targets"][0];
    assert_eq!(of_target["address"], uri);
    assert_eq!(of_target["attempts"][0]["uri"], uri);
}

#[test]
fn a_user_who_is_not_registered_fails_with_404() {
    for name in ["jane", "jane@10.0.0.1"] {
        let world = only(&json!({ "type": "user", "name": name })).play();
        let result = result(&world);
        assert_eq!(result["dial_call_status"], "failed");
        assert_eq!(result["dial_sip_status"], 404);
        assert!(result.get("dial_call_sid").is_none(), "no INVITE left");
        let of_target = &result["dial_targets"][0];
        assert_eq!(of_target["lost_because"], "not-registered");
        assert_eq!(of_target["call_status"], "failed");
        assert_eq!(of_target["address"], name);
        assert_eq!(of_target["attempts"], json!([]));
        assert_eq!(statuses_to(&world, CALLER), [100, 404]);
        assert!(children(&world).is_empty());
    }
}

#[test]
fn a_host_without_an_address_fails_with_503() {
    let world = only(&json!({ "type": "sip", "sipUri": "sip:bob@nowhere.invalid" })).play();
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "failed");
    assert_eq!(result["dial_sip_status"], 503);
    assert!(result.get("dial_call_sid").is_none(), "no INVITE left: {result}");
    let of_target = &result["dial_targets"][0];
    assert_eq!(of_target["lost_because"], "unreachable");
    assert!(of_target["attempts"][0].get("trying_ms").is_none());
    assert!(children(&world).is_empty(), "no event of a call that was never made");
}

#[test]
fn teams_is_not_supported_and_said_so() {
    let world = only(&json!({ "type": "teams", "number": "+15551234567" })).play();
    assert_eq!(result(&world)["dial_sip_status"], 501);
    let alerts = alerts(&world);
    assert!(alerts[0].starts_with("not-supported: /0/target/0: "), "{alerts:?}");
}

#[test]
fn the_others_ring_all_the_same() {
    let targets = json!([{ "type": "user", "name": "jane" }, target(1)]);
    let list = json!([dial(0, &json!({ "target": targets }))]);
    let scene = Scene::running(&list).callees(vec![answers(0.5)]).caller(hangs_up(1.0));
    let world = scene.play();
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "not-registered");
    assert_eq!(result(&world)["dial_targets"][1]["call_status"], "completed");
}

#[test]
fn no_port_for_a_callee_fails_it_with_503() {
    let scene = Scene::dialling(vec![answers(0.5), answers(1.0)], &json!({}));
    let mut world = scene.caller(hangs_up(1.0)).begin();
    // One for the caller, one for a callee.
    world.ports_max = 2;
    crate::scene::finish(&mut world);
    let targets = &result(&world)["dial_targets"];
    assert_eq!(targets[0]["call_status"], "completed");
    assert_eq!(targets[1]["sip_status"], 503);
    assert_eq!(targets[1]["lost_because"], "unreachable");
}
