//! A carrier's 3xx: followed where the operator allows it, without our credentials, not for ever,
//! and never to a place inside.

use std::net::SocketAddr;
use std::sync::Arc;

use call::settings::{Credentials, Gateway, GatewayHost};
use serde_json::{Value, json};
use sip::Method;
use testkit::{Callee, World};

use crate::raw::Raw;
use crate::scene::{Scene, answers, callee_address, finish, patient, refuses, result, s};
use crate::sent::{Sent, methods_to, requests_to};

/// The gateway, played by hand.
const GATEWAY: u8 = 9;

fn gateway() -> SocketAddr {
    callee_address(GATEWAY)
}

/// A dial of one number over the carrier of [`GATEWAY`], whose network `network` is too; the
/// gateway was called, the callees wait at their addresses.
fn over_a_carrier(follow_redirects: bool, network: &str, callees: Vec<Callee>) -> World {
    let target = json!([{ "type": "phone", "number": "+4915112345678" }]);
    let mut scene = Scene::dialling(callees, &json!({ "target": target, "timeout": 30 }));
    let carriers = &mut scene.config.settings.carriers;
    let carrier = carriers.iter_mut().find(|carrier| carrier.name == "outbound").unwrap();
    let carrier = Arc::make_mut(carrier);
    carrier.follow_redirects = follow_redirects;
    let (username, password) = ("us".to_owned(), "secret".to_owned());
    carrier.credentials = Some(Credentials { username, password, realm: None });
    let outbound = Gateway {
        host: GatewayHost::Net(gateway().ip().into()),
        port: Some(5060),
        transport: None,
        inbound: false,
        outbound: true,
        priority: 0,
        weight: 1,
    };
    let host = GatewayHost::Net(network.parse().unwrap());
    let inbound = Gateway { host, inbound: true, outbound: false, ..outbound.clone() };
    carrier.gateways = vec![outbound, inbound];
    let hangs_up = Some(s(2.0));
    let mut world = scene.caller(testkit::Caller { hangs_up, ..patient() }).begin();
    world.run_for(s(0.2));
    world
}

fn invites_to(world: &World, address: SocketAddr) -> Vec<Sent> {
    requests_to(world, address, &Method::Invite)
}

/// The gateway answers its latest INVITE with this status, and with itself as a last contact.
fn gateway_says(world: &mut World, status: &str) {
    let invite = invites_to(world, gateway()).pop().unwrap();
    Raw(gateway()).respond(world, &invite, status, "t", "");
    world.run_for(s(0.2));
}

fn moved_to(contact: &str) -> String {
    format!("302 Moved Temporarily\r\nContact: {contact}")
}

fn attempts(world: &World) -> &Vec<Value> {
    result(world)["dial_targets"][0]["attempts"].as_array().unwrap()
}

#[test]
fn a_redirection_that_is_allowed_is_followed() {
    let mut world = over_a_carrier(true, "10.0.2.0/24", vec![answers(0.2)]);
    let to = format!("<sip:moved@{};method=BYE?X-Evil=1>", callee_address(1));
    gateway_says(&mut world, &moved_to(&to));
    finish(&mut world);
    let uri = format!("sip:moved@{}", callee_address(1));
    let invite = invites_to(&world, callee_address(1)).remove(0).message;
    assert_eq!(invite.request_uri().unwrap(), uri);
    assert_eq!(invite.header("X-Evil"), None);
    assert_eq!(invite.header("Authorization"), None);
    assert_eq!(result(&world)["dial_status"], "completed");
    let tried: Vec<_> = attempts(&world).iter().map(|a| &a["sip_status"]).collect();
    assert_eq!(tried, [302, 200]);
    assert_eq!(attempts(&world)[1]["uri"], uri);
}

#[test]
fn the_preferred_contact_is_called_first_and_the_next_where_it_fails() {
    let callees = vec![answers(0.2), refuses(503, 0.1)];
    let mut world = over_a_carrier(true, "10.0.2.0/24", callees);
    let (one, two) = (callee_address(1), callee_address(2));
    gateway_says(&mut world, &moved_to(&format!("<sip:a@{one}>;q=0.5, <sip:b@{two}>;q=0.9")));
    // Its own contact has no q, which is the highest.
    gateway_says(&mut world, "500 Server Internal Error");
    finish(&mut world);
    let tried: Vec<_> = attempts(&world).iter().map(|a| a["sip_status"].clone()).collect();
    assert_eq!(tried, [302, 500, 503, 200]);
    assert_eq!(attempts(&world)[2]["uri"], format!("sip:b@{two}"));
    assert_eq!(result(&world)["dial_status"], "completed");
}

#[test]
fn without_permission_a_redirection_is_a_failure() {
    let mut world = over_a_carrier(false, "10.0.2.0/24", vec![answers(0.2)]);
    gateway_says(&mut world, &moved_to(&format!("<sip:moved@{}>", callee_address(1))));
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(1)), [""; 0]);
    assert_eq!(result(&world)["dial_status"], "failed");
    assert_eq!(result(&world)["dial_sip_status"], 302);
}

#[test]
fn the_fifth_redirection_is_not_followed() {
    let mut world = over_a_carrier(true, "10.0.2.0/24", Vec::new());
    for number in 1..=5 {
        gateway_says(&mut world, &moved_to(&format!("<sip:moved-{number}@{}>", gateway())));
    }
    finish(&mut world);
    assert_eq!(invites_to(&world, gateway()).len(), 5);
    assert_eq!(result(&world)["dial_status"], "failed");
    assert_eq!(result(&world)["dial_sip_status"], 302);
}

#[test]
fn whoever_we_are_redirected_to_gets_no_credentials() {
    let mut world = over_a_carrier(true, "10.0.2.0/24", Vec::new());
    gateway_says(&mut world, &moved_to(&format!("<sip:thief@{}>", gateway())));
    let challenge = "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"n\"";
    gateway_says(&mut world, challenge);
    finish(&mut world);
    let invites = invites_to(&world, gateway());
    assert_eq!(invites.len(), 2, "the challenge was not answered");
    assert!(invites.iter().all(|invite| invite.message.header("Authorization").is_none()));
    assert_eq!(result(&world)["dial_sip_status"], 401);
}

#[test]
fn a_redirection_inside_leads_nowhere() {
    // The network of the carrier is its gateway alone.
    let mut world = over_a_carrier(true, "10.0.2.9/32", vec![answers(0.2)]);
    gateway_says(&mut world, &moved_to(&format!("<sip:moved@{}>", callee_address(1))));
    gateway_says(&mut world, "486 Busy Here");
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(1)), [""; 0]);
    let tried: Vec<_> = attempts(&world).iter().map(|a| a["sip_status"].clone()).collect();
    assert_eq!(tried, [302, 503, 486]);
    assert_eq!(result(&world)["dial_status"], "busy");
}

#[test]
fn a_caller_who_leaves_ends_the_call_to_the_new_place_too() {
    let mut world = over_a_carrier(true, "10.0.2.0/24", vec![crate::scene::waits()]);
    gateway_says(&mut world, &moved_to(&format!("<sip:moved@{}>", callee_address(1))));
    world.run_for(s(0.5));
    world.with_phone("A", |phone, now| phone.cancel(now));
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "CANCEL", "ACK"]);
}
