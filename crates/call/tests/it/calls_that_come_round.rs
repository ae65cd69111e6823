//! Calls that come back to where they came from: a user that is sent to itself, a peer that sends
//! our INVITE back, transfers without end. Each ends in bounded time, and says why.

use std::net::SocketAddr;
use std::sync::Arc;

use call::settings::{Client, Gateway, GatewayHost, ReferPolicy, Settings};
use serde_json::{Value, json};
use sip::Method;
use testkit::{Caller, SWITCH, World};

use crate::raw::{Raw, Request, description};
use crate::redirections::redirects;
use crate::registered_user_is_called::register;
use crate::scene::{CALLER, Scene, callee_address, dial, finish, patient, result, s, target, text};
use crate::sent::{Sent, request_to, requests_to, response_to, responses_to, sent_to};

/// The only device of `jane`.
fn jane() -> Raw {
    Raw(callee_address(3))
}

fn clients(settings: &mut Settings) {
    settings.clients = ["jane", "joe"]
        .map(|name| Client { username: name.to_owned(), password: "secret".to_owned() })
        .to_vec();
}

fn invite_of_jane(world: &mut World, user: &str, cseq: u32, authorization: &str) {
    let Raw(address) = jane();
    let body = description(jane(), 1, "");
    world.say(
        address,
        &format!(
            "INVITE sip:{user}@10.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {address};branch=z9hG4bK-jane-{cseq}\r\n\
             From: <sip:jane@10.0.0.1>;tag=jane\r\nTo: <sip:{user}@10.0.0.1>\r\n\
             Call-ID: jane-calls\r\nCSeq: {cseq} INVITE\r\nContact: <sip:jane@{address}>\r\n\
             {authorization}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    world.run_for(s(0.05));
}

/// `jane` is registered and dials this user.
fn jane_dials(scene: Scene, user: &str) -> World {
    let mut world = scene.settings(clients).without_caller();
    register(&mut world, jane(), 1);
    invite_of_jane(&mut world, user, 1, "");
    let challenge = response_to(&world, jane().0, 401).header("WWW-Authenticate").unwrap();
    let uri = format!("sip:{user}@10.0.0.1");
    let answer =
        sip::auth::digest::answer(&challenge, &Method::Invite, &uri, "jane", "secret", "c", 1);
    invite_of_jane(&mut world, user, 2, &format!("Authorization: {}\r\n", answer.unwrap()));
    world
}

#[test]
fn a_user_whose_only_phone_calls_it_is_told_of_the_loop() {
    let to_itself = json!([dial(0, &json!({ "target": [{ "type": "user", "name": "jane" }] }))]);
    for with_application in [false, true] {
        let scene = Scene::running(&to_itself).settings(|settings| {
            settings.device_application = with_application.then(|| "main".to_owned());
        });
        let mut world = jane_dials(scene, "jane");
        finish(&mut world);
        let refusals = responses_to(&world, jane().0, 482);
        assert!(!refusals.is_empty(), "with an application: {with_application}");
        assert!(requests_to(&world, jane().0, &Method::Invite).is_empty());
        if with_application {
            let result = result(&world);
            assert_eq!(
                (&result["dial_call_status"], &result["dial_sip_status"]),
                (&json!("failed"), &json!(482))
            );
        }
    }
}

#[test]
fn a_party_that_is_transferred_to_itself_is_not_rung_and_its_call_ends() {
    let callee = Raw(callee_address(2));
    let list = json!([dial(0, &json!({ "target": [target(2)] }))]);
    let scene = Scene::running(&list).settings(|settings| {
        settings.device_application = Some("main".to_owned());
        settings.refer = ReferPolicy::Transfer;
    });
    let mut world = jane_dials(scene, "somebody");
    let invite = request_to(&world, callee.0, &Method::Invite);
    callee.respond(&mut world, &invite, "200 OK", "x", &description(callee, 1, ""));
    world.run_for(s(0.1));
    let answer = response_to(&world, jane().0, 200).message;
    jane().request_as_caller(&mut world, &answer, &Request::new("ACK", 2));
    world.run_for(s(0.1));
    let request =
        Request { lines: "Refer-To: <sip:jane@10.0.0.1>\r\n", ..Request::new("REFER", 7) };
    callee.request_as_callee(&mut world, &invite.message, "x", &request);
    world.run_for(s(0.1));
    assert_eq!(responses_to(&world, callee.0, 202).len(), 1);
    assert!(requests_to(&world, jane().0, &Method::Invite).is_empty(), "it is in this call");
    assert!(!requests_to(&world, jane().0, &Method::Bye).is_empty(), "nothing is left to run");
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert_eq!(world.switch.alive().calls, 0);
}

#[test]
fn a_transfer_to_a_user_who_sends_callers_back_ends_where_it_began() {
    // The caller sends its callee to jane, whose phone forwards all calls to the caller.
    let callee = Raw(callee_address(1));
    let scene = Scene::running(&json!([dial(1, &json!({}))])).caller(patient());
    let mut world = scene
        .settings(clients)
        .settings(|settings| settings.refer = ReferPolicy::Transfer)
        .before_the_call();
    register(&mut world, jane(), 1);
    world.call("A");
    world.run_for(s(0.5));
    let invite = request_to(&world, callee.0, &Method::Invite);
    callee.respond(&mut world, &invite, "200 OK", "x", &description(callee, 1, ""));
    world.run_for(s(0.5));
    let answer = response_to(&world, CALLER, 200).message;
    let request =
        Request { lines: "Refer-To: <sip:jane@10.0.0.1>\r\n", ..Request::new("REFER", 50) };
    Raw(CALLER).request_as_caller(&mut world, &answer, &request);
    world.run_for(s(0.2));
    let forwarded = request_to(&world, jane().0, &Method::Invite);
    let moved = format!("302 Moved Temporarily\r\nContact: <sip:+491701234567@{CALLER}>");
    jane().respond(&mut world, &forwarded, &moved, "j", "");
    world.run_for(s(0.2));
    assert!(requests_to(&world, CALLER, &Method::Invite).is_empty(), "it is not called back");
    assert!(!requests_to(&world, callee.0, &Method::Bye).is_empty(), "nothing is left to run");
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert_eq!(world.switch.alive().calls, 0);
}

/// The peer of a REFER gets this answer to it.
fn answer_to_refer(world: &World, peer: Raw) -> Option<u16> {
    let of_refer = |sent: &&Sent| sent.header("CSeq").is_some_and(|cseq| cseq.ends_with(" REFER"));
    sent_to(world, peer.0).iter().rfind(of_refer).and_then(|sent| sent.message.status())
}

/// Callee `number`, played by the test, answers its INVITE, which has so many hops left.
fn answers_with_hops(world: &mut World, number: u8, hops: u8) -> Sent {
    let peer = Raw(callee_address(number));
    let invite = request_to(world, peer.0, &Method::Invite);
    assert_eq!(invite.message.max_forwards().unwrap(), Some(hops), "of callee {number}");
    peer.respond(world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.2));
    invite
}

fn dial_of(number: u8) -> Value {
    json!([dial(0, &json!({ "target": [target(number)], "actionHook": "/onward" }))])
}

#[test]
fn a_caller_that_is_sent_on_and_on_has_one_hop_less_each_time() {
    let mut scene = Scene::running(&json!([dial(1, &json!({ "referHook": "/1" }))]));
    for number in 1..=3 {
        let mut list = dial_of(number + 1);
        list[0]["referHook"] = json!(format!("/{}", number + 1));
        scene = scene.answering(&format!("/{number}"), text(&list));
    }
    let mut world = scene.caller(Caller { max_forwards: 3, ..patient() }).begin();
    world.run_for(s(0.2));
    for (number, hops) in [(1, 2), (2, 1), (3, 0)] {
        let invite = answers_with_hops(&mut world, number, hops);
        let peer = Raw(callee_address(number));
        let request =
            Request { lines: "Refer-To: <sip:x@10.0.2.9>\r\n", ..Request::new("REFER", 7) };
        peer.request_as_callee(&mut world, &invite.message, "x", &request);
        world.run_for(s(0.2));
        let expected = if hops > 0 { 202 } else { 483 };
        assert_eq!(answer_to_refer(&world, peer), Some(expected), "of callee {number}");
    }
    assert!(world.application.asked_at("/3").is_empty(), "nobody is asked what cannot be done");
    assert!(requests_to(&world, callee_address(3), &Method::Bye).is_empty(), "both talk on");
    assert!(requests_to(&world, callee_address(4), &Method::Invite).is_empty());
    world.with_switch(|switch, now| switch.end_all(now));
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn a_callee_that_was_sent_elsewhere_calls_with_one_hop_less() {
    let scene = Scene::running(&json!([dial(1, &json!({ "referHook": "/refer" }))]));
    let scene = scene.answering("/refer", text(&dial_of(2)));
    let mut world = scene.caller(Caller { max_forwards: 9, ..patient() }).begin();
    world.run_for(s(0.2));
    answers_with_hops(&mut world, 1, 8);
    let answer = response_to(&world, CALLER, 200).message;
    let request = Request { lines: "Refer-To: <sip:x@10.0.2.9>\r\n", ..Request::new("REFER", 50) };
    Raw(CALLER).request_as_caller(&mut world, &answer, &request);
    world.run_for(s(0.2));
    assert_eq!(answer_to_refer(&world, Raw(CALLER)), Some(202));
    answers_with_hops(&mut world, 2, 7);
    world.with_switch(|switch, now| switch.end_all(now));
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

/// The URI under which callee 1 is called.
fn mirrored() -> String {
    format!("sip:mirror@{}", callee_address(1))
}

/// A carrier at callee 1 that calls us, too, and a dial of it for whatever number it asks for.
fn mirror(hops: u8) -> World {
    let targets = json!([{ "type": "sip", "sipUri": mirrored() }]);
    let list = json!([dial(0, &json!({ "target": targets, "timeout": 5 }))]);
    let scene = Scene::running(&list).settings(|settings| {
        let carrier = Arc::make_mut(&mut settings.carriers[0]);
        let host = GatewayHost::Net(callee_address(1).ip().into());
        let like = carrier.gateways[0].clone();
        carrier.gateways.push(Gateway { host, ..like });
    });
    scene.caller(Caller { max_forwards: hops, ..patient() }).begin()
}

/// Sends back every INVITE that the switch sends to callee 1, as a proxy does that counts no hops
/// and takes the audio itself, until there are no more.
fn sends_all_back(world: &mut World, change: impl Fn(usize, String) -> String) -> usize {
    let peer: SocketAddr = callee_address(1);
    let mut seen: Vec<String> = Vec::new();
    loop {
        world.run_for(s(0.1));
        let is_new = |text: &String| text.starts_with("INVITE ") && !seen.contains(text);
        let sent = world.wire.iter().filter(|(_, sent)| sent.from == SWITCH && sent.to == peer);
        let mut texts = sent.map(|(_, sent)| String::from_utf8_lossy(&sent.bytes).into_owned());
        let Some(text) = texts.find(is_new) else { return seen.len() };
        seen.push(text.clone());
        let via = format!("\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK-back-{}\r\n", seen.len());
        let text = change(seen.len(), text).replacen("\r\n", &via, 1);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        // why: as long as it was, so that Content-Length holds.
        let body = body.replace("10.0.0.1", "10.0.2.1");
        world.say(peer, &format!("{head}\r\n\r\n{body}"));
    }
}

#[test]
fn what_a_peer_sends_back_for_the_same_is_found() {
    for change in [
        // As it was sent; and for the number that was dialled first.
        |_: usize, text: String| text,
        |_: usize, text: String| text.replacen(&mirrored(), "sip:+4930999888@10.0.0.1", 1),
    ] {
        let mut world = mirror(70);
        let sent = sends_all_back(&mut world, change);
        assert!(sent <= 2, "{sent} calls");
        assert!(!responses_to(&world, callee_address(1), 482).is_empty());
        assert!(world.run_until_quiet(s(200.0)), "not quiet");
        assert_eq!(world.switch.alive().calls, 0);
    }
}

#[test]
fn a_call_of_ours_that_comes_back_for_another_number_is_a_call_like_others() {
    let mut world = mirror(70);
    let another = "sip:+4930999777@10.0.0.1";
    let sent = sends_all_back(&mut world, |number, text| match number {
        1 => text.replacen(&mirrored(), another, 1),
        _ => String::new(),
    });
    assert_eq!(sent, 2);
    let asked = world.application.asked_at("http://application.test/incoming");
    let called: Vec<&Value> = asked.iter().map(|asked| &asked.payload["to"]).collect();
    assert_eq!(called, ["+4930999888", "+4930999777"]);
    assert!(responses_to(&world, callee_address(1), 482).is_empty());
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn what_a_peer_sends_back_ends_when_its_hops_are_used_up() {
    let mut world = mirror(10);
    // Each time for another number, so that it is no loop that could be seen.
    let sent = sends_all_back(&mut world, |number, text| {
        text.replacen("sip:mirror@", &format!("sip:mirror-{number}@"), 1)
    });
    assert_eq!(sent, 10, "one call for each hop");
    assert_eq!(responses_to(&world, callee_address(1), 483).len(), 1);
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert_eq!(world.switch.alive().calls, 0);
}

#[test]
fn a_redirection_to_who_sends_our_call_back_is_found() {
    // Callee 2 says that somebody else there takes the call, who calls what was dialled first.
    let peer = Raw(callee_address(2));
    let list = json!([dial(0, &json!({ "target": [target(2)], "timeout": 5 }))]);
    let scene = Scene::running(&list).settings(|settings| {
        let carrier = Arc::make_mut(&mut settings.carriers[0]);
        let host = GatewayHost::Net(peer.0.ip().into());
        let like = carrier.gateways[0].clone();
        carrier.gateways.push(Gateway { host, ..like });
    });
    let mut world = scene.caller(patient()).begin();
    world.run_for(s(0.2));
    let moved = format!("<sip:mirror@{}>", peer.0);
    redirects(&mut world, peer, &moved);
    let invite = requests_to(&world, peer.0, &Method::Invite).pop().unwrap();
    assert_eq!(invite.message.request_uri().unwrap(), format!("sip:mirror@{}", peer.0));
    let sent = world.wire.iter().rev().find(|(_, sent)| sent.to == peer.0).unwrap();
    let text = String::from_utf8_lossy(&sent.1.bytes).into_owned();
    let text = text.replacen(&format!("sip:mirror@{}", peer.0), "sip:+4930999888@10.0.0.1", 1);
    let via = format!("\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK-back\r\n", peer.0);
    world.say(peer.0, &text.replacen("\r\n", &via, 1));
    world.run_for(s(0.2));
    assert_eq!(responses_to(&world, peer.0, 482).len(), 1);
    peer.respond(&mut world, &invite, "482 Loop Detected", "t", "");
    finish(&mut world);
    assert_eq!(result(&world)["dial_sip_status"], 482);
    assert_eq!(world.application.calls(false).len(), 1, "no call came in");
}
