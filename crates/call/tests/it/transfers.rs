//! REFER inside a bridge: the hook decides, the other party runs what it answers, and whoever sent
//! it hears how it goes.

use call::settings::{Client, ReferPolicy};
use call::{CallKey, LegId};
use serde_json::{Value, json};
use sip::{Message, Method};
use testkit::{Answer, MediaFact, Note, World};

use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, answers, callee_address, dial, finish, patient, refuses, result, s, target,
    text, waits,
};
use crate::sent::{Sent, request_to, requests_to, response_to, sent_to};

const KEY: CallKey = CallKey(1);

fn transfers(more: &Value) -> Scene {
    Scene::running(&json!([dial(1, more)])).callees(Vec::new()).caller(patient())
}

/// Bridged; the test plays the callee, and callee 2 is there to be called, and callee 3 is busy.
fn bridged(scene: Scene) -> (World, Raw, Sent) {
    let peer = Raw(callee_address(1));
    let mut world = scene.begin();
    let script = testkit::Script::Callee(answers(1.0));
    world.add(testkit::Phone::new("B2", callee_address(2), script, 77));
    let script = testkit::Script::Callee(refuses(486, 1.0));
    world.add(testkit::Phone::new("B3", callee_address(3), script, 78));
    world.run_for(s(0.5));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.5));
    (world, peer, invite)
}

/// The callee sends REFER; what it got.
fn refer(world: &mut World, peer: Raw, invite: &Sent, lines: &str) -> Sent {
    let request = Request { lines, ..Request::new("REFER", 1) };
    peer.request_as_callee(world, &invite.message, "x", &request);
    world.run_for(s(0.1));
    let answers = sent_to(world, peer.0);
    answers.into_iter().rfind(|sent| sent.message.status().is_some()).unwrap()
}

/// The caller sends REFER; the status it got.
fn caller_refers(world: &mut World, lines: &str) -> u16 {
    let answer = response_to(world, CALLER, 200).message;
    let request = Request { lines, ..Request::new("REFER", 50) };
    Raw(CALLER).request_as_caller(world, &answer, &request);
    world.run_for(s(0.1));
    let of_refer = |sent: &Sent| sent.header("CSeq").as_deref() == Some("50 REFER");
    let answers = sent_to(world, CALLER);
    answers.into_iter().rfind(of_refer).unwrap().message.status().unwrap()
}

fn notified(world: &World, peer: Raw) -> Vec<(String, String)> {
    let notifies = requests_to(world, peer.0, &Method::Notify);
    let mut seen: Vec<(String, String)> = Vec::new();
    for notify in notifies {
        let told = (notify.body(), notify.header("Subscription-State").unwrap());
        // why: the test answers none, so each is repeated.
        if !seen.contains(&told) {
            seen.push(told);
        }
    }
    seen
}

/// Nobody was hung up on, and both still hear each other.
fn assert_bridge_stays(world: &World, peer: Raw) {
    let byes = |address| requests_to(world, address, &Method::Bye).len();
    assert_eq!((byes(peer.0), byes(CALLER)), (0, 0));
    let bridge = |fact: &MediaFact| matches!(fact, MediaFact::Bridged(..) | MediaFact::Silence(..));
    let last = world.media.iter().rfind(|fact| bridge(fact));
    assert_eq!(last, Some(&MediaFact::Bridged(KEY, LegId::CALLER, LegId(1))));
}

fn elsewhere() -> String {
    format!("Refer-To: <sip:b2@{}>\r\nX-Ticket: 7\r\n", callee_address(2))
}

fn leave(world: &mut World) {
    world.with_switch(|switch, now| switch.end_all(now));
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}

#[test]
fn the_hook_is_asked_and_nothing_more_happens_where_it_answers_nothing() {
    for referred_by in ["", "Referred-By: <sip:anna@10.0.2.1>\r\n"] {
        let (mut world, peer, invite) = bridged(transfers(&json!({ "referHook": "/refer" })));
        let lines = format!("{}{referred_by}User-Agent: desk phone\r\n", elsewhere());
        let answer = refer(&mut world, peer, &invite, &lines);
        assert_eq!(answer.message.status(), Some(202));
        let asked = &world.application.asked_at("/refer")[0].payload;
        let details = &asked["refer_details"];
        let (parent, child) =
            (&world.application.calls(false)[0], &world.application.calls(true)[0]);
        assert_eq!(asked["call_sid"], json!(child));
        assert_eq!(details["referring_call_sid"], json!(child));
        assert_eq!(details["referred_call_sid"], json!(parent));
        assert_eq!(details["sip_refer_to"], json!(format!("<sip:b2@{}>", callee_address(2))));
        assert_eq!(details["refer_to_user"], "b2");
        assert_eq!(details["sip_user_agent"], "desk phone");
        assert_eq!(details["x_ticket"], "7");
        let by = details.get("referred_by_user").and_then(Value::as_str);
        assert_eq!(by, (!referred_by.is_empty()).then_some("anna"));
        let whole = details.get("sip_referred_by").and_then(Value::as_str);
        assert_eq!(whole, (!referred_by.is_empty()).then_some("<sip:anna@10.0.2.1>"));
        world.run_for(s(0.2));
        let line = |text: &str| format!("SIP/2.0 {text}\r\n");
        assert_eq!(
            notified(&world, peer),
            [
                (line("100 Trying"), "active;expires=3600".to_owned()),
                (line("200 OK"), "terminated;reason=noresource".to_owned())
            ]
        );
        assert!(requests_to(&world, peer.0, &Method::Bye).is_empty(), "the bridge stays");
        leave(&mut world);
    }
}

#[test]
fn a_hook_that_refuses_gives_its_status_and_one_that_fails_501() {
    for (answer, status) in
        [(Answer::Status(403), 403), (Answer::Status(500), 500), (Answer::Fails, 501)]
    {
        let scene = transfers(&json!({ "referHook": "/refer" })).answering("/refer", answer);
        let (mut world, peer, invite) = bridged(scene);
        let answer = refer(&mut world, peer, &invite, &elsewhere());
        assert_eq!(answer.message.status(), Some(status));
        assert!(notified(&world, peer).is_empty());
        assert_bridge_stays(&world, peer);
        leave(&mut world);
    }
}

#[test]
fn without_a_hook_it_is_refused() {
    let (mut world, peer, invite) = bridged(transfers(&json!({})));
    let answer = refer(&mut world, peer, &invite, &elsewhere());
    assert_eq!(answer.message.status(), Some(501));
    assert_bridge_stays(&world, peer);
    leave(&mut world);
}

#[test]
fn the_hook_of_the_session_counts_where_the_dial_has_none() {
    let config = json!({ "verb": "config", "referHook": "/session" });
    let scene = Scene::running(&json!([config, dial(1, &json!({}))])).caller(patient());
    let (mut world, peer, invite) = bridged(scene);
    assert_eq!(refer(&mut world, peer, &invite, &elsewhere()).message.status(), Some(202));
    assert_eq!(world.application.asked_at("/session").len(), 1);
    leave(&mut world);
}

/// The lines of the NOTIFYs that a peer was sent.
fn lines_told(world: &World, peer: Raw) -> Vec<String> {
    notified(world, peer).into_iter().map(|(line, _)| line.trim_end().to_owned()).collect()
}

fn is_hung_up(world: &World, peer: Raw) -> bool {
    !requests_to(world, peer.0, &Method::Bye).is_empty()
}

/// The callee refers the caller to another one, which the hook's list dials.
fn referred_to(number: u8) -> (World, Raw) {
    let list = json!([dial(0, &json!({ "target": [target(number)], "actionHook": "/second" }))]);
    let scene = transfers(&json!({ "referHook": "/refer" })).answering("/refer", text(&list));
    let (mut world, peer, invite) = bridged(scene);
    assert_eq!(refer(&mut world, peer, &invite, &elsewhere()).message.status(), Some(202));
    assert_eq!(result(&world)["dial_call_status"], "completed", "its own dial is over");
    world.run_for(s(0.3));
    assert_eq!(lines_told(&world, peer), ["SIP/2.0 100 Trying"]);
    assert!(!is_hung_up(&world, peer), "it waits for the outcome");
    (world, peer)
}

fn takes_bye(world: &mut World, peer: Raw) {
    let bye = request_to(world, peer.0, &Method::Bye);
    peer.respond(world, &bye, "200 OK", "x", "");
}

#[test]
fn a_refer_of_the_callee_sends_the_caller_elsewhere() {
    let (mut world, peer) = referred_to(2);
    world.run_for(s(1.0));
    assert_eq!(lines_told(&world, peer), ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]);
    takes_bye(&mut world, peer);
    let with: Vec<LegId> = world
        .media
        .iter()
        .filter_map(|fact| match fact {
            MediaFact::Bridged(KEY, LegId::CALLER, callee) => Some(*callee),
            _ => None,
        })
        .collect();
    assert_eq!(with, [LegId(1), LegId(2)], "the caller talks to the second one");
    assert_eq!(world.phone("B2").saw(&Note::Acked), 1);
    world.with_phone("B2", |phone, now| phone.hang_up(now));
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
    let second = &world.application.asked_at("/second")[0].payload;
    assert_eq!(second["dial_call_status"], "completed");
    assert!(world.open_ports.is_empty());
}

#[test]
fn who_refers_to_somebody_busy_hears_that() {
    let (mut world, peer) = referred_to(3);
    world.run_for(s(1.0));
    assert_eq!(lines_told(&world, peer), ["SIP/2.0 100 Trying", "SIP/2.0 486 Busy Here"]);
    takes_bye(&mut world, peer);
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
    let second = &world.application.asked_at("/second")[0].payload;
    assert_eq!(second["dial_call_status"], "busy");
    assert!(world.open_ports.is_empty());
}

#[test]
fn who_refers_and_hangs_up_ends_nothing_of_the_transfer() {
    let (mut world, peer) = referred_to(2);
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("BYE", 2));
    world.run_for(s(2.0));
    assert_eq!(lines_told(&world, peer), ["SIP/2.0 100 Trying"]);
    assert!(world.media.contains(&MediaFact::Bridged(KEY, LegId::CALLER, LegId(2))));
    world.with_phone("B2", |phone, now| phone.hang_up(now));
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
    let second = &world.application.asked_at("/second")[0].payload;
    assert_eq!(second["dial_call_status"], "completed");
    assert!(world.open_ports.is_empty());
}

#[test]
fn who_knows_of_no_subscription_is_told_no_more_and_let_go_while_the_transfer_goes_on() {
    for (status, knows) in [("481 No Subscription", false), ("500 Overtaken", true)] {
        let (mut world, peer) = referred_to(2);
        let notify = requests_to(&world, peer.0, &Method::Notify).remove(0);
        peer.respond(&mut world, &notify, status, "x", "");
        world.run_for(s(0.1));
        assert_eq!(is_hung_up(&world, peer), !knows, "{status}");
        if !knows {
            takes_bye(&mut world, peer);
        }
        world.run_for(s(1.5));
        let end = if knows { &["SIP/2.0 200 OK"][..] } else { &[] };
        assert_eq!(lines_told(&world, peer), [&["SIP/2.0 100 Trying"][..], end].concat());
        assert!(world.media.contains(&MediaFact::Bridged(KEY, LegId::CALLER, LegId(2))));
        world.with_phone("B2", |phone, now| phone.hang_up(now));
        assert!(world.run_until_quiet(s(100.0)), "not quiet");
        world.judge.at_rest().unwrap();
        assert!(world.open_ports.is_empty());
    }
}

#[test]
fn a_caller_that_hangs_up_while_it_is_transferred_ends_it_for_who_referred_it() {
    let (mut world, peer) = referred_to(2);
    world.with_phone("A", |phone, now| phone.hang_up(now));
    world.run_for(s(0.3));
    assert_eq!(lines_told(&world, peer), ["SIP/2.0 100 Trying", "SIP/2.0 487 Request Terminated"]);
    takes_bye(&mut world, peer);
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
    assert!(world.open_ports.is_empty());
}

#[test]
fn a_second_refer_waits_for_the_outcome_of_the_first() {
    let (mut world, peer) = referred_to(2);
    let invite = request_to(&world, peer.0, &Method::Invite);
    let request = Request { lines: &elsewhere(), ..Request::new("REFER", 2) };
    peer.request_as_callee(&mut world, &invite.message, "x", &request);
    world.run_for(s(0.1));
    let answers = sent_to(&world, peer.0);
    let answer = answers.iter().rfind(|sent| sent.message.status().is_some()).unwrap();
    assert_eq!(answer.message.status(), Some(491));
    leave(&mut world);
}

#[test]
fn a_list_that_dials_nobody_is_a_transfer_that_has_succeeded() {
    let list = json!([{ "verb": "pause", "length": 1 }]);
    let scene = transfers(&json!({ "referHook": "/refer" })).answering("/refer", text(&list));
    let (mut world, peer, invite) = bridged(scene);
    assert_eq!(refer(&mut world, peer, &invite, &elsewhere()).message.status(), Some(202));
    assert_eq!(lines_told(&world, peer), ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]);
    takes_bye(&mut world, peer);
    assert!(world.run_until_quiet(s(100.0)), "not quiet");
    assert!(world.open_ports.is_empty());
}

#[test]
fn a_caller_whose_list_is_run_stays_until_it_knows_what_came_of_its_refer() {
    for (number, line) in [(3, "SIP/2.0 200 OK"), (4, "SIP/2.0 486 Busy Here")] {
        let more = json!({ "referHook": "/refer", "target": [target(2)] });
        let onward = dial(0, &json!({ "target": [target(number)] }));
        let scene = Scene::running(&json!([dial(0, &more)]))
            .callees(vec![waits(), answers(0.2), answers(1.0), refuses(486, 1.0)])
            .caller(patient())
            .answering("/refer", text(&json!([onward])));
        let mut world = scene.begin();
        world.run_for(s(1.0));
        assert_eq!(caller_refers(&mut world, &elsewhere()), 202);
        world.run_for(s(0.5));
        assert_eq!(result(&world)["dial_call_status"], "completed");
        assert_eq!(lines_told(&world, Raw(CALLER)), ["SIP/2.0 100 Trying"], "to {number}");
        assert_eq!(world.phone("A").saw(&Note::Ended), 0, "to {number}");
        world.run_for(s(1.0));
        assert_eq!(lines_told(&world, Raw(CALLER)), ["SIP/2.0 100 Trying", line]);
        assert_eq!(world.phone("A").saw(&Note::Ended), 1, "to {number}");
        leave(&mut world);
        assert!(world.open_ports.is_empty());
    }
}

/// A caller that never acknowledges our 200, in a call that asks `/refer` when it refers.
fn without_ack() -> (World, Raw, Message) {
    let list = json!([
        { "verb": "config", "referHook": "/refer" },
        { "verb": "answer" },
        { "verb": "pause", "length": 30 },
    ]);
    let mut world = Scene::running(&list).before_the_call();
    world.phones.remove(&CALLER);
    world.application.thinks_at.insert("/refer".to_owned(), s(0.5));
    let caller = Raw(CALLER);
    caller.invite(&mut world, "", &description(caller, 1, ""));
    world.run_for(s(0.3));
    let answer = response_to(&world, CALLER, 200).message;
    (world, caller, answer)
}

fn completed(world: &mut World) {
    let sid = world.application.calls(false)[0].clone();
    assert_eq!(crate::placed::completes(world, &sid), call::Reply::Accepted);
    assert!(!is_hung_up(world, Raw(CALLER)), "RFC 3261 §15: not before the ACK");
}

fn status_of(world: &World, method: &str) -> Vec<u16> {
    let of_method = |sent: &Sent| sent.header("CSeq").is_some_and(|cseq| cseq.ends_with(method));
    let sent = sent_to(world, CALLER).into_iter().filter(of_method);
    sent.filter_map(|sent| sent.message.status()).collect()
}

#[test]
fn a_refer_of_who_is_ended_is_for_nobody_though_our_bye_still_waits_for_the_ack() {
    let (mut world, caller, answer) = without_ack();
    completed(&mut world);
    let request = Request { lines: &elsewhere(), ..Request::new("REFER", 2) };
    caller.request_as_caller(&mut world, &answer, &request);
    world.run_for(s(0.1));
    assert_eq!(status_of(&world, "REFER"), [481]);
    assert!(world.application.asked_at("/refer").is_empty());
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert!(is_hung_up(&world, caller), "where no ACK comes, too");
    world.judge.at_rest().unwrap();
}

#[test]
fn a_hook_that_allows_a_refer_of_who_was_ended_meanwhile_comes_too_late() {
    let (mut world, caller, answer) = without_ack();
    let request = Request { lines: &elsewhere(), ..Request::new("REFER", 2) };
    caller.request_as_caller(&mut world, &answer, &request);
    world.run_for(s(0.1));
    assert_eq!(world.application.asked_at("/refer").len(), 1);
    completed(&mut world);
    world.run_for(s(1.0));
    assert_eq!(status_of(&world, "REFER"), [481]);
    assert_eq!(lines_told(&world, caller), [""; 0]);
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    world.judge.at_rest().unwrap();
}

#[test]
fn a_refer_of_the_caller_makes_the_callee_a_call_of_its_own() {
    let more = json!({ "referHook": "/refer", "target": [target(2)] });
    let onward = dial(0, &json!({ "target": [target(3)], "actionHook": "/onward" }));
    let scene = Scene::running(&json!([dial(0, &more), { "verb": "pause", "length": 2 }]))
        .callees(vec![answers(9.0), answers(1.0), crate::scene::talks(1.0, 3.0)])
        .caller(patient())
        .answering("/refer", text(&json!([onward])));
    let mut world = scene.begin();
    world.run_for(s(2.0));
    assert_eq!(caller_refers(&mut world, &elsewhere()), 202);
    world.run_for(s(0.5));
    let adopted = world.media.iter().find_map(|fact| match fact {
        MediaFact::Adopted(key, leg, from) => Some((*key, *leg, *from)),
        _ => None,
    });
    assert_eq!(adopted, Some((CallKey(2), LegId(1), KEY)));
    assert_eq!(result(&world)["dial_call_status"], "completed", "the dial of the caller is over");
    finish(&mut world);
    let child = world.application.calls(true)[0].clone();
    let told = world.application.statuses_of(&child);
    assert_eq!(told, ["trying/100", "ringing/180", "in-progress/200", "completed/200"]);
    let onward = &world.application.asked_at("/onward")[0].payload;
    assert_eq!(onward["call_sid"], json!(child), "it runs its own list");
    assert_eq!(onward["parent_call_sid"], json!(world.application.calls(false)[0]));
    assert_eq!(onward["dial_call_status"], "completed");
}

#[test]
fn nobody_is_told_who_does_not_want_to_be() {
    let (mut world, peer, invite) = bridged(transfers(&json!({ "referHook": "/refer" })));
    let lines = format!("{}Refer-Sub: false\r\n", elsewhere());
    let answer = refer(&mut world, peer, &invite, &lines);
    assert_eq!(answer.message.status(), Some(202));
    assert_eq!(answer.header("Refer-Sub").as_deref(), Some("false"));
    assert!(notified(&world, peer).is_empty());
    leave(&mut world);
}

#[test]
fn a_refer_to_nowhere_is_refused() {
    for lines in ["", "Refer-To: \r\n", "Refer-To: <sip:a@h>\r\nRefer-To: <sip:b@h>\r\n"] {
        let (mut world, peer, invite) = bridged(transfers(&json!({ "referHook": "/refer" })));
        let answer = refer(&mut world, peer, &invite, lines);
        assert_eq!(answer.message.status(), Some(400), "{lines:?}");
        assert!(world.application.asked_at("/refer").is_empty());
        leave(&mut world);
    }
}

#[test]
fn of_a_telephone_number_the_user_is_the_number() {
    let (mut world, peer, invite) = bridged(transfers(&json!({ "referHook": "/refer" })));
    refer(&mut world, peer, &invite, "Refer-To: <tel:+15551234567>\r\n");
    let asked = &world.application.asked_at("/refer")[0].payload;
    assert_eq!(asked["refer_details"]["refer_to_user"], "+15551234567");
    leave(&mut world);
}

#[test]
fn a_stranger_may_send_others_to_users_of_ours_alone() {
    // The callee of these dials is whoever a SIP URI names, and pays for nothing.
    for (refer_to, status) in [
        // The address that it talks to, and one that the switch has besides.
        ("sip:jane@10.0.0.1", 202),
        ("sip:jane@203.0.113.1", 202),
        ("sip:+15551234567@10.0.0.1", 403),
        ("tel:+15551234567", 403),
        ("sip:anybody@203.0.113.7", 403),
        ("sip:b2@10.0.0.1?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc", 481),
    ] {
        let scene = transfers(&json!({})).settings(|settings| {
            settings.refer = ReferPolicy::Transfer;
            settings.own_addresses.push("203.0.113.1".parse().unwrap());
            let (username, password) = ("jane".to_owned(), "secret".to_owned());
            settings.clients.push(Client { username, password });
        });
        let (mut world, peer, invite) = bridged(scene);
        let lines = format!("Refer-To: <{refer_to}>\r\n");
        let answer = refer(&mut world, peer, &invite, &lines);
        assert_eq!(answer.message.status(), Some(status), "{refer_to}");
        leave(&mut world);
    }
}

#[test]
fn an_application_hears_of_info_and_message_and_may_answer_with_a_list() {
    let config = json!({ "verb": "config", "sipRequestWithinDialogHook": "/inside" });
    let scene = Scene::running(&json!([config, dial(1, &json!({}))])).caller(patient());
    let scene = scene
        .answering("/inside", Answer::Empty)
        .answering("/inside", text(&json!([{ "verb": "pause", "length": 1 }])));
    let (mut world, peer, invite) = bridged(scene);
    for (cseq, method, status) in [(1, "INFO", 200), (2, "MESSAGE", 202)] {
        let lines = "Content-Type: text/plain\r\n";
        let request = Request { lines, body: "hello", ..Request::new(method, cseq) };
        peer.request_as_callee(&mut world, &invite.message, "x", &request);
        world.run_for(s(0.1));
        let answers = sent_to(&world, peer.0);
        let answer = answers.iter().rfind(|sent| sent.message.status().is_some()).unwrap();
        assert_eq!(answer.message.status(), Some(status), "{method}");
        let asked = &world.application.asked_at("/inside")[(cseq - 1) as usize].payload;
        assert_eq!((&asked["sip_method"], &asked["sip_body"]), (&json!(method), &json!("hello")));
        assert_eq!(asked["sip_headers"]["content-type"], "text/plain");
        assert_eq!(asked["call_sid"], json!(world.application.calls(false)[0]), "of the parent");
    }
    let bye = request_to(&world, peer.0, &Method::Bye);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}
