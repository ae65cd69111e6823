//! The arithmetic of digest authentication (RFC 7616 §3.4, RFC 8760).
//!
//! Owns the reading of Authorization and WWW-Authenticate values, the response digest, and the
//! client's answer to a challenge. MD5 and SHA-256 with `qop=auth`, and MD5 of the days before
//! qop; neither `-sess` nor `auth-int`. Keeps no state: nonces are `challenge`'s.

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::headers::{HeaderError, Params};
use crate::lex;
use crate::limits::PARAMS_MAX;
use crate::method::Method;

/// A hash that a challenge may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The only one that every phone knows.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    /// The name in a header.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// RFC 7616 §3.3: without the parameter it is MD5.
    pub(super) fn named(name: Option<&str>) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256]
            .into_iter()
            .find(|algorithm| name.is_none_or(|name| algorithm.as_str().eq_ignore_ascii_case(name)))
    }

    fn hex(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text)),
            Algorithm::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// Compares in a time that depends on the lengths alone.
pub(super) fn same(one: &[u8], two: &[u8]) -> bool {
    let difference = one.iter().zip(two).fold(0, |difference, (x, y)| difference | (x ^ y));
    one.len() == two.len() && std::hint::black_box(difference) == 0
}

/// What a client claims, from an Authorization or Proxy-Authorization value.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who it claims to be, decoded.
    pub username: String,
    /// The realm of the challenge that it answers.
    pub realm: String,
    /// The nonce of that challenge.
    pub nonce: String,
    /// The URI that it put into the digest. Proxies rewrite Request-URIs, so the two may
    /// differ.
    pub uri: String,
    /// The hash it chose.
    pub algorithm: Algorithm,
    /// With `qop=auth`: nonce count as sent and the client's own nonce.
    pub counted: Option<Counted>,
    /// The proof, in hexadecimal.
    pub response: String,
    /// `opaque` of the challenge, handed back.
    pub opaque: Option<String>,
}

/// What `qop=auth` adds to credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// `nc` as sent: hexadecimal, part of the digest.
    pub nc: String,
    /// `nc` as a number.
    pub count: u32,
    /// The client's nonce, part of the digest.
    pub cnonce: String,
}

/// Without nonce and proof: what is logged must not help anybody in.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the value of an Authorization header.
    ///
    /// # Errors
    /// Another scheme than Digest, a missing parameter, an algorithm or a qop that was never
    /// offered.
    pub fn parse(value: &str) -> Result<Credentials, HeaderError> {
        let params = auth_params(value)?;
        let get = |name: &str| params.unquoted(name).map(std::borrow::Cow::into_owned);
        let need = |name: &str, expected| {
            get(name).ok_or_else(|| error("a parameter is missing", expected, value))
        };
        let algorithm = Algorithm::named(get("algorithm").as_deref())
            .ok_or_else(|| error("an unknown algorithm", "MD5 or SHA-256", value))?;
        let counted = match get("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let nc = need("nc", "nc")?;
                let count = u32::from_str_radix(&nc, 16)
                    .ok()
                    .filter(|_| nc.len() == 8 && !nc.starts_with('+'))
                    .ok_or_else(|| error("not a nonce count", "8 hexadecimal digits", &nc))?;
                Some(Counted { nc, count, cnonce: need("cnonce", "cnonce")? })
            }
            Some(qop) => return Err(error("an unknown qop", "auth", &qop)),
        };
        Ok(Credentials {
            username: need("username", "username")?,
            realm: need("realm", "realm")?,
            nonce: need("nonce", "nonce")?,
            uri: need("uri", "uri")?,
            algorithm,
            counted,
            response: need("response", "response")?,
            opaque: get("opaque"),
        })
    }

    /// Whether the proof was made with this password. Takes the same time for any.
    pub fn prove(&self, method: &Method, password: &str) -> bool {
        let expected = self.expected(method, password);
        same(self.response.to_ascii_lowercase().as_bytes(), expected.as_bytes())
    }

    /// RFC 7616 §3.4.1: the response that the password would give.
    fn expected(&self, method: &Method, password: &str) -> String {
        let Credentials { username, realm, nonce, uri, algorithm, .. } = self;
        let secret = algorithm.hex(&[username, realm, password]);
        let request = algorithm.hex(&[method.as_str(), uri]);
        match &self.counted {
            Some(Counted { nc, cnonce, .. }) => {
                algorithm.hex(&[&secret, nonce, nc, cnonce, "auth", &request])
            }
            // RFC 7616 §3.4.1 (note on RFC 2069): no qop, no count.
            None => algorithm.hex(&[&secret, nonce, &request]),
        }
    }
}

/// The client's side: the value of Authorization that answers a WWW-Authenticate value (or
/// Proxy-Authorization, Proxy-Authenticate), as the `count`-th use of its nonce, from 1.
///
/// `cnonce` is any text that the client did not use before.
///
/// # Errors
/// A challenge that cannot be read or asks for what is not implemented; of several challenges
/// try the next.
pub fn answer(
    challenge: &str,
    method: &Method,
    uri: &str,
    username: &str,
    password: &str,
    cnonce: &str,
    count: u32,
) -> Result<String, HeaderError> {
    let params = auth_params(challenge)?;
    let get = |name: &str| params.unquoted(name).map(std::borrow::Cow::into_owned);
    let need = |name: &str, expected| {
        get(name).ok_or_else(|| error("a parameter is missing", expected, challenge))
    };
    let named = get("algorithm");
    let algorithm = Algorithm::named(named.as_deref())
        .ok_or_else(|| error("an unknown algorithm", "MD5 or SHA-256", challenge))?;
    let counted = match get("qop") {
        None => None,
        Some(offered) if offered.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")) => {
            Some(Counted { nc: format!("{count:08x}"), count, cnonce: cnonce.to_owned() })
        }
        Some(offered) => return Err(error("an unknown qop", "auth", &offered)),
    };
    let mut credentials = Credentials {
        username: username.to_owned(),
        realm: need("realm", "realm")?,
        nonce: need("nonce", "nonce")?,
        uri: uri.to_owned(),
        algorithm,
        counted,
        response: String::new(),
        opaque: get("opaque"),
    };
    credentials.response = credentials.expected(method, password);
    Ok(write_credentials(&credentials, named.is_some()))
}

fn write_credentials(credentials: &Credentials, with_algorithm: bool) -> String {
    let quote = |text: &str| lex::quote(text);
    let mut value = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"",
        quote(&credentials.username),
        quote(&credentials.realm),
        quote(&credentials.nonce),
        quote(&credentials.uri),
        credentials.response
    );
    if with_algorithm {
        value = value + ", algorithm=" + credentials.algorithm.as_str();
    }
    if let Some(Counted { nc, cnonce, .. }) = &credentials.counted {
        value = value + ", qop=auth, nc=" + nc + ", cnonce=" + &quote(cnonce);
    }
    if let Some(opaque) = &credentials.opaque {
        value = value + ", opaque=" + &quote(opaque);
    }
    value
}

fn error(what: &'static str, expected: &'static str, got: &str) -> HeaderError {
    HeaderError::malformed(0, what, expected, got).in_header("Authorization")
}

/// `Digest a=b, c="d"` as parameters.
pub(super) fn auth_params(value: &str) -> Result<Params, HeaderError> {
    let value = value.trim();
    let (scheme, list) = value.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("Digest") {
        return Err(error("another scheme", "Digest", scheme));
    }
    let mut params = Params::default();
    for (count, part) in lex::split_text(list, ',').enumerate() {
        let (name, value) =
            part.split_once('=').ok_or_else(|| error("not a parameter", "`name=value`", part))?;
        let name = name.trim();
        if count == PARAMS_MAX {
            return Err(error("too many parameters", "at most 64", part));
        }
        // why: of two values one reader takes the first, another the last; neither is right.
        if params.has(name) {
            return Err(error("a parameter stands twice", "one", name));
        }
        params.set(name, Some(value.trim()));
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_digests_come_out() {
        // RFC 7616 §3.9.1 and RFC 2617 §3.5 as seen from the client.
        let get = Method::Other("GET".to_owned());
        for (challenge, password, cnonce, response) in [
            (
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
                "Circle of Life",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                "8ca523f5e9506fed4657c9700eebdbec",
            ),
            (
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                 algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
                "Circle of Life",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            (
                "Digest realm=\"testrealm@host.com\", qop=\"auth\", \
                 nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
                "Circle Of Life",
                "0a4f113b",
                "6629fae49393a05397450978507c4ef1",
            ),
        ] {
            let value =
                answer(challenge, &get, "/dir/index.html", "Mufasa", password, cnonce, 1).unwrap();
            let credentials = Credentials::parse(&value).unwrap();
            assert_eq!(credentials.response, response);
            assert!(credentials.prove(&get, password));
            assert!(!credentials.prove(&get, "circle"));
            assert!(!credentials.prove(&Method::Register, password));
        }
    }

    #[test]
    fn credentials_of_the_wild_are_read() {
        let value = "DIGEST username=\"a \\\"b\\\", c\",realm = \"r\" ,nonce=n, uri=\"sip:r\",\
            response=\"0\",qop=\"auth\",nc=0000000A,cnonce=\"x\",opaque=\"\",algorithm=md5";
        let credentials = Credentials::parse(value).unwrap();
        assert_eq!(credentials.username, "a \"b\", c");
        assert_eq!(credentials.counted.unwrap().count, 10);
        assert_eq!(credentials.opaque.as_deref(), Some(""));
    }

    #[test]
    fn what_was_never_offered_is_refused() {
        let sound = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"0\"";
        assert!(Credentials::parse(sound).is_ok());
        for addition in [
            ", algorithm=MD5-sess",
            ", qop=auth-int, nc=00000001, cnonce=\"c\"",
            ", qop=auth, cnonce=\"c\"",
            ", qop=auth, nc=00000001",
            ", qop=auth, nc=1, cnonce=\"c\"",
            ", qop=auth, nc=+0000001, cnonce=\"c\"",
            ", nonce=\"m\"",
            ", x",
        ] {
            assert!(Credentials::parse(&(sound.to_owned() + addition)).is_err(), "{addition}");
        }
        for broken in ["", "Digest", "Basic dTpw", "Digest username=\"u\""] {
            assert!(Credentials::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn credentials_do_not_show_their_proof() {
        let value = "Digest username=u, realm=r, nonce=secret1, uri=x, response=secret2";
        let shown = format!("{:?}", Credentials::parse(value).unwrap());
        assert!(shown.contains('u') && !shown.contains("secret"), "{shown}");
    }
}
