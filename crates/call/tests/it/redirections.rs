//! A carrier's 3xx: followed where the operator allows it, without our credentials, not for ever,
//! and never to a place inside.

use std::net::SocketAddr;
use std::sync::Arc;

use call::settings::{Credentials, Gateway, GatewayHost};
use serde_json::{Value, json};
use sip::Method;
use testkit::{Callee, SWITCH, World};

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
    called(over_a_carrier_scene(follow_redirects, network, callees))
}

fn called(scene: Scene) -> World {
    let mut world = scene.begin();
    world.run_for(s(0.2));
    world
}

fn over_a_carrier_scene(follow_redirects: bool, network: &str, callees: Vec<Callee>) -> Scene {
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
    scene.caller(testkit::Caller { hangs_up, ..patient() })
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

/// Answers what the switch sent last to this peer with a 302 to these contacts alone.
pub(crate) fn redirects(world: &mut World, peer: Raw, contacts: &str) {
    let invite = invites_to(world, peer.0).pop().unwrap();
    let lines = format!("Contact: {contacts}\r\n");
    peer.respond_with(world, &invite, "302 Moved Temporarily", "moved", &lines, "");
    world.run_for(s(0.2));
}

/// What came of each attempt of the only target.
pub(crate) fn tried(world: &World) -> Vec<Value> {
    attempts(world).iter().map(|attempt| attempt["sip_status"].clone()).collect()
}

/// The only target failed by this 302, and the dial with it.
#[track_caller]
pub(crate) fn assert_not_followed(world: &World, why: &str) {
    let result = result(world);
    assert_eq!(
        (&result["dial_status"], &result["dial_sip_status"]),
        (&"failed".into(), &302.into())
    );
    let target = &result["dial_targets"][0];
    assert_eq!(target["call_status"], "failed", "{why}");
    assert_eq!(target["sip_status"], 302, "{why}");
    assert_eq!(target["sip_reason"], "Moved Temporarily", "{why}");
    assert_eq!(target["lost_because"], "rejected", "{why}");
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
    assert_eq!(tried(&world), [302, 200]);
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
    assert_eq!(tried(&world), [302, 500, 503, 200]);
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
    assert_eq!(tried(&world), [302, 486]);
    assert_eq!(result(&world)["dial_status"], "busy");
}

#[test]
fn what_sip_over_these_transports_does_not_carry_is_passed_over() {
    for contact in [
        "<sips:moved@10.0.2.1>",
        "<sip:moved@10.0.2.1;transport=tls>",
        "<sip:moved@10.0.2.1;transport=ws>",
        "<tel:+15551234567>",
        "<http://10.0.2.1/moved>",
        "<mailto:moved@10.0.2.1>",
        "nonsense",
    ] {
        let mut world = over_a_carrier(true, "10.0.2.0/24", vec![answers(0.2)]);
        gateway_says(&mut world, &moved_to(contact));
        gateway_says(&mut world, "486 Busy Here");
        finish(&mut world);
        assert_eq!(methods_to(&world, callee_address(1)), [""; 0], "{contact}");
        assert_eq!(tried(&world), [302, 486], "{contact}");
    }
}

/// As [`over_a_carrier`], where the switch has a public address besides its own.
fn beside_us(network: &str) -> World {
    let mut scene = over_a_carrier_scene(true, network, Vec::new());
    let own = ["10.0.0.1", "203.0.113.1"].map(|own| own.parse().unwrap());
    scene.config.settings.own_addresses = own.to_vec();
    called(scene)
}

#[test]
fn a_redirection_to_ourselves_leads_nowhere_even_where_the_network_of_the_carrier_is_ours_too() {
    let networks = ["10.0.2.9/32", "10.0.0.0/8", "203.0.113.0/24"];
    for (network, own) in networks
        .iter()
        .flat_map(|network| ["10.0.0.1", "203.0.113.1", "us.test"].map(|own| (network, own)))
    {
        let mut world = beside_us(network);
        let known = [SWITCH, SocketAddr::new([203, 0, 113, 1].into(), 5060)];
        world.names.insert("us.test".to_owned(), known.to_vec());
        gateway_says(&mut world, &moved_to(&format!("<sip:+4930999888@{own}>")));
        gateway_says(&mut world, "486 Busy Here");
        finish(&mut world);
        let ours = |to: &SocketAddr| known.iter().any(|own| own.ip() == to.ip());
        assert!(!world.wire.iter().any(|(_, sent)| sent.from == SWITCH && ours(&sent.to)), "{own}");
        assert_eq!(result(&world)["dial_status"], "busy", "{network} {own}");
        assert_eq!(world.application.calls(false).len(), 1, "no call came in: {network} {own}");
    }
}

#[test]
fn a_name_that_means_a_place_inside_is_not_called_there() {
    let mut world = over_a_carrier(true, "10.0.2.9/32", Vec::new());
    let outside = SocketAddr::new([198, 51, 100, 7].into(), 5060);
    let inside = ["127.0.0.1:5060", "169.254.169.254:80", "10.0.2.1:5060", "192.168.0.1:5060"];
    let mut known: Vec<SocketAddr> = inside.iter().map(|to| to.parse().unwrap()).collect();
    known.push(outside);
    world.names.insert("moved.test".to_owned(), known.clone());
    gateway_says(&mut world, &moved_to("<sip:moved@moved.test>"));
    let invite = invites_to(&world, outside).remove(0);
    Raw(outside).respond(&mut world, &invite, "486 Busy Here", "t", "");
    finish(&mut world);
    assert_eq!(result(&world)["dial_status"], "busy");
    for place in &known[..inside.len()] {
        assert_eq!(methods_to(&world, *place), [""; 0], "{place}");
    }
}

#[test]
fn redirections_that_branch_without_end_come_to_one() {
    let mut world = over_a_carrier(true, "10.0.0.0/8", Vec::new());
    // Of ninety-nine servers every other one names ten others, and the rest is out of order.
    let address = |number: u8| SocketAddr::new([10, 9, 9, number].into(), 5060);
    let contacts = |number: u8| -> Vec<String> {
        let others = (0..10).map(|next| number.wrapping_mul(10).wrapping_add(next) % 99);
        others.map(|next| format!("<sip:moved@{}>", address(next))).collect()
    };
    for number in 0..99 {
        let contacts = contacts(number);
        if number % 2 == 0 {
            world.redirectors.insert(address(number), testkit::Redirector { contacts });
        } else {
            let script = testkit::Script::Callee(refuses(503, 0.01));
            world.add(testkit::Phone::new(&format!("S{number}"), address(number), script, 7));
        }
    }
    gateway_says(&mut world, &moved_to(&contacts(1).join(", ")));
    finish(&mut world);
    assert_eq!(result(&world)["dial_sip_status"], 302);
    let tried = attempts(&world).len();
    // One call, then four redirections of at most eight contacts.
    assert!((6..=33).contains(&tried), "{tried} calls of one target");
    let uris: std::collections::BTreeSet<&str> =
        attempts(&world).iter().map(|attempt| attempt["uri"].as_str().unwrap()).collect();
    assert_eq!(uris.len(), tried, "nobody is called twice");
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
