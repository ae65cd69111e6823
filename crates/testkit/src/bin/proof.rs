//! Proves the dial: walks every order of events to a depth, then plays a million random dials.
//!
//! `proof` does both, `proof walk` and `proof dials` one of them, `proof replay SEED` plays one
//! dial and draws it. `PROOF_DEPTH`, `PROOF_DIALS` and `PROOF_SEED` say how much, and from where.
//! What a dial is and what must hold is in the library; here are threads and words.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use testkit::Crossing;
use testkit::dials::{self, Plan, Tally};
use testkit::walk::{Opening, walk};

/// why: as in the switch itself; a fourth of the time went to the allocator of the C library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Dials that are played if nothing else is asked for.
const DIALS: u64 = 1_000_000;

/// Depth of the walk if nothing else is asked for.
const DEPTH: u64 = 5;

/// Seeds that a thread takes at a time.
const SHARE: u64 = 500;

/// How often progress is told.
const TELLS: u64 = 10;

const USAGE: &str = "usage: proof [walk | dials | replay SEED]\n\
    PROOF_DEPTH says how deep is walked, PROOF_DIALS how many dials are played, PROOF_SEED from \
    which seed on";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let held = match words.as_slice() {
        [] => prove_walk().and_then(|held| Ok(prove_dials()? && held)),
        ["walk"] => prove_walk(),
        ["dials"] => prove_dials(),
        ["replay", seed] => match seed.parse() {
            Ok(seed) => Ok(replay(seed)),
            Err(_) => Err(format!("SEED is a number, got {seed}")),
        },
        _ => Err("no such command".to_owned()),
    };
    match held {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> Result<u64, String> {
    match std::env::var(name) {
        Err(_) => Ok(otherwise),
        Ok(text) => text.parse().map_err(|_| format!("{name} is a number, got {text}")),
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Whether every order of events holds.
fn prove_walk() -> Result<bool, String> {
    let depth = usize::try_from(number("PROOF_DEPTH", DEPTH)?).unwrap_or(usize::MAX);
    let mut held = true;
    // why: with two callees and fewer choices the same time leads further, and where an application
    // is asked for each callee, or both parties may ask for everything, not as far.
    let openings = [
        (Opening::Waiting, depth),
        (Opening::Answered, depth),
        (Opening::LookingUp, depth + 2),
        (Opening::Screened, depth.saturating_sub(1)),
        (Opening::Connected, depth.saturating_sub(1)),
    ];
    for (opening, depth) in openings {
        println!("every order of events, {opening:?}, {} threads", threads());
        println!("depth   states  transitions  brought to rest  seconds");
        let started = Instant::now();
        let walked = walk(opening, depth, threads(), |done| {
            println!(
                "{:>5} {:>8} {:>12} {:>16} {:>8.1}",
                done.depth,
                done.states,
                done.transitions,
                done.rests,
                started.elapsed().as_secs_f64()
            );
        });
        match walked.broken {
            None => println!("nothing broke\n"),
            Some((path, broken)) => {
                held = false;
                println!("broken: {broken}\nafter {path:?}\n");
            }
        }
    }
    Ok(held)
}

/// Whether every random dial holds.
fn prove_dials() -> Result<bool, String> {
    let (dials, first) = (number("PROOF_DIALS", DIALS)?, number("PROOF_SEED", 0)?);
    let started = Instant::now();
    let tally = play_all(first, dials);
    report(&tally, started.elapsed().as_secs_f64());
    Ok(tally.broken.is_empty())
}

/// Plays so many dials on all cores.
fn play_all(first: u64, dials: u64) -> Tally {
    let end = first.saturating_add(dials);
    println!("{dials} dials from seed {first} on, {} threads", threads());
    let next = AtomicU64::new(first);
    let started = Instant::now();
    let work = || {
        let mut tally = Tally::default();
        loop {
            let from = next.fetch_add(SHARE, Ordering::Relaxed);
            if from >= end {
                return tally;
            }
            let to = from.saturating_add(SHARE).min(end);
            (from..to).for_each(|seed| tally.play(seed));
            let (before, now) = ((from - first) * TELLS / dials, (to - first) * TELLS / dials);
            if now > before && to < end {
                let seconds = started.elapsed().as_secs();
                println!("{:>3} %  {seconds} s", (to - first) * 100 / dials);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads()).map(|_| scope.spawn(work)).collect();
        let mut sum = Tally::default();
        for thread in threads {
            sum.add(thread.join().expect("a thread plays to its end: panics of dials are caught"));
        }
        sum
    })
}

fn report(tally: &Tally, seconds: f64) {
    println!("\n{} dials in {seconds:.1} s", tally.played);
    for (status, count) in &tally.results {
        println!("{count:>10}  results {status}");
    }
    println!("crossings");
    for crossing in Crossing::ALL {
        println!("{:>10}  {}", tally.meter.of(crossing), crossing.name());
    }
    println!("{:>10}  broken", tally.broken_count);
    for (seed, what) in &tally.broken {
        println!("seed {seed}: {what}\n    make proof-replay SEED={seed}");
    }
}

/// Whether the dial of this seed holds; draws it.
fn replay(seed: u64) -> bool {
    println!("{:#?}\n", Plan::of(seed));
    let played = dials::play(seed);
    println!("{}", dials::draw(&played.world));
    for event in &played.world.application.told {
        let word = |name: &str| event[name].as_str().unwrap_or("caller").to_owned();
        println!("{} of {}: {}", word("call_sid"), word("parent_call_sid"), word("call_status"));
    }
    for asked in &played.world.application.asked {
        let at = asked.at.duration_since(played.world.start);
        println!("{:>7.3} s  asked {}", at.as_secs_f64(), asked.url);
        if let Some(targets) = asked.payload.get("dial_targets") {
            println!("{targets:#}");
        }
    }
    match &played.verdict {
        Ok(()) => println!("nothing broke"),
        Err(broken) => println!("broken: {broken}"),
    }
    played.verdict.is_ok()
}
