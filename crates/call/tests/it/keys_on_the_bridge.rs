//! Keys that the parties of a bridge press: the application hears of the sequences that it named,
//! each once, with the call of who pressed; keys of ours reach the callee.

use std::time::Duration;

use call::{CallKey, Input, LegId};
use serde_json::{Value, json};
use sip::Method;
use testkit::{MediaFact, World};

use crate::placed::begins;
use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, answers, callee_address, dial, finish, hangs_up, result, s, talks, target, text,
};
use crate::sent::{request_to, response_to, sent_to};

const KEY: CallKey = CallKey(1);

fn connected(more: &Value) -> World {
    let mut more = more.clone();
    if more.get("dtmfHook").is_none() {
        more["dtmfHook"] = json!("/dtmf");
    }
    let scene = Scene::dialling(vec![talks(1.0, 30.0)], &more);
    let mut world = scene.answering("/dtmf", text(&json!([{ "verb": "hangup" }]))).begin();
    world.run_for(s(2.0));
    world
}

fn press(world: &mut World, leg: u8, keys: &str) {
    for key in keys.chars() {
        world.input(KEY, Input::Key(LegId(leg), key, Duration::from_millis(100)));
        world.run_for(s(0.2));
    }
}

fn reported(world: &World) -> Vec<(Value, Value)> {
    let asked = world.application.asked_at("/dtmf");
    asked.iter().map(|a| (a.payload["dtmf"].clone(), a.payload["call_sid"].clone())).collect()
}

#[test]
fn each_party_is_heard_with_its_own_call() {
    let mut world = connected(&json!({ "dtmfCapture": ["*2", "*3"] }));
    press(&mut world, 1, "*2");
    press(&mut world, 0, "9*3");
    finish(&mut world);
    let (parent, child) = (&world.application.calls(false)[0], &world.application.calls(true)[0]);
    assert_eq!(reported(&world), [(json!("*2"), json!(child)), (json!("*3"), json!(parent))]);
    assert_eq!(result(&world)["dial_call_status"], "completed", "its answer changes nothing");
    assert_eq!(result(&world)["dial_call_duration"], 30);
}

#[test]
fn parent_and_child_have_sequences_of_their_own() {
    let capture = json!({ "dtmfCapture": { "parentCall": ["#1"], "childCall": ["#2"] } });
    let mut world = connected(&capture);
    press(&mut world, 0, "#2");
    press(&mut world, 1, "#1");
    assert!(reported(&world).is_empty(), "{:?}", reported(&world));
    press(&mut world, 0, "#1");
    press(&mut world, 1, "#2");
    let (parent, child) = (&world.application.calls(false)[0], &world.application.calls(true)[0]);
    assert_eq!(reported(&world), [(json!("#1"), json!(parent)), (json!("#2"), json!(child))]);
    finish(&mut world);
}

#[test]
fn keys_too_far_apart_are_no_sequence() {
    let mut world = connected(&json!({ "dtmfCapture": ["*2"] }));
    press(&mut world, 1, "*");
    world.run_for(s(4.0));
    press(&mut world, 1, "2");
    assert!(reported(&world).is_empty());
    press(&mut world, 1, "*");
    world.run_for(s(2.0));
    press(&mut world, 1, "2");
    assert_eq!(reported(&world).len(), 1);
    finish(&mut world);
}

#[test]
fn without_a_hook_nothing_is_told() {
    let scene = Scene::dialling(vec![answers(1.0)], &json!({ "dtmfCapture": ["1"] }));
    let mut world = scene.caller(hangs_up(5.0)).begin();
    world.run_for(s(2.0));
    press(&mut world, 1, "1");
    finish(&mut world);
    assert_eq!(world.application.asked.len(), 2, "the first list and the result");
    assert!(world.alerts.is_empty(), "{:?}", world.alerts);
}

#[test]
fn before_the_bridge_nothing_is_captured() {
    let more = json!({ "dtmfCapture": ["1"], "dtmfHook": "/dtmf", "answerOnBridge": false });
    let scene = Scene::dialling(vec![answers(3.0)], &more).caller(hangs_up(5.0));
    let mut world = scene.begin();
    world.run_for(s(1.0));
    press(&mut world, 0, "1");
    finish(&mut world);
    assert!(reported(&world).is_empty());
}

#[test]
fn a_key_goes_on_as_tones_to_a_party_that_takes_no_events() {
    let peer = Raw(callee_address(1));
    for (events, is_sent) in [("", true), ("a=rtpmap:101 telephone-event/8000\r\n", false)] {
        let mut world = Scene::running(&json!([dial(1, &json!({}))])).caller(hangs_up(9.0)).begin();
        world.run_for(s(0.5));
        let invite = request_to(&world, peer.0, &Method::Invite);
        let numbers = if events.is_empty() { "RTP/AVP 0" } else { "RTP/AVP 0 101" };
        let body = description(peer, 1, events).replace("RTP/AVP 0", numbers);
        peer.respond(&mut world, &invite, "200 OK", "x", &body);
        world.run_for(s(0.5));
        press(&mut world, 0, "5");
        let keys = MediaFact::Keys(KEY, LegId(1), "5".to_owned());
        assert_eq!(world.media.contains(&keys), is_sent, "{events:?}");
        // The other way there are events.
        press(&mut world, 1, "6");
        let to_caller = |fact: &MediaFact| matches!(fact, MediaFact::Keys(_, LegId::CALLER, _));
        assert!(!world.media.iter().any(to_caller));
        let bye = Request::new("BYE", 9);
        peer.request_as_callee(&mut world, &invite.message, "x", &bye);
        finish(&mut world);
    }
}

#[test]
fn a_carrier_whose_keys_are_tones_is_listened_to_and_they_pass_as_audio_alone() {
    // The caller comes over the carrier `inbound`, the callee is at a SIP URI; neither has events.
    let peer = Raw(callee_address(1));
    let scene = Scene::running(&json!([dial(1, &json!({}))])).settings(|settings| {
        let inbound = settings.carriers.iter_mut().find(|carrier| carrier.name == "inbound");
        std::sync::Arc::make_mut(inbound.unwrap()).has_tones = true;
    });
    let mut world = scene.before_the_call();
    world.phones.remove(&CALLER);
    Raw(CALLER).invite(&mut world, "", &description(Raw(CALLER), 1, ""));
    world.run_for(s(0.3));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.3));
    let answer = response_to(&world, CALLER, 200).message;
    Raw(CALLER).request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    assert_eq!(world.listens, [(KEY, LegId::CALLER)].into());
    press(&mut world, 0, "5");
    assert!(!world.media.iter().any(|fact| matches!(fact, MediaFact::Keys(..))));
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("BYE", 9));
    world.run_for(s(0.3));
    let bye = request_to(&world, CALLER, &Method::Bye);
    Raw(CALLER).respond(&mut world, &bye, "200 OK", "", "");
    finish(&mut world);
}

/// Statuses of the responses of the switch to the INFOs of this peer.
fn answers_to_info(world: &World, peer: Raw) -> Vec<u16> {
    let is_info = |sent: &crate::sent::Sent| sent.header("CSeq").unwrap().ends_with(" INFO");
    let sent = sent_to(world, peer.0);
    sent.iter().filter(|sent| is_info(sent)).filter_map(|sent| sent.message.status()).collect()
}

/// The caller sends an INFO.
fn info(world: &mut World, kind: &str, body: &str) {
    let answer = response_to(world, CALLER, 200).message;
    let lines = format!("Content-Type: {kind}\r\n");
    let request = Request { lines: &lines, body, ..Request::new("INFO", 100) };
    Raw(CALLER).request_as_caller(world, &answer, &request);
    world.run_for(s(0.5));
}

#[test]
fn a_key_in_an_info_counts_as_one_and_reaches_the_other_party() {
    for (kind, body, key) in [
        ("application/dtmf-relay", "Signal= 5\r\nDuration= 250\r\n", "5"),
        ("application/dtmf", "5", "5"),
        ("Application/DTMF-Relay;x=y", "Signal=5\nDuration=250", "5"),
        ("application/dtmf-relay", "Signal=*\r\n", "*"),
        ("application/dtmf-relay", "Signal=D\r\nDuration=160\r\n", "D"),
        ("application/dtmf", "A", "A"),
    ] {
        let mut world = connected(&json!({ "dtmfCapture": [key] }));
        info(&mut world, kind, body);
        assert_eq!(answers_to_info(&world, Raw(CALLER)), [200], "{kind}");
        let parent = world.application.calls(false).remove(0);
        assert_eq!(reported(&world), [(json!(key), json!(parent))], "{kind}");
        let sent = MediaFact::Keys(KEY, LegId(1), key.to_owned());
        assert!(world.media.contains(&sent), "{kind}");
        finish(&mut world);
    }
}

#[test]
fn a_key_in_an_info_of_who_is_not_heard_is_told_and_not_passed_on() {
    let whisper = json!({ "whisper": { "verb": "play", "url": "/one.wav" } });
    for change in [json!({ "mute_status": "mute" }), whisper] {
        let mut world = connected(&json!({ "dtmfCapture": ["5"] }));
        let parent = world.application.calls(false).remove(0);
        assert_eq!(crate::placed::changes(&mut world, &parent, &change), call::Reply::Accepted);
        info(&mut world, "application/dtmf", "5");
        assert_eq!(reported(&world), [(json!("5"), json!(parent))]);
        let is_sent = |fact: &MediaFact| matches!(fact, MediaFact::Keys(..));
        assert!(!world.media.iter().any(is_sent), "{change}");
        finish(&mut world);
    }
}

#[test]
fn a_flood_of_keys_and_messages_asks_no_more_than_so_many_questions_at_a_time() {
    const AT_A_TIME: usize = 128;
    let config = json!({ "verb": "config", "sipRequestWithinDialogHook": "/inside" });
    let more = json!({ "dtmfHook": "/dtmf", "dtmfCapture": ["5"] });
    let scene = Scene::running(&json!([config, dial(1, &more)]));
    let mut world = scene.callees(vec![talks(1.0, 30.0)]).before_the_call();
    for hook in ["/dtmf", "/inside"] {
        world.application.thinks_at.insert(hook.to_owned(), s(5.0));
    }
    world.call("A");
    world.run_for(s(2.0));
    let answer = response_to(&world, CALLER, 200).message;
    let send = |world: &mut World, method: &str, kind: &str, body: &str, cseq: u32| {
        let lines = format!("Content-Type: {kind}\r\n");
        let request = Request { lines: &lines, body, ..Request::new(method, cseq) };
        Raw(CALLER).request_as_caller(world, &answer, &request);
    };
    for round in 0..200 {
        send(&mut world, "INFO", "application/dtmf", "5", 100 + 2 * round);
        send(&mut world, "INFO", "text/plain", "hello", 101 + 2 * round);
    }
    world.run_for(s(0.1));
    assert_eq!(answers_to_info(&world, Raw(CALLER)), [200; 400]);
    let asked = |world: &World| {
        ["/dtmf", "/inside"]
            .map(|hook| world.application.asked_at(hook).len())
            .iter()
            .sum::<usize>()
    };
    assert_eq!(asked(&world), AT_A_TIME);
    let alerts = crate::scene::alerts(&world);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].starts_with("webhook-failure: /"), "{alerts:?}");
    send(&mut world, "MESSAGE", "text/plain", "hello", 900);
    world.run_for(s(0.1));
    let refused = |status: u16| crate::sent::responses_to(&world, CALLER, status).len();
    assert_eq!((refused(202), refused(503)), (0, 1));
    world.run_for(s(6.0));
    send(&mut world, "MESSAGE", "text/plain", "hello", 901);
    world.run_for(s(0.1));
    assert_eq!(asked(&world), AT_A_TIME + 1, "once they are answered");
    finish(&mut world);
}

#[test]
fn another_info_is_taken_and_nothing_follows() {
    let mut world = connected(&json!({ "dtmfCapture": ["5"] }));
    info(&mut world, "text/plain", "Signal=5");
    assert_eq!(answers_to_info(&world, Raw(CALLER)), [200]);
    assert!(reported(&world).is_empty());
    finish(&mut world);
}

#[test]
fn a_hook_for_requests_leaves_the_keys_to_the_dial() {
    let config = json!({ "verb": "config", "sipRequestWithinDialogHook": "/inside" });
    let more = json!({ "dtmfCapture": { "childCall": ["*2"] }, "dtmfHook": "/dtmf" });
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([config, dial(1, &more)])).caller(hangs_up(9.0)).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.5));
    for (cseq, kind, body) in [
        (1, "application/dtmf-relay", "Signal=*\r\n"),
        (2, "application/dtmf-relay", "Signal=2\r\n"),
        (3, "text/plain", "hello"),
    ] {
        let lines = format!("Content-Type: {kind}\r\n");
        let request = Request { lines: &lines, body, ..Request::new("INFO", cseq) };
        peer.request_as_callee(&mut world, &invite.message, "x", &request);
        world.run_for(s(0.2));
    }
    assert_eq!(answers_to_info(&world, peer), [200, 200, 200]);
    let child = world.application.calls(true).remove(0);
    assert_eq!(reported(&world), [(json!("*2"), json!(child))]);
    let told: Vec<&Value> =
        world.application.asked_at("/inside").iter().map(|a| &a.payload["sip_body"]).collect();
    assert_eq!(told, ["hello"], "a key is no message");
    let bye = Request::new("BYE", 4);
    peer.request_as_callee(&mut world, &invite.message, "x", &bye);
    finish(&mut world);
}

#[test]
fn a_dial_of_a_call_that_a_program_began_hears_the_keys_of_both() {
    let more = json!({ "target": [target(2)], "dtmfHook": "/dtmf",
                       "dtmfCapture": { "parentCall": ["1"], "childCall": ["2"] } });
    let mut world = Scene::running(&json!([dial(0, &more)]))
        .callees(vec![answers(0.5), talks(0.5, 9.0)])
        .without_caller();
    begins(&mut world, &json!({}));
    world.run_for(s(2.0));
    let bridged = world.media.iter().find_map(|fact| match fact {
        MediaFact::Bridged(_, caller, callee) => Some((*caller, *callee)),
        _ => None,
    });
    let (caller, callee) = bridged.unwrap();
    for leg in [caller, callee] {
        press(&mut world, leg.0, "12");
    }
    finish(&mut world);
    let (parent, child) = (&world.application.calls(false)[0], &world.application.calls(true)[0]);
    assert_eq!(reported(&world), [(json!("1"), json!(parent)), (json!("2"), json!(child))]);
}

#[test]
fn keys_of_the_dial_are_sent_to_the_callee_that_answered() {
    let world = connected(&json!({ "sendDigits": "12w34#" }));
    let sent: Vec<&MediaFact> =
        world.media.iter().filter(|fact| matches!(fact, MediaFact::Keys(..))).collect();
    assert_eq!(sent, [&MediaFact::Keys(KEY, LegId(1), "12w34#".to_owned())]);
}
