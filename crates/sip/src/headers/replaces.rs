//! Replaces: the dialog that an INVITE is to take the place of (RFC 3891).
//!
//! Owns reading and writing of the value, as a header and as it stands escaped in the header part
//! of a SIP URI (RFC 3261 §19.1.1), which is how a Refer-To carries it. Which dialog it names is
//! [`Endpoint::dialog`](crate::Endpoint::dialog)'s business.

use std::fmt;

use super::{HeaderError, Params};
use crate::{lex, uri::Uri};

/// The value of a Replaces header. Who receives it finds its own tag in `to_tag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// Call-ID of the dialog.
    pub call_id: String,
    /// The tag of whoever receives the INVITE with this header.
    pub to_tag: String,
    /// The tag of its peer in that dialog. `0` may stand for none (RFC 3891 §6.1).
    pub from_tag: String,
    /// Only a dialog that is still early may be replaced (RFC 3891 §6.1, `early-only`).
    pub early_only: bool,
}

impl Replaces {
    /// Reads `call-id;to-tag=x;from-tag=y`, parameters in any order.
    ///
    /// # Errors
    /// No Call-ID, or not each of the two tags; both must be there (RFC 3891 §6.1).
    pub fn parse(text: &str) -> Result<Replaces, HeaderError> {
        let text = text.trim();
        let (call_id, params) =
            text.split_at_checked(text.find(';').unwrap_or(text.len())).unwrap_or((text, ""));
        let call_id = call_id.trim();
        let fault = |part: &str, what, expected| {
            HeaderError::malformed(lex::offset_in(text, part), what, expected, part)
                .in_header("Replaces")
        };
        let improper = |c: char| c.is_whitespace() || c.is_control();
        if call_id.is_empty() || call_id.contains(improper) {
            return Err(fault(text, "no Call-ID", "`call-id;to-tag=…;from-tag=…`"));
        }
        let read = Params::parse(params)
            .map_err(|error| error.shifted(lex::offset_in(text, params)).in_header("Replaces"))?;
        let tag = |name: &str| match read.get(name) {
            Some(tag) if lex::is_token(tag.as_bytes()) => Ok(tag.to_owned()),
            _ => Err(fault(params, "a tag is missing", "`to-tag` and `from-tag`, each a token")),
        };
        Ok(Replaces {
            call_id: call_id.to_owned(),
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: read.has("early-only"),
        })
    }

    /// Reads the one in the header part of a URI, as in
    /// `sip:c@h?Replaces=id%3Bto-tag%3Dx%3Bfrom-tag%3Dy`; `None` where the URI has none.
    ///
    /// # Errors
    /// As [`Replaces::parse`]; offsets count in the unescaped value.
    pub fn of_uri(uri: &Uri) -> Result<Option<Replaces>, HeaderError> {
        uri.header("Replaces").map(|value| Replaces::parse(&value)).transpose()
    }

    /// Puts it into the header part of a URI, behind other headers that may be there.
    pub fn set_in(&self, uri: &mut Uri) {
        uri.push_header("Replaces", &self.to_string());
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replaces { call_id, to_tag, from_tag, early_only } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        f.write_str(if *early_only { ";early-only" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::NameAddr;

    fn dialog(early_only: bool) -> Replaces {
        Replaces {
            call_id: "425928@bobster.example".to_owned(),
            to_tag: "7743".to_owned(),
            from_tag: "6472".to_owned(),
            early_only,
        }
    }

    #[test]
    fn a_header_is_read_in_any_order_and_written_back() {
        for (text, early_only) in [
            ("425928@bobster.example;to-tag=7743;from-tag=6472", false),
            (" 425928@bobster.example ; From-Tag = 6472;x=y ;to-tag=7743", false),
            ("425928@bobster.example;to-tag=7743;from-tag=6472;early-only", true),
        ] {
            let read = Replaces::parse(text).unwrap();
            assert_eq!(read, dialog(early_only), "{text}");
            assert_eq!(Replaces::parse(&read.to_string()), Ok(read));
        }
    }

    #[test]
    fn what_names_no_dialog_is_refused() {
        for text in [
            "",
            ";to-tag=1;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "id",
            "id;to-tag=1",
            "id;from-tag=1",
            "id;to-tag=;from-tag=2",
            "id;to-tag=\"1\";from-tag=2",
            "id;to-tag=1;from-tag=2;=x",
        ] {
            let error = Replaces::parse(text).unwrap_err();
            assert_eq!(error.header, "Replaces", "{text}: {error}");
        }
    }

    #[test]
    fn it_stands_escaped_in_the_uri_of_a_refer_to() {
        let text = "<sip:c@h:5070;lr?Subject=a%20b&rEplaces=425928%40bobster.example%3Bto-tag%3D\
                    7743%3Bfrom-tag%3D6472%3Bearly-only>;x=1";
        let target = NameAddr::parse(text).unwrap();
        assert_eq!(Replaces::of_uri(&target.uri).unwrap(), Some(dialog(true)));
        assert_eq!(target.uri.header("subject").as_deref(), Some("a b"));
        let mut uri = Uri::parse("sip:c@h").unwrap();
        assert_eq!(Replaces::of_uri(&uri), Ok(None));
        dialog(false).set_in(&mut uri);
        let written = uri.to_string();
        assert_eq!(
            written,
            "sip:c@h?Replaces=425928%40bobster.example%3Bto-tag%3D7743%3Bfrom-tag%3D6472"
        );
        let read = Uri::parse(&written).unwrap();
        assert_eq!(Replaces::of_uri(&read), Ok(Some(dialog(false))));
        let broken = Uri::parse("sip:c@h?Replaces=x").unwrap();
        assert!(Replaces::of_uri(&broken).is_err());
    }
}
