//! Bytes to a [`Description`]: every line is kept in order, and those that we act on are read
//! into fields beside the list.
//!
//! Lenient where phones differ (bare LF, absent `v= o= s= t=`, spaces at line ends, unknown
//! letters and attributes), strict where a guess would send audio astray: `m=`, `c=`, `a=rtpmap`,
//! `a=rtcp`. Errors name the line. Each limit is a constant; none can be exceeded by input.

use std::net::IpAddr;

use super::Direction;

/// Longest description, in octets: what fits in a datagram.
pub const MAX_SIZE: usize = 65_535;
/// Most lines of a description.
pub const MAX_LINES: usize = 1024;
/// Longest line, in octets.
pub const MAX_LINE: usize = 8192;
/// Most `m=` lines.
pub const MAX_MEDIA: usize = 32;
/// Most formats on one `m=` line; RTP has 128 payload types.
pub const MAX_FORMATS: usize = 128;
/// How much of a faulty value an error shows, in characters.
const MAX_SHOWN: usize = 60;

/// Where a description is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SDP line {line}: {what}; expected {expected}, got `{got}`")]
pub struct SdpError {
    /// Number of the line, from 1.
    pub line: usize,
    /// The part that is wrong.
    pub what: &'static str,
    /// What would have been right.
    pub expected: &'static str,
    /// What was there, shortened, with control characters escaped.
    pub got: String,
}

/// One line, `kind=value`, as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The letter before `=`.
    pub kind: u8,
    /// What follows, without the line end; any octets but CR at the end, LF and NUL.
    pub value: Vec<u8>,
}

/// `o=` (RFC 8866 §5.2), as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `sess-id`.
    pub session_id: u64,
    /// `sess-version`.
    pub version: u64,
}

/// A connection address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A literal of either family.
    Ip(IpAddr),
    /// A domain name.
    Name(String),
}

/// `c=` (RFC 8866 §5.7); a multicast scope after `/` is not kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Where the stream is received.
    pub address: Address,
}

/// `a=rtcp:` (RFC 3605).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// The port.
    pub port: u16,
    /// The address, where it is not that of `c=`.
    pub address: Option<Address>,
}

/// `a=rtpmap:` (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// 0 to 127.
    pub payload_type: u8,
    /// Encoding name, in the letter case received.
    pub name: String,
    /// Clock rate in Hz.
    pub clock: u32,
    /// Encoding parameters; for audio the channels, 1 if absent.
    pub channels: Option<String>,
}

/// One `m=` line and the lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image` …
    pub kind: String,
    /// Transport port; 0 = refused, or not wanted any more.
    pub port: u16,
    /// `RTP/AVP` …
    pub protocol: String,
    /// Payload types and other formats, in order of preference.
    pub formats: Vec<String>,
    /// Its own `c=`.
    pub connection: Option<Connection>,
    /// Its own direction.
    pub direction: Option<Direction>,
    /// `a=rtcp:`.
    pub rtcp: Option<Rtcp>,
    /// `a=rtcp-mux`.
    pub rtcp_mux: bool,
    /// `a=ptime:` in milliseconds, where it is a whole number above 0.
    pub ptime: Option<u16>,
    /// `a=rtpmap:` lines in order.
    pub rtpmaps: Vec<RtpMap>,
}

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Every line in order, known or not.
    pub lines: Vec<Line>,
    /// `o=`, where it can be read.
    pub origin: Option<Origin>,
    /// `c=` above the first `m=`.
    pub connection: Option<Connection>,
    /// Direction above the first `m=`.
    pub direction: Option<Direction>,
    /// `m=` lines in order.
    pub media: Vec<Media>,
}

impl Description {
    /// Reads a description.
    pub fn parse(body: &[u8]) -> Result<Description, SdpError> {
        if body.len() > MAX_SIZE {
            return Err(fault(1, "size", "at most 65535 octets", body));
        }
        let mut description = Description {
            lines: Vec::new(),
            origin: None,
            connection: None,
            direction: None,
            media: Vec::new(),
        };
        for (index, raw) in body.split(|octet| *octet == b'\n').enumerate() {
            let number = index + 1;
            let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            if raw.trim_ascii().is_empty() {
                continue;
            }
            let line = read_line(number, raw)?;
            if description.lines.len() == MAX_LINES {
                return Err(fault(number, "number of lines", "at most 1024", raw));
            }
            description.read(number, &line)?;
            description.lines.push(line);
        }
        if description.lines.is_empty() {
            return Err(fault(1, "description", "at least one line", b""));
        }
        Ok(description)
    }

    fn read(&mut self, number: usize, line: &Line) -> Result<(), SdpError> {
        match line.kind {
            b'v' => read_version(number, line),
            b'o' => {
                // why: nothing depends on `o=` but a hint that a description has not changed.
                self.origin = read_origin(line);
                Ok(())
            }
            b'c' => self.read_connection(number, line),
            b'm' => self.read_media(number, line),
            b'a' => self.read_attribute(number, line),
            _ => Ok(()),
        }
    }

    fn read_connection(&mut self, number: usize, line: &Line) -> Result<(), SdpError> {
        let connection = Connection { address: read_address(number, "connection", &line.value)? };
        let place = match self.media.last_mut() {
            Some(media) => &mut media.connection,
            None => &mut self.connection,
        };
        // why: several `c=` lines of one stream are multicast layers; the first is the base.
        place.get_or_insert(connection);
        Ok(())
    }

    fn read_media(&mut self, number: usize, line: &Line) -> Result<(), SdpError> {
        if self.media.len() == MAX_MEDIA {
            return Err(fault(number, "number of m= lines", "at most 32", &line.value));
        }
        self.media.push(read_media(number, line)?);
        Ok(())
    }

    fn read_attribute(&mut self, number: usize, line: &Line) -> Result<(), SdpError> {
        let Ok(text) = std::str::from_utf8(&line.value) else { return Ok(()) };
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        if let (Some(direction), None) = (Direction::from_name(name), value) {
            match self.media.last_mut() {
                Some(media) => media.direction = Some(direction),
                None => self.direction = Some(direction),
            }
            return Ok(());
        }
        let Some(media) = self.media.last_mut() else { return Ok(()) };
        match (name, value) {
            ("rtpmap", value) => {
                let map = read_rtpmap(value.unwrap_or_default());
                let expected = "`number name/clock` with a number up to 127";
                match map {
                    Some(map) if media.rtpmaps.len() < MAX_FORMATS => media.rtpmaps.push(map),
                    // why: a stream that is refused anyway need not be understood.
                    None if media.kind.eq_ignore_ascii_case("audio") => {
                        return Err(fault(number, "a=rtpmap", expected, &line.value));
                    }
                    _ => {}
                }
            }
            ("rtcp", value) => media.rtcp = Some(read_rtcp(number, value.unwrap_or_default())?),
            ("rtcp-mux", None) => media.rtcp_mux = true,
            ("ptime", Some(value)) => {
                media.ptime = value.parse().ok().filter(|length| *length > 0);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Media {
    /// The map of a payload type, where a line gives one.
    pub fn rtpmap(&self, payload_type: u8) -> Option<&RtpMap> {
        self.rtpmaps.iter().find(|map| map.payload_type == payload_type)
    }
}

fn read_line(number: usize, raw: &[u8]) -> Result<Line, SdpError> {
    if raw.len() > MAX_LINE {
        return Err(fault(number, "length of the line", "at most 8192 octets", raw));
    }
    if raw.contains(&0) {
        return Err(fault(number, "line", "no NUL", raw));
    }
    match raw {
        [kind, b'=', value @ ..] if kind.is_ascii_alphabetic() => {
            Ok(Line { kind: *kind, value: value.to_vec() })
        }
        _ => Err(fault(number, "line", "a letter and `=`", raw)),
    }
}

fn read_version(number: usize, line: &Line) -> Result<(), SdpError> {
    match line.value.trim_ascii() {
        b"0" => Ok(()),
        got => Err(fault(number, "v=", "0", got)),
    }
}

fn read_origin(line: &Line) -> Option<Origin> {
    let text = std::str::from_utf8(&line.value).ok()?;
    let mut words = text.split_ascii_whitespace().skip(1);
    let session_id = words.next()?.parse().ok()?;
    let version = words.next()?.parse().ok()?;
    Some(Origin { session_id, version })
}

/// `IN IP4 192.0.2.1`, and what follows a `/` left out.
fn read_address(number: usize, what: &'static str, value: &[u8]) -> Result<Address, SdpError> {
    let wrong = || fault(number, what, "`IN IP4 address` or `IN IP6 address`", value);
    let text = std::str::from_utf8(value).map_err(|_| wrong())?;
    let mut words = text.split_ascii_whitespace();
    let (Some(network), Some(family), Some(address), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(wrong());
    };
    let known = family.eq_ignore_ascii_case("IP4") || family.eq_ignore_ascii_case("IP6");
    if !network.eq_ignore_ascii_case("IN") || !known {
        return Err(wrong());
    }
    let address = address.split_once('/').map_or(address, |(address, _scope)| address);
    // why: some phones write an IPv6 address in the brackets it has in a URI.
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(ip) = bare.unwrap_or(address).parse() {
        return Ok(Address::Ip(ip));
    }
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    let looks_like_name = address.bytes().any(|octet| octet.is_ascii_alphabetic());
    if !looks_like_name || !address.bytes().all(is_name) {
        return Err(wrong());
    }
    Ok(Address::Name(address.to_owned()))
}

fn read_media(number: usize, line: &Line) -> Result<Media, SdpError> {
    let wrong = |expected| fault(number, "m=", expected, &line.value);
    let form = "`kind port protocol formats`";
    let text = std::str::from_utf8(&line.value).map_err(|_| wrong(form))?;
    let mut words = text.split_ascii_whitespace();
    let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next())
    else {
        return Err(wrong(form));
    };
    let port = port.split_once('/').map_or(port, |(port, _count)| port);
    let port = port.parse().map_err(|_| wrong("a port from 0 to 65535"))?;
    let formats: Vec<String> = words.take(MAX_FORMATS + 1).map(str::to_owned).collect();
    if formats.len() > MAX_FORMATS {
        return Err(wrong("at most 128 formats"));
    }
    Ok(Media {
        kind: kind.to_owned(),
        port,
        protocol: protocol.to_owned(),
        formats,
        connection: None,
        direction: None,
        rtcp: None,
        rtcp_mux: false,
        ptime: None,
        rtpmaps: Vec::new(),
    })
}

fn read_rtpmap(value: &str) -> Option<RtpMap> {
    let (number, encoding) = value.split_once(|c: char| c.is_ascii_whitespace())?;
    let payload_type = number.parse().ok().filter(|number| *number <= 127)?;
    let mut parts = encoding.trim().splitn(3, '/');
    let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
    let clock = parts.next()?.trim().parse().ok()?;
    let channels = parts.next().map(|channels| channels.trim().to_owned());
    Some(RtpMap { payload_type, name, clock, channels })
}

fn read_rtcp(number: usize, value: &str) -> Result<Rtcp, SdpError> {
    let (port, rest) = value.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((value, ""));
    let Ok(port) = port.parse() else {
        return Err(fault(number, "a=rtcp", "a port from 0 to 65535", value.as_bytes()));
    };
    let address = match rest.trim() {
        "" => None,
        rest => Some(read_address(number, "a=rtcp", rest.as_bytes())?),
    };
    Ok(Rtcp { port, address })
}

fn fault(line: usize, what: &'static str, expected: &'static str, got: &[u8]) -> SdpError {
    let shown = got.get(..MAX_SHOWN).unwrap_or(got);
    let got = String::from_utf8_lossy(shown).escape_debug().collect();
    SdpError { line, what, expected, got }
}
