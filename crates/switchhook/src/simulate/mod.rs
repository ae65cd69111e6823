//! `switchhook simulate SCENARIO…`: dials in virtual time, with no socket and no phone.
//!
//! The switch is the real one (`call::Switch`); phones, network and application around it are
//! those of the testkit, played as a scenario file says. After each run every invariant of the
//! testkit is checked besides what the scenario expects. The same seed gives the same bytes.
//!
//! `scenario`, `parties`, `talk`, `refers` and `expect` read the file, `play` runs it, `heard` says
//! what was to be heard, `picture` draws it, `report` and `junit` tell it. `random` plays dials
//! that no file describes.

mod expect;
mod heard;
mod junit;
mod parties;
mod picture;
mod play;
mod random;
mod refers;
mod report;
mod scenario;
mod talk;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::{FAILED, UNREADABLE, print_faults, print_unreadable, print_warnings};
use crate::config::LoadError;
use junit::{Case, Outcome};
use play::{Draw, Played};
pub use random::JOBS_MAX;
use report::{Style, Tally};
use scenario::Scenario;

/// Most seeds of one command.
pub const COUNT_MAX: u64 = 10_000_000;

/// What is to be run, and how often.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The files.
    pub scenarios: Vec<PathBuf>,
    /// The first seed.
    pub seed: u64,
    /// How many seeds, from that on.
    pub count: u64,
    /// Dials that the seeds make up, besides the files.
    pub random: bool,
    /// How many threads play them.
    pub jobs: u64,
    /// Where the report for build servers goes.
    pub junit: Option<PathBuf>,
}

/// Runs each scenario. The exit status is that of the worst: unreadable or faulty, failed, passed.
pub fn run(wanted: &Wanted) -> ExitCode {
    let style = Style { coloured: std::io::stdout().is_terminal() && no_color_is_unset() };
    let mut worst = 0;
    let mut cases = Vec::new();
    for path in &wanted.scenarios {
        let (status, case) = match load(path) {
            Ok(scenario) => {
                let case = play_all(&scenario, wanted, style);
                (if matches!(case.outcome, Outcome::Passed) { 0 } else { FAILED }, case)
            }
            Err(case) => (UNREADABLE, case),
        };
        worst = worst.max(status);
        cases.push(case);
    }
    if wanted.random {
        let (text, case) = random::run(wanted, style);
        print(&text);
        worst = worst.max(if matches!(case.outcome, Outcome::Passed) { 0 } else { FAILED });
        cases.push(case);
    }
    if cases.len() > 1 {
        print(&totals(&cases));
    }
    if let Some(path) = &wanted.junit
        && let Err(error) = std::fs::write(path, junit::document(&cases))
    {
        eprintln!("{}: cannot be written: {error}; check the path", path.display());
        worst = UNREADABLE;
    }
    worst.into()
}

/// <https://no-color.org>: any value but an empty one says no.
fn no_color_is_unset() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// To stdout; a reader who has seen enough is no fault.
fn print(text: &str) {
    let _closed = std::io::stdout().write_all(text.as_bytes());
}

/// The scenario, or what is to be reported where there is none.
fn load(path: &Path) -> Result<Scenario, Case> {
    let error = match scenario::load(path) {
        Ok(scenario) => return Ok(scenario),
        Err(error) => error,
    };
    let lines = match error {
        LoadError::Unreadable { path, error } => {
            print_unreadable(&path, &error);
            vec![format!("cannot be read: {error}")]
        }
        LoadError::Faulty { faults, warnings } => {
            print_faults(&faults);
            print_warnings(&warnings);
            faults.iter().map(ToString::to_string).collect()
        }
    };
    let file = path.display().to_string();
    Err(Case {
        name: file.clone(),
        file,
        lasted: Duration::ZERO,
        outcome: Outcome::Faulty(lines),
        output: String::new(),
    })
}

fn play_all(scenario: &Scenario, wanted: &Wanted, style: Style) -> Case {
    let (mut tally, mut lasted) = (Tally::new(wanted.seed), Duration::ZERO);
    let mut first_failure: Option<(u64, Played)> = None;
    let mut only = None;
    for number in 0..wanted.count {
        let seed = wanted.seed.wrapping_add(number);
        let draw = match (wanted.count, &first_failure) {
            (1, _) => Draw::Always,
            (_, None) => Draw::Failure,
            _ => Draw::Never,
        };
        let played = play::play(scenario, seed, draw);
        tally.count(&played);
        lasted += played.lasted;
        if wanted.count == 1 {
            only = Some(played);
        } else if first_failure.is_none() && !played.broken.is_empty() {
            first_failure = Some((seed, played));
        }
    }
    let mut output = String::new();
    let mut lines = Vec::new();
    if let Some(played) = &only {
        print(&report::run(scenario, wanted.seed, played, style));
        print("\n");
        output = report::story(scenario, played);
        lines = played.broken.iter().map(ToString::to_string).collect();
    } else {
        if let Some((seed, played)) = &first_failure {
            print(&report::run(scenario, *seed, played, style));
            print(&report::replay(scenario, *seed));
            print("\n");
            output = report::story(scenario, played);
            lines = played.broken.iter().map(|broken| format!("seed {seed}: {broken}")).collect();
        }
        print(&tally.line(scenario, style));
    }
    let outcome = if tally.failed == 0 { Outcome::Passed } else { Outcome::Failed(lines) };
    let (file, name) = (scenario.path.clone(), scenario.name.clone());
    Case { file, name, lasted, outcome, output }
}

/// The last line of several scenarios.
fn totals(cases: &[Case]) -> String {
    let counted =
        |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count();
    let parts = [
        (counted(|outcome| matches!(outcome, Outcome::Passed)), "passed"),
        (counted(|outcome| matches!(outcome, Outcome::Failed(_))), "failed"),
        (counted(|outcome| matches!(outcome, Outcome::Faulty(_))), "not run"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("{} scenarios: {}\n", cases.len(), parts.join(", "))
}
