//! Text from someone who means harm: an answer, always, and a short one.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use verbs::{FAULTS_MAX, parse_application};

use crate::{faults, fixture};

/// Pieces put in place of others.
const PIECES: &[&str] = &[
    "",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "-1",
    "1e308",
    "0.1",
    "\"x\"",
    "{}",
    "[]",
    "\u{0}",
    "é",
    "\"\\ud800\"",
    "99999999999999999999",
    "\"\\u0000\"",
];

#[test]
fn any_edit_of_a_list_gets_an_answer() {
    let texts: Vec<Vec<char>> = [
        "every-verb",
        "cognigy-dial-repaired",
        "jambonz-dial-repaired",
        "jambonz-dial-as-published",
    ]
    .map(|name| fixture(name).chars().collect())
    .into();
    let config = Config { cases: 6000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let edit = (any::<prop::sample::Index>(), 0..12usize, prop::sample::select(PIECES));
    let edits = prop::collection::vec(edit, 1..4);
    let input = (prop::sample::select(texts), edits, any::<bool>());
    TestRunner::new_with_rng(config, rng)
        .run(&input, |(mut text, edits, strict)| {
            for (at, length, piece) in edits {
                let at = at.index(text.len());
                let end = (at + length).min(text.len());
                text.splice(at..end, piece.chars());
            }
            let text: String = text.into_iter().collect();
            let lines = text.lines().count() + 1;
            if let Err(faults) = parse_application(&text, strict) {
                prop_assert!(!faults.is_empty());
                for fault in &faults {
                    prop_assert!((1..=lines).contains(&fault.line), "{fault}");
                    prop_assert_eq!(fault.to_string().lines().count(), 1);
                }
                prop_assert!(faults.is_sorted_by_key(|fault| (fault.line, fault.column)));
            }
            Ok(())
        })
        .expect("an answer to every edit");
}

#[test]
fn every_beginning_of_a_list_gets_an_answer() {
    let text = fixture("jambonz-dial-repaired");
    let whole = text.trim_end().len();
    for end in (0..whole).filter(|end| text.is_char_boundary(*end)) {
        let faults = parse_application(&text[..end], false).expect_err("cut off");
        assert_eq!(faults[0].pointer, "-", "{end}");
    }
}

#[test]
fn reports_are_bounded() {
    let many = format!("[{}]", vec!["5"; 900].join(","));
    assert_eq!(faults(&many).len(), 900);
    let too_many_verbs = format!("[{}]", vec!["5"; 1001].join(","));
    assert_eq!(
        faults(&too_many_verbs),
        ["1:2002: /1000: too many verbs; expected at most 1000, got 1001"]
    );
    let commas = format!("[{}]", vec!["1"; 5000].join(" "));
    assert_eq!(faults(&commas).len(), FAULTS_MAX);
    let targets = format!(r#"[{{"verb":"dial","target":[{}]}}]"#, vec!["{}"; 5000].join(","));
    assert_eq!(faults(&targets).len(), FAULTS_MAX);
    let unknown: Vec<String> = (0..5000).map(|n| format!("\"answer{n}\":1")).collect();
    let unknown = format!(r#"[{{"verb":"hangup",{}}}]"#, unknown.join(","));
    let application = parse_application(&unknown, false).expect("unknown properties are no faults");
    assert_eq!(application.warnings.len(), FAULTS_MAX);
    let long = format!(r#"[{{"verb":"{}"}}]"#, "d".repeat(100_000));
    assert!(faults(&long)[0].len() < 300);
    let key = format!(r#"[{{"verb":"hangup","headers":{{"{} ":"1"}}}}]"#, "x".repeat(100_000));
    assert!(faults(&key)[0].len() < 400);
}
