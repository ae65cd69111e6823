//! The JSON reader: strict RFC 8259, with faults that say where and how to mend them.
//!
//! A trailing and a missing comma, by far the commonest slips, do not stop it, so all of them are
//! reported at once; any other syntax fault ends the reading. No faulty text yields a value.
//! Beyond the RFC it refuses a key given twice in one object, nesting deeper than [`DEPTH_MAX`],
//! a text longer than [`TEXT_MAX`], and numbers beyond the range of a 64-bit float.

use super::{Kind, Member, Node, Path};
use crate::fault::{Finding, Findings};

/// Deepest nesting of arrays and objects.
pub const DEPTH_MAX: usize = 64;

/// Longest text of an application, in bytes.
pub const TEXT_MAX: usize = 1024 * 1024;

/// A syntax fault is recorded and reading cannot go on.
pub(super) struct Stop;

/// Reads one JSON text; `None` where the syntax is at fault. A key given twice is a fault too,
/// but the value is still there to be checked further.
pub(crate) fn read(text: &str, findings: &mut Findings) -> Option<Node> {
    let mut reader = Reader { text, at: 0, depth: 0, findings, broken: false };
    let node = reader.document().ok()?;
    (!reader.broken).then_some(node)
}

pub(super) struct Reader<'t, 'f> {
    pub(super) text: &'t str,
    /// Byte offset of what is read next; always on a character boundary.
    pub(super) at: usize,
    depth: usize,
    findings: &'f mut Findings,
    /// A syntax fault was recorded that reading went on after.
    broken: bool,
}

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Result<Node, Stop> {
        if self.text.len() > TEXT_MAX {
            let got = format!("{} bytes", self.text.len());
            let expected = format!("at most {TEXT_MAX} bytes");
            return Err(self.stop(0, "text too long", &expected, &got, None));
        }
        if self.text.starts_with('\u{feff}') {
            let fix = Some("the text without its first three bytes");
            return Err(self.stop(0, "byte order mark", "JSON", "U+FEFF", fix));
        }
        self.space()?;
        if self.rest().is_empty() {
            return Err(self.stop(self.at, "nothing here", "JSON", "the end of the text", None));
        }
        let node = self.value(&Path::ROOT)?;
        self.space()?;
        if self.rest().is_empty() {
            return Ok(node);
        }
        let fix = self.rest().starts_with([']', '}', ',']).then_some("the text without it");
        let got = self.got();
        Err(self.stop(self.at, "text after the end", "the end of the text", &got, fix))
    }

    fn value(&mut self, path: &Path<'_>) -> Result<Node, Stop> {
        let offset = self.at;
        let kind = match self.peek() {
            Some('{') => self.nested(|reader| reader.object(path))?,
            Some('[') => self.nested(|reader| reader.array(path))?,
            Some('"') => Kind::String(self.string()?),
            Some('-' | '0'..='9') => Kind::Number(self.number()?),
            _ if self.literal("null") => Kind::Null,
            _ if self.literal("true") => Kind::Bool(true),
            _ if self.literal("false") => Kind::Bool(false),
            _ => return Err(self.no_value()),
        };
        Ok(Node { offset, kind })
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Kind, Stop>) -> Result<Kind, Stop> {
        if self.depth == DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} levels");
            return Err(self.stop(self.at, "nested too deep", &expected, "one more", None));
        }
        self.depth += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn array(&mut self, path: &Path<'_>) -> Result<Kind, Stop> {
        let open = self.at;
        let mut nodes = Vec::new();
        self.at += 1;
        self.space()?;
        if self.accept("]") {
            return Ok(Kind::Array(nodes));
        }
        loop {
            nodes.push(self.value(&path.index(nodes.len()))?);
            if self.after_element(open, ']')? {
                return Ok(Kind::Array(nodes));
            }
        }
    }

    fn object(&mut self, path: &Path<'_>) -> Result<Kind, Stop> {
        let open = self.at;
        let mut members: Vec<Member> = Vec::new();
        let mut keys = std::collections::BTreeSet::new();
        self.at += 1;
        self.space()?;
        if self.accept("}") {
            return Ok(Kind::Object(members));
        }
        loop {
            let offset = self.at;
            let key = self.key(open)?;
            let here = path.key(&key);
            self.space()?;
            self.colon()?;
            self.space()?;
            let value = self.value(&here)?;
            if keys.insert(key.clone()) {
                members.push(Member { offset, key, value });
            } else if !self.findings.is_full() {
                let got = super::shown(&key);
                let what = "key given twice";
                self.findings.fault(Finding::new(offset, &here, what, "each key once", got));
            }
            if self.after_element(open, '}')? {
                return Ok(Kind::Object(members));
            }
        }
    }

    fn key(&mut self, open: usize) -> Result<String, Stop> {
        if self.peek() == Some('"') {
            return self.string();
        }
        if self.rest().is_empty() {
            return Err(self.unclosed(open, '}'));
        }
        let word = self.word();
        let fix = if word.is_empty() { self.quoted() } else { Some(format!("\"{word}\"")) };
        let got = self.got();
        Err(self.stop(self.at, "no key here", "a key in double quotes", &got, fix.as_deref()))
    }

    fn colon(&mut self) -> Result<(), Stop> {
        if self.accept(":") {
            return Ok(());
        }
        let fix = self.rest().starts_with('=').then_some("`:`");
        let got = self.got();
        Err(self.stop(self.at, "no value for the key", "`:`", &got, fix))
    }

    /// Past the comma after an element, or past the end of the array or object: then `true`.
    fn after_element(&mut self, open: usize, close: char) -> Result<bool, Stop> {
        self.space()?;
        let comma = self.at;
        if self.accept(",") {
            self.space()?;
            if self.peek() != Some(close) {
                return Ok(false);
            }
            let expected = if close == ']' { "an element" } else { "a member" };
            let expected = format!("{expected} after `,`");
            let fix = format!("`{close}` without a comma before it");
            self.fault(comma, "trailing comma", &expected, &format!("`{close}`"), Some(&fix));
        }
        if self.peek() == Some(close) {
            self.at += close.len_utf8();
            return Ok(true);
        }
        let expected = format!("`,` or `{close}`");
        let got = self.got();
        match self.peek() {
            None => Err(self.unclosed(open, close)),
            Some('"') => {
                let fix = format!("`,` before {got}");
                self.fault(self.at, "missing comma", &expected, &got, Some(&fix));
                Ok(false)
            }
            Some('{' | '[' | '-' | '0'..='9' | 'a'..='z') if close == ']' => {
                let fix = format!("`,` before {got}");
                self.fault(self.at, "missing comma", &expected, &got, Some(&fix));
                Ok(false)
            }
            Some(']' | '}') => {
                let fix = format!("`{close}`");
                Err(self.stop(self.at, "wrong bracket", &expected, &got, Some(&fix)))
            }
            Some(_) => Err(self.stop(self.at, "no end here", &expected, &got, None)),
        }
    }

    fn unclosed(&mut self, open: usize, close: char) -> Stop {
        let line = self.text.get(..open).map_or(0, |before| before.matches('\n').count()) + 1;
        let expected = format!("`{close}` for line {line}");
        let fix = format!("`{close}` at the end");
        let end = self.at;
        self.stop(end, "text ends too early", &expected, "the end of the text", Some(&fix))
    }

    fn no_value(&mut self) -> Stop {
        let fix = match self.word() {
            "True" | "TRUE" => Some("true".to_owned()),
            "False" | "FALSE" => Some("false".to_owned()),
            "None" | "NULL" | "Null" | "nil" | "undefined" | "NaN" => Some("null".to_owned()),
            "" => self.quoted(),
            word => Some(format!("\"{word}\"")),
        };
        let got = self.got();
        self.stop(self.at, "no value here", "a JSON value", &got, fix.as_deref())
    }

    /// For text in other quotes than JSON's: the same in double quotes.
    fn quoted(&self) -> Option<String> {
        let close = match self.peek()? {
            quote @ ('\'' | '`') => quote,
            '\u{201c}' | '\u{201d}' | '\u{201e}' => '\u{201d}',
            '\u{2018}' | '\u{2019}' => '\u{2019}',
            '.' => return Some("a digit before `.`".to_owned()),
            '+' => return Some("the number without `+`".to_owned()),
            _ => return None,
        };
        let inner: String =
            self.rest().chars().skip(1).take_while(|c| *c != close && *c != '\n').collect();
        Some(super::shown(&inner))
    }

    /// Past white space.
    fn space(&mut self) -> Result<(), Stop> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        if !self.rest().starts_with(['/', '#']) {
            return Ok(());
        }
        let fix = Some("the text without the comment");
        let got = self.got();
        Err(self.stop(self.at, "comment", "JSON, which has none", &got, fix))
    }

    fn literal(&mut self, word: &str) -> bool {
        let found = self.word() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    fn accept(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The letters, digits and underscores that come next.
    fn word(&self) -> &'t str {
        let rest = self.rest();
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
        if !rest.starts_with(starts) {
            return "";
        }
        let end = rest.find(|c: char| !(starts(c) || c.is_ascii_digit())).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// What stands next, as a fault names it.
    pub(super) fn got(&self) -> String {
        let rest = self.rest();
        let Some(next) = rest.chars().next() else { return "the end of the text".to_owned() };
        if next == '"' {
            let inner: String =
                rest.chars().skip(1).take_while(|c| !matches!(c, '"' | '\n' | '\r')).collect();
            return super::shown(&inner);
        }
        let word: String = self.word().chars().take(super::SHOWN_MAX).collect();
        match (word.is_empty(), next.is_control()) {
            (false, _) => format!("`{word}`"),
            (true, true) => format!("U+{:04X}", u32::from(next)),
            (true, false) => format!("`{next}`"),
        }
    }

    /// Records a syntax fault that reading goes on after.
    fn fault(&mut self, at: usize, what: &str, expected: &str, got: &str, fix: Option<&str>) {
        self.broken = true;
        let finding = Finding::new(at, &Path::ROOT, what, expected, got).did_you_mean(fix);
        self.findings.fault(finding);
    }

    /// Records a syntax fault that ends the reading.
    pub(super) fn stop(
        &mut self,
        at: usize,
        what: &str,
        expected: &str,
        got: &str,
        fix: Option<&str>,
    ) -> Stop {
        self.fault(at, what, expected, got, fix);
        Stop
    }
}
