//! `say`: text, spoken.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::Synthesizer;
use crate::fault::{Finding, Findings};
use crate::fields::{Fields, FromJson, Object};
use crate::json::{Kind, Node, Path};
use crate::values::OneOrMany;

/// Speaks text to the caller.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(transform = crate::schema::required_unless("text", "stream", true))]
pub struct Say {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Spoken one after the other; empty only with `stream`.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub text: Vec<String>,
    /// How to speak, for voices that take instructions.
    pub instructions: Option<String>,
    /// Text comes piece by piece over the application's WebSocket.
    #[schemars(with = "Option<bool>")]
    pub stream: bool,
    /// With `stream`: end when nothing is left to say.
    pub close_stream_on_empty: Option<bool>,
    /// How often; default once.
    #[schemars(rename = "loop", with = "Option<Loop>")]
    pub repeat: Loop,
    /// Voice, over that of the session.
    pub synthesizer: Option<Synthesizer>,
    /// Speak before the call is answered.
    #[schemars(with = "Option<bool>")]
    pub early_media: bool,
    /// Speak anew instead of from the cache.
    pub disable_tts_cache: Option<bool>,
}

impl Object for Say {
    const WHAT: &'static str = "`say`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Say {
        let say = Say {
            id: fields.optional("id"),
            text: fields.or_default::<OneOrMany<String>>("text").0,
            instructions: fields.optional("instructions"),
            stream: fields.or_default("stream"),
            close_stream_on_empty: fields.optional("closeStreamOnEmpty"),
            repeat: fields.or_default("loop"),
            synthesizer: fields.optional("synthesizer"),
            early_media: fields.or_default("earlyMedia"),
            disable_tts_cache: fields.optional("disableTtsCache"),
        };
        if !say.stream && fields.take(&"text").is_none() {
            fields.missing(&["text"]);
        }
        say
    }
}

/// `loop` of say and play: a number (0 counts as once), or `"forever"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// That often, at least once.
    Times(u32),
    /// Until something else happens.
    Forever,
}

impl Default for Loop {
    fn default() -> Loop {
        Loop::Times(1)
    }
}

impl FromJson for Loop {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Loop> {
        let times = match &node.kind {
            Kind::Number(number) => number.as_f64(),
            Kind::String(text) if text == "forever" => return Some(Loop::Forever),
            Kind::String(text) => text.parse::<u32>().ok().map(f64::from),
            _ => None,
        };
        match times {
            Some(times) if times.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&times) => {
                Some(Loop::Times((times as u32).max(1)))
            }
            _ => {
                let right_type = node.is_number() || node.is_string();
                let what = if right_type { "out of range" } else { "wrong type" };
                let expected = "a whole number, 0 or more, or \"forever\"";
                let got = node.describe();
                findings.fault(Finding::new(node.offset, path, what, expected, got));
                None
            }
        }
    }
}

impl JsonSchema for Loop {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Loop".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How often; \"forever\" until something else happens.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^(forever|[0-9]+)$" }
            ]
        })
    }
}
