//! Thousands of calls, that came in or that a program began, over a network that loses, repeats
//! and reorders, while programs end and change them at random moments: each command is answered
//! once, each leg ends once, and nothing is left. A failing seed is printed and replays exactly.

use std::sync::Arc;
use std::time::Duration;

use call::settings::{Gateway, GatewayHost};
use call::{CommandId, Reply};
use serde_json::{Value, json};
use testkit::{Callee, Outcome, Random, Weather, World};

use crate::placed::{STATUS, begins, change};
use crate::scene::{Scene, callee_address, patient, phone, s, target, text};

const CALLS: u64 = 3_000;

/// Longer than any timer of a call in this test.
const LONGEST: Duration = Duration::from_secs(400);

/// Where programs send calls.
const ELSEWHERE: &str = "http://elsewhere.test/b";

fn callee(random: &mut Random) -> Callee {
    let after = random.time(s(0.0)..s(5.0));
    let outcome = match random.below(10) {
        0..=5 => Outcome::Answers(after),
        6..=7 => Outcome::Refuses(*random.pick(&[404, 486, 503, 603]), after),
        _ => Outcome::Waits,
    };
    Callee {
        rings: random.chance(80).then(|| random.time(s(0.0)..s(1.0))),
        early_media: random.chance(20).then(|| random.time(s(0.0)..s(1.0))),
        outcome,
        hangs_up: random.chance(40).then(|| random.time(s(0.0)..s(8.0))),
    }
}

fn list(random: &mut Random, action_hook: &str, targets: &[Value]) -> Value {
    json!([
        { "verb": "pause", "length": random.below(2) },
        {
            "verb": "dial", "actionHook": action_hook, "target": targets,
            "answerOnBridge": random.chance(60), "timeout": *random.pick(&[2, 5]),
            "timeLimit": 6
        },
        { "verb": "pause", "length": random.below(3) },
    ])
}

/// What a call that a program begins reaches: callee 1, or a carrier whose gateways are callee 1
/// and, where that is broken or silent, callee 4.
fn to(random: &mut Random) -> Value {
    if random.chance(50) { target(1) } else { phone("+4915112345678") }
}

fn gateway(number: u8) -> Gateway {
    Gateway {
        host: GatewayHost::Net(callee_address(number).ip().into()),
        port: Some(5060),
        transport: None,
        inbound: false,
        outbound: true,
        priority: u32::from(number),
        weight: 1,
    }
}

/// Callees 2 to 4 are dialled.
fn scene(seed: u64, random: &mut Random) -> World {
    let callees = (0..4).map(|_| callee(random)).collect();
    let first = list(random, "/done", &[target(2), target(3)]);
    let second = list(random, "/done-elsewhere", &[target(4)]);
    let mut scene = Scene::running(&first).callees(callees).answering(ELSEWHERE, text(&second));
    let mut caller = patient();
    caller.cancels = random.chance(30).then(|| random.time(s(0.0)..s(9.0)));
    caller.hangs_up = Some(random.time(s(0.0)..s(20.0)));
    scene.caller = caller;
    scene.config.weather = *random.pick(&[Weather::FAIR, Weather::FOUL]);
    scene.config.application.thinks = random.time(s(0.0)..s(1.0));
    scene.config.seed = seed;
    scene = scene.settings(|settings| {
        settings.limits.gateway_progress = s(1.0);
        Arc::make_mut(&mut settings.carriers[1]).gateways = vec![gateway(1), gateway(4)];
    });
    let mut world = scene.before_the_call();
    world.opening = random.time(s(0.0)..s(0.3));
    world
}

/// A leg that is up or was, or one that never was.
fn any_leg(world: &World, random: &mut Random) -> String {
    let mut sids: Vec<String> = world.application.calls(false);
    sids.extend(world.application.calls(true));
    if sids.is_empty() {
        return "nobody".to_owned();
    }
    random.pick(&sids).clone()
}

fn any_command(world: &mut World, random: &mut Random) -> CommandId {
    let update = match random.below(10) {
        0..=2 => {
            let timeout = *random.pick(&[1, 6]);
            let more = json!({ "to": to(random), "timeout": timeout, "timeLimit": 9 });
            return begins(world, &more);
        }
        3..=5 => json!({ "call_status": "completed" }),
        6 => json!({ "call_status": "no-answer" }),
        7..=8 => json!({ "call_hook": ELSEWHERE }),
        _ => json!({ "call_hook": ELSEWHERE, "call_status_hook": STATUS }),
    };
    let sid = any_leg(world, random);
    world.command(change(&sid, &update))
}

fn play(seed: u64) -> Result<World, String> {
    let mut random = Random::new(seed);
    let mut world = scene(seed, &mut random);
    let mut given: Vec<CommandId> = Vec::new();
    if random.chance(80) {
        world.call("A");
    } else {
        given.push(begins(&mut world, &json!({ "to": to(&mut random), "timeLimit": 9 })));
    }
    let commands = random.below(8);
    for _ in 0..commands {
        world.run_for(random.time(s(0.0)..s(2.5)));
        given.push(any_command(&mut world, &mut random));
    }
    if !world.run_until_quiet(LONGEST) {
        let alive = world.switch.alive();
        return Err(format!("not quiet after {LONGEST:?}: {alive:?}"));
    }
    if let Some(silent) = given.iter().find(|id| !world.replies.contains_key(id)) {
        return Err(format!("{silent:?} was not answered"));
    }
    for hook in ["/done", "/done-elsewhere"] {
        let asked = world.application.asked_at(hook).len();
        testkit::check(&world, hook, asked)?;
    }
    answered_once(&world)?;
    Ok(world)
}

/// However many ways there were to a caller, one of them answered.
fn answered_once(world: &World) -> Result<(), String> {
    let told = &world.application.told;
    let answered = || told.iter().filter(|told| told["call_status"] == "in-progress");
    let mut sids: Vec<String> = answered().map(|told| told["call_sid"].to_string()).collect();
    sids.sort_unstable();
    sids.dedup();
    match sids.len() == answered().count() {
        true => Ok(()),
        false => Err(format!("a call was answered twice: {told:?}")),
    }
}

#[test]
fn no_invariant_breaks() {
    let (mut created, mut accepted, mut talked) = (0, 0, 0);
    for seed in 0..CALLS {
        let world = play(seed).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        for reply in world.replies.values() {
            created += usize::from(matches!(reply, Reply::Created { .. }));
            accepted += usize::from(matches!(reply, Reply::Accepted));
        }
        let bridged = |told: &&Value| {
            told["call_status"] == "completed" && told.get("parent_call_sid").is_some()
        };
        talked += world.application.told.iter().filter(bridged).count();
    }
    // why: a simulation in which nothing ever happens proves nothing.
    let happened = (created, accepted, talked);
    assert!(created > 2_000 && accepted > 3_000 && talked > 800, "{happened:?}");
}
