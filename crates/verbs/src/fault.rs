//! Faults: what is wrong with an application, where, and what was probably meant.
//!
//! Readers put what they find into [`Findings`] by byte offset; only at the end are offsets
//! turned into lines and columns, in one pass over the text. A fault rejects the list, a warning
//! does not. Nothing here knows the language itself.

use std::fmt;

use crate::json::Path;

/// Most faults, and most warnings, that are reported about one text; the rest of a text that is
/// this wrong adds nothing.
pub const FAULTS_MAX: usize = 1000;

/// One located fault (or warning) of an application.
///
/// `Display` writes `line:column: pointer: what; expected …, got …; did you mean …`, the last
/// part only where there is a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line in the text, from 1.
    pub line: usize,
    /// Column in that line, from 1, in characters.
    pub column: usize,
    /// JSON pointer (RFC 6901) of the value, `-` where the text as a whole is meant: it is not
    /// JSON, or no list.
    pub pointer: String,
    /// What is wrong, in a few words.
    pub what: String,
    /// What would have been right.
    pub expected: String,
    /// What stands there instead.
    pub got: String,
    /// The likely fix.
    pub did_you_mean: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { line, column, pointer, what, expected, got, did_you_mean } = self;
        write!(f, "{line}:{column}: {pointer}: {what}; expected {expected}, got {got}")?;
        match did_you_mean {
            Some(fix) => write!(f, "; did you mean {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// A fault before its offset is turned into line and column.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) offset: usize,
    pub(crate) pointer: String,
    pub(crate) what: String,
    pub(crate) expected: String,
    pub(crate) got: String,
    pub(crate) did_you_mean: Option<String>,
}

/// Everything found while one text is read.
#[derive(Debug)]
pub(crate) struct Findings {
    strict: bool,
    faults: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Findings {
    /// With `strict`, an unknown property is a fault instead of a warning.
    pub(crate) fn new(strict: bool) -> Findings {
        Findings { strict, faults: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn strict(&self) -> bool {
        self.strict
    }

    /// No further fault will be kept: the rest of the text need not be looked at.
    pub(crate) fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    /// No further unknown property will be kept.
    pub(crate) fn is_full_of_unknown(&self) -> bool {
        self.is_full() || (!self.strict && self.warnings.len() >= FAULTS_MAX)
    }

    pub(crate) fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }

    pub(crate) fn fault(&mut self, finding: Finding) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(finding);
        }
    }

    pub(crate) fn warn(&mut self, finding: Finding) {
        if self.warnings.len() < FAULTS_MAX {
            self.warnings.push(finding);
        }
    }

    /// A property that has no meaning here: a warning, or a fault of a strict application.
    pub(crate) fn unknown(&mut self, finding: Finding) {
        if self.strict {
            self.fault(finding);
        } else {
            self.warn(finding);
        }
    }

    /// (faults, warnings), each sorted by position.
    pub(crate) fn locate(self, text: &str) -> (Vec<Fault>, Vec<Fault>) {
        (locate(self.faults, text), locate(self.warnings, text))
    }
}

impl Finding {
    pub(crate) fn new(
        offset: usize,
        path: &Path<'_>,
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Finding {
        Finding {
            offset,
            pointer: path.pointer(),
            what: cut(what.into()),
            expected: cut(expected.into()),
            got: cut(got.into()),
            did_you_mean: None,
        }
    }

    pub(crate) fn did_you_mean(mut self, fix: Option<impl Into<String>>) -> Finding {
        self.did_you_mean = fix.map(|fix| cut(fix.into()));
        self
    }
}

/// Longest part of a fault, in characters: it may repeat what a hostile text says.
const PART_MAX: usize = 300;

fn cut(mut part: String) -> String {
    if let Some((end, _)) = part.char_indices().nth(PART_MAX) {
        part.truncate(end);
        part.push('…');
    }
    part
}

/// Lines and columns of findings, in one walk over the text.
fn locate(mut findings: Vec<Finding>, text: &str) -> Vec<Fault> {
    findings.sort_by_key(|finding| finding.offset);
    let mut faults = Vec::with_capacity(findings.len());
    let mut findings = findings.into_iter().peekable();
    let (mut line, mut column) = (1, 1);
    let end = std::iter::once((text.len(), '\0'));
    for (offset, character) in text.char_indices().chain(end) {
        while let Some(finding) =
            findings.next_if(|finding| finding.offset <= offset || offset == text.len())
        {
            faults.push(Fault {
                line,
                column,
                pointer: finding.pointer,
                what: finding.what,
                expected: finding.expected,
                got: finding.got,
                did_you_mean: finding.did_you_mean,
            });
        }
        if findings.peek().is_none() {
            break;
        }
        if character == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    faults
}
