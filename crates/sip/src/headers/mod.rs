//! Typed views of header values, made only when somebody asks.
//!
//! Owns the shapes that more than one header shares (name-addr, Via, parameters), the names
//! with their compact forms, and the error that says what is wrong with a value. Which header
//! of a message to read is decided in `message`.

pub(crate) mod name;
mod name_addr;
mod params;
mod replaces;
pub(crate) mod via;

use std::borrow::Cow;

pub use name_addr::NameAddr;
pub use params::Params;
pub use replaces::Replaces;
pub use via::Via;

use crate::lex;

/// Why a header could not be read as what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{header}, byte {offset}: {what}; expected {expected}, got `{got}`")]
pub struct HeaderError {
    /// Whether the header is absent, broken or there too often.
    pub kind: HeaderErrorKind,
    /// Name of the header, or `URI` for a URI that stands alone.
    pub header: Cow<'static, str>,
    /// Offset into the value, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub what: &'static str,
    /// What would have been right.
    pub expected: &'static str,
    /// The start of what stands there, made printable.
    pub got: String,
}

/// How a header fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderErrorKind {
    /// The message has no such header.
    Missing,
    /// The value cannot be read.
    Malformed,
    /// A header that may stand once stands more often.
    Repeated,
}

impl HeaderError {
    pub(crate) fn malformed(
        offset: usize,
        what: &'static str,
        expected: &'static str,
        got: &str,
    ) -> HeaderError {
        HeaderError {
            kind: HeaderErrorKind::Malformed,
            header: Cow::Borrowed("value"),
            offset,
            what,
            expected,
            got: lex::excerpt(got),
        }
    }

    pub(crate) fn missing(header: &str) -> HeaderError {
        HeaderError {
            kind: HeaderErrorKind::Missing,
            header: Cow::Owned(header.to_owned()),
            offset: 0,
            what: "the header is missing",
            expected: "one",
            got: String::new(),
        }
    }

    pub(crate) fn repeated(header: &'static str) -> HeaderError {
        HeaderError {
            kind: HeaderErrorKind::Repeated,
            header: Cow::Borrowed(header),
            offset: 0,
            what: "the header may stand only once",
            expected: "one",
            got: "more".to_owned(),
        }
    }

    pub(crate) fn in_header(mut self, header: &str) -> HeaderError {
        self.header = Cow::Owned(header.to_owned());
        self
    }

    pub(crate) fn shifted(mut self, by: usize) -> HeaderError {
        self.offset = self.offset.saturating_add(by);
        self
    }
}
