//! Two thousand dials of callees that are not one phone that stays: several phones behind a proxy,
//! of which any number answers, and phones that vanish at any moment. After each of them every
//! invariant holds, over a network that loses, repeats and reorders.

use std::time::Duration;

use serde_json::json;
use testkit::{Callee, Outcome, Phone, Random, Script, Weather, World};

use crate::scene::{Scene, patient, s, waits};

const DIALS: u64 = 2_000;

/// Longer than any timer of a call in this test.
const LONGEST: Duration = Duration::from_secs(300);

fn callee(random: &mut Random) -> Callee {
    let after = random.time(s(0.0)..s(6.0));
    let outcome = match random.below(10) {
        0..=5 => Outcome::Answers(after),
        6..=7 => Outcome::Refuses(*random.pick(&[404, 480, 486, 503, 600, 603]), after),
        _ => Outcome::Waits,
    };
    Callee {
        rings: random.chance(80).then(|| random.time(s(0.0)..s(2.0))),
        early_media: random.chance(20).then(|| random.time(s(0.0)..s(2.0))),
        outcome,
        hangs_up: random.chance(50).then(|| random.time(s(0.0)..s(6.0))),
    }
}

fn play(seed: u64) -> Result<World, String> {
    let mut random = Random::new(seed);
    let count = usize::try_from(random.below(3) + 1).unwrap();
    let more = json!({
        "answerOnBridge": random.chance(60), "timeout": *random.pick(&[1, 3, 5, 10]),
    });
    let mut scene = Scene::dialling(vec![waits(); count], &more);
    scene.caller = patient();
    scene.caller.cancels = random.chance(40).then(|| random.time(s(0.0)..s(9.0)));
    // why: somebody must hang up in the end, or the call rightly stays.
    scene.caller.hangs_up = Some(random.time(s(0.0)..s(20.0)));
    scene.config.weather = *random.pick(&[Weather::FAIR, Weather::FOUL]);
    scene.config.seed = seed;
    let mut world = scene.before_the_call();
    for phone in world.phones.values_mut().filter(|phone| phone.name != "A") {
        let branches = (0..random.below(3) + 1).map(|_| callee(&mut random)).collect();
        let script = match random.chance(70) {
            true => Script::Forks(branches),
            false => Script::Callee(callee(&mut random)),
        };
        *phone = Phone::new(&phone.name, phone.address, script, random.number());
        phone.vanishes = random.chance(30).then(|| random.time(s(0.0)..s(8.0)));
    }
    world.call("A");
    if !world.run_until_quiet(LONGEST) {
        return Err(format!("not quiet after {LONGEST:?}: {:?}", world.switch.alive()));
    }
    let asked = world.application.asked_at("/done").len();
    let dialled = world.application.told.iter().any(|event| event["direction"] == "outbound");
    if asked > 1 || (dialled && asked == 0) {
        return Err(format!("the actionHook was asked {asked} times"));
    }
    world.judge.at_rest()?;
    testkit::check(&world, "/done", asked).map(|()| world)
}

#[test]
fn no_invariant_breaks() {
    let mut completed = 0;
    for seed in 0..DIALS {
        let world = play(seed).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let results = world.application.asked_at("/done");
        completed +=
            results.iter().filter(|asked| asked.payload["dial_status"] == "completed").count();
    }
    // why: a simulation in which nothing ever connects proves nothing.
    assert!(completed > 500, "only {completed} of {DIALS} dials connected");
}
