//! Ten thousand random dials over networks that lose, repeat, reorder and cut, with programs,
//! webhooks, names, ports and carriers that come at any moment or fail: after each of them every
//! invariant holds, and every crossing that has a name occurred. A failing seed replays exactly.

use std::time::Duration;

use sip::Transport;
use testkit::World;
use testkit::dials::{Plan, Tally, play};

const DIALS: u64 = 10_000;

#[test]
fn no_invariant_breaks_and_every_crossing_occurs() {
    let mut tally = Tally::default();
    (0..DIALS).for_each(|seed| tally.play(seed));
    assert!(tally.broken.is_empty(), "by seed: {:#?}", tally.broken);
    // why: a simulation in which something never happens proves nothing of it.
    assert_eq!(tally.meter.missing(), []);
    for (status, at_least) in [("completed", 2_000), ("no-answer", 1_000), ("busy", 100)] {
        assert!(tally.of(status) > at_least, "{:?}", tally.results);
    }
}

/// Of the four callees the first gets one INVITE in thirty seconds, and nothing that it answers
/// arrives. The others decided the dial long ago; but who has not been heard may not be cancelled
/// (RFC 3261 §9.1), so it rings until it gives up by itself.
#[test]
fn a_callee_that_is_never_heard_is_left_to_itself() {
    let played = play(851_723);
    assert_eq!(played.verdict, Ok(()));
}

#[test]
fn both_transports_are_spoken() {
    let over_tcp = (0..1_000).filter(|seed| Plan::of(*seed).transport == Transport::Tcp).count();
    assert!((100..500).contains(&over_tcp), "{over_tcp} of 1000");
}

#[test]
fn a_seed_replays_exactly() {
    let wire = |world: &World| -> Vec<(Duration, Vec<u8>)> {
        let sent = world.wire.iter();
        sent.map(|(at, sent)| (at.duration_since(world.start), sent.bytes.to_vec())).collect()
    };
    for seed in 0..40 {
        assert_eq!(wire(&play(seed).world), wire(&play(seed).world), "seed {seed}");
    }
}
