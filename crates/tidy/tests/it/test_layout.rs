//! A crate has one integration binary, `tests/it/main.rs`, and every module file beside it is
//! declared: a file that nobody declares is never compiled, and its tests never run.

use crate::code::code_only;
use crate::tree::{self, File};

/// Tests with a binary of their own, and why.
const OWN_BINARY: &[(&str, &str)] = &[
    ("allocations.rs", "counts allocations with its own global allocator"),
    ("descriptors.rs", "counts the open files of its own process"),
];

/// The path inside a `tests` directory of a crate, with the directory before it.
fn inside_tests(path: &str) -> Option<(&str, &str)> {
    let end = path.find("/tests/")? + "/tests/".len();
    path.starts_with("crates/").then(|| path.split_at(end))
}

fn faults(files: &[File]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let Some((directory, inside)) = inside_tests(&file.path) else { continue };
        let own_binary = OWN_BINARY.iter().any(|(name, _)| *name == inside);
        if own_binary || inside == "it/main.rs" {
            continue;
        }
        if !inside.starts_with("it/") {
            let path = &file.path;
            faults.push(format!("{path}: make it a module of {directory}it/main.rs"));
        } else if !is_declared(files, &file.path) {
            faults.push(format!("{}: no `mod` declares it, so it never runs", file.path));
        }
    }
    faults
}

/// Some module above `path` says `mod name;`.
fn is_declared(files: &[File], path: &str) -> bool {
    let path = path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs")).unwrap_or(path);
    let Some((directory, name)) = path.rsplit_once('/') else { return false };
    let parents =
        [format!("{directory}/main.rs"), format!("{directory}/mod.rs"), format!("{directory}.rs")];
    files.iter().filter(|file| parents.contains(&file.path)).any(|parent| {
        let code = code_only(&parent.text);
        let mut words = code.split_whitespace();
        while let Some(word) = words.next() {
            let declared = || words.clone().next().and_then(|next| next.strip_suffix(';'));
            if word == "mod" && declared() == Some(name) {
                return true;
            }
        }
        false
    })
}

#[test]
fn integration_tests_are_one_binary_with_every_module_declared() {
    tree::expect_none(&faults(&tree::files()));
}

#[test]
fn second_binaries_and_forgotten_modules_are_found() {
    let files = [
        File::new("crates/sip/tests/it/main.rs", "//! x\nmod invite;\n// mod lost;\nmod deep;\n"),
        File::new("crates/sip/tests/it/invite.rs", ""),
        File::new("crates/sip/tests/it/lost.rs", ""),
        File::new("crates/sip/tests/it/deep/mod.rs", "mod inner;"),
        File::new("crates/sip/tests/it/deep/inner.rs", ""),
        File::new("crates/sip/tests/it/deep/forgotten.rs", ""),
        File::new("crates/sip/tests/second.rs", ""),
        File::new("crates/sip/tests/allocations.rs", ""),
        File::new("crates/sip/src/tests/fine.rs", ""),
    ];
    let found = faults(&files[..8]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("crates/sip/tests/it/lost.rs: "));
    assert!(found[1].starts_with("crates/sip/tests/it/deep/forgotten.rs: "));
    assert!(found[2].starts_with("crates/sip/tests/second.rs: "));
}
