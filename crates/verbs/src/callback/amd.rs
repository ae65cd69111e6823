//! Events of answering machine detection, under both their names.

use serde::{Serialize, Serializer};

use crate::values::words;

words! {
    /// `type` of an amd event.
    pub enum AmdKind {
        /// A human.
        HumanDetected => "amd_human_detected",
        /// A machine.
        MachineDetected => "amd_machine_detected",
        /// Nothing was said.
        NoSpeechDetected => "amd_no_speech_detected",
        /// It could not be told.
        DecisionTimeout => "amd_decision_timeout",
        /// The machine's greeting is over.
        MachineStoppedSpeaking => "amd_machine_stopped_speaking",
        /// A beep.
        ToneDetected => "amd_tone_detected",
        /// No beep came.
        ToneTimeout => "amd_tone_timeout",
        /// Detection failed.
        Error => "amd_error",
        /// Detection is over.
        Stopped => "amd_stopped",
    }
}

impl AmdKind {
    /// The documented `event`, where there is one for it.
    fn event(self) -> Option<&'static str> {
        match self {
            AmdKind::HumanDetected | AmdKind::MachineDetected => Some("amd"),
            AmdKind::ToneDetected => Some("beep"),
            AmdKind::NoSpeechDetected | AmdKind::MachineStoppedSpeaking => Some("silence"),
            AmdKind::DecisionTimeout | AmdKind::ToneTimeout | AmdKind::Error | AmdKind::Stopped => {
                None
            }
        }
    }

    /// The documented `amd_type`, where the event is `amd`.
    fn amd_type(self) -> Option<&'static str> {
        match self {
            AmdKind::HumanDetected => Some("human"),
            AmdKind::MachineDetected => Some("machine"),
            _ => None,
        }
    }
}

/// What an amd event says beyond the parent's call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmdEvent {
    /// What was found.
    pub kind: AmdKind,
    /// Why it was decided so: `short greeting`, `long greeting`, `hint`, `digit count`, `beep`.
    pub reason: Option<&'static str>,
    /// What was understood.
    pub greeting: Option<String>,
    /// Phrase that gave a machine away.
    pub hint: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Of the beep, in Hz.
    pub frequency: Option<u32>,
    /// Of the beep.
    pub variance: Option<u32>,
    /// What failed.
    pub error: Option<String>,
    /// The callee.
    pub dial_call_sid: Option<String>,
}

impl AmdEvent {
    /// An event that is its kind alone.
    pub fn of(kind: AmdKind) -> AmdEvent {
        AmdEvent {
            kind,
            reason: None,
            greeting: None,
            hint: None,
            language: None,
            frequency: None,
            variance: None,
            error: None,
            dial_call_sid: None,
        }
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: AmdKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amd_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    greeting: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variance: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dial_call_sid: Option<&'a str>,
}

impl Serialize for AmdEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = Wire {
            kind: self.kind,
            event: self.kind.event(),
            amd_type: self.kind.amd_type(),
            reason: self.reason,
            greeting: self.greeting.as_deref(),
            hint: self.hint.as_deref(),
            language: self.language.as_deref(),
            frequency: self.frequency,
            variance: self.variance,
            error: self.error.as_deref(),
            dial_call_sid: self.dial_call_sid.as_deref(),
        };
        wire.serialize(serializer)
    }
}
