//! Reading one object of the language: each property asked for by name and type, everything
//! wrong recorded, and at the end every property that nobody asked for.
//!
//! [`Object::read`] is the table of an object's properties: the names it asks for are the names
//! that exist, in the parser and, by a test, in the schema. After a fault a reader goes on with
//! some default; such a value never leaves the crate, since a list with any fault is rejected
//! whole.

use crate::fault::{Finding, Findings};
use crate::json::{Kind, Member, Node, Path};
use crate::suggest;

/// A type that one JSON value is read into. `None` is a value that counts as absent; faults are
/// in `findings`.
pub(crate) trait FromJson: Sized {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Self>;
}

/// A type that one JSON object is read into, property by property.
pub(crate) trait Object: Sized {
    /// What a fault calls it: `` `dial` ``, `a target`.
    const WHAT: &'static str;
    /// The object may carry `verb` beside its properties.
    const IS_VERB: bool = false;

    fn read(fields: &mut Fields<'_>) -> Self;
}

impl<T: Object> FromJson for T {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<T> {
        let Kind::Object(members) = &node.kind else {
            let expected = format!("an object ({})", T::WHAT);
            let got = node.describe();
            findings.fault(Finding::new(node.offset, path, "wrong type", expected, got));
            return None;
        };
        Some(Fields::read(members, node.offset, path, findings))
    }
}

/// The members of one verb, wherever its envelope put them.
pub(crate) struct Source<'a> {
    pub(crate) members: &'a [Member],
    pub(crate) offset: usize,
    pub(crate) path: &'a Path<'a>,
    pub(crate) findings: &'a mut Findings,
}

impl Source<'_> {
    pub(crate) fn read<T: Object>(self) -> T {
        Fields::read(self.members, self.offset, self.path, self.findings)
    }
}

impl<T: Object> Object for Box<T> {
    const WHAT: &'static str = T::WHAT;
    const IS_VERB: bool = T::IS_VERB;

    fn read(fields: &mut Fields<'_>) -> Box<T> {
        Box::new(T::read(fields))
    }
}

/// The spellings of one property; the first is the one that wins where several are given.
pub(crate) trait Spelled: Copy {
    fn spellings(&self) -> &[&'static str];
}

impl Spelled for &'static str {
    fn spellings(&self) -> &[&'static str] {
        std::slice::from_ref(self)
    }
}

impl<const N: usize> Spelled for [&'static str; N] {
    fn spellings(&self) -> &[&'static str] {
        self
    }
}

/// The properties of one object while it is read.
pub(crate) struct Fields<'a> {
    members: &'a [Member],
    /// Where the object begins: the place of a missing property.
    offset: usize,
    path: &'a Path<'a>,
    what: &'static str,
    findings: &'a mut Findings,
    /// Every spelling asked for so far.
    known: Vec<&'static str>,
    /// Properties beyond the known ones belong to someone else and are kept.
    open: bool,
}

/// Unknown properties looked at for one that was meant to be the missing one.
const SLIPS_MAX: usize = 50;

impl<'a> Fields<'a> {
    /// Reads a `T` out of `members`, then reports what it did not ask for.
    pub(crate) fn read<T: Object>(
        members: &'a [Member],
        offset: usize,
        path: &'a Path<'a>,
        findings: &'a mut Findings,
    ) -> T {
        let known = if T::IS_VERB { vec!["verb"] } else { Vec::new() };
        let what = T::WHAT;
        let mut fields = Fields { members, offset, path, what, findings, known, open: false };
        let value = T::read(&mut fields);
        fields.report_unknown();
        value
    }

    /// The property, if it is there and not null.
    pub(crate) fn optional<T: FromJson>(&mut self, names: impl Spelled) -> Option<T> {
        let member = self.take(&names)?;
        T::from_json(&member.value, &self.path.key(&member.key), self.findings)
    }

    /// The property, or its type's default.
    pub(crate) fn or_default<T: FromJson + Default>(&mut self, names: impl Spelled) -> T {
        self.optional(names).unwrap_or_default()
    }

    /// The property, whose absence is a fault.
    pub(crate) fn required<T: FromJson + Default>(&mut self, names: impl Spelled) -> T {
        if self.take(&names).is_none() {
            self.missing(names.spellings());
            return T::default();
        }
        self.or_default(names)
    }

    /// The property by its first spelling given, so that a reader can look closer at its place.
    pub(crate) fn take(&mut self, names: &impl Spelled) -> Option<&'a Member> {
        for name in names.spellings() {
            if !self.known.contains(name) {
                self.known.push(name);
            }
        }
        let members = self.members;
        names.spellings().iter().find_map(|name| {
            members.iter().find(|member| member.key == *name && !member.value.is_null())
        })
    }

    /// A fault that the object lacks a property.
    pub(crate) fn missing(&mut self, names: &[&'static str]) {
        let name = names.first().copied().unwrap_or_default();
        let slip = self.members.iter().map(|member| member.key.as_str());
        let slip = slip.filter(|key| !self.known.contains(key)).take(SLIPS_MAX);
        let slip = suggest::nearest(name, slip).map(|key| format!("`{name}` for `{key}`"));
        self.missing_with(name, slip);
    }

    /// The same with a fix that the reader knows.
    pub(crate) fn missing_with(&mut self, name: &str, fix: Option<String>) {
        let what = format!("missing `{name}`");
        let expected = format!("`{name}` in {}", self.what);
        let finding = Finding::new(self.offset, self.path, what, expected, "no such property");
        self.findings.fault(finding.did_you_mean(fix));
    }

    /// A fault of the object as a whole, in the reader's own words.
    pub(crate) fn lacks(&mut self, what: &str, expected: &str) {
        let finding = Finding::new(self.offset, self.path, what, expected, "no such property");
        self.findings.fault(finding);
    }

    /// A fault of the value of a property that was taken.
    pub(crate) fn fault(&mut self, member: &Member, what: &str, expected: &str) {
        let path = self.path.key(&member.key);
        let got = member.value.describe();
        self.findings.fault(Finding::new(member.value.offset, &path, what, expected, got));
    }

    /// A remark about a property that was taken.
    pub(crate) fn warn(&mut self, member: &Member, what: &str, expected: &str) {
        let path = self.path.key(&member.key);
        let got = member.value.describe();
        self.findings.warn(Finding::new(member.value.offset, &path, what, expected, got));
    }

    /// A property that is known but means nothing here: treated as an unknown one.
    pub(crate) fn without_effect(&mut self, names: impl Spelled, expected: &str) {
        for name in names.spellings() {
            if let Some(member) = self.take(name) {
                let path = self.path.key(&member.key);
                let what = format!("`{name}` has no effect");
                let got = format!("`{name}`");
                self.findings.unknown(Finding::new(member.offset, &path, what, expected, got));
            }
        }
    }

    /// The application is strict: remarks on style are wanted.
    pub(crate) fn strict(&self) -> bool {
        self.findings.strict()
    }

    /// Everything that is not a known property, kept for whoever understands it; none of it is
    /// reported. To be asked for last.
    pub(crate) fn rest(&mut self) -> serde_json::Map<String, serde_json::Value> {
        self.open = true;
        let known = &self.known;
        let rest = self.members.iter().filter(|member| !known.contains(&member.key.as_str()));
        rest.map(|member| (member.key.clone(), member.value.to_value())).collect()
    }

    fn report_unknown(self) {
        if self.open {
            return;
        }
        for member in self.members {
            if self.known.contains(&member.key.as_str()) {
                continue;
            }
            if self.findings.is_full_of_unknown() {
                return;
            }
            let path = self.path.key(&member.key);
            let fix = suggest::nearest(&member.key, self.known.iter().copied());
            let expected = format!("a property of {}", self.what);
            let got = crate::json::shown(&member.key);
            let finding = Finding::new(member.offset, &path, "unknown property", expected, got);
            self.findings.unknown(finding.did_you_mean(fix.map(|name| format!("`{name}`"))));
        }
    }

    /// The spellings that a `T` asks for.
    #[cfg(test)]
    pub(crate) fn known_to<T: Object>() -> Vec<&'static str> {
        let mut findings = Findings::new(false);
        let mut fields = Fields {
            members: &[],
            offset: 0,
            path: &Path::ROOT,
            what: T::WHAT,
            findings: &mut findings,
            known: Vec::new(),
            open: false,
        };
        T::read(&mut fields);
        fields.known
    }
}
