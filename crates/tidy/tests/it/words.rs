//! Nothing is left for later: no stub, no reminder, no test that is switched off, no debugging
//! output; and nothing in floors 0 and 1 sleeps, tests included.

use crate::code::{code_only, identifiers};
use crate::purity::PURE;
use crate::tree::{self, File};

/// Banned in code. Spelled in two pieces so that this file passes its own check.
const IN_CODE: &[(&str, &str)] = &[
    (concat!("to", "do!"), "write it, or leave the feature out"),
    (concat!("unimple", "mented!"), "write it, or leave the feature out"),
    (concat!("db", "g!("), "log with tracing, or assert"),
    (concat!("#[ig", "nore"), "a test that does not run guards nothing"),
];

/// Banned in comments as well.
const ANYWHERE: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "do it now, or write down why not"),
    (concat!("FIX", "ME"), "fix it now, or write down why not"),
];

fn faults(file: &File) -> Vec<String> {
    let code = code_only(&file.text);
    let mut faults = Vec::new();
    let mut find = |text: &str, banned: &[(&str, &str)]| {
        for (index, line) in text.lines().enumerate() {
            for (word, remedy) in banned.iter().filter(|(word, _)| line.contains(word)) {
                faults.push(format!("{}:{}: `{word}`: {remedy}", file.path, index + 1));
            }
        }
    };
    find(&code, IN_CODE);
    find(&file.text, ANYWHERE);
    faults
}

fn sleeps(file: &File) -> Vec<String> {
    if !file.crate_name().is_some_and(|name| PURE.contains(&name)) {
        return Vec::new();
    }
    let code = code_only(&file.text);
    let sleeps = identifiers(&code).filter(|(_, word)| *word == "sleep");
    let fault = |(line, _)| format!("{}:{line}: `sleep`: pass a later `now` instead", file.path);
    sleeps.map(fault).collect()
}

/// Comments explain themselves: a decision or an issue that is named by its number alone points
/// into a list that the reader does not have.
fn numbered_references(file: &File) -> Vec<String> {
    let numbered = |word: &str| {
        let digits = word.strip_prefix('D').unwrap_or_default();
        (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let refers = |comment: &str| {
        let issue = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
        identifiers(comment).any(|(_, word)| numbered(word))
            || comment.split(" #").skip(1).any(issue)
    };
    let comments = file.text.lines().enumerate().filter_map(|(index, line)| {
        let comment = line.trim_start();
        comment.starts_with("//").then_some((index + 1, comment))
    });
    let fault = |(line, _)| format!("{}:{line}: say it instead of its number", file.path);
    comments.filter(|(_, comment)| refers(comment)).map(fault).collect()
}

#[test]
fn comments_refer_to_nothing_a_reader_lacks() {
    tree::expect_none(&tree::rust_files().iter().flat_map(numbered_references).collect::<Vec<_>>());
}

#[test]
fn numbered_references_are_found() {
    let lines = ["// D8: as decided.", "/// as (D21) says", "//! fixed in #12"];
    let fine = ["//! the dial of `#1` (DTMF D), D1000", "f(\"(D8) #12\");"];
    let text = [lines.as_slice(), &fine].concat().join("\n");
    let found = numbered_references(&File::new("a.rs", &text));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("a.rs:1: ") && found[2].starts_with("a.rs:3: "));
}

#[test]
fn nothing_is_left_for_later() {
    tree::expect_none(&tree::rust_files().iter().flat_map(faults).collect::<Vec<_>>());
}

#[test]
fn pure_crates_and_their_tests_do_not_sleep() {
    tree::expect_none(&tree::rust_files().iter().flat_map(sleeps).collect::<Vec<_>>());
}

#[test]
fn each_banned_word_is_found() {
    for (word, _) in IN_CODE.iter().chain(ANYWHERE) {
        let found = faults(&File::new("a.rs", &format!("fn f() {{\n    {word} x\n}}\n")));
        assert_eq!(found.len(), 1, "{word}: {found:?}");
        assert!(found[0].starts_with("a.rs:2: "), "{found:?}");
    }
    for (word, _) in ANYWHERE {
        assert_eq!(faults(&File::new("a.rs", &format!("// {word} later"))).len(), 1);
    }
    let prose = concat!("// db", "g!( is banned\nlet x = \"#[ig", "nore]\";\n");
    assert!(faults(&File::new("a.rs", prose)).is_empty());
}

#[test]
fn a_sleep_is_found_where_time_is_injected_and_allowed_elsewhere() {
    let text = "// sleep\nfn f() { std::thread::sleep(d); asleep(); }\n";
    let found = sleeps(&File::new("crates/call/tests/it/ring.rs", text));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("crates/call/tests/it/ring.rs:2: "));
    assert!(sleeps(&File::new("crates/net/src/lib.rs", text)).is_empty());
}
