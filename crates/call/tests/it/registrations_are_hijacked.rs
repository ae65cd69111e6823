//! What a user may bind, and what nobody may.

use call::settings::Client;
use serde_json::json;
use sip::Method;
use testkit::World;

use crate::raw::Raw;
use crate::registered_user_is_called::register;
use crate::scene::{Scene, answers, callee_address, finish, hangs_up, s};
use crate::sent::{request_to, response_to};
use crate::stranger::Stranger;

fn world() -> World {
    let more = json!({ "target": [{ "type": "user", "name": "jane" }] });
    Scene::running(&json!([crate::scene::dial(0, &more)]))
        .callees(vec![answers(0.5)])
        .caller(hangs_up(2.0))
        .settings(|settings| {
            let client = |username: &str| Client {
                username: username.to_owned(),
                password: "secret".to_owned(),
            };
            settings.clients = vec![client("jane"), client("joe")];
        })
        .before_the_call()
}

fn count(world: &World) -> usize {
    world.switch.registrations(world.now)
}

#[test]
fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let many: String = (0..10_000).map(|n| format!("Contact: <sip:j@h{n}>\r\n")).collect();
    for (contacts, status) in [
        ("Contact: *\r\nExpires: 60\r\n", 400),
        ("Contact: *\r\n", 400),
        ("Contact: *, <sip:joe@10.9.9.9>\r\nExpires: 0\r\n", 400),
        ("Contact: <sip:joe@10.0.0.1>\r\n", 403),
        ("Contact: <sip:joe@10.9.9.9>, <sip:joe@10.0.0.1:5060>\r\n", 403),
        ("Contact: <http://10.9.9.9>\r\n", 400),
        (&many[..many.find("h200>").unwrap() + 7], 503),
    ] {
        let mut world = world();
        let mut joe = Stranger::new("10.9.9.9:5060", "joe");
        assert_eq!(joe.registers(&mut world, "secret", contacts), Some(status), "{contacts:.80}");
        assert_eq!(count(&world), 0);
        assert_eq!(world.switch.alive(), call::Alive::default());
    }
    let mut world = world();
    let mut joe = Stranger::new("10.9.9.9:5060", "joe");
    assert_eq!(joe.asks(&mut world, "REGISTER", &many), None, "no message is that long");
}

#[test]
fn nobody_binds_another_user() {
    let mut world = world();
    register(&mut world, Raw(callee_address(1)), 1);
    let mut joe = Stranger::new("10.9.9.9:5060", "joe");
    assert_eq!(joe.asks(&mut world, "REGISTER", ""), Some(401));
    let proof = joe.answers(&world, "secret", 1);
    let text = format!(
        "REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKx\r\n\
         From: <sip:joe@10.0.0.1>;tag=1\r\nTo: <sip:jane@10.0.0.1>\r\nCall-ID: x\r\n\
         CSeq: 9 REGISTER\r\nContact: <sip:jane@10.9.9.9>\r\n{proof}Content-Length: 0\r\n\r\n"
    );
    world.say(joe.address, &text);
    world.run_for(s(0.02));
    assert!(response_to(&world, joe.address, 403).header("Contact").is_none(), "nor reads it");
    world.call("A");
    finish(&mut world);
    request_to(&world, callee_address(1), &Method::Invite);
    assert!(crate::sent::requests_to(&world, joe.address, &Method::Invite).is_empty());
}

#[test]
fn a_register_is_challenged_even_from_where_the_user_is_registered() {
    let mut world = world();
    register(&mut world, Raw(callee_address(1)), 1);
    let mut forged = Stranger::new(&callee_address(1).to_string(), "jane");
    let elsewhere = "Contact: <sip:jane@10.9.9.9>\r\n";
    assert_eq!(forged.asks(&mut world, "REGISTER", elsewhere), Some(401));
    let removal = "Contact: *\r\nExpires: 0\r\n";
    assert_eq!(forged.asks(&mut world, "REGISTER", removal), Some(401));
    assert_eq!(count(&world), 1);
}

#[test]
fn a_register_from_a_carrier_is_challenged_too() {
    let mut world = world();
    let mut carrier = Stranger::new("10.0.1.1:5099", "jane");
    let contact = carrier.contact();
    assert_eq!(carrier.asks(&mut world, "REGISTER", &contact), Some(401));
}

#[test]
fn whatever_a_contact_says_calls_go_to_where_the_register_came_from() {
    for contact in
        ["sip:jane@127.0.0.1", "sip:jane@0.0.0.0:1", "sip:joe@10.0.3.3", "sip:x@224.0.0.1"]
    {
        let mut world = world();
        let mut jane = Stranger::new(&callee_address(1).to_string(), "jane");
        let contact = format!("Contact: <{contact}>\r\n");
        assert_eq!(jane.registers(&mut world, "secret", &contact), Some(200), "{contact}");
        world.call("A");
        finish(&mut world);
        let invites = world.wire.iter().filter(|(_, sent)| sent.bytes.starts_with(b"INVITE"));
        let to = invites.map(|(_, sent)| sent.to).find(|to| *to != testkit::SWITCH);
        assert_eq!(to, Some(callee_address(1)), "{contact}");
    }
}
