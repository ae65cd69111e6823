//! The 3xx of a callee that a SIP URI names: SIP URIs elsewhere are called in its place, at public
//! addresses or its own, and nobody's money is spent.

use std::net::SocketAddr;
use std::sync::Arc;

use call::settings::{Client, Gateway, GatewayHost};
use serde_json::{Value, json};
use sip::Method;
use testkit::{Note, Phone, SWITCH, Script, World};

use crate::events::{child_history, parent_history};
use crate::placed::begins;
use crate::raw::Raw;
use crate::redirections::{assert_not_followed, redirects, tried};
use crate::registered_user_is_called::{register, register_as};
use crate::scene::{
    Scene, answers, assert_near, callee_address, dial, finish, hangs_up, result, s, saw_at, waits,
};
use crate::sent::{request_to, requests_to};

/// Whom the target names, played by hand. The carrier's gateway is callee 1.
fn callee() -> Raw {
    Raw(callee_address(2))
}

/// A place that anybody can reach.
fn outside() -> SocketAddr {
    SocketAddr::new([198, 51, 100, 7].into(), 5060)
}

fn sip_target(more: &Value) -> Value {
    let mut target = crate::scene::target(2);
    for (name, value) in more.as_object().unwrap() {
        target[name] = value.clone();
    }
    target
}

/// A dial of that callee alone, which was called; somebody at [`outside`] answers.
fn called(more: &Value) -> World {
    let verb = dial(0, &json!({ "target": [sip_target(more)] }));
    called_by(Scene::running(&json!([verb])))
}

fn called_by(scene: Scene) -> World {
    let mut world = scene.caller(hangs_up(2.0)).before_the_call();
    world.add(Phone::new("P", outside(), Script::Callee(answers(0.2)), 7));
    world.call("A");
    world.run_for(s(0.2));
    world
}

/// Where INVITEs went besides the callee, in order, repetitions left out.
fn went_to(world: &World) -> Vec<SocketAddr> {
    let sent = world.wire.iter().map(|(_, sent)| sent);
    let invites = sent.filter(|sent| sent.from == SWITCH && sent.bytes.starts_with(b"INVITE "));
    let mut places: Vec<SocketAddr> = invites.map(|sent| sent.to).collect();
    places.retain(|place| *place != callee().0);
    places.dedup();
    places
}

#[test]
fn a_sip_uri_at_a_public_address_is_called_in_its_place() {
    for status in [300, 301, 302] {
        let mut world = called(&json!({ "headers": { "X-A": "b" }, "callerId": "+4930777" }));
        let invite = request_to(&world, callee().0, &Method::Invite);
        let contact = "Contact: <sip:moved@198.51.100.7;method=BYE?X-Evil=1>\r\n";
        callee().respond_with(&mut world, &invite, &format!("{status} Moved"), "t", contact, "");
        finish(&mut world);
        let invite = request_to(&world, outside(), &Method::Invite).message;
        assert_eq!(invite.request_uri().unwrap(), "sip:moved@198.51.100.7");
        assert_eq!(invite.header("X-Evil"), None);
        assert_eq!(invite.header_text("X-A").as_deref(), Some("b"));
        assert_eq!(invite.from().unwrap().uri.user.as_deref(), Some("+4930777"));
        assert_eq!(child_history(&world, 1), ["trying/100", &format!("failed/{status}")]);
        assert_eq!(child_history(&world, 2)[..2], ["trying/100", "ringing/180"]);
        assert_eq!(tried(&world), [status, 200]);
        let target = &result(&world)["dial_targets"][0];
        assert_eq!(
            (&target["sip_status"], &target["call_status"]),
            (&200.into(), &"completed".into())
        );
        assert_eq!(target["call_sid"], result(&world)["dial_call_sid"]);
    }
}

#[test]
fn where_it_is_itself_every_port_may_be_called() {
    let mut world = called(&json!({}));
    let beside = SocketAddr::new(callee().0.ip(), 5070);
    world.add(Phone::new("Q", beside, Script::Callee(answers(0.2)), 8));
    redirects(&mut world, callee(), &format!("<sip:b@{beside}>"));
    finish(&mut world);
    assert_eq!(tried(&world), [302, 200]);
    assert_eq!(went_to(&world), [beside]);
}

#[test]
fn neither_the_credentials_of_the_target_nor_its_proxy_go_there() {
    let auth = json!({ "username": "us", "password": "secret" });
    let proxied = json!({ "auth": auth, "proxy": format!("sip:{}", callee().0) });
    for more in [json!({ "auth": auth }), proxied] {
        let mut world = called(&more);
        let thief = Raw("203.0.113.5:5060".parse().unwrap());
        redirects(&mut world, callee(), "<sip:b@203.0.113.5>");
        let invite = request_to(&world, thief.0, &Method::Invite);
        assert_eq!(invite.header("Route"), None);
        let challenge = "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"n\"";
        thief.respond(&mut world, &invite, challenge, "t", "");
        finish(&mut world);
        assert_eq!(requests_to(&world, thief.0, &Method::Invite).len(), 1, "it is not answered");
        assert_eq!(tried(&world), [302, 401]);
    }
}

/// A carrier that calls us from a network and takes our calls at an address and at a name of it.
fn with_a_public_carrier(scene: Scene) -> Scene {
    scene.settings(|settings| {
        settings.own_addresses.push("203.0.113.1".parse().unwrap());
        let carrier = Arc::make_mut(&mut settings.carriers[1]);
        let like = carrier.gateways[0].clone();
        let host = GatewayHost::Net("192.0.2.0/24".parse().unwrap());
        let network = Gateway { host, inbound: true, outbound: false, ..like.clone() };
        let name = Gateway { host: GatewayHost::Name("sip.carrier.test".to_owned()), ..like };
        carrier.gateways.extend([network, name]);
    })
}

#[test]
fn what_costs_leads_inside_or_back_to_us_is_not_followed() {
    for contacts in [
        // A carrier may know us by our address alone.
        "<sip:+15551234567@192.0.2.9>",
        "<sip:+15551234567@SIP.carrier.test>",
        "<sip:+15551234567@10.0.2.1>",
        "<tel:+15551234567>",
        "<sip:b@10.0.2.3>",
        "<sip:b@127.0.0.1:5070>",
        "<sip:b@[::ffff:127.0.0.1]>",
        "<sip:b@169.254.169.254>",
        "<sip:b@10.0.0.1>",
        "<sip:b@10.0.0.1:5070>",
        "<sip:b@203.0.113.1>",
        "<sips:b@198.51.100.7>",
        "<sip:b@198.51.100.7;transport=tls>",
        "<http://198.51.100.7/b>",
        "*",
        "nonsense",
        "",
        // Called already.
        "<sip:b2@10.0.2.2:5060>",
    ] {
        let verb = dial(0, &json!({ "target": [sip_target(&json!({}))] }));
        let mut world = called_by(with_a_public_carrier(Scene::running(&json!([verb]))));
        world.names.insert("sip.carrier.test".to_owned(), vec![outside()]);
        redirects(&mut world, callee(), contacts);
        finish(&mut world);
        assert_not_followed(&world, contacts);
        assert_eq!(went_to(&world), [], "{contacts}");
    }
}

#[test]
fn no_contact_at_all_and_other_kinds_of_redirection_are_failures() {
    let elsewhere = "Contact: <sip:b@198.51.100.7>\r\n";
    for (status, lines) in [(302, ""), (304, elsewhere), (305, elsewhere), (380, elsewhere)] {
        let mut world = called(&json!({}));
        let invite = request_to(&world, callee().0, &Method::Invite);
        callee().respond_with(&mut world, &invite, &format!("{status} Gone"), "t", lines, "");
        finish(&mut world);
        assert_eq!(went_to(&world), [], "{status}");
        let result = result(&world);
        assert_eq!(
            (&result["dial_status"], &result["dial_sip_status"]),
            (&"failed".into(), &status.into())
        );
        assert_eq!(result["dial_targets"][0]["sip_reason"], "Gone");
        // Nobody redirects our caller.
        assert_eq!(parent_history(&world).last().unwrap(), "failed/603");
    }
}

#[test]
fn a_name_is_called_at_those_of_its_addresses_that_are_allowed() {
    let scene = Scene::running(&json!([dial(0, &json!({ "target": [sip_target(&json!({}))] }))]));
    let mut world = called_by(with_a_public_carrier(scene));
    let not = ["10.0.0.1:5060", "203.0.113.1:5060", "192.0.2.3:5060", "10.0.2.1:5060"];
    let mut known: Vec<SocketAddr> = not.iter().map(|to| to.parse().unwrap()).collect();
    known.extend([SocketAddr::new([10, 0, 2, 3].into(), 5060), outside()]);
    world.names.insert("moved.test".to_owned(), known);
    redirects(&mut world, callee(), "<sip:b@moved.test>");
    finish(&mut world);
    assert_eq!(went_to(&world), [outside()]);
    assert_eq!(tried(&world), [302, 200]);
}

#[test]
fn who_shares_an_address_with_us_or_with_a_gateway_redirects_past_neither() {
    let gateway = callee_address(1);
    for (ip, behind, allowed) in [
        (SWITCH.ip(), SWITCH.port(), false),
        (SWITCH.ip(), 5090, true),
        (gateway.ip(), gateway.port(), false),
        (gateway.ip(), 5090, true),
    ] {
        let peer = Raw(SocketAddr::new(ip, 5070));
        let target = json!([{ "type": "sip", "sipUri": format!("sip:b@{}", peer.0) }]);
        let verb = dial(0, &json!({ "target": target, "timeout": 5 }));
        let mut world = called_by(Scene::running(&json!([verb])));
        let place = SocketAddr::new(ip, behind);
        if allowed {
            world.add(Phone::new("Q", place, Script::Callee(answers(0.2)), 8));
        }
        redirects(&mut world, peer, &format!("<sip:+15551234567@{place}>"));
        finish(&mut world);
        let expected = if allowed { vec![json!(302), json!(200)] } else { vec![json!(302)] };
        assert_eq!(tried(&world), expected, "{place}");
    }
}

#[test]
fn whoever_is_called_in_its_place_may_redirect_too_but_only_from_where_it_is() {
    let mut world = called(&json!({}));
    let further = Raw("203.0.113.5:5060".parse().unwrap());
    redirects(&mut world, callee(), "<sip:b@203.0.113.5>");
    redirects(&mut world, further, "<sip:b@10.0.2.2:5070>, <sip:c@203.0.113.5>");
    redirects(&mut world, further, "<sip:b@198.51.100.7>");
    finish(&mut world);
    assert_eq!(tried(&world), [302, 302, 302, 200]);
    assert_eq!(went_to(&world), [further.0, outside()]);
}

#[test]
fn the_fifth_redirection_is_not_followed() {
    let mut world = called(&json!({}));
    for number in 1..=5 {
        redirects(&mut world, callee(), &format!("<sip:moved-{number}@{}>", callee().0));
    }
    finish(&mut world);
    assert_eq!(tried(&world), [302; 5]);
    assert_not_followed(&world, "four were");
}

#[test]
fn the_ring_time_counts_from_the_beginning() {
    let mut world = called(&json!({ "timeout": 3 }));
    let called_at = requests_to(&world, callee().0, &Method::Invite)[0].at;
    let beside = SocketAddr::new(callee().0.ip(), 5070);
    world.add(Phone::new("Q", beside, Script::Callee(waits()), 8));
    world.run_for(s(2.0));
    redirects(&mut world, callee(), &format!("<sip:b@{beside}>"));
    finish(&mut world);
    assert_near(saw_at(&world, "Q", &Note::Cancelled(None)), called_at + 3.0);
    assert_eq!(result(&world)["dial_targets"][0]["lost_because"], "ring-timeout");
}

#[test]
fn a_call_that_a_program_begins_follows_too_and_stays_one_call() {
    let list = json!([{ "verb": "pause", "length": 1 }]);
    let mut world = Scene::running(&list).without_caller();
    world.add(Phone::new("P", outside(), Script::Callee(answers(0.2)), 7));
    begins(&mut world, &json!({ "to": sip_target(&json!({})) }));
    world.run_for(s(0.2));
    redirects(&mut world, callee(), "<sip:b@198.51.100.7>");
    finish(&mut world);
    let told = parent_history(&world);
    assert_eq!(told, ["trying/100", "ringing/180", "in-progress/200", "completed/200"]);
}

#[test]
fn a_proxied_user_redirects_as_a_sip_uri_does() {
    // Nobody behind a foreign next hop has proved to be a device of ours.
    let proxy = format!("sip:{}", callee().0);
    let target = json!([{ "type": "user", "name": "jane", "proxy": proxy }]);
    let list = json!([dial(0, &json!({ "target": target }))]);
    for contacts in ["<sip:joe@10.0.0.1>", "<sip:+15551234567@10.0.0.1>", "<tel:+15551234567>"] {
        let mut world = Scene::running(&list)
            .settings(|settings| {
                settings.device_application = Some("main".to_owned());
                settings.clients = ["jane", "joe"]
                    .map(|user| Client { username: user.to_owned(), password: "secret".to_owned() })
                    .to_vec();
            })
            .caller(hangs_up(2.0))
            .before_the_call();
        register(&mut world, Raw(callee_address(9)), 1);
        register_as("joe", &mut world, Raw(callee_address(4)), 1);
        world.call("A");
        world.run_for(s(0.2));
        redirects(&mut world, callee(), contacts);
        finish(&mut world);
        assert_not_followed(&world, contacts);
        assert_eq!(went_to(&world), [], "{contacts}");
    }
}
