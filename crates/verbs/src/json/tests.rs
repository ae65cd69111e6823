//! The reader accepts what serde_json accepts, and reads the same value out of it.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value};

use super::read;
use crate::fault::{Fault, Findings};

/// A runner that tries the same cases in every run.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn outcome(text: &str) -> (Option<Value>, Vec<Fault>) {
    let mut findings = Findings::new(false);
    let value = read(text, &mut findings).map(|node| node.to_value());
    (value, findings.locate(text).0)
}

/// Both readers take it or neither does; where no key comes twice, as the same value.
fn agrees(text: &str) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_str::<Value>(text);
    let (ours, faults) = outcome(text);
    prop_assert_eq!(ours.is_some(), theirs.is_ok(), "{:?}: {:?} {:?}", text, faults, theirs);
    prop_assert_eq!(ours.is_none(), faults.iter().any(|fault| fault.pointer == "-"), "{:?}", text);
    if faults.is_empty() {
        prop_assert_eq!(ours, theirs.ok());
    }
    Ok(())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[test]
fn every_value_that_serde_json_writes_is_read_back() {
    let written = |value: Value| {
        let compact = value.to_string();
        let pretty = serde_json::to_string_pretty(&value).expect("a value can be written");
        for text in [compact, pretty] {
            let expected = serde_json::from_str::<Value>(&text).expect("serde_json reads it");
            let (read, faults) = outcome(&text);
            prop_assert_eq!(faults, vec![]);
            prop_assert_eq!(read, Some(expected));
        }
        Ok(())
    };
    runner(600).run(&value(), written).expect("every value comes back");
}

/// Pieces that make nearly correct JSON when strung together.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\t",
    "\r\n",
    "\"a\"",
    "\"b\"",
    "\"\"",
    "\"\\n\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ude00\"",
    "\"\\ud83d\\u0041\"",
    "\"\\x\"",
    "\"\\u12g4\"",
    "\"\\u+123\"",
    "\"tab\tin\"",
    "\"",
    "\\",
    "null",
    "true",
    "false",
    "True",
    "nul",
    "0",
    "-0",
    "01",
    "1",
    "-",
    "-1",
    "1.",
    "1.5",
    ".5",
    "+1",
    "1e5",
    "1E+5",
    "1e-400",
    "1e400",
    "1e",
    "-1e-5",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "0x10",
    "//",
    "/*x*/",
    "#",
    "\u{feff}",
    "\u{0}",
    "\u{7f}",
    "\"\u{7f}\"",
    "é",
    "\u{a0}",
    "'a'",
    "a",
    "NaN",
    "1 2",
    "\"a\":1",
    "\"b\":[]",
    "\"c\":{}",
    "[]",
    "{}",
];

#[test]
fn texts_of_json_pieces_are_judged_alike() {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..14);
    let text = pieces.prop_map(|pieces| pieces.concat());
    runner(40_000).run(&text, |text| agrees(&text)).expect("both readers agree");
}

#[test]
fn every_single_piece_and_pair_is_judged_alike() {
    for first in PIECES {
        for second in PIECES {
            for text in [format!("{first}{second}"), format!("[{first},{second}]")] {
                agrees(&text).expect("both readers agree");
            }
            agrees(&format!("{{\"k\":{first}{second}}}")).expect("both readers agree");
        }
    }
}

#[test]
fn values_with_one_edit_are_judged_alike() {
    let edit = (value(), any::<prop::sample::Index>(), prop::sample::select(PIECES), any::<bool>());
    let judged = |(value, index, piece, insert): (Value, prop::sample::Index, &str, bool)| {
        let text: Vec<char> = value.to_string().chars().collect();
        let at = index.index(text.len());
        let rest = at + usize::from(!insert);
        let edited: String = text[..at]
            .iter()
            .copied()
            .chain(piece.chars())
            .chain(text[rest..].iter().copied())
            .collect();
        agrees(&edited)
    };
    runner(4000).run(&edit, judged).expect("both readers agree");
}

#[test]
fn limits_are_where_they_are_said_to_be() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(outcome(&nested(super::DEPTH_MAX)).1, vec![]);
    let (value, faults) = outcome(&nested(super::DEPTH_MAX + 1));
    assert_eq!((value, faults.len()), (None, 1));
    assert_eq!(
        faults[0].to_string(),
        "1:65: -: nested too deep; expected at most 64 levels, got one more"
    );

    let long = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert_eq!(outcome(&long(super::TEXT_MAX)).1, vec![]);
    let (value, faults) = outcome(&long(super::TEXT_MAX + 1));
    assert_eq!((value, faults.len()), (None, 1));
    assert_eq!(faults[0].what, "text too long");
}
