//! The schema and the parser say the same: the same properties, the same types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::schema;
use crate::fault::{Fault, Findings};
use crate::fields::{Fields, FromJson};
use crate::hook::HookObject;
use crate::json::{Path, read};
use crate::verb::*;

/// What the parser does with one object type.
struct Parser {
    known: Vec<&'static str>,
    faults_of: fn(&str) -> Vec<Fault>,
}

fn faults_of<T: FromJson>(text: &str) -> Vec<Fault> {
    let mut findings = Findings::new(false);
    let node = read(text, &mut findings).expect("a test's text is JSON");
    T::from_json(&node, &Path::ROOT, &mut findings);
    findings.locate(text).0
}

macro_rules! parsers {
    ($($type:ident),+ $(,)?) => {
        BTreeMap::from([$((
            stringify!($type),
            Parser { known: Fields::known_to::<$type>(), faults_of: faults_of::<$type> },
        )),+])
    };
}

fn parsers() -> BTreeMap<&'static str, Parser> {
    use crate::hook::Credentials;
    parsers![
        Alert,
        Amd,
        AmdTimers,
        Answer,
        BargeIn,
        BidirectionalAudio,
        Conference,
        Config,
        Credentials,
        Dequeue,
        Dial,
        Dtmf,
        Dub,
        Enqueue,
        Gather,
        Hangup,
        HookObject,
        Leave,
        Listen,
        Message,
        Pause,
        Play,
        Recognizer,
        Record,
        Redirect,
        RestDial,
        Say,
        SipDecline,
        SipRefer,
        SipRequest,
        Synthesizer,
        Tag,
        Target,
        TargetFrom,
        TimeLimitWarning,
        Transcribe,
    ]
}

fn definitions() -> BTreeMap<String, Value> {
    let definitions = schema()["$defs"].as_object().expect("definitions").clone();
    definitions.into_iter().collect()
}

/// Names of the properties of a definition, those of its variants included.
fn properties(definition: &Value) -> BTreeSet<&str> {
    let variants = definition["oneOf"].as_array().into_iter().flatten();
    let objects = std::iter::once(definition).chain(variants);
    let maps = objects.filter_map(|object| object["properties"].as_object());
    maps.flat_map(|map| map.keys().map(String::as_str)).collect()
}

#[test]
fn every_property_of_the_parser_is_in_the_schema_and_the_other_way_round() {
    let definitions = definitions();
    for (name, parser) in parsers() {
        let known: BTreeSet<&str> = parser.known.into_iter().collect();
        assert_eq!(properties(&definitions[name]), known, "properties of {name}");
    }
}

#[test]
fn every_object_of_the_schema_is_compared() {
    let parsers = parsers();
    // Read by hand: an array, or an object of two arrays.
    let by_hand = ["DtmfCapture"];
    for (name, definition) in definitions() {
        let compared = parsers.contains_key(name.as_str()) || by_hand.contains(&name.as_str());
        assert!(compared || properties(&definition).is_empty(), "{name} is not compared");
    }
}

/// Does `value` satisfy `schema`, by as much of JSON Schema as ours uses for one property?
fn satisfies(value: &Value, schema: &Value, definitions: &BTreeMap<String, Value>) -> bool {
    let by_type = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        name => panic!("unknown type {name}"),
    };
    let Value::Object(rules) = schema else { return true };
    rules.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$ref" => {
            let name = rule.as_str().expect("a reference").trim_start_matches("#/$defs/");
            satisfies(value, &definitions[name], definitions)
        }
        "type" => match rule {
            Value::String(name) => by_type(name),
            names => names.as_array().into_iter().flatten().any(|n| by_type(n.as_str().unwrap())),
        },
        "anyOf" | "oneOf" => {
            rule.as_array().into_iter().flatten().any(|one| satisfies(value, one, definitions))
        }
        "allOf" => {
            rule.as_array().into_iter().flatten().all(|one| satisfies(value, one, definitions))
        }
        "maxProperties" => {
            value.as_object().is_none_or(|object| object.len() as u64 <= rule.as_u64().unwrap())
        }
        "not" => !satisfies(value, rule, definitions),
        "enum" => rule.as_array().is_some_and(|words| words.contains(value)),
        "const" => value == rule,
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "minItems" => value.as_array().is_none_or(|a| a.len() as u64 >= rule.as_u64().unwrap()),
        "required" => value.as_object().is_none_or(|object| {
            let names = rule.as_array().into_iter().flatten();
            names.into_iter().all(|name| object.contains_key(name.as_str().unwrap()))
        }),
        "items" => {
            value.as_array().is_none_or(|all| all.iter().all(|v| satisfies(v, rule, definitions)))
        }
        "properties" => value.as_object().is_none_or(|object| {
            let rules = rule.as_object().into_iter().flatten();
            let mut given = rules.filter_map(|(name, rule)| Some((object.get(name)?, rule)));
            given.all(|(value, rule)| satisfies(value, rule, definitions))
        }),
        "additionalProperties"
        | "propertyNames"
        | "pattern"
        | "format"
        | "description"
        | "default"
        | "$schema"
        | "$defs"
        | "title" => true,
        keyword => panic!("unknown keyword {keyword}"),
    })
}

#[test]
fn what_the_schema_refuses_the_parser_refuses_and_no_type_is_refused_that_it_allows() {
    let definitions = definitions();
    let samples = [
        json!(null),
        json!(true),
        json!(3),
        json!(1),
        json!(-1),
        json!("x"),
        json!("2"),
        json!([]),
        json!({}),
        json!(["x"]),
        json!([1]),
        json!([{}]),
        json!([true]),
        json!({"url": 5}),
        json!({"url": "/x"}),
        json!("mono"),
        json!("addTrack"),
        json!("GET"),
    ];
    let mut compared = 0;
    for (name, parser) in parsers() {
        let required = definitions[name]["required"].as_array().cloned().unwrap_or_default();
        let empty = serde_json::Map::new();
        for (property, rule) in definitions[name]["properties"].as_object().unwrap_or(&empty) {
            for sample in &samples {
                if sample.is_null() && required.contains(&json!(property)) {
                    continue;
                }
                let text = json!({ property: sample }).to_string();
                let faults = (parser.faults_of)(&text);
                let place = format!("/{property}");
                let mine: Vec<&Fault> =
                    faults.iter().filter(|fault| fault.pointer.starts_with(&place)).collect();
                let allowed = satisfies(sample, rule, &definitions);
                compared += 1;
                assert!(allowed || !mine.is_empty(), "{name}: {text}: only the schema refuses");
                let wrong_type = mine.iter().find(|fault| fault.what == "wrong type");
                assert!(!allowed || wrong_type.is_none(), "{name}: {text}: {}", mine[0]);
            }
        }
    }
    assert!(compared > 3000, "{compared} comparisons");
}

#[test]
fn a_null_for_a_required_property_is_a_missing_one() {
    for (name, parser) in parsers() {
        let required = definitions()[name]["required"].as_array().cloned().unwrap_or_default();
        for property in required.iter().filter_map(Value::as_str) {
            for text in ["{}".to_owned(), json!({ property: null }).to_string()] {
                let missing = format!("missing `{property}`");
                let found = (parser.faults_of)(&text).iter().any(|fault| fault.what == missing);
                assert!(found, "{name}: {text}");
            }
        }
    }
}

#[test]
fn whole_lists_are_judged_alike() {
    let good = [
        include_str!("../../tests/fixtures/every-verb.json"),
        include_str!("../../tests/fixtures/cognigy-dial-repaired.json"),
        include_str!("../../tests/fixtures/jambonz-dial-repaired.json"),
        "[]",
        r#"[{"dial":{"target":[{"type":"user","name":"jane"}]}},{"verb":"stream","url":"/x"}]"#,
        r#"[{"verb":"listen","enable":false},{"verb":"say","stream":true}]"#,
    ];
    let bad = [
        r#"{"verb":"hangup"}"#,
        "[5]",
        "[{}]",
        r#"[{"verb":"dail"}]"#,
        r#"[{"verb":"dial"}]"#,
        r#"[{"verb":"dial","target":[]}]"#,
        r#"[{"verb":"dial","target":[{"type":"phone"}]}]"#,
        r#"[{"verb":"dial","target":[{"type":"phon","number":"1"}]}]"#,
        r#"[{"hangup":{},"say":{"text":"x"}}]"#,
        r#"[{"verb":"say"}]"#,
        r#"[{"verb":"listen","enable":true}]"#,
        r#"[{"verb":"sip:decline","status":200}]"#,
    ];
    let judged = |text: &str| {
        let value = serde_json::from_str(text).expect("a test's text is JSON");
        (
            satisfies(&value, &schema(), &definitions()),
            crate::parse_application(text, false).is_ok(),
        )
    };
    for text in good {
        assert_eq!(judged(text), (true, true), "{text}");
    }
    for text in bad {
        assert_eq!(judged(text), (false, false), "{text}");
    }
}
