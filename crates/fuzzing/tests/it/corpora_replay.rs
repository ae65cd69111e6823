//! Every input that was ever worth keeping goes through its target again: what a fuzzer found
//! once stays found, with the stable compiler and in any test run.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use fuzzing::{TARGETS, Target};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Names of files without their ending; without those of a target that is not built.
fn names(files: &[PathBuf]) -> BTreeSet<String> {
    let stems = files.iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    stems.filter(|name| cfg!(feature = "configuration") || name != "configuration").collect()
}

/// The files of a directory, by name.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// How many inputs a target has; those that break it.
fn replay(target: Target) -> (usize, Vec<PathBuf>) {
    let inputs = files(&fuzz().join("corpus").join(target.name));
    let breaks = |input: &&PathBuf| {
        let bytes = fs::read(input).unwrap();
        let before = PANICS.load(Ordering::Relaxed);
        // why: the switch catches a panic inside a call; the count sees it all the same.
        let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes)));
        ran.is_err() || PANICS.load(Ordering::Relaxed) != before
    };
    (inputs.len(), inputs.iter().filter(breaks).cloned().collect())
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn every_input_of_every_target_is_survived() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        print(panic);
    }));
    for target in TARGETS {
        let (inputs, broken) = replay(*target);
        assert!(inputs > 0, "no corpus of {}", target.name);
        assert!(broken.is_empty(), "{} breaks on {broken:?}", target.name);
    }
}

#[test]
fn every_target_is_one_that_a_fuzzer_runs() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names(&files(&fuzz().join("fuzz_targets"))), targets);
    assert_eq!(names(&files(&fuzz().join("corpus"))), targets);
    for target in TARGETS {
        let path = fuzz().join("fuzz_targets").join(format!("{}.rs", target.name));
        let body = fs::read_to_string(path).unwrap();
        assert!(body.contains(&format!("fuzzing::{}(data)", target.name)), "{}", target.name);
    }
}
