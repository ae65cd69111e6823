//! A stream of bytes in, whole messages out (RFC 3261 §18.3, §20.14).
//!
//! Owns the boundaries between messages on a connection: the empty line that ends the headers,
//! Content-Length for the body, and the line ends between messages that are keep-alives (RFC 5626
//! §3.5.1). It reads no header but Content-Length; [`Message::parse`](crate::Message::parse) reads
//! the message. How the bytes were cut on their way makes no difference to what comes out.
//!
//! What is held is bounded by [`STREAM_HEAD_BYTES_MAX`] and [`STREAM_BODY_BYTES_MAX`], and nothing
//! is while no message is under way. After an error nobody can say where the next message begins:
//! the connection must be closed, after [`Framer::refusal`] where there is one.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use memchr::memchr;

use crate::lex;
use crate::limits::{STREAM_BODY_BYTES_MAX, STREAM_HEAD_BYTES_MAX};
use crate::message::{Message, decimal};
use crate::method::Method;
use crate::write::{Builder, default_reason};

/// What a peer asks with (RFC 5626 §3.5.1).
pub const PING: &[u8] = b"\r\n\r\n";

/// What it is answered with (RFC 5626 §4.4.1).
pub const PONG: &[u8] = b"\r\n";

/// One thing that a stream carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message from its start line to the end of its body.
    Message(Bytes),
    /// A keep-alive: answer with [`PONG`].
    Ping,
}

/// Why a stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingError {
    /// More than [`STREAM_HEAD_BYTES_MAX`] without an empty line.
    HeadTooLong,
    /// A message without Content-Length (§20.14: a stream-based transport needs it).
    NoContentLength,
    /// A Content-Length that is no number, or several of them.
    BadContentLength,
    /// A body longer than [`STREAM_BODY_BYTES_MAX`].
    BodyTooLong,
    /// A start line cannot begin so: the peer speaks another protocol, TLS for one.
    NotSip,
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FramingError::HeadTooLong => {
                write!(f, "the headers never end; expected an empty line within ")?;
                write!(f, "{STREAM_HEAD_BYTES_MAX} bytes")
            }
            FramingError::NoContentLength => write!(f, "no Content-Length; expected one"),
            FramingError::BadContentLength => write!(f, "Content-Length; expected one number"),
            FramingError::BodyTooLong => {
                write!(f, "the body is too long; expected at most {STREAM_BODY_BYTES_MAX} bytes")
            }
            FramingError::NotSip => write!(f, "not SIP; expected a start line"),
        }
    }
}

impl std::error::Error for FramingError {}

/// The reader of one stream; see the module.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Where the next message begins.
    begin: usize,
    place: Place,
    error: Option<FramingError>,
    /// The headers of the message that broke the stream, without Content-Length.
    broken: Option<Message>,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Between messages; whether one line end has come since the last thing that was not one.
    Between { line_end: bool },
    /// In the headers of a message; the next line to look at begins here.
    Head { line: usize },
    /// In a body; where the message ends.
    Body { end: usize },
}

impl Default for Place {
    fn default() -> Place {
        Place::Between { line_end: false }
    }
}

impl Framer {
    /// A stream that begins.
    pub fn new() -> Framer {
        Framer::default()
    }

    /// The next bytes of the stream. Take out with [`Framer::next_frame`] what they complete before
    /// pushing more, so that no more than one message and one push is held.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole thing; `None` until more bytes come.
    ///
    /// # Errors
    /// The stream is broken; every further call says so again.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FramingError> {
        let found = match self.error {
            None => self.read(),
            Some(error) => Err(error),
        };
        match &found {
            Ok(Some(_)) => {}
            Ok(None) => self.compact(),
            Err(error) => {
                self.error = Some(*error);
                self.buffer = Vec::new();
            }
        }
        found
    }

    /// What the request that broke the stream is answered with before the connection is closed
    /// (RFC 3261 §18.3): 400 with the reason, 413 for a body that is too long. `None` while nothing
    /// is broken, and for what cannot be answered: responses, ACK, headers without end or without
    /// what every request has.
    /// `source` is the peer's address.
    pub fn refusal(&self, source: SocketAddr) -> Option<Bytes> {
        let request = self.broken.as_ref().filter(|message| message.is_request())?;
        request.check().ok()?;
        let branch = request.top_via().ok()?.branch().map(str::to_owned);
        let error = self.error?;
        let status = if error == FramingError::BodyTooLong { 413 } else { 400 };
        let reason = format!("{}: {error}", default_reason(status));
        let response = Builder::response_to(request, status, reason.as_str())
            .to_tag(branch.as_deref().unwrap_or("refused"))
            .source(source);
        let response = response.build().ok()?;
        Some(response.to_bytes()).filter(|_| !request.is(&Method::Ack))
    }

    /// Bytes of memory that are held.
    pub fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// Whether a message has begun and not ended.
    pub fn is_within_message(&self) -> bool {
        !matches!(self.place, Place::Between { .. })
    }

    fn read(&mut self) -> Result<Option<Frame>, FramingError> {
        loop {
            let (place, frame) = match self.place {
                Place::Between { line_end } => match self.between(line_end)? {
                    Some(next) => next,
                    None => return Ok(None),
                },
                Place::Head { line } => match self.head(line)? {
                    Some(end) => (Place::Body { end }, None),
                    None => return Ok(None),
                },
                Place::Body { end } => match self.buffer.get(self.begin..end) {
                    Some(message) => {
                        let message = Bytes::copy_from_slice(message);
                        self.begin = end;
                        (Place::Between { line_end: false }, Some(Frame::Message(message)))
                    }
                    None => return Ok(None),
                },
            };
            self.place = place;
            if frame.is_some() {
                return Ok(frame);
            }
        }
    }

    /// RFC 3261 §7.5: line ends before a start line are ignored; RFC 5626 §3.5.1: two are a ping.
    fn between(&mut self, line_end: bool) -> Result<Option<(Place, Option<Frame>)>, FramingError> {
        let rest = self.buffer.get(self.begin..).unwrap_or_default();
        Ok(match rest {
            [] | [b'\r'] => None,
            // A CR of its own is no line end, and no start line begins with one.
            [b'\r', b'\n', ..] | [b'\n', ..] => {
                self.begin += if rest.starts_with(b"\n") { 1 } else { 2 };
                let ping = line_end.then_some(Frame::Ping);
                Some((Place::Between { line_end: !line_end }, ping))
            }
            // RFC 3261 §25.1: a start line begins with a token, be it a method or `SIP`.
            [first, ..] if *first != b'\r' && !lex::is_token(&[*first]) => {
                return Err(FramingError::NotSip);
            }
            _ => Some((Place::Head { line: self.begin }, None)),
        })
    }

    /// Where the message ends, once its headers are complete.
    fn head(&mut self, mut line: usize) -> Result<Option<usize>, FramingError> {
        let begin = self.begin;
        let too_long = |end: usize| end - begin > STREAM_HEAD_BYTES_MAX;
        loop {
            let rest = self.buffer.get(line..).unwrap_or_default();
            let Some(length) = memchr(b'\n', rest) else {
                self.place = Place::Head { line };
                let all = self.buffer.len();
                return if too_long(all) { Err(FramingError::HeadTooLong) } else { Ok(None) };
            };
            let next = line + length + 1;
            if too_long(next) {
                return Err(FramingError::HeadTooLong);
            }
            if matches!(rest.get(..length), Some([] | [b'\r'])) {
                let head = self.buffer.get(begin..line).unwrap_or_default();
                let length = content_length(head);
                if length.is_err() {
                    self.broken = Message::parse(&without_content_length(head)).ok();
                }
                return length.map(|body| Some(next + body));
            }
            line = next;
        }
    }

    /// Forgets what was taken out.
    fn compact(&mut self) {
        let begin = self.begin;
        if begin == 0 {
            return;
        }
        if begin == self.buffer.len() {
            // why: an idle connection holds nothing.
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..begin);
        }
        self.begin = 0;
        match &mut self.place {
            Place::Between { .. } => {}
            Place::Head { line: at } | Place::Body { end: at } => *at -= begin,
        }
    }
}

/// The length of the body that a header block announces.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut found = None;
    let mut rest = head;
    while !rest.is_empty() {
        let (line, after) = unfolded(rest);
        rest = after;
        let Some(value) = content_length_value(line) else { continue };
        let length = std::str::from_utf8(value).ok().and_then(decimal);
        let length = length.ok_or(FramingError::BadContentLength)?;
        // why: two readings of one stream would let a peer hide a message in another's body.
        if found.is_some() {
            return Err(FramingError::BadContentLength);
        }
        found = Some(length);
    }
    let length = found.ok_or(FramingError::NoContentLength)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > STREAM_BODY_BYTES_MAX { Err(FramingError::BodyTooLong) } else { Ok(length) }
}

/// What a line says after `Content-Length:`, if it says that.
fn content_length_value(line: &[u8]) -> Option<&[u8]> {
    let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
    let name = name.trim_ascii_end();
    let known = name.eq_ignore_ascii_case(b"Content-Length") || name.eq_ignore_ascii_case(b"l");
    known.then(|| value.get(1..).unwrap_or_default().trim_ascii())
}

/// A header block without the lines that announce a body, and with the empty line that ends it.
fn without_content_length(head: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::with_capacity(head.len() + 2), head);
    while !rest.is_empty() {
        let (line, after) = unfolded(rest);
        rest = after;
        if content_length_value(line).is_none() {
            kept.extend_from_slice(line);
        }
    }
    kept.extend_from_slice(b"\r\n");
    kept
}

/// The first line with those that are folded onto it (RFC 3261 §7.3.1), and the rest.
fn unfolded(text: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        end += memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        if !matches!(text.get(end), Some(b' ' | b'\t')) {
            return text.split_at_checked(end).unwrap_or((text, &[]));
        }
    }
}
