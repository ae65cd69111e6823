//! `synthesizer` and `recognizer`: who speaks and who understands.
//!
//! Vendors have dozens of options of their own; those are kept verbatim in `options` and none of
//! them is an unknown property.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::fields::{Fields, Object};

/// A voice.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Synthesizer {
    /// `default`, `custom:NAME`, or a vendor's name.
    pub vendor: Option<String>,
    /// Which of several credentials of the vendor.
    pub label: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Name of the voice, or an object that describes it.
    #[schemars(with = "Option<Value>")]
    pub voice: Option<Value>,
    /// Used where `vendor` fails.
    pub fallback_vendor: Option<String>,
    /// As `label`.
    pub fallback_label: Option<String>,
    /// As `language`.
    pub fallback_language: Option<String>,
    /// As `voice`.
    #[schemars(with = "Option<Value>")]
    pub fallback_voice: Option<Value>,
    /// What the vendor knows beyond that.
    #[schemars(flatten)]
    pub options: Map<String, Value>,
}

/// A recogniser of speech.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Recognizer {
    /// `default`, `custom:NAME`, or a vendor's name.
    pub vendor: Option<String>,
    /// Which of several credentials of the vendor.
    pub label: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Used where `vendor` fails.
    pub fallback_vendor: Option<String>,
    /// As `label`.
    pub fallback_label: Option<String>,
    /// As `language`.
    pub fallback_language: Option<String>,
    /// Words to expect: strings, or objects of the vendor.
    #[schemars(with = "Option<Vec<Value>>")]
    pub hints: Vec<Value>,
    /// Weight of the hints.
    pub hints_boost: Option<f64>,
    /// Other languages to expect.
    #[schemars(with = "Option<Vec<String>>")]
    pub alt_languages: Vec<String>,
    /// Report results before they are final.
    pub interim: Option<bool>,
    /// One utterance, then stop.
    pub single_utterance: Option<bool>,
    /// Caller and callee apart; default true.
    pub separate_recognition_per_channel: Option<bool>,
    /// Results below it count as not understood; 0 to 1.
    pub min_confidence: Option<f64>,
    /// What the vendor knows beyond that.
    #[schemars(flatten)]
    pub options: Map<String, Value>,
}

impl Object for Synthesizer {
    const WHAT: &'static str = "a synthesizer";

    fn read(fields: &mut Fields<'_>) -> Synthesizer {
        Synthesizer {
            vendor: fields.optional("vendor"),
            label: fields.optional("label"),
            language: fields.optional("language"),
            voice: fields.optional("voice"),
            fallback_vendor: fields.optional("fallbackVendor"),
            fallback_label: fields.optional("fallbackLabel"),
            fallback_language: fields.optional("fallbackLanguage"),
            fallback_voice: fields.optional("fallbackVoice"),
            options: fields.rest(),
        }
    }
}

impl Object for Recognizer {
    const WHAT: &'static str = "a recognizer";

    fn read(fields: &mut Fields<'_>) -> Recognizer {
        Recognizer {
            vendor: fields.optional("vendor"),
            label: fields.optional("label"),
            language: fields.optional("language"),
            fallback_vendor: fields.optional("fallbackVendor"),
            fallback_label: fields.optional("fallbackLabel"),
            fallback_language: fields.optional("fallbackLanguage"),
            hints: fields.or_default("hints"),
            hints_boost: fields.optional("hintsBoost"),
            alt_languages: fields.or_default("altLanguages"),
            interim: fields.optional("interim"),
            single_utterance: fields.optional("singleUtterance"),
            separate_recognition_per_channel: fields.optional("separateRecognitionPerChannel"),
            min_confidence: fields.optional("minConfidence"),
            options: fields.rest(),
        }
    }
}
