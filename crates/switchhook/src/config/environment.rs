//! `SWITCHHOOK_SECTION_KEY`: variables of the environment that override a key of the file.
//!
//! The section is the text up to the first `_`, the rest is the key; both are the names of the
//! file in capitals. Tables that are lists (`[[application]]` and its like) have no override. A
//! variable that overrides nothing is a fault, since it was meant to.

use super::fault::{Fault, Place, Report, nearest};

/// What every override begins with.
pub const PREFIX: &str = "SWITCHHOOK_";

/// Sections whose keys a variable can override.
const SECTIONS: [&str; 7] = ["sip", "media", "http", "store", "cluster", "limits", "log"];

/// One variable.
#[derive(Clone)]
pub(super) struct Override {
    pub(super) variable: String,
    pub(super) section: String,
    pub(super) key: String,
    pub(super) value: String,
}

impl Override {
    /// A fault: the section has no such key.
    pub(super) fn unknown_key(&self, known: &[&'static str]) -> Fault {
        let name = |key: &str| format!("{PREFIX}{}_{}", self.section, key).to_uppercase();
        let names: Vec<String> = known.iter().map(|key| name(key)).collect();
        self.unknown(format!("unknown key of [{}]", self.section), &names)
    }

    fn unknown_section(&self) -> Fault {
        let names: Vec<String> =
            SECTIONS.iter().map(|name| format!("{PREFIX}{name}_…").to_uppercase()).collect();
        let mut fault = self.unknown("unknown section".to_owned(), &names);
        let section = nearest(&self.section, SECTIONS);
        fault.did_you_mean = section.map(|section| {
            let section = section.trim_matches('`');
            format!("`{}`", format!("{PREFIX}{section}_{}", self.key).to_uppercase())
        });
        fault
    }

    fn unknown(&self, what: String, names: &[String]) -> Fault {
        Fault {
            place: Place::Environment { variable: self.variable.clone() },
            pointer: format!("/{}/{}", self.section, self.key),
            what,
            expected: format!("one of {}", names.join(", ")),
            got: format!("{:?}", self.variable),
            did_you_mean: nearest(&self.variable, names.iter().map(String::as_str)),
        }
    }
}

/// The overrides among `variables`, each of a section that has overrides; of the others that begin
/// with [`PREFIX`] the operator is warned.
pub(super) fn overrides(
    report: &Report,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<Override> {
    let mut overrides = Vec::new();
    for (variable, value) in variables {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        let name = name.to_lowercase();
        let (section, key) = name.split_once('_').unwrap_or((&name, ""));
        let (section, key) = (section.to_owned(), key.to_owned());
        let given = Override { variable, section, key, value };
        if SECTIONS.contains(&given.section.as_str()) {
            overrides.push(given);
        } else {
            // why: `SWITCHHOOK_PORT` may be what an orchestrator calls its own service.
            report.warn(given.unknown_section());
        }
    }
    overrides
}
