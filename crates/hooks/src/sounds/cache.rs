//! Sounds that were fetched: fresh, stale, or failed a moment ago.
//!
//! Bounded in bytes and in entries; what was asked for least recently goes first. Time comes in
//! as `now`, so that a test has no need to wait. It fetches nothing and decides nothing about
//! freshness; it is told until when an entry counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::fault::SoundFailure;
use super::file::Stamp;
use super::freshness::Validators;
use super::url::Source;

/// What each entry counts beside its sound and its key: what it is asked about with, and the
/// bookkeeping.
const ENTRY_OVERHEAD: usize = 1024;

/// What a stale sound is compared by with what its source has now.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    Http(Validators),
    File(Stamp),
}

/// A sound that must be asked about before it is used.
#[derive(Clone, Debug)]
pub(super) struct Stale<T> {
    pub(super) sound: T,
    /// What its source is asked with.
    pub(super) proof: Proof,
    /// What it weighs.
    pub(super) weight: usize,
}

/// How an asker was answered, and for how long the next one is answered so.
#[derive(Clone, Debug)]
pub(super) struct Landing<T> {
    /// The sound, or why there is none.
    pub(super) outcome: Result<T, SoundFailure>,
    /// How it can be asked about once it is stale; then it is worth keeping.
    pub(super) proof: Option<Proof>,
    /// For how long it is fresh.
    pub(super) fresh_for: Duration,
    /// Bytes that the sound takes in memory.
    pub(super) weight: usize,
}

struct Entry<T> {
    landing: Landing<T>,
    fresh_until: Instant,
    /// When it was last asked for, as a count of all that was asked for.
    used: u64,
    weight: usize,
}

/// See the module.
pub(super) struct Cache<T> {
    entries: BTreeMap<Source, Entry<T>>,
    weight: usize,
    uses: u64,
    weight_max: usize,
    entries_max: usize,
}

impl<T: Clone> Cache<T> {
    pub(super) fn new(weight_max: usize, entries_max: usize) -> Cache<T> {
        Cache { entries: BTreeMap::new(), weight: 0, uses: 0, weight_max, entries_max }
    }

    /// What `source` is answered with, without asking anybody.
    pub(super) fn fresh(
        &mut self,
        source: &Source,
        now: Instant,
    ) -> Option<Result<T, SoundFailure>> {
        self.uses += 1;
        let entry = self.entries.get_mut(source)?;
        entry.used = self.uses;
        (now < entry.fresh_until).then(|| entry.landing.outcome.clone())
    }

    /// What can be asked about, fresh or not.
    pub(super) fn stale(&self, source: &Source) -> Option<Stale<T>> {
        let landing = &self.entries.get(source)?.landing;
        let sound = landing.outcome.as_ref().ok()?.clone();
        Some(Stale { sound, proof: landing.proof.clone()?, weight: landing.weight })
    }

    /// Replaces what is there of `source`, if it is worth keeping, and makes room for it.
    pub(super) fn land(&mut self, source: &Source, landing: Landing<T>, now: Instant) {
        self.remove(source);
        let is_of_use =
            !landing.fresh_for.is_zero() || (landing.outcome.is_ok() && landing.proof.is_some());
        // The key is there twice: the proof names the URL as well.
        let overhead = 2 * source.weight() + ENTRY_OVERHEAD;
        let weight = landing.weight.saturating_add(overhead);
        if !is_of_use || weight > self.weight_max || self.entries_max == 0 {
            return;
        }
        while self.entries.len() >= self.entries_max || self.weight + weight > self.weight_max {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some((oldest, _)) = oldest else { break };
            self.remove(&oldest.clone());
        }
        let fresh_until = now + landing.fresh_for;
        self.uses += 1;
        let entry = Entry { landing, fresh_until, used: self.uses, weight };
        self.weight += weight;
        self.entries.insert(source.clone(), entry);
    }

    fn remove(&mut self, source: &Source) {
        if let Some(entry) = self.entries.remove(source) {
            self.weight -= entry.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sounds::fault::Fault;

    const SECOND: Duration = Duration::from_secs(1);
    /// What an entry weighs with a key of one byte and a sound of none.
    const EMPTY: usize = ENTRY_OVERHEAD + 2;

    fn source(name: &str) -> Source {
        Source::File { path: name.into(), anywhere: true }
    }

    fn sound(name: &'static str, weight: usize) -> Landing<&'static str> {
        Landing { outcome: Ok(name), proof: None, fresh_for: SECOND, weight }
    }

    fn proof() -> Proof {
        let url = reqwest::Url::parse("http://h/").expect("a URL");
        Proof::Http(Validators::of(&url, &reqwest::header::HeaderMap::new()))
    }

    #[test]
    fn a_sound_is_fresh_for_its_time_and_stale_afterwards() {
        let (mut cache, now) = (Cache::new(10_000, 10), Instant::now());
        cache.land(&source("a"), Landing { proof: Some(proof()), ..sound("a", 7) }, now);
        assert_eq!(cache.fresh(&source("a"), now + SECOND / 2), Some(Ok("a")));
        assert_eq!(cache.fresh(&source("a"), now + SECOND), None);
        let stale = cache.stale(&source("a")).expect("still there");
        assert_eq!((stale.sound, stale.weight), ("a", 7));
        assert_eq!(cache.fresh(&source("b"), now), None);
    }

    #[test]
    fn the_same_place_in_another_trust_is_another_sound() {
        let (mut cache, now) = (Cache::new(10_000, 10), Instant::now());
        cache.land(&source("a"), sound("a", 7), now);
        let named = Source::File { path: "a".into(), anywhere: false };
        assert_eq!(cache.fresh(&named, now), None);
    }

    #[test]
    fn a_failure_is_remembered_for_its_time_and_cannot_be_asked_about() {
        let (mut cache, now) = (Cache::<&str>::new(10_000, 10), Instant::now());
        let failure = SoundFailure::new("a", &Fault::NoFile);
        let outcome = Err(failure.clone());
        let landing = Landing { outcome, proof: Some(proof()), fresh_for: SECOND, weight: 0 };
        cache.land(&source("a"), landing, now);
        assert_eq!(cache.fresh(&source("a"), now), Some(Err(failure)));
        assert_eq!(cache.fresh(&source("a"), now + SECOND), None);
        assert!(cache.stale(&source("a")).is_none());
    }

    #[test]
    fn what_nobody_could_use_again_is_not_kept() {
        let (mut cache, now) = (Cache::new(10_000, 10), Instant::now());
        cache.land(&source("a"), sound("old", 7), now);
        let gone = Landing { fresh_for: Duration::ZERO, ..sound("new", 7) };
        cache.land(&source("a"), gone, now);
        assert_eq!((cache.entries.len(), cache.weight), (0, 0));
    }

    #[test]
    fn the_least_recently_used_makes_room() {
        let each = 1000 + EMPTY;
        let (mut cache, now) = (Cache::new(3 * each, 10), Instant::now());
        for name in ["a", "b", "c"] {
            cache.land(&source(name), sound(name, 1000), now);
        }
        assert!(cache.fresh(&source("a"), now).is_some());
        cache.land(&source("d"), sound("d", 1000), now);
        let mut there = |name| cache.fresh(&source(name), now).is_some();
        assert_eq!(["a", "b", "c", "d"].map(&mut there), [true, false, true, true]);
        cache.land(&source("e"), sound("e", 2000), now);
        let mut there = |name| cache.fresh(&source(name), now).is_some();
        assert_eq!(["a", "c", "d", "e"].map(&mut there), [false, false, true, true]);
        assert_eq!(cache.weight, 3000 + 2 * EMPTY);
    }

    #[test]
    fn entries_are_bounded_and_what_is_too_heavy_is_not_kept() {
        let (mut cache, now) = (Cache::new(10_000, 2), Instant::now());
        for name in ["a", "b", "c"] {
            cache.land(&source(name), sound(name, 1), now);
        }
        assert_eq!(cache.entries.len(), 2);
        assert_eq!(cache.fresh(&source("a"), now), None);
        cache.land(&source("b"), sound("b", 10_000), now);
        assert_eq!(cache.fresh(&source("b"), now), None, "what was there is outdated");
        assert_eq!(cache.fresh(&source("c"), now), Some(Ok("c")));
        assert_eq!(cache.weight, 1 + EMPTY);
    }
}
