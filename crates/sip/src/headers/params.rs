//! `;name=value` lists: of URIs, of name-addrs, of Vias.
//!
//! Owns their order and their text. Values stay as received, quotes included, so that writing
//! a list back changes nothing that the peer could notice; what a parameter means is up to the
//! reader.

use std::borrow::Cow;
use std::fmt;

use super::HeaderError;
use crate::lex;
use crate::limits::PARAMS_MAX;

/// An ordered list of parameters. Names compare without regard to case (RFC 3261 §7.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Params {
    list: Vec<(String, Option<String>)>,
}

impl Params {
    /// Reads `;a=1;b` (the first semicolon may be left out). Empty parts are skipped.
    pub fn parse(text: &str) -> Result<Params, HeaderError> {
        let mut list = Vec::new();
        for part in lex::split_text(text, ';') {
            if list.len() == PARAMS_MAX {
                return Err(HeaderError::malformed(
                    lex::offset_in(text, part),
                    "too many parameters",
                    "at most 64",
                    part,
                ));
            }
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
                None => (part, None),
            };
            // why: whatever is added behind it, such as our tag, would be a part of it.
            if lex::ends_open(part.as_bytes()) {
                return Err(HeaderError::malformed(
                    lex::offset_in(text, part),
                    "a quote or bracket that never ends",
                    "a closing one",
                    part,
                ));
            }
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(HeaderError::malformed(
                    lex::offset_in(text, part),
                    "a parameter without a proper name",
                    "`;name=value` or `;name`",
                    part,
                ));
            }
            list.push((name.to_owned(), value));
        }
        Ok(Params { list })
    }

    /// The value of the first parameter of that name as received; `""` for one without value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.list
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// [`Params::get`] with the quotes of a quoted string taken off.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(|value| match lex::quoted_string(value) {
            Some((decoded, "")) => Cow::Owned(decoded),
            _ => Cow::Borrowed(value),
        })
    }

    /// Whether a parameter of that name is there, with or without value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets the first parameter of that name in its place, or adds it at the end.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        match self.list.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some(entry) => entry.1 = value,
            None => self.list.push((name.to_owned(), value)),
        }
    }

    /// Takes every parameter of that name out.
    pub fn remove(&mut self, name: &str) {
        self.list.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Name and value of each, in order, as received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.list.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_quotes_and_flags_survive() {
        let params = Params::parse(r#"; lr ;Q = 0.5;x="a;b\"c" ;;empty="#).unwrap();
        assert_eq!(params.to_string(), r#";lr;Q=0.5;x="a;b\"c";empty="#);
        assert_eq!(params.get("q"), Some("0.5"));
        assert_eq!(params.get("lr"), Some(""));
        assert_eq!(params.unquoted("x").as_deref(), Some("a;b\"c"));
        assert!(params.has("EMPTY") && !params.has("tag"));
    }

    #[test]
    fn set_replaces_in_place_and_remove_takes_all() {
        let mut params = Params::parse(";rport;branch=1;RPORT").unwrap();
        params.set("rport", Some("5060"));
        params.set("received", Some("192.0.2.1"));
        assert_eq!(params.to_string(), ";rport=5060;branch=1;RPORT;received=192.0.2.1");
        params.remove("rport");
        assert_eq!(params.to_string(), ";branch=1;received=192.0.2.1");
    }

    #[test]
    fn nameless_and_endless_lists_are_refused() {
        assert_eq!(Params::parse(";a;=x").unwrap_err().offset, 3);
        assert!(Params::parse(";a b=x").is_err());
        for open in [";a;b=\"x", ";a;b=\"x\\\"", ";a;b<c;d", ";a;b=x\"y;tag=1"] {
            assert_eq!(Params::parse(open).unwrap_err().offset, 3, "{open}");
        }
        assert!(Params::parse(&";p".repeat(PARAMS_MAX)).is_ok());
        assert!(Params::parse(&";p".repeat(PARAMS_MAX + 1)).is_err());
    }
}
