//! The client's side of digest authentication: which challenge is answered, and how often.
//!
//! Owns one account's attempts at one server and the proxy before it: of several challenges the
//! strongest is taken, each of the two is given one answer, and one more where it calls the nonce
//! stale; what is refused after that is refused for good. Responses go in, headers come out. Whom
//! the account is meant for is the caller's business: whoever reads the response must have been
//! asked for by it.

use std::cmp::Reverse;

use super::digest::{self, Algorithm, auth_params};
use crate::message::Message;
use crate::method::Method;

/// Answers to the challenges of one asker for one request: the first, and one more where its nonce
/// was stale.
const ANSWERS_MAX: u8 = 2;

/// A name and a password while they are used towards one server.
#[derive(Clone)]
pub struct Login {
    username: String,
    password: String,
    /// The only realm that is answered; any where there is none.
    realm: Option<String>,
    /// What was answered, in the order in which it was first asked. RFC 3261 §22.3: a proxy and
    /// the server behind it ask for themselves, and a request must satisfy both.
    given: Vec<Given>,
}

/// The challenge of one asker that was answered last.
#[derive(Clone)]
struct Given {
    header: &'static str,
    challenge: String,
    nonce: String,
    count: u32,
    answers: u8,
}

/// One challenge that could be answered.
struct Offer {
    text: String,
    realm: String,
    nonce: String,
    algorithm: Algorithm,
    counted: bool,
    stale: bool,
}

/// A header that proves who we are. `Debug` does not show its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// Authorization or Proxy-Authorization.
    pub header: &'static str,
    /// What it says.
    pub value: String,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof").field("header", &self.header).finish_non_exhaustive()
    }
}

impl From<Proof> for (String, String) {
    fn from(proof: Proof) -> (String, String) {
        (proof.header.to_owned(), proof.value)
    }
}

/// Why a response is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// No 401 or 407, or none of its challenges is implemented.
    #[error("no challenge that can be answered; expected Digest with MD5 or SHA-256 and qop auth")]
    NoChallenge,
    /// Its challenges are for other realms than the account.
    #[error("challenged for the realm {asked:?}; the credentials are for {ours:?} alone")]
    Realm {
        /// The realm of its first challenge.
        asked: String,
        /// The realm of the account.
        ours: String,
    },
    /// It challenges again what was answered.
    #[error("the credentials were refused; check username and password")]
    Refused,
}

impl Login {
    /// `realm` limits the account to challenges of that realm.
    pub fn new(username: String, password: String, realm: Option<String>) -> Login {
        Login { username, password, realm, given: Vec::new() }
    }

    /// The headers that answer a 401 or 407, for the same request sent again: one for each that
    /// has asked so far, proxy and server.
    ///
    /// RFC 8760 §2.3: of several challenges the strongest algorithm is taken, so that nobody can
    /// talk us down to MD5 by adding a challenge. `cnonce` is a text that was not used before.
    ///
    /// # Errors
    /// [`Unanswered`]; the response then is final.
    pub fn answer(
        &mut self,
        response: &Message,
        method: &Method,
        uri: &str,
        cnonce: &str,
    ) -> Result<Vec<Proof>, Unanswered> {
        let (challenges, header) = asking(response).ok_or(Unanswered::NoChallenge)?;
        let challenges = response.header_all(challenges);
        let offers: Vec<Offer> = challenges.filter_map(Offer::read).collect();
        let asked = offers.first().ok_or(Unanswered::NoChallenge)?.realm.clone();
        let ours = |offer: &Offer| self.realm.as_ref().is_none_or(|realm| *realm == offer.realm);
        let strength = |offer: &Offer| (offer.algorithm == Algorithm::Sha256, offer.counted);
        let offers = offers.into_iter().filter(ours);
        let Some(best) = offers.min_by_key(|offer| Reverse(strength(offer))) else {
            return Err(Unanswered::Realm { asked, ours: self.realm.clone().unwrap_or_default() });
        };
        let Offer { text: challenge, nonce, stale, .. } = best;
        match self.given.iter_mut().find(|given| given.header == header) {
            None => self.given.push(Given { header, challenge, nonce, count: 0, answers: 1 }),
            // RFC 7616 §3.3: stale says that name and password were right.
            Some(given) if stale && given.answers < ANSWERS_MAX => {
                given.count = if given.nonce == nonce { given.count } else { 0 };
                given.answers += 1;
                (given.challenge, given.nonce) = (challenge, nonce);
            }
            Some(_) => return Err(Unanswered::Refused),
        }
        Ok(self.next(method, uri, cnonce))
    }

    /// Whoever sent this 401 or 407 asks anew: the request carried no answer of ours, so that
    /// nothing is refused by it.
    pub fn forget(&mut self, response: &Message) {
        let header = asking(response).map(|(_, header)| header);
        self.given.retain(|given| Some(given.header) != header);
    }

    /// The headers for a further request to the same server; none where nobody ever challenged.
    /// RFC 3261 §22.3: they go into each request with the same Call-ID.
    pub fn next(&mut self, method: &Method, uri: &str, cnonce: &str) -> Vec<Proof> {
        let Login { username, password, given, .. } = self;
        let prove = |given: &mut Given| {
            given.count = given.count.saturating_add(1);
            let Given { header, challenge, count, .. } = given;
            let value =
                digest::answer(challenge, method, uri, username, password, cnonce, *count).ok()?;
            Some(Proof { header, value })
        };
        given.iter_mut().filter_map(prove).collect()
    }
}

/// The header of the challenges of a response, and that of their answer.
fn asking(response: &Message) -> Option<(&'static str, &'static str)> {
    match response.status() {
        Some(401) => Some(("WWW-Authenticate", "Authorization")),
        Some(407) => Some(("Proxy-Authenticate", "Proxy-Authorization")),
        _ => None,
    }
}

/// Without the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("asked", &self.given.iter().map(|given| given.header).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Offer {
    /// A challenge, if it asks for what is implemented.
    fn read(value: &[u8]) -> Option<Offer> {
        let text = std::str::from_utf8(value).ok()?.to_owned();
        let params = auth_params(&text).ok()?;
        let get = |name: &str| params.unquoted(name).map(std::borrow::Cow::into_owned);
        let qop = get("qop");
        let counted =
            qop.as_ref().is_some_and(|qop| qop.split(',').any(|one| is(one.trim(), "auth")));
        if qop.is_some() && !counted {
            return None;
        }
        Some(Offer {
            realm: get("realm")?,
            nonce: get("nonce")?,
            algorithm: Algorithm::named(get("algorithm").as_deref())?,
            counted,
            stale: get("stale").is_some_and(|stale| is(&stale, "true")),
            text,
        })
    }
}

fn is(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::super::digest::Credentials;
    use super::*;
    use crate::write::Builder;

    const MD5: &str = "Digest realm=\"r\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"";
    const SHA: &str = "Digest realm=\"r\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth,auth-int\"";

    fn response(status: u16, challenges: &[&str]) -> Message {
        let request = Builder::request(Method::Invite, "sip:b@b.example")
            .header("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx")
            .header("From", "<sip:a@a.example>;tag=1")
            .header("To", "<sip:b@b.example>")
            .header("Call-ID", "x")
            .header("CSeq", "1 INVITE")
            .build()
            .unwrap();
        let name = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        let mut builder = Builder::response_to(&request, status, None);
        for challenge in challenges {
            builder = builder.header(name, challenge);
        }
        builder.build().unwrap()
    }

    fn login(realm: Option<&str>) -> Login {
        Login::new("jane".to_owned(), "secret".to_owned(), realm.map(str::to_owned))
    }

    fn answers(login: &mut Login, status: u16, offered: &[&str]) -> Result<Vec<Proof>, Unanswered> {
        login.answer(&response(status, offered), &Method::Invite, "sip:b@b.example", "c")
    }

    /// The one header of an answer.
    fn answer(login: &mut Login, status: u16, offered: &[&str]) -> Result<Proof, Unanswered> {
        let mut proofs = answers(login, status, offered)?;
        assert_eq!(proofs.len(), 1, "{proofs:?}");
        Ok(proofs.remove(0))
    }

    fn proven(Proof { value, .. }: &Proof, method: &Method) -> Credentials {
        let credentials = Credentials::parse(value).unwrap();
        assert!(credentials.prove(method, "secret"), "{value}");
        assert_eq!(credentials.uri, "sip:b@b.example");
        credentials
    }

    #[test]
    fn each_kind_of_challenge_gets_its_header() {
        for (status, header) in [(401, "Authorization"), (407, "Proxy-Authorization")] {
            let proof = answer(&mut login(None), status, &[MD5]).unwrap();
            assert_eq!(proof.header, header);
            let credentials = proven(&proof, &Method::Invite);
            assert_eq!(credentials.algorithm, Algorithm::Md5);
            assert_eq!(credentials.counted.unwrap().nc, "00000001");
        }
    }

    #[test]
    fn the_strongest_challenge_is_answered_wherever_it_stands() {
        let old = "Digest realm=\"r\", nonce=\"n0\"";
        let unknown = "Digest realm=\"r\", nonce=\"n9\", algorithm=SHA-512-256, qop=\"auth\"";
        for offered in [[MD5, SHA, old], [SHA, MD5, unknown], [old, unknown, SHA]] {
            let proof = answer(&mut login(None), 401, &offered).unwrap();
            assert_eq!(proven(&proof, &Method::Invite).algorithm, Algorithm::Sha256);
        }
        let proof = answer(&mut login(None), 401, &[old, MD5]).unwrap();
        assert!(proven(&proof, &Method::Invite).counted.is_some(), "qop before none");
    }

    #[test]
    fn a_second_challenge_is_a_refusal_unless_the_nonce_was_stale() {
        let mut login = login(None);
        answer(&mut login, 401, &[MD5]).unwrap();
        assert_eq!(answer(&mut login, 401, &[MD5]), Err(Unanswered::Refused));
        let stale = MD5.replace("n1", "n2") + ", stale=TRUE";
        let proof = answer(&mut login, 401, &[&stale]).unwrap();
        assert_eq!(proven(&proof, &Method::Invite).nonce, "n2");
        assert_eq!(answer(&mut login, 401, &[&stale]), Err(Unanswered::Refused), "once");
    }

    #[test]
    fn the_same_nonce_is_counted_on() {
        let mut login = login(None);
        answer(&mut login, 407, &[SHA]).unwrap();
        let stale = SHA.to_owned() + ", stale=true";
        let proof = answer(&mut login, 407, &[&stale]).unwrap();
        assert_eq!(proven(&proof, &Method::Invite).counted.unwrap().nc, "00000002");
        let proofs = login.next(&Method::Bye, "sip:b@b.example", "d");
        let [proof] = proofs.as_slice() else { panic!("{proofs:?}") };
        assert_eq!(proof.header, "Proxy-Authorization");
        assert_eq!(proven(proof, &Method::Bye).counted.unwrap().nc, "00000003");
    }

    #[test]
    fn a_proxy_and_the_server_behind_it_are_both_answered() {
        let mut login = login(None);
        let proxy = MD5.replace("n1", "n7");
        assert_eq!(answer(&mut login, 407, &[&proxy]).unwrap().header, "Proxy-Authorization");
        let proofs = answers(&mut login, 401, &[SHA]).unwrap();
        let seen: Vec<(&str, String, String)> = proofs
            .iter()
            .map(|proof| {
                let credentials = proven(proof, &Method::Invite);
                (proof.header, credentials.nonce, credentials.counted.unwrap().nc)
            })
            .collect();
        let expected = |header, nonce: &str, nc: &str| (header, nonce.to_owned(), nc.to_owned());
        assert_eq!(seen[0], expected("Proxy-Authorization", "n7", "00000002"));
        assert_eq!(seen[1], expected("Authorization", "n1", "00000001"));
        assert_eq!(login.next(&Method::Bye, "sip:b@b.example", "d").len(), 2);
        assert_eq!(answers(&mut login, 407, &[&proxy]), Err(Unanswered::Refused));
        assert_eq!(answers(&mut login, 401, &[SHA]), Err(Unanswered::Refused));
    }

    #[test]
    fn a_configured_realm_is_the_only_one_that_is_answered() {
        let other = SHA.replace("\"r\"", "\"elsewhere\"");
        let expected = Unanswered::Realm { asked: "elsewhere".to_owned(), ours: "r".to_owned() };
        assert_eq!(answer(&mut login(Some("r")), 401, &[&other]), Err(expected));
        let proof = answer(&mut login(Some("r")), 401, &[&other, MD5]).unwrap();
        assert_eq!(proven(&proof, &Method::Invite).realm, "r");
    }

    #[test]
    fn what_is_not_implemented_is_not_answered() {
        let auth_int = "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"";
        let session = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, qop=\"auth\"";
        for offered in [&[][..], &["Basic realm=\"r\""], &[auth_int, session], &["Digest"]] {
            assert_eq!(answer(&mut login(None), 401, offered), Err(Unanswered::NoChallenge));
        }
        assert_eq!(answer(&mut login(None), 403, &[MD5]), Err(Unanswered::NoChallenge));
        assert!(login(None).next(&Method::Bye, "sip:b", "c").is_empty(), "nobody asked");
    }

    #[test]
    fn it_does_not_show_its_password() {
        let mut login = login(Some("r"));
        let proof = answer(&mut login, 401, &[MD5]).unwrap();
        let shown = format!("{login:?} {proof:?}");
        assert!(shown.contains("jane") && !shown.contains("secret"), "{shown}");
        assert!(!shown.contains("response"), "{shown}");
    }
}
