//! What `simulate` prints: the ladder of a run, what became of each call, and a line for each
//! scenario; for many seeds a line of counts and the first seed that failed.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::expect::{CallSeen, name_of, seconds};
use super::parties::Callee;
use super::play::Played;
use super::scenario::Scenario;

/// Words in front of a line, of one width.
const PASSED: &str = "ok     ";
const FAILED: &str = "FAILED ";

/// Words on a terminal, or plain ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Colours are shown.
    pub(crate) coloured: bool,
}

impl Style {
    /// The word in front of a line.
    pub(crate) fn verdict(self, passed: bool) -> String {
        let (word, colour) = if passed { (PASSED, "\x1b[32m") } else { (FAILED, "\x1b[1;31m") };
        if self.coloured { format!("{colour}{word}\x1b[0m") } else { word.to_owned() }
    }

    /// A text beside the point.
    pub(crate) fn dim(self, text: &str) -> String {
        if self.coloured { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// One run of one seed: ladder, calls, verdict.
pub(crate) fn run(scenario: &Scenario, seed: u64, played: &Played, style: Style) -> String {
    let mut text = format!("{}\n\n", style.dim(&scenario.path));
    text.push_str(&story(scenario, played));
    let passed = played.broken.is_empty();
    let _infallible = writeln!(
        text,
        "{}{}{}",
        style.verdict(passed),
        scenario.name,
        style.dim(&format!(
            "  ({} of virtual time, {} messages, seed {seed})",
            seconds(played.lasted),
            played.messages
        ))
    );
    text.push_str(&broken(played));
    text
}

/// The ladder, and a line for each party.
pub(crate) fn story(scenario: &Scenario, played: &Played) -> String {
    let mut text = played.ladder.clone();
    text.push('\n');
    let mut rows: Vec<(String, String)> = Vec::new();
    for (name, call) in &played.calls {
        rows.push((name.clone(), caller_line(call)));
        for (index, result) in call.results.iter().enumerate() {
            let dial = match call.results.len() {
                1 => "dial".to_owned(),
                _ => format!("dial {}", index + 1),
            };
            let (status, sip) = (&result["dial_call_status"], &result["dial_sip_status"]);
            rows.push((dial, format!("{} ({sip})", status.as_str().unwrap_or("?"))));
            rows.extend(target_lines(result, &scenario.callees));
        }
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, line) in rows {
        let _infallible = writeln!(text, "  {name:<width$}  {line}");
    }
    if !played.calls.is_empty() {
        text.push('\n');
    }
    text
}

fn caller_line(call: &CallSeen) -> String {
    let status = call.caller_status;
    match (status, call.answered, call.ended) {
        (Some(200), Some(answered), Some(ended)) => {
            format!("answered after {}, over after {}", seconds(answered), seconds(ended))
        }
        (Some(200), Some(answered), None) => format!("answered after {}", seconds(answered)),
        (Some(status), _, Some(ended)) => {
            let reason = sip::default_reason(status);
            format!("{status} {reason} after {}", seconds(ended))
        }
        _ => "no final response".to_owned(),
    }
}

fn target_lines(result: &Value, callees: &[Callee]) -> Vec<(String, String)> {
    let targets = result["dial_targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |target: &Value| {
        let name = name_of(target["address"].as_str().unwrap_or("?"), callees).to_owned();
        let because = target["lost_because"].as_str().unwrap_or("connected");
        let status = target["sip_status"].as_u64();
        let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
        (format!("  {name}"), format!("{because}{status}"))
    };
    targets.iter().map(line).collect()
}

/// A line for each thing that did not hold.
pub(crate) fn broken(played: &Played) -> String {
    played.broken.iter().map(|broken| format!("        {broken}\n")).collect()
}

/// What many seeds came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) first_seed: u64,
    pub(crate) runs: u64,
    pub(crate) failed: u64,
    /// Results of dials, by status.
    statuses: BTreeMap<String, u64>,
    messages: u64,
}

impl Tally {
    pub(crate) fn new(first_seed: u64) -> Tally {
        Tally { first_seed, ..Tally::default() }
    }

    /// Counts one run.
    pub(crate) fn count(&mut self, played: &Played) {
        self.runs += 1;
        self.failed += u64::from(!played.broken.is_empty());
        self.messages += played.messages as u64;
        let results = played.calls.iter().flat_map(|(_, call)| &call.results);
        for status in results.filter_map(|result| result["dial_call_status"].as_str()) {
            *self.statuses.entry(status.to_owned()).or_default() += 1;
        }
    }

    /// The line of counts.
    pub(crate) fn line(&self, scenario: &Scenario, style: Style) -> String {
        let passed = self.failed == 0;
        let last = self.first_seed.saturating_add(self.runs.saturating_sub(1));
        let seeds = format!("seeds {} to {last}", self.first_seed);
        let failed = if passed { String::new() } else { format!(", {} failed", self.failed) };
        let statuses: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let dials = match statuses.as_slice() {
            [] => String::new(),
            some => format!("; dials: {}", some.join(", ")),
        };
        let verdict = style.verdict(passed);
        let what = format!("  ({} messages{dials})", self.messages);
        format!("{verdict}{}: {seeds}{failed}{}\n", scenario.name, style.dim(&what))
    }
}

/// How a failing seed is played again.
pub(crate) fn replay(scenario: &Scenario, seed: u64) -> String {
    format!("        again: switchhook simulate {} --seed {seed}\n", quoted(&scenario.path))
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("examples/simulate/a-b.toml"), "examples/simulate/a-b.toml");
        assert_eq!(quoted("my file.toml"), "'my file.toml'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
