//! What a party does in a call that is up, and what there is to hear: `keys`, `holds`, `[[sound]]`.
//! Transfers are in `refers`.
//!
//! Times count from the answer of the call. Nothing runs here; the phones of the testkit do it.

use std::time::Duration;

use testkit::Offer;

use super::refers::{self, Referral};
use crate::config::{Entry, Section};

/// Longest time that a party may take for anything, and that a sound may last.
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);
/// Shortest sound.
const SOUND_MIN: Duration = Duration::from_millis(1);
/// Most keys that are pressed at once.
const KEYS_MAX: usize = 32;
/// Keys of one text are pressed so far apart.
const KEYS_APART: Duration = Duration::from_millis(200);
/// Most sounds, and most texts of keys or holds of one party.
const LIST_MAX: usize = 100;
/// What a telephone has keys for (RFC 4733 §3.2).
const KEYS: &str = "0123456789*#ABCD";

/// What a party does while its call is up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Talk {
    /// What it presses, and when.
    pub(crate) keys: Vec<(Duration, char)>,
    /// How it holds the other party, and talks again.
    pub(crate) offers: Vec<(Duration, Offer)>,
    /// To whom it refers the other party.
    pub(crate) refers: Vec<Referral>,
}

/// Audio that can be had.
#[derive(Clone, Debug)]
pub(crate) struct Sound {
    /// As the list of verbs writes it.
    pub(crate) url: String,
    /// How long it is.
    pub(crate) lasts: Duration,
}

fn time(section: &Section<'_>, key: &'static str, expected: &str) -> Option<Duration> {
    section.required(key, expected).and_then(|entry| entry.duration(Duration::ZERO..=TIME_MAX))
}

/// The tables of this key; a fault and none where there are too many.
fn at_most<'a>(parent: &Section<'a>, key: &'static str) -> Vec<Section<'a>> {
    let sections = parent.list(key);
    match parent.entry(key) {
        Some(entry) if sections.len() > LIST_MAX => {
            entry.fault("too many of them", &format!("at most {LIST_MAX}"));
            Vec::new()
        }
        _ => sections,
    }
}

/// `keys`, `holds` and `refers` of a party.
pub(crate) fn talk(party: &Section<'_>) -> Talk {
    let keys = at_most(party, "keys").into_iter().filter_map(keys).flatten().collect();
    let offers = at_most(party, "holds").into_iter().filter_map(hold).flatten().collect();
    Talk { keys, offers, refers: refers::read(party) }
}

/// `{ press = "12#", at = "3s" }`
fn keys(section: Section<'_>) -> Option<Vec<(Duration, char)>> {
    let press = section.required("press", "the keys, such as \"1\" or \"*2\"");
    let press = press.and_then(|entry| pressed(&entry));
    let at = time(&section, "at", "when, such as \"3s\" after the answer");
    section.finish();
    let times = (0..).map(|place| at.unwrap_or_default() + KEYS_APART * place);
    Some(times.zip(press?).collect())
}

fn pressed(entry: &Entry<'_>) -> Option<Vec<char>> {
    let text = entry.text()?.to_ascii_uppercase();
    if text.is_empty() || text.len() > KEYS_MAX || !text.chars().all(|key| KEYS.contains(key)) {
        entry.fault("no keys", &format!("1 to {KEYS_MAX} of {KEYS}"));
        return None;
    }
    Some(text.chars().collect())
}

/// `{ at = "2s", until = "5s", silent = true }`
fn hold(section: Section<'_>) -> Option<Vec<(Duration, Offer)>> {
    let at = time(&section, "at", "when, such as \"3s\" after the answer");
    let until = section.entry("until");
    let ends = until.as_ref().and_then(|entry| entry.duration(Duration::ZERO..=TIME_MAX));
    let silent = section.entry("silent").and_then(|entry| entry.boolean()).unwrap_or_default();
    if let (Some(at), Some(ends), Some(entry)) = (at, ends, &until)
        && ends <= at
    {
        entry.fault("it ends before it begins", "a time after at");
    }
    section.finish();
    let begins = (at?, if silent { Offer::Rests } else { Offer::Holds });
    let ends = ends.map(|ends| (ends, Offer::Talks));
    Some(std::iter::once(begins).chain(ends).collect())
}

/// All `[[sound]]`s.
pub(crate) fn sounds(root: &Section<'_>) -> Vec<Sound> {
    let sound = |section: Section<'_>| {
        let url = section.required("url", "the audio as the list of verbs names it");
        let url = url.and_then(|entry| entry.text().map(str::to_owned));
        let lasts = section.required("lasts", "how long it is, such as \"4s\"");
        let lasts = lasts.and_then(|entry| entry.duration(SOUND_MIN..=TIME_MAX));
        section.finish();
        Some(Sound { url: url?, lasts: lasts? })
    };
    at_most(root, "sound").into_iter().filter_map(sound).collect()
}
