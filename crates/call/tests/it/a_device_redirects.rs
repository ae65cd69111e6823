//! The 3xx of a registered device: its contacts are called in its place where it could transfer
//! to, and what holds for the target holds for them.

use call::settings::Client;
use serde_json::{Value, json};
use sip::Method;
use testkit::{Callee, Note, World};

use crate::events::{child_history, children};
use crate::raw::Raw;
use crate::redirections::{assert_not_followed, redirects, tried};
use crate::registered_user_is_called::{register, register_as};
use crate::scene::{
    Scene, answers, assert_near, callee_address, dial, finish, hangs_up, refuses, result, s,
    saw_at, target, text, waits,
};
use crate::sent::{methods_to, request_to, requests_to};

/// The device of `jane`, played by hand. The carrier's gateway is callee 1.
fn jane() -> Raw {
    Raw(callee_address(9))
}

/// A device of another user, played by hand.
fn device(number: u8) -> Raw {
    Raw(callee_address(20 + number))
}

/// Whether registered devices may dial numbers and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Devices {
    Dial,
    CallEachOther,
}

/// A dial of `jane`, with these properties, while `joe` is at callees 2 and 3 and `ann` at callee
/// 4; the device of jane was called.
fn called(devices: Devices, callees: Vec<Callee>, more: &Value) -> World {
    called_by(Scene::running(&json!([to_jane(more)])), devices, callees)
}

fn to_jane(more: &Value) -> Value {
    let mut more = more.clone();
    more["target"] = json!([{ "type": "user", "name": "jane" }]);
    dial(0, &more)
}

fn called_by(scene: Scene, devices: Devices, callees: Vec<Callee>) -> World {
    let users = ["jane", "joe", "ann", "u1", "u2", "u3", "u4", "u5"];
    let clients = users.map(|user| Client { username: user.to_owned(), password: "secret".into() });
    let mut world = scene
        .callees(callees)
        .caller(hangs_up(2.0))
        .settings(|settings| {
            settings.clients = clients.to_vec();
            settings.device_application = (devices == Devices::Dial).then(|| "main".to_owned());
        })
        .before_the_call();
    register(&mut world, jane(), 1);
    for (user, number) in [("joe", 2), ("joe", 3), ("ann", 4)] {
        register_as(user, &mut world, Raw(callee_address(number)), 1);
    }
    world.call("A");
    world.run_for(s(0.2));
    world
}

/// Request-URIs of the INVITEs to this callee.
fn asked_for(world: &World, number: u8) -> Vec<String> {
    let invites = requests_to(world, callee_address(number), &Method::Invite);
    invites.iter().map(|i| i.message.request_uri().unwrap().into_owned()).collect()
}

#[test]
fn a_user_it_names_is_called_at_all_devices_in_its_place() {
    let callees = vec![waits(), waits(), answers(0.5), waits()];
    let mut world = called(Devices::CallEachOther, callees, &json!({}));
    redirects(&mut world, jane(), "<sip:joe@10.0.0.1>");
    finish(&mut world);
    assert_eq!(child_history(&world, 1), ["trying/100", "failed/302"]);
    let of_joe = [2, 3].map(|number| child_history(&world, number));
    assert!(
        of_joe.contains(
            &vec!["trying/100", "ringing/180", "no-answer/487"]
                .into_iter()
                .map(str::to_owned)
                .collect()
        ),
        "{of_joe:?}"
    );
    let result = result(&world);
    assert_eq!(result["dial_status"], "completed");
    let target = &result["dial_targets"][0];
    assert_eq!((&target["address"], &target["call_status"]), (&"jane".into(), &"completed".into()));
    assert_eq!(result["dial_call_sid"], target["call_sid"]);
    let mut statuses = tried(&world);
    statuses.sort_by_key(Value::as_u64);
    assert_eq!(statuses, [200, 302, 487]);
    let invite = request_to(&world, callee_address(3), &Method::Invite);
    assert_eq!(invite.message.request_uri().unwrap(), "sip:joe@10.0.2.3:5060");
    let sid = invite.header("X-Call-Sid").unwrap();
    assert!(children(&world).contains(&sid), "each has a name of its own");
    assert_eq!(methods_to(&world, callee_address(4)), [""; 0]);
}

#[test]
fn where_devices_may_not_dial_only_users_are_called_and_else_the_302_is_the_end() {
    for contacts in [
        "<sip:+15551234567@10.0.0.1>",
        "<tel:+15551234567>",
        "<sip:b@198.51.100.7>",
        "<sip:b@10.0.2.2>",
        "<sip:nobody@10.0.0.1>",
    ] {
        let mut world = called(Devices::CallEachOther, vec![answers(0.2)], &json!({}));
        world.add(public_phone());
        redirects(&mut world, jane(), contacts);
        finish(&mut world);
        assert_not_followed(&world, contacts);
        assert_eq!(children(&world).len(), 1, "{contacts}");
    }
}

/// Somebody at a public address, who answers.
fn public_phone() -> testkit::Phone {
    let address = "198.51.100.7:5060".parse().unwrap();
    testkit::Phone::new("P", address, testkit::Script::Callee(answers(0.2)), 7)
}

#[test]
fn where_devices_may_dial_a_number_goes_over_the_carrier_and_an_address_is_called() {
    for (contacts, uri) in [
        ("<sip:+15551234567@10.0.0.1>", "sip:+15551234567@10.0.2.1"),
        ("<tel:+15551234567>", "sip:+15551234567@10.0.2.1"),
        ("<sip:b@198.51.100.7;method=BYE?X-Evil=1>", "sip:b@198.51.100.7"),
        ("<sip:b@10.0.2.9:5070>", "sip:b@10.0.2.9:5070"),
    ] {
        let mut world = called(Devices::Dial, vec![answers(0.2)], &json!({}));
        world.add(public_phone());
        let beside = "10.0.2.9:5070".parse().unwrap();
        let script = testkit::Script::Callee(answers(0.2));
        world.add(testkit::Phone::new("Q", beside, script, 8));
        redirects(&mut world, jane(), contacts);
        finish(&mut world);
        assert_eq!(result(&world)["dial_status"], "completed", "{contacts}");
        let attempts = &result(&world)["dial_targets"][0]["attempts"];
        assert_eq!(attempts[1]["uri"], uri, "{contacts}");
        let sent = world.wire.iter().filter(|(_, sent)| sent.bytes.starts_with(b"INVITE "));
        assert!(!sent.into_iter().any(|(_, sent)| contains(&sent.bytes, "X-Evil")), "{contacts}");
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

#[test]
fn what_leads_inside_to_ourselves_or_to_nobody_is_not_followed_either_way() {
    for contacts in [
        "<sip:b@10.0.2.2>",
        "<sip:b@127.0.0.1>",
        "<sip:b@169.254.169.254:80>",
        "<sip:+15551234567@10.0.2.1>",
        "<sip:b@[::1]>",
        "<sips:b@198.51.100.7>",
        "<sips:joe@10.0.0.1>",
        "<sip:joe@10.0.0.1;transport=tls>",
        "<sip:b@198.51.100.7;transport=ws>",
        "<http://198.51.100.7/b>",
        "<mailto:b@198.51.100.7>",
        "<sip:10.0.0.1>",
        "<sip:operator@10.0.0.1>",
        "*",
        "nonsense",
        "",
        // It has just said that it is elsewhere.
        "<sip:jane@10.0.0.1>",
        "<sip:jane@10.0.2.9:5060>",
        "<sip:another-line@10.0.2.9>",
    ] {
        let mut world = called(Devices::Dial, vec![answers(0.2), answers(0.2)], &json!({}));
        world.add(public_phone());
        redirects(&mut world, jane(), contacts);
        finish(&mut world);
        assert_not_followed(&world, contacts);
        assert_eq!(children(&world).len(), 1, "{contacts}");
    }
}

#[test]
fn a_name_that_means_a_place_inside_is_not_called_there() {
    let mut world = called(Devices::Dial, vec![answers(0.2), answers(0.2)], &json!({}));
    let inside = ["10.0.2.2:5060", "10.0.0.1:5060", "127.0.0.1:5060"];
    let inside = inside.map(|to| to.parse().unwrap()).to_vec();
    world.names.insert("moved.test".to_owned(), inside);
    redirects(&mut world, jane(), "<sip:b@moved.test>");
    finish(&mut world);
    assert_eq!(tried(&world), [302, 503]);
    assert_eq!(result(&world)["dial_status"], "failed");
    assert_eq!(methods_to(&world, callee_address(2)), [""; 0]);
}

#[test]
fn whoever_was_called_already_is_not_called_again() {
    // Two devices that forward to each other, as people set them up.
    let mut world = called(Devices::Dial, Vec::new(), &json!({}));
    register_as("u1", &mut world, device(1), 1);
    redirects(&mut world, jane(), "<sip:u1@10.0.0.1>");
    redirects(&mut world, device(1), "<sip:jane@10.0.0.1>");
    finish(&mut world);
    assert_not_followed(&world, "jane was called first");
    assert_eq!(tried(&world), [302, 302]);
    for peer in [jane(), device(1)] {
        assert_eq!(requests_to(&world, peer.0, &Method::Invite).len(), 1);
    }
}

#[test]
fn a_device_that_names_itself_by_another_name_is_not_called_again() {
    let itself = jane().0;
    let mut world = called(Devices::Dial, Vec::new(), &json!({}));
    redirects(&mut world, jane(), &format!("<sip:other@{itself}>"));
    finish(&mut world);
    assert_not_followed(&world, "it has just said that it is elsewhere");
    assert_eq!(requests_to(&world, itself, &Method::Invite).len(), 1);
    // Another port of its address is another phone.
    let mut world = called(Devices::Dial, Vec::new(), &json!({}));
    let beside = Raw((itself.ip(), 5080).into());
    redirects(&mut world, jane(), &format!("<sip:other@{}>", beside.0));
    world.run_for(s(0.2));
    let invite = request_to(&world, beside.0, &Method::Invite);
    beside.respond(&mut world, &invite, "486 Busy Here", "x", "");
    finish(&mut world);
    assert_eq!(tried(&world), [302, 486]);
}

#[test]
fn the_preferred_contact_is_called_first_and_nobody_twice() {
    let callees = vec![waits(), answers(0.3), refuses(503, 0.1), refuses(503, 0.1)];
    let mut world = called(Devices::CallEachOther, callees, &json!({}));
    register_as("u1", &mut world, device(1), 1);
    let contacts = "<sip:joe@10.0.0.1>;q=0.1, <sip:ann@10.0.0.1>;q=0.5, <sip:u1@10.0.0.1>;q=0.9";
    redirects(&mut world, jane(), contacts);
    // The preferred one says what comes next anyway.
    redirects(&mut world, device(1), "<sip:ann@10.0.0.1>, <sip:jane@10.0.0.1>");
    finish(&mut world);
    let attempts = result(&world)["dial_targets"][0]["attempts"].as_array().unwrap();
    let users: Vec<&str> = attempts
        .iter()
        .map(|attempt| attempt["uri"].as_str().unwrap().split(['@', ':']).nth(1).unwrap())
        .collect();
    assert_eq!(users, ["jane", "u1", "ann", "joe", "joe"]);
    assert_eq!(result(&world)["dial_status"], "completed");
}

#[test]
fn the_fifth_redirection_is_not_followed() {
    let mut world = called(Devices::CallEachOther, Vec::new(), &json!({}));
    for number in 1..=5 {
        register_as(&format!("u{number}"), &mut world, device(number), 1);
    }
    redirects(&mut world, jane(), "<sip:u1@10.0.0.1>");
    for number in 1..=4 {
        redirects(&mut world, device(number), &format!("<sip:u{}@10.0.0.1>", number + 1));
    }
    finish(&mut world);
    assert_eq!(tried(&world), [302; 5]);
    assert_not_followed(&world, "four were followed");
    assert_eq!(methods_to(&world, device(5).0), [""; 0]);
}

#[test]
fn a_device_that_redirects_leaves_the_other_devices_of_its_user_ringing() {
    for (joe, winner) in [(waits(), "jane"), (answers(0.3), "joe")] {
        let callees = vec![waits(), joe.clone(), joe, waits(), answers(1.0)];
        let scene = Scene::running(&json!([to_jane(&json!({}))]));
        let mut world = called_by_two(scene, callees);
        redirects(&mut world, jane(), "<sip:joe@10.0.0.1>");
        finish(&mut world);
        let attempts = result(&world)["dial_targets"][0]["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 4, "{winner}");
        let won = attempts.iter().find(|attempt| attempt["sip_status"] == 200).unwrap();
        assert!(won["uri"].as_str().unwrap().starts_with(&format!("sip:{winner}@")), "{won}");
        assert_eq!(result(&world)["dial_targets"][0]["call_status"], "completed");
    }
}

/// As [`called_by`], where jane is at callee 5 too.
fn called_by_two(scene: Scene, callees: Vec<Callee>) -> World {
    let clients = ["jane", "joe"]
        .map(|user| Client { username: user.to_owned(), password: "secret".to_owned() });
    let mut world = scene
        .callees(callees)
        .caller(hangs_up(2.0))
        .settings(|settings| settings.clients = clients.to_vec())
        .before_the_call();
    register(&mut world, jane(), 1);
    register(&mut world, Raw(callee_address(5)), 1);
    for number in [2, 3] {
        register_as("joe", &mut world, Raw(callee_address(number)), 1);
    }
    world.call("A");
    world.run_for(s(0.2));
    world
}

#[test]
fn the_ring_time_counts_from_the_beginning() {
    let target = json!([{ "type": "user", "name": "jane", "timeout": 3 }]);
    let verb = dial(0, &json!({ "target": target }));
    let callees = vec![waits(), waits(), waits(), waits()];
    let mut world = called_by(Scene::running(&json!([verb])), Devices::CallEachOther, callees);
    let called_at = requests_to(&world, jane().0, &Method::Invite)[0].at;
    world.run_for(s(2.0));
    redirects(&mut world, jane(), "<sip:ann@10.0.0.1>");
    finish(&mut world);
    assert_near(saw_at(&world, "B4", &Note::Cancelled(None)), called_at + 3.0);
    let target = &result(&world)["dial_targets"][0];
    assert_eq!((&target["call_status"], &target["sip_status"]), (&"no-answer".into(), &487.into()));
    assert_eq!(target["lost_because"], "ring-timeout");
}

#[test]
fn what_the_target_asks_for_holds_for_whoever_is_called_in_its_place() {
    let target = json!([{
        "type": "user", "name": "jane", "callerId": "+4930777", "codecs": ["PCMA"],
        "headers": { "X-A": "b" }, "confirmHook": "/confirm"
    }]);
    let verb = dial(0, &json!({ "target": target }));
    let scene = Scene::running(&json!([verb]));
    let scene = scene.answering("/confirm", text(&json!([{ "verb": "pause", "length": 1 }])));
    let callees = vec![waits(), waits(), waits(), answers(0.5)];
    let mut world = called_by(scene, Devices::CallEachOther, callees);
    redirects(&mut world, jane(), "<sip:ann@10.0.0.1>");
    finish(&mut world);
    let invite = request_to(&world, callee_address(4), &Method::Invite);
    assert_eq!(invite.message.from().unwrap().uri.user.as_deref(), Some("+4930777"));
    assert_eq!(invite.header("X-A").as_deref(), Some("b"));
    assert!(invite.body().contains("RTP/AVP 8 101"), "{}", invite.body());
    let asked = world.application.asked_at("/confirm");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].payload["call_sid"], invite.header("X-Call-Sid").unwrap().as_str());
    assert_eq!(result(&world)["dial_status"], "completed");
}

#[test]
fn a_caller_who_leaves_ends_the_call_to_the_new_place_too() {
    let callees = vec![waits(), waits(), waits(), waits()];
    let mut world = called(Devices::CallEachOther, callees, &json!({}));
    redirects(&mut world, jane(), "<sip:ann@10.0.0.1>");
    world.with_phone("A", |phone, now| phone.cancel(now));
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(4)), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(asked_for(&world, 4), ["sip:ann@10.0.2.4:5060"]);
}

#[test]
fn a_redirection_that_crosses_our_cancel_calls_nobody_and_says_nothing_of_the_target() {
    let callees = vec![waits(), answers(0.2), answers(0.2), answers(0.5), refuses(480, 0.1)];
    let user = json!({ "type": "user", "name": "jane" });
    let list = json!([dial(0, &json!({ "target": [user, target(4)] }))]);
    let mut world = called_by_two(Scene::running(&list), callees);
    let invite = request_to(&world, jane().0, &Method::Invite);
    jane().respond(&mut world, &invite, "180 Ringing", "moved", "");
    world.run_for(s(0.5));
    assert_eq!(methods_to(&world, jane().0)[..2], ["INVITE", "CANCEL"]);
    redirects(&mut world, jane(), "<sip:joe@10.0.0.1>");
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(2)), [""; 0]);
    let target = &result(&world)["dial_targets"][0];
    let status = (&target["call_status"], &target["lost_because"]);
    assert_eq!(status, (&"no-answer".into(), &"answered-elsewhere".into()), "{target}");
}
