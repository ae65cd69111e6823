//! `transcribe`: speech to text, live.

use schemars::JsonSchema;

use super::Recognizer;
use crate::fields::{Fields, Object};
use crate::hook::Hook;

/// Sends what is said to a hook. A verb, nested in `dial` or `listen`, or in `config` for the
/// whole call.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Transcribe {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Told what was said.
    pub transcription_hook: Option<Hook>,
    /// Told what was said, in the other language.
    pub translation_hook: Option<Hook>,
    /// Who understands, over that of the session.
    pub recognizer: Option<Box<Recognizer>>,
    /// In `dial`: 1 the caller alone, 2 the callee alone; default both.
    pub channel: Option<u32>,
    /// Before the call is answered.
    #[schemars(with = "Option<bool>")]
    pub early_media: bool,
    /// In `config`: switch it on (default) or off.
    pub enable: Option<bool>,
}

impl Object for Transcribe {
    const WHAT: &'static str = "`transcribe`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Transcribe {
        Transcribe {
            id: fields.optional("id"),
            transcription_hook: fields.optional("transcriptionHook"),
            translation_hook: fields.optional("translationHook"),
            recognizer: fields.optional("recognizer"),
            channel: super::channel(fields),
            early_media: fields.or_default("earlyMedia"),
            enable: fields.optional("enable"),
        }
    }
}
