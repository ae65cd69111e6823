//! Names that entries of the file refer to each other by, and the identifiers made of them.

use uuid::Uuid;

use super::fault::{Place, nearest};
use super::reader::Entry;

/// Namespace of every identifier that is made of a name. Never change it: callers keep sids.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d0a_6f86_92c4_4b7e_9d51_3c1e_8a70_42bf);

/// The identifier of the entry of that kind and name, the same in every process.
pub(crate) fn sid(kind: &str, name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{name}").as_bytes()).to_string()
}

/// The names of one kind of entry.
pub(super) struct Names<'a> {
    kind: &'static str,
    declared: Vec<(&'a str, Place)>,
}

impl<'a> Names<'a> {
    pub(super) fn new(kind: &'static str) -> Names<'a> {
        Names { kind, declared: Vec::new() }
    }

    /// Takes the name at `entry`, which must be the first of it.
    pub(super) fn declare(&mut self, entry: &Entry<'a>) -> Option<&'a str> {
        let name = entry.text()?;
        match self.declared.iter().find(|(taken, _)| *taken == name) {
            Some((_, place)) => {
                let kind = self.kind;
                let what = match place {
                    Place::File { line, .. } => format!("another {kind} has it since line {line}"),
                    Place::Environment { .. } => format!("another {kind} has it"),
                };
                entry.fault(&what, "a name of its own");
                None
            }
            None => {
                self.declared.push((name, entry.place.clone()));
                Some(name)
            }
        }
    }

    /// The name at `entry`, which must have been declared.
    pub(super) fn refer(&self, entry: &Entry<'a>) -> Option<String> {
        let name = entry.text()?;
        let known: Vec<&str> = self.declared.iter().map(|(name, _)| *name).collect();
        if known.contains(&name) {
            return Some(name.to_owned());
        }
        let kind = self.kind;
        let expected = if known.is_empty() {
            format!("a [[{kind}]] of that name")
        } else {
            format!("one of {}", known.join(", "))
        };
        entry.unresolved(&format!("no such {kind}"), &expected, nearest(name, known));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::sid;

    #[test]
    fn sids_never_change() {
        assert_eq!(sid("application", "main"), "353fff0e-426c-5c09-b401-c81e352e584d");
        assert_ne!(sid("application", "main"), sid("carrier", "main"));
    }
}
