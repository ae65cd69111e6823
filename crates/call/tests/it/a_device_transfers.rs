//! Where a registered device may send the other party of its call, if the operator lets the switch
//! transfer by itself: what it could dial, and nothing that ends the call instead.

use call::settings::{Client, ReferPolicy};
use call::{CallKey, LegId};
use serde_json::json;
use sip::Method;
use testkit::{MediaFact, Note, World};

use crate::raw::{Raw, Request, description};
use crate::registered_user_is_called::register;
use crate::scene::{CALLER, Scene, callee_address, dial, patient, s, waits};
use crate::sent::{Sent, request_to, requests_to, sent_to};

/// The device of `jane`; callee 1 is behind the carrier, callee 2 at an address of its own.
fn jane() -> Raw {
    Raw(callee_address(3))
}

/// The caller and `jane` talk. What she dials goes to the application.
fn bridged() -> (World, Sent) {
    bridged_with(Some("main"))
}

/// The same, where what she dials goes to this application.
fn bridged_with(application: Option<&str>) -> (World, Sent) {
    let list = json!([dial(0, &json!({ "target": [{ "type": "user", "name": "jane" }] }))]);
    let scene = Scene::running(&list).callees(vec![waits(), waits()]).caller(patient());
    let mut world = scene
        .settings(|settings| {
            settings.refer = ReferPolicy::Transfer;
            settings.device_application = application.map(str::to_owned);
            settings.clients = ["jane", "joe"]
                .map(|name| Client { username: name.to_owned(), password: "secret".to_owned() })
                .to_vec();
        })
        .before_the_call();
    register(&mut world, jane(), 1);
    world.call("A");
    world.run_for(s(0.5));
    let invite = request_to(&world, jane().0, &Method::Invite);
    jane().respond(&mut world, &invite, "200 OK", "x", &description(jane(), 1, ""));
    world.run_for(s(0.5));
    (world, invite)
}

/// The device sends REFER there; the status that it gets.
fn refers(world: &mut World, invite: &Sent, refer_to: &str) -> u16 {
    let lines = format!("Refer-To: {refer_to}\r\n");
    let request = Request { lines: &lines, ..Request::new("REFER", 7) };
    jane().request_as_callee(world, &invite.message, "x", &request);
    world.run_for(s(0.5));
    let of_refer = |sent: &&Sent| sent.header("CSeq").as_deref() == Some("7 REFER");
    let answers = sent_to(world, jane().0);
    answers.iter().find(of_refer).unwrap().message.status().unwrap()
}

fn leave(world: &mut World) {
    world.with_switch(|switch, now| switch.end_all(now));
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

/// Request-URIs of the INVITEs to this callee.
fn called(world: &World, number: u8) -> Vec<String> {
    let invites = requests_to(world, callee_address(number), &Method::Invite);
    let mut uris: Vec<String> =
        invites.iter().map(|invite| invite.message.request_uri().unwrap().into_owned()).collect();
    uris.dedup();
    uris
}

#[test]
fn to_a_number_over_the_carrier_and_to_an_address() {
    for (refer_to, number, uri) in [
        ("<sip:+15551234567@10.0.0.1>", 1, "sip:+15551234567@10.0.2.1"),
        ("<tel:+15551234567>", 1, "sip:+15551234567@10.0.2.1"),
        ("<sip:bob@10.0.2.2>", 2, "sip:bob@10.0.2.2"),
        // RFC 3261 §19.1.1: a method and headers have no place in a Request-URI.
        ("<sip:bob@10.0.2.2;method=BYE?X-Evil=1>", 2, "sip:bob@10.0.2.2"),
    ] {
        let (mut world, invite) = bridged();
        assert_eq!(refers(&mut world, &invite, refer_to), 202, "{refer_to}");
        assert_eq!(called(&world, number), [uri], "{refer_to}");
        assert_eq!(called(&world, 3 - number), [""; 0], "{refer_to}");
        assert_eq!(requests_to(&world, CALLER, &Method::Bye).len(), 0, "{refer_to}: it waits");
        leave(&mut world);
    }
}

#[test]
fn who_may_not_dial_a_number_sends_nobody_there() {
    let tel = "<tel:+15551234567>";
    let address = format!("<sip:b2@{}>", callee_address(2));
    for (refer_to, status) in [(tel, 403), (address.as_str(), 403), ("<sip:joe@10.0.0.1>", 202)] {
        let (mut world, invite) = bridged_with(None);
        assert_eq!(refers(&mut world, &invite, refer_to), status, "{refer_to}");
        leave(&mut world);
    }
}

#[test]
fn what_leads_nowhere_is_refused_and_both_talk_on() {
    for refer_to in [
        "<sip:nobody@10.0.0.1>",
        "<sip:10.0.2.2>",
        "<http://10.0.2.2/bob@x>",
        "<mailto:bob@10.0.2.2>",
        "<sips:bob@10.0.2.2>",
        "<tel:operator>",
    ] {
        let (mut world, invite) = bridged();
        assert_eq!(refers(&mut world, &invite, refer_to), 403, "{refer_to}");
        let bridge =
            |fact: &&MediaFact| matches!(fact, MediaFact::Bridged(..) | MediaFact::Silence(..));
        let last = world.media.iter().rfind(bridge);
        assert_eq!(last, Some(&MediaFact::Bridged(CallKey(1), LegId::CALLER, LegId(1))));
        assert_eq!(requests_to(&world, jane().0, &Method::Bye).len(), 0, "{refer_to}");
        assert_eq!(called(&world, 1).len() + called(&world, 2).len(), 0, "{refer_to}");
        leave(&mut world);
    }
}

#[test]
fn a_user_who_cannot_be_reached_ends_the_call_of_whoever_was_sent_there() {
    let (mut world, invite) = bridged();
    assert_eq!(refers(&mut world, &invite, "<sip:joe@10.0.0.1>"), 202);
    assert_eq!(world.phone("A").saw(&Note::Ended), 1, "nothing is left for it to run");
    assert_eq!(called(&world, 1).len() + called(&world, 2).len(), 0);
    leave(&mut world);
}
