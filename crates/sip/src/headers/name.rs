//! Header names: which ones are found by number instead of by text.
//!
//! Owns the compact forms (RFC 3261 §7.3.3 and the IANA registry) and gives the headers that
//! nearly every message carries a one-byte identity, so that a lookup compares bytes and `v`
//! equals `Via`. A name not in this list is found by its text.

macro_rules! known {
    ($(($variant:ident, $long:literal, $compact:expr)),* $(,)?) => {
        /// A header that has an identity of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Known { $($variant),* }

        impl Known {
            #[cfg(test)]
            const ALL: &'static [(Known, Option<u8>)] = &[$((Known::$variant, $compact)),*];

            /// The full name.
            pub(crate) fn long(self) -> &'static str {
                match self { $(Known::$variant => $long),* }
            }
        }
    };
}

known! {
    (Via, "Via", Some(b'v')),
    (From, "From", Some(b'f')),
    (To, "To", Some(b't')),
    (CallId, "Call-ID", Some(b'i')),
    (CSeq, "CSeq", None),
    (Contact, "Contact", Some(b'm')),
    (MaxForwards, "Max-Forwards", None),
    (Route, "Route", None),
    (RecordRoute, "Record-Route", None),
    (ContentLength, "Content-Length", Some(b'l')),
    (ContentType, "Content-Type", Some(b'c')),
    (ContentEncoding, "Content-Encoding", Some(b'e')),
    (Subject, "Subject", Some(b's')),
    (Supported, "Supported", Some(b'k')),
    (Event, "Event", Some(b'o')),
    (AllowEvents, "Allow-Events", Some(b'u')),
    (ReferTo, "Refer-To", Some(b'r')),
    (ReferredBy, "Referred-By", Some(b'b')),
    (SessionExpires, "Session-Expires", Some(b'x')),
    (AcceptContact, "Accept-Contact", Some(b'a')),
    (RejectContact, "Reject-Contact", Some(b'j')),
    (RequestDisposition, "Request-Disposition", Some(b'd')),
    (Identity, "Identity", Some(b'y')),
    (IdentityInfo, "Identity-Info", Some(b'n')),
}

impl Known {
    /// The identity of a name in either form, in any case.
    pub(crate) fn of(name: &[u8]) -> Option<Known> {
        let (first, last) = (name.first()?.to_ascii_lowercase(), name.last()?.to_ascii_lowercase());
        if name.len() == 1 {
            return Known::of_compact(first);
        }
        // why: length, first and last letter tell all of them apart, so one comparison decides.
        let candidate = match (name.len(), first, last) {
            (3, b'v', b'a') => Known::Via,
            (4, b'f', b'm') => Known::From,
            (2, b't', b'o') => Known::To,
            (7, b'c', b'd') => Known::CallId,
            (4, b'c', b'q') => Known::CSeq,
            (7, b'c', b't') => Known::Contact,
            (12, b'm', b's') => Known::MaxForwards,
            (5, b'r', b'e') => Known::Route,
            (12, b'r', b'e') => Known::RecordRoute,
            (14, b'c', b'h') => Known::ContentLength,
            (12, b'c', b'e') => Known::ContentType,
            (16, b'c', b'g') => Known::ContentEncoding,
            (7, b's', b't') => Known::Subject,
            (9, b's', b'd') => Known::Supported,
            (5, b'e', b't') => Known::Event,
            (12, b'a', b's') => Known::AllowEvents,
            (8, b'r', b'o') => Known::ReferTo,
            (11, b'r', b'y') => Known::ReferredBy,
            (15, b's', b's') => Known::SessionExpires,
            (14, b'a', b't') => Known::AcceptContact,
            (14, b'r', b't') => Known::RejectContact,
            (19, b'r', b'n') => Known::RequestDisposition,
            (8, b'i', b'y') => Known::Identity,
            (13, b'i', b'o') => Known::IdentityInfo,
            _ => return None,
        };
        name.eq_ignore_ascii_case(candidate.long().as_bytes()).then_some(candidate)
    }

    fn of_compact(letter: u8) -> Option<Known> {
        Some(match letter {
            b'v' => Known::Via,
            b'f' => Known::From,
            b't' => Known::To,
            b'i' => Known::CallId,
            b'm' => Known::Contact,
            b'l' => Known::ContentLength,
            b'c' => Known::ContentType,
            b'e' => Known::ContentEncoding,
            b's' => Known::Subject,
            b'k' => Known::Supported,
            b'o' => Known::Event,
            b'u' => Known::AllowEvents,
            b'r' => Known::ReferTo,
            b'b' => Known::ReferredBy,
            b'x' => Known::SessionExpires,
            b'a' => Known::AcceptContact,
            b'j' => Known::RejectContact,
            b'd' => Known::RequestDisposition,
            b'y' => Known::Identity,
            b'n' => Known::IdentityInfo,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_compact_names_in_any_case_give_the_same_header() {
        for &(known, compact) in Known::ALL {
            assert_eq!(Known::of(known.long().as_bytes()), Some(known));
            assert_eq!(Known::of(known.long().to_ascii_uppercase().as_bytes()), Some(known));
            if let Some(compact) = compact {
                assert_eq!(Known::of(&[compact]), Some(known));
                assert_eq!(Known::of(&[compact.to_ascii_uppercase()]), Some(known));
            }
        }
    }

    #[test]
    fn names_that_only_look_alike_have_no_identity() {
        for name in ["", "z", "Vxa", "Contaxt", "X-Via", "Call_ID"] {
            assert_eq!(Known::of(name.as_bytes()), None, "{name}");
        }
    }
}
