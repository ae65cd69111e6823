//! `[[caller]]` and `[[callee]]`: who takes part, and what each of them does.

use std::net::IpAddr;
use std::time::Duration;

use testkit::{Callee as Behaviour, Outcome};

use super::expect::{Expectations, NOBODY};
use super::talk::{self, Talk};
use crate::config::{Entry, Section, is_sip_user};

/// Most callers of one scenario.
pub(crate) const CALLERS_MAX: usize = 100;
/// Most callees of one scenario.
pub(crate) const CALLEES_MAX: usize = 100;
/// Most phones behind one callee.
pub(crate) const FORKS_MAX: usize = 10;
/// Most callees that are the same user: as many contacts as the registrar keeps of one.
pub(crate) const PHONES_MAX: usize = 10;

/// Longest time that a party may take for anything.
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);
/// When a callee rings that does not say.
const RINGS: Duration = Duration::from_millis(100);
/// When a caller hangs up that does not say.
const HANGS_UP: Duration = Duration::from_secs(10);
/// Longest heading of a column.
const NAME_MAX: usize = 40;
/// SIP's own port.
const SIP_PORT: u16 = 5060;

/// Who calls where a caller does not say.
const FROM: &str = "+491701234567";
/// What is dialled where a caller does not say.
const CALLS: &str = "+4930999888";
/// The carrier of numbers that name none.
const CARRIER: &str = "carrier";

/// One `[[caller]]`.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Heading of its column.
    pub(crate) name: String,
    /// Its number.
    pub(crate) from: String,
    /// What it dials.
    pub(crate) calls: String,
    /// When, from the beginning.
    pub(crate) at: Duration,
    /// Gives up so long after its INVITE.
    pub(crate) cancels: Option<Duration>,
    /// Hangs up so long after its answer.
    pub(crate) hangs_up: Option<Duration>,
    /// What it does while its call is up.
    pub(crate) talk: Talk,
    /// What is expected of its call beyond what is expected of all.
    pub(crate) expect: Expectations,
}

/// One `[[callee]]`.
#[derive(Clone, Debug)]
pub(crate) struct Callee {
    /// Heading of its column.
    pub(crate) name: String,
    /// Which targets reach it.
    pub(crate) reached: Reached,
    /// What its phones do; several where a proxy stands before them.
    pub(crate) phones: Vec<Behaviour>,
    /// So long after its INVITE it is gone.
    pub(crate) vanishes: Option<Duration>,
    /// What it does in a call that is up; one phone alone does anything.
    pub(crate) talk: Talk,
}

/// The target that reaches a callee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// A registered user.
    User(String),
    /// A phone number, over the carrier of this name.
    Number { number: String, carrier: String },
    /// A SIP URI.
    Uri { user: String, host: String, port: u16 },
}

/// How a phone ends its ringing; each key of it stands alone.
const ENDINGS: [&str; 3] = ["answers", "busy", "refuses"];

/// What a callee does itself or, where it has forks, each of them does.
const BEHAVIOUR: [&str; 7] =
    ["rings", "early_media", "answers", "answers_again", "busy", "refuses", "hangs_up"];

fn time(section: &Section<'_>, key: &'static str) -> Option<Duration> {
    section.entry(key).and_then(|entry| entry.duration(Duration::ZERO..=TIME_MAX))
}

/// A duration, or false for never.
fn time_or_never(entry: &Entry<'_>) -> Option<Option<Duration>> {
    if entry.is_boolean() {
        if entry.boolean() == Some(true) {
            entry.fault("no time", "a duration such as \"500ms\", or false for never");
        }
        return Some(None);
    }
    entry.duration(Duration::ZERO..=TIME_MAX).map(Some)
}

/// The tables of this key; a fault and none where there are too many.
fn at_most<'a>(parent: &Section<'a>, key: &'static str, max: usize) -> Vec<Section<'a>> {
    let sections = parent.list(key);
    match parent.entry(key) {
        Some(entry) if sections.len() > max => {
            entry.fault(&format!("too many {key}s"), &format!("at most {max}"));
            Vec::new()
        }
        _ => sections,
    }
}

/// All `[[caller]]`s; one that hangs up after a while where there are none.
pub(crate) fn callers(root: &Section<'_>, callees: &[Callee]) -> Vec<Caller> {
    let sections = at_most(root, "caller", CALLERS_MAX);
    let mut callers = Vec::new();
    for section in sections {
        let caller = caller(section, &callers, callees);
        callers.extend(caller);
    }
    if callers.is_empty() {
        callers.push(Caller {
            name: free_name("caller", |name| is_callee(callees, name)),
            from: FROM.to_owned(),
            calls: CALLS.to_owned(),
            at: Duration::ZERO,
            cancels: None,
            hangs_up: Some(HANGS_UP),
            talk: Talk::default(),
            expect: Expectations::default(),
        });
    }
    callers
}

fn is_callee(callees: &[Callee], name: &str) -> bool {
    callees.iter().any(|callee| callee.name == name)
}

fn caller(section: Section<'_>, others: &[Caller], callees: &[Callee]) -> Option<Caller> {
    let is_caller = |name: &str| others.iter().any(|other| other.name == name);
    let name = match section.entry("name") {
        Some(entry) => {
            let name = heading(&entry).map(str::to_owned);
            if name.as_ref().is_some_and(|name| is_caller(name) || is_callee(callees, name)) {
                entry.fault("another party has this name", "a name of its own");
            }
            name
        }
        None => Some(free_name("caller", |name| is_caller(name) || is_callee(callees, name))),
    };
    let dialled = |key: &'static str, default: &str| match section.entry(key) {
        Some(entry) => user(&entry),
        None => Some(default.to_owned()),
    };
    let (from, calls) = (dialled("from", FROM), dialled("calls", CALLS));
    let at = time(&section, "at").unwrap_or_default();
    let cancels = time(&section, "cancels");
    let hangs_up = match section.entry("hangs_up") {
        Some(entry) => time_or_never(&entry).flatten(),
        None => Some(HANGS_UP),
    };
    let talk = talk::talk(&section);
    let expect = section.entry("expect").and_then(|entry| entry.table());
    let expect = expect.map(|section| Expectations::read(section, callees)).unwrap_or_default();
    section.finish();
    Some(Caller { name: name?, from: from?, calls: calls?, at, cancels, hangs_up, talk, expect })
}

/// A text that a column can be headed with.
fn heading<'a>(entry: &Entry<'a>) -> Option<&'a str> {
    let text = entry.text()?;
    if text.chars().count() > NAME_MAX {
        entry.fault("too long a name", &format!("at most {NAME_MAX} characters"));
        return None;
    }
    Some(text)
}

/// A number, or another user part of a SIP URI.
fn user(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text()?;
    if !is_sip_user(text) || text.len() > NAME_MAX {
        entry.fault("not a number or user", "a number such as \"+4930999888\"");
        return None;
    }
    Some(text.to_owned())
}

/// All `[[callee]]`s.
pub(crate) fn callees(root: &Section<'_>) -> Vec<Callee> {
    let mut callees: Vec<Callee> = Vec::new();
    for section in at_most(root, "callee", CALLEES_MAX) {
        let callee = callee(section, &callees);
        callees.extend(callee);
    }
    callees
}

fn callee(section: Section<'_>, others: &[Callee]) -> Option<Callee> {
    let reached = reached(&section, others);
    let name = match section.entry("name") {
        Some(entry) => {
            let name = heading(&entry).map(str::to_owned);
            if name.as_ref().is_some_and(|name| is_callee(others, name) || name == NOBODY) {
                entry.fault("this name is taken", "a name of its own");
            }
            name
        }
        None => reached.as_ref().map(|reached| {
            free_name(reached.shown(), |name| is_callee(others, name) || name == NOBODY)
        }),
    };
    let vanishes = time(&section, "vanishes");
    let forks = at_most(&section, "fork", FORKS_MAX);
    let phones =
        if forks.is_empty() { itself(&section, vanishes) } else { behind_a_proxy(&section, forks) };
    let talk = talk::talk(&section);
    if phones.len() > 1 {
        let alone = [
            ("vanishes", "vanish"),
            ("keys", "press keys"),
            ("holds", "hold"),
            ("refers", "refer"),
        ];
        for (key, what) in alone {
            if let Some(entry) = section.entry(key) {
                let wrong = format!("one that answers twice or forks does not {what}");
                entry.fault(&wrong, "no such key");
            }
        }
    }
    section.finish();
    Some(Callee { name: name?, reached: reached?, phones, vanishes, talk })
}

/// What a callee without forks does; two phones where it answers twice.
fn itself(section: &Section<'_>, vanishes: Option<Duration>) -> Vec<Behaviour> {
    let again = section.entry("answers_again");
    let again_at = again.as_ref().and_then(|entry| entry.duration(Duration::ZERO..=TIME_MAX));
    let phone = phone(section, vanishes);
    let answers = matches!(phone.outcome, Outcome::Answers(_));
    if let Some(entry) = again
        && !answers
    {
        entry.fault("it does not answer at all", "answers beside answers_again");
    }
    let second = again_at.filter(|_| answers).map(|at| {
        let outcome = Outcome::Answers(at);
        Behaviour { outcome, ..phone.clone() }
    });
    std::iter::once(phone.clone()).chain(second).collect()
}

/// What the phones behind a proxy do.
fn behind_a_proxy<'a>(section: &Section<'a>, forks: Vec<Section<'a>>) -> Vec<Behaviour> {
    for key in BEHAVIOUR {
        if let Some(entry) = section.entry(key) {
            entry.fault("a callee with forks does nothing itself", "it in [[callee.fork]]");
        }
    }
    let read = |fork: Section<'a>| {
        let phone = phone(&fork, None);
        fork.finish();
        phone
    };
    forks.into_iter().map(read).collect()
}

/// This name, or with a number behind it where it is taken.
fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name} ({number})"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// What a phone does, of the keys of this table.
fn phone(section: &Section<'_>, vanishes: Option<Duration>) -> Behaviour {
    let early_media = time(section, "early_media");
    let rings = match section.entry("rings") {
        Some(entry) => time_or_never(&entry).flatten(),
        None => Some(RINGS),
    };
    let hangs_up = time(section, "hangs_up");
    let answers = time(section, "answers");
    let busy = time(section, "busy");
    let refuses = section.entry("refuses").and_then(|entry| refusal(&entry));
    let given: Vec<Entry<'_>> = ENDINGS.iter().filter_map(|key| section.entry(key)).collect();
    if let [_, second, ..] = given.as_slice() {
        second.fault("it ends in two ways", &format!("one of {}", ENDINGS.join(", ")));
    }
    let outcome = match (answers, busy, refuses) {
        (Some(after), ..) => Outcome::Answers(after),
        (_, Some(after), _) => Outcome::Refuses(486, after),
        (_, _, Some((status, after))) => Outcome::Refuses(status, after),
        _ => Outcome::Waits,
    };
    let silent = vanishes == Some(Duration::ZERO);
    Behaviour { rings: rings.filter(|_| !silent), early_media, outcome, hangs_up }
}

/// A status, or `{ status, after }`.
fn refusal(entry: &Entry<'_>) -> Option<(u16, Duration)> {
    let status = |entry: &Entry<'_>| entry.integer(300..=699).and_then(|s| u16::try_from(s).ok());
    if !entry.is_table() {
        return status(entry).map(|status| (status, Duration::ZERO));
    }
    let section = entry.table()?;
    let given = section.required("status", "a SIP status such as 480");
    let given = given.and_then(|entry| status(&entry));
    let after = time(&section, "after").unwrap_or_default();
    section.finish();
    given.map(|status| (status, after))
}

/// Which target reaches it: one of `user`, `number` and `uri`.
fn reached(section: &Section<'_>, others: &[Callee]) -> Option<Reached> {
    let keys = [section.entry("user"), section.entry("number"), section.entry("uri")];
    let carrier = section.entry("carrier");
    let mut given = keys.iter().flatten();
    let Some(first) = given.next() else {
        let expected = "one of user, number and uri, as the target names it";
        section.missing("user", "no target reaches this callee", expected);
        return None;
    };
    if let Some(second) = given.next() {
        second.fault("it is reached in two ways", "one of user, number and uri");
    }
    if let (Some(entry), None) = (&carrier, &keys[1]) {
        entry.fault("a carrier without a number", "number beside it");
    }
    let reached = if keys[0].is_some() {
        Reached::User(user(first)?)
    } else if keys[1].is_some() {
        let carrier = match &carrier {
            Some(entry) => heading(entry)?.to_owned(),
            None => CARRIER.to_owned(),
        };
        Reached::Number { number: user(first)?, carrier }
    } else {
        uri(first)?
    };
    let same = others.iter().filter(|other| other.reached.is_same(&reached)).count();
    match &reached {
        Reached::User(_) if same >= PHONES_MAX => {
            first.fault("too many phones of this user", &format!("at most {PHONES_MAX}"));
        }
        Reached::User(_) => {}
        _ if same > 0 => {
            first.fault("another callee is reached by it", "[[callee.fork]] for several phones");
        }
        _ => {}
    }
    Some(reached)
}

fn uri(entry: &Entry<'_>) -> Option<Reached> {
    let text = entry.text()?;
    let expected = "a SIP URI such as \"sip:bob@partner.example\"";
    let parsed = sip::Uri::parse(text).ok();
    let user = parsed.as_ref().and_then(|uri| uri.user_decoded()).map(|user| user.into_owned());
    let (Some(parsed), Some(user)) = (parsed, user) else {
        entry.fault("not a SIP URI with a user", expected);
        return None;
    };
    if parsed.host.parse::<IpAddr>().is_ok_and(super::play::is_ours) {
        entry.fault("an address of the simulation itself", "one outside 10.0.0.0/16");
        return None;
    }
    Some(Reached::Uri { user, host: parsed.host, port: parsed.port.unwrap_or(SIP_PORT) })
}

impl Reached {
    /// As its column is headed where it has no name.
    fn shown(&self) -> &str {
        match self {
            Reached::User(user) | Reached::Uri { user, .. } => user,
            Reached::Number { number, .. } => number,
        }
    }

    fn is_same(&self, other: &Reached) -> bool {
        match (self, other) {
            (
                Reached::Number { number: one, carrier },
                Reached::Number { number: two, carrier: of },
            ) => same_number(one, two) && carrier == of,
            _ => self == other,
        }
    }

    /// The target with this address in `dial_targets` reaches it.
    pub(crate) fn is_reached_by(&self, address: &str) -> bool {
        match self {
            Reached::User(name) => address.split('@').next() == Some(name.as_str()),
            Reached::Number { number, .. } => same_number(number, address),
            Reached::Uri { user, host, port } => sip::Uri::parse(address).is_ok_and(|uri| {
                uri.user_decoded().is_some_and(|of| of == user.as_str())
                    && uri.host == *host
                    && uri.port.unwrap_or(SIP_PORT) == *port
            }),
        }
    }
}

/// Numbers are the same with and without a leading `+`.
fn same_number(one: &str, other: &str) -> bool {
    one.trim_start_matches('+') == other.trim_start_matches('+')
}
