//! `listen`, also called `stream`: the call's audio to a WebSocket.

use std::time::Duration;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::Transcribe;
use crate::fields::{Fields, Object};
use crate::hook::{Credentials, Hook};
use crate::values::{Seconds, words};

/// Streams audio out, and takes audio back. A verb, nested in `dial`, or in `config` for the whole
/// call.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(transform = crate::schema::required_unless("url", "enable", false))]
pub struct Listen {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// `ws:` or `wss:` URL, or a path on the application's origin. Empty only where `enable` is
    /// false.
    #[schemars(with = "Option<String>")]
    pub url: String,
    /// In `config`: switch it on (default) or off.
    pub enable: Option<bool>,
    /// Basic authentication of the handshake.
    pub ws_auth: Option<Credentials>,
    /// Whose audio; default `mono`.
    #[schemars(with = "Option<MixType>")]
    pub mix_type: MixType,
    /// Samples a second: 8000 (default), 16000, 24000, 48000 or 64000.
    #[schemars(with = "Option<u32>")]
    pub sample_rate: u32,
    /// Sent in the first frame.
    pub metadata: Option<Map<String, Value>>,
    /// Keys go to the WebSocket too.
    #[schemars(with = "Option<bool>")]
    pub pass_dtmf: bool,
    /// Key that ends it.
    pub finish_on_key: Option<String>,
    /// Longest time; 0 or none = no limit.
    #[schemars(with = "Option<Seconds>")]
    pub max_length: Option<Duration>,
    /// Silence that ends it.
    #[schemars(with = "Option<Seconds>")]
    pub timeout: Option<Duration>,
    /// A tone at the start.
    #[schemars(with = "Option<bool>")]
    pub play_beep: bool,
    /// In `dial`: 1 the caller, 2 the callee.
    pub channel: Option<u32>,
    /// Audio that comes back is played; default enabled.
    pub bidirectional_audio: Option<BidirectionalAudio>,
    /// jambonz: older spelling of `bidirectionalAudio.enabled` = false.
    pub disable_bidirectional_audio: Option<bool>,
    /// Stream before the call is answered.
    #[schemars(with = "Option<bool>")]
    pub early_media: bool,
    /// Transcription of the same audio.
    pub transcribe: Option<Box<Transcribe>>,
    /// Asked when it has ended.
    pub action_hook: Option<Hook>,
}

/// `bidirectionalAudio` of listen.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct BidirectionalAudio {
    /// Default true.
    pub enabled: Option<bool>,
    /// Binary frames from the server are audio.
    #[schemars(with = "Option<bool>")]
    pub streaming: bool,
    /// Samples a second of those frames.
    pub sample_rate: Option<u32>,
}

words! {
    /// `mixType` of listen.
    #[derive(Default)]
    pub enum MixType {
        /// One party.
        #[default]
        Mono => "mono",
        /// Both parties, one in each channel.
        Stereo => "stereo",
        /// Both parties in one channel.
        Mixed => "mixed",
    }
}

/// Rates that audio can be sent at.
const SAMPLE_RATES: &[u32] = &[8000, 16_000, 24_000, 48_000, 64_000];

impl Object for BidirectionalAudio {
    const WHAT: &'static str = "`bidirectionalAudio`";

    fn read(fields: &mut Fields<'_>) -> BidirectionalAudio {
        BidirectionalAudio {
            enabled: fields.optional("enabled"),
            streaming: fields.or_default("streaming"),
            sample_rate: sample_rate(fields),
        }
    }
}

impl Object for Listen {
    const WHAT: &'static str = "`listen`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Listen {
        let enable = fields.optional("enable");
        Listen {
            id: fields.optional("id"),
            url: url(fields, enable),
            enable,
            ws_auth: fields.optional("wsAuth"),
            mix_type: fields.or_default("mixType"),
            sample_rate: sample_rate(fields).unwrap_or(8000),
            metadata: fields.optional("metadata"),
            pass_dtmf: fields.or_default("passDtmf"),
            finish_on_key: fields.optional("finishOnKey"),
            max_length: super::nonzero_seconds(fields, "maxLength"),
            timeout: super::nonzero_seconds(fields, "timeout"),
            play_beep: fields.or_default("playBeep"),
            channel: super::channel(fields),
            bidirectional_audio: fields.optional("bidirectionalAudio"),
            disable_bidirectional_audio: fields.optional("disableBidirectionalAudio"),
            early_media: fields.or_default("earlyMedia"),
            transcribe: fields.optional("transcribe"),
            action_hook: fields.optional("actionHook"),
        }
    }
}

fn url(fields: &mut Fields<'_>, enable: Option<bool>) -> String {
    if enable == Some(false) {
        return fields.or_default("url");
    }
    let url: String = fields.required("url");
    if let Some(member) = fields.take(&"url")
        && (member.value.is_text("") || url.contains(char::is_control))
    {
        fields.fault(member, "no URL", "a ws: or wss: URL, or a path");
    }
    url
}

fn sample_rate(fields: &mut Fields<'_>) -> Option<u32> {
    let rate = fields.optional("sampleRate");
    if let Some(member) = fields.take(&"sampleRate")
        && rate.is_some_and(|rate| !SAMPLE_RATES.contains(&rate))
    {
        fields.fault(member, "out of range", "8000, 16000, 24000, 48000 or 64000");
    }
    rate
}
