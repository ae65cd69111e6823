//! Faults of a configuration: where, what, and what was probably meant.
//!
//! Everything that is wrong goes into one [`Report`] while the file is walked, and comes out
//! sorted by position. A fault keeps the gateway from starting, a warning does not. Nothing here
//! knows a key.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

/// Longest text of a value that a fault repeats, in characters.
const SHOWN_MAX: usize = 60;

/// Words in the names of keys whose values no fault repeats.
const SECRETS: [&str; 3] = ["password", "secret", "token"];

/// Where a fault is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a file: the configuration itself, or an application that it names.
    File {
        /// The path as it was given.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column in that line, from 1, in characters.
        column: usize,
    },
    /// In an environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
}

/// One fault or warning.
///
/// `Display` writes `FILE:line:column: pointer: what; expected …, got …; did you mean …`, or
/// `environment: VARIABLE: what; …`; parts that are empty are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub place: Place,
    /// Pointer to the value, `/sip/udp` or `/application/0/name`; `-` for a fault of syntax.
    pub pointer: String,
    /// What is wrong.
    pub what: String,
    /// What would have been right; may be empty.
    pub expected: String,
    /// What stands there instead; may be empty, and is for secrets.
    pub got: String,
    /// The likely fix.
    pub did_you_mean: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { path, line, column } => {
                write!(f, "{path}:{line}:{column}: {}: {}", self.pointer, self.what)?;
            }
            Place::Environment { variable } => {
                write!(f, "environment: {variable}: {}", self.what)?;
            }
        }
        match (self.expected.is_empty(), self.got.is_empty()) {
            (false, false) => write!(f, "; expected {}, got {}", self.expected, self.got)?,
            (false, true) => write!(f, "; expected {}", self.expected)?,
            (true, false) => write!(f, "; got {}", self.got)?,
            (true, true) => {}
        }
        match &self.did_you_mean {
            Some(fix) => write!(f, "; did you mean {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// Everything found while one configuration is read.
#[derive(Debug)]
pub(crate) struct Report {
    path: String,
    text: String,
    /// Offset at which each line begins.
    lines: Vec<usize>,
    /// Lines (from 1) that are no TOML. Values on them are what a parser made of rubble.
    rubble: RefCell<Vec<usize>>,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

impl Report {
    pub(crate) fn new(path: &str, text: &str) -> Report {
        Report {
            path: path.to_owned(),
            text: text.to_owned(),
            lines: std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
            rubble: RefCell::default(),
            faults: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Line and column of a byte offset in the configuration file.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let line = self.line(offset);
        let begin = self.lines.get(line - 1).copied().unwrap_or_default();
        let column = self.text.get(begin..offset).unwrap_or_default().chars().count() + 1;
        Place::File { path: self.path.clone(), line, column }
    }

    /// Where the text of a value in triple quotes begins, of which the quotes are at `place`;
    /// `None` for a value in single quotes, where an escape may stand for anything.
    pub(crate) fn text_in_triple_quotes(&self, place: &Place) -> Option<usize> {
        let Place::File { line, column, .. } = place else { return None };
        let rest: String = self.text.lines().nth(line - 1)?.chars().skip(column - 1).collect();
        matches!(rest.trim_end(), "'''" | "\"\"\"").then_some(line + 1)
    }

    /// Line of a byte offset, from 1.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= offset)
    }

    pub(crate) fn fault(&self, fault: Fault) {
        if let Place::File { path, line, .. } = &fault.place
            && *path == self.path
            && self.rubble.borrow().contains(line)
        {
            return;
        }
        self.faults.borrow_mut().push(fault);
    }

    /// A fault that something is not there, which cannot be said of a file with broken syntax.
    pub(crate) fn missing(&self, fault: Fault) {
        if self.rubble.borrow().is_empty() {
            self.fault(fault);
        }
    }

    pub(crate) fn warn(&self, warning: Fault) {
        self.warnings.borrow_mut().push(warning);
    }

    /// A fault of syntax over `span`. Nothing else is reported about its lines.
    pub(crate) fn syntax(&self, span: Option<Range<usize>>, message: &str) {
        let span = span.unwrap_or(0..0);
        let start = span.start.min(self.text.len());
        let (first, last) = (self.line(start), self.line(span.end));
        if self.rubble.borrow().contains(&first) {
            return;
        }
        self.rubble.borrow_mut().extend(first..=last);
        let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
        let expected = match (what, expected) {
            ("duplicate key", _) => "each key and each section once",
            (_, "" | "nothing") => "a value of TOML, text in quotes",
            (_, expected) => expected,
        };
        let line = self.text.lines().nth(first - 1).unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        let got = match rest.lines().next().map(str::trim_end) {
            _ if rest.is_empty() => "the end of the file".to_owned(),
            None | Some("") => "the end of the line".to_owned(),
            Some(_) if is_secret(line) => "a text that is not shown".to_owned(),
            Some(rest) => shown(rest),
        };
        self.faults.borrow_mut().push(Fault {
            place: self.place(start),
            pointer: "-".to_owned(),
            what: what.to_owned(),
            expected: expected.to_owned(),
            got,
            did_you_mean: quoted(line),
        });
    }

    /// (faults, warnings): those of the configuration first, then those of the applications it
    /// names, then the environment; each by position.
    pub(crate) fn sorted(self) -> (Vec<Fault>, Vec<Fault>) {
        let sort = |mut faults: Vec<Fault>| {
            faults.sort_by(|first, second| {
                let foreign = |place: &Place| match place {
                    Place::File { path, .. } => *path != self.path,
                    Place::Environment { .. } => true,
                };
                let (first, second) = (&first.place, &second.place);
                (foreign(first), first).cmp(&(foreign(second), second))
            });
            faults
        };
        (sort(self.faults.into_inner()), sort(self.warnings.into_inner()))
    }
}

/// The commonest slip, a text without quotes, put right; a secret is not repeated.
fn quoted(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next()?.trim());
    let is_bare = !value.is_empty() && !value.contains(['"', '\'', '[', '{']);
    (is_bare && !is_secret(line)).then(|| format!("`{key} = {value:?}`"))
}

fn is_secret(line: &str) -> bool {
    SECRETS.iter().any(|secret| line.contains(secret))
}

/// A text in quotes, control characters escaped, a long one cut.
pub(crate) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}

/// The word of `known` that `written` most likely stands for, in backticks.
pub(crate) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<String> {
    let written = written.to_lowercase();
    let limit = (written.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|word| (strsim::osa_distance(&written, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= limit && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| format!("`{word}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let report = Report::new("f", "a = \"ü\"\nb = 1");
        let place = |offset| match report.place(offset) {
            Place::File { line, column, .. } => (line, column),
            place => panic!("{place:?}"),
        };
        assert_eq!([place(0), place(7), place(9), place(14)], [(1, 1), (1, 7), (2, 1), (2, 6)]);
    }

    #[test]
    fn only_a_near_word_is_offered() {
        let known = ["udp", "udp_registration_expires", "realm"];
        assert_eq!(nearest("relam", known).as_deref(), Some("`realm`"));
        assert_eq!(nearest("UDP", known).as_deref(), Some("`udp`"));
        assert_eq!(nearest("udp_registration_expire", known).map(|n| n.len()), Some(26));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
