//! Bytes in, [`Message`] out: one copy, one index.
//!
//! Owns the framing of a datagram: line ends, folding, the split of lines into name and value,
//! Content-Length, and the limits. Values are not looked at, with the exception of
//! Content-Length. Tolerant where telephones are careless, strict where two readings of the
//! same bytes could differ: a bare CR or a NUL in a header line is refused, because whoever
//! copied it into another message would break that message's lines.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use memchr::{memchr, memchr2, memrchr};

use crate::headers::name::Known;
use crate::lex;
use crate::limits::{HEADERS_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::message::{Index, Line, Message, Span, Start, decimal};
use crate::method::Method;

/// Header lines that the index has room for before it grows.
const LINES_EXPECTED: usize = 32;

/// Why a datagram is no message, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What sort of failure.
    pub kind: ParseErrorKind,
    /// Where in the datagram, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub what: &'static str,
    /// What would have been right.
    pub expected: &'static str,
    /// The start of what stands there, made printable.
    pub got: String,
    /// What could be read of a request whose start line is sound. Answer it with 400 if its
    /// Via, From, To, Call-ID and CSeq allow ([`Message::check`]); do nothing else with it.
    pub request: Option<Box<Message>>,
}

/// What to do with a datagram that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// Nothing but line ends, NULs or spaces: a keep-alive, to be ignored (RFC 5626 §4.4.1).
    KeepAlive,
    /// The start line is not SIP's. Never answered.
    NotSip,
    /// A message that breaks the grammar.
    Malformed,
    /// A message over one of [`crate::limits`].
    OverLimit,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { offset, what, expected, got, .. } = self;
        write!(f, "byte {offset}: {what}; expected {expected}, got `{got}`")
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    fn new(
        kind: ParseErrorKind,
        offset: usize,
        what: &'static str,
        expected: &'static str,
        got: &[u8],
    ) -> ParseError {
        // why: only the excerpt is decoded, a hostile line may be long.
        let got = got.get(..got.len().min(LINE_BYTES_MAX)).unwrap_or_default();
        let got = lex::excerpt(&lex::text(got));
        ParseError { kind, offset, what, expected, got, request: None }
    }
}

/// Copies and reads one datagram.
pub(crate) fn datagram(datagram: &[u8]) -> Result<Message, ParseError> {
    check_size(datagram)?;
    owned(datagram.to_vec())
}

fn check_size(bytes: &[u8]) -> Result<(), ParseError> {
    if bytes.len() <= MESSAGE_BYTES_MAX {
        return Ok(());
    }
    let over = bytes.get(MESSAGE_BYTES_MAX..).unwrap_or_default();
    Err(ParseError::new(
        ParseErrorKind::OverLimit,
        MESSAGE_BYTES_MAX,
        "the message is too long",
        "at most 65535 bytes",
        over,
    ))
}

/// Reads bytes that nobody else needs; folded lines are joined in place.
pub(crate) fn owned(mut bytes: Vec<u8>) -> Result<Message, ParseError> {
    check_size(&bytes)?;
    if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0 | b' ')) {
        return Err(ParseError::new(
            ParseErrorKind::KeepAlive,
            0,
            "a keep-alive",
            "a message",
            &[],
        ));
    }
    // RFC 3261 §7.5: line ends before the start line are ignored.
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or_default();
    let (first, after) = cut_line(&bytes, begin);
    let mut fault = None;
    let start = start_line(&bytes, first, &mut fault)?;
    let mut lines = Vec::with_capacity(LINES_EXPECTED);
    let body_start = header_lines(&mut bytes, after, &mut lines, &mut fault);
    let body = body_span(&bytes, &lines, body_start, &mut fault);
    let is_request = matches!(start, Start::Request { .. });
    let message =
        Message { bytes: Bytes::from(bytes), index: Arc::new(Index { start, lines, body }) };
    match fault {
        None => Ok(message),
        Some(fault) => Err(ParseError { request: is_request.then(|| Box::new(message)), ..fault }),
    }
}

/// The first fault is the one reported; reading goes on so that a request can be answered.
fn note(fault: &mut Option<ParseError>, next: impl FnOnce() -> ParseError) {
    if fault.is_none() {
        *fault = Some(next());
    }
}

/// One line from `begin` without its line end, and where the next one starts.
fn cut_line(bytes: &[u8], begin: usize) -> (Range<usize>, Option<usize>) {
    let rest = bytes.get(begin..).unwrap_or_default();
    match memchr(b'\n', rest) {
        Some(at) => {
            let cr = at.checked_sub(1).and_then(|before| rest.get(before)) == Some(&b'\r');
            (begin..begin + at - usize::from(cr), Some(begin + at + 1))
        }
        None => (begin..bytes.len(), None),
    }
}

/// [`cut_line`] with the lines folded onto it; the line ends in between become spaces.
///
/// RFC 3261 §7.3.1: a folded line equals one with white space in place of the fold.
fn unfold_line(bytes: &mut [u8], begin: usize) -> (Range<usize>, Option<usize>) {
    let (mut line, mut next) = cut_line(bytes, begin);
    while let Some(fold) = next {
        if line.is_empty() || !matches!(bytes.get(fold), Some(b' ' | b'\t')) {
            break;
        }
        if let Some(line_end) = bytes.get_mut(line.end..fold) {
            line_end.fill(b' ');
        }
        let (more, after) = cut_line(bytes, fold);
        line.end = more.end;
        next = after;
    }
    (line, next)
}

fn start_line(
    bytes: &[u8],
    range: Range<usize>,
    fault: &mut Option<ParseError>,
) -> Result<Start, ParseError> {
    let offset = range.start;
    let line = bytes.get(range).unwrap_or_default().trim_ascii_end();
    let not_sip =
        |what, expected| ParseError::new(ParseErrorKind::NotSip, offset, what, expected, line);
    if line.len() > LINE_BYTES_MAX {
        return Err(not_sip("the start line is too long", "at most 8192 bytes"));
    }
    if memchr2(b'\r', 0, line).is_some() {
        return Err(not_sip("a control character in the start line", "none"));
    }
    let first_end = memchr(b' ', line).ok_or_else(|| not_sip("not a start line", "SIP"))?;
    let (first, rest) = line.split_at_checked(first_end).unwrap_or((line, &[]));
    let rest = rest.trim_ascii_start();
    let span_of = |part: &[u8]| span(offset, line, part);
    if is_version(first) {
        let (status, reason) = status_line(rest)
            .ok_or_else(|| not_sip("not a status line", "`SIP/2.0 <100..699> <reason>`"))?;
        return Ok(Start::Response { status, reason: span_of(reason), version: span_of(first) });
    }
    let version_at = memrchr(b' ', rest).map_or(0, |at| at + 1);
    let (uri, version) = rest.split_at_checked(version_at).unwrap_or((rest, &[]));
    let uri = uri.trim_ascii_end();
    if !is_version(version) || !lex::is_token(first) || uri.is_empty() {
        return Err(not_sip("not a SIP start line", "`<method> <uri> SIP/2.0`"));
    }
    if uri.iter().any(u8::is_ascii_whitespace) {
        note(fault, || {
            let at = span_of(uri).start as usize;
            let what = "white space in the Request-URI";
            ParseError::new(ParseErrorKind::Malformed, at, what, "none", uri)
        });
    }
    let method = Method::named(&lex::text(first));
    Ok(Start::Request { method, uri: span_of(uri), version: span_of(version) })
}

/// `SIP/` and a number; which numbers are served is the endpoint's choice (505).
fn is_version(bytes: &[u8]) -> bool {
    let (name, number) = bytes.split_at_checked(4).unwrap_or((bytes, &[]));
    name.eq_ignore_ascii_case(b"SIP/")
        && number.first().is_some_and(u8::is_ascii_digit)
        && number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

fn status_line(rest: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, reason) = match memchr(b' ', rest) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, rest.get(rest.len()..)?),
    };
    let status = decimal(std::str::from_utf8(digits).ok()?)?;
    let status = u16::try_from(status).ok().filter(|status| (100..700).contains(status))?;
    Some((status, reason.trim_ascii_start())).filter(|_| digits.len() == 3)
}

/// Indexes header lines up to the empty line; gives where the body starts.
fn header_lines(
    bytes: &mut [u8],
    after_start: Option<usize>,
    lines: &mut Vec<Line>,
    fault: &mut Option<ParseError>,
) -> usize {
    let mut next = after_start;
    while let Some(begin) = next {
        let (range, after) = unfold_line(bytes, begin);
        if range.is_empty() && after.is_some() {
            return after.unwrap_or(bytes.len());
        }
        next = after;
        blank_controls(bytes.get_mut(range.clone()).unwrap_or_default(), begin, fault);
        let line = bytes.get(range).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        if lines.len() == HEADERS_MAX {
            note(fault, || {
                let kind = ParseErrorKind::OverLimit;
                ParseError::new(kind, begin, "too many headers", "at most 256", line)
            });
            return bytes.len();
        }
        match header_line(begin, line) {
            Ok(line) => lines.push(line),
            Err(bad) => note(fault, || bad),
        }
    }
    note(fault, || {
        let kind = ParseErrorKind::Malformed;
        ParseError::new(kind, bytes.len(), "the headers never end", "an empty line", &[])
    });
    bytes.len()
}

/// Notes a bare CR or a NUL and puts spaces in their place: the line is refused, and can stand in
/// the answer that says so.
fn blank_controls(line: &mut [u8], offset: usize, fault: &mut Option<ParseError>) {
    if memchr2(b'\r', 0, line).is_none() {
        return;
    }
    note(fault, || {
        let kind = ParseErrorKind::Malformed;
        ParseError::new(kind, offset, "a bare CR or NUL in a header line", "none", line)
    });
    line.iter_mut().filter(|byte| matches!(**byte, b'\r' | 0)).for_each(|byte| *byte = b' ');
}

fn header_line(offset: usize, line: &[u8]) -> Result<Line, ParseError> {
    let malformed =
        |what, expected| ParseError::new(ParseErrorKind::Malformed, offset, what, expected, line);
    if line.len() > LINE_BYTES_MAX {
        let kind = ParseErrorKind::OverLimit;
        let what = "the header line is too long";
        return Err(ParseError::new(kind, offset, what, "at most 8192 bytes", line));
    }
    let colon = memchr(b':', line).ok_or_else(|| malformed("no colon", "`name: value`"))?;
    let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
    // RFC 3261 §7.3.1: white space may stand before the colon.
    let name = name.trim_ascii_end();
    if !lex::is_token(name) {
        return Err(malformed("the header name is no token", "`name: value`"));
    }
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    Ok(Line {
        known: Known::of(name),
        name: span(offset, line, name),
        value: span(offset, line, value),
    })
}

/// Where `part` of `line` stands in the message, the line standing at `offset`.
fn span(offset: usize, line: &[u8], part: &[u8]) -> Span {
    let inside = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    let start = offset + inside.min(line.len());
    Span { start: position(start), end: position(start + part.len()) }
}

/// Positions fit: a message is no longer than `MESSAGE_BYTES_MAX`.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn body_span(bytes: &[u8], lines: &[Line], start: usize, fault: &mut Option<ParseError>) -> Span {
    let available = bytes.len().saturating_sub(start);
    let mut length = None;
    for line in lines.iter().filter(|line| line.known == Some(Known::ContentLength)) {
        let value = bytes.get(line.value.range()).unwrap_or_default();
        let declared = std::str::from_utf8(value).ok().and_then(decimal);
        let declared = declared.map(|declared| declared as usize);
        let offset = line.value.start as usize;
        let mut bad = |what, expected| {
            note(fault, || {
                ParseError::new(ParseErrorKind::Malformed, offset, what, expected, value)
            });
        };
        match declared {
            None => bad("Content-Length is no number", "digits"),
            // RFC 3261 §18.3: a body cut short is an error.
            Some(declared) if declared > available => {
                bad("Content-Length is more than there is", "the length of the body");
            }
            Some(_) if length.is_some() && length != declared => {
                bad("two values of Content-Length", "one");
            }
            Some(_) => length = declared,
        }
    }
    let length = length.unwrap_or(available);
    Span { start: position(start), end: position(start + length) }
}
