//! The messages of the fuzz corpus: what all sides can read of a plain one, they read alike.

use std::path::Path;

use differential::{Reading, ezk, ours, rsipstack};
use sip::Message;

use crate::known_differences::{Oracle, without_known};

/// Fewer plain messages than this in the corpus, and the test tests little.
const PLAIN_MIN: usize = 3;

/// What the grammar asks for: then there is one right reading. All of ASCII, lines that end in
/// CRLF and are not folded, a Content-Length, everything that a message must have.
fn is_plain(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = &bytes[..end];
    let lines = head.split(|byte| *byte == b'\n').count();
    let ends = head.windows(2).filter(|two| two == b"\r\n").count();
    let returns = head.iter().filter(|byte| **byte == b'\r').count();
    let folded = head.windows(2).any(|two| two[0] == b'\n' && matches!(two[1], b' ' | b'\t'));
    let printable = head.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' '..=b'~'));
    let Ok(message) = Message::parse(bytes) else { return false };
    let sound = message.check().is_ok() && message.uri().is_ok() != message.status().is_some();
    let counted = message.header_all("Content-Length").count() == 1;
    lines == ends + 1 && returns == ends && !folded && printable && sound && counted
}

/// The parts that both have.
fn shared(mut one: Reading, mut other: Reading) -> (Reading, Reading) {
    macro_rules! both {
        ($($part:ident),*) => {$(
            if one.$part.is_none() || other.$part.is_none() {
                (one.$part, other.$part) = (None, None);
            }
        )*};
    }
    both!(uri, from, from_tag, to, to_tag, call_id, cseq, vias, contact);
    (one, other)
}

#[test]
fn plain_messages_of_the_corpus_are_read_alike() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/message");
    let mut plain = 0;
    let mut faults = Vec::new();
    let entries = std::fs::read_dir(&corpus).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&path).unwrap();
        if !is_plain(&bytes) {
            continue;
        }
        plain += 1;
        let mine = ours(&bytes).unwrap();
        for (oracle, theirs) in [(Oracle::Rsipstack, rsipstack(&bytes)), (Oracle::Ezk, ezk(&bytes))]
        {
            let Some(theirs) = theirs else { continue };
            let (mine, theirs) = without_known(oracle, &bytes, mine.clone(), theirs);
            let (mine, theirs) = shared(mine, theirs);
            let differences = mine.differences(&theirs);
            if !differences.is_empty() {
                faults.push(format!("{} and {oracle:?}: {differences:#?}", path.display()));
            }
        }
    }
    assert!(plain >= PLAIN_MIN, "only {plain} plain messages in {}", corpus.display());
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}
