//! Making messages.
//!
//! Owns the writing of start line, headers, Content-Length and body, and the promise that no
//! value can start a line of its own: CR, LF and NUL are refused, never replaced. What goes
//! into which request or response is decided by transactions and dialogs. Goes in: names and
//! values; comes out: a [`Message`], the same type as a received one.

use std::fmt::Display;
use std::net::SocketAddr;

use crate::headers::name::Known;
use crate::headers::{NameAddr, Via};
use crate::lex;
use crate::message::Message;
use crate::method::Method;
use crate::parse::{self, ParseError};

/// Why a message was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A header name that is no token (RFC 3261 §25.1), its start shown.
    #[error("`{0}` is no header name; expected a token")]
    Name(String),
    /// CR, LF or NUL in the value of that header.
    #[error("the value of {name} holds CR, LF or NUL at byte {offset}; expected none")]
    Value {
        /// Name of the header.
        name: String,
        /// Where in the value, in bytes.
        offset: usize,
    },
    /// Method, Request-URI, status or reason phrase that would break the start line.
    #[error("`{0}` cannot stand in a start line")]
    StartLine(String),
    /// The message would be over one of [`crate::limits`].
    #[error("the message is over a limit: {0}")]
    OverLimit(ParseError),
}

/// A message being written, headers in the order in which they are added.
///
/// The chaining methods remember the first thing they refuse and [`Builder::build`] reports
/// it; [`Builder::try_header`] reports at once and leaves the builder usable.
#[derive(Clone, Debug)]
pub struct Builder {
    start: String,
    headers: Vec<(String, Vec<u8>)>,
    content_type: Option<String>,
    body: Vec<u8>,
    refused: Option<BuildError>,
}

impl Builder {
    /// A request without any header. The URI is written as given.
    #[allow(clippy::needless_pass_by_value, reason = "callers name the method in place")]
    pub fn request(method: Method, uri: &str) -> Builder {
        let broken = |c: char| c.is_whitespace() || c.is_control();
        let refused = if !lex::is_token(method.as_str().as_bytes()) {
            Some(BuildError::StartLine(lex::excerpt(method.as_str())))
        } else if uri.is_empty() || uri.contains(broken) {
            Some(BuildError::StartLine(lex::excerpt(uri)))
        } else {
            None
        };
        Builder::starting(format!("{method} {uri} SIP/2.0\r\n"), refused)
    }

    /// A response to `request`, with what RFC 3261 §8.2.6.2 copies: every Via, From, To,
    /// Call-ID, CSeq; Timestamp into a 100; Record-Route into 101 to 299 (§12.1.1).
    ///
    /// `reason` is a phrase or `None` for the usual one. The To tag is added by
    /// [`Builder::to_tag`], the true source by [`Builder::source`].
    pub fn response_to<'a>(
        request: &Message,
        status: u16,
        reason: impl Into<Option<&'a str>>,
    ) -> Builder {
        let reason = reason.into().unwrap_or(default_reason(status));
        let broken = reason.bytes().any(lex::breaks_line) || !(100..700).contains(&status);
        let refused =
            broken.then(|| BuildError::StartLine(format!("{status} {}", lex::excerpt(reason))));
        let mut builder = Builder::starting(format!("SIP/2.0 {status} {reason}\r\n"), refused);
        builder.copy_all(request, Known::Via.long());
        if status == 100 {
            builder.copy_all(request, "Timestamp");
        } else if (101..300).contains(&status) {
            builder.copy_all(request, Known::RecordRoute.long());
        }
        for known in [Known::From, Known::To, Known::CallId, Known::CSeq] {
            builder.copy_all(request, known.long());
        }
        builder
    }

    fn starting(start: String, refused: Option<BuildError>) -> Builder {
        Builder { start, headers: Vec::new(), content_type: None, body: Vec::new(), refused }
    }

    /// Copies every header of that name, byte for byte.
    pub fn copy(mut self, message: &Message, name: &str) -> Builder {
        self.copy_all(message, name);
        self
    }

    fn copy_all(&mut self, message: &Message, name: &str) {
        for value in message.header_all(name) {
            self.headers.push((name.to_owned(), value.to_vec()));
        }
    }

    /// Adds a header at the end.
    ///
    /// Content-Length and Content-Type belong to [`Builder::body`].
    pub fn header(mut self, name: &str, value: impl Display) -> Builder {
        if let Err(refused) = self.try_header(name, value) {
            self.refused.get_or_insert(refused);
        }
        self
    }

    /// Adds a header at the end, or says why it cannot be written and adds nothing.
    ///
    /// # Errors
    /// A name that is no token; CR, LF or NUL in the value.
    pub fn try_header(&mut self, name: &str, value: impl Display) -> Result<(), BuildError> {
        if !lex::is_token(name.as_bytes()) {
            return Err(BuildError::Name(lex::excerpt(name)));
        }
        let value = value.to_string();
        if let Some(offset) = value.bytes().position(lex::breaks_line) {
            return Err(BuildError::Value { name: name.to_owned(), offset });
        }
        self.headers.push((name.to_owned(), value.into_bytes()));
        Ok(())
    }

    /// Whether a header of that name has been added, in either form.
    pub fn has(&self, name: &str) -> bool {
        let known = Known::of(name.as_bytes());
        self.headers.iter().any(|(added, _)| {
            added.eq_ignore_ascii_case(name)
                || known.is_some() && Known::of(added.as_bytes()) == known
        })
    }

    /// Adds the tag to To unless it has one, as every response but 100 must (§8.2.6.2).
    pub fn to_tag(mut self, tag: &str) -> Builder {
        if !lex::is_token(tag.as_bytes()) {
            let name = "To".to_owned();
            self.refused.get_or_insert(BuildError::Value { name, offset: 0 });
            return self;
        }
        if let Some((_, to)) = self.headers.iter_mut().find(|(name, _)| name == "To") {
            let tagged = NameAddr::parse(&lex::text(to)).is_ok_and(|to| to.params.has("tag"));
            if !tagged {
                to.extend_from_slice(b";tag=");
                to.extend_from_slice(tag.as_bytes());
            }
        }
        self
    }

    /// Notes in the top Via where the request came from (RFC 3261 §18.2.1, RFC 3581 §4).
    ///
    /// A Via that cannot be read stays as it is.
    pub fn source(mut self, source: SocketAddr) -> Builder {
        if let Some((_, line)) = self.headers.iter_mut().find(|(name, _)| name == "Via") {
            let end = lex::find_top_level(line, b',').unwrap_or(line.len());
            let (top, others) = line.split_at_checked(end).unwrap_or((line, &[]));
            if let Ok(mut via) = Via::parse(lex::text(top).trim()) {
                via.note_source(source);
                let mut written = via.to_string().into_bytes();
                written.extend_from_slice(others);
                *line = written;
            }
        }
        self
    }

    /// Sets the body. An empty content type writes no Content-Type.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Builder {
        if let Some(offset) = content_type.bytes().position(lex::breaks_line) {
            let name = "Content-Type".to_owned();
            self.refused.get_or_insert(BuildError::Value { name, offset });
        }
        self.content_type = Some(content_type.to_owned()).filter(|text| !text.is_empty());
        self.body = body.to_vec();
        self
    }

    /// The message. Content-Length is written from the body.
    ///
    /// # Errors
    /// The first thing that a chained method refused, or a limit of [`crate::limits`].
    pub fn build(self) -> Result<Message, BuildError> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let extra = self.content_type.as_deref().map_or(0, str::len) + 64;
        let size = self.start.len() + headers + extra + self.body.len();
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(self.start.as_bytes());
        for (name, value) in &self.headers {
            write_line(&mut bytes, name, value);
        }
        if let Some(content_type) = &self.content_type {
            write_line(&mut bytes, "Content-Type", content_type.as_bytes());
        }
        write_line(&mut bytes, "Content-Length", self.body.len().to_string().as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        parse::owned(bytes).map_err(BuildError::OverLimit)
    }
}

fn write_line(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Phrases of RFC 3261 §21 and its extensions.
const REASONS: &[(u16, &str)] = &[
    (100, "Trying"),
    (180, "Ringing"),
    (181, "Call Is Being Forwarded"),
    (182, "Queued"),
    (183, "Session Progress"),
    (199, "Early Dialog Terminated"),
    (200, "OK"),
    (202, "Accepted"),
    (204, "No Notification"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Moved Temporarily"),
    (305, "Use Proxy"),
    (380, "Alternative Service"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (410, "Gone"),
    (413, "Request Entity Too Large"),
    (414, "Request-URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Unsupported URI Scheme"),
    (420, "Bad Extension"),
    (421, "Extension Required"),
    (422, "Session Interval Too Small"),
    (423, "Interval Too Brief"),
    (428, "Use Identity Header"),
    (430, "Flow Failed"),
    (433, "Anonymity Disallowed"),
    (436, "Bad Identity-Info"),
    (439, "First Hop Lacks Outbound Support"),
    (480, "Temporarily Unavailable"),
    (481, "Call/Transaction Does Not Exist"),
    (482, "Loop Detected"),
    (483, "Too Many Hops"),
    (484, "Address Incomplete"),
    (485, "Ambiguous"),
    (486, "Busy Here"),
    (487, "Request Terminated"),
    (488, "Not Acceptable Here"),
    (489, "Bad Event"),
    (491, "Request Pending"),
    (493, "Undecipherable"),
    (494, "Security Agreement Required"),
    (500, "Server Internal Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Server Time-out"),
    (505, "Version Not Supported"),
    (513, "Message Too Large"),
    (580, "Precondition Failure"),
    (600, "Busy Everywhere"),
    (603, "Decline"),
    (604, "Does Not Exist Anywhere"),
    (606, "Not Acceptable"),
    (607, "Unwanted"),
    (608, "Rejected"),
];

/// The usual phrase of a status code; of an unlisted code the phrase of its class.
pub fn default_reason(status: u16) -> &'static str {
    let listed = REASONS.iter().find(|(known, _)| *known == status);
    listed.map_or_else(
        || match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
        |(_, reason)| reason,
    )
}
