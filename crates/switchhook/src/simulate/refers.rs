//! `refers` of a party: when it sends REFER, to whom it refers the other one, what it is to be
//! answered and told; and `bridges`, who was connected with whom.
//!
//! Times count from the answer of the call. Nothing runs here; the phones of the testkit do it.

use std::net::IpAddr;
use std::time::Duration;

use call::settings::ReferPolicy;
use testkit::{Phone, Refer, ReferTo, SWITCH, World};

use super::expect::Broken;
use super::parties::{Callee, Caller, Reached};
use crate::config::{Entry, Section, nearest};

/// Longest time after the answer.
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);
/// Most REFERs of one party, and most pairs of `bridges`.
const LIST_MAX: usize = 100;
/// Longest address of a REFER.
const ADDRESS_MAX: usize = 200;

/// One REFER of a party.
#[derive(Clone, Debug)]
pub(crate) struct Referral {
    at: Duration,
    /// The name of a callee, or a URI.
    to: String,
    /// It names the party's other call, which the two others are to take.
    replaces: bool,
    /// It does not want to hear how it goes (RFC 4488).
    silent: bool,
    /// It stays when it hears that it succeeded.
    stays: bool,
    /// The final response that is expected.
    gets: Option<u16>,
    /// What the last NOTIFY is to say, or that there is none.
    told: Option<Option<u16>>,
}

/// `refers` of a party: `{ to = "office", at = "3s", gets = 202 }`.
pub(crate) fn read(party: &Section<'_>) -> Vec<Referral> {
    let sections = party.list("refers");
    match party.entry("refers") {
        Some(entry) if sections.len() > LIST_MAX => {
            entry.fault("too many of them", &format!("at most {LIST_MAX}"));
            Vec::new()
        }
        _ => sections.into_iter().filter_map(referral).collect(),
    }
}

fn referral(section: Section<'_>) -> Option<Referral> {
    let to = section.required("to", "a callee, or a URI such as \"sip:bob@partner.example\"");
    let to = to.and_then(|entry| entry.text().map(str::to_owned));
    let at = section.required("at", "when, such as \"3s\" after the answer");
    let at = at.and_then(|entry| entry.duration(Duration::ZERO..=TIME_MAX));
    let flag = |key| section.entry(key).and_then(|entry| entry.boolean()).unwrap_or_default();
    let (replaces, silent, stays) = (flag("replaces"), flag("silent"), flag("stays"));
    let gets = section.entry("gets").and_then(|entry| status(&entry));
    let told = section.entry("told").and_then(|entry| told(&entry));
    section.finish();
    Some(Referral { at: at?, to: to?, replaces, silent, stays, gets, told })
}

fn status(entry: &Entry<'_>) -> Option<u16> {
    entry.integer(200..=699).and_then(|status| u16::try_from(status).ok())
}

/// A status, or false for nothing.
fn told(entry: &Entry<'_>) -> Option<Option<u16>> {
    if entry.is_boolean() {
        if entry.boolean() == Some(true) {
            entry.fault("no status", "a SIP status such as 200, or false for nothing");
        }
        return Some(None);
    }
    status(entry).map(Some)
}

/// The word of `refer` at the top: what the switch does where no hook is asked.
pub(crate) fn policy(root: &Section<'_>) -> ReferPolicy {
    match root.entry("refer").and_then(|entry| entry.word(&["refuse", "transfer"])) {
        Some("transfer") => ReferPolicy::Transfer,
        _ => ReferPolicy::Refuse,
    }
}

fn is_uri(text: &str) -> bool {
    ["sip:", "tel:"].iter().any(|scheme| text.starts_with(scheme))
}

/// The tables of a key, without a fault where there are none: that was said before.
fn tables<'a>(section: &Section<'a>, key: &'static str) -> Vec<Section<'a>> {
    let entry = section.entry(key).filter(Entry::is_array);
    let elements = entry.map(|entry| entry.elements()).unwrap_or_default();
    elements.iter().filter(|one| one.is_table()).filter_map(Entry::table).collect()
}

/// A fault for each REFER of these tables that points nowhere. why apart: a callee may refer to
/// one that comes later in the file.
pub(crate) fn check(root: &Section<'_>, callees: &[Callee]) {
    let of_callees = tables(root, "callee");
    if of_callees.len() != callees.len() {
        // why: some of them has a fault of its own, and may be the one.
        return;
    }
    let parties = tables(root, "caller").into_iter().chain(of_callees);
    for refer in parties.flat_map(|party| tables(&party, "refers")) {
        let Some(entry) = refer.entry("to") else { continue };
        let Some(text) = entry.as_text() else { continue };
        let known = || callees.iter().map(|callee| callee.name.as_str());
        if is_uri(text) {
            let readable = sip::Uri::parse(text).is_ok();
            if !readable || text.len() > ADDRESS_MAX || text.contains(['<', '>', '?']) {
                let expected = format!(
                    "at most {ADDRESS_MAX} characters, without headers: \"sip:bob@a.example\""
                );
                entry.fault("no URI that can be referred to", &expected);
            }
        } else if !known().any(|name| name == text) {
            let names: Vec<&str> = known().collect();
            let expected = format!("a sip: or tel: URI, or one of {}", names.join(", "));
            entry.unresolved("no such callee", &expected, nearest(text, known()));
        }
    }
}

/// Gives a phone what it sends.
pub(crate) fn give(phone: &mut Phone, referrals: &[Referral], callees: &[Callee]) {
    let refers = referrals.iter().map(|referral| {
        let callee = callees.iter().find(|callee| callee.name == referral.to);
        let uri = callee.map_or_else(|| referral.to.clone(), |callee| uri_of(&callee.reached));
        let headers = referral.silent.then(|| ("Refer-Sub".to_owned(), "false".to_owned()));
        let to = match referral.replaces {
            true => ReferTo::OtherCall(uri),
            false => ReferTo::Address(format!("<{uri}>")),
        };
        let (headers, leaves) = (headers.into_iter().collect(), !referral.stays);
        Refer { after: referral.at, is_early: false, to, headers, leaves }
    });
    phone.refers = refers.collect();
}

/// How a phone of ours would call it.
fn uri_of(reached: &Reached) -> String {
    match reached {
        Reached::User(user) | Reached::Number { number: user, .. } => {
            format!("sip:{user}@{}", SWITCH.ip())
        }
        Reached::Uri { user, host, port } => format!("sip:{user}@{host}:{port}"),
    }
}

/// What the REFERs of a party got, and were told at last, beside what was expected.
pub(crate) fn broken(world: &World, name: &str, referrals: &[Referral]) -> Vec<Broken> {
    let Some(phone) = world.line(name) else { return Vec::new() };
    let mut broken = Vec::new();
    let shown = |status: Option<u16>| status.map_or("nothing".to_owned(), |s| s.to_string());
    for (place, referral) in referrals.iter().enumerate() {
        let answered = phone.referred.get(place);
        let last = answered.and_then(|(number, _)| {
            phone.notified.iter().find(|(of, _, ends)| of == number && *ends)
        });
        let (got, told) = (answered.map(|(_, status)| *status), last.map(|(_, s, _)| *s));
        let pairs = [
            ("REFER gets", referral.gets.map(Some), got),
            ("REFER is told at last", referral.told, told),
        ];
        for (what, expected, got) in pairs {
            if let Some(expected) = expected.filter(|expected| *expected != got) {
                let what = format!("{name}: its {what}");
                broken.push(Broken { what, expected: shown(expected), got: shown(got) });
            }
        }
    }
    broken
}

/// Two parties that hear each other, in alphabetical order.
type Pair = [String; 2];

fn pair(one: &str, other: &str) -> Pair {
    let mut pair = [one.to_owned(), other.to_owned()];
    pair.sort_unstable();
    pair
}

/// `bridges` of `[expect]`: `[["caller", "mobile"], ["caller", "office"]]`.
pub(crate) fn bridges(
    section: &Section<'_>,
    callers: &[Caller],
    callees: &[Callee],
) -> Option<Vec<Pair>> {
    let entry = section.entry("bridges")?;
    let callers = callers.iter().map(|caller| caller.name.as_str());
    let known: Vec<&str> = callers.chain(callees.iter().map(|c| c.name.as_str())).collect();
    let mut pairs = Vec::new();
    let elements = entry.elements();
    if elements.len() > LIST_MAX {
        entry.fault("too many of them", &format!("at most {LIST_MAX}"));
    }
    for element in elements.iter().take(LIST_MAX) {
        let names = element.elements();
        let mut texts = Vec::new();
        for name in &names {
            let Some(text) = name.text() else { continue };
            if !known.contains(&text) {
                let expected = format!("one of {}", known.join(", "));
                name.unresolved("no such party", &expected, nearest(text, known.iter().copied()));
            }
            texts.push(text);
        }
        match texts.as_slice() {
            [one, other] => pairs.push(pair(one, other)),
            _ => element.fault("no pair", "two parties such as [\"caller\", \"mobile\"]"),
        }
    }
    Some(pairs)
}

/// Who was connected with whom, in order; the same pair once where nothing came between.
pub(crate) fn connected(world: &World, name_of: impl Fn(IpAddr) -> Option<String>) -> Vec<Pair> {
    let name = |ip: &IpAddr| name_of(*ip).unwrap_or_else(|| ip.to_string());
    let pairs = world.bridges.iter().map(|(one, other)| pair(&name(one), &name(other)));
    let mut pairs: Vec<Pair> = pairs.collect();
    pairs.dedup();
    pairs
}

/// As a report shows them.
pub(crate) fn shown(pairs: &[Pair]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|pair| pair.join(" and ")).collect();
    format!("[{}]", pairs.join(", "))
}
