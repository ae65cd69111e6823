//! A scenario file: who calls, who is called and what they do, what the application answers, what
//! is expected. From text to types, or to every fault of it in one pass.
//!
//! The parties are read in `parties`, expectations in `expect`. Nothing runs here.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use call::settings::ReferPolicy;
use testkit::{Answer, Weather};
use toml::de::DeTable;

use super::expect::Expectations;
use super::parties::{self, Callee, Caller};
use super::refers;
use super::talk::{self, Sound};
use crate::config::{Entry, Fault, LoadError, Place, Report, Section, in_file};

/// Longest scenario file, and longest file of verbs that one names.
pub(crate) const SCENARIO_BYTES_MAX: u64 = 1024 * 1024;
/// Longest run in virtual time: what `run_for` may ask for.
pub(crate) const RUN_MAX: Duration = Duration::from_secs(24 * 3600);
/// Runs without a `run_for` end here: longer than a transaction that nobody answers after a dial
/// that rings as long as it may.
pub(crate) const RUN_DEFAULT: Duration = Duration::from_secs(400);
/// An application that answers at once takes as long: nothing in a network takes no time, and
/// one that redirects to itself for ever would otherwise stop the clock.
pub(crate) const THINKS_MIN: Duration = Duration::from_millis(1);
/// How long an application takes that does not say.
pub(crate) const THINKS_DEFAULT: Duration = Duration::from_millis(10);
/// Longest that an application may take.
pub(crate) const THINKS_MAX: Duration = Duration::from_secs(3600);
/// Longest time under way of a datagram.
const DELAY_MAX: Duration = Duration::from_secs(60);

/// A scenario without faults.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// The file, as it was named.
    pub(crate) path: String,
    /// What it is called: `name`, or the file without its ending.
    pub(crate) name: String,
    /// What the application answers to a new call, as JSON text.
    pub(crate) list: String,
    /// What the application answers to later hooks, in the order of the file.
    pub(crate) hooks: Vec<Hook>,
    /// How long it takes where a hook does not say.
    pub(crate) thinks: Duration,
    /// Audio that can be had.
    pub(crate) sounds: Vec<Sound>,
    /// What the operator has for those who are held.
    pub(crate) hold_music: Option<String>,
    /// What the switch does with a REFER for which no hook is asked.
    pub(crate) refer: ReferPolicy,
    pub(crate) callers: Vec<Caller>,
    pub(crate) callees: Vec<Callee>,
    pub(crate) weather: Weather,
    /// Longest that it runs in virtual time.
    pub(crate) run_for: Duration,
    /// What holds for the call of each caller; a caller may add to it.
    pub(crate) expect: Expectations,
    /// Who was to be connected with whom, in order.
    pub(crate) bridges: Option<Vec<[String; 2]>>,
}

/// One `[[hook]]`.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    /// As the list of verbs writes it.
    pub(crate) url: String,
    pub(crate) answer: Answer,
    pub(crate) thinks: Option<Duration>,
}

/// Reads the scenario in `path`.
///
/// # Errors
/// The file cannot be read, or anything in it or in the files that it names is wrong.
pub(crate) fn load(path: &Path) -> Result<Scenario, LoadError> {
    match read(path) {
        Ok(text) => parse(path, &text),
        Err(error) => Err(LoadError::Unreadable { path: path.to_owned(), error }),
    }
}

/// A text of at most [`SCENARIO_BYTES_MAX`].
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(SCENARIO_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SCENARIO_BYTES_MAX {
        let why = format!("it is longer than {SCENARIO_BYTES_MAX} bytes");
        return Err(std::io::Error::other(why));
    }
    Ok(text)
}

/// As [`load`], for a text that is, or would be, in `path`.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Scenario, LoadError> {
    let report = Report::new(&path.display().to_string(), text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        report.syntax(error.span(), error.message());
    }
    let scenario = walk(path, Section::root(&report, table.get_ref()));
    let (faults, warnings) = report.sorted();
    match scenario {
        Some(scenario) if faults.is_empty() => Ok(scenario),
        _ => Err(LoadError::Faulty { faults, warnings }),
    }
}

fn walk(path: &Path, root: Section<'_>) -> Option<Scenario> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = match root.entry("name") {
        Some(entry) => entry.text().map(str::to_owned),
        None => stem,
    };
    let list = list(&root, directory, ["app", "app_json"], true);
    let thinks = root.entry("thinks").and_then(|entry| thinking(&entry));
    let run_for = root.entry("run_for");
    let run_for = run_for.and_then(|entry| entry.duration(Duration::from_secs(1)..=RUN_MAX));
    let hooks = root.list("hook").into_iter().filter_map(|section| hook(section, directory));
    let hooks = hooks.collect();
    let sounds = talk::sounds(&root);
    let hold_music = root.entry("hold_music");
    let hold_music = hold_music.and_then(|entry| entry.text().map(str::to_owned));
    let refer = refers::policy(&root);
    let weather = root.entry("network").and_then(|entry| entry.table()).and_then(weather);
    let callees = parties::callees(&root);
    let callers = parties::callers(&root, &callees);
    refers::check(&root, &callees);
    let expect = root.entry("expect").and_then(|entry| entry.table());
    let bridges = expect.as_ref().and_then(|section| refers::bridges(section, &callers, &callees));
    let expect = expect.map(|section| Expectations::read(section, &callees));
    root.finish();
    Some(Scenario {
        path: path.display().to_string(),
        name: name?,
        list: list?,
        hooks,
        thinks: thinks.unwrap_or(THINKS_DEFAULT),
        sounds,
        hold_music,
        refer,
        callers,
        callees,
        weather: weather.unwrap_or(Weather::FAIR),
        run_for: run_for.unwrap_or(RUN_DEFAULT),
        expect: expect.unwrap_or_default(),
        bridges,
    })
}

/// The list of verbs that stands in the first of these keys, or in the file that the second names;
/// a fault where there must be one and neither is there.
fn list(
    section: &Section<'_>,
    directory: &Path,
    [inline, in_a_file]: [&'static str; 2],
    required: bool,
) -> Option<String> {
    match (section.entry(inline), section.entry(in_a_file)) {
        (Some(_), Some(entry)) => {
            entry.fault(&format!("{inline} is there already"), &format!("{inline} or {in_a_file}"));
            None
        }
        (Some(entry), None) => {
            let text = entry.as_text();
            if text.is_none() {
                entry.fault("wrong type", "a JSON list of verbs as a text, between '''");
            }
            verbs_of(&entry, text?, None)
        }
        (None, Some(entry)) => {
            let path = directory.join(entry.text()?);
            match read(&path) {
                Ok(text) => verbs_of(&entry, &text, Some(&path)),
                Err(error) => {
                    let what = format!("the file cannot be read: {error}");
                    entry.fault(&what, "a JSON list of verbs, its path relative to this file");
                    None
                }
            }
        }
        (None, None) => {
            if required {
                let expected = format!("{inline} = '''[ … ]''' or {in_a_file} = \"FILE\"");
                section.missing(inline, "the application has nothing to answer", &expected);
            }
            None
        }
    }
}

/// The text, if it is a list of verbs; its faults have their place in the file that holds it.
fn verbs_of(entry: &Entry<'_>, text: &str, file: Option<&Path>) -> Option<String> {
    let Err(faults) = verbs::parse_application(text, false) else {
        return Some(text.to_owned());
    };
    let first_line = entry.report.text_in_triple_quotes(&entry.place);
    for fault in faults {
        let line = fault.line;
        let pointer = match fault.pointer.as_str() {
            "-" => entry.pointer.clone(),
            within => format!("{}{within}", entry.pointer),
        };
        let fault = match file {
            Some(file) => in_file(&file.display().to_string(), fault),
            None => Fault { pointer, ..in_file("", fault) },
        };
        let place = match (&entry.place, file, first_line) {
            (Place::File { path, .. }, None, Some(first)) => {
                let Place::File { column, .. } = fault.place else { continue };
                Place::File { path: path.clone(), line: first + line - 1, column }
            }
            (_, None, _) => entry.place.clone(),
            (_, Some(_), _) => fault.place.clone(),
        };
        entry.report.fault(Fault { place, ..fault });
    }
    None
}

fn thinking(entry: &Entry<'_>) -> Option<Duration> {
    entry.duration(THINKS_MIN..=THINKS_MAX)
}

/// One `[[hook]]`: `answer`, `answer_json`, `status` or `fails`; without any an empty answer.
fn hook(section: Section<'_>, directory: &Path) -> Option<Hook> {
    let url = section.required("url", "the hook as the list of verbs names it, such as \"/done\"");
    let url = url.and_then(|entry| entry.text());
    let list = list(&section, directory, ["answer", "answer_json"], false);
    let answers = section.entry("answer").or_else(|| section.entry("answer_json"));
    let status = section.entry("status").map(|entry| (entry.integer(300..=599), entry));
    let fails = section.entry("fails").map(|entry| (entry.boolean(), entry));
    let thinks = section.entry("thinks").and_then(|entry| thinking(&entry));
    if let (Some(_), Some((_, entry))) = (&answers, &status) {
        entry.fault("an answer and a status that is none of success", "one of both");
    }
    if let (Some(_), Some((Some(true), entry))) =
        (answers.as_ref().or(status.as_ref().map(|s| &s.1)), &fails)
    {
        entry.fault("an answer of a hook that cannot be reached", "false");
    }
    section.finish();
    let status = status.and_then(|(status, _)| status).and_then(|status| status.try_into().ok());
    let answer = match (list, status, fails) {
        (_, _, Some((Some(true), _))) => Answer::Fails,
        (_, Some(status), _) => Answer::Status(status),
        (Some(list), ..) => Answer::List(list),
        _ => Answer::Empty,
    };
    Some(Hook { url: url?.to_owned(), answer, thinks })
}

/// `[network]`: a kind of weather, or each figure of one.
fn weather(section: Section<'_>) -> Option<Weather> {
    let word = section.entry("weather").and_then(|entry| entry.word(&["fair", "foul"]));
    let mut weather = if word == Some("foul") { Weather::FOUL } else { Weather::FAIR };
    let percent = |key| {
        let number = section.entry(key).and_then(|entry| entry.integer(0..=90));
        number.map(i64::unsigned_abs)
    };
    weather.loss = percent("loss").unwrap_or(weather.loss);
    weather.duplication = percent("duplication").unwrap_or(weather.duplication);
    if let Some(entry) = section.entry("delay") {
        let times: Vec<Option<Duration>> =
            entry.elements().iter().map(|one| one.duration(Duration::ZERO..=DELAY_MAX)).collect();
        match times.as_slice() {
            [Some(least), Some(most)] if least <= most => {
                (weather.delay_min, weather.delay_max) = (*least, *most);
            }
            [None, _] | [_, None] => {}
            _ => entry.fault("no range", "two durations such as [\"5ms\", \"200ms\"]"),
        }
    }
    section.finish();
    Some(weather)
}
