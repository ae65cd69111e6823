//! JSON that remembers where it stood.
//!
//! `reader` turns text into [`Node`]s, each with the byte offset it began at; [`Path`] is the way
//! from the root to a value, written out as a JSON pointer only when a fault needs it. `string`
//! and `number` are the two lexemes with rules of their own. Nothing here knows verbs.

mod number;
mod path;
mod reader;
mod string;
#[cfg(test)]
mod tests;

pub use reader::{DEPTH_MAX, TEXT_MAX};

pub(crate) use path::Path;
pub(crate) use reader::read;

use serde_json::{Map, Number, Value};

/// A JSON value and where it began.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Byte offset in the text.
    pub(crate) offset: usize,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// One `"key": value` of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Byte offset of the key's opening quote.
    pub(crate) offset: usize,
    pub(crate) key: String,
    pub(crate) value: Node,
}

/// Longest text of a value that a fault repeats, in characters.
const SHOWN_MAX: usize = 40;

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Number(_))
    }

    pub(crate) fn is_string(&self) -> bool {
        matches!(self.kind, Kind::String(_))
    }

    /// It is exactly this string.
    pub(crate) fn is_text(&self, text: &str) -> bool {
        matches!(&self.kind, Kind::String(own) if own == text)
    }

    pub(crate) fn is_empty_array(&self) -> bool {
        matches!(&self.kind, Kind::Array(nodes) if nodes.is_empty())
    }

    /// The same value without positions.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(value) => Value::Number(value.clone()),
            Kind::String(value) => Value::String(value.clone()),
            Kind::Array(nodes) => Value::Array(nodes.iter().map(Node::to_value).collect()),
            Kind::Object(members) => Value::Object(to_map(members)),
        }
    }

    /// The value as a fault names it: `the string "5"`, `the number 5`, `an array`.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "null".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(value) => format!("the number {value}"),
            Kind::String(value) => format!("the string {}", shown(value)),
            Kind::Array(nodes) if nodes.is_empty() => "an empty array".to_owned(),
            Kind::Array(_) => "an array".to_owned(),
            Kind::Object(_) => "an object".to_owned(),
        }
    }
}

/// An object without positions, in the order of the text.
pub(crate) fn to_map(members: &[Member]) -> Map<String, Value> {
    members.iter().map(|member| (member.key.clone(), member.value.to_value())).collect()
}

/// A string in quotes, control characters escaped, a long one cut.
pub(crate) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    Value::String(cut).to_string()
}
