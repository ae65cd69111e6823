//! `"Display" <uri>;params`: From, To, Contact, Route and their kin (RFC 3261 §20.10).
//!
//! Owns the split between the three parts, with and without angle brackets, and writing them
//! back. It does not know which header it stands in: `Contact: *` is the registrar's.

use std::fmt;

use super::{HeaderError, Params};
use crate::lex;
use crate::message::decimal;
use crate::uri::Uri;

/// A URI with an optional display name and header parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, decoded: without quotes and backslashes. `None` where empty.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// Parameters of the header, not of the URI: `tag`, `expires`, `q`, …
    pub params: Params,
}

impl NameAddr {
    /// A bare address without display name and parameters.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: Params::default() }
    }

    /// Reads one value, without the commas of a list.
    pub fn parse(text: &str) -> Result<NameAddr, HeaderError> {
        let text = text.trim();
        let error = |part: &str, what, expected| {
            HeaderError::malformed(lex::offset_in(text, part), what, expected, part)
        };
        let (display, rest) = if text.starts_with('"') {
            let (display, rest) = lex::quoted_string(text)
                .ok_or_else(|| error(text, "the display name never ends", "a closing quote"))?;
            let bracketed = rest.trim_start().strip_prefix('<');
            (display, Some(bracketed.ok_or_else(|| error(rest, "no address", "`<`"))?))
        } else {
            match text.split_once('<') {
                Some((display, rest)) => (display.trim().to_owned(), Some(rest)),
                None => (String::new(), None),
            }
        };
        let (uri, params) = match rest {
            Some(rest) => {
                rest.split_once('>').ok_or_else(|| error(rest, "the address never ends", "`>`"))?
            }
            None => text.split_at_checked(addr_spec_end(text)).unwrap_or((text, "")),
        };
        // RFC 3261 §20: else nobody can say whether they are the URI's or the header's.
        if rest.is_none() && uri.contains('?') {
            return Err(error(uri, "headers of a URI without brackets", "`<`, `>` around it"));
        }
        let params = params.trim_start();
        if !params.is_empty() && !params.starts_with(';') {
            return Err(error(params, "text after the address", "`;` or nothing"));
        }
        let at = |part: &str| lex::offset_in(text, part);
        let uri = uri.trim();
        Ok(NameAddr {
            display: Some(display).filter(|display| !display.is_empty()),
            uri: Uri::parse(uri).map_err(|fault| fault.shifted(at(uri)))?,
            params: Params::parse(params).map_err(|fault| fault.shifted(at(params)))?,
        })
    }

    /// The preference among several contacts, in thousandths (RFC 3261 §20.10, `q`); 1000 where
    /// none is given or it cannot be read.
    pub fn preference(&self) -> u32 {
        let Some(q) = self.params.get("q") else { return 1000 };
        let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
        let thousandths = decimal(&format!("{fraction:0<3}")).filter(|_| fraction.len() <= 3);
        match (whole, thousandths) {
            ("0" | "", Some(thousandths)) => thousandths,
            _ => 1000,
        }
    }

    /// The `tag` parameter that tells dialogs apart.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }
}

/// RFC 3261 §20: without brackets, what follows a semicolon belongs to the header.
fn addr_spec_end(text: &str) -> usize {
    // why: a user part may hold semicolons, even where brackets would have been required.
    let user_end = text
        .find(['"', '@'])
        .filter(|&at| text.as_bytes().get(at) == Some(&b'@'))
        .unwrap_or_default();
    let tail = text.get(user_end..).unwrap_or_default();
    tail.find(';').map_or(text.len(), |at| at + user_end)
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", lex::quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> NameAddr {
        NameAddr::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    #[test]
    fn the_forms_of_the_wild_are_read() {
        for (text, display, uri, tag) in [
            ("<sip:bob@b.example>", None, "sip:bob@b.example", None),
            ("sip:bob@b.example;tag=1", None, "sip:bob@b.example", Some("1")),
            (
                "Bob B. <sip:bob@b.example;lr>;tag=1",
                Some("Bob B."),
                "sip:bob@b.example;lr",
                Some("1"),
            ),
            (
                r#""Bob, \"the\" <b>" <sip:b;x=1@h>; TAG=z"#,
                Some(r#"Bob, "the" <b>"#),
                "sip:b;x=1@h",
                Some("z"),
            ),
            (r#""" <tel:+15550100>"#, None, "tel:+15550100", None),
            ("sip:u;v=2@h;tag=t", None, "sip:u;v=2@h", Some("t")),
            ("<sip:*98#@h>", None, "sip:*98#@h", None),
            ("tel:911;tag=x", None, "tel:911", Some("x")),
        ] {
            let address = read(text);
            assert_eq!(address.display.as_deref(), display, "{text}");
            assert_eq!(address.uri.to_string(), uri, "{text}");
            assert_eq!(address.tag(), tag, "{text}");
            assert_eq!(read(&address.to_string()), address, "{text}");
        }
    }

    #[test]
    fn broken_addresses_are_located() {
        for (text, offset) in [
            ("\"Bob <sip:b@h>", 0),
            ("\"Bob\" sip:b@h", 5),
            ("Bob <sip:b@h", 5),
            ("<sip:b@h> x", 10),
            ("Bob <nonsense>", 5),
            ("<sip:b@h>;=1", 10),
        ] {
            assert_eq!(NameAddr::parse(text).unwrap_err().offset, offset, "{text}");
        }
    }
}
