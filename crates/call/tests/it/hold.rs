//! A party of a bridge holds the other: what that one hears meanwhile, and that it ends.

use call::{CallKey, LegId};
use serde_json::{Value, json};
use testkit::{MediaFact, World};

use crate::placed::changes;
use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, alerts, callee_address, dial, finish, patient, result, s, talks, target, text,
};
use crate::sent::{Sent, request_to, responses_to};

const KEY: CallKey = CallKey(1);
const MUSIC: &str = "http://sounds.test/hold.wav";

/// Bridged; the test plays the callee.
fn bridged(list: &Value, answers: &[(&str, Value)]) -> (World, Raw, Sent) {
    let mut scene = Scene::running(list).caller(patient());
    for (url, answer) in answers {
        scene = scene.answering(url, text(answer));
    }
    bridged_in(scene)
}

fn bridged_in(mut scene: Scene) -> (World, Raw, Sent) {
    let peer = Raw(callee_address(1));
    scene.config.settings.hold_music = Some(MUSIC.to_owned());
    let mut world = scene.before_the_call();
    for (url, length) in [(MUSIC, 30.0), ("/one.wav", 1.0), ("/two.wav", 2.0)] {
        world.sounds.insert(url.to_owned(), s(length));
    }
    world.call("A");
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &sip::Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.5));
    (world, peer, invite)
}

/// The callee offers this direction or address, as re-INVITE or UPDATE.
fn offers(world: &mut World, peer: Raw, invite: &Sent, method: &str, cseq: u32, what: &str) {
    let body = description(peer, 1 + cseq, "");
    let body = match what {
        "0.0.0.0" => body.replace(&format!("c=IN IP4 {}", peer.0.ip()), "c=IN IP4 0.0.0.0"),
        direction => format!("{body}a={direction}\r\n"),
    };
    let request = Request { body: &body, ..Request::new(method, cseq) };
    peer.request_as_callee(world, &invite.message, "x", &request);
    if method == "INVITE" {
        world.run_for(s(0.1));
        let ack = Request::new("ACK", cseq);
        peer.request_as_callee(world, &invite.message, "x", &ack);
    }
    world.run_for(s(0.1));
}

fn hang_up(world: &mut World, peer: Raw, invite: &Sent) {
    peer.request_as_callee(world, &invite.message, "x", &Request::new("BYE", 90));
    finish(world);
    assert_eq!(result(world)["dial_call_status"], "completed");
}

fn played(world: &World) -> Vec<String> {
    let facts = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Plays(_, LegId::CALLER, _, url) => Some(url.clone()),
        MediaFact::Stops(_, LegId::CALLER, _) => Some("stops".to_owned()),
        _ => None,
    });
    facts.collect()
}

#[test]
fn the_other_party_hears_music_until_it_is_taken_back() {
    for method in ["INVITE", "UPDATE"] {
        for (holds, answered) in
            [("sendonly", "recvonly"), ("inactive", "inactive"), ("0.0.0.0", "sendrecv")]
        {
            let (mut world, peer, invite) = bridged(&json!([dial(1, &json!({}))]), &[]);
            offers(&mut world, peer, &invite, method, 1, holds);
            assert_eq!(played(&world), [MUSIC], "{method} {holds}");
            let answer = responses_to(&world, peer.0, 200).last().unwrap().body();
            let expected = match holds {
                // RFC 3264 §8.4: it does not want to hear us; what it sends is taken.
                "0.0.0.0" => "recvonly",
                _ => answered,
            };
            assert!(answer.contains(&format!("a={expected}")), "{method} {holds}: {answer}");
            offers(&mut world, peer, &invite, method, 2, "sendonly");
            assert_eq!(played(&world), [MUSIC], "{method} {holds}: it goes on");
            offers(&mut world, peer, &invite, method, 3, "sendrecv");
            assert_eq!(played(&world), [MUSIC, "stops"], "{method} {holds}");
            hang_up(&mut world, peer, &invite);
        }
    }
}

#[test]
fn music_of_the_session_goes_before_that_of_the_switch() {
    let config = json!({ "verb": "config", "onHoldMusic": "/one.wav" });
    let (mut world, peer, invite) = bridged(&json!([config, dial(1, &json!({}))]), &[]);
    offers(&mut world, peer, &invite, "INVITE", 1, "sendonly");
    assert_eq!(played(&world), ["/one.wav"]);
    hang_up(&mut world, peer, &invite);
    assert_eq!(played(&world), ["/one.wav", "stops"], "the bridge ends it");
}

#[test]
fn the_hook_says_what_is_heard_and_is_asked_again_at_the_end() {
    let list = json!([
        { "verb": "play", "url": "/one.wav" },
        { "verb": "pause", "length": 1 },
        { "verb": "play", "url": "/two.wav" }
    ]);
    let more = json!({ "onHoldHook": "/hold" });
    let (mut world, peer, invite) = bridged(&json!([dial(1, &more)]), &[("/hold", list)]);
    offers(&mut world, peer, &invite, "INVITE", 1, "sendonly");
    world.run_for(s(4.5));
    assert_eq!(played(&world), ["/one.wav", "/two.wav", "/one.wav"]);
    let asked = world.application.asked_at("/hold");
    assert_eq!(asked.len(), 2);
    let detail = &asked[0].payload["hold_detail"];
    assert!(detail["from"].as_str().unwrap().contains("tag=x"), "{detail}");
    assert!(detail["to"].as_str().unwrap().contains("tag="), "{detail}");
    assert_eq!(asked[0].payload["call_sid"], json!(world.application.calls(false)[0]));
    offers(&mut world, peer, &invite, "INVITE", 2, "sendrecv");
    world.run_for(s(9.0));
    assert_eq!(world.application.asked_at("/hold").len(), 2, "not again");
    assert_eq!(played(&world).last().unwrap(), "stops");
    hang_up(&mut world, peer, &invite);
}

#[test]
fn what_the_hook_names_is_the_applications_though_the_list_is_the_operators() {
    let more = json!({ "onHoldHook": "/hold", "timeLimit": 9,
                       "timeLimitWarning": { "before": 8, "play": "/two.wav" } });
    let list = json!([{ "verb": "play", "url": "/one.wav", "loop": "forever" }]);
    let fixed = json!([dial(1, &more)]).to_string();
    let mut scene =
        Scene::running(&json!([])).answering("/hold", text(&list)).application(|main| {
            main.app_json = Some(fixed);
        });
    scene.caller = patient();
    let (mut world, peer, invite) = bridged_in(scene);
    offers(&mut world, peer, &invite, "INVITE", 1, "sendonly");
    world.run_for(s(1.0));
    let trusted = |url: &str| {
        let is = |fact: &&MediaFact| matches!(fact, MediaFact::Plays(_, _, _, u) if u == url);
        let Some(MediaFact::Plays(key, _, play, _)) = world.media.iter().find(is) else {
            panic!("{url} is not played")
        };
        world.trusted.contains(&(*key, *play))
    };
    assert!(!trusted("/one.wav"), "it may be no file that the application may not name");
    assert!(trusted("/two.wav"));
    hang_up(&mut world, peer, &invite);
}

#[test]
fn what_a_screening_sets_is_the_applications_though_the_list_is_the_operators() {
    let config = json!([{ "verb": "config", "onHoldMusic": "/one.wav" }]);
    let fixed = json!([dial(1, &json!({ "confirmHook": "/confirm" }))]).to_string();
    let scene = Scene::running(&json!([])).caller(patient()).answering("/confirm", text(&config));
    let scene = scene.application(|main| main.app_json = Some(fixed));
    let (mut world, peer, invite) = bridged_in(scene);
    offers(&mut world, peer, &invite, "INVITE", 1, "sendonly");
    assert_eq!(played(&world), ["/one.wav"]);
    assert!(world.trusted.is_empty(), "it may be no file that the application may not name");
    hang_up(&mut world, peer, &invite);
}

#[test]
fn a_hook_with_nothing_to_hear_is_asked_once() {
    for list in
        [json!([]), json!([{ "verb": "hangup" }]), json!([{ "verb": "play", "url": "/no" }])]
    {
        let more = json!({ "onHoldHook": "/hold" });
        let (mut world, peer, invite) = bridged(&json!([dial(1, &more)]), &[("/hold", list)]);
        offers(&mut world, peer, &invite, "INVITE", 1, "inactive");
        world.run_for(s(5.0));
        assert_eq!(world.application.asked_at("/hold").len(), 1, "{:?}", alerts(&world));
        hang_up(&mut world, peer, &invite);
    }
}

#[test]
fn the_caller_may_hold_too_and_both_at_once() {
    let (mut world, peer, invite) = bridged(&json!([dial(1, &json!({}))]), &[]);
    offers(&mut world, peer, &invite, "INVITE", 1, "sendonly");
    let answer = crate::sent::response_to(&world, CALLER, 200).message;
    let body = description(Raw(CALLER), 9, "a=sendonly\r\n");
    let request = Request { body: &body, ..Request::new("UPDATE", 50) };
    Raw(CALLER).request_as_caller(&mut world, &answer, &request);
    world.run_for(s(0.2));
    let of_callee = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Plays(KEY, LegId(1), _, url) => Some(url.clone()),
        _ => None,
    });
    assert_eq!(of_callee.collect::<Vec<_>>(), [MUSIC]);
    assert_eq!(played(&world), [MUSIC]);
    hang_up(&mut world, peer, &invite);
}

#[test]
fn who_is_held_and_sent_elsewhere_hears_whoever_answers_there() {
    let onward = dial(0, &json!({ "target": [target(2)], "actionHook": "/onward" }));
    let list = json!([dial(1, &json!({}))]);
    let (mut world, peer, invite) = bridged(&list, &[("/elsewhere", json!([onward]))]);
    let script = testkit::Script::Callee(talks(0.5, 3.0));
    world.add(testkit::Phone::new("B2", callee_address(2), script, 77));
    offers(&mut world, peer, &invite, "INVITE", 1, "sendonly");
    assert_eq!(played(&world), [MUSIC]);
    let sid = world.application.calls(false).remove(0);
    let reply = changes(&mut world, &sid, &json!({ "call_hook": "/elsewhere" }));
    assert_eq!(reply, call::Reply::Accepted);
    assert_eq!(played(&world), [MUSIC, "stops"], "at once");
    let bye = request_to(&world, peer.0, &sip::Method::Bye);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    world.run_for(s(1.0));
    let heard = world.media.iter().rfind(|fact| {
        matches!(fact, MediaFact::Bridged(..) | MediaFact::Plays(..) | MediaFact::Silence(..))
    });
    assert_eq!(heard, Some(&MediaFact::Bridged(KEY, LegId::CALLER, LegId(2))));
    finish(&mut world);
    let onward = &world.application.asked_at("/onward")[0].payload;
    assert_eq!(
        (&onward["dial_call_status"], &onward["dial_call_duration"]),
        (&json!("completed"), &json!(3))
    );
}

#[test]
fn who_holds_and_is_sent_elsewhere_talks_there_when_it_takes_back() {
    let onward = dial(0, &json!({ "target": [target(2)], "actionHook": "/onward" }));
    let list = json!([dial(1, &json!({}))]);
    let (mut world, peer, _) = bridged(&list, &[("/elsewhere", json!([onward]))]);
    let script = testkit::Script::Callee(talks(0.5, 3.0));
    world.add(testkit::Phone::new("B2", callee_address(2), script, 77));
    let answer = crate::sent::response_to(&world, CALLER, 200).message;
    let offer = |world: &mut World, cseq: u32, direction: &str| {
        let body = description(Raw(CALLER), cseq, &format!("a={direction}\r\n"));
        let request = Request { body: &body, ..Request::new("UPDATE", cseq) };
        Raw(CALLER).request_as_caller(world, &answer, &request);
        world.run_for(s(0.1));
    };
    offer(&mut world, 50, "sendonly");
    let sid = world.application.calls(false).remove(0);
    changes(&mut world, &sid, &json!({ "call_hook": "/elsewhere" }));
    let bye = request_to(&world, peer.0, &sip::Method::Bye);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    world.run_for(s(1.0));
    let heard = world.media.iter().rfind(|fact| matches!(fact, MediaFact::Plays(..)));
    let is_held =
        |fact: &MediaFact| matches!(fact, MediaFact::Plays(KEY, LegId(2), _, url) if url == MUSIC);
    assert!(heard.is_some_and(is_held), "whoever answers there is held: {heard:?}");
    offer(&mut world, 51, "sendrecv");
    let of_caller = world.media.iter().rfind(|fact| {
        matches!(
            fact,
            MediaFact::Remote(_, LegId::CALLER, ..) | MediaFact::Silence(_, LegId::CALLER)
        )
    });
    let Some(MediaFact::Remote(.., direction)) = of_caller else { panic!("{of_caller:?}") };
    assert_eq!(*direction, media::sdp::Direction::SendRecv);
    assert!(world.media.contains(&MediaFact::Bridged(KEY, LegId::CALLER, LegId(2))));
    let stopped = |fact: &&MediaFact| matches!(fact, MediaFact::Stops(..));
    let played = |fact: &&MediaFact| matches!(fact, MediaFact::Plays(..));
    let count = |is: &dyn Fn(&&MediaFact) -> bool| world.media.iter().filter(|f| is(f)).count();
    assert_eq!(count(&played), count(&stopped), "no music is left over");
    finish(&mut world);
}

#[test]
fn another_stream_that_is_inactive_is_no_hold() {
    let (mut world, peer, invite) = bridged(&json!([dial(1, &json!({}))]), &[]);
    let audio = description(peer, 2, "a=sendrecv\r\n");
    let body =
        format!("{audio}m=video 41002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=inactive\r\n");
    let request = Request { body: &body, ..Request::new("INVITE", 1) };
    peer.request_as_callee(&mut world, &invite.message, "x", &request);
    world.run_for(s(0.1));
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("ACK", 1));
    let answer = responses_to(&world, peer.0, 200).pop().unwrap().body();
    assert!(answer.contains("a=sendrecv") && answer.contains("m=video 0 "), "{answer}");
    assert!(played(&world).is_empty());
    hang_up(&mut world, peer, &invite);
}

#[test]
fn an_update_without_an_offer_changes_nothing() {
    let (mut world, peer, invite) = bridged(&json!([dial(1, &json!({}))]), &[]);
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("UPDATE", 1));
    world.run_for(s(0.2));
    let answer = responses_to(&world, peer.0, 200).pop().unwrap();
    assert_eq!(answer.header("CSeq").as_deref(), Some("1 UPDATE"));
    assert_eq!(answer.body(), "");
    assert!(played(&world).is_empty());
    hang_up(&mut world, peer, &invite);
}
