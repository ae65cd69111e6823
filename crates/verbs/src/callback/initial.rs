//! The first payload of a call (`session:new`): who calls, and the INVITE itself.

use serde::Serialize;
use serde_json::{Map, Value};

/// What the first payload says beyond the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Initial {
    /// Display name of From.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_name: Option<String>,
    /// UUID of the service provider.
    pub service_provider_sid: String,
    /// The INVITE that came in; left out of a GET. A call that we placed has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip: Option<SipBlock>,
    /// What verbs fall back to.
    pub defaults: Defaults,
    /// Variables of the application, verbatim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_vars: Option<Map<String, Value>>,
}

/// A received request, in the form drachtio gives it: its own spelling of keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SipBlock {
    /// `INVITE`.
    pub method: String,
    /// Request-URI.
    pub uri: String,
    /// SIP version, `2.0`.
    pub version: String,
    /// In the order of the message.
    #[serde(serialize_with = "super::header_map")]
    pub headers: Vec<(String, String)>,
    /// Body as text.
    pub body: String,
    /// Parts of the body with their types; made of `body` where it has one.
    pub payload: Vec<BodyPart>,
    /// The whole message as text.
    pub raw: String,
    /// User of the Request-URI.
    #[serde(rename = "calledNumber")]
    pub called_number: String,
    /// User of From.
    #[serde(rename = "callingNumber")]
    pub calling_number: String,
    /// Always `request`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Always `network`.
    pub source: &'static str,
    /// Address it came from.
    pub source_address: String,
    /// Port it came from, as text.
    pub source_port: String,
    /// `udp`, `tcp`, …
    pub protocol: String,
}

/// One part of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BodyPart {
    /// Content-Type.
    #[serde(rename = "type")]
    pub content_type: String,
    /// As text.
    pub content: String,
}

/// `defaults` of the first payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Defaults {
    /// Voice of the application.
    pub synthesizer: Speech,
    /// Recogniser of the application.
    pub recognizer: Speech,
}

/// A vendor of speech and its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Speech {
    /// Vendor's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Which of its credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Name of the voice; none for a recogniser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
}
