//! The Via header (RFC 3261 §20.42, RFC 3581).
//!
//! Owns one hop: transport, sent-by and parameters. Where a response is sent is decided by
//! the transaction; this only tells what the hop says and notes what the server saw.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::{HeaderError, Params};
use crate::lex;
use crate::uri;

/// RFC 3261 §8.1.1.7: a branch that begins so, and goes on, is unique.
pub(crate) const MAGIC_COOKIE: &str = "z9hG4bK";

/// One hop of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP`, `TLS`, `WS`, … as received.
    pub transport: String,
    /// Host of sent-by as received: a name, an IPv4 literal, an IPv6 literal in brackets.
    pub host: String,
    /// Port of sent-by; the default of the transport where absent.
    pub port: Option<u16>,
    /// Everything after sent-by.
    pub params: Params,
}

impl Via {
    /// Reads one value, without the commas of a list.
    pub fn parse(text: &str) -> Result<Via, HeaderError> {
        let error = |part: &str, what, expected| {
            HeaderError::malformed(lex::offset_in(text, part), what, expected, part)
        };
        let bad_protocol = || error(text, "not a SIP Via", "`SIP/2.0/UDP host:port`");
        let (head, params) = match text.find(';') {
            Some(at) => text.split_at_checked(at).ok_or_else(bad_protocol)?,
            None => (text, ""),
        };
        // RFC 3261 §25.1: SLASH may have white space around it.
        let (name, rest) = head.split_once('/').ok_or_else(bad_protocol)?;
        let (version, rest) = rest.split_once('/').ok_or_else(bad_protocol)?;
        if !name.trim().eq_ignore_ascii_case("SIP") || version.trim() != "2.0" {
            return Err(bad_protocol());
        }
        let rest = rest.trim_start();
        let (transport, sent_by) = rest
            .split_once(|c: char| c.is_ascii_whitespace())
            .ok_or_else(|| error(rest, "no sent-by", "a transport, a space and a host"))?;
        if !lex::is_token(transport.as_bytes()) {
            return Err(error(rest, "the transport is no token", "`UDP`, `TCP`, `TLS`, …"));
        }
        let sent_by = sent_by.trim();
        let (host, port) = uri::host_port(sent_by)
            .map_err(|fault| fault.shifted(lex::offset_in(text, sent_by)))?;
        let params =
            Params::parse(params).map_err(|fault| fault.shifted(lex::offset_in(text, params)))?;
        Ok(Via { transport: transport.to_owned(), host: host.to_owned(), port, params })
    }

    /// The transaction identifier (RFC 3261 §8.1.1.7).
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch is one that no other transaction has (RFC 3261 §8.1.1.7); a peer older
    /// than that rule writes another or none.
    pub fn is_unique(&self) -> bool {
        let rest = self.branch().and_then(|branch| branch.strip_prefix(MAGIC_COOKIE));
        rest.is_some_and(|rest| !rest.is_empty())
    }

    /// The source address that a server noted.
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// RFC 3581: `None` not asked for, `Some(None)` asked for, `Some(Some(port))` filled in.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|port| port.parse().ok())
    }

    /// The host of sent-by where it is an address literal.
    pub fn host_ip(&self) -> Option<IpAddr> {
        uri::literal(&self.host)
    }

    /// RFC 3261 §18.2.1, RFC 3581 §4: notes where the request really came from.
    ///
    /// `received` is written when sent-by is not that address or `rport` was asked for.
    pub fn note_source(&mut self, source: SocketAddr) {
        let rport = self.params.has("rport");
        if rport {
            self.params.set("rport", Some(&source.port().to_string()));
        }
        if rport || self.host_ip() != Some(source.ip()) {
            self.params.set("received", Some(&source.ip().to_string()));
        } else {
            self.params.remove("received");
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_read_and_written_back() {
        for (text, written) in [
            ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport", None),
            ("SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK2", None),
            ("SIP/2.0/TCP [2001:db8::9]:5070;received=2001:db8::1;branch=x", None),
            (
                "SIP  / 2.0\t/ UDP   host.example : 5061 ; branch = z9 ",
                Some("SIP/2.0/UDP host.example:5061;branch=z9"),
            ),
        ] {
            let via = Via::parse(text).unwrap();
            assert_eq!(via.to_string(), written.unwrap_or(text));
        }
    }

    #[test]
    fn the_true_source_is_noted_where_it_matters() {
        let source = "198.51.100.7:40000".parse().unwrap();
        for (text, noted) in [
            ("SIP/2.0/UDP 198.51.100.7;branch=b", "SIP/2.0/UDP 198.51.100.7;branch=b"),
            (
                "SIP/2.0/UDP 10.0.0.1;branch=b",
                "SIP/2.0/UDP 10.0.0.1;branch=b;received=198.51.100.7",
            ),
            (
                "SIP/2.0/UDP 198.51.100.7;rport;branch=b",
                "SIP/2.0/UDP 198.51.100.7;rport=40000;branch=b;received=198.51.100.7",
            ),
            (
                "SIP/2.0/UDP phone.example;received=1.2.3.4;branch=b",
                "SIP/2.0/UDP phone.example;received=198.51.100.7;branch=b",
            ),
            ("SIP/2.0/UDP 198.51.100.7;received=1.2.3.4", "SIP/2.0/UDP 198.51.100.7"),
        ] {
            let mut via = Via::parse(text).unwrap();
            via.note_source(source);
            assert_eq!(via.to_string(), noted);
        }
    }

    #[test]
    fn broken_hops_are_located() {
        for text in
            ["", "UDP host", "SIP/2.0/UDP", "SIP/2.0/UDP  ", "HTTP/1.1/TCP host", "SIP/2.0/U@P h"]
        {
            assert!(Via::parse(text).is_err(), "{text}");
        }
        let fault = Via::parse("SIP/2.0/UDP host:99999;branch=1").unwrap_err();
        assert_eq!((fault.offset, fault.got.as_str()), (17, "99999"));
    }
}
