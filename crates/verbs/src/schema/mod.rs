//! The JSON Schema of an application, generated from the same types that the parser fills.
//!
//! It says what a valid list looks like; unknown properties pass, as they do in the parser unless
//! it is strict. What no schema can say (which headers are the switch's own, what makes a SIP
//! URI) is left to the parser.

#[cfg(test)]
mod tests;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// JSON Schema (draft 2020-12) of an application: an array of verbs in either envelope.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut generator = SchemaGenerator::new(settings);
    let mut verbs = Vec::new();
    for (names, schema) in crate::verb::schemas(&mut generator) {
        verbs.push(json!({
            "allOf": [schema],
            "properties": { "verb": { "enum": names } },
            "required": ["verb"]
        }));
        for name in names {
            verbs.push(json!({
                "type": "object",
                "properties": { name: schema },
                "required": [name],
                "maxProperties": 1
            }));
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Application",
        "description": "What a call does: a list of verbs, run in order.",
        "type": "array",
        "items": { "anyOf": verbs },
        "$defs": generator.take_definitions(true),
    })
}

/// A transform that lets `alias` stand for the property `name`; where `name` was required, one of
/// the two is.
pub(crate) fn alias_of(name: &'static str, alias: &'static str) -> impl FnMut(&mut Schema) {
    move |schema: &mut Schema| {
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            return;
        };
        let Some(mut property) = properties.get(name).cloned() else { return };
        let note = format!("The same as `{name}`, which wins.");
        match property.as_object_mut() {
            Some(property) => {
                property.insert("description".to_owned(), note.into());
            }
            None => property = Value::Object(Map::new()),
        }
        properties.insert(alias.to_owned(), property);
    }
}

/// A transform that requires `name` of every object but one whose `switch` is `exempt`.
pub(crate) fn required_unless(
    name: &'static str,
    switch: &'static str,
    exempt: bool,
) -> impl FnMut(&mut Schema) {
    move |schema: &mut Schema| {
        let rule = json!([
            { "properties": { name: { "not": { "type": "null" } } }, "required": [name] },
            { "properties": { switch: { "const": exempt } }, "required": [switch] }
        ]);
        schema.insert("anyOf".to_owned(), rule);
    }
}
