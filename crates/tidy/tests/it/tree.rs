//! The files of the checkout: every text file that git tracks or would track, with its path from
//! the root. Without git (a source archive) the directories are walked instead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    /// Its text; files that are not UTF-8 are no text and are left out.
    pub(crate) text: String,
}

impl File {
    /// A file that exists only in a test.
    pub(crate) fn new(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The crate it belongs to: `call` for `crates/call/src/lib.rs`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).expect("crates/tidy is two below the root").to_path_buf()
}

/// All text files of the checkout, sorted by path.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let paths = listed_by_git(&root).unwrap_or_else(|| walked(&root));
    let read = |path: &String| {
        let text = String::from_utf8(fs::read(root.join(path)).ok()?).ok()?;
        Some(File { path: path.clone(), text })
    };
    paths.iter().filter_map(read).collect()
}

/// The Rust files among [`files`].
pub(crate) fn rust_files() -> Vec<File> {
    files().into_iter().filter(File::is_rust).collect()
}

/// Fails the test with every fault, one a line.
pub(crate) fn expect_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn listed_by_git(root: &Path) -> Option<BTreeSet<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    let listing = String::from_utf8(output.stdout).ok()?;
    let paths: BTreeSet<String> =
        listing.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn walked(root: &Path) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let ignored = ["target", ".git", "node_modules"].contains(&name.as_str());
            if path.is_dir() && !ignored {
                open.push(path);
            } else if let (true, Ok(inner)) = (path.is_file(), path.strip_prefix(root)) {
                paths.insert(inner.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    paths
}

#[test]
fn the_listing_holds_this_file_with_and_without_git() {
    let this = "crates/tidy/tests/it/tree.rs";
    assert!(files().iter().any(|file| file.path == this));
    assert!(walked(&root()).contains(this));
    assert!(!walked(&root()).iter().any(|path| path.starts_with("target/")));
}

#[test]
fn a_file_knows_its_crate() {
    assert_eq!(File::new("crates/call/src/lib.rs", "").crate_name(), Some("call"));
    assert_eq!(File::new("README.md", "").crate_name(), None);
}
