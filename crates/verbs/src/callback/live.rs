//! What hooks are told while a call is up: keys, input, hold, transfer.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::values::words;

/// A dial's dtmfHook: a sequence of `dtmfCapture` was pressed by the call of the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DtmfPressed {
    /// The sequence.
    pub dtmf: String,
}

words! {
    /// `reason` of a gather's result.
    pub enum GatherReason {
        /// Keys.
        DtmfDetected => "dtmfDetected",
        /// Speech.
        SpeechDetected => "speechDetected",
        /// Neither, in time.
        Timeout => "timeout",
        /// It could not listen.
        Error => "error",
        /// Speech, but too uncertain.
        SttLowConfidence => "stt-low-confidence",
    }
}

/// A gather's actionHook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatherResult {
    /// What ended it.
    pub reason: GatherReason,
    /// Keys pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<String>,
    /// What was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speech: Option<Value>,
    /// `id` of the verb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb_id: Option<String>,
}

words! {
    /// `reason` of a play's result.
    pub enum PlayReason {
        /// To its end.
        PlayCompleted => "playCompleted",
        /// Something of it could not be had.
        PlayFailed => "playFailed",
    }
}

/// A play's actionHook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlayResult {
    /// What ended it.
    pub reason: PlayReason,
    /// How long was played, in whole seconds.
    pub playback_seconds: u64,
    /// The same in milliseconds.
    pub playback_milliseconds: u64,
    /// The same in samples at 8 kHz.
    pub playback_last_offset_pos: u64,
    /// `id` of the verb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb_id: Option<String>,
}

words! {
    /// What became of a `sip:request`.
    pub enum RequestOutcome {
        /// A 2xx came.
        Success => "success",
        /// Another response, or none, or it could not be sent.
        Failed => "failed",
    }
}

/// A `sip:request`'s actionHook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SipRequestResult {
    /// Whether the party took it.
    pub result: RequestOutcome,
    /// Status of the response; 408 where none came in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// Why it was not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub err: Option<String>,
    /// `id` of the verb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb_id: Option<String>,
}

/// A dial's onHoldHook: a party put the other on hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldChanged {
    /// Value of From in the re-INVITE.
    pub from: String,
    /// Value of To in the re-INVITE.
    pub to: String,
}

impl Serialize for HoldChanged {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let detail = serde_json::json!({ "from": self.from, "to": self.to });
        map.serialize_entry("hold_detail", &detail)?;
        map.end()
    }
}

/// A referHook: the call of the payload sent REFER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferReceived {
    /// Value of Refer-To.
    pub sip_refer_to: String,
    /// User of its URI; of a `tel:` URI the number.
    pub refer_to_user: String,
    /// Value of Referred-By.
    pub sip_referred_by: Option<String>,
    /// User of its URI.
    pub referred_by_user: Option<String>,
    /// Value of User-Agent.
    pub sip_user_agent: Option<String>,
    /// The call that sent it.
    pub referring_call_sid: String,
    /// The call it is connected to.
    pub referred_call_sid: Option<String>,
    /// Headers beginning with `X-`.
    pub custom_headers: Vec<(String, String)>,
}

impl Serialize for ReferReceived {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut details = serde_json::Map::new();
        let mut put = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                details.insert(key.to_owned(), value.into());
            }
        };
        put("sip_refer_to", Some(&self.sip_refer_to));
        put("refer_to_user", Some(&self.refer_to_user));
        put("sip_referred_by", self.sip_referred_by.as_deref());
        put("referred_by_user", self.referred_by_user.as_deref());
        put("sip_user_agent", self.sip_user_agent.as_deref());
        put("referring_call_sid", Some(&self.referring_call_sid));
        put("referred_call_sid", self.referred_call_sid.as_deref());
        for (name, value) in &self.custom_headers {
            put(&name.to_ascii_lowercase().replace('-', "_"), Some(value));
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("refer_details", &details)?;
        map.end()
    }
}

/// A sipRequestWithinDialogHook: a party sent INFO or MESSAGE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SipRequestReceived {
    /// `INFO` or `MESSAGE`.
    pub sip_method: String,
    /// Its body as text.
    pub sip_body: String,
    /// Its headers.
    #[serde(serialize_with = "super::header_map")]
    pub sip_headers: Vec<(String, String)>,
}
