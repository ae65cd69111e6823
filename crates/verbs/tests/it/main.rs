//! The application language as its users see it: text in, verbs or located faults out; and what
//! the callbacks say.

mod both_spellings;
mod callbacks;
mod calls_begun_over_rest;
mod calls_changed_over_rest;
mod every_property;
mod headers_refused;
mod hostile_text;
mod located_faults;
mod published_examples;
mod status_words;
mod strictness;
mod syntax_faults;
mod targets;

use verbs::{Application, Dial, Verb, parse_application};

/// An application of `tests/fixtures`.
fn fixture(name: &str) -> String {
    fixture_file(&format!("{name}.json"))
}

/// A file of `tests/fixtures`.
fn fixture_file(name: &str) -> String {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of the faults that reject `text`.
fn faults(text: &str) -> Vec<String> {
    match parse_application(text, false) {
        Ok(application) => panic!("{text} is accepted as {:?}", application.verbs),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// The application of a text without faults.
fn accepted(text: &str) -> Application {
    parse_application(text, false).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

/// The only verb of a text without faults.
fn only(text: &str) -> Verb {
    let mut verbs = accepted(text).verbs;
    assert_eq!(verbs.len(), 1, "{text}");
    verbs.remove(0)
}

/// The dial whose members besides `verb` are `members`.
fn dial(members: &str) -> Dial {
    match only(&format!(r#"[{{"verb":"dial",{members}}}]"#)) {
        Verb::Dial(dial) => *dial,
        verb => panic!("{verb:?}"),
    }
}

/// A target that is good enough.
const TARGET: &str = r#""target":[{"type":"user","name":"jane"}]"#;
