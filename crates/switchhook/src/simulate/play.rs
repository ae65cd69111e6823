//! From a scenario and a seed to a world of the testkit, played to its end; and what was seen.
//!
//! The world holds the real switch. Here its settings, phones and application are put together;
//! what a call does is decided there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::settings::{Carrier, Client, GatewayHost, ReferPolicy, Settings};
use serde_json::Value;
use sip::{Flow, Message, Method, SavedBinding, Transport};
use testkit::{Answer, Application, Note, Phone, SWITCH, Script, World, WorldConfig};

use super::expect::{Broken, CallSeen};
use super::heard;
use super::parties::{Callee, Caller, Reached};
use super::picture;
use super::refers;
use super::scenario::Scenario;

/// Hooks that an application may be asked in one run: one that redirects to itself ends here.
pub(crate) const HOOKS_ASKED_MAX: usize = 10_000;

/// Where the application answers, for lists that name relative hooks.
pub(crate) const ORIGIN: &str = "http://application.test";
/// The path of its `call_hook`.
pub(crate) const CALL_HOOK: &str = "/incoming";

/// What warns of a time limit where the dial names nothing else, and how long it is.
const WARNING: (&str, Duration) = ("tone_stream://L=3;%(200,100,1400)", Duration::from_millis(900));

/// The clock is looked at so often.
const SLICE: Duration = Duration::from_secs(1);

/// Which runs are drawn: a ladder costs more than the run itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draw {
    /// This one.
    Always,
    /// Only if it fails.
    Failure,
    /// Not this one.
    Never,
}

/// What came of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Played {
    /// Everything that was said, where it was to be drawn.
    pub(crate) ladder: String,
    /// What became of each call, in the order of the callers.
    pub(crate) calls: Vec<(String, CallSeen)>,
    /// What did not hold; nothing if it passed.
    pub(crate) broken: Vec<Broken>,
    /// From the beginning to the last message.
    pub(crate) lasted: Duration,
    /// Messages that were sent.
    pub(crate) messages: usize,
}

/// Addresses that the simulation gives out.
pub(crate) fn is_ours(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[..2] == [10, 0])
}

fn address(network: u8, index: usize) -> SocketAddr {
    let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
    SocketAddr::new(Ipv4Addr::new(10, 0, network, number).into(), 5060)
}

/// Where the phones of a callee receive audio.
fn media_address(callee: usize) -> SocketAddr {
    SocketAddr::new(address(5, callee).ip(), 40_000)
}

pub(crate) fn caller_address(index: usize) -> SocketAddr {
    address(1, index)
}

/// Plays a scenario with this seed.
pub(crate) fn play(scenario: &Scenario, seed: u64, draw: Draw) -> Played {
    let run = || {
        let mut world = world(scenario, seed);
        let quiet = run(scenario, &mut world);
        let judged = if quiet { world.judge.at_rest() } else { world.judge.verdict() };
        let mut played = seen(scenario, &world, quiet, judged);
        if draw == Draw::Always || (draw == Draw::Failure && !played.broken.is_empty()) {
            played.ladder = picture::ladder(scenario, &world);
        }
        played
    };
    // why: a broken assumption of the testkit is a finding about this seed, and others follow.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        let what = "the run broke off".to_owned();
        let broken = vec![Broken { what, expected: String::new(), got: text.to_owned() }];
        Played { broken, ..Played::default() }
    })
}

/// The phones that stand at each address, and the names of hosts.
#[derive(Default)]
struct Network {
    phones: Vec<Phone>,
    exchanges: BTreeMap<SocketAddr, Vec<(String, Phone)>>,
    /// Gateway of each carrier, in the order of the callees.
    carriers: Vec<(String, SocketAddr)>,
    hosts: Vec<(String, SocketAddr)>,
    /// Where each user is registered.
    users: Vec<(String, SocketAddr)>,
}

impl Network {
    fn add(&mut self, index: usize, callee: &Callee, seed: u64, callees: &[Callee]) {
        let at = match &callee.reached {
            Reached::User(user) => {
                let at = address(2, index);
                self.users.push((user.clone(), at));
                at
            }
            Reached::Number { carrier, .. } => place_of(&mut self.carriers, carrier, 3, None),
            Reached::Uri { host, port, .. } => {
                let literal = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
                place_of(&mut self.hosts, host, 4, literal.map(|ip| SocketAddr::new(ip, *port)))
            }
        };
        let script = match callee.phones.as_slice() {
            [one] => Script::Callee(one.clone()),
            several => Script::Forks(several.to_vec()),
        };
        let seed = seed ^ (0xB00 + index as u64);
        let mut phone = Phone::new(&callee.name, at, script, seed);
        phone.vanishes = callee.vanishes;
        phone.keys.clone_from(&callee.talk.keys);
        phone.offers.clone_from(&callee.talk.offers);
        refers::give(&mut phone, &callee.talk.refers, callees);
        // why: those of one exchange are told apart by where they receive audio.
        phone.receive_at(media_address(index));
        match &callee.reached {
            Reached::User(_) => self.phones.push(phone),
            Reached::Number { number: user, .. } | Reached::Uri { user, .. } => {
                self.exchanges.entry(at).or_default().push((user.clone(), phone));
            }
        }
    }
}

/// Where the one of this name is; it gets the next address of that network if it has none.
fn place_of(
    known: &mut Vec<(String, SocketAddr)>,
    name: &str,
    network: u8,
    fixed: Option<SocketAddr>,
) -> SocketAddr {
    let same = |(other, at): &&(String, SocketAddr)| {
        other == name && fixed.is_none_or(|fixed| fixed == *at)
    };
    if let Some((_, at)) = known.iter().find(same) {
        return *at;
    }
    let at = fixed.unwrap_or_else(|| address(network, known.len()));
    known.push((name.to_owned(), at));
    at
}

fn world(scenario: &Scenario, seed: u64) -> World {
    let mut network = Network::default();
    for (index, callee) in scenario.callees.iter().enumerate() {
        network.add(index, callee, seed, &scenario.callees);
    }
    let (hold_music, refer) = (scenario.hold_music.clone(), scenario.refer);
    let settings = Settings { hold_music, refer, ..settings(&network) };
    let application = application(scenario);
    let config = WorldConfig { seed, weather: scenario.weather, settings, application };
    let mut world = World::new(config);
    hearing(scenario, &mut world);
    for (user, at) in &network.users {
        register(&mut world, user, *at);
    }
    for phone in network.phones {
        world.add(phone);
    }
    for (at, lines) in network.exchanges {
        // why: no callee has this name; a ladder asks the exchange whose line a call is on.
        world.add(Phone::exchange(&format!("exchange {at}"), at, lines));
    }
    for (host, at) in network.hosts {
        world.names.insert(host, vec![at]);
    }
    for (index, caller) in scenario.callers.iter().enumerate() {
        let script = Script::Caller(testkit::Caller {
            calls: format!("sip:{}@{}", caller.calls, SWITCH.ip()),
            from: format!("<sip:{}@{}>", caller.from, caller_address(index).ip()),
            headers: Vec::new(),
            max_forwards: 70,
            cancels: caller.cancels,
            hangs_up: caller.hangs_up,
        });
        let seed = seed ^ (0xA000 + index as u64);
        let mut phone = Phone::new(&caller.name, caller_address(index), script, seed);
        phone.keys.clone_from(&caller.talk.keys);
        phone.offers.clone_from(&caller.talk.offers);
        refers::give(&mut phone, &caller.talk.refers, &scenario.callees);
        world.add(phone);
    }
    world
}

/// What can be heard, and whose hooks screen callees.
fn hearing(scenario: &Scenario, world: &mut World) {
    let sounds = scenario.sounds.iter().map(|sound| (sound.url.clone(), sound.lasts));
    world.sounds.extend(sounds);
    world.sounds.insert(WARNING.0.to_owned(), WARNING.1);
    let answers = scenario.hooks.iter().filter_map(|hook| match &hook.answer {
        Answer::List(list) => Some(list),
        _ => None,
    });
    let confirm = heard::confirm_hooks(answers.chain([&scenario.list]));
    let judge = std::mem::take(&mut world.judge).screened_by(&confirm, false);
    world.judge = judge.transferring(scenario.refer == ReferPolicy::Transfer);
}

/// The settings of the testkit with a carrier for each that a callee names.
fn settings(network: &Network) -> Settings {
    let mut settings = testkit::carrier_settings(caller_address(0).ip(), SWITCH);
    let outbound = settings.carriers.pop().expect("the testkit has one for outbound calls");
    if let Some(inbound) = settings.carriers.first_mut() {
        let callers = ipnet::Ipv4Net::new(Ipv4Addr::new(10, 0, 1, 0), 24).expect("at most 32");
        Arc::make_mut(inbound).gateways[0].host = GatewayHost::Net(callers.into());
        // why: no target can mean it; its name must not be that of a carrier of the scenario.
        Arc::make_mut(inbound).name = String::new();
    }
    for (name, at) in &network.carriers {
        let mut carrier = Carrier::clone(&outbound);
        carrier.sid = format!("sid-of-{name}");
        carrier.name.clone_from(name);
        carrier.gateways[0].host = GatewayHost::Net(at.ip().into());
        carrier.gateways[0].port = Some(at.port());
        settings.carriers.push(Arc::new(carrier));
    }
    let users: BTreeSet<&String> = network.users.iter().map(|(user, _)| user).collect();
    let client =
        |user: &String| Client { username: user.clone(), password: "not asked for".to_owned() };
    settings.clients = users.into_iter().map(client).collect();
    settings
}

fn register(world: &mut World, user: &str, at: SocketAddr) {
    let binding = SavedBinding {
        contact: format!("<sip:{user}@{at}>"),
        flow: Flow { transport: Transport::Udp, local: SWITCH, remote: at },
        call_id: format!("register-{user}-{at}"),
        cseq: 1,
        age: Duration::ZERO,
        remains: super::scenario::RUN_MAX,
    };
    let mut bindings = world.bound.remove(user).unwrap_or_default();
    bindings.push(binding);
    world.with_switch(|switch, now| {
        switch.restore(now, user, &bindings);
    });
    world.bound.insert(user.to_owned(), bindings);
}

fn application(scenario: &Scenario) -> Application {
    let first = Answer::List(scenario.list.clone());
    let mut application = Application::default().answering(&format!("{ORIGIN}{CALL_HOOK}"), first);
    application.thinks = scenario.thinks;
    for hook in &scenario.hooks {
        application = application.answering(&hook.url, hook.answer.clone());
        if let Some(thinks) = hook.thinks {
            application.thinks_at.insert(hook.url.clone(), thinks);
        }
    }
    application
}

/// Runs to the end; whether nothing is under way.
fn run(scenario: &Scenario, world: &mut World) -> bool {
    let mut callers: Vec<&Caller> = scenario.callers.iter().collect();
    callers.sort_by_key(|caller| caller.at);
    let elapsed = |world: &World| world.now.duration_since(world.start);
    let mut callers = callers.into_iter().peekable();
    while elapsed(world) < scenario.run_for {
        while let Some(caller) = callers.next_if(|caller| caller.at <= elapsed(world)) {
            world.call(&caller.name);
        }
        if callers.peek().is_none() && world.run_until_quiet(Duration::ZERO) {
            return true;
        }
        if world.application.asked.len() > HOOKS_ASKED_MAX {
            return false;
        }
        let next = callers.peek().map(|caller| caller.at - elapsed(world));
        world.run_for(next.map_or(SLICE, |next| next.min(SLICE)));
    }
    callers.peek().is_none() && world.run_until_quiet(Duration::ZERO)
}

fn seen(scenario: &Scenario, world: &World, quiet: bool, judged: Result<(), String>) -> Played {
    let end = world.wire.last().map_or(world.start, |(at, _)| *at);
    let mut played = Played {
        lasted: end.duration_since(world.start),
        messages: world.wire.len(),
        ..Played::default()
    };
    // why: a call that is up has no timer either, so that nothing is under way.
    if quiet && world.switch.alive().calls == 0 {
        let broken = judged.and_then(|()| invariants(world)).err();
        played.broken.extend(broken.map(|got| {
            let what = "an invariant of the switch".to_owned();
            Broken { what, expected: String::new(), got }
        }));
    } else {
        played.broken.push(not_quiet(scenario, world));
    }
    let several = scenario.callers.len() > 1;
    for (index, caller) in scenario.callers.iter().enumerate() {
        let call = call_of(scenario, world, index, caller);
        let both = [&scenario.expect, &caller.expect];
        let broken = both.into_iter().flat_map(|one| one.broken(&call, &scenario.callees));
        played.broken.extend(broken.map(|broken| match several {
            true => Broken { what: format!("{}: {}", caller.name, broken.what), ..broken },
            false => broken,
        }));
        played.calls.push((caller.name.clone(), call));
    }
    played.broken.extend(transfers(scenario, world));
    played
}

/// What of REFERs, and of who was connected with whom, is not as expected.
fn transfers(scenario: &Scenario, world: &World) -> Vec<Broken> {
    let callers = scenario.callers.iter().map(|caller| (&caller.name, &caller.talk));
    let callees = scenario.callees.iter().map(|callee| (&callee.name, &callee.talk));
    let parties = callers.chain(callees);
    let mut broken: Vec<Broken> =
        parties.flat_map(|(name, talk)| refers::broken(world, name, &talk.refers)).collect();
    let name_of = |ip: IpAddr| {
        let place = (0..scenario.callers.len()).find(|index| caller_address(*index).ip() == ip);
        let caller = place.map(|index| scenario.callers[index].name.clone());
        let place = (0..scenario.callees.len()).find(|index| media_address(*index).ip() == ip);
        caller.or_else(|| place.map(|index| scenario.callees[index].name.clone()))
    };
    if let Some(expected) = &scenario.bridges {
        let got = refers::connected(world, name_of);
        if *expected != got {
            let (expected, got) = (refers::shown(expected), refers::shown(&got));
            broken.push(Broken { what: "bridges".to_owned(), expected, got });
        }
    }
    broken
}

fn not_quiet(scenario: &Scenario, world: &World) -> Broken {
    let alive = world.switch.alive();
    let (what, expected, got) = if world.application.asked.len() > HOOKS_ASKED_MAX {
        let got = format!("{} and more", world.application.asked.len());
        ("hooks that were asked", format!("at most {HOOKS_ASKED_MAX}"), got)
    } else {
        let expected = format!("an end within {}", super::expect::seconds(scenario.run_for));
        let remedy = "let somebody hang up, or raise run_for";
        let got = match alive.calls {
            0 => "messages that go on".to_owned(),
            1 => format!("a call that is still up; {remedy}"),
            many => format!("{many} calls that are still up; {remedy}"),
        };
        ("the run", expected, got)
    };
    Broken { what: what.to_owned(), expected, got }
}

/// Everything that holds after every run, whatever the scenario says.
fn invariants(world: &World) -> Result<(), String> {
    let is_result = |payload: &Value| payload.get("dial_call_status").is_some();
    let results = world.application.asked.iter().filter(|asked| is_result(&asked.payload));
    let mut urls: BTreeMap<&str, usize> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for result in results {
        *urls.entry(&result.url).or_default() += 1;
        let targets = result.payload["dial_targets"].as_array().map(Vec::as_slice);
        for target in targets.unwrap_or_default() {
            let Some(call_sid) = target["call_sid"].as_str() else { continue };
            if !told.insert(call_sid) {
                return Err(format!("two results tell of the callee {call_sid}"));
            }
        }
    }
    let (dials, results) = (world.judge.results(), urls.values().sum::<usize>());
    if dials != results {
        return Err(format!("{dials} dials ended, but {results} results were told"));
    }
    if urls.is_empty() {
        return testkit::check(world, "no actionHook", 0);
    }
    urls.into_iter().try_for_each(|(url, dials)| testkit::check(world, url, dials))
}

/// What became of the call of a caller.
fn call_of(scenario: &Scenario, world: &World, index: usize, caller: &Caller) -> CallSeen {
    let phone = world.phone(&caller.name);
    let invite = invite_of(world, caller_address(index));
    let begun = invite.as_ref().map_or(world.start, |(at, _)| *at);
    let since = |at: Instant| at.saturating_duration_since(begun);
    let first = |wanted: fn(&Note) -> bool| {
        phone.notes.iter().find(|(_, note)| wanted(note)).map(|(at, _)| *at)
    };
    let answered = phone.when(&Note::Answered);
    let refused = phone.notes.iter().find_map(|(_, note)| match note {
        Note::Rejected(status, _) => Some(*status),
        _ => None,
    });
    let mut seen = CallSeen {
        caller_status: answered.map(|_| 200).or(refused),
        answered: answered.map(since),
        ended: first(|note| matches!(note, Note::Rejected(..) | Note::Ended)).map(since),
        ..CallSeen::default()
    };
    if seen.ended.is_none() && answered.is_some() {
        seen.ended = bye_of(world, caller_address(index)).map(since);
    }
    if let Some(leg) = invite.as_ref().and_then(|(_, call_id)| world.judge.leg_of(call_id)) {
        let place = |ip| (0..scenario.callees.len()).find(|index| media_address(*index).ip() == ip);
        seen.heard = heard::heard(world, leg, &scenario.callees, place);
    }
    let sid = invite.and_then(|(_, call_id)| {
        let record = world
            .records
            .iter()
            .find(|record| record.parent_call_sid.is_none() && record.sip_callid == call_id);
        record.map(|record| record.call_sid.clone())
    });
    let Some(sid) = sid else { return seen };
    let of_call = |payload: &Value| payload["call_sid"] == sid.as_str();
    let of_child = |payload: &Value| payload["parent_call_sid"] == sid.as_str();
    let asked = || world.application.asked.iter().map(|asked| (asked, &asked.payload));
    let asked = || asked().filter(|(_, payload)| of_call(payload) || of_child(payload));
    seen.dtmf = heard::dtmf(asked().map(|(_, payload)| payload));
    for (asked, _) in asked() {
        seen.asked.push(shown_url(&asked.url).to_owned());
        if asked.payload.get("dial_call_status").is_some() {
            seen.results.push(asked.payload.clone());
        }
    }
    let told = world.application.told.iter().filter(|event| of_call(event));
    seen.statuses =
        told.filter_map(|event| event["call_status"].as_str().map(str::to_owned)).collect();
    let alerts = world.alerts.iter().filter(|alert| alert.call_sid == sid);
    seen.alerts = alerts.map(|alert| alert.alert_type.to_owned()).collect();
    seen
}

/// A hook as the scenario writes it.
pub(crate) fn shown_url(url: &str) -> &str {
    url.strip_prefix(ORIGIN).unwrap_or(url)
}

/// When the INVITE of this caller left, and its Call-ID.
fn invite_of(world: &World, from: SocketAddr) -> Option<(Instant, String)> {
    let (at, message) = sent_by(world, from, &Method::Invite)?;
    Some((at, message.call_id().ok()?.into_owned()))
}

fn bye_of(world: &World, from: SocketAddr) -> Option<Instant> {
    sent_by(world, from, &Method::Bye).map(|(at, _)| at)
}

/// The first request of this method from there.
fn sent_by(world: &World, from: SocketAddr, method: &Method) -> Option<(Instant, Message)> {
    let sent = world.wire.iter().filter(|(_, sent)| sent.from == from);
    let messages = sent.filter_map(|(at, sent)| Some((*at, Message::parse(&sent.bytes).ok()?)));
    messages.into_iter().find(|(_, message)| message.is(method))
}
