//! One SIP message: its bytes and an index into them.
//!
//! Owns what a message *is* and reading from it: start line, headers, body. Received and built
//! messages are the same type. Values are read when asked for, so a header that nobody looks
//! at costs nothing and cannot make a message unusable. Reading bytes into a message is
//! `parse`, making one is `write`; what a message *means* is up to transactions and dialogs.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::headers::name::Known;
use crate::headers::{HeaderError, NameAddr, Via};
use crate::lex;
use crate::limits::LIST_VALUES_MAX;
use crate::method::Method;
use crate::parse::{self, ParseError};
use crate::uri::Uri;

/// A SIP request or response. Cloning copies no bytes.
///
/// Header names compare without case and a compact form equals its long one: `header("Via")`
/// finds `v:`. Text is UTF-8 where it is valid, else Latin-1, so nothing received is lost.
#[derive(Clone)]
pub struct Message {
    pub(crate) bytes: Bytes,
    pub(crate) index: Arc<Index>,
}

/// A range of the message's bytes. Messages are shorter than 4 GiB by [`crate::limits`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One header line: where its name and its value stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) known: Option<Known>,
    pub(crate) name: Span,
    pub(crate) value: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Start {
    Request { method: Method, uri: Span, version: Span },
    Response { status: u16, reason: Span, version: Span },
}

#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) start: Start,
    pub(crate) lines: Vec<Line>,
    pub(crate) body: Span,
}

impl Message {
    /// Reads one datagram.
    ///
    /// Line ends may be CRLF or LF, folded lines are joined (the line ends inside become
    /// spaces), leading line ends are skipped. Without Content-Length the body reaches to the
    /// end of the datagram; bytes beyond Content-Length are no part of the body.
    ///
    /// # Errors
    /// A located [`ParseError`]. It tells keep-alives from broken messages, and holds what
    /// could be read of a request that deserves a 400 response.
    pub fn parse(datagram: &[u8]) -> Result<Message, ParseError> {
        parse::datagram(datagram)
    }

    /// The message as it is on the wire (line ends inside folded lines replaced by spaces).
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// [`Message::as_bytes`], shared instead of copied.
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.index.start, Start::Request { .. })
    }

    /// The method of a request; `None` for a response (see [`Message::cseq`]).
    pub fn method(&self) -> Option<Method> {
        match &self.index.start {
            Start::Request { method, .. } => Some(method.clone()),
            Start::Response { .. } => None,
        }
    }

    /// Whether this is a request of that method.
    pub fn is(&self, wanted: &Method) -> bool {
        matches!(&self.index.start, Start::Request { method, .. } if method == wanted)
    }

    /// The Request-URI as received, of whatever scheme.
    pub fn request_uri(&self) -> Option<Cow<'_, str>> {
        match self.index.start {
            Start::Request { uri, .. } => Some(lex::text(self.slice(uri))),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI taken apart. A response has none and gives an error.
    pub fn uri(&self) -> Result<Uri, HeaderError> {
        let text = self.request_uri().ok_or_else(|| HeaderError::missing("Request-URI"))?;
        Uri::parse(&text).map_err(|fault| fault.in_header("Request-URI"))
    }

    /// The status code of a response, 100 to 699.
    pub fn status(&self) -> Option<u16> {
        match self.index.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// The reason phrase of a response as received; empty for a request.
    pub fn reason(&self) -> Cow<'_, str> {
        match self.index.start {
            Start::Request { .. } => Cow::Borrowed(""),
            Start::Response { reason, .. } => lex::text(self.slice(reason)),
        }
    }

    /// The protocol of the start line, `SIP/2.0` unless the peer wants a 505.
    pub fn version(&self) -> Cow<'_, str> {
        let (Start::Request { version, .. } | Start::Response { version, .. }) = self.index.start;
        lex::text(self.slice(version))
    }

    /// The body, bounded by Content-Length where there is one.
    pub fn body(&self) -> &[u8] {
        self.slice(self.index.body)
    }

    /// The value of the first header of that name, unfolded and trimmed.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let known = Known::of(name.as_bytes());
        let line = self.index.lines.iter().find(|line| self.is_named(line, known, name))?;
        Some(self.slice(line.value))
    }

    /// [`Message::header`] as text.
    pub fn header_text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.header(name).map(lex::text)
    }

    /// The value of each header line of that name, top down, not split at commas.
    pub fn header_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let known = Known::of(name.as_bytes());
        self.index
            .lines
            .iter()
            .filter(move |line| self.is_named(line, known, name))
            .map(|line| self.slice(line.value))
    }

    /// Each value of a comma-separated header, over all its lines, quotes and angle brackets
    /// respected. Only for headers that are lists: a date or a digest holds plain commas.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.header_all(name).flat_map(|line| lex::split_bytes(line, b','))
    }

    /// Name as received and value of every header line, top down.
    pub fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.index
            .lines
            .iter()
            .map(|line| (lex::text(self.slice(line.name)), lex::text(self.slice(line.value))))
    }

    /// Who the request claims to come from.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.address("From")
    }

    /// Whom the request is meant for.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.address("To")
    }

    /// The first Contact. `*` is an error here; only a registrar expects it.
    pub fn contact(&self) -> Result<NameAddr, HeaderError> {
        let first = self.header_values("Contact").next();
        let value = first.ok_or_else(|| HeaderError::missing("Contact"))?;
        NameAddr::parse(&lex::text(value)).map_err(|fault| fault.in_header("Contact"))
    }

    /// The first header of that name as an address: Refer-To, P-Asserted-Identity, …
    pub fn address(&self, name: &str) -> Result<NameAddr, HeaderError> {
        let value = self.required(name)?;
        NameAddr::parse(&value).map_err(|fault| fault.in_header(name))
    }

    /// Every value of an address list in order: Route, Record-Route, Contact, Path.
    ///
    /// No such header is an empty list. More than [`LIST_VALUES_MAX`] values are an error.
    pub fn route_set(&self, name: &str) -> Result<Vec<NameAddr>, HeaderError> {
        let mut routes = Vec::new();
        for value in self.header_values(name) {
            let text = lex::text(value);
            if routes.len() == LIST_VALUES_MAX {
                let fault = HeaderError::malformed(0, "too many values", "at most 64", &text);
                return Err(fault.in_header(name));
            }
            routes.push(NameAddr::parse(&text).map_err(|fault| fault.in_header(name))?);
        }
        Ok(routes)
    }

    /// The Call-ID, never empty.
    pub fn call_id(&self) -> Result<Cow<'_, str>, HeaderError> {
        let value = self.required("Call-ID")?;
        if value.is_empty() {
            let fault = HeaderError::malformed(0, "it is empty", "an identifier", "");
            return Err(fault.in_header("Call-ID"));
        }
        Ok(value)
    }

    /// Sequence number and method.
    ///
    /// RFC 3261 §8.1.1.5: the number is below 2^31.
    pub fn cseq(&self) -> Result<(u32, Method), HeaderError> {
        let value = self.required("CSeq")?;
        let error =
            |what, expected| HeaderError::malformed(0, what, expected, &value).in_header("CSeq");
        let (number, method) = value
            .split_once(|c: char| c.is_ascii_whitespace())
            .ok_or_else(|| error("no method", "a number, a space and a method"))?;
        let number = decimal(number).filter(|&number| number < 1 << 31);
        let number = number.ok_or_else(|| error("not a sequence number", "0 to 2147483647"))?;
        let method = method.trim();
        if !lex::is_token(method.as_bytes()) {
            return Err(error("not a method", "a token"));
        }
        Ok((number, Method::named(method)))
    }

    /// The hop that the message came from (requests) or goes back to (responses).
    pub fn top_via(&self) -> Result<Via, HeaderError> {
        let first = self.header_values("Via").next();
        let value = first.ok_or_else(|| HeaderError::missing("Via"))?;
        Via::parse(&lex::text(value)).map_err(|fault| fault.in_header("Via"))
    }

    /// How many hops remain; `None` where the header is missing (RFC 3261 §16.6 step 3 reads
    /// that as 70).
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let Some(value) = self.header_text("Max-Forwards") else { return Ok(None) };
        match decimal(&value).and_then(|hops| u8::try_from(hops).ok()) {
            Some(hops) => Ok(Some(hops)),
            None => Err(HeaderError::malformed(0, "not a hop count", "0 to 255", &value)
                .in_header("Max-Forwards")),
        }
    }

    /// What every request and response must hold to be processed (RFC 3261 §8.1.1, §8.2.2).
    ///
    /// From, To, Call-ID, CSeq and the top Via are there, readable and not repeated, and the
    /// method of a request is the one in its CSeq.
    pub fn check(&self) -> Result<(), HeaderError> {
        for name in ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"] {
            if self.header_all(name).nth(1).is_some() {
                return Err(HeaderError::repeated(name));
            }
        }
        self.top_via()?;
        // why: the other hops are not read, but what is no hop at all is not passed on either.
        if let Some(value) = self.header_values("Via").find(|value| value.starts_with(b";")) {
            let fault =
                HeaderError::malformed(0, "no hop", "`SIP/2.0/UDP host:port`", &lex::text(value));
            return Err(fault.in_header("Via"));
        }
        self.from()?;
        self.to()?;
        self.call_id()?;
        self.max_forwards()?;
        let (_, method) = self.cseq()?;
        if self.is_request() && !self.is(&method) {
            let fault = HeaderError::malformed(
                0,
                "another method than the request's",
                "the method of the start line",
                method.as_str(),
            );
            return Err(fault.in_header("CSeq"));
        }
        Ok(())
    }

    /// The same message without the header lines of these names.
    pub(crate) fn without(&self, names: &[&str]) -> Message {
        let left_out = |line: &&Line| {
            names.iter().any(|name| self.is_named(line, Known::of(name.as_bytes()), name))
        };
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut from = 0;
        for line in self.index.lines.iter().filter(left_out) {
            let (start, end) = (line.name.start as usize, line.value.end as usize);
            bytes.extend_from_slice(self.bytes.get(from..start).unwrap_or_default());
            let rest = self.bytes.get(end..).unwrap_or_default();
            from = end + memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        }
        bytes.extend_from_slice(self.bytes.get(from..).unwrap_or_default());
        parse::owned(bytes).unwrap_or_else(|_| self.clone())
    }

    fn is_named(&self, line: &Line, known: Option<Known>, name: &str) -> bool {
        match known {
            Some(_) => line.known == known,
            None => self.slice(line.name).eq_ignore_ascii_case(name.as_bytes()),
        }
    }

    fn required(&self, name: &str) -> Result<Cow<'_, str>, HeaderError> {
        self.header_text(name).ok_or_else(|| HeaderError::missing(name))
    }

    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        self.bytes.get(span.range()).unwrap_or_default()
    }
}

/// A number written in digits only; anything else, a sign included, is none.
pub(crate) fn decimal(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Two messages are equal when their bytes are.
impl PartialEq for Message {
    fn eq(&self, peer: &Message) -> bool {
        self.bytes == peer.bytes
    }
}

impl Eq for Message {}

/// Start line and sizes only: a message may hold credentials.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message(")?;
        match self.method() {
            Some(method) => {
                let uri = crate::redacted::text(&self.request_uri().unwrap_or_default());
                write!(f, "{method} {}", uri.escape_debug())?;
            }
            None => {
                let status = self.status().unwrap_or_default();
                write!(f, "{status} {}", self.reason().escape_debug())?;
            }
        }
        write!(f, ", {} headers, body of {} bytes)", self.index.lines.len(), self.body().len())
    }
}
