//! The types of property values that several verbs share, and how each is read from JSON:
//! strictly, a string is no number and no boolean.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::fault::{Finding, Findings};
use crate::fields::FromJson;
use crate::json::{Kind, Node, Path, shown, to_map};
use crate::suggest;

/// Longest duration an application may give, in seconds: a year.
pub const SECONDS_MAX: f64 = 31_536_000.0;

/// Records that the value is of another type than `expected`; with the likely fix where the value
/// is right but for its quotes.
pub(crate) fn wrong_type(node: &Node, path: &Path<'_>, findings: &mut Findings, expected: &str) {
    let fix = match &node.kind {
        Kind::String(_) | Kind::Object(_) if expected == "an array" => {
            Some("`[` before it and `]` after it")
        }
        Kind::String(text) if expected == "a boolean" => {
            ["true", "false"].into_iter().find(|word| text.eq_ignore_ascii_case(word))
        }
        Kind::String(text) if expected.starts_with("a number") => {
            text.parse::<serde_json::Number>().is_ok().then_some(text.as_str())
        }
        _ => None,
    };
    let finding = Finding::new(node.offset, path, "wrong type", expected, node.describe());
    findings.fault(finding.did_you_mean(fix));
}

/// Records that the value has the right type and yet cannot be.
pub(crate) fn out_of_range(node: &Node, path: &Path<'_>, findings: &mut Findings, expected: &str) {
    let finding = Finding::new(node.offset, path, "out of range", expected, node.describe());
    findings.fault(finding);
}

impl FromJson for String {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<String> {
        if let Kind::String(text) = &node.kind {
            return Some(text.clone());
        }
        let fix = match &node.kind {
            Kind::Number(_) | Kind::Bool(_) => Some(format!("\"{}\"", node.to_value())),
            _ => None,
        };
        let finding = Finding::new(node.offset, path, "wrong type", "a string", node.describe());
        findings.fault(finding.did_you_mean(fix));
        None
    }
}

impl FromJson for bool {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<bool> {
        let Kind::Bool(value) = node.kind else {
            wrong_type(node, path, findings, "a boolean");
            return None;
        };
        Some(value)
    }
}

impl FromJson for f64 {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<f64> {
        let Kind::Number(value) = &node.kind else {
            wrong_type(node, path, findings, "a number");
            return None;
        };
        value.as_f64()
    }
}

impl FromJson for u32 {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<u32> {
        let number = f64::from_json(node, path, findings)?;
        if number.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&number) {
            out_of_range(node, path, findings, "a whole number, 0 or more");
            return None;
        }
        Some(number as u32)
    }
}

impl FromJson for Value {
    fn from_json(node: &Node, _: &Path<'_>, _: &mut Findings) -> Option<Value> {
        Some(node.to_value())
    }
}

impl FromJson for Map<String, Value> {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Self> {
        let Kind::Object(members) = &node.kind else {
            wrong_type(node, path, findings, "an object");
            return None;
        };
        Some(to_map(members))
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Vec<T>> {
        let Kind::Array(nodes) = &node.kind else {
            wrong_type(node, path, findings, "an array");
            return None;
        };
        let mut elements = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            if findings.is_full() {
                break;
            }
            elements.extend(element(node, &path.index(index), findings));
        }
        Some(elements)
    }
}

/// An element of an array, where null is no value.
fn element<T: FromJson>(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<T> {
    if node.is_null() {
        wrong_type(node, path, findings, "a value");
        return None;
    }
    T::from_json(node, path, findings)
}

/// One value or an array of them.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        OneOrMany(Vec::new())
    }
}

impl<T: FromJson> FromJson for OneOrMany<T> {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Self> {
        if let Kind::Array(_) = node.kind {
            return Vec::from_json(node, path, findings).map(OneOrMany);
        }
        T::from_json(node, path, findings).map(|one| OneOrMany(vec![one]))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// A duration in seconds, fractions allowed.
#[derive(Default)]
pub(crate) struct Seconds(pub(crate) Duration);

/// A duration in milliseconds.
pub(crate) struct Millis(pub(crate) Duration);

/// A number of dB: `3`, `"3"`, `"+3 dB"`.
pub(crate) struct Gain(pub(crate) f64);

/// `boostAudioSignal`: a [`Gain`] of at most [`BOOST_MAX`], either way.
pub(crate) struct Boost(pub(crate) f64);

/// In dB: how much louder or softer a party may be made. More only clips, or is silence.
pub(crate) const BOOST_MAX: f64 = 20.0;

/// A number, or a string that holds one.
pub(crate) struct LooseNumber(pub(crate) f64);

/// Keys of a telephone and pauses between them.
#[derive(Default)]
pub(crate) struct Keys(pub(crate) String);

fn duration(node: &Node, path: &Path<'_>, findings: &mut Findings, unit: f64) -> Option<Duration> {
    let seconds = f64::from_json(node, path, findings)? * unit;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        let name = if unit == 1.0 { "seconds" } else { "milliseconds" };
        out_of_range(node, path, findings, &format!("{name}, 0 or more and at most a year"));
        return None;
    }
    Some(Duration::from_secs_f64(seconds))
}

impl FromJson for Seconds {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Seconds> {
        duration(node, path, findings, 1.0).map(Seconds)
    }
}

impl FromJson for Millis {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Millis> {
        duration(node, path, findings, 0.001).map(Millis)
    }
}

impl FromJson for Gain {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Gain> {
        let Kind::String(text) = &node.kind else {
            if let Kind::Number(number) = &node.kind {
                return number.as_f64().map(Gain);
            }
            wrong_type(node, path, findings, "a number of dB");
            return None;
        };
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.strip_suffix("db").unwrap_or(&lower).trim();
        let plain = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        if !plain.starts_with(|c: char| c.is_ascii_digit()) {
            out_of_range(node, path, findings, "a number of dB like \"+3 dB\"");
            return None;
        }
        let gain = digits.parse().ok().filter(|gain: &f64| gain.is_finite());
        if gain.is_none() {
            out_of_range(node, path, findings, "a number of dB like \"+3 dB\"");
        }
        gain.map(Gain)
    }
}

impl FromJson for Boost {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Boost> {
        let Gain(decibels) = Gain::from_json(node, path, findings)?;
        if decibels.abs() > BOOST_MAX {
            let expected = format!("a number of dB from -{BOOST_MAX} to +{BOOST_MAX}");
            out_of_range(node, path, findings, &expected);
            return None;
        }
        Some(Boost(decibels))
    }
}

impl FromJson for LooseNumber {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<LooseNumber> {
        let number = match &node.kind {
            Kind::Number(number) => number.as_f64(),
            Kind::String(text) => text.trim().parse().ok().filter(|value: &f64| value.is_finite()),
            _ => None,
        };
        match number {
            Some(number) if (0.0..=SECONDS_MAX).contains(&number) => Some(LooseNumber(number)),
            None if !node.is_string() => {
                wrong_type(node, path, findings, "a number");
                None
            }
            _ => {
                out_of_range(node, path, findings, "a number, 0 or more");
                None
            }
        }
    }
}

impl FromJson for Keys {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Keys> {
        let keys = String::from_json(node, path, findings)?;
        let known = |c: char| is_key(c) || c == 'w' || c == 'W';
        if keys.is_empty() || !keys.chars().all(known) {
            let expected = "keys 0-9 A-D * #, w and W for pauses";
            out_of_range(node, path, findings, expected);
            return None;
        }
        Some(Keys(keys))
    }
}

/// A key of a telephone: RFC 4733 §3.2 events 0 to 15.
pub(crate) fn is_key(character: char) -> bool {
    matches!(character, '0'..='9' | 'A'..='D' | 'a'..='d' | '*' | '#')
}

macro_rules! schema_of {
    ($($type:ty, $name:literal, $schema:tt;)*) => { $(
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )* };
}

schema_of! {
    Seconds, "Seconds", { "type": "number", "minimum": 0 };
    Millis, "Milliseconds", { "type": "number", "minimum": 0 };
    Gain, "Gain", { "type": ["number", "string"], "pattern": r"^\s*[+-]?\d.*$" };
    Boost, "Boost", {
        "type": ["number", "string"], "minimum": -20, "maximum": 20, "pattern": r"^\s*[+-]?\d.*$"
    };
    LooseNumber, "LooseNumber", { "type": ["number", "string"] };
    Keys, "Keys", { "type": "string", "pattern": "^[0-9A-Da-d*#wW]+$" };
}

/// Reads one of a fixed set of words.
pub(crate) fn word<T: Copy>(
    node: &Node,
    path: &Path<'_>,
    findings: &mut Findings,
    words: &[(&'static str, T)],
) -> Option<T> {
    let text = String::from_json(node, path, findings)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*value);
    }
    let names: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    let expected = format!("one of {}", names.join(", "));
    let fix = suggest::nearest(&text, words.iter().map(|(word, _)| *word));
    let finding = Finding::new(node.offset, path, "unknown word", expected, shown(&text));
    findings.fault(finding.did_you_mean(fix.map(|word| format!("`{word}`"))));
    None
}

/// An enum of words: its variants, how each is written, and reading and writing them.
macro_rules! words {
    ($(#[$attribute:meta])* $vis:vis enum $name:ident {
        $($(#[$inner:meta])* $variant:ident => $word:literal,)+
    }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, schemars::JsonSchema)]
        $vis enum $name {
            $($(#[$inner])* #[schemars(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in the order of the enum.
            #[allow(dead_code, reason = "not every list of words is walked")]
            $vis const ALL: &'static [$name] = &[$($name::$variant),+];

            /// As it is written in JSON.
            $vis fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::fields::FromJson for $name {
            fn from_json(
                node: &$crate::json::Node,
                path: &$crate::json::Path<'_>,
                findings: &mut $crate::fault::Findings,
            ) -> Option<$name> {
                let words = [$(($word, $name::$variant)),+];
                $crate::values::word(node, path, findings, &words)
            }
        }
    };
}
pub(crate) use words;
