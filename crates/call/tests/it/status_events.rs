//! Status events: which, in which order, with which fields.

use serde_json::json;
use sip::Method;

use crate::events::{child_history, children, event, history, parent};
use crate::raw::{Raw, description};
use crate::scene::{
    CALLER, Scene, answers, callee_address, dial, finish, hangs_up, phone, s, waits,
};
use crate::sent::{Sent, request_to};

#[test]
fn a_child_belongs_to_its_parent() {
    let list = json!([dial(0, &json!({ "target": [phone("+4915112345678")] }))]);
    let scene = Scene::running(&list).callees(vec![answers(1.0)]).caller(hangs_up(2.0));
    let world = scene.play();
    let (parent, child) = (parent(&world), children(&world).remove(0));
    assert_ne!(parent, child);
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    for told in world.application.told.iter().filter(|event| event["call_sid"] == child.as_str()) {
        assert_eq!(told["parent_call_sid"], parent.as_str());
        assert_eq!(told["direction"], "outbound");
        assert_eq!(told["from"], "+491701234567");
        assert_eq!(told["to"], "+4915112345678", "exactly as dialled");
        assert_eq!(told["call_id"], invite.header("Call-ID").unwrap());
        assert_eq!(told["sbc_callid"], told["call_id"]);
    }
    let mut traces: Vec<&str> = Vec::new();
    for told in &world.application.told {
        for field in ["account_sid", "application_sid", "fs_sip_address", "sip_reason"] {
            assert!(told[field].is_string(), "{field} of {told}");
        }
        assert!(told["caller_id"].is_string() && told["sip_status"].is_u64());
        traces.push(told["trace_id"].as_str().unwrap());
        let is_completed = told["call_status"] == "completed";
        assert_eq!(told.get("duration").is_some(), is_completed, "{told}");
        let is_parents_end = is_completed && told["call_sid"] == parent.as_str();
        assert_eq!(told.get("call_termination_by").is_some(), is_parents_end, "{told}");
    }
    traces.dedup();
    assert_eq!(traces.len(), 1, "one trace_id for all");
    let of_parent = event(&world, &parent, "completed");
    assert_eq!(of_parent["direction"], "inbound");
    assert_eq!(of_parent["from"], "+491701234567");
    assert_eq!(of_parent["to"], "+4930999888");
    assert_eq!(of_parent["originating_sip_ip"], CALLER.ip().to_string());
    assert_eq!(of_parent["originating_sip_trunk_name"], "inbound");
    assert!(of_parent.get("parent_call_sid").is_none());
}

#[test]
fn the_first_hook_and_the_action_hook_describe_the_parent() {
    let world = Scene::dialling(vec![answers(1.0)], &json!({})).caller(hangs_up(1.0)).play();
    let first = &world.application.asked[0].payload;
    assert_eq!(first["call_sid"], parent(&world));
    assert_eq!(first["call_status"], "trying");
    assert_eq!(first["direction"], "inbound");
    assert_eq!(first["caller_name"], "Anna");
    assert_eq!(first["sip"]["method"], "INVITE");
    let action = &world.application.asked_at("/done")[0].payload;
    for field in ["from", "to", "call_id", "trace_id", "account_sid", "application_sid"] {
        assert_eq!(action[field], first[field], "{field}");
    }
}

#[test]
fn a_tag_of_the_dial_is_in_the_events_of_its_children_alone() {
    let tag = json!({ "ticketId": "T-1", "deep": { "camelCase": [1, null] } });
    let scene = Scene::dialling(vec![answers(1.0), waits()], &json!({ "tag": tag.clone() }));
    let world = scene.caller(hangs_up(2.0)).play();
    for told in &world.application.told {
        let of_child = told.get("parent_call_sid").is_some();
        let expected = of_child.then_some(&tag);
        assert_eq!(told.get("customerData"), expected, "verbatim: {told}");
    }
    let action = &world.application.asked_at("/done")[0].payload;
    assert!(action.get("customerData").is_none());
}

#[test]
fn a_tag_of_the_call_is_in_its_own_events_alone() {
    let data = json!({ "ticketId": 7 });
    let list = json!([{ "verb": "tag", "data": data.clone() }, dial(1, &json!({}))]);
    let scene = Scene::running(&list).callees(vec![answers(1.0)]).caller(hangs_up(2.0));
    let world = scene.play();
    assert_eq!(event(&world, &parent(&world), "completed")["customerData"], data);
    assert_eq!(world.application.asked_at("/done")[0].payload["customerData"], data);
    let child = children(&world).remove(0);
    assert!(event(&world, &child, "completed").get("customerData").is_none());
}

fn respond(world: &mut testkit::World, peer: Raw, invite: &Sent, status: &str, body: &str) {
    peer.respond(world, invite, status, "x", body);
    world.run_for(s(0.2));
}

#[test]
fn provisional_responses_are_told_once_and_a_100_never() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    let media = description(peer, 1, "");
    respond(&mut world, peer, &invite, "100 Trying", "");
    for _ in 0..3 {
        respond(&mut world, peer, &invite, "180 Ringing", "");
    }
    for _ in 0..2 {
        respond(&mut world, peer, &invite, "183 Session Progress", &media);
    }
    respond(&mut world, peer, &invite, "486 Busy Here", "");
    finish(&mut world);
    let told = child_history(&world, 1);
    assert_eq!(told, ["trying/100", "ringing/180", "early-media/183", "busy/486"]);
}

#[test]
fn a_180_with_a_description_is_early_media() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    let media = description(peer, 1, "");
    respond(&mut world, peer, &invite, "180 Ringing", &media);
    respond(&mut world, peer, &invite, "503 Service Unavailable", "");
    finish(&mut world);
    assert_eq!(child_history(&world, 1), ["trying/100", "early-media/180", "failed/503"]);
}

#[test]
fn without_a_status_hook_nobody_is_told() {
    let world = Scene::dialling(vec![answers(1.0)], &json!({}))
        .caller(hangs_up(1.0))
        .application(|application| application.call_status_hook = None)
        .play();
    assert!(history(&world).is_empty());
}
