//! The configuration file.

use std::path::Path;

use switchhook::config::{self, LoadError, Place};

/// A configuration. One that names files is left out: what a fuzzer makes up is not to be opened.
pub fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains("app_") || text.contains("\\u") || text.contains("\\U") {
        return;
    }
    match config::parse(Path::new("fuzz.toml"), text, []) {
        Ok(loaded) => {
            let mut config = loaded.config;
            let missing = config.missing_secrets();
            let generated = config.fill_generated(|bytes| bytes.fill(7));
            assert_eq!(generated.len(), missing.len());
            assert!(config.missing_secrets().is_empty());
            assert!(config.media.ports.start() <= config.media.ports.end());
        }
        Err(LoadError::Faulty { faults, .. }) => {
            assert!(!faults.is_empty(), "refused without a fault");
            let places: Vec<(usize, usize)> = faults
                .iter()
                .map(|fault| match &fault.place {
                    Place::File { line, column, .. } => (*line, *column),
                    Place::Environment { .. } => panic!("no variable was given"),
                })
                .collect();
            assert!(places.is_sorted(), "{places:?}");
        }
        Err(LoadError::Unreadable { error, .. }) => panic!("{error}"),
    }
}
