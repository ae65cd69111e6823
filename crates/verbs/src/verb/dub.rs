//! `dub`: further audio tracks beside what the parties say.

use schemars::JsonSchema;

use super::Say;
use crate::fault::Findings;
use crate::fields::{Fields, FromJson, Object};
use crate::json::{Kind, Node, Path};
use crate::values::{Gain, words};

/// One action on an audio track. Nested in `dial`, the callee hears it.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
pub struct Dub {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// What to do.
    pub action: DubAction,
    /// Name of the track.
    pub track: String,
    /// URL of audio, for `addTrack` and `playOnTrack`.
    pub play: Option<String>,
    /// Text for `sayOnTrack`, as a string or a `say`.
    #[schemars(with = "Option<SayOrText>")]
    pub say: Option<Box<Say>>,
    /// Play it again and again.
    #[schemars(rename = "loop", with = "Option<bool>")]
    pub repeat: bool,
    /// In dB, default 0.
    #[schemars(with = "Option<Gain>")]
    pub gain: f64,
}

words! {
    /// `action` of dub.
    #[derive(Default)]
    pub enum DubAction {
        /// Makes a track, and plays on it if told what.
        #[default]
        AddTrack => "addTrack",
        /// Ends a track.
        RemoveTrack => "removeTrack",
        /// Ends what a track plays.
        SilenceTrack => "silenceTrack",
        /// Plays on a track.
        PlayOnTrack => "playOnTrack",
        /// Speaks on a track.
        SayOnTrack => "sayOnTrack",
    }
}

/// A text to speak, or how.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[allow(dead_code, reason = "its variants are the schema")]
enum SayOrText {
    Text(String),
    Say(Box<Say>),
}

impl FromJson for SayOrText {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<SayOrText> {
        match &node.kind {
            Kind::String(text) => Some(SayOrText::Text(text.clone())),
            _ => Box::from_json(node, path, findings).map(SayOrText::Say),
        }
    }
}

impl Object for Dub {
    const WHAT: &'static str = "`dub`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Dub {
        let action = fields.required("action");
        let say = fields.optional("say").map(|say| match say {
            SayOrText::Text(text) => Box::new(Say { text: vec![text], ..Say::default() }),
            SayOrText::Say(say) => say,
        });
        let dub = Dub {
            id: fields.optional("id"),
            action,
            track: fields.required("track"),
            play: fields.optional("play"),
            say,
            repeat: fields.or_default("loop"),
            gain: fields.optional("gain").map_or(0.0, |Gain(gain)| gain),
        };
        if action == DubAction::PlayOnTrack && fields.take(&"play").is_none() {
            fields.missing(&["play"]);
        }
        if action == DubAction::SayOnTrack && fields.take(&"say").is_none() {
            fields.missing(&["say"]);
        }
        dub
    }
}
