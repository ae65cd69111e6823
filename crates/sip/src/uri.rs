//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966), lenient in the user part.
//!
//! Owns taking a URI apart, writing it back and the comparison of RFC 3261 §19.1.4. The user
//! part is never unescaped or checked: carriers and phones send `*98#`, `+1 555` escapes, even
//! `%00`, and each must leave as it came. Resolving hosts is not done here.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::headers::{HeaderError, Params};
use crate::lex;

/// What stands before the first colon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Any other, as received. Such a URI is kept, not understood.
    Other(String),
}

impl Scheme {
    /// The scheme without its colon.
    pub fn as_str(&self) -> &str {
        match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Other(name) => name,
        }
    }
}

/// A URI taken apart. `==` compares the text of the parts; see [`Uri::matches`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// How to read the rest.
    pub scheme: Scheme,
    /// User part as received, escapes and oddities included. Of a tel URI the number; of an
    /// unknown scheme everything after the colon.
    pub user: Option<String>,
    /// What follows the first colon of the user part.
    pub password: Option<String>,
    /// Name, IPv4 literal or IPv6 literal in brackets. Empty without `sip:` or `sips:`.
    pub host: String,
    /// Port, where one is written.
    pub port: Option<u16>,
    /// URI parameters (`transport`, `lr`, `user`, `phone-context`, …).
    pub params: Params,
    /// What follows the question mark, as received.
    pub headers: Option<String>,
}

impl Uri {
    /// `sip:user@host:port`.
    pub fn sip(user: Option<&str>, address: SocketAddr) -> Uri {
        let host = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Uri {
            scheme: Scheme::Sip,
            user: user.map(str::to_owned),
            password: None,
            host,
            port: Some(address.port()),
            params: Params::default(),
            headers: None,
        }
    }

    /// Takes a URI apart. Offsets of the error count from the start of `text`.
    pub fn parse(text: &str) -> Result<Uri, HeaderError> {
        let error = |part: &str, what, expected| {
            HeaderError::malformed(lex::offset_in(text, part), what, expected, part)
                .in_header("URI")
        };
        // why: an angle bracket inside would end the name-addr that the URI is written into.
        let improper = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>');
        if let Some(at) = text.find(improper) {
            let rest = text.get(at..).unwrap_or_default();
            return Err(error(rest, "white space, a control character or a bracket", "none"));
        }
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| error(text, "no scheme", "`sip:`, `sips:`, `tel:`"))?;
        let proper = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(proper) {
            return Err(error(text, "not a scheme", "`sip:`, `sips:`, `tel:`"));
        }
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "sip" => Scheme::Sip,
            "sips" => Scheme::Sips,
            "tel" => Scheme::Tel,
            _ => Scheme::Other(scheme.to_owned()),
        };
        let parsed = match scheme {
            Scheme::Sip | Scheme::Sips => parse_sip(scheme, rest),
            Scheme::Tel => parse_tel(rest),
            Scheme::Other(_) => Ok(opaque(scheme, rest)),
        };
        parsed.map_err(|fault| fault.shifted(lex::offset_in(text, rest)).in_header("URI"))
    }

    /// The host where it is an address literal, so that nothing needs resolving.
    pub fn host_ip(&self) -> Option<IpAddr> {
        literal(&self.host)
    }

    /// The user part with `%xx` escapes resolved, for looking a name up. Bytes that are no
    /// UTF-8 are read as Latin-1; a broken escape stays as it is.
    pub fn user_decoded(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(unescape)
    }

    /// The header of that name in the header part (`?name=value&name=value`), unescaped; the first
    /// of several. Names compare without case.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut headers = self.headers.as_deref()?.split('&');
        headers.find_map(|header| {
            let (known, value) = header.split_once('=').unwrap_or((header, ""));
            unescape(known).eq_ignore_ascii_case(name).then(|| unescape(value))
        })
    }

    /// Adds a header at the end of the header part, escaped as RFC 3261 §25.1 wants (`hvalue`).
    pub fn push_header(&mut self, name: &str, value: &str) {
        let headers = self.headers.get_or_insert_default();
        if !headers.is_empty() {
            headers.push('&');
        }
        for (at, part) in [name, value].into_iter().enumerate() {
            headers.push_str(if at == 0 { "" } else { "=" });
            for byte in part.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => headers.push(char::from(byte)),
                    b'-' | b'_' | b'.' | b'!' | b'~' | b'*' => headers.push(char::from(byte)),
                    _ => headers.push_str(&format!("%{byte:02X}")),
                }
            }
        }
    }

    /// RFC 3261 §19.1.4: whether both mean the same resource.
    ///
    /// Hosts and parameters compare without case, users with it and after unescaping; `user`,
    /// `ttl`, `method`, `maddr` and `transport` must be in both or none, any other parameter
    /// only equal where both have it.
    pub fn matches(&self, peer: &Uri) -> bool {
        self.scheme == peer.scheme
            && self.user_decoded() == peer.user_decoded()
            && self.password.as_deref().map(unescape) == peer.password.as_deref().map(unescape)
            && self.host.eq_ignore_ascii_case(&peer.host)
            && self.port == peer.port
            && params_agree(&self.params, &peer.params)
            && params_agree(&peer.params, &self.params)
            && self.headers == peer.headers
    }
}

fn params_agree(these: &Params, those: &Params) -> bool {
    const IN_BOTH_OR_NONE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
    // why: of a repeated parameter the first counts, so that every URI matches itself.
    these.iter().all(|(name, _)| match (these.get(name), those.get(name)) {
        (Some(here), Some(there)) => unescape(here).eq_ignore_ascii_case(&unescape(there)),
        _ => !IN_BOTH_OR_NONE.iter().any(|strict| strict.eq_ignore_ascii_case(name)),
    })
}

fn parse_sip(scheme: Scheme, rest: &str) -> Result<Uri, HeaderError> {
    let (userinfo, tail) = match user_end(rest) {
        Some(at) => {
            let (userinfo, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
            (Some(userinfo), tail.get(1..).unwrap_or_default())
        }
        None => (None, rest),
    };
    let (tail, headers) = match tail.split_once('?') {
        Some((tail, headers)) => (tail, Some(headers.to_owned())),
        None => (tail, None),
    };
    let host_end = tail.find(';').unwrap_or(tail.len());
    let (host, params) = tail.split_at_checked(host_end).unwrap_or((tail, ""));
    let at = |part: &str| lex::offset_in(rest, part);
    let (host, port) = host_port(host).map_err(|fault| fault.shifted(at(host)))?;
    let params = Params::parse(params).map_err(|fault| fault.shifted(at(params)))?;
    let (user, password) = match userinfo.and_then(|userinfo| userinfo.split_once(':')) {
        Some((user, password)) => (Some(user.to_owned()), Some(password.to_owned())),
        None => (userinfo.map(str::to_owned), None),
    };
    Ok(Uri { scheme, user, password, host: host.to_owned(), port, params, headers })
}

/// Where the `@` before the host stands.
///
/// why: users with an unescaped `@` (an e-mail address as login) are common; a second `@` in
/// what would be the host therefore still belongs to the user, one in a parameter does not.
pub(crate) fn user_end(rest: &str) -> Option<usize> {
    let first = rest.find('@')?;
    let tail = rest.get(first..).unwrap_or_default();
    let host_end = tail.find([';', '?']).unwrap_or(tail.len());
    tail.get(..host_end).and_then(|host| host.rfind('@')).map(|at| first + at)
}

fn parse_tel(rest: &str) -> Result<Uri, HeaderError> {
    let number_end = rest.find(';').unwrap_or(rest.len());
    let (number, params) = rest.split_at_checked(number_end).unwrap_or((rest, ""));
    if number.is_empty() {
        return Err(HeaderError::malformed(0, "no number", "digits", rest));
    }
    let params = Params::parse(params).map_err(|fault| fault.shifted(number_end))?;
    Ok(Uri { params, ..opaque(Scheme::Tel, number) })
}

fn opaque(scheme: Scheme, rest: &str) -> Uri {
    Uri {
        scheme,
        user: Some(rest.to_owned()),
        password: None,
        host: String::new(),
        port: None,
        params: Params::default(),
        headers: None,
    }
}

/// Splits `host[:port]`, the host in brackets if it is IPv6. White space may stand around the
/// colon, as RFC 3261 §25.1 allows in Via.
pub(crate) fn host_port(text: &str) -> Result<(&str, Option<u16>), HeaderError> {
    let colon = match text.strip_prefix('[') {
        Some(_) => {
            let end = text.find(']').ok_or_else(|| {
                HeaderError::malformed(0, "an IPv6 host that never ends", "`]`", text)
            })?;
            text.get(end..).and_then(|tail| tail.find(':')).map(|at| at + end)
        }
        None => text.find(':'),
    };
    let (host, port) = match colon {
        Some(at) => text.split_at_checked(at).unwrap_or((text, "")),
        None => (text, ""),
    };
    let host = host.trim();
    let proper = if host.starts_with('[') {
        literal(host).is_some()
    } else {
        !host.is_empty() && !host.contains(|c: char| !proper_in_host(c))
    };
    if !proper {
        return Err(HeaderError::malformed(0, "not a host", "a name or an address", text));
    }
    let Some(port) = port.strip_prefix(':') else { return Ok((host, None)) };
    let number = port.trim();
    match number.parse::<u16>() {
        Ok(number) if !port.trim_start().starts_with('+') => Ok((host, Some(number))),
        _ => Err(HeaderError::malformed(
            lex::offset_in(text, number),
            "not a port",
            "a number from 0 to 65535",
            number,
        )),
    }
}

fn proper_in_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '%' | '~') || !c.is_ascii()
}

/// The address that a host literal means, with or without brackets.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match escaped_ahead(bytes.clone()) {
            Some(value) if byte == b'%' => {
                decoded.push(value);
                bytes.nth(1);
            }
            _ => decoded.push(byte),
        }
    }
    Cow::Owned(lex::text(&decoded).into_owned())
}

fn escaped_ahead(mut ahead: std::str::Bytes<'_>) -> Option<u8> {
    let high = char::from(ahead.next()?).to_digit(16)?;
    let low = char::from(ahead.next()?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme.as_str())?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if !self.host.is_empty() {
                f.write_str("@")?;
            }
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}
