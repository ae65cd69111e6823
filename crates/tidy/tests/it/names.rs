//! Types are called by the words of the protocol or of the language, never by a word that fits
//! everything.

use crate::code::{code_only, identifiers};
use crate::tree::{self, File};

/// Words after which the name of a type follows.
const DECLARES: &[&str] = &["struct", "enum", "trait", "union", "type"];

/// Endings that say nothing.
const EMPTY_ENDINGS: &[&str] =
    &["Manager", "Handler", "Helper", "Helpers", "Util", "Utils", "Common", "Core"];

fn faults(file: &File) -> Vec<String> {
    let code = code_only(&file.text);
    let mut faults = Vec::new();
    let mut before = "";
    for (line, word) in identifiers(&code) {
        let empty = EMPTY_ENDINGS.iter().any(|ending| word.ends_with(ending));
        if DECLARES.contains(&before) && (empty || word.contains("Util")) {
            let at = format!("{}:{line}", file.path);
            faults.push(format!("{at}: type `{word}`: name what it is, not that it does things"));
        }
        before = word;
    }
    faults
}

#[test]
fn types_have_names_that_say_something() {
    tree::expect_none(&tree::rust_files().iter().flat_map(faults).collect::<Vec<_>>());
}

#[test]
fn empty_names_are_found() {
    for name in ["CallManager", "Handler", "SipHelper", "UtilBox", "CallCommon", "MediaCore"] {
        for declares in DECLARES {
            let text = format!("\npub {declares} {name};");
            let found = faults(&File::new("a.rs", &text));
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with("a.rs:2: "));
        }
    }
    let fine = "struct Scored; // struct CallManager\nlet manager = Utility::new(CallManager);";
    assert!(faults(&File::new("a.rs", fine)).is_empty());
}
