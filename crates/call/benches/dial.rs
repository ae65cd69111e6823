//! What a whole dial costs: ten targets ring at once, the last answers, nine are cancelled, the
//! caller hangs up; in virtual time, phones, network and application included.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use testkit::{
    Answer, Application, Callee, Caller, Note, Outcome, Phone, Script, Weather, World, WorldConfig,
    carrier_settings,
};

const CALLER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), 5060);

/// Longer than any timer of the call.
const LONGEST: Duration = Duration::from_secs(400);

fn callee(number: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 2, number)), 5060)
}

/// Everybody is there and the call is about to begin.
fn world(targets: u8) -> World {
    let target = |number| format!(r#"{{"type":"sip","sipUri":"sip:b@{}"}}"#, callee(number));
    let list: Vec<String> = (1..=targets).map(target).collect();
    let dial = format!(
        r#"[{{"verb":"dial","actionHook":"/done","answerOnBridge":true,"target":[{}]}}]"#,
        list.join(",")
    );
    let application =
        Application::default().answering("http://application.test/incoming", Answer::List(dial));
    let settings = carrier_settings(CALLER.ip(), callee(1));
    let weather = Weather::FAIR;
    let mut world = World::new(WorldConfig { seed: 1, weather, settings, application });
    for number in 1..=targets {
        let outcome = match number == targets {
            true => Outcome::Answers(Duration::from_secs(2)),
            false => Outcome::Waits,
        };
        let rings = Some(Duration::from_millis(100));
        let part = Script::Callee(Callee { rings, early_media: None, outcome, hangs_up: None });
        world.add(Phone::new(&format!("B{number}"), callee(number), part, u64::from(number)));
    }
    let caller = Caller {
        calls: "sip:+4930999888@10.0.0.1".to_owned(),
        from: "<sip:+491701234567@10.0.1.1>".to_owned(),
        headers: Vec::new(),
        max_forwards: 70,
        cancels: None,
        hangs_up: Some(Duration::from_secs(5)),
    };
    world.add(Phone::new("A", CALLER, Script::Caller(caller), 99));
    world
}

fn dial(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a dial, from INVITE to the last timer");
    for targets in [1, 10] {
        group.bench_function(format!("{targets} targets"), |bencher| {
            let play = |mut world: World| {
                world.call("A");
                assert!(world.run_until_quiet(LONGEST));
                assert_eq!(world.phone("A").saw(&Note::Answered), 1);
                world
            };
            bencher.iter_batched(|| world(targets), play, BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, dial);
criterion_main!(benches);
