//! Ten thousand dials over a network that loses, repeats and reorders, with answers, refusals and
//! hang-ups at random, and callees that ask who calls: after each of them every invariant holds. A
//! failing seed is printed and replays exactly.

use std::time::Duration;

use serde_json::{Value, json};
use sip::Transport;
use sip::auth::digest::Algorithm;
use testkit::{Callee, Challenge, Outcome, Random, Weather, World};

use crate::scene::{Scene, patient, s, target};

const DIALS: u64 = 10_000;
const DIALS_OVER_TCP: u64 = 2_000;

/// Longer than any timer of a call in this test.
const LONGEST: Duration = Duration::from_secs(300);

fn callee(random: &mut Random) -> Callee {
    let after = random.time(s(0.0)..s(8.0));
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

/// A target with credentials, which some callees ask for, and some refuse.
fn known_target(number: u64) -> Value {
    let mut target = target(u8::try_from(number).unwrap());
    target["auth"] = json!({ "username": "jane", "password": "secret" });
    target
}

fn challenge(random: &mut Random) -> Option<Challenge> {
    random.chance(20).then(|| Challenge {
        status: *random.pick(&[401, 407]),
        username: "jane",
        password: if random.chance(67) { "secret" } else { "another" },
        algorithms: vec![Algorithm::Md5, Algorithm::Sha256],
        forgets: random.chance(30),
    })
}

fn scene(seed: u64) -> Scene {
    let mut random = Random::new(seed);
    let count = random.below(4) + 1;
    let callees = (0..count).map(|_| callee(&mut random)).collect();
    let mut more = json!({
        "answerOnBridge": random.chance(60),
        "timeout": *random.pick(&[1, 3, 5, 10]),
        "target": (1..=count).map(known_target).collect::<Vec<Value>>(),
    });
    if random.chance(30) {
        more["timeLimit"] = json!(*random.pick(&[1, 4]));
    }
    let mut scene = Scene::dialling(callees, &more);
    let mut caller = patient();
    caller.cancels = random.chance(40).then(|| random.time(s(0.0)..s(9.0)));
    // why: somebody must hang up in the end, or the call rightly stays.
    caller.hangs_up = Some(random.time(s(0.0)..s(20.0)));
    scene.caller = caller;
    scene.config.weather = *random.pick(&[Weather::FAIR, Weather::FOUL]);
    scene.config.application.thinks = random.time(s(0.0)..s(2.0));
    scene.config.seed = seed;
    scene
}

fn play(seed: u64, transport: Transport) -> Result<World, String> {
    let mut scene = scene(seed);
    scene.transport = transport;
    let mut world = scene.before_the_call();
    world.opening = Duration::from_millis(seed % 3 * 200);
    let mut random = Random::new(!seed);
    for phone in world.phones.values_mut().filter(|phone| phone.name != "A") {
        phone.challenge = challenge(&mut random);
    }
    world.call("A");
    if !world.run_until_quiet(LONGEST) {
        let alive = world.switch.alive();
        return Err(format!("not quiet after {LONGEST:?}: {alive:?}"));
    }
    let asked = world.application.asked_at("/done").len();
    let dialled = world.application.told.iter().any(|event| event["direction"] == "outbound");
    if asked > 1 || (dialled && asked == 0) {
        return Err(format!("the actionHook was asked {asked} times"));
    }
    testkit::check(&world, "/done", asked).map(|()| world)
}

/// How many dials connected.
fn survive(dials: u64, transport: Transport) -> usize {
    let mut completed = 0;
    for seed in 0..dials {
        let played = play(seed, transport);
        let world = played.unwrap_or_else(|broken| panic!("{transport:?} {seed}: {broken}"));
        let results = world.application.asked_at("/done");
        completed +=
            results.iter().filter(|asked| asked.payload["dial_status"] == "completed").count();
    }
    completed
}

#[test]
fn no_invariant_breaks() {
    let completed = survive(DIALS, Transport::Udp);
    // why: a simulation in which nothing ever connects proves nothing.
    assert!(completed > 2_000, "only {completed} of {DIALS} dials connected");
}

#[test]
fn no_invariant_breaks_over_streams_cut_anywhere() {
    let completed = survive(DIALS_OVER_TCP, Transport::Tcp);
    assert!(completed > 400, "only {completed} of {DIALS_OVER_TCP} dials connected");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..20 {
        let transport = if seed % 2 == 0 { Transport::Udp } else { Transport::Tcp };
        let (one, two) = (play(seed, transport).unwrap(), play(seed, transport).unwrap());
        let wire = |world: &World| -> Vec<(Duration, Vec<u8>)> {
            let sent = world.wire.iter();
            sent.map(|(at, sent)| (at.duration_since(world.start), sent.bytes.to_vec())).collect()
        };
        assert_eq!(wire(&one), wire(&two), "seed {seed}");
    }
}
