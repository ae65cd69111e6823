//! `gather`: keys or speech from the caller.

use std::time::Duration;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::{Play, Recognizer, Say};
use crate::fields::{Fields, Object};
use crate::hook::Hook;
use crate::values::{Seconds, words};

/// Collects keys or speech while a prompt plays, then asks `actionHook`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Gather {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// What counts; default keys alone.
    #[schemars(with = "Option<Vec<GatherInput>>")]
    pub input: Vec<GatherInput>,
    /// Key that ends the input.
    pub finish_on_key: Option<String>,
    /// Exactly so many keys.
    pub num_digits: Option<u32>,
    /// At least so many keys.
    pub min_digits: Option<u32>,
    /// At most so many keys.
    pub max_digits: Option<u32>,
    /// Longest wait between keys.
    #[schemars(with = "Option<Seconds>")]
    pub inter_digit_timeout: Option<Duration>,
    /// Silence that ends speech.
    #[schemars(with = "Option<Seconds>")]
    pub speech_timeout: Option<Duration>,
    /// Longest wait for the first input, 0 = without end; `None` = the switch's default.
    #[schemars(with = "Option<Seconds>")]
    pub timeout: Option<Duration>,
    /// Spoken as the prompt.
    pub say: Option<Box<Say>>,
    /// Played as the prompt.
    pub play: Option<Play>,
    /// Listen while the prompt runs; default true.
    pub listen_during_prompt: Option<bool>,
    /// Speech interrupts the prompt.
    #[schemars(with = "Option<bool>")]
    pub bargein: bool,
    /// Keys interrupt the prompt; default true.
    pub dtmf_bargein: Option<bool>,
    /// Words of speech that it takes to interrupt.
    pub min_bargein_word_count: Option<u32>,
    /// Who understands the speech, over that of the session.
    pub recognizer: Option<Box<Recognizer>>,
    /// Asked with the result.
    pub action_hook: Option<Hook>,
    /// Told of interim results.
    pub partial_result_hook: Option<Hook>,
    /// Kept for the session, not looked into.
    pub action_hook_delay_action: Option<Map<String, Value>>,
    /// Kept for the session, not looked into.
    pub filler_noise: Option<Map<String, Value>>,
}

words! {
    /// An element of `input`.
    pub enum GatherInput {
        /// Keys.
        Digits => "digits",
        /// Keys, by their other name.
        Dtmf => "dtmf",
        /// Speech.
        Speech => "speech",
    }
}

impl Object for Gather {
    const WHAT: &'static str = "`gather`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Gather {
        Gather {
            id: fields.optional("id"),
            input: fields.optional("input").unwrap_or_else(|| vec![GatherInput::Digits]),
            finish_on_key: fields.optional("finishOnKey"),
            num_digits: fields.optional("numDigits"),
            min_digits: fields.optional("minDigits"),
            max_digits: fields.optional("maxDigits"),
            inter_digit_timeout: super::seconds(fields, "interDigitTimeout"),
            speech_timeout: super::seconds(fields, "speechTimeout"),
            timeout: super::seconds(fields, "timeout"),
            say: fields.optional("say"),
            play: fields.optional("play"),
            listen_during_prompt: fields.optional("listenDuringPrompt"),
            bargein: fields.or_default("bargein"),
            dtmf_bargein: fields.optional("dtmfBargein"),
            min_bargein_word_count: fields.optional("minBargeinWordCount"),
            recognizer: fields.optional("recognizer"),
            action_hook: fields.optional("actionHook"),
            partial_result_hook: fields.optional("partialResultHook"),
            action_hook_delay_action: fields.optional("actionHookDelayAction"),
            filler_noise: fields.optional("fillerNoise"),
        }
    }
}
