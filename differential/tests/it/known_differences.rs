//! Where an oracle is known to read less, or otherwise, than RFC 3261 says. Each has a test that
//! shows it, so that a difference which goes away is noticed.

use differential::{Reading, ezk, ours, rsipstack};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oracle {
    Rsipstack,
    Ezk,
}

/// Both readings without the parts in which the oracle is known to differ. `text` is what they
/// were read from.
pub(crate) fn without_known(
    oracle: Oracle,
    text: &[u8],
    mut ours: Reading,
    mut theirs: Reading,
) -> (Reading, Reading) {
    let text = String::from_utf8_lossy(text);
    let lines = text.split("\r\n\r\n").next().unwrap_or_default().lines();
    for line in lines.filter(|line| oracle == Oracle::Rsipstack && misread_by_rsipstack(line)) {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        for reading in [&mut ours, &mut theirs] {
            match name.as_str() {
                "from" | "f" => (reading.from, reading.from_tag) = (None, None),
                "to" | "t" => (reading.to, reading.to_tag) = (None, None),
                "contact" | "m" => reading.contact = None,
                _ => reading.uri = None,
            }
        }
    }
    (ours, theirs)
}

/// `rsipstack` looks for the bracket, the semicolon and the question mark of an address without
/// regard to quotes and to the user part.
fn misread_by_rsipstack(line: &str) -> bool {
    let mut displays = line.split('"').skip(1).step_by(2);
    let quoted = displays.any(|display| display.contains(['<', '>']));
    let mut users = line.split('@').rev().skip(1);
    let separated = users.any(|before| {
        let user = before.rsplit(['<', ' ', ',']).next().unwrap_or_default();
        user.contains([';', '?'])
    });
    quoted || separated
}

fn message(lines: &str) -> Vec<u8> {
    let text = format!(
        "OPTIONS sip:b@c.example SIP/2.0\n{lines}Via: SIP/2.0/UDP h.example;branch=z9hG4bK1\n\
         From: <sip:a@b.example>;tag=1\nTo: <sip:b@c.example>\nCall-ID: 1@x\nCSeq: 1 OPTIONS\n"
    );
    text.replace('\n', "\r\n").into_bytes()
}

fn ended(mut head: Vec<u8>, more: &str) -> Vec<u8> {
    head.extend_from_slice(more.replace('\n', "\r\n").as_bytes());
    head
}

#[test]
fn a_latin1_byte_costs_the_oracles_headers_or_the_message() {
    let mut bytes = b"OPTIONS sip:b@c.example SIP/2.0\r\nSubject: J\xfcrgen\r\n".to_vec();
    bytes.extend_from_slice(&ended(message("")[33..].to_vec(), "Content-Length: 2\n\nhi"));
    let mine = ours(&bytes).unwrap();
    assert_eq!((mine.call_id.as_deref(), mine.body.as_slice()), (Some("1@x"), &b"hi"[..]));
    assert_eq!(rsipstack(&bytes).and_then(|theirs| theirs.call_id), None);
    assert_eq!(ezk(&bytes), None);
}

#[test]
fn a_datagram_without_content_length_keeps_its_body_here() {
    let bytes = ended(message(""), "\nhello");
    assert_eq!(ours(&bytes).unwrap().body, b"hello");
    assert_eq!(rsipstack(&bytes).unwrap().body, b"");
    assert_eq!(ezk(&bytes).unwrap().body, b"hello");
}

#[test]
fn lines_that_end_in_lf_alone_are_refused_by_one_oracle() {
    let bytes = ended(message(""), "Content-Length: 0\n\n");
    let bytes = String::from_utf8(bytes).unwrap().replace("\r\n", "\n").into_bytes();
    assert!(ours(&bytes).unwrap().vias.is_some());
    assert_eq!(rsipstack(&bytes), None);
    assert!(ezk(&bytes).unwrap().vias.is_some());
}

#[test]
fn a_tel_uri_and_an_unescaped_user_are_unknown_to_one_oracle() {
    for uri in ["tel:+4930123456", "sip:*98#@pbx.example"] {
        let text = String::from_utf8(ended(message(""), "Content-Length: 0\n\n")).unwrap();
        let bytes = text.replacen("sip:b@c.example", uri, 1).into_bytes();
        assert!(ours(&bytes).unwrap().uri.is_some(), "{uri}");
        assert!(rsipstack(&bytes).is_some(), "{uri}");
        assert_eq!(ezk(&bytes), None, "{uri}");
    }
}

#[test]
fn brackets_in_a_display_name_and_semicolons_in_a_user_mislead_one_oracle() {
    for (from, user, host) in [
        ("\"a <b>\" <sip:c@d.example>", "c", "d.example"),
        ("<sip:c;day=1@d.example>", "c;day=1", "d.example"),
    ] {
        let text = String::from_utf8(ended(message(""), "Content-Length: 0\n\n")).unwrap();
        let line = format!("From: {from}");
        assert!(misread_by_rsipstack(&line), "{line}");
        let bytes = text.replace("From: <sip:a@b.example>", &line).into_bytes();
        for (reading, right) in [(ours(&bytes), true), (rsipstack(&bytes), false)] {
            let from = reading.and_then(|reading| reading.from);
            let read =
                from.is_some_and(|from| from.user.as_deref() == Some(user) && from.host == host);
            assert_eq!(read, right, "{line}");
        }
    }
}
