//! `play`: audio files.

use std::time::Duration;

use schemars::JsonSchema;

use super::Loop;
use crate::fields::{Fields, Object};
use crate::hook::Hook;
use crate::values::{LooseNumber, OneOrMany};

/// Plays WAV or MP3 files to the caller.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Play {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Played one after the other; at least one.
    #[schemars(with = "OneOrMany<String>")]
    pub url: Vec<String>,
    /// How often the whole; default once.
    #[schemars(rename = "loop", with = "Option<Loop>")]
    pub repeat: Loop,
    /// Where to begin, in samples at 8 kHz.
    #[schemars(with = "Option<LooseNumber>")]
    pub seek_offset: Option<u64>,
    /// Longest time to play; in seconds.
    #[schemars(with = "Option<LooseNumber>")]
    pub timeout_secs: Option<Duration>,
    /// Play before the call is answered.
    #[schemars(with = "Option<bool>")]
    pub early_media: bool,
    /// Asked when the audio has ended.
    pub action_hook: Option<Hook>,
}

impl Object for Play {
    const WHAT: &'static str = "`play`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Play {
        let offset: Option<LooseNumber> = fields.optional("seekOffset");
        let timeout: Option<LooseNumber> = fields.optional("timeoutSecs");
        Play {
            id: fields.optional("id"),
            url: urls(fields),
            repeat: fields.or_default("loop"),
            seek_offset: offset.map(|LooseNumber(samples)| samples as u64),
            timeout_secs: timeout.map(|LooseNumber(secs)| Duration::from_secs_f64(secs)),
            early_media: fields.or_default("earlyMedia"),
            action_hook: fields.optional("actionHook"),
        }
    }
}

fn urls(fields: &mut Fields<'_>) -> Vec<String> {
    let urls = fields.required::<OneOrMany<String>>("url").0;
    if let Some(member) = fields.take(&"url")
        && (member.value.is_text("") || member.value.is_empty_array())
    {
        fields.fault(member, "nothing to play", "a URL or an array of URLs");
    }
    urls
}
