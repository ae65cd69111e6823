//! Who may ask: the bearer token, and how often an address may guess it.
//!
//! Owns the comparison and the count of wrong tokens. Which routes need a token is decided where
//! the routes are.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// Wrong tokens of one address within [`FAILURES_WINDOW`] before nothing more is taken from it.
pub const FAILURES_MAX: u32 = 100;
/// How long wrong tokens are counted.
pub const FAILURES_WINDOW: Duration = Duration::from_secs(60);
/// Addresses whose wrong tokens are counted at one time; above it the oldest is forgotten.
pub const ADDRESSES_MAX: usize = 4096;

/// What became of the question for the token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Granted,
    /// No token, or a wrong one.
    Denied,
    /// Too many wrong ones before; ask again after that time.
    Locked(Duration),
}

/// Wrong tokens by address.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    by_address: BTreeMap<IpAddr, (Instant, u32)>,
}

impl Guesses {
    /// Judges a request from `address` that carries `given`.
    pub(crate) fn judge(
        &mut self,
        now: Instant,
        address: IpAddr,
        given: Option<&str>,
        token: &str,
    ) -> Access {
        let address = network(address);
        if let Some(wait) = self.locked(now, address) {
            return Access::Locked(wait);
        }
        match given {
            // why: a client that forgot its token guesses nothing.
            None => Access::Denied,
            Some(given) if same(given, token) => Access::Granted,
            Some(_) => {
                self.count(now, address);
                Access::Denied
            }
        }
    }

    fn locked(&self, now: Instant, address: IpAddr) -> Option<Duration> {
        let (since, count) = self.by_address.get(&address)?;
        let rest = FAILURES_WINDOW.checked_sub(now.saturating_duration_since(*since))?;
        (*count >= FAILURES_MAX && !rest.is_zero()).then_some(rest)
    }

    fn count(&mut self, now: Instant, address: IpAddr) {
        if !self.by_address.contains_key(&address) && self.by_address.len() >= ADDRESSES_MAX {
            let oldest = self.by_address.iter().min_by_key(|(_, (since, _))| *since);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.by_address.remove(&oldest);
            }
        }
        let entry = self.by_address.entry(address).or_insert((now, 0));
        if now.saturating_duration_since(entry.0) >= FAILURES_WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

/// Who guesses from one IPv6 network has all of its addresses.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.into(),
            None => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        },
    }
}

/// The token of `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    // why: where no token is set, none must be the right one.
    let token = Some(token.trim()).filter(|token| !token.is_empty());
    token.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
}

/// Whether both are the same, in a time that depends on neither: digests are compared, all of
/// them.
fn same(given: &str, token: &str) -> bool {
    let (given, token) = (Sha256::digest(given), Sha256::digest(token));
    given.iter().zip(&token).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_that_guesses_is_locked_out_for_a_while_and_others_are_not() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..FAILURES_MAX {
            assert_eq!(guesses.judge(start, one, Some("wrong"), "right"), Access::Denied);
        }
        let later = start + Duration::from_secs(20);
        let wait = Access::Locked(Duration::from_secs(40));
        assert_eq!(guesses.judge(later, one, Some("right"), "right"), wait);
        assert_eq!(guesses.judge(later, other, Some("right"), "right"), Access::Granted);
        let over = start + FAILURES_WINDOW;
        assert_eq!(guesses.judge(over, one, Some("wrong"), "right"), Access::Denied);
        assert_eq!(guesses.judge(over, one, Some("right"), "right"), Access::Granted);
    }

    #[test]
    fn a_request_without_a_token_is_no_guess() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..=FAILURES_MAX {
            assert_eq!(guesses.judge(now, address("::1"), None, "right"), Access::Denied);
        }
        assert_eq!(guesses.judge(now, address("::1"), Some("right"), "right"), Access::Granted);
    }

    #[test]
    fn the_table_of_guesses_is_bounded_and_a_network_counts_as_one() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for number in 0..10_000u32 {
            let address = IpAddr::V4(number.into());
            let now = now + Duration::from_millis(u64::from(number));
            guesses.judge(now, address, Some("wrong"), "right");
        }
        assert_eq!(guesses.by_address.len(), ADDRESSES_MAX);
        assert_eq!(network(address("2001:db8::1:2:3:4")), address("2001:db8::"));
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn only_the_bearer_scheme_counts() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a value"));
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc").as_deref(), Some("abc"));
        assert_eq!(of("Basic abc"), None);
        assert_eq!(of("Bearer  "), None);
        assert_eq!(of("abc"), None);
    }
}
