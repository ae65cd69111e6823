//! What a program does to the legs of a connected call, each by its own `call_sid`.

use call::{CallKey, LegId, Reply};
use serde_json::{Value, json};
use sip::Method;
use testkit::{MediaFact, Note, World};

use crate::events::{children, parent};
use crate::placed::{changes, completes, refused};
use crate::raw::{Raw, description};
use crate::scene::{
    Scene, answers, assert_near, callee_address, dial, finish, patient, result, s, saw_at, talks,
    target, text,
};
use crate::sent::{request_to, requests_to};

const KEY: CallKey = CallKey(1);

fn connected(more: &Value) -> World {
    let scene = Scene::dialling(vec![talks(0.5, 20.0)], more).caller(patient());
    let mut world = scene.before_the_call();
    world.sounds.insert("/one.wav".to_owned(), s(1.0));
    world.sounds.insert("/two.wav".to_owned(), s(2.0));
    world.call("A");
    world.run_for(s(1.0));
    world
}

fn sids(world: &World) -> (String, String) {
    (parent(world), children(world).remove(0))
}

fn last(world: &World) -> &MediaFact {
    world.media.last().unwrap()
}

#[test]
fn each_leg_is_muted_and_heard_again() {
    let mut world = connected(&json!({}));
    let (caller, callee) = sids(&world);
    for (sid, leg) in [(&caller, LegId::CALLER), (&callee, LegId(1))] {
        for (word, muted) in [("mute", true), ("unmute", false)] {
            let reply = changes(&mut world, sid, &json!({ "mute_status": word }));
            assert_eq!(reply, Reply::Accepted);
            assert_eq!(last(&world), &MediaFact::Muted(KEY, leg, muted));
        }
    }
    finish(&mut world);
}

#[test]
fn each_leg_hears_the_other_louder_or_softer() {
    let louder = |decibels: f64| media::Decibels::new(decibels);
    let mut world = connected(&json!({ "boostAudioSignal": "-2.5 dB" }));
    let (caller, callee) = sids(&world);
    let boosted = MediaFact::Boosted(KEY, LegId(1), louder(-2.5));
    let bridged = MediaFact::Bridged(KEY, LegId::CALLER, LegId(1));
    let place = |wanted| world.media.iter().position(|fact| *fact == wanted).unwrap();
    assert!(place(boosted) < place(bridged), "from the first packet on");
    for (sid, leg) in [(&caller, LegId::CALLER), (&callee, LegId(1))] {
        for (written, decibels) in [(json!("+6 dB"), 6.0), (json!(-3), -3.0), (json!(0), 0.0)] {
            let reply = changes(&mut world, sid, &json!({ "boostAudioSignal": written }));
            assert_eq!(reply, Reply::Accepted);
            assert_eq!(last(&world), &MediaFact::Boosted(KEY, leg, louder(decibels)));
        }
    }
    finish(&mut world);
}

#[test]
fn keys_and_tags_are_for_the_leg_that_is_named() {
    let mut world = connected(&json!({ "tag": { "of": "dial" } }));
    let (caller, callee) = sids(&world);
    for (sid, leg) in [(&caller, LegId::CALLER), (&callee, LegId(1))] {
        changes(&mut world, sid, &json!({ "dtmf": { "digit": "5#" } }));
        assert_eq!(last(&world), &MediaFact::Keys(KEY, leg, "5#".to_owned()));
        changes(&mut world, sid, &json!({ "tag": { "leg": leg.0 } }));
    }
    finish(&mut world);
    let ends = world.application.told.iter().filter(|told| told["call_status"] == "completed");
    for told in ends {
        let of_callee = told["call_sid"] == json!(callee);
        assert_eq!(told["customerData"], json!({ "leg": u8::from(of_callee) }));
    }
}

#[test]
fn a_whisper_beside_another_change_follows_it() {
    let mut world = connected(&json!({}));
    let (_, callee) = sids(&world);
    let whisper = json!({ "verb": "play", "url": "/one.wav" });
    let both = json!({ "whisper": whisper, "tag": { "heard": "yes" } });
    assert_eq!(changes(&mut world, &callee, &both), Reply::Accepted);
    assert!(matches!(last(&world), MediaFact::Plays(KEY, LegId(1), ..)), "{:?}", last(&world));
    finish(&mut world);
    let told = world.application.told.iter().rfind(|told| told["call_sid"] == json!(callee));
    assert_eq!(told.unwrap()["customerData"], json!({ "heard": "yes" }));
}

#[test]
fn who_was_muted_before_or_during_a_whisper_stays_so_after_it() {
    for (before, during, after) in [
        (Some("mute"), None, true),
        (None, Some("mute"), true),
        (Some("mute"), Some("unmute"), false),
    ] {
        let mut world = connected(&json!({}));
        let (_, callee) = sids(&world);
        let mute = |world: &mut World, status: Option<&str>| {
            let Some(status) = status else { return };
            let reply = changes(world, &callee, &json!({ "mute_status": status }));
            assert_eq!(reply, Reply::Accepted);
        };
        mute(&mut world, before);
        let whisper = json!({ "whisper": { "verb": "play", "url": "/one.wav" } });
        assert_eq!(changes(&mut world, &callee, &whisper), Reply::Accepted);
        world.run_for(s(0.2));
        mute(&mut world, during);
        let muted = |world: &World| {
            let mut facts = world.media.iter().rev();
            facts.find_map(|fact| match fact {
                MediaFact::Muted(_, LegId(1), muted) => Some(*muted),
                _ => None,
            })
        };
        assert_eq!(muted(&world), Some(true), "while it is whispered to");
        world.run_for(s(2.0));
        assert_eq!(muted(&world), Some(after), "{before:?} {during:?}");
        finish(&mut world);
    }
}

#[test]
fn a_whisper_is_for_one_party_and_several_wait_for_each_other() {
    for whispered in [LegId::CALLER, LegId(1)] {
        let mut world = connected(&json!({}));
        let (caller, callee) = sids(&world);
        let sid = if whispered == LegId::CALLER { caller } else { callee };
        let before = world.media.len();
        for url in ["/one.wav", "/two.wav"] {
            let whisper = json!({ "whisper": { "verb": "play", "url": url } });
            assert_eq!(changes(&mut world, &sid, &whisper), Reply::Accepted);
        }
        let said = |world: &World| {
            let facts = world.media[before..].iter().map(|fact| match fact {
                MediaFact::Plays(_, leg, _, url) => (*leg, url.clone()),
                MediaFact::Muted(_, leg, muted) => (*leg, format!("muted {muted}")),
                other => panic!("{other:?}: the bridge stays"),
            });
            let (legs, what): (Vec<LegId>, Vec<String>) = facts.unzip();
            assert!(legs.iter().all(|leg| *leg == whispered), "{legs:?}");
            what
        };
        assert_eq!(said(&world), ["muted true", "/one.wav"]);
        world.run_for(s(4.0));
        assert_eq!(said(&world)[2..], ["muted true", "/two.wav", "muted false"]);
        finish(&mut world);
    }
}

#[test]
fn a_whisper_is_played_once_whatever_its_loop_says() {
    for repeat in [json!("forever"), json!(3)] {
        let mut world = connected(&json!({}));
        let (caller, _) = sids(&world);
        let play = json!({ "verb": "play", "url": "/one.wav", "loop": repeat });
        assert_eq!(changes(&mut world, &caller, &json!({ "whisper": play })), Reply::Accepted);
        world.run_for(s(1.5));
        assert_eq!(last(&world), &MediaFact::Muted(KEY, LegId::CALLER, false), "{repeat}");
        finish(&mut world);
    }
}

#[test]
fn a_whisper_that_is_not_over_ends_with_the_bridge() {
    let mut world = connected(&json!({}));
    let (caller, callee) = sids(&world);
    let whisper = json!({ "whisper": { "verb": "play", "url": "/two.wav" } });
    assert_eq!(changes(&mut world, &caller, &whisper), Reply::Accepted);
    changes(&mut world, &callee, &json!({ "call_status": "completed" }));
    assert!(world.media.iter().any(|fact| matches!(fact, MediaFact::Stops(_, LegId::CALLER, _))));
    finish(&mut world);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

#[test]
fn a_request_of_a_program_brings_back_what_the_peer_answers() {
    let peer = Raw(callee_address(1));
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).caller(patient()).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.5));
    let (_, callee) = sids(&world);
    for (method, line) in [("INFO", "488 Not Like This"), ("NOTIFY", "481 Not Like This")] {
        let order = json!({ "sip_request": {
            "method": method, "content_type": "text/plain", "content": "hello",
            "headers": { "X-One": "1" }
        } });
        let id = crate::placed::gives(&mut world, &callee, &order);
        world.run_for(s(0.1));
        assert!(!world.replies.contains_key(&id), "not before the peer has answered");
        let sent = request_to(&world, peer.0, &Method::named(method));
        assert_eq!((sent.body().as_str(), sent.header("X-One").as_deref()), ("hello", Some("1")));
        peer.respond(&mut world, &sent, line, "x", "");
        world.run_for(s(0.1));
        let (status, reason) = (line[..3].parse().unwrap(), "Not Like This".to_owned());
        assert_eq!(world.replies[&id], Reply::Responded { status, reason });
    }
    assert!(requests_to(&world, peer.0, &Method::Bye).is_empty(), "the bridge stays");
    world.with_switch(|switch, now| switch.end_all(now));
    world.run_until_quiet(s(100.0));
}

#[test]
fn who_is_not_connected_cannot_be_controlled() {
    let mut world = Scene::dialling(vec![answers(5.0)], &json!({})).caller(patient()).begin();
    world.run_for(s(1.0));
    let (caller, callee) = sids(&world);
    for change in [
        json!({ "mute_status": "mute" }),
        json!({ "dtmf": { "digit": "1" } }),
        json!({ "whisper": { "verb": "play", "url": "/one.wav" } }),
        json!({ "sip_request": { "method": "INFO" } }),
        json!({ "child_call_hook": "/x" }),
    ] {
        for sid in [&caller, &callee] {
            assert_eq!(refused(&changes(&mut world, sid, &change)).0, 422, "{change} {sid}");
        }
    }
    world.with_phone("A", |phone, now| phone.cancel(now));
    finish(&mut world);
}

#[test]
fn a_callee_is_sent_elsewhere_and_the_caller_goes_on() {
    let onward = dial(0, &json!({ "target": [target(2)], "actionHook": "/onward" }));
    for by_its_own_sid in [true, false] {
        let list = json!([dial(1, &json!({})), { "verb": "pause", "length": 1 }]);
        let mut world = Scene::running(&list)
            .callees(vec![answers(0.5), talks(0.5, 2.0)])
            .caller(patient())
            .answering("/child", text(&json!([onward])))
            .begin();
        world.run_for(s(1.0));
        let (caller, callee) = sids(&world);
        let (sid, change) = match by_its_own_sid {
            true => (&callee, json!({ "call_hook": "/child" })),
            false => (&caller, json!({ "child_call_hook": "/child" })),
        };
        assert_eq!(changes(&mut world, sid, &change), Reply::Accepted);
        finish(&mut world);
        assert_eq!(result(&world)["dial_call_status"], "completed");
        let asked = &world.application.asked_at("/child")[0].payload;
        assert_eq!(asked["call_sid"], json!(callee));
        let onward = &world.application.asked_at("/onward")[0].payload;
        assert_eq!(onward["call_sid"], json!(callee));
        assert_eq!(onward["dial_call_status"], "completed");
    }
}

#[test]
fn a_callee_that_went_its_own_way_is_ended_by_its_own_sid() {
    let list = json!([dial(1, &json!({})), { "verb": "pause", "length": 9 }]);
    let mut world = Scene::running(&list)
        .callees(vec![answers(0.5)])
        .caller(patient())
        .answering("/child", text(&json!([{ "verb": "pause", "length": 30 }])))
        .begin();
    world.run_for(s(1.0));
    let (caller, callee) = sids(&world);
    changes(&mut world, &caller, &json!({ "child_call_hook": "/child" }));
    world.run_for(s(2.0));
    assert_eq!(completes(&mut world, &callee), Reply::Accepted);
    world.run_for(s(1.0));
    assert_eq!(refused(&completes(&mut world, &callee)).0, 404, "it has ended");
    finish(&mut world);
    assert_near(saw_at(&world, "B1", &Note::Ended), 3.0);
    assert_near(saw_at(&world, "A", &Note::Ended), 10.0);
    for sid in [&caller, &callee] {
        let ends = world.application.statuses_of(sid);
        let ends = ends.iter().filter(|status| *status == "completed/200");
        assert_eq!(ends.count(), 1, "each is told to have ended once");
    }
}

#[test]
fn both_are_sent_elsewhere_at_once() {
    let list = json!([dial(1, &json!({}))]);
    let mut world = Scene::running(&list)
        .callees(vec![answers(0.5)])
        .caller(patient())
        .answering("/child", text(&json!([{ "verb": "pause", "length": 2 }])))
        .answering("/parent", text(&json!([{ "verb": "pause", "length": 3 }])))
        .begin();
    world.run_for(s(1.0));
    let (caller, callee) = sids(&world);
    let both = json!({ "call_hook": "/parent", "child_call_hook": "/child" });
    assert_eq!(changes(&mut world, &caller, &both), Reply::Accepted);
    finish(&mut world);
    assert_near(saw_at(&world, "B1", &Note::Ended), 3.0);
    assert_near(saw_at(&world, "A", &Note::Ended), 4.0);
    for (hook, sid) in [("/parent", &caller), ("/child", &callee)] {
        assert_eq!(world.application.asked_at(hook)[0].payload["call_sid"], json!(sid));
    }
}
