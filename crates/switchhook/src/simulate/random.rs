//! `simulate --random`: dials that the seed makes up, with no scenario. Who is called how, what
//! everybody does and what fails is drawn by `testkit::dials`; nothing is expected of them but what
//! must hold of every dial.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use testkit::dials::{self, Tally};

use super::Wanted;
use super::junit::{Case, Outcome};
use super::report::Style;

/// Seeds that a thread takes at a time.
const SHARE: u64 = 100;

/// Most threads of one command.
pub const JOBS_MAX: u64 = 256;

/// What they are called in reports.
const NAME: &str = "random dials";

/// Plays the random dial of each seed; what to print, and what to report.
pub(super) fn run(wanted: &Wanted, style: Style) -> (String, Case) {
    let tally = play_all(wanted);
    let shown = match (wanted.count, tally.broken.first_key_value()) {
        (1, _) => Some(wanted.seed),
        (_, Some((seed, _))) => Some(*seed),
        _ => None,
    };
    let story = shown.map(story).unwrap_or_default();
    let mut text = String::new();
    if !story.is_empty() {
        text.push_str(&story);
        text.push('\n');
    }
    let passed = tally.broken_count == 0;
    let last = wanted.seed.saturating_add(wanted.count - 1);
    let seeds = match wanted.count {
        1 => format!("seed {last}"),
        _ => format!("seeds {} to {last}", wanted.seed),
    };
    let failed = if passed { String::new() } else { format!(", {} failed", tally.broken_count) };
    let results: Vec<String> =
        tally.results.iter().map(|(status, count)| format!("{count} {status}")).collect();
    let results = match results.as_slice() {
        [] => String::new(),
        some => style.dim(&format!("  (results: {})", some.join(", "))),
    };
    text.push_str(&format!("{}{NAME}: {seeds}{failed}{results}\n", style.verdict(passed)));
    let mut lines = Vec::new();
    for (seed, broken) in &tally.broken {
        lines.push(format!("seed {seed}: {broken}"));
        text.push_str(&format!(
            "        seed {seed}: {broken}\n        \
             again: switchhook simulate --random --seed {seed}\n"
        ));
    }
    let outcome = if passed { Outcome::Passed } else { Outcome::Failed(lines) };
    let case =
        Case { file: NAME.to_owned(), name: seeds, lasted: Duration::ZERO, outcome, output: story };
    (text, case)
}

/// The ladder of one dial; nothing of one that panics.
fn story(seed: u64) -> String {
    let drawn =
        catch_unwind(AssertUnwindSafe(|| dials::draw(&dials::play(seed).world).to_string()));
    drawn.unwrap_or_default()
}

/// All seeds, on as many threads as are wanted; the outcome does not depend on how many.
fn play_all(wanted: &Wanted) -> Tally {
    let end = wanted.seed.saturating_add(wanted.count);
    let next = AtomicU64::new(wanted.seed);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let from = next.fetch_add(SHARE, Ordering::Relaxed);
            if from >= end {
                return tally;
            }
            (from..from.saturating_add(SHARE).min(end)).for_each(|seed| tally.play(seed));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..wanted.jobs).map(|_| scope.spawn(work)).collect();
        let mut sum = Tally::default();
        for thread in threads {
            sum.add(thread.join().expect("panics of dials are caught"));
        }
        sum
    })
}
