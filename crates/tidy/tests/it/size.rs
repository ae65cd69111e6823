//! Lines of at most 100 characters, files of at most 600 lines. The length of a function is
//! clippy's business (`too_many_lines`).

use crate::tree::{self, File};

/// Characters in a line of Rust.
const LINE_MAX: usize = 100;
/// Lines in a file of Rust; files aim at 400.
const FILE_MAX: usize = 600;

/// A file that may be longer, or have longer lines, and why.
struct Exempt {
    path: &'static str,
    why: &'static str,
}

/// Tables and tests whose length is their content. Everything else is split.
const LONG_FILES: &[Exempt] = &[];

/// Files whose lines hold data that cannot be broken.
const LONG_LINES: &[Exempt] = &[];

fn exempt(list: &[Exempt], path: &str) -> bool {
    list.iter().any(|exempt| exempt.path == path)
}

fn faults(files: &[File], long_files: &[Exempt], long_lines: &[Exempt]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        let lines = file.text.lines().count();
        if lines > FILE_MAX && !exempt(long_files, &file.path) {
            faults.push(format!("{}: {lines} lines, at most {FILE_MAX}: split it", file.path));
        }
        if exempt(long_lines, &file.path) {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            let length = line.chars().count();
            if length > LINE_MAX {
                let at = format!("{}:{}", file.path, index + 1);
                faults.push(format!("{at}: {length} characters, at most {LINE_MAX}"));
            }
        }
    }
    for exempt in long_files.iter().chain(long_lines) {
        if !files.iter().any(|file| file.path == exempt.path) || exempt.why.is_empty() {
            faults.push(format!("{}: exempt, but not there or without a reason", exempt.path));
        }
    }
    faults
}

#[test]
fn lines_and_files_are_short() {
    tree::expect_none(&faults(&tree::rust_files(), LONG_FILES, LONG_LINES));
}

#[test]
fn long_lines_long_files_and_stale_exemptions_are_found() {
    let long = [File::new("a.rs", &"ä".repeat(101)), File::new("b.rs", &"\n".repeat(601))];
    let found = faults(&long, &[], &[]);
    assert_eq!(
        found,
        ["a.rs:1: 101 characters, at most 100", "b.rs: 601 lines, at most 600: split it"]
    );

    let known = [Exempt { path: "b.rs", why: "a table" }];
    let stale = [Exempt { path: "a.rs", why: "" }, Exempt { path: "gone.rs", why: "a table" }];
    let found = faults(&long, &known, &stale);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(faults(&[File::new("c.rs", &"ä".repeat(100))], &[], &[]).is_empty());
}
