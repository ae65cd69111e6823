//! Typed reading of TOML with places.
//!
//! A [`Section`] is a table of the file together with the environment variables that override
//! it; asking it for a key makes the key known, and [`Section::finish`] reports every key that
//! nobody asked for. An [`Entry`] is one value; its methods give the value in the type that is
//! asked for, or report why not and give nothing.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::Override;
use super::fault::{Fault, Place, Report, nearest, shown};
use super::value;

/// A table of the file, which may be absent, and what overrides it.
pub(crate) struct Section<'a> {
    pub(crate) report: &'a Report,
    pub(crate) pointer: String,
    /// Where the table begins; the top of the file where it is absent.
    place: Place,
    table: Option<&'a DeTable<'a>>,
    overrides: Vec<&'a Override>,
    known: RefCell<Vec<&'static str>>,
}

/// One value, and where it came from.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) report: &'a Report,
    pub(crate) pointer: String,
    pub(crate) place: Place,
    raw: Raw<'a>,
    secret: bool,
}

#[derive(Clone, Copy)]
enum Raw<'a> {
    Toml(&'a DeValue<'a>),
    /// A variable of the environment, which has no type of its own.
    Text(&'a str),
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(crate) fn root(report: &'a Report, table: &'a DeTable<'a>) -> Section<'a> {
        Section::new(report, String::new(), report.place(0), Some(table))
    }

    fn new(
        report: &'a Report,
        pointer: String,
        place: Place,
        table: Option<&'a DeTable<'a>>,
    ) -> Section<'a> {
        Section { report, pointer, place, table, overrides: Vec::new(), known: RefCell::default() }
    }

    /// The table `[name]` with the overrides of that section; an absent one reads as empty.
    pub(super) fn section(&self, name: &'static str, overrides: &'a [Override]) -> Section<'a> {
        let found = self.entry(name).and_then(|entry| entry.table());
        let pointer = format!("{}/{name}", self.pointer);
        let top = self.report.place(0);
        let mut section = found.unwrap_or_else(|| Section::new(self.report, pointer, top, None));
        section.overrides = overrides.iter().filter(|given| given.section == name).collect();
        section
    }

    /// The tables `[[name]]`, none where it is absent.
    pub(crate) fn list(&self, name: &'static str) -> Vec<Section<'a>> {
        let Some(entry) = self.entry(name) else { return Vec::new() };
        let expected = format!("tables [[{}]]", self.pointer_as_header(name));
        match entry.raw {
            Raw::Toml(DeValue::Array(array)) => {
                let elements = array.iter().enumerate();
                elements.filter_map(|(index, value)| entry.element(index, value).table()).collect()
            }
            _ => {
                entry.fault("wrong type", &expected);
                Vec::new()
            }
        }
    }

    /// `/carrier/0` and `gateway` as they are written between brackets.
    fn pointer_as_header(&self, name: &str) -> String {
        let words = self.pointer.split('/').filter(|word| word.parse::<usize>().is_err());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).chain([name]).collect();
        words.join(".")
    }

    /// The value of `key`, overridden or from the file.
    pub(crate) fn entry(&self, key: &'static str) -> Option<Entry<'a>> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        let pointer = format!("{}/{key}", self.pointer);
        let report = self.report;
        if let Some(given) = self.overrides.iter().find(|given| given.key == key) {
            let place = Place::Environment { variable: given.variable.clone() };
            let raw = Raw::Text(&given.value);
            return Some(Entry { report, pointer, place, raw, secret: false });
        }
        let value = self.table?.get(key)?;
        Some(Entry::of_file(report, pointer, value))
    }

    /// Where `key` stands, or the table that it is absent from.
    pub(crate) fn place_of(&self, key: &'static str) -> Place {
        self.entry(key).map_or_else(|| self.place.clone(), |entry| entry.place)
    }

    /// As [`Section::entry`], for a value that no fault may repeat.
    pub(crate) fn secret(&self, key: &'static str) -> Option<Entry<'a>> {
        self.entry(key).map(|entry| Entry { secret: true, ..entry })
    }

    /// As [`Section::entry`], and a fault where it is absent.
    pub(crate) fn required(&self, key: &'static str, expected: &str) -> Option<Entry<'a>> {
        let entry = self.entry(key);
        if entry.is_none() {
            self.missing(key, &format!("{key} is missing"), expected);
        }
        entry
    }

    /// A fault that `key` is not there, at the head of the table.
    pub(crate) fn missing(&self, key: &str, what: &str, expected: &str) {
        self.report.missing(Fault {
            place: self.place.clone(),
            pointer: format!("{}/{key}", self.pointer),
            what: what.to_owned(),
            expected: expected.to_owned(),
            got: "nothing".to_owned(),
            did_you_mean: None,
        });
    }

    /// Every key with its value, of a table whose keys are free.
    pub(crate) fn members(self) -> Vec<(&'a str, Entry<'a>)> {
        let members = self.table.into_iter().flat_map(DeTable::iter);
        let entry = |key: &'a str, value| {
            let pointer = format!("{}/{}", self.pointer, escaped(key));
            (key, Entry::of_file(self.report, pointer, value))
        };
        members.map(|(key, value)| entry(key.get_ref(), value)).collect()
    }

    /// Reports every key and every override that nobody asked for.
    pub(crate) fn finish(self) {
        let known = self.known.into_inner();
        for (key, value) in self.table.into_iter().flat_map(DeTable::iter) {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let is_section = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
            let place_name = if self.pointer.is_empty() && is_section { "section" } else { "key" };
            self.report.fault(Fault {
                place: self.report.place(key.span().start),
                pointer: format!("{}/{}", self.pointer, escaped(name)),
                what: format!("unknown {place_name}"),
                expected: format!("one of {}", known.join(", ")),
                got: shown(name),
                did_you_mean: nearest(name, known.iter().copied()),
            });
        }
        for given in self.overrides {
            if !known.contains(&given.key.as_str()) {
                self.report.fault(given.unknown_key(&known));
            }
        }
    }
}

/// A key as it stands in a pointer (RFC 6901 §3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl<'a> Entry<'a> {
    fn of_file(report: &'a Report, pointer: String, value: &'a Spanned<DeValue<'a>>) -> Entry<'a> {
        let place = report.place(value.span().start);
        Entry { report, pointer, place, raw: Raw::Toml(value.get_ref()), secret: false }
    }

    fn element(&self, index: usize, value: &'a Spanned<DeValue<'a>>) -> Entry<'a> {
        Entry::of_file(self.report, format!("{}/{index}", self.pointer), value)
    }

    /// This value is wrong; `got` is the value itself.
    pub(crate) fn fault(&self, what: &str, expected: &str) {
        self.fault_with(what, expected, None);
    }

    /// As [`Entry::fault`], with a likely fix.
    pub(crate) fn fault_with(&self, what: &str, expected: &str, did_you_mean: Option<String>) {
        self.report.fault(self.finding(what, expected, did_you_mean));
    }

    /// A fault that some other entry is not there, which broken syntax may have swallowed.
    pub(crate) fn unresolved(&self, what: &str, expected: &str, did_you_mean: Option<String>) {
        self.report.missing(self.finding(what, expected, did_you_mean));
    }

    /// A warning about this value.
    pub(crate) fn warn(&self, what: &str) {
        let warning = Fault { got: String::new(), ..self.finding(what, "", None) };
        self.report.warn(warning);
    }

    /// The same value, not to be repeated by a fault.
    pub(crate) fn redacted(&self) -> Entry<'a> {
        Entry { secret: true, ..self.clone() }
    }

    fn finding(&self, what: &str, expected: &str, did_you_mean: Option<String>) -> Fault {
        Fault {
            place: self.place.clone(),
            pointer: self.pointer.clone(),
            what: what.to_owned(),
            expected: expected.to_owned(),
            got: self.describe(),
            did_you_mean,
        }
    }

    /// The value as a fault names it.
    fn describe(&self) -> String {
        match self.raw {
            Raw::Text(_) | Raw::Toml(DeValue::String(_)) if self.secret => {
                "a text that is not shown".to_owned()
            }
            _ if self.secret => "something else".to_owned(),
            Raw::Text(text) => shown(text),
            Raw::Toml(DeValue::String(text)) => shown(text),
            Raw::Toml(DeValue::Integer(number)) => format!("the integer {number}"),
            Raw::Toml(DeValue::Float(number)) => format!("the number {number}"),
            Raw::Toml(DeValue::Boolean(value)) => value.to_string(),
            Raw::Toml(DeValue::Datetime(_)) => "a date".to_owned(),
            Raw::Toml(DeValue::Array(_)) => "an array".to_owned(),
            Raw::Toml(DeValue::Table(_)) => "a table".to_owned(),
        }
    }

    /// The text as it stands, without a fault where it is none.
    pub(crate) fn as_text(&self) -> Option<&'a str> {
        match self.raw {
            Raw::Toml(DeValue::String(text)) => Some(text),
            Raw::Text(text) => Some(text),
            Raw::Toml(_) => None,
        }
    }

    /// It is a table, or comes from the environment, where tables cannot come from.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.raw, Raw::Toml(DeValue::Table(_)))
    }

    /// It is true or false.
    pub(crate) fn is_boolean(&self) -> bool {
        matches!(self.raw, Raw::Toml(DeValue::Boolean(_)))
    }

    /// It is an array.
    pub(crate) fn is_array(&self) -> bool {
        matches!(self.raw, Raw::Toml(DeValue::Array(_)))
    }

    /// A text that is not blank and has no control character.
    pub(crate) fn text(&self) -> Option<&'a str> {
        let expected = "a text, not empty and without control characters";
        match self.as_text() {
            None => self.fault("wrong type", "a text in quotes"),
            Some(text) if text.trim().is_empty() => self.fault("empty text", expected),
            Some(text) if text.chars().any(char::is_control) => {
                self.fault("control character", expected);
            }
            Some(text) => return Some(text),
        }
        None
    }

    /// One of a few words.
    pub(crate) fn word(&self, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text()?;
        let found = words.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let expected = format!("one of \"{}\"", words.join("\", \""));
            self.fault_with("unknown word", &expected, nearest(text, words.iter().copied()));
        }
        found
    }

    /// A text that a type can be read from.
    pub(crate) fn parsed<T: FromStr>(&self, what: &str, expected: &str) -> Option<T> {
        let parsed = self.as_text().and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.fault(if self.as_text().is_some() { what } else { "wrong type" }, expected);
        }
        parsed
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.raw {
            Raw::Toml(DeValue::Boolean(value)) => return Some(*value),
            Raw::Text("true") => return Some(true),
            Raw::Text("false") => return Some(false),
            _ => self.fault("wrong type", "true or false"),
        }
        None
    }

    /// An integer within `range`.
    pub(crate) fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let (low, high) = (range.start(), range.end());
        let expected = format!("an integer from {low} to {high}");
        let number = match self.raw {
            Raw::Toml(DeValue::Integer(number)) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok()
            }
            Raw::Text(text) => text.parse().ok(),
            Raw::Toml(_) => None,
        };
        match (number, self.raw) {
            (Some(number), _) if range.contains(&number) => return Some(number),
            (Some(_), _) | (None, Raw::Toml(DeValue::Integer(_))) => {
                self.fault("out of range", &expected);
            }
            (None, _) => self.fault("wrong type", &expected),
        }
        None
    }

    /// A duration such as "500ms", "30s", "10m", "1h", or 0.
    pub(crate) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let expected = "a duration such as \"500ms\", \"30s\", \"10m\", \"1h\"";
        let parsed = match self.raw {
            Raw::Toml(DeValue::Integer(number)) if number.as_str() == "0" => Some(Duration::ZERO),
            Raw::Toml(DeValue::Integer(number)) => {
                let guess = format!("\"{number}s\"");
                self.fault_with("duration without a unit", expected, Some(guess));
                return None;
            }
            Raw::Text(text) => value::duration(text),
            Raw::Toml(DeValue::String(text)) => value::duration(text),
            Raw::Toml(_) => None,
        };
        match parsed {
            Some(duration) if range.contains(&duration) => return Some(duration),
            Some(_) => {
                let (low, high) = (range.start(), range.end());
                self.fault("out of range", &format!("a duration from {low:?} to {high:?}"));
            }
            None => self.fault("not a duration", expected),
        }
        None
    }

    /// The elements of an array; in the environment, of a list with commas.
    pub(crate) fn elements(&self) -> Vec<Entry<'a>> {
        match self.raw {
            Raw::Toml(DeValue::Array(array)) => {
                array.iter().enumerate().map(|(at, value)| self.element(at, value)).collect()
            }
            Raw::Text(text) => text
                .split(',')
                .map(|part| Entry { raw: Raw::Text(part.trim()), ..self.clone() })
                .collect(),
            Raw::Toml(_) => {
                self.fault("wrong type", "an array");
                Vec::new()
            }
        }
    }

    /// A table.
    pub(crate) fn table(&self) -> Option<Section<'a>> {
        let Raw::Toml(DeValue::Table(table)) = self.raw else {
            self.fault("wrong type", "a table");
            return None;
        };
        Some(Section::new(self.report, self.pointer.clone(), self.place.clone(), Some(table)))
    }
}
