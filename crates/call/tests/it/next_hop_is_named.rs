//! `proxy` of a dial and of a target: where the INVITE is sent, whatever its Request-URI says.

use serde_json::{Value, json};
use sip::Method;
use testkit::Note;

use crate::raw::{Raw, description};
use crate::scene::{
    Scene, alerts, answers, callee_address, cancels, dial, finish, hangs_up, phone, result, s,
    target, waits,
};
use crate::sent::{methods_to, request_to, sent_to};

/// A target that nobody could find but by a proxy.
fn behind(proxy: Option<&str>) -> Value {
    let mut target = json!({ "type": "sip", "sipUri": "sip:bob@nowhere.test" });
    if let Some(proxy) = proxy {
        target["proxy"] = json!(proxy);
    }
    target
}

#[test]
fn the_invite_goes_there_and_its_request_uri_stays() {
    for (of_dial, of_target, route) in [
        (None, Some("10.0.2.1"), "<sip:10.0.2.1;lr>"),
        (Some("10.0.2.1:5060"), None, "<sip:10.0.2.1:5060;lr>"),
        (Some("10.0.2.9"), Some("sip:10.0.2.1;transport=udp"), "<sip:10.0.2.1;transport=udp;lr>"),
        (None, Some("sip:edge@10.0.2.1;lr"), "<sip:edge@10.0.2.1;lr>"),
    ] {
        let mut more = json!({ "target": [behind(of_target)] });
        if let Some(proxy) = of_dial {
            more["proxy"] = json!(proxy);
        }
        let list = json!([dial(0, &more)]);
        let scene = Scene::running(&list).callees(vec![answers(0.5)]).caller(hangs_up(1.0));
        let world = scene.play();
        let invite = request_to(&world, callee_address(1), &Method::Invite);
        assert_eq!(invite.message.request_uri().unwrap(), "sip:bob@nowhere.test");
        assert_eq!(invite.header("To").unwrap(), "<sip:bob@nowhere.test>");
        assert_eq!(invite.header("Route").unwrap(), route);
        assert_eq!(result(&world)["dial_call_status"], "completed", "{route}");
        assert_eq!(world.alerts.len(), 0, "{:?}", alerts(&world));
        let attempt = &result(&world)["dial_targets"][0]["attempts"][0];
        assert_eq!(attempt["uri"], "sip:bob@nowhere.test");
    }
}

#[test]
fn later_requests_follow_the_route_set_of_the_answer() {
    let edge = Raw(callee_address(1));
    let list = json!([dial(0, &json!({ "target": [behind(Some("10.0.2.1"))] }))]);
    let mut world = Scene::running(&list).caller(hangs_up(1.0)).begin();
    world.run_for(s(0.2));
    let invite = request_to(&world, edge.0, &Method::Invite);
    let recorded = "200 OK\r\nRecord-Route: <sip:10.0.2.1;lr;x=1>";
    edge.respond(&mut world, &invite, recorded, "x", &description(edge, 1, ""));
    world.run_for(s(1.5));
    let bye = request_to(&world, edge.0, &Method::Bye);
    assert_eq!(bye.header("Route").unwrap(), "<sip:10.0.2.1;lr;x=1>");
    edge.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
}

#[test]
fn a_cancel_goes_the_way_of_its_invite() {
    let list = json!([dial(0, &json!({ "target": [behind(Some("10.0.2.1"))] }))]);
    let world = Scene::running(&list).callees(vec![waits()]).caller(cancels(1.0)).play();
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "CANCEL", "ACK"]);
    for sent in sent_to(&world, callee_address(1)) {
        if sent.message.method().is_some() {
            assert_eq!(sent.header("Route").unwrap(), "<sip:10.0.2.1;lr>");
        }
    }
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 1);
}

#[test]
fn a_number_goes_there_as_its_carrier_wants_it_and_takes_no_password_along() {
    let mut number = phone("+4917012345");
    number["proxy"] = json!("10.0.2.2");
    let list = json!([dial(0, &json!({ "target": [number] }))]);
    let edge = Raw(callee_address(2));
    let scene = Scene::running(&list).caller(hangs_up(1.0)).settings(|settings| {
        let carrier = std::sync::Arc::make_mut(&mut settings.carriers[1]);
        carrier.credentials = Some(call::settings::Credentials {
            username: "ours".to_owned(),
            password: "secret".to_owned(),
            realm: None,
        });
    });
    let mut world = scene.begin();
    world.run_for(s(0.2));
    let invite = request_to(&world, edge.0, &Method::Invite);
    assert!(invite.message.request_uri().unwrap().ends_with("@10.0.2.1"), "the gateway's");
    let asks = "407 Proxy Authentication Required\r\n\
                Proxy-Authenticate: Digest realm=\"edge\", nonce=\"n\"";
    edge.respond(&mut world, &invite, asks, "x", "");
    finish(&mut world);
    assert_eq!(methods_to(&world, edge.0), ["INVITE", "ACK"]);
    let entry = &result(&world)["dial_targets"][0];
    assert_eq!(entry["attempts"][0]["gateway"], "10.0.2.1");
    assert_eq!(entry["attempts"][0]["sip_status"], 407);
}

#[test]
fn the_same_address_by_another_next_hop_is_another_target() {
    let targets = json!([behind(Some("10.0.2.1")), behind(Some("10.0.2.2")), target(1)]);
    let list = json!([dial(0, &json!({ "target": targets }))]);
    let callees = vec![waits(), answers(0.5)];
    let world = Scene::running(&list).callees(callees).caller(hangs_up(1.0)).play();
    let entries = result(&world)["dial_targets"].as_array().unwrap();
    let statuses: Vec<&Value> = entries.iter().map(|entry| &entry["call_status"]).collect();
    assert_eq!(statuses, ["no-answer", "completed", "no-answer"]);
}

#[test]
fn a_next_hop_that_cannot_be_had_fails_its_target_alone() {
    let targets =
        json!([behind(Some("10.0.2.1;transport=tls")), behind(Some("nowhere.test")), target(1)]);
    let list = json!([dial(0, &json!({ "target": targets }))]);
    let world = Scene::running(&list).callees(vec![answers(0.5)]).caller(hangs_up(1.0)).play();
    let entries = result(&world)["dial_targets"].as_array().unwrap();
    assert_eq!(entries[2]["call_status"], "completed");
    for entry in &entries[..2] {
        assert_eq!((&entry["call_status"], &entry["sip_status"]), (&json!("failed"), &json!(503)));
    }
    let why = "not-supported: /0/target/0: transport tls is not supported; expected udp or tcp";
    assert_eq!(alerts(&world), [why]);
}
