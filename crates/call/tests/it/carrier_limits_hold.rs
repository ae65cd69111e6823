//! Limits of carriers and of the switch hold however many ask in the same instant.

use std::sync::Arc;

use serde_json::json;
use sip::Method;
use testkit::{Callee, Caller, Outcome, Phone, Random, Script};

use crate::scene::{CALLER, Scene, callee_address, finish, s};

/// Calls of one carrier that are up or ringing, at every moment at most so many.
fn most_at_once(seed: u64) -> (u32, u32, usize, usize) {
    let mut random = Random::new(seed);
    let limit = 1 + u32::try_from(random.number() % 4).unwrap();
    let calls = 1 + (random.number() % 6) as usize;
    let targets: Vec<_> =
        (0..4).map(|n| json!({ "type": "phone", "number": format!("4930{n}") })).collect();
    let list = json!([{ "verb": "dial", "actionHook": "/done", "target": targets }]);
    let mut scene = Scene::running(&list).settings(|settings| {
        Arc::make_mut(&mut settings.carriers[1]).max_calls = Some(limit);
        settings.limits.calls = calls;
    });
    scene.config.seed = seed;
    let seconds = |random: &mut Random| s((random.number() % 4_000) as f64 / 1000.0);
    let outcome = match random.number() % 3 {
        0 => Outcome::Waits,
        1 => Outcome::Refuses(486, seconds(&mut random)),
        _ => Outcome::Answers(seconds(&mut random)),
    };
    let callee = Callee { rings: Some(s(0.1)), early_media: None, outcome, hangs_up: None };
    let mut world = scene.callees(vec![callee]).without_caller();
    for number in 0..8_u16 {
        let caller = Caller {
            hangs_up: Some(seconds(&mut random)),
            cancels: Some(seconds(&mut random) + s(1.0)),
            ..crate::scene::patient()
        };
        let address = std::net::SocketAddr::new(CALLER.ip(), 7000 + number);
        let name = format!("A{number}");
        world.add(Phone::new(&name, address, Script::Caller(caller), seed + u64::from(number)));
    }
    let (mut outbound, mut inbound) = (0, 0);
    for number in 0..8 {
        world.call(&format!("A{number}"));
        if random.number().is_multiple_of(2) {
            world.run_for(seconds(&mut random) / 4);
        }
        inbound = inbound.max(world.switch.callers());
        outbound = outbound.max(invited(&world));
    }
    for _ in 0..40 {
        world.run_for(s(0.25));
        inbound = inbound.max(world.switch.callers());
        outbound = outbound.max(invited(&world));
    }
    world.with_switch(|switch, now| switch.end_all(now));
    finish(&mut world);
    (outbound, limit, inbound, calls)
}

/// INVITEs to the carrier that have neither a failure nor a BYE yet, by Call-ID.
fn invited(world: &testkit::World) -> u32 {
    let place = callee_address(1);
    let mut open = std::collections::BTreeSet::new();
    for (_, sent) in &world.wire {
        let message = sip::Message::parse(&sent.bytes).unwrap();
        let call_id = message.header_text("Call-ID").unwrap().into_owned();
        let to_carrier = sent.to == place;
        if to_carrier && message.is(&Method::Invite) {
            open.insert(call_id);
        } else if sent.to == place || sent.from == place {
            let over = message.is(&Method::Bye)
                || message.status() >= Some(300)
                    && message.cseq().is_ok_and(|(_, method)| method == Method::Invite);
            if over {
                open.remove(&call_id);
            }
        }
    }
    u32::try_from(open.len()).unwrap()
}

#[test]
fn no_limit_is_overshot_by_calls_of_the_same_instant() {
    let (mut full, mut crowded) = (0, 0);
    for seed in 0..300 {
        let (outbound, limit, inbound, calls) = most_at_once(seed);
        assert!(outbound <= limit, "seed {seed}: {outbound} on a carrier of {limit}");
        assert!(inbound <= calls, "seed {seed}: {inbound} callers of {calls}");
        full += u32::from(outbound == limit);
        crowded += u32::from(inbound == calls);
    }
    assert!(full > 50 && crowded > 50, "only {full} and {crowded} came to their limit");
}
