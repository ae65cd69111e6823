//! Messages, hooks, media and time against the whole of signalling: whatever comes in whatever
//! order, every call ends once, every dial has one result, and nothing is left.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use call::settings::Client;
use call::{CallKey, Command, Input, LegId};
use sip::{Flow, Transport};
use testkit::{
    Answer, Application, Callee, Caller, Outcome, Phone, SWITCH, Script as Part, Weather, World,
    WorldConfig, carrier_settings,
};

use crate::peer::Peer;
use crate::script::Script;

/// Things that happen in one script.
const STEPS_MAX: usize = 60;

/// How long the switch may take to forget everything: a registration over TCP lasts an hour.
const LONGEST: Duration = Duration::from_secs(4_000);

const CALLER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), 5060);

const WAITS: [u64; 8] = [1, 20, 100, 400, 1_000, 4_000, 20_000, 70_000];

const INCOMING: &str = "http://application.test/incoming";

/// What the application may answer.
const LISTS: [&str; 10] = [
    r#"[{"verb":"dial","actionHook":"/done","answerOnBridge":true,"timeout":5,"target":[
       {"type":"sip","sipUri":"sip:b1@10.0.2.1"},{"type":"sip","sipUri":"sip:b2@10.0.2.2"}]}]"#,
    r#"[{"verb":"dial","actionHook":"/done","timeLimit":2,"target":[
       {"type":"sip","sipUri":"sip:b1@10.0.2.1"},{"type":"user","name":"jane@10.0.0.1"}]}]"#,
    r#"[{"verb":"dial","actionHook":"/done","target":[{"type":"phone","number":"+4930"}]},
       {"verb":"hangup"}]"#,
    r#"[{"verb":"dial","actionHook":"/done","answerOnBridge":true,"target":[
       {"type":"sip","sipUri":"sip:b9@10.0.1.1"},{"type":"sip","sipUri":"sip:x@nowhere.test"}]}]"#,
    r#"[{"verb":"answer"},{"verb":"pause","length":3},{"verb":"redirect","actionHook":"/more"}]"#,
    r#"[{"verb":"sip:decline","status":486}]"#,
    r#"[{"verb":"say","text":"x"},{"verb":"dial","actionHook":"/done","dialMusic":"/m","target":[
       {"type":"sip","sipUri":"sip:b2@10.0.2.2","auth":{"username":"u","password":"p"}}]}]"#,
    r#"[{"verb":"dial","target":[]}]"#,
    "[]",
    "{",
];

const UPDATES: [&str; 4] = [
    r#"{"call_status":"completed"}"#,
    r#"{"call_status":"no-answer"}"#,
    r#"{"call_hook":"http://application.test/more"}"#,
    r#"{"mute_status":"mute"}"#,
];

const CREATE: &str = r#"{"from":"100","to":{"type":"sip","sipUri":"sip:b2@10.0.2.2"},
    "call_hook":"http://application.test/incoming",
    "call_status_hook":"http://application.test/status"}"#;

/// See the module.
pub fn switch(data: &[u8]) {
    let mut script = Script::new(data);
    let mut world = world(&mut script);
    let mut peer = Peer::default();
    let mut seen = 0;
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        step(&mut world, &mut peer, &mut script);
        for (_, datagram) in world.wire.iter().skip(seen).filter(|(_, sent)| sent.from == SWITCH) {
            peer.hears(&datagram.bytes);
        }
        seen = world.wire.len();
    }
    finish(&mut world);
}

fn answer(script: &mut Script<'_>) -> Answer {
    match script.below(14) {
        0..=9 => Answer::List(script.pick(&LISTS).to_owned()),
        10 => Answer::Empty,
        11 => Answer::Fails,
        _ => Answer::List(String::from_utf8_lossy(script.bytes()).into_owned()),
    }
}

fn callee(script: &mut Script<'_>) -> Callee {
    let mut after = || Duration::from_millis(u64::from(script.byte()) * 40);
    let (rings, early, ends, talks) = (after(), after(), after(), after());
    let outcome = match script.below(4) {
        0 | 1 => Outcome::Answers(ends),
        2 => Outcome::Refuses(script.pick(&[404, 486, 503, 603, 302]), ends),
        _ => Outcome::Waits,
    };
    Callee {
        rings: script.flag().then_some(rings),
        early_media: script.flag().then_some(early),
        outcome,
        hangs_up: script.flag().then_some(talks),
    }
}

fn world(script: &mut Script<'_>) -> World {
    let application = Application::default()
        .answering(INCOMING, answer(script))
        .answering("/more", answer(script))
        .answering("/done", answer(script))
        .answering("/done", Answer::Empty);
    let callee_1 = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1)), 5060);
    let callee_2 = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2)), 5060);
    let mut settings = carrier_settings(CALLER.ip(), callee_1);
    settings.device_application = Some("main".to_owned());
    settings.clients.push(Client { username: "jane".to_owned(), password: "secret".to_owned() });
    settings.limits.calls = script.pick(&[2500, 2, 1]);
    let weather = script.pick(&[Weather::FAIR, Weather::FOUL]);
    let seed = u64::from(script.byte());
    let mut world = World::new(WorldConfig { seed, weather, settings, application });
    world.ports_max = script.pick(&[usize::MAX, usize::MAX, 2, 1, 0]);
    world.opening = Duration::from_millis(script.pick(&[0, 0, 200, 3_000]));
    world.application.thinks = Duration::from_millis(script.pick(&[0, 50, 2_000]));
    for (name, address) in [("B1", callee_1), ("B2", callee_2)] {
        let part = Part::Callee(callee(script));
        world.add(Phone::new(name, address, part, seed ^ u64::from(address.port())));
    }
    let caller = Caller {
        calls: "sip:+4930999888@10.0.0.1".to_owned(),
        from: "\"Anna\" <sip:+491701234567@10.0.1.1>".to_owned(),
        headers: Vec::new(),
        max_forwards: 70,
        cancels: script.flag().then(|| Duration::from_millis(u64::from(script.byte()) * 40)),
        hangs_up: script.flag().then(|| Duration::from_millis(u64::from(script.byte()) * 40)),
    };
    world.add(Phone::new("A", CALLER, Part::Caller(caller), !seed));
    world
}

fn step(world: &mut World, peer: &mut Peer, script: &mut Script<'_>) {
    match script.below(14) {
        0..=5 => {
            let bytes = peer.says(script);
            let flow = flow(script);
            world.with_switch(|switch, now| switch.handle_datagram(now, flow, &bytes));
        }
        6 | 7 => world.run_for(Duration::from_millis(script.pick(&WAITS))),
        8 => world.call("A"),
        9 => world.transport_error(flow(script).remote),
        10 => {
            let (key, leg) = (CallKey(1 + u64::from(script.byte() % 4)), LegId(script.byte() % 4));
            let input = if script.flag() { Input::MediaTimeout(leg) } else { Input::End };
            world.input(key, input);
        }
        11 => {
            let calls = world.application.calls(script.flag());
            let Some(call_sid) = calls.get(script.below(calls.len())).cloned() else { return };
            let update = verbs::rest::parse_update_call(script.pick(&UPDATES));
            update.into_iter().for_each(|update| {
                world.command(Command::Update {
                    call_sid: call_sid.clone(),
                    update: Box::new(update),
                });
            });
        }
        12 => {
            let (create, _) = verbs::rest::parse_create_call(CREATE).expect("a sound body");
            world.command(Command::Create(Box::new(create)));
        }
        _ => world.with_phone(script.pick(&["A", "B1", "B2"]), |phone, now| {
            phone.cancel(now);
            phone.hang_up(now);
        }),
    }
}

fn flow(script: &mut Script<'_>) -> Flow {
    let (network, host) = script.pick(&[(1, 1), (2, 1), (2, 2), (2, 9), (9, 9)]);
    let ip = IpAddr::V4(Ipv4Addr::new(10, 0, network, host));
    let transport = script.pick(&[Transport::Udp, Transport::Udp, Transport::Tcp]);
    Flow { transport, local: SWITCH, remote: SocketAddr::new(ip, script.pick(&[5060, 5062])) }
}

/// Everybody hangs up and the operator ends what is left; then nothing is.
fn finish(world: &mut World) {
    world.run_for(Duration::from_secs(1));
    for name in ["A", "B1", "B2"] {
        world.with_phone(name, |phone, now| {
            phone.cancel(now);
            phone.hang_up(now);
        });
    }
    world.run_for(Duration::from_secs(10));
    world.with_switch(|switch, now| switch.end_all(now));
    world.run_for(LONGEST);
    let due = world.switch.poll_timeout();
    assert!(due.is_none(), "a timer is left: {:?}", world.switch.alive());
    // why: a phone that was told lies about its call may wait for its end for ever.
    world.phones.clear();
    let dials = world.application.asked_at("/done").len();
    if let Err(broken) = testkit::check(world, "/done", dials) {
        panic!("{broken}");
    }
}
