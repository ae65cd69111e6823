//! `config`: settings of the session, from here on.

use std::time::Duration;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::{Amd, GatherInput, Listen, Recognizer, Record, Synthesizer, Transcribe};
use crate::fields::{Fields, Object};
use crate::hook::Hook;
use crate::values::{Boost, OneOrMany, Seconds};

/// Changes what later verbs start from, and what runs beside them. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(transform = crate::schema::alias_of("listen", "stream"))]
pub struct Config {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Default voice.
    pub synthesizer: Option<Synthesizer>,
    /// Default recogniser.
    pub recognizer: Option<Box<Recognizer>>,
    /// Listening in the background; also written `stream`.
    pub listen: Option<Box<Listen>>,
    /// Transcribing in the background.
    pub transcribe: Option<Box<Transcribe>>,
    /// Recording.
    pub record: Option<Record>,
    /// Answering machine detection on this call.
    pub amd: Option<Amd>,
    /// Input that interrupts any verb.
    pub barge_in: Option<BargeIn>,
    /// Report the start and end of each verb (`verb:status`).
    pub notify_events: Option<bool>,
    /// URL played to a party on hold.
    pub on_hold_music: Option<String>,
    /// In dB, on what the caller hears.
    #[schemars(with = "Option<Boost>")]
    pub boost_audio_signal: Option<f64>,
    /// Asked when a party sends REFER.
    pub refer_hook: Option<Hook>,
    /// Asked when a party sends INFO or MESSAGE.
    pub sip_request_within_dialog_hook: Option<Hook>,
    /// Names of settings to take back to the application's defaults.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub reset: Vec<String>,
    /// Audio before the call is answered.
    pub early_media: Option<bool>,
    /// Report the recogniser's delay.
    pub notify_stt_latency: Option<bool>,
    /// Every `say` streams.
    pub auto_stream_tts: Option<bool>,
    /// Speak anew instead of from the cache.
    pub disable_tts_cache: Option<bool>,
    /// Kept, not looked into.
    pub tts_stream: Option<Map<String, Value>>,
    /// Kept, not looked into.
    pub filler_noise: Option<Map<String, Value>>,
    /// Kept, not looked into.
    pub action_hook_delay_action: Option<Map<String, Value>>,
    /// Kept, not looked into.
    pub vad: Option<Map<String, Value>>,
}

/// `bargeIn` of config.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct BargeIn {
    /// On or off.
    pub enable: Option<bool>,
    /// On again after each interruption.
    #[schemars(with = "Option<bool>")]
    pub sticky: bool,
    /// What interrupts; default keys.
    #[schemars(with = "Option<Vec<GatherInput>>")]
    pub input: Vec<GatherInput>,
    /// Asked with the input.
    pub action_hook: Option<Hook>,
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
    /// Words of speech that it takes.
    pub min_bargein_word_count: Option<u32>,
}

impl Object for BargeIn {
    const WHAT: &'static str = "`bargeIn`";

    fn read(fields: &mut Fields<'_>) -> BargeIn {
        BargeIn {
            enable: fields.optional("enable"),
            sticky: fields.or_default("sticky"),
            input: fields.optional("input").unwrap_or_else(|| vec![GatherInput::Digits]),
            action_hook: fields.optional("actionHook"),
            finish_on_key: fields.optional("finishOnKey"),
            num_digits: fields.optional("numDigits"),
            min_digits: fields.optional("minDigits"),
            max_digits: fields.optional("maxDigits"),
            inter_digit_timeout: super::seconds(fields, "interDigitTimeout"),
            min_bargein_word_count: fields.optional("minBargeinWordCount"),
        }
    }
}

impl Object for Config {
    const WHAT: &'static str = "`config`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Config {
        Config {
            id: fields.optional("id"),
            synthesizer: fields.optional("synthesizer"),
            recognizer: fields.optional("recognizer"),
            listen: fields.optional(["listen", "stream"]),
            transcribe: fields.optional("transcribe"),
            record: fields.optional("record"),
            amd: fields.optional("amd"),
            barge_in: fields.optional("bargeIn"),
            notify_events: fields.optional("notifyEvents"),
            on_hold_music: fields.optional("onHoldMusic"),
            boost_audio_signal: fields.optional("boostAudioSignal").map(|Boost(gain)| gain),
            refer_hook: fields.optional("referHook"),
            sip_request_within_dialog_hook: fields.optional("sipRequestWithinDialogHook"),
            reset: fields.or_default::<OneOrMany<String>>("reset").0,
            early_media: fields.optional("earlyMedia"),
            notify_stt_latency: fields.optional("notifySttLatency"),
            auto_stream_tts: fields.optional("autoStreamTts"),
            disable_tts_cache: fields.optional("disableTtsCache"),
            tts_stream: fields.optional("ttsStream"),
            filler_noise: fields.optional("fillerNoise"),
            action_hook_delay_action: fields.optional("actionHookDelayAction"),
            vad: fields.optional("vad"),
        }
    }
}
