//! What three SIP parsers read from one message, in the same words, so that they can be compared:
//! ours, `rsipstack` and `ezk-sip-types`. The other two are oracles for tests and benchmarks; the
//! switch is never built with them.
//!
//! Where an oracle cannot read a part, the part is `None`: a test then has nothing to compare, and
//! says itself how much it wants compared.

#![forbid(unsafe_code)]

mod ezk;
mod ours;
mod rsipstack;

pub use ezk::{ezk, ezk_message};
pub use ours::ours;
pub use rsipstack::rsipstack;

use std::net::IpAddr;

/// A message in the words that all three have. A part that is not there, or that the parser
/// refuses, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Method of a request, status of a response.
    pub start: String,
    /// Request-URI.
    pub uri: Option<Address>,
    /// From.
    pub from: Option<Address>,
    /// Its tag.
    pub from_tag: Option<String>,
    /// To.
    pub to: Option<Address>,
    /// Its tag.
    pub to_tag: Option<String>,
    /// Call-ID.
    pub call_id: Option<String>,
    /// CSeq.
    pub cseq: Option<(u32, String)>,
    /// Every Via, the top one first.
    pub vias: Option<Vec<Hop>>,
    /// The first Contact.
    pub contact: Option<Address>,
    /// What Content-Length bounds.
    pub body: Vec<u8>,
}

impl Reading {
    /// The parts in which two differ, a line each.
    pub fn differences(&self, other: &Reading) -> Vec<String> {
        let mut lines = Vec::new();
        macro_rules! compare {
            ($($part:ident),*) => {$(
                if self.$part != other.$part {
                    let part = stringify!($part);
                    lines.push(format!("{part}: {:?} and {:?}", self.$part, other.$part));
                }
            )*};
        }
        compare!(start, uri, from, from_tag, to, to_tag, call_id, cseq, vias, contact, body);
        lines
    }
}

/// The parts of a URI that all three take apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// In lower case.
    pub scheme: String,
    /// With its escapes resolved.
    pub user: Option<String>,
    /// In lower case; an address literal in its usual form, without brackets.
    pub host: String,
    /// As written.
    pub port: Option<u16>,
}

/// The parts of a Via that all three take apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// In upper case.
    pub transport: String,
    /// As that of an [`Address`].
    pub host: String,
    /// As written.
    pub port: Option<u16>,
    /// The transaction.
    pub branch: Option<String>,
}

/// A host in one form.
fn host(text: &str) -> String {
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    match inner.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => text.to_ascii_lowercase(),
    }
}

/// Escapes resolved, where they are UTF-8.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
