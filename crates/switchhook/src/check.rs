//! `switchhook check FILE…`: everything that is wrong with configurations and applications.
//!
//! Faults and warnings go to stderr, `FILE: ok` to stdout. One file's faults do not keep the
//! next from being checked.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{FAILED, UNREADABLE, environment, print_faults, print_unreadable, print_warnings};
use crate::config::{self, LoadError, in_file};

/// Checks each file. The exit status is that of the worst: unreadable, faulty, ok.
pub fn run(files: &[impl AsRef<Path>]) -> ExitCode {
    let worst = files.iter().map(|file| check(file.as_ref())).max();
    ExitCode::from(worst.unwrap_or(0))
}

fn check(path: &Path) -> u8 {
    let is_configuration = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"));
    let checked = if is_configuration { configuration(path) } else { application(path) };
    if let Err(status) = checked {
        return status;
    }
    println!("{}: ok", path.display());
    0
}

fn configuration(path: &Path) -> Result<(), u8> {
    match config::load(path, environment()) {
        Ok(loaded) => {
            print_warnings(&loaded.warnings);
            Ok(())
        }
        Err(LoadError::Unreadable { path, error }) => {
            print_unreadable(&path, &error);
            Err(UNREADABLE)
        }
        Err(LoadError::Faulty { faults, warnings }) => {
            print_faults(&faults);
            print_warnings(&warnings);
            Err(FAILED)
        }
    }
}

fn application(path: &Path) -> Result<(), u8> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        print_unreadable(path, &error);
        UNREADABLE
    })?;
    let shown = path.display().to_string();
    let located = |faults: Vec<verbs::Fault>| -> Vec<config::Fault> {
        faults.into_iter().map(|fault| in_file(&shown, fault)).collect()
    };
    match verbs::parse_application(&text, false) {
        Ok(application) => {
            print_warnings(&located(application.warnings));
            Ok(())
        }
        Err(faults) => {
            print_faults(&located(faults));
            Err(FAILED)
        }
    }
}
