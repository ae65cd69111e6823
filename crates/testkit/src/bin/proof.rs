//! Plays random dials on all cores until one breaks what must always hold, or a million did not.
//!
//! `proof` plays `PROOF_DIALS` dials from the seed `PROOF_SEED` on; `proof replay SEED` plays one
//! and draws it. What a dial is and what must hold is in the library; here are threads and words.

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use testkit::Crossing;
use testkit::dials::{self, Plan, Tally};

/// Dials that are played if nothing else is asked for.
const DIALS: u64 = 1_000_000;

/// Seeds that a thread takes at a time.
const SHARE: u64 = 500;

/// How often progress is told.
const TELLS: u64 = 10;

const USAGE: &str = "usage: proof [replay SEED]\n\
    PROOF_DIALS and PROOF_SEED say how many dials are played, and from which seed on";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => prove(),
        ["replay", seed] => match seed.parse() {
            Ok(seed) => replay(seed),
            Err(_) => misused(format!("SEED is a number, got {seed}")),
        },
        _ => misused("no such command"),
    }
}

fn misused(why: impl Display) -> ExitCode {
    eprintln!("{why}\n{USAGE}");
    ExitCode::from(2)
}

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> Result<u64, String> {
    match std::env::var(name) {
        Err(_) => Ok(otherwise),
        Ok(text) => text.parse().map_err(|_| format!("{name} is a number, got {text}")),
    }
}

fn prove() -> ExitCode {
    let (dials, first) = match (number("PROOF_DIALS", DIALS), number("PROOF_SEED", 0)) {
        (Ok(dials), Ok(first)) => (dials, first),
        (Err(why), _) | (_, Err(why)) => return misused(why),
    };
    let started = Instant::now();
    let tally = play_all(first, dials);
    report(&tally, started.elapsed().as_secs_f64());
    if tally.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays so many dials on all cores.
fn play_all(first: u64, dials: u64) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let end = first.saturating_add(dials);
    println!("{dials} dials from seed {first} on, {threads} threads");
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
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
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

fn replay(seed: u64) -> ExitCode {
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
    match played.verdict {
        Ok(()) => {
            println!("nothing broke");
            ExitCode::SUCCESS
        }
        Err(broken) => {
            println!("broken: {broken}");
            ExitCode::FAILURE
        }
    }
}
