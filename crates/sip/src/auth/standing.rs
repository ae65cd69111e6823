//! What an address has proved, and how often it has failed to: the brake on guessing passwords.
//!
//! Failures count for each user that an address tries, and for the address as a whole. Above a
//! free number each further one locks for twice as long as the one before, up to [`LOCK_MAX`]; an
//! hour without any is forgiven. Who is locked out is answered as if the password were wrong, so
//! that a guess made then tells nothing; that answer is the caller's.
//!
//! A stranger's failures lock nobody else out: a user who comes from another address is not
//! concerned, and one who has proved itself from the same address (an office behind one NAT) is
//! not concerned by what the address did under other names. What is counted has to come from
//! where it says it comes: only answers to a challenge that this address was given count
//! ([`Challenger`](super::challenge::Challenger) binds its nonces to it).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::recent::{Recent, Source};

/// Wrong passwords for one user from one address that cost nothing.
pub const USER_FAILURES_FREE: u32 = 5;
/// Wrong passwords from one address, for whatever users, that cost nothing.
pub const SOURCE_FAILURES_FREE: u32 = 20;
/// How long the first failure above the free ones locks; each further one twice as long.
pub const LOCK_MIN: Duration = Duration::from_secs(2);
/// The longest lock.
pub const LOCK_MAX: Duration = Duration::from_secs(15 * 60);
/// After so long without a failure all of them are forgiven.
pub const FORGIVEN_AFTER: Duration = Duration::from_secs(3600);
/// For how long an address that proved a user is known.
pub const KNOWN_FOR: Duration = Duration::from_secs(3600);
/// Addresses, and as many pairs of address and user, whose failures are remembered.
pub const FAILURES_MAX: usize = 16_384;
/// Pairs of address and user that are known, and as many addresses.
pub const KNOWN_MAX: usize = 65_536;

/// A user name of any length in a fixed space.
type UserKey = [u8; 16];

/// Failures in a row.
#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
    locked_until: Option<Instant>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Standing {
    of_source: Recent<Source, Failures>,
    of_user: Recent<(Source, UserKey), Failures>,
    known_sources: Recent<Source, ()>,
    known_users: Recent<(Source, UserKey), ()>,
    locks: u64,
}

impl Default for Standing {
    fn default() -> Standing {
        Standing {
            of_source: Recent::new(FAILURES_MAX),
            of_user: Recent::new(FAILURES_MAX),
            known_sources: Recent::new(KNOWN_MAX),
            known_users: Recent::new(KNOWN_MAX),
            locks: 0,
        }
    }
}

impl Standing {
    /// Nobody has done anything yet.
    pub fn new() -> Standing {
        Standing::default()
    }

    /// Whether this user is locked out at this address, whatever its password.
    pub fn is_locked(&self, now: Instant, source: IpAddr, user: &str) -> bool {
        let pair = (Source::from(source), user_key(user));
        let known = is_recent(now, self.known_users.touched(&pair), KNOWN_FOR);
        is_locked(now, self.of_user.get(&pair)) || !known && self.is_source_locked(now, source)
    }

    /// Whether everybody who is not known there is locked out at this address.
    pub fn is_source_locked(&self, now: Instant, source: IpAddr) -> bool {
        is_locked(now, self.of_source.get(&source.into()))
    }

    /// A wrong password, in answer to a challenge that this address was given. To be told only
    /// where [`Standing::is_locked`] said no.
    pub fn failed(&mut self, now: Instant, source: IpAddr, user: &str) {
        let source = Source::from(source);
        let fresh = || Failures { count: 0, last: now, locked_until: None };
        let of_source = self.of_source.touch(now, source, fresh).add(now, SOURCE_FAILURES_FREE);
        let pair = (source, user_key(user));
        let of_user = self.of_user.touch(now, pair, fresh).add(now, USER_FAILURES_FREE);
        self.locks += u64::from(of_source) + u64::from(of_user);
    }

    /// How often somebody was locked out, an address or a user at one.
    pub fn locks(&self) -> u64 {
        self.locks
    }

    /// The right password.
    pub fn proved(&mut self, now: Instant, source: IpAddr, user: &str) {
        let source = Source::from(source);
        let pair = (source, user_key(user));
        self.of_user.remove(&pair);
        self.known_users.touch(now, pair, || ());
        self.known_sources.touch(now, source, || ());
    }

    /// Whether some user has proved itself from this address of late.
    pub fn is_known(&self, now: Instant, source: IpAddr) -> bool {
        is_recent(now, self.known_sources.touched(&source.into()), KNOWN_FOR)
    }

    /// Entries that are remembered, all together.
    pub fn remembered(&self) -> usize {
        self.of_source.len()
            + self.of_user.len()
            + self.known_sources.len()
            + self.known_users.len()
    }
}

impl Failures {
    /// One more; whether it locks.
    fn add(&mut self, now: Instant, free: u32) -> bool {
        if now.saturating_duration_since(self.last) > FORGIVEN_AFTER {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last = now;
        self.locked_until = self.count.checked_sub(free + 1).map(|above| {
            let lock = 2_u32.checked_pow(above).and_then(|factor| LOCK_MIN.checked_mul(factor));
            now + lock.unwrap_or(LOCK_MAX).min(LOCK_MAX)
        });
        self.locked_until.is_some()
    }
}

fn is_locked(now: Instant, failures: Option<&Failures>) -> bool {
    failures.and_then(|failures| failures.locked_until).is_some_and(|until| now < until)
}

fn is_recent(now: Instant, at: Option<Instant>, span: Duration) -> bool {
    at.is_some_and(|at| now.saturating_duration_since(at) <= span)
}

fn user_key(user: &str) -> UserKey {
    let mut key = [0; 16];
    key.iter_mut().zip(Sha256::digest(user)).for_each(|(to, from)| *to = from);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin; the tests add to it")]
    fn epoch() -> Instant {
        Instant::now()
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, last])
    }

    /// Fails as fast as it is let, for so long: how many guesses were judged, and the longest
    /// time between two.
    fn guesses(standing: &mut Standing, users: &[&str], span: Duration) -> (u32, Duration) {
        let (start, second) = (epoch(), Duration::from_secs(1));
        let (mut now, mut last, mut judged, mut longest) = (start, start, 0, Duration::ZERO);
        while now < start + span {
            for user in users {
                if !standing.is_locked(now, ip(1), user) {
                    standing.failed(now, ip(1), user);
                    judged += 1;
                    longest = longest.max(now - last);
                    last = now;
                }
            }
            now += second;
        }
        (judged, longest)
    }

    #[test]
    fn each_further_failure_locks_for_twice_as_long_up_to_a_limit() {
        let (mut standing, mut now) = (Standing::new(), epoch());
        for _ in 0..USER_FAILURES_FREE {
            assert!(!standing.is_locked(now, ip(1), "jane"));
            standing.failed(now, ip(1), "jane");
        }
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            standing.failed(now, ip(1), "jane");
            let lock = Duration::from_secs(seconds);
            assert!(standing.is_locked(now + lock - Duration::from_millis(1), ip(1), "jane"));
            now += lock;
            assert!(!standing.is_locked(now, ip(1), "jane"), "after {seconds} s");
        }
    }

    #[test]
    fn a_day_of_guessing_is_a_hundred_guesses() {
        let day = Duration::from_secs(24 * 3600);
        for users in [&["jane"][..], &["a", "b", "c", "d", "e", "f", "g", "h"]] {
            let (judged, longest) = guesses(&mut Standing::new(), users, day);
            assert!((50..150).contains(&judged), "{judged} of {users:?}");
            assert!(longest >= LOCK_MAX);
        }
    }

    #[test]
    fn a_strangers_failures_lock_no_user_out_elsewhere() {
        let mut standing = Standing::new();
        let now = epoch();
        for _ in 0..=USER_FAILURES_FREE {
            standing.failed(now, ip(1), "jane");
        }
        assert!(standing.is_locked(now, ip(1), "jane"));
        assert!(!standing.is_locked(now, ip(2), "jane"), "the user from elsewhere");
    }

    #[test]
    fn who_proved_itself_is_not_concerned_by_what_neighbours_do() {
        let (mut standing, now) = (Standing::new(), epoch());
        standing.proved(now, ip(1), "jane");
        for user in 0..=SOURCE_FAILURES_FREE {
            standing.failed(now, ip(1), &format!("user{user}"));
        }
        assert!(standing.is_source_locked(now, ip(1)));
        assert!(standing.is_locked(now, ip(1), "joe"));
        assert!(!standing.is_locked(now, ip(1), "jane"));
        let later = now + KNOWN_FOR + Duration::from_secs(1);
        assert!(standing.is_known(now, ip(1)) && !standing.is_known(later, ip(1)));
    }

    #[test]
    fn the_right_password_and_an_hour_forgive() {
        let (mut standing, now) = (Standing::new(), epoch());
        for _ in 0..USER_FAILURES_FREE {
            standing.failed(now, ip(1), "jane");
        }
        standing.proved(now, ip(1), "jane");
        standing.failed(now, ip(1), "jane");
        assert!(!standing.is_locked(now, ip(1), "jane"), "the count began again");
        let mut standing = Standing::new();
        for _ in 0..USER_FAILURES_FREE {
            standing.failed(now, ip(1), "jane");
        }
        let later = now + FORGIVEN_AFTER + Duration::from_secs(1);
        standing.failed(later, ip(1), "jane");
        assert!(!standing.is_locked(later, ip(1), "jane"));
    }

    #[test]
    fn however_many_try_the_memory_is_bounded() {
        let (mut standing, now) = (Standing::new(), epoch());
        for number in 0..2 * u32::try_from(FAILURES_MAX).unwrap() {
            let [_, a, b, c] = number.to_be_bytes();
            let user = "x".repeat(100) + &number.to_string();
            standing.failed(now, IpAddr::from([10, a, b, c]), &user);
        }
        assert_eq!(standing.remembered(), 2 * FAILURES_MAX);
    }
}
