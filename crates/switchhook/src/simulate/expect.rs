//! `[expect]`: what must have become of a call, and whether it did.
//!
//! Each key that is absent is not looked at. What is compared is what the application was told, or
//! what the caller saw; nothing is worked out anew here.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::heard::{NOTHING, TONE};
use super::parties::Callee;
use crate::config::{Entry, Section, nearest};

/// No callee: what `winner` says where nobody won.
pub(crate) const NOBODY: &str = "nobody";

/// The words of `dial_call_status`.
const DIAL_STATUSES: [&str; 4] = ["completed", "busy", "no-answer", "failed"];

/// The words of `call_status`.
const CALL_STATUSES: [&str; 8] =
    ["trying", "ringing", "early-media", "in-progress", "completed", "failed", "busy", "no-answer"];

/// The words of `lost_because`.
const LOST_BECAUSE: [&str; 15] = [
    "answered-elsewhere",
    "ring-timeout",
    "progress-timeout",
    "caller-gone",
    "busy",
    "declined",
    "rejected",
    "unreachable",
    "no-such-trunk",
    "not-registered",
    "duplicate",
    "over-limit",
    "screening-declined",
    "machine",
    "replaced",
];

/// Most that a count may be.
const COUNT_MAX: i64 = 10_000;
/// Longest time that a moment may lie after the caller's INVITE.
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// What is expected of the call of one caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expectations {
    /// Of the last dial, or of each in turn.
    dial_call_status: Option<Each<&'static str>>,
    dial_sip_status: Option<Each<u16>>,
    /// Who was connected last.
    winner: Option<String>,
    lost_because: Vec<(String, &'static str)>,
    caller_status: Option<u16>,
    statuses: Option<Vec<&'static str>>,
    hooks: Option<usize>,
    asked: Option<Vec<String>>,
    alerts: Option<Vec<String>>,
    heard: Option<Vec<String>>,
    dtmf: Option<Vec<String>>,
    answered_between: Option<(Duration, Duration)>,
    ended_between: Option<(Duration, Duration)>,
}

/// One value for the last of several, or a list with one for each.
#[derive(Clone, Debug)]
enum Each<T> {
    Last(T),
    All(Vec<T>),
}

/// What became of the call of one caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallSeen {
    /// Final status of its INVITE.
    pub(crate) caller_status: Option<u16>,
    /// When it was answered, since its INVITE.
    pub(crate) answered: Option<Duration>,
    /// When it was over: refused, cancelled or hung up.
    pub(crate) ended: Option<Duration>,
    /// Payload of the result of each dial, in order.
    pub(crate) results: Vec<Value>,
    /// URL of each hook that was asked, in order.
    pub(crate) asked: Vec<String>,
    /// `call_status` of each status event of the caller, in order.
    pub(crate) statuses: Vec<String>,
    /// Type of each alert, in order.
    pub(crate) alerts: Vec<String>,
    /// What the caller was given to hear, in order.
    pub(crate) heard: Vec<String>,
    /// Keys that the application was told of, in order.
    pub(crate) dtmf: Vec<String>,
}

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) what: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broken { what, expected, got } = self;
        match expected.as_str() {
            "" => write!(f, "{what}: {got}"),
            _ => write!(f, "{what}: expected {expected}, got {got}"),
        }
    }
}

impl Expectations {
    pub(crate) fn read(section: Section<'_>, callees: &[Callee]) -> Expectations {
        let status = |entry: &Entry<'_>| {
            entry.integer(200..=699).and_then(|status| u16::try_from(status).ok())
        };
        let count = |entry: Entry<'_>| {
            entry.integer(0..=COUNT_MAX).and_then(|count| usize::try_from(count).ok())
        };
        let texts = |entry: Entry<'_>| {
            entry.elements().iter().filter_map(Entry::text).map(str::to_owned).collect()
        };
        let words = |entry: Entry<'_>| {
            entry.elements().iter().filter_map(|one| one.word(&CALL_STATUSES)).collect()
        };
        let expectations = Expectations {
            dial_call_status: section
                .entry("dial_call_status")
                .and_then(|entry| each(&entry, |one| one.word(&DIAL_STATUSES))),
            dial_sip_status: section
                .entry("dial_sip_status")
                .and_then(|entry| each(&entry, status)),
            winner: section.entry("winner").and_then(|entry| winner(&entry, callees)),
            lost_because: section
                .entry("lost_because")
                .map(|entry| lost(&entry))
                .unwrap_or_default(),
            caller_status: section.entry("caller_status").and_then(|entry| status(&entry)),
            statuses: section.entry("statuses").map(words),
            hooks: section.entry("hooks").and_then(count),
            asked: section.entry("asked").map(texts),
            alerts: section.entry("alerts").map(texts),
            heard: section.entry("heard").map(|entry| sounds(&entry, callees)),
            dtmf: section.entry("dtmf").map(texts),
            answered_between: section.entry("answered_between").and_then(|entry| range(&entry)),
            ended_between: section.entry("ended_between").and_then(|entry| range(&entry)),
        };
        section.finish();
        expectations
    }

    /// Everything that did not hold of this call.
    pub(crate) fn broken(&self, seen: &CallSeen, callees: &[Callee]) -> Vec<Broken> {
        let mut broken = Vec::new();
        let mut expect = |what: &str, expected: String, got: String| {
            if expected != got {
                broken.push(Broken { what: what.to_owned(), expected, got });
            }
        };
        let of_results = |key: &str| -> Vec<String> {
            seen.results.iter().map(|result| word(&result[key])).collect()
        };
        if let Some(wanted) = &self.dial_call_status {
            let (wanted, got) = wanted.beside(of_results("dial_call_status"));
            expect("dial_call_status", wanted, got);
        }
        if let Some(wanted) = &self.dial_sip_status {
            let (wanted, got) = wanted.beside(of_results("dial_sip_status"));
            expect("dial_sip_status", wanted, got);
        }
        if let Some(wanted) = &self.winner {
            expect("winner", wanted.clone(), seen.winner(callees));
        }
        for (who, because) in &self.lost_because {
            expect(
                &format!("lost_because of {who}"),
                (*because).to_owned(),
                seen.lost(who, callees),
            );
        }
        if let Some(status) = self.caller_status {
            let got = seen.caller_status.map_or("no final response".to_owned(), |s| s.to_string());
            expect("caller_status", status.to_string(), got);
        }
        if let Some(statuses) = &self.statuses {
            expect("statuses", listed(statuses), listed(&seen.statuses));
        }
        if let Some(hooks) = self.hooks {
            expect("hooks", hooks.to_string(), seen.asked.len().to_string());
        }
        if let Some(asked) = &self.asked {
            expect("asked", listed(asked), listed(&seen.asked));
        }
        let lists = [
            ("alerts", &self.alerts, &seen.alerts),
            ("heard", &self.heard, &seen.heard),
            ("dtmf", &self.dtmf, &seen.dtmf),
        ];
        for (what, wanted, got) in lists {
            if let Some(wanted) = wanted {
                expect(what, listed(wanted), listed(got));
            }
        }
        let moments = [
            ("answered_between", self.answered_between, seen.answered, "it was never answered"),
            ("ended_between", self.ended_between, seen.ended, "it never ended"),
        ];
        for (what, range, at, never) in moments {
            let Some((least, most)) = range else { continue };
            if at.is_none_or(|at| at < least || at > most) {
                let expected = format!("{} to {}", seconds(least), seconds(most));
                expect(what, expected, at.map_or(never.to_owned(), seconds));
            }
        }
        broken
    }
}

impl CallSeen {
    /// Who was connected last: the name of the callee, else the address of the target.
    fn winner(&self, callees: &[Callee]) -> String {
        let Some(result) = self.results.last() else { return "no dial told its result".to_owned() };
        let targets = result["dial_targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let won = targets.iter().find(|target| target["call_status"] == "completed");
        let Some(address) = won.and_then(|target| target["address"].as_str()) else {
            return NOBODY.to_owned();
        };
        name_of(address, callees).to_owned()
    }

    /// Why the target that reaches this callee, or has this address, was lost.
    fn lost(&self, who: &str, callees: &[Callee]) -> String {
        let Some(result) = self.results.last() else { return "no dial told its result".to_owned() };
        let targets = result["dial_targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_it = |target: &&Value| {
            target["address"].as_str().is_some_and(|at| at == who || name_of(at, callees) == who)
        };
        match targets.iter().find(is_it) {
            None => "no such target".to_owned(),
            Some(target) if target["call_status"] == "completed" => "it won".to_owned(),
            Some(target) => word(&target["lost_because"]),
        }
    }
}

/// The name of the callee that the target of this address reaches, else the address.
pub(crate) fn name_of<'a>(address: &'a str, callees: &'a [Callee]) -> &'a str {
    let callee = callees.iter().find(|callee| callee.reached.is_reached_by(address));
    callee.map_or(address, |callee| &callee.name)
}

impl<T: ToString> Each<T> {
    /// What is expected and what there is, to be compared.
    fn beside(&self, got: Vec<String>) -> (String, String) {
        match self {
            Each::Last(one) => {
                let last = got.into_iter().next_back();
                (one.to_string(), last.unwrap_or_else(|| "no dial told its result".to_owned()))
            }
            Each::All(all) => {
                let all: Vec<String> = all.iter().map(T::to_string).collect();
                (listed(&all), listed(&got))
            }
        }
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

fn listed(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    format!("[{}]", words.join(", "))
}

/// To the millisecond.
pub(crate) fn seconds(time: Duration) -> String {
    let text = format!("{:.3}", time.as_secs_f64());
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

fn each<T>(entry: &Entry<'_>, read: impl Fn(&Entry<'_>) -> Option<T>) -> Option<Each<T>> {
    if !entry.is_array() {
        return read(entry).map(Each::Last);
    }
    entry.elements().iter().map(read).collect::<Option<Vec<T>>>().map(Each::All)
}

/// The name of a callee, or `nobody`.
fn winner(entry: &Entry<'_>, callees: &[Callee]) -> Option<String> {
    let text = entry.text()?;
    let known: Vec<&str> = callees.iter().map(|callee| callee.name.as_str()).collect();
    if text == NOBODY || known.contains(&text) {
        return Some(text.to_owned());
    }
    let all = known.iter().copied().chain([NOBODY]);
    let expected = format!("one of {}", all.clone().collect::<Vec<_>>().join(", "));
    entry.unresolved("no such callee", &expected, nearest(text, all));
    None
}

/// What a caller may hear: words of ours, callees, and URLs.
fn sounds(entry: &Entry<'_>, callees: &[Callee]) -> Vec<String> {
    let known = || callees.iter().map(|callee| callee.name.as_str()).chain([TONE, NOTHING]);
    let mut heard = Vec::new();
    for element in entry.elements() {
        let Some(text) = element.text() else { continue };
        let is_url = text.contains("://") || text.starts_with('/');
        if !is_url && !known().any(|word| word == text) {
            let words: Vec<&str> = known().collect();
            let expected = format!("a URL, or one of {}", words.join(", "));
            element.unresolved("nothing that can be heard", &expected, nearest(text, known()));
        }
        heard.push(text.to_owned());
    }
    heard
}

fn lost(entry: &Entry<'_>) -> Vec<(String, &'static str)> {
    let Some(section) = entry.table() else { return Vec::new() };
    let members = section.members().into_iter();
    members.filter_map(|(who, entry)| Some((who.to_owned(), entry.word(&LOST_BECAUSE)?))).collect()
}

fn range(entry: &Entry<'_>) -> Option<(Duration, Duration)> {
    let elements = entry.elements();
    let times = elements.iter().map(|one| one.duration(Duration::ZERO..=TIME_MAX));
    let times: Vec<Duration> = times.collect::<Option<_>>()?;
    match times.as_slice() {
        [least, most] if least <= most => Some((*least, *most)),
        _ => {
            entry.fault("no range", "two durations such as [\"2900ms\", \"3100ms\"]");
            None
        }
    }
}
