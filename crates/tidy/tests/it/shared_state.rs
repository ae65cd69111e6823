//! State has one owner. What is shared behind a lock all the same is counted, and the file that
//! declares it is named in ARCHITECTURE.md. Fakes in test directories may share what they like.

use crate::code::code_only;
use crate::tree::{self, File};

/// Locked and shared values in the tree stay below this.
const SHARED_MAX: usize = 5;

/// Where `code` names an `Arc` of a lock, by line.
fn shared(code: &str) -> Vec<usize> {
    let locks = |rest: &str| {
        let inner: String = rest.chars().take_while(|c| !"<>(), \n".contains(*c)).collect();
        ["Mutex", "RwLock"].contains(&inner.rsplit("::").next().unwrap_or_default())
    };
    let mut lines = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let hits = line.match_indices("Arc<").filter(|(at, word)| locks(&line[at + word.len()..]));
        lines.extend(hits.map(|_| index + 1));
    }
    lines
}

fn faults(files: &[File], architecture: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut count = 0;
    for file in files.iter().filter(|file| !file.path.contains("/tests/")) {
        for line in shared(&code_only(&file.text)) {
            count += 1;
            if !architecture.contains(&format!("`{}`", file.path)) {
                let at = format!("{}:{line}", file.path);
                faults.push(format!("{at}: shared behind a lock; ARCHITECTURE.md must name it"));
            }
        }
    }
    if count >= SHARED_MAX {
        faults
            .push(format!("{count} values shared behind a lock, fewer than {SHARED_MAX} allowed"));
    }
    faults
}

#[test]
fn shared_state_is_rare_and_named() {
    let architecture = std::fs::read_to_string(tree::root().join("ARCHITECTURE.md"));
    tree::expect_none(&faults(&tree::rust_files(), &architecture.expect("it is there")));
}

#[test]
fn unnamed_and_too_many_shared_values_are_found() {
    let one = File::new("crates/net/src/a.rs", "x: Arc<\u{4d}utex<u8>>, // Arc<Mutex\n");
    assert_eq!(faults(std::slice::from_ref(&one), "").len(), 1);
    assert!(faults(std::slice::from_ref(&one), "Locks: `crates/net/src/a.rs`.").is_empty());
    assert!(faults(&[File::new("crates/net/tests/it/a.rs", &one.text)], "").is_empty());

    let path = "type T = Arc<std::sync::RwLock<u8>>; type U = Arc<Mutexes>; type V = Arc<u8>;";
    assert_eq!(shared(path), [1]);

    let five = vec![one; SHARED_MAX];
    let found = faults(&five, "`crates/net/src/a.rs`");
    assert_eq!(found, ["5 values shared behind a lock, fewer than 5 allowed"]);
}
