//! What many dials came to, together.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Played, play};
use crate::judge::crossings::Meter;

/// Failing seeds that are kept; more of them say nothing new.
const BROKEN_MAX: usize = 20;

/// Counts over dials that were played.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Dials that were played.
    pub played: u64,
    /// Results of dials, by `dial_call_status`.
    pub results: BTreeMap<String, u64>,
    /// What crossed what.
    pub meter: Meter,
    /// Seeds for which something broke: the first of them, and what.
    pub broken: BTreeMap<u64, String>,
    /// How many there were.
    pub broken_count: u64,
}

impl Tally {
    /// Plays the dial of this seed, and counts it; also where it panics.
    pub fn play(&mut self, seed: u64) {
        self.played += 1;
        match catch_unwind(AssertUnwindSafe(|| play(seed))) {
            Ok(played) => self.count(seed, &played),
            Err(_) => self.broke(seed, "it panicked".to_owned()),
        }
    }

    fn count(&mut self, seed: u64, played: &Played) {
        let asked = played.world.application.asked_at(super::plan::DONE);
        for status in asked.iter().filter_map(|asked| asked.payload["dial_call_status"].as_str()) {
            *self.results.entry(status.to_owned()).or_default() += 1;
        }
        self.meter.add(played.world.judge.meter());
        if let Err(broken) = &played.verdict {
            self.broke(seed, broken.clone());
        }
    }

    fn broke(&mut self, seed: u64, what: String) {
        self.broken_count += 1;
        self.broken.insert(seed, what);
        if self.broken.len() > BROKEN_MAX {
            self.broken.pop_last();
        }
    }

    /// Adds what others have played.
    pub fn add(&mut self, other: Tally) {
        self.played += other.played;
        for (status, count) in other.results {
            *self.results.entry(status).or_default() += count;
        }
        self.meter.add(&other.meter);
        let count = self.broken_count + other.broken_count;
        other.broken.into_iter().for_each(|(seed, what)| self.broke(seed, what));
        self.broken_count = count;
    }

    /// Results of this kind.
    pub fn of(&self, status: &str) -> u64 {
        self.results.get(status).copied().unwrap_or_default()
    }
}
