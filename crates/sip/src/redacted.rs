//! A message as it may be shown: to an application, in a log, in an error.
//!
//! Credentials (Authorization and its kin) and the passwords of SIP URIs are taken out of the
//! headers; everything else stays as it came, the body included. What is shown this way cannot be
//! parsed back into what was received, and must not be.

use crate::message::Message;
use crate::uri;

/// What stands in the place of a secret.
pub const HIDDEN: &str = "***";

/// Headers whose value is a proof of who somebody is (RFC 3261 §20.7, §20.28).
const SECRET: &[&str] = &["Authorization", "Proxy-Authorization"];

/// The headers of a message in order, without its secrets.
pub fn headers(message: &Message) -> Vec<(String, String)> {
    let shown = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        let value = header(&name, &value);
        (name.into_owned(), value)
    };
    message.headers().map(shown).collect()
}

/// The value of a header of this name, without its secret.
pub fn header(name: &str, value: &str) -> String {
    if SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name.trim())) {
        // The scheme says how, and is no secret.
        let scheme = value.split_whitespace().next().unwrap_or_default();
        return format!("{scheme} {HIDDEN}");
    }
    text(value)
}

/// A text in which SIP URIs may stand, without their passwords.
pub fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = next_scheme(rest) {
        let (before, after) = rest.split_at(start);
        shown.push_str(before);
        // why: where the user ends is decided as the reader of URIs decides it, who lets a user
        // hold an `@`; read otherwise, its password would show.
        let end = after.find(|c: char| c.is_whitespace() || c.is_control() || "<>".contains(c));
        let uri = after.get(..end.unwrap_or(after.len())).unwrap_or_default();
        let userinfo = uri::user_end(uri).and_then(|end| uri.get(..end)).unwrap_or_default();
        let (user, hides) = match userinfo.split_once(':') {
            Some((user, _)) => (user, true),
            None => (userinfo, false),
        };
        shown.push_str(user);
        rest = after.get(userinfo.len()..).unwrap_or_default();
        if hides {
            shown.push(':');
            shown.push_str(HIDDEN);
        }
    }
    shown.push_str(rest);
    shown
}

/// Where the first URI begins after its scheme.
fn next_scheme(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let after = |scheme: &str| lower.find(scheme).map(|at| at + scheme.len());
    [after("sip:"), after("sips:")].into_iter().flatten().min()
}

/// The whole message as text, without its secrets: folded header lines as they came, but for those
/// that hold one.
pub fn message(message: &Message) -> String {
    let whole = String::from_utf8_lossy(message.as_bytes()).into_owned();
    let end = whole.find("\r\n\r\n").or_else(|| whole.find("\n\n")).unwrap_or(whole.len());
    let (head, rest) = whole.split_at(end);
    let mut shown = String::with_capacity(whole.len());
    let mut hides = false;
    for line in head.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let ending = line.get(content.len()..).unwrap_or_default();
        if content.starts_with([' ', '\t']) {
            // RFC 3261 §7.3.1: a header goes on in the next line.
            shown.push_str(&if hides { format!(" {HIDDEN}") } else { text(content) });
        } else {
            let (name, value) = content.split_once(':').unwrap_or((content, ""));
            hides = SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name.trim()));
            shown.push_str(&match hides {
                true => format!("{name}: {}", header(name, value)),
                false => text(content),
            });
        }
        shown.push_str(ending);
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_uris_are_taken_out_and_nothing_else() {
        for (given, shown) in [
            ("<sip:jane:secret@h:5060;x=y>;tag=1", "<sip:jane:***@h:5060;x=y>;tag=1"),
            ("SIPS:jane:se:cr;et@h, <sip:joe:pw@i>", "SIPS:jane:***@h, <sip:joe:***@i>"),
            ("INVITE sip:jane:secret@h SIP/2.0", "INVITE sip:jane:***@h SIP/2.0"),
            ("sip:jane@h:5060", "sip:jane@h:5060"),
            ("sip:h:5060", "sip:h:5060"),
            ("<sip:h:5060> \"a@b\"", "<sip:h:5060> \"a@b\""),
            ("sip:sip:x@h", "sip:sip:***@h"),
            ("SIP/2.0/UDP h:5060;branch=z9hG4bK", "SIP/2.0/UDP h:5060;branch=z9hG4bK"),
            ("ü sip:ü:ü@ü", "ü sip:ü:***@ü"),
            ("sip:jane@corp.example:secret@h", "sip:jane@corp.example:***@h"),
            ("<sip:jane\"x:secret@h>", "<sip:jane\"x:***@h>"),
            ("sip:jane@h;x=a:b@c", "sip:jane@h;x=a:b@c"),
            ("sip:", "sip:"),
        ] {
            assert_eq!(text(given), shown, "{given}");
        }
    }

    #[test]
    fn credentials_are_taken_out_however_the_header_is_written() {
        let given = "INVITE sip:x:pw@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
            AUTHORIZATION : Digest username=\"jane\",\r\n response=\"c0ffee\"\r\n\
            Proxy-Authorization: Digest c0ffee\r\nContact: <sip:j:pw@h>\r\n\
            Content-Length: 13\r\n\r\nsip:a:body@x\n";
        let message_given = Message::parse(given.as_bytes()).unwrap();
        let shown = message(&message_given);
        assert!(!shown.contains("c0ffee") && !shown.contains("pw@"), "{shown}");
        assert!(shown.contains("Digest ***\r\n") && shown.contains("Contact: <sip:j:***@h>\r\n"));
        assert!(shown.ends_with("\r\n\r\nsip:a:body@x\n"), "{shown}");
        let headers = format!("{:?}", headers(&message_given));
        assert!(!headers.contains("c0ffee") && !headers.contains("pw@"), "{headers}");
    }
}
