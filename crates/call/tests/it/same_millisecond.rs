//! Callees that answer at the same moment: one of them wins, the others are hung up on, and the
//! caller hears one. Over a network that shuffles what is sent together.

use std::time::Duration;

use serde_json::json;
use sip::Method;
use testkit::{MediaFact, Weather};

use crate::events::children;
use crate::scene::{Scene, answers, callee_address, finish, hangs_up, result};
use crate::sent::requests_to;

const RACES: u64 = 1000;

#[test]
fn one_of_two_wins() {
    let mut wins = [0, 0];
    for seed in 0..RACES {
        let callees = vec![answers(1.0), answers(1.0)];
        let mut scene = Scene::dialling(callees, &json!({})).caller(hangs_up(2.0));
        scene.config.seed = seed;
        scene.config.weather = Weather {
            delay_min: Duration::from_millis(5),
            delay_max: Duration::from_millis(7),
            ..Weather::FAIR
        };
        let mut world = scene.begin();
        finish(&mut world);
        let won = result(&world)["dial_call_sid"].as_str().unwrap();
        let winner = children(&world).iter().position(|sid| sid == won).unwrap();
        wins[winner] += 1;
        let bridges = world.media.iter().filter(|fact| matches!(fact, MediaFact::Bridged(..)));
        assert_eq!(bridges.count(), 1, "seed {seed}");
        let loser = 1 - winner;
        let last = world.application.statuses_of(&children(&world)[loser]).pop();
        assert_eq!(last.unwrap(), "no-answer/487", "seed {seed}");
        for number in [1, 2] {
            let byes = requests_to(&world, callee_address(number), &Method::Bye);
            assert!(!byes.is_empty(), "seed {seed}: callee {number} answered and was not ended");
        }
        // Its BYE leaves with the ACK of its answer, whatever the caller still has to say.
        let first = |method: &Method| {
            let at = callee_address(u8::try_from(loser + 1).unwrap());
            requests_to(&world, at, method).remove(0).at
        };
        let waited = first(&Method::Bye) - first(&Method::Ack);
        assert!(waited.abs() < 1e-6, "seed {seed}: the loser talked to nobody for {waited} s");
        let of_loser = &result(&world)["dial_targets"][loser];
        assert_eq!(of_loser["lost_because"], "answered-elsewhere", "seed {seed}");
    }
    assert!(wins.iter().all(|wins| *wins > 100), "chance decides, not the order: {wins:?}");
}

#[test]
fn one_of_ten_wins() {
    for seed in 0..50 {
        let callees = (0..10).map(|_| answers(1.0)).collect();
        let mut scene = Scene::dialling(callees, &json!({})).caller(hangs_up(2.0));
        scene.config.seed = seed;
        let mut world = scene.begin();
        finish(&mut world);
        let targets = result(&world)["dial_targets"].as_array().unwrap();
        let lost = targets.iter().filter(|of| of["lost_because"] == "answered-elsewhere");
        assert_eq!(lost.count(), 9, "seed {seed}");
    }
}
