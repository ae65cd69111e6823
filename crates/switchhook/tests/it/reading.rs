//! Reading a configuration that is only a text.

use std::path::Path;

use switchhook::config::{Config, Fault, LoadError, Loaded, parse};

/// The shortest configuration that is one.
pub(crate) const SHORTEST: &str = "[sip]\nudp = \"127.0.0.1:5060\"\n";

pub(crate) fn read(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, LoadError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    parse(Path::new("t.toml"), text, variables.iter().map(owned))
}

pub(crate) fn config(text: &str) -> Config {
    match read(text, &[]) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{error:?}"),
    }
}

pub(crate) fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    match read(text, variables) {
        Err(LoadError::Faulty { faults, .. }) => lines(&faults),
        other => panic!("no faults: {other:?}"),
    }
}

pub(crate) fn lines(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(Fault::to_string).collect()
}
