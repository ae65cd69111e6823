//! `exitMediaPath`: after the answer each party is told to send its audio to the other one; what
//! keeps the audio here, and what brings it back.

use call::{CallKey, Input, LegId, Reply};
use serde_json::{Value, json};
use sip::Method;
use testkit::{Callee, Caller, MediaFact, Note, Offer, SWITCH, World};

use crate::events::{children, parent};
use crate::placed::changes;
use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, alerts, answers, callee_address, dial, finish, hangs_up, patient, result, s,
    talks, target, text,
};
use crate::sent::{Sent, request_to, requests_to, responses_to, sent_to};

const KEY: CallKey = CallKey(1);
const CALLEE: Raw = Raw(std::net::SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 2, 1)),
    5060,
));
/// Where phones receive, as their descriptions have it.
const OF_CALLER: &str = "10.0.1.1:40000";
const OF_CALLEE: &str = "10.0.2.1:40000";
const HERE: &str = "here";

fn direct(more: &Value) -> Value {
    let mut properties = json!({ "exitMediaPath": true });
    for (name, value) in more.as_object().unwrap() {
        properties[name] = value.clone();
    }
    properties
}

/// One callee that answers after half a second and talks for so long, and a patient caller.
fn scene(talks_for: f64, more: &Value) -> Scene {
    Scene::dialling(vec![talks(0.5, talks_for)], &direct(more)).caller(patient())
}

/// The place of a description: the lines `c=` and `m=`.
fn place(body: &str) -> Option<String> {
    let after = |start: &str| {
        let mut lines = body.lines().filter_map(|line| line.strip_prefix(start));
        lines.next().and_then(|rest| rest.split(' ').next())
    };
    let (ip, port) = (after("c=IN IP4 ")?, after("m=audio ")?);
    Some(if ip == SWITCH.ip().to_string() { HERE.to_owned() } else { format!("{ip}:{port}") })
}

/// Where a peer was told to send its audio, each time that this changed.
fn told(world: &World, to: std::net::SocketAddr) -> Vec<String> {
    let mut places: Vec<String> =
        sent_to(world, to).iter().filter_map(|sent| place(&sent.body())).collect();
    places.dedup();
    places
}

fn both_told(world: &World) -> [Vec<String>; 2] {
    [told(world, CALLER), told(world, CALLEE.0)]
}

/// re-INVITEs to this peer, repetitions left out.
fn reinvites(world: &World, to: std::net::SocketAddr) -> Vec<Sent> {
    let mut sent = requests_to(world, to, &Method::Invite);
    sent.retain(|sent| sent.header("To").is_some_and(|to| to.contains(";tag=")));
    sent.dedup_by_key(|sent| sent.header("CSeq"));
    sent
}

fn origin(body: &str) -> (String, u64) {
    let line = body.lines().find(|line| line.starts_with("o=")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    (format!("{} {}", words[1], words[5]), words[2].parse().unwrap())
}

/// Away after a second and a half.
fn away(scene: Scene) -> World {
    let mut world = scene.begin();
    world.run_for(s(1.5));
    assert_eq!(both_told(&world), [[HERE, OF_CALLEE], [HERE, OF_CALLER]]);
    world
}

/// The test plays the callee, which has answered; its re-INVITE is there.
fn asked() -> (World, Sent, Sent) {
    let list = json!([dial(1, &direct(&json!({})))]);
    let mut world = Scene::running(&list).caller(hangs_up(30.0)).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, CALLEE.0, &Method::Invite);
    let body = description(CALLEE, 1, "");
    CALLEE.respond(&mut world, &invite, "200 OK", "x", &body);
    world.run_for(s(0.3));
    let asked = reinvites(&world, CALLEE.0);
    assert_eq!(asked.len(), 1, "{:?}", both_told(&world));
    (world, invite, asked[0].clone())
}

/// The callee that the test plays takes every re-INVITE that it has not answered.
fn takes(world: &mut World, answered: usize) {
    for invite in reinvites(world, CALLEE.0).split_off(answered) {
        CALLEE.respond(world, &invite, "200 OK", "x", &description(CALLEE, 1, ""));
    }
    world.run_for(s(0.2));
}

fn callee_hangs_up(world: &mut World, invite: &Sent) {
    let bye = Request::new("BYE", 90);
    CALLEE.request_as_callee(world, &invite.message, "x", &bye);
    finish(world);
}

#[test]
fn each_party_gets_the_address_of_the_other() {
    let world = scene(3.0, &json!({})).caller(hangs_up(9.0)).play();
    // why: while the actionHook thinks about what comes next, the caller is back.
    assert_eq!(both_told(&world), [vec![HERE, OF_CALLEE, HERE], vec![HERE, OF_CALLER]]);
    assert!(alerts(&world).is_empty(), "{:?}", alerts(&world));
    assert_eq!(result(&world)["dial_call_status"], "completed");
    let first = request_to_first(&world, CALLEE.0).body();
    let second = reinvites(&world, CALLEE.0)[0].body();
    assert_eq!(origin(&first).0, origin(&second).0, "one session");
    assert!(origin(&first).1 < origin(&second).1, "{first}{second}");
    assert!(second.contains("m=audio 40000 RTP/AVP 0 101\r\n"), "{second}");
    assert!(second.contains("a=sendrecv"), "{second}");
    let of_caller = reinvites(&world, CALLER);
    assert!(of_caller[0].at > reinvites(&world, CALLEE.0)[0].at, "callee first");
}

fn request_to_first(world: &World, to: std::net::SocketAddr) -> Sent {
    requests_to(world, to, &Method::Invite).remove(0)
}

#[test]
fn without_the_property_nobody_is_asked() {
    let world = Scene::dialling(vec![talks(0.5, 3.0)], &json!({})).play();
    assert_eq!(both_told(&world), [[HERE], [HERE]]);
}

#[test]
fn what_the_dial_needs_the_audio_for_keeps_it() {
    for (more, why) in [
        (json!({ "anchorMedia": true }), "anchorMedia"),
        (json!({ "dtmfHook": "/keys", "dtmfCapture": ["*1"] }), "dtmfCapture"),
        (json!({ "boostAudioSignal": 3 }), "boostAudioSignal"),
        (json!({ "timeLimit": 60, "timeLimitWarning": { "before": 5 } }), "timeLimitWarning"),
    ] {
        let world = scene(2.0, &more).play();
        assert_eq!(both_told(&world), [[HERE], [HERE]], "{why}");
        let seen = alerts(&world);
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(seen[0].starts_with("not-supported: /0/exitMediaPath: "), "{seen:?}");
        assert!(seen[0].contains(why), "{seen:?}");
    }
    for more in [json!({ "dtmfCapture": ["*1"] }), json!({ "boostAudioSignal": 0 })] {
        let world = scene(2.0, &more).play();
        assert_eq!(told(&world, CALLEE.0), [HERE, OF_CALLER], "{more}");
    }
}

#[test]
fn different_codecs_stay() {
    let mut world = scene(2.0, &json!({})).before_the_call();
    world.with_phone("A", |phone, _| phone.codecs = vec![8]);
    world.with_phone("B1", |phone, _| phone.codecs = vec![0]);
    world.call("A");
    finish(&mut world);
    assert_eq!(both_told(&world), [[HERE], [HERE]]);
    assert!(alerts(&world)[0].contains("PCMA"), "{:?}", alerts(&world));
}

#[test]
fn an_address_that_the_other_party_cannot_reach_stays() {
    for (media, leaves) in [("203.0.113.7:4000", true), ("[2001:db8::7]:4000", false)] {
        for phone in ["A", "B1"] {
            let mut world = scene(2.0, &json!({})).before_the_call();
            world.with_phone(phone, |phone, _| phone.media = media.parse().unwrap());
            world.call("A");
            finish(&mut world);
            assert_eq!(told(&world, CALLEE.0).len(), 1 + usize::from(leaves), "{phone} {media}");
            let said = alerts(&world).iter().any(|alert| alert.contains("family"));
            assert_eq!(said, !leaves, "{:?}", alerts(&world));
        }
    }
}

#[test]
fn digits_are_sent_before_the_audio_leaves() {
    let mut world = scene(9.0, &json!({ "sendDigits": "ww12" })).begin();
    // Four of 200 ms, after half a second.
    world.run_for(s(1.4));
    assert_eq!(both_told(&world), [[HERE], [HERE]]);
    world.run_for(s(0.6));
    assert_eq!(both_told(&world), [[HERE, OF_CALLEE], [HERE, OF_CALLER]]);
    finish(&mut world);
}

#[test]
fn a_callee_that_refuses_stays_and_the_caller_is_never_asked() {
    for status in [488, 500, 606] {
        let mut world = scene(2.0, &json!({})).before_the_call();
        world.with_phone("B1", |phone, _| phone.stays = Some((0, status)));
        world.call("A");
        finish(&mut world);
        assert!(reinvites(&world, CALLER).is_empty());
        assert_eq!(reinvites(&world, CALLEE.0).len(), 1, "asked once");
        assert!(alerts(&world)[0].contains(&format!("({status})")), "{:?}", alerts(&world));
        assert_eq!(result(&world)["dial_call_duration"], 2, "they talk on");
    }
}

#[test]
fn where_the_caller_refuses_the_callee_is_brought_back() {
    let mut world = scene(2.0, &json!({})).before_the_call();
    world.with_phone("A", |phone, _| phone.stays = Some((0, 488)));
    world.call("A");
    finish(&mut world);
    assert_eq!(told(&world, CALLEE.0), [HERE, OF_CALLER, HERE]);
    assert_eq!(reinvites(&world, CALLER).len(), 1);
    assert_eq!(alerts(&world).len(), 1, "{:?}", alerts(&world));
    assert_eq!(result(&world)["dial_call_duration"], 2, "they talk on");
}

#[test]
fn who_holds_is_answered_here_and_the_other_one_is_brought_back() {
    for updates in [false, true] {
        for holder in ["A", "B1"] {
            let mut world = scene(6.0, &json!({})).before_the_call();
            world.with_phone(holder, |phone, _| {
                phone.updates = updates;
                phone.offers = vec![(s(2.0), Offer::Holds), (s(4.0), Offer::Talks)];
            });
            world.call("A");
            world.run_for(s(3.5));
            let [caller, callee] = both_told(&world);
            assert_eq!(caller, [HERE, OF_CALLEE, HERE], "{holder} {updates}");
            assert_eq!(callee, [HERE, OF_CALLER, HERE], "{holder} {updates}");
            finish(&mut world);
            assert_eq!(told(&world, CALLEE.0), [HERE, OF_CALLER, HERE], "it stays");
        }
    }
}

#[test]
fn a_party_that_asks_for_our_offer_gets_ours() {
    let mut world = scene(6.0, &json!({})).before_the_call();
    world.with_phone("B1", |phone, _| phone.offers = vec![(s(2.0), Offer::Asks)]);
    world.call("A");
    world.run_for(s(3.5));
    assert_eq!(both_told(&world), [[HERE, OF_CALLEE, HERE], [HERE, OF_CALLER, HERE]]);
    finish(&mut world);
}

#[test]
fn an_offer_that_changes_nothing_changes_nothing() {
    for updates in [false, true] {
        for party in ["A", "B1"] {
            let mut world = scene(6.0, &json!({})).before_the_call();
            world.with_phone(party, |phone, _| {
                phone.updates = updates;
                phone.offers = vec![(s(2.0), Offer::Talks)];
            });
            world.call("A");
            world.run_for(s(4.0));
            let offered = world.phone(party).saw(&Note::Offered(200));
            assert_eq!(offered, 1, "{party} {updates}");
            assert_eq!(both_told(&world), [[HERE, OF_CALLEE], [HERE, OF_CALLER]], "{party}");
            finish(&mut world);
        }
    }
}

#[test]
fn offers_that_cross_ours_leave_nobody_one_sided() {
    for at in 0..60 {
        for (party, offer) in [("A", Offer::Holds), ("B1", Offer::Holds), ("B1", Offer::Talks)] {
            let after = f64::from(at) * 0.005 + 0.1;
            let mut world = scene(14.0, &json!({})).before_the_call();
            world.with_phone(party, |phone, _| phone.offers = vec![(s(after), offer)]);
            world.call("A");
            world.run_for(s(13.0));
            let last = both_told(&world).map(|told| told.last().unwrap().clone());
            let here = [HERE, HERE];
            let there = [OF_CALLEE, OF_CALLER];
            assert!(last == here || last == there, "{party} {offer:?} {after}: {last:?}");
            if offer == Offer::Holds {
                assert_eq!(last, here, "{party} {after}");
            }
            finish(&mut world);
        }
    }
}

#[test]
fn a_caller_that_goes_on_alone_is_brought_back() {
    let list = json!([dial(1, &direct(&json!({}))), { "verb": "play", "url": "/one.wav" }]);
    let mut world =
        Scene::running(&list).callees(vec![talks(0.5, 2.0)]).caller(patient()).before_the_call();
    world.sounds.insert("/one.wav".to_owned(), s(3.0));
    world.call("A");
    world.run_for(s(4.0));
    assert_eq!(told(&world, CALLER), [HERE, OF_CALLEE, HERE]);
    let plays = |fact: &MediaFact| matches!(fact, MediaFact::Plays(_, LegId::CALLER, ..));
    assert!(world.media.iter().any(plays), "what comes next is played at once");
    finish(&mut world);
}

#[test]
fn nobody_is_brought_back_who_hangs_up_at_once() {
    let mut list = json!([dial(1, &direct(&json!({})))]);
    list[0].as_object_mut().unwrap().remove("actionHook");
    for caller in [hangs_up(2.0), patient()] {
        let scene = Scene::running(&list).callees(vec![talks(0.5, 4.0)]);
        let mut world = scene.caller(caller).begin();
        assert!(world.run_until_quiet(s(100.0)), "not quiet");
        assert_eq!(both_told(&world), [[HERE, OF_CALLEE], [HERE, OF_CALLER]]);
    }
}

#[test]
fn a_call_may_end_at_any_moment() {
    for at in 0..50 {
        for (caller, callee) in [(Some(at), None), (None, Some(at))] {
            let after = |at: Option<u32>| at.map(|at| s(f64::from(at) * 0.01 + 0.05));
            let callee = Callee { hangs_up: after(callee), ..answers(0.5) };
            let who = Caller { hangs_up: after(caller), ..patient() };
            let world = Scene::dialling(vec![callee], &direct(&json!({}))).caller(who).play();
            assert_eq!(result(&world)["dial_call_status"], "completed", "{at}");
        }
    }
}

#[test]
fn audio_that_is_played_or_muted_comes_back() {
    for change in [
        json!({ "whisper": { "verb": "play", "url": "/one.wav" } }),
        json!({ "mute_status": "mute" }),
        json!({ "dtmf": { "digit": "1" } }),
        json!({ "boostAudioSignal": "+3 dB" }),
    ] {
        for of_child in [false, true] {
            let mut world = away(scene(9.0, &json!({})));
            let sid = if of_child { children(&world).remove(0) } else { parent(&world) };
            let reply = changes(&mut world, &sid, &change);
            assert_eq!(reply, Reply::Accepted, "{change}");
            world.run_for(s(0.5));
            let back = [[HERE, OF_CALLEE, HERE], [HERE, OF_CALLER, HERE]];
            assert_eq!(both_told(&world), back, "{change} {of_child}");
            finish(&mut world);
        }
    }
    let mut world = away(scene(9.0, &json!({})));
    let sid = parent(&world);
    changes(&mut world, &sid, &json!({ "mute_status": "unmute" }));
    world.run_for(s(0.5));
    assert_eq!(told(&world, CALLER), [HERE, OF_CALLEE], "what changes nothing needs nothing");
    finish(&mut world);
}

#[test]
fn a_party_that_is_muted_before_stays() {
    let mut world = scene(9.0, &json!({ "sendDigits": "ww" })).begin();
    world.run_for(s(1.0));
    let sid = parent(&world);
    changes(&mut world, &sid, &json!({ "mute_status": "mute" }));
    finish(&mut world);
    assert_eq!(both_told(&world), [[HERE], [HERE]]);
}

#[test]
fn a_key_in_a_message_comes_back() {
    let mut world = away(scene(9.0, &json!({})));
    let answer = responses_to(&world, CALLER, 200)[0].message.clone();
    let lines = "Content-Type: application/dtmf-relay\r\n";
    let info = Request { lines, body: "Signal=5\r\n", ..Request::new("INFO", 100) };
    Raw(CALLER).request_as_caller(&mut world, &answer, &info);
    world.run_for(s(0.5));
    assert_eq!(both_told(&world), [[HERE, OF_CALLEE, HERE], [HERE, OF_CALLER, HERE]]);
    world.with_switch(|switch, now| switch.end_all(now));
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
}

#[test]
fn audio_that_is_not_here_is_not_missed() {
    let mut world = away(scene(9.0, &json!({})));
    for leg in [LegId::CALLER, LegId(1)] {
        world.input(KEY, Input::MediaTimeout(leg));
    }
    world.run_for(s(1.0));
    assert!(requests_to(&world, CALLEE.0, &Method::Bye).is_empty());
    let sid = parent(&world);
    changes(&mut world, &sid, &json!({ "mute_status": "mute" }));
    world.run_for(s(0.5));
    world.input(KEY, Input::MediaTimeout(LegId(1)));
    world.run_for(s(0.2));
    assert_eq!(requests_to(&world, CALLEE.0, &Method::Bye).len(), 1, "it is here again");
    finish(&mut world);
}

#[test]
fn a_callee_that_goes_elsewhere_is_brought_back_there() {
    let list = json!([{ "verb": "pause", "length": 3 }]);
    let mut world = away(scene(9.0, &json!({})).answering("/elsewhere", text(&list)));
    let sid = parent(&world);
    changes(&mut world, &sid, &json!({ "child_call_hook": "/elsewhere" }));
    world.run_for(s(1.0));
    assert_eq!(both_told(&world), [[HERE, OF_CALLEE, HERE], [HERE, OF_CALLER, HERE]]);
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
}

#[test]
fn who_refuses_to_come_back_is_hung_up() {
    for phone in ["A", "B1"] {
        let mut world = scene(20.0, &json!({})).before_the_call();
        world.with_phone(phone, |phone, _| phone.stays = Some((1, 488)));
        world.call("A");
        world.run_for(s(1.5));
        let sid = parent(&world);
        changes(&mut world, &sid, &json!({ "mute_status": "mute" }));
        world.run_for(s(0.5));
        let address = if phone == "A" { CALLER } else { CALLEE.0 };
        let bye = request_to(&world, address, &Method::Bye);
        assert!(bye.header("X-Reason").is_some_and(|why| why.contains("brought back")));
        finish(&mut world);
    }
}

#[test]
fn an_answer_that_does_not_suit_the_other_party_brings_back() {
    let same = description(CALLEE, 2, "");
    for body in [
        format!("{same}a=sendonly\r\n"),
        format!("{same}a=inactive\r\n"),
        same.replace("RTP/AVP 0", "RTP/AVP 8"),
        same.replace("c=IN IP4 10.0.2.1", "c=IN IP6 2001:db8::1"),
        "no description".to_owned(),
        String::new(),
    ] {
        let (mut world, invite, asked) = asked();
        CALLEE.respond(&mut world, &asked, "200 OK", "x", &body);
        world.run_for(s(0.1));
        takes(&mut world, 1);
        assert_eq!(told(&world, CALLER), [HERE], "{body}");
        assert_eq!(told(&world, CALLEE.0), [HERE, OF_CALLER, HERE], "{body}");
        callee_hangs_up(&mut world, &invite);
    }
}

#[test]
fn a_callee_that_hangs_up_while_it_is_asked_leaves_the_caller_alone() {
    let (mut world, invite, _) = asked();
    callee_hangs_up(&mut world, &invite);
    assert_eq!(told(&world, CALLER), [HERE]);
    assert!(reinvites(&world, CALLER).is_empty());
}

#[test]
fn a_second_dial_may_leave_as_the_first_did() {
    let again = dial(0, &direct(&json!({ "target": [target(2)], "actionHook": "/second" })));
    let scene = scene(2.0, &json!({})).answering("/done", text(&json!([again])));
    let mut world = scene.callees(vec![talks(0.5, 2.0), talks(0.5, 2.0)]).begin();
    world.run_for(s(5.0));
    let of_second = format!("{}:40000", callee_address(2).ip());
    assert_eq!(told(&world, CALLER), [HERE, OF_CALLEE, HERE, &of_second]);
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
}
