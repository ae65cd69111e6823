//! A table of bounded size that forgets what was not touched for the longest time.
//!
//! For what is remembered of peers that nobody asked to come: an attacker with many addresses
//! makes it forget others, and never makes it grow. Lookups and changes cost the logarithm of its
//! size.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

/// Where a request comes from, as far as one party can be told from another: an IPv4 address, or
/// the 64 bits of an IPv6 address that a customer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Source {
        Source(match ip.to_canonical() {
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Recent<K, V> {
    most: usize,
    entries: BTreeMap<K, (Instant, V)>,
    order: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Clone, V> Recent<K, V> {
    /// An empty table of at most so many entries.
    pub fn new(most: usize) -> Recent<K, V> {
        Recent { most, entries: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// What is remembered of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// When a key was touched last.
    pub fn touched(&self, key: &K) -> Option<Instant> {
        self.entries.get(key).map(|(at, _)| *at)
    }

    /// What is remembered of a key, to be changed; a new entry begins with `first`. The entry is
    /// then the last one to be forgotten.
    pub fn touch(&mut self, now: Instant, key: K, first: impl FnOnce() -> V) -> &mut V {
        if let Some((at, _)) = self.entries.get(&key) {
            self.order.remove(&(*at, key.clone()));
        } else if self.entries.len() >= self.most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.order.insert((now, key.clone()));
        let entry = self.entries.entry(key).or_insert_with(|| (now, first()));
        entry.0 = now;
        &mut entry.1
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        if let Some((at, _)) = self.entries.remove(key) {
            self.order.remove(&(at, key.clone()));
        }
    }

    /// Entries that are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin; the tests add to it")]
    fn epoch() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_full_table_forgets_what_was_not_touched_for_longest() {
        let (start, mut table) = (epoch(), Recent::new(3));
        let at = |seconds| start + Duration::from_secs(seconds);
        for (seconds, key) in [(1, 'a'), (2, 'b'), (3, 'c'), (4, 'a')] {
            *table.touch(at(seconds), key, || 0) += 1;
        }
        table.touch(at(5), 'd', || 0);
        assert_eq!((table.get(&'a'), table.get(&'b'), table.len()), (Some(&2), None, 3));
        assert_eq!(table.touched(&'a'), Some(at(4)));
        table.remove(&'a');
        table.touch(at(6), 'e', || 0);
        assert_eq!((table.get(&'c'), table.len(), table.order.len()), (Some(&1), 3, 3));
    }

    #[test]
    fn one_party_is_one_source() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
