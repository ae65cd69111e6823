//! What a seed means.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use call::settings::{Carrier, Client, Gateway, GatewayHost, Settings};
use serde_json::{Value, json};
use sip::Transport;
use sip::auth::digest::Algorithm;

use super::act::Act;
use super::manner::{Manner, Talk};
use super::moved::{self, GONE};
use super::transfers::{Transfers, USER};
use crate::link::Weather;
use crate::random::Random;
use crate::script::{Callee, Caller, Challenge, Offer, Outcome};
use crate::settings::carrier_settings;

/// The caller.
pub(super) const CALLER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), 5060);

/// The server of the carrier `moved`, which sends every call elsewhere.
pub(super) const REDIRECTOR: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 2, 99)), 5060);

/// Four callees and the caller.
const PHONES: usize = 5;

/// A name with two addresses: of callees 1 and 2.
pub(super) const PAIR: &str = "pair.test";

/// Hooks of the application.
pub(super) const INCOMING: &str = "http://application.test/incoming";
pub(super) const STATUS: &str = "http://application.test/status";
pub(super) const DONE: &str = "/done";
pub(super) const ELSEWHERE: &str = "http://elsewhere.test/b";

/// Everything that a seed decides.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// What everybody speaks.
    pub transport: Transport,
    /// The network.
    pub weather: Weather,
    /// The caller; without one a program begins the call.
    pub caller: Option<Caller>,
    /// The callees, and what each wants to know of its caller.
    pub callees: Vec<(Callee, Option<Challenge>)>,
    /// The list of verbs that runs first.
    pub list: Value,
    /// What the application answers to the results of dials, in order; the last repeats.
    pub results: Vec<Option<Value>>,
    /// The application cannot be asked with a result.
    pub results_fail: bool,
    /// How long each webhook takes.
    pub thinks: Duration,
    /// How long an RTP port takes to open.
    pub opening: Duration,
    /// How long a name server takes to answer.
    pub lookup: Duration,
    /// RTP ports that may be open at the same time.
    pub ports: usize,
    /// How its dials are run.
    pub manner: Manner,
    /// Who refers whom.
    pub transfers: Transfers,
    /// What each phone says to whoever changes its session, after it has taken so many changes;
    /// callees first.
    pub stays: Vec<Option<(usize, u16)>>,
    /// The list that programs send callers to.
    pub elsewhere: Value,
    /// What else happens, and when, in order.
    pub acts: Vec<(Duration, Act)>,
}

fn s(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Where callee `number` (from 1) is.
pub(super) fn callee_address(number: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 2, number)), 5060)
}

/// A target that names callee `number` by its address.
pub(super) fn sip_target(number: u8, known: bool) -> Value {
    let uri = format!("sip:b{number}@{}", callee_address(number));
    let mut target = json!({ "type": "sip", "sipUri": uri });
    if known {
        target["auth"] = json!({ "username": "jane", "password": "secret" });
    }
    target
}

fn callee(random: &mut Random) -> Callee {
    let after = random.time(s(0.0)..s(6.0));
    let outcome = match random.below(10) {
        0..=4 => Outcome::Answers(after),
        5..=7 => Outcome::Refuses(*random.pick(&[404, 480, 486, 500, 503, 600, 603]), after),
        _ => Outcome::Waits,
    };
    Callee {
        rings: random.chance(80).then(|| random.time(s(0.0)..s(2.0))),
        early_media: random.chance(20).then(|| random.time(s(0.0)..s(2.0))),
        outcome,
        hangs_up: random.chance(50).then(|| random.time(s(0.0)..s(6.0))),
    }
}

fn challenge(random: &mut Random) -> Challenge {
    Challenge {
        status: *random.pick(&[401, 407]),
        username: "jane",
        password: if random.chance(67) { "secret" } else { "another" },
        algorithms: vec![Algorithm::Md5, Algorithm::Sha256],
        forgets: random.chance(30),
    }
}

/// A target that leads to callee `number`, one way or another.
fn target(random: &mut Random, number: u8) -> Value {
    match random.below(20) {
        0 => json!({ "type": "sip", "sipUri": "sip:nobody@nowhere.test" }),
        1 => json!({ "type": "sip", "sipUri": format!("sip:b@{PAIR}") }),
        2..=3 => json!({ "type": "phone", "number": "+4915112345678", "trunk": "outbound" }),
        4 => json!({ "type": "phone", "number": "+4915112345679", "trunk": "moved" }),
        5..=12 => sip_target(number, true),
        _ => sip_target(number, false),
    }
}

/// A dial of these targets.
fn dial(random: &mut Random, targets: &[Value]) -> Value {
    let mut dial = json!({
        "verb": "dial",
        "actionHook": DONE,
        "target": targets,
        "answerOnBridge": random.chance(60),
        "timeout": *random.pick(&[2, 4, 6, 9]),
    });
    if random.chance(30) {
        dial["timeLimit"] = json!(*random.pick(&[1, 4]));
    }
    dial
}

/// Another dial, of one callee, as an application asks for when the first was in vain.
fn dial_on(random: &mut Random) -> Value {
    let number = u8::try_from(random.below(4) + 1).unwrap_or(1);
    let target = sip_target(number, true);
    json!([dial(random, &[target])])
}

fn caller(random: &mut Random) -> Caller {
    Caller {
        calls: "sip:+4930999888@10.0.0.1".to_owned(),
        from: "\"Anna\" <sip:+491701234567@10.0.1.1>".to_owned(),
        headers: Vec::new(),
        max_forwards: 70,
        cancels: random.chance(35).then(|| random.time(s(0.0)..s(9.0))),
        // why: somebody must hang up in the end, or the call rightly stays.
        hangs_up: Some(random.time(s(0.0)..s(14.0))),
    }
}

/// What programs do and what goes wrong, in order.
fn acts(random: &mut Random, callees: u8) -> Vec<(Duration, Act)> {
    let mut acts = Vec::new();
    if random.chance(40) {
        for _ in 0..=random.below(3) {
            acts.push((random.time(s(0.0)..s(9.0)), Act::any(random)));
        }
    }
    if random.chance(8) {
        let number = u8::try_from(random.below(u64::from(callees) + 1)).unwrap_or(0);
        let who = if number == 0 { CALLER } else { callee_address(number) };
        let at = random.time(s(0.0)..s(8.0));
        acts.push((at, Act::Vanish(who)));
        acts.push((at + s(4.0), Act::MediaStops(who)));
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

/// The same, and that a program calls callee 1.
fn with_second_call(mut acts: Vec<(Duration, Act)>, transfers: &Transfers) -> Vec<(Duration, Act)> {
    let call = Act::Create(sip_target(1, true));
    acts.extend(transfers.second_call.map(|at| (at, call)));
    acts.sort_by_key(|(at, _)| *at);
    acts
}

/// Audio leaves the switch in some of the dials of these lists: what phones say to that, callees
/// first.
fn let_audio_leave(
    seed: u64,
    talks: &mut Vec<Talk>,
    lists: Vec<&mut Value>,
) -> Vec<Option<(usize, u16)>> {
    let random = &mut Random::new(seed.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ 0xE817);
    if random.chance(60) {
        return Vec::new();
    }
    for list in lists {
        let dials = list.as_array_mut().into_iter().flatten();
        for dial in dials.filter(|verb| verb["verb"] == "dial") {
            dial["exitMediaPath"] = json!(random.chance(90));
            if random.chance(10) {
                dial["sendDigits"] = json!("1w2");
            }
            // why: a dial that needs its audio here is told apart by others of its kind.
            for keeps in ["dtmfCapture", "timeLimitWarning"] {
                if random.chance(70)
                    && let Some(dial) = dial.as_object_mut()
                {
                    dial.remove(keeps);
                }
            }
        }
    }
    talks.resize_with(PHONES, Talk::default);
    for talk in talks.iter_mut() {
        // why: most of what goes wrong happens while the audio leaves.
        if random.chance(30) {
            let at = random.time(s(0.1)..s(0.8));
            talk.offers.push((at, *random.pick(&[Offer::Holds, Offer::Talks, Offer::Asks])));
            talk.offers.push((at + random.time(s(0.0)..s(3.0)), Offer::Talks));
        }
    }
    let status = |random: &mut Random| *random.pick(&[488, 491, 500, 606]);
    let stays = |random: &mut Random| {
        let takes = usize::try_from(random.below(3)).unwrap_or(0);
        random.chance(15).then(|| (takes, status(random)))
    };
    (0..PHONES).map(|_| stays(random)).collect()
}

impl Plan {
    /// What this seed means.
    pub fn of(seed: u64) -> Plan {
        let random = &mut Random::new(seed);
        let count = u8::try_from(random.below(4) + 1).unwrap_or(1);
        let callees = (0..4).map(|_| {
            let challenge = random.chance(15).then(|| challenge(random));
            (callee(random), challenge)
        });
        let (mut callees, challenges): (Vec<Callee>, Vec<_>) = callees.unzip();
        let targets: Vec<Value> = (1..=count).map(|number| target(random, number)).collect();
        let mut list = json!([dial(random, &targets)]);
        let called = random.chance(90);
        let (another, forgetful) = (random.chance(15), random.chance(10));
        let mut results = match another {
            true => vec![Some(dial_on(random)), None],
            false => vec![None],
        };
        let mut elsewhere = dial_on(&mut Random::new(!seed));
        let mut lists = vec![&mut list, &mut elsewhere];
        lists.extend(results.iter_mut().flatten());
        let mut manner = Manner::of(seed, PHONES, lists);
        let mut lists = vec![&mut list, &mut elsewhere];
        lists.extend(results.iter_mut().flatten());
        moved::vary(seed, lists);
        let mut lists = vec![&mut list, &mut elsewhere];
        lists.extend(results.iter_mut().flatten());
        let (talks, screens) = (&mut manner.talks, manner.screens_everybody);
        let transfers = Transfers::of(seed, &mut callees, talks, lists, screens);
        let mut lists = vec![&mut list, &mut elsewhere];
        lists.extend(results.iter_mut().flatten());
        let stays = let_audio_leave(seed, &mut manner.talks, lists);
        Plan {
            seed,
            transport: if random.chance(20) { Transport::Tcp } else { Transport::Udp },
            weather: *random.pick(&[Weather::FAIR, Weather::MILD, Weather::FOUL]),
            caller: called.then(|| caller(random)).map(|caller| match transfers.patient {
                true => Caller { cancels: None, ..caller },
                false => caller,
            }),
            callees: callees.into_iter().zip(challenges).collect(),
            list,
            results,
            results_fail: forgetful && !another,
            thinks: random.time(s(0.0)..s(1.5)),
            opening: random.time(s(0.0)..s(0.4)),
            lookup: random.time(s(0.0)..s(0.3)),
            ports: if random.chance(4) { usize::from(count) } else { usize::MAX },
            manner,
            acts: with_second_call(acts(random, count), &transfers),
            transfers,
            elsewhere,
            stays,
        }
    }
}

fn gateway(address: SocketAddr, inbound: bool, priority: u32) -> Gateway {
    Gateway {
        host: GatewayHost::Net(address.ip().into()),
        port: Some(address.port()),
        transport: None,
        inbound,
        outbound: !inbound,
        priority,
        weight: 1,
    }
}

/// The carriers `outbound`, whose gateways are callees 3 and 4, and `moved`, which redirects.
pub(super) fn settings(transfers: &Transfers) -> Settings {
    let mut settings = carrier_settings(CALLER.ip(), callee_address(3));
    settings.refer = transfers.policy;
    for user in [GONE, USER].iter().take(1 + usize::from(transfers.has_user)) {
        let (username, password) = ((*user).to_owned(), "secret".to_owned());
        settings.clients.push(Client { username, password });
    }
    settings.limits.gateway_progress = s(1.5);
    settings.limits.confirm = s(4.0);
    let mut moved = settings.carriers.last().map(|carrier| Carrier::clone(carrier));
    if let Some(carrier) = settings.carriers.last_mut() {
        let gateways = [3, 4].map(|number| gateway(callee_address(number), false, number.into()));
        Arc::make_mut(carrier).gateways = gateways.to_vec();
    }
    if let Some(moved) = moved.as_mut() {
        "moved".clone_into(&mut moved.name);
        "sid-of-moved".clone_into(&mut moved.sid);
        moved.follow_redirects = true;
        moved.gateways = vec![gateway(REDIRECTOR, false, 0)];
        // why: contacts may lead to a carrier's own addresses, and all of this net is private.
        moved.gateways.extend([1, 2].map(|number| gateway(callee_address(number), true, 0)));
    }
    settings.carriers.extend(moved.map(Arc::new));
    settings
}
