//! A phone that is in two calls connects its partners to each other: REFER with Replaces, where
//! the operator lets the switch transfer by itself.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use call::settings::{Gateway, GatewayHost, ReferPolicy};
use call::{CallKey, Effect, LegId, Media, Reply};
use serde_json::{Value, json};
use sip::{Message, Method};
use testkit::{Caller, Fact, MediaFact, Note, Phone, Script, World};

use crate::placed::changes;
use crate::raw::{Raw, Request, description};
use crate::scene::{Scene, answers, callee_address, dial, patient, s, talks, target, text};
use crate::sent::{Sent, request_to, requests_to, response_to, sent_to};

/// The phone with two calls.
fn desk() -> Raw {
    Raw(callee_address(1))
}

/// The first calls of its application, one for each call that comes in.
fn scene(lists: &[Value]) -> Scene {
    let mut scene = Scene::running(&lists[0]).caller(patient());
    for list in &lists[1..] {
        scene = scene.answering("http://application.test/incoming", text(list));
    }
    scene.settings(|settings| {
        settings.refer = ReferPolicy::Transfer;
        let carrier = std::sync::Arc::make_mut(&mut settings.carriers[0]);
        let host = GatewayHost::Net(desk().0.ip().into());
        let like = carrier.gateways[0].clone();
        carrier.gateways.push(Gateway { host, ..like });
    })
}

fn tag(message: &Message, header: &str) -> String {
    let text = message.header_text(header).unwrap().into_owned();
    text.split("tag=").nth(1).unwrap().to_owned()
}

/// The desk sends REFER inside one of its dialogs, naming the other one.
fn replaces(call_id: &str, ours: &str, theirs: &str) -> String {
    let value = format!("{call_id}%3Bto-tag%3D{ours}%3Bfrom-tag%3D{theirs}");
    format!("Refer-To: <sip:somebody@10.0.0.1?Replaces={}>\r\n", value.replace('@', "%40"))
}

fn status_of_refer(world: &World) -> Option<u16> {
    let of_refer = |sent: &&Sent| sent.header("CSeq").is_some_and(|cseq| cseq.ends_with(" REFER"));
    sent_to(world, desk().0).iter().find(of_refer).and_then(|sent| sent.message.status())
}

fn takes_byes(world: &mut World) {
    for bye in requests_to(world, desk().0, &Method::Bye) {
        desk().respond(world, &bye, "200 OK", "x", "");
    }
    world.run_for(s(0.2));
}

#[test]
fn the_caller_of_one_call_and_the_callee_of_another_are_connected() {
    // Anna calls the desk; the desk calls B2, and refers Anna there.
    let second = json!([dial(0, &json!({ "target": [target(2)], "actionHook": "/second" }))]);
    let first = json!([dial(1, &json!({}))]);
    let mut world = scene(&[first, second]).begin();
    let script = Script::Callee(talks(0.5, 9.0));
    world.add(Phone::new("B2", callee_address(2), script, 77));
    world.run_for(s(0.5));
    let invite = request_to(&world, desk().0, &Method::Invite);
    desk().respond(&mut world, &invite, "200 OK", "x", &description(desk(), 1, ""));
    world.run_for(s(0.5));
    desk().invite(&mut world, "", &description(desk(), 2, ""));
    world.run_for(s(1.5));
    let answer = response_to(&world, desk().0, 200).message;
    desk().request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
    world.run_for(s(0.2));
    let call_id = answer.header_text("Call-ID").unwrap().into_owned();
    let lines = replaces(&call_id, &tag(&answer, "To"), &tag(&answer, "From"));
    let refer = Request { lines: &lines, ..Request::new("REFER", 7) };
    desk().request_as_callee(&mut world, &invite.message, "x", &refer);
    world.run_for(s(0.2));
    assert_eq!(status_of_refer(&world), Some(202));
    let (to, leg, from) = adopted(&world);
    assert_eq!((to, from), (CallKey(1), CallKey(2)));
    assert_eq!(world.media.last().unwrap(), &MediaFact::Bridged(to, LegId::CALLER, leg));
    takes_byes(&mut world);
    assert!(requests_to(&world, callee_address(2), &Method::Bye).is_empty(), "B2 talks on");
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    for url in ["/done", "/second"] {
        let told = &world.application.asked_at(url)[0].payload;
        assert_eq!(told["dial_call_status"], "completed", "{url}");
    }
    assert_eq!(world.phone("A").saw(&Note::Ended), 1, "when B2 has hung up");
    assert!(world.open_ports.is_empty());
}

/// The desk calls B2 and B3, and connects them; the lists of its calls have this actionHook.
fn connected_callees(hooks: [Value; 2]) -> World {
    let [one, two] = hooks;
    let call = |number: u8, done: Value| {
        json!([dial(0, &json!({ "target": [target(number)], "actionHook": done }))])
    };
    let mut world = scene(&[call(2, one), call(3, two)]).before_the_call();
    for (number, callee) in [(2, answers(0.5)), (3, talks(0.5, 9.0))] {
        let script = Script::Callee(callee);
        let name = format!("B{number}");
        world.add(Phone::new(&name, callee_address(number), script, number.into()));
    }
    let mut dialogs = Vec::new();
    for number in [1, 2] {
        let from = Raw(desk().0);
        from.invite_as(&mut world, &format!("call-{number}"), &description(desk(), number, ""));
        world.run_for(s(1.5));
        let answer = response_to_call(&world, &format!("call-{number}"));
        from.request_as_caller(&mut world, &answer, &Request::new("ACK", 1));
        world.run_for(s(0.2));
        dialogs.push(answer);
    }
    let two = &dialogs[1];
    let call_id = two.header_text("Call-ID").unwrap().into_owned();
    let lines = replaces(&call_id, &tag(two, "To"), &tag(two, "From"));
    let refer = Request { lines: &lines, ..Request::new("REFER", 7) };
    desk().request_as_caller(&mut world, &dialogs[0], &refer);
    world.run_for(s(0.2));
    assert_eq!(status_of_refer(&world), Some(202));
    world
}

#[test]
fn two_callees_of_one_phone_are_connected_and_talk_until_one_hangs_up() {
    let mut world = connected_callees([json!("/one"), json!("/two")]);
    takes_byes(&mut world);
    let alive = world.switch.alive();
    assert_eq!(alive.callers, 1, "{alive:?}");
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert_eq!(world.phone("B2").saw(&Note::Ended), 1);
    assert!(world.open_ports.is_empty());
}

#[test]
fn a_phone_that_has_connected_its_partners_is_let_go_at_once_in_both_of_its_calls() {
    let mut world = connected_callees([Value::Null, Value::Null]);
    let byes = requests_to(&world, desk().0, &Method::Bye);
    let ended: BTreeSet<_> = byes.iter().map(|bye| bye.header("Call-ID").unwrap()).collect();
    assert_eq!(ended.into_iter().collect::<Vec<_>>(), ["call-1", "call-2"]);
    takes_byes(&mut world);
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert!(world.open_ports.is_empty());
}

fn bob() -> SocketAddr {
    SocketAddr::from(([10, 0, 1, 2], 5060))
}

/// Anna and Bob call the desk, which connects them: the front desk of a company. Bob talks for
/// 9 s after his answer.
fn connected_callers() -> World {
    let call = |done: &str| {
        let dial = dial(1, &json!({ "actionHook": done }));
        json!([dial, { "verb": "pause", "length": 60 }])
    };
    let scene = scene(&[call("/one"), call("/two")]).settings(|settings| {
        let carrier = std::sync::Arc::make_mut(&mut settings.carriers[0]);
        let like = carrier.gateways[0].clone();
        carrier.gateways.push(Gateway { host: GatewayHost::Net(bob().ip().into()), ..like });
    });
    let mut world = scene.begin();
    world.judge = std::mem::take(&mut world.judge).transferring(true);
    world.run_for(s(0.5));
    let one = request_to(&world, desk().0, &Method::Invite);
    desk().respond(&mut world, &one, "200 OK", "x", &description(desk(), 1, ""));
    let caller = Caller {
        from: format!("<sip:+491709999999@{}>", bob().ip()),
        hangs_up: Some(s(9.0)),
        ..patient()
    };
    world.add(Phone::new("Bob", bob(), Script::Caller(caller), 78));
    world.call("Bob");
    world.run_for(s(0.5));
    let two = requests_to(&world, desk().0, &Method::Invite).pop().unwrap();
    assert_ne!(two.header("Call-ID"), one.header("Call-ID"));
    desk().respond(&mut world, &two, "200 OK", "y", &description(desk(), 2, ""));
    world.run_for(s(0.5));
    let lines = replaces(&two.header("Call-ID").unwrap(), &tag(&two.message, "From"), "y");
    let refer = Request { lines: &lines, ..Request::new("REFER", 7) };
    desk().request_as_callee(&mut world, &one.message, "x", &refer);
    world.run_for(s(0.2));
    assert_eq!(status_of_refer(&world), Some(202));
    world
}

fn sid_of_bob(world: &World) -> Value {
    world.application.asked_at("/two")[0].payload["call_sid"].clone()
}

#[test]
fn two_callers_of_one_phone_are_connected_and_talk_until_one_hangs_up() {
    let mut world = connected_callers();
    let (to, leg, from) = adopted(&world);
    assert_eq!((to, from), (CallKey(1), CallKey(2)));
    assert_eq!(world.media.last().unwrap(), &MediaFact::Bridged(to, LegId::CALLER, leg));
    let byes = requests_to(&world, desk().0, &Method::Bye);
    assert_eq!(byes.len(), 2, "the desk has done its part");
    takes_byes(&mut world);
    for url in ["/one", "/two"] {
        let told = &world.application.asked_at(url)[0].payload;
        assert_eq!(told["dial_call_status"], "completed", "{url}");
    }
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    let bob = sid_of_bob(&world);
    let of_bob = |told: &&Value| told["call_sid"] == bob && told["duration"].is_number();
    let ends: Vec<&Value> = world.application.told.iter().filter(of_bob).collect();
    assert_eq!(ends.len(), 1, "{:#?}", world.application.told);
    for (name, value) in
        [("call_status", "completed"), ("direction", "inbound"), ("from", "+491709999999")]
    {
        assert_eq!(ends[0][name], value);
    }
    assert_eq!(world.phone("A").saw(&Note::Ended), 1, "at the end of her list");
    assert!(world.open_ports.is_empty());
}

#[test]
fn the_judge_sees_a_caller_that_is_connected_to_another_and_has_hung_up() {
    let mut world = connected_callers();
    let (key, leg, _) = adopted(&world);
    world.judge.verdict().unwrap();
    let of_bob = response_to(&world, bob(), 200);
    let header = |name: &str| of_bob.header(name).unwrap();
    let (from, to, call_id) = (header("From"), header("To"), header("Call-ID"));
    let bye = format!(
        "BYE sip:switch SIP/2.0\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
         CSeq: 9 BYE\r\n\r\n"
    );
    world.judge.see(Fact::Heard(bob(), bye.as_bytes()));
    world.judge.see(Fact::Wanted(key, &Effect::Media(Media::Bridge(LegId::CALLER, leg))));
    let broken = world.judge.verdict().unwrap_err();
    assert!(broken.contains("hung up before"), "{broken}");
}

#[test]
fn a_caller_that_went_to_another_call_is_still_named_by_its_sid() {
    let mut world = connected_callers();
    takes_byes(&mut world);
    let bob = sid_of_bob(&world);
    let done = changes(&mut world, bob.as_str().unwrap(), &json!({ "call_status": "completed" }));
    assert_eq!(done, Reply::Accepted);
    world.run_for(s(0.5));
    assert_eq!(world.phone("Bob").saw(&Note::Ended), 1);
    assert_eq!(world.phone("A").saw(&Note::Ended), 0, "Anna's list goes on");
    world.with_switch(|switch, now| switch.end_all(now));
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
    assert!(world.open_ports.is_empty());
}

/// Which leg came to which call from which.
fn adopted(world: &World) -> (CallKey, LegId, CallKey) {
    let fact = world.media.iter().find_map(|fact| match fact {
        MediaFact::Adopted(key, leg, from) => Some((*key, *leg, *from)),
        _ => None,
    });
    fact.unwrap()
}

fn response_to_call(world: &World, call_id: &str) -> Message {
    let of_call = |sent: &&Sent| {
        sent.message.status() == Some(200)
            && sent.header("Call-ID").as_deref() == Some(call_id)
            && sent.header("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"))
    };
    sent_to(world, desk().0).iter().find(of_call).unwrap().message.clone()
}

#[test]
fn a_dialog_that_is_not_there_is_481() {
    let mut world = scene(&[json!([dial(1, &json!({}))])]).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, desk().0, &Method::Invite);
    desk().respond(&mut world, &invite, "200 OK", "x", &description(desk(), 1, ""));
    world.run_for(s(0.5));
    let lines = replaces("nothing", "one", "two");
    let refer = Request { lines: &lines, ..Request::new("REFER", 7) };
    desk().request_as_callee(&mut world, &invite.message, "x", &refer);
    world.run_for(s(0.2));
    assert_eq!(status_of_refer(&world), Some(481));
    world.with_switch(|switch, now| switch.end_all(now));
    assert!(world.run_until_quiet(s(200.0)), "not quiet");
}
