//! The server's side of digest authentication: nonces given out and what became of them.
//!
//! Owns the shape of a nonce (time, serial number and an HMAC over both, the client's address and
//! the realm, so that none needs remembering until it was used), its life, and the table of nonce
//! counts that refuses replays. Credentials and passwords go in, a [`Verdict`] comes out; status
//! codes are the caller's. Only proven users take room in the table.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::digest::{Algorithm, Credentials, hex, same};
use crate::lex;
use crate::method::Method;

/// How long a nonce may be used.
pub const NONCE_LIFE: Duration = Duration::from_secs(300);

/// Most nonces whose count is remembered. Over it the oldest ones count as stale.
pub const NONCES_MAX: usize = 65_536;

/// Bytes of the HMAC that go into a nonce: 128 bits.
const NONCE_MAC_BYTES: usize = 16;

/// What credentials prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Name and password are right, the nonce is fresh and its count unused.
    Ok,
    /// The nonce was not given to this address, is too old, or was used with this count: challenge
    /// again with `stale`. Says nothing of the password: otherwise an invented nonce would do to
    /// guess it, and a forged source address to lock somebody else out.
    Stale,
    /// The password is wrong, or there is no such user: they look exactly the same. The nonce was
    /// given to this address, so whoever guessed is there.
    Wrong,
    /// Credentials that cannot be read, or ask for what was never offered.
    Unreadable,
}

/// Challenges and verifies, for any number of realms.
#[derive(Clone)]
pub struct Challenger {
    secret: [u8; 32],
    /// Zero of the times in nonces: the first `now`.
    epoch: Option<Instant>,
    serial: u32,
    /// Highest count seen of each nonce that was used.
    used: BTreeMap<Issue, u32>,
    /// Nonces up to here are stale: they made room in the table.
    forgotten: Option<Issue>,
}

/// What tells one nonce from another; in the order of issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Issue {
    milliseconds: u64,
    serial: u32,
}

/// The count of credentials without qop: such a nonce serves once.
const USED_UP: u32 = u32::MAX;

impl Challenger {
    /// The secret must be random and is never shown. Another one makes all nonces stale, so
    /// phones log in again without asking their users.
    pub fn new(secret: [u8; 32]) -> Challenger {
        Challenger { secret, epoch: None, serial: 0, used: BTreeMap::new(), forgotten: None }
    }

    /// Values for one WWW-Authenticate (or Proxy-Authenticate) header each, best first: SHA-256
    /// and MD5, both with `qop="auth"` and a nonce of their own making.
    ///
    /// `source` is the address of the client, the only one that may use the nonce; `stale` tells
    /// it to try again with the same password.
    pub fn challenge(
        &mut self,
        now: Instant,
        source: IpAddr,
        realm: &str,
        stale: bool,
    ) -> Vec<String> {
        self.serial = self.serial.wrapping_add(1);
        let issue = Issue { milliseconds: self.milliseconds(now), serial: self.serial };
        let nonce = self.nonce(issue, source, realm);
        let stale = if stale { ", stale=true" } else { "" };
        // RFC 8760 §2.6: one header per algorithm, the preferred one on top.
        [Algorithm::Sha256, Algorithm::Md5]
            .into_iter()
            .map(|algorithm| {
                let (realm, algorithm) = (lex::quote(realm), algorithm.as_str());
                format!(
                    "Digest realm={realm}, nonce=\"{nonce}\", algorithm={algorithm}, \
                     qop=\"auth\"{stale}"
                )
            })
            .collect()
    }

    /// Judges the value of an Authorization header.
    ///
    /// `password` is asked for the user of the credentials in their realm; `None` is an unknown
    /// user. It should take the same time either way.
    pub fn verify(
        &mut self,
        now: Instant,
        source: IpAddr,
        method: &Method,
        credentials: &str,
        password: impl FnOnce(&Credentials) -> Option<String>,
    ) -> Verdict {
        let Ok(credentials) = Credentials::parse(credentials) else {
            return Verdict::Unreadable;
        };
        let password = password(&credentials);
        // why: an unknown user costs the same arithmetic as a known one.
        let proven = credentials.prove(method, password.as_deref().unwrap_or_default());
        match self.issue_of(now, source, &credentials) {
            None => Verdict::Stale,
            Some(_) if !proven || password.is_none() => Verdict::Wrong,
            Some(issue) if self.count(now, issue, &credentials) => Verdict::Ok,
            Some(_) => Verdict::Stale,
        }
    }

    /// Whether these credentials answer a challenge that this address was given, and in time;
    /// cheap, and no word on the password.
    pub fn gave(&mut self, now: Instant, source: IpAddr, credentials: &str) -> bool {
        let credentials = Credentials::parse(credentials);
        credentials.is_ok_and(|credentials| self.issue_of(now, source, &credentials).is_some())
    }

    /// How many used nonces are remembered, at most [`NONCES_MAX`].
    pub fn remembered(&self) -> usize {
        self.used.len()
    }

    fn milliseconds(&mut self, now: Instant) -> u64 {
        let epoch = *self.epoch.get_or_insert(now);
        u64::try_from(now.saturating_duration_since(epoch).as_millis()).unwrap_or(u64::MAX)
    }

    fn nonce(&self, issue: Issue, source: IpAddr, realm: &str) -> String {
        let Issue { milliseconds, serial } = issue;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(&milliseconds.to_be_bytes());
        mac.update(&serial.to_be_bytes());
        match source.to_canonical() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.update(b"/");
        mac.update(realm.as_bytes());
        let mac = mac.finalize().into_bytes();
        let mac = hex(mac.get(..NONCE_MAC_BYTES).unwrap_or_default());
        format!("{milliseconds:016x}{serial:08x}{mac}")
    }

    /// When a nonce was given out, if it was by us, to this address, for this realm, and is not
    /// too old.
    fn issue_of(
        &mut self,
        now: Instant,
        source: IpAddr,
        credentials: &Credentials,
    ) -> Option<Issue> {
        let nonce = &credentials.nonce;
        let number = |range| u64::from_str_radix(nonce.get(range)?, 16).ok();
        let issue =
            Issue { milliseconds: number(0..16)?, serial: u32::try_from(number(16..24)?).ok()? };
        let ours = self.nonce(issue, source, &credentials.realm);
        let age = self.milliseconds(now).checked_sub(issue.milliseconds)?;
        let fresh = Duration::from_millis(age) <= NONCE_LIFE
            && self.forgotten.is_none_or(|forgotten| issue > forgotten);
        (same(ours.as_bytes(), nonce.as_bytes()) && fresh).then_some(issue)
    }

    /// Notes this use of a nonce; false if it is none after all uses before.
    fn count(&mut self, now: Instant, issue: Issue, credentials: &Credentials) -> bool {
        let count = credentials.counted.as_ref().map_or(USED_UP, |counted| counted.count);
        // RFC 7616 §3.4: counts start at 1 and rise.
        if count <= self.used.get(&issue).copied().unwrap_or_default() {
            return false;
        }
        self.used.insert(issue, count);
        let now = self.milliseconds(now);
        while let Some((&oldest, _)) = self.used.first_key_value() {
            let age = Duration::from_millis(now.saturating_sub(oldest.milliseconds));
            if age <= NONCE_LIFE && self.used.len() <= NONCES_MAX {
                break;
            }
            self.used.remove(&oldest);
            self.forgotten = self.forgotten.max(Some(oldest));
        }
        true
    }
}

/// Without the secret.
impl std::fmt::Debug for Challenger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenger").field("remembered", &self.used.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::digest::answer;
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin; the tests add to it")]
    fn epoch() -> Instant {
        Instant::now()
    }

    const REALM: &str = "pbx.example";
    const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

    fn client(challenge: &str, username: &str, password: &str, count: u32) -> String {
        let uri = "sip:pbx.example";
        answer(challenge, &Method::Register, uri, username, password, "c", count).unwrap()
    }

    fn judge(challenger: &mut Challenger, now: Instant, credentials: &str) -> Verdict {
        challenger.verify(now, SOURCE, &Method::Register, credentials, |credentials| {
            (credentials.username == "jane" && credentials.realm == REALM)
                .then(|| "secret".to_owned())
        })
    }

    #[test]
    fn either_algorithm_lets_the_right_password_in() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        for challenge in server.challenge(now, SOURCE, REALM, false) {
            let fresh = server.challenge(now, SOURCE, REALM, false);
            let same_algorithm =
                fresh.iter().find(|c| c.contains("SHA") == challenge.contains("SHA")).unwrap();
            let right = client(same_algorithm, "jane", "secret", 1);
            assert_eq!(judge(&mut server, now, &right), Verdict::Ok);
        }
    }

    #[test]
    fn wrong_password_and_unknown_user_look_the_same() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        let challenge = &server.challenge(now, SOURCE, REALM, false)[1];
        for (username, password) in [("jane", "wrong"), ("nobody", "secret"), ("nobody", "")] {
            let credentials = client(challenge, username, password, 1);
            assert_eq!(judge(&mut server, now, &credentials), Verdict::Wrong);
        }
        assert_eq!(judge(&mut server, now, "Basic x"), Verdict::Unreadable);
        assert_eq!(server.remembered(), 0, "only proven users take room");
    }

    #[test]
    fn a_count_serves_once_and_must_rise() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        let challenge = server.challenge(now, SOURCE, REALM, false).remove(0);
        for (count, verdict) in [
            (0, Verdict::Stale),
            (1, Verdict::Ok),
            (1, Verdict::Stale),
            (5, Verdict::Ok),
            (4, Verdict::Stale),
            (6, Verdict::Ok),
        ] {
            let credentials = client(&challenge, "jane", "secret", count);
            assert_eq!(judge(&mut server, now, &credentials), verdict, "count {count}");
        }
    }

    #[test]
    fn without_qop_a_nonce_serves_once() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        let challenge =
            server.challenge(now, SOURCE, REALM, false)[1].replace(", qop=\"auth\"", "");
        let old = client(&challenge, "jane", "secret", 1);
        assert_eq!(judge(&mut server, now, &old), Verdict::Ok);
        assert_eq!(judge(&mut server, now, &old), Verdict::Stale);
    }

    #[test]
    fn a_nonce_lives_five_minutes() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        let challenge = server.challenge(now, SOURCE, REALM, false).remove(0);
        let first = client(&challenge, "jane", "secret", 1);
        let second = client(&challenge, "jane", "secret", 2);
        assert_eq!(judge(&mut server, now + NONCE_LIFE, &first), Verdict::Ok);
        let late = now + NONCE_LIFE + Duration::from_millis(1);
        assert_eq!(judge(&mut server, late, &second), Verdict::Stale);
        let again = server.challenge(late, SOURCE, REALM, true);
        assert!(again.iter().all(|challenge| challenge.ends_with("stale=true")));
        let fresh = client(&again[0], "jane", "secret", 1);
        assert_eq!(judge(&mut server, late, &fresh), Verdict::Ok);
        assert_eq!(server.remembered(), 1, "the old nonce is forgotten");
    }

    #[test]
    fn nonces_of_others_are_stale_and_say_nothing_of_the_password() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        let mut before_restart = Challenger::new([8; 32]);
        let challenge = before_restart.challenge(now, SOURCE, REALM, false).remove(0);
        let right = client(&challenge, "jane", "secret", 1);
        assert_eq!(judge(&mut server, now, &right), Verdict::Stale);
        let wrong = client(&challenge, "jane", "guess", 1);
        assert_eq!(judge(&mut server, now, &wrong), Verdict::Stale);
        let elsewhere = server.challenge(now, SOURCE, "other.example", false).remove(0);
        let moved = client(&elsewhere.replace("other.example", REALM), "jane", "secret", 1);
        assert_eq!(judge(&mut server, now, &moved), Verdict::Stale, "a nonce is for its realm");
        for nonce in ["", "x", "0000000000000000000000000", "ü0000000000000000000000000000000"] {
            let forged = format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", qop=\"auth\"");
            let forged = client(&forged, "jane", "secret", 1);
            assert_eq!(judge(&mut server, now, &forged), Verdict::Stale, "{nonce}");
        }
    }

    #[test]
    fn a_nonce_serves_the_address_alone_that_it_was_given_to() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        let challenge = server.challenge(now, SOURCE, REALM, false).remove(0);
        let right = client(&challenge, "jane", "secret", 1);
        let elsewhere = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 8));
        assert!(server.gave(now, SOURCE, &right) && !server.gave(now, elsewhere, &right));
        let verdict =
            server.verify(now, elsewhere, &Method::Register, &right, |_| Some("secret".to_owned()));
        assert_eq!(verdict, Verdict::Stale);
        assert_eq!(judge(&mut server, now, &right), Verdict::Ok);
    }

    #[test]
    fn each_challenge_has_a_nonce_of_its_own() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        assert_ne!(
            server.challenge(now, SOURCE, REALM, false),
            server.challenge(now, SOURCE, REALM, false)
        );
    }

    #[test]
    fn a_full_table_forgets_the_oldest_without_opening_it_to_replay() {
        let (mut server, now) = (Challenger::new([7; 32]), epoch());
        let first = server.challenge(now, SOURCE, REALM, false).remove(1);
        let first_use = client(&first, "jane", "secret", 1);
        assert_eq!(judge(&mut server, now, &first_use), Verdict::Ok);
        for serial in 0..u32::try_from(NONCES_MAX).unwrap() {
            server.used.insert(Issue { milliseconds: 1, serial }, 1);
        }
        let next = now + Duration::from_millis(2);
        let second = server.challenge(next, SOURCE, REALM, false).remove(1);
        let second = client(&second, "jane", "secret", 1);
        assert_eq!(judge(&mut server, next, &second), Verdict::Ok);
        assert_eq!(server.remembered(), NONCES_MAX);
        assert_eq!(judge(&mut server, next, &first_use), Verdict::Stale);
    }
}
