//! `amd`: tell a human from an answering machine.

use std::time::Duration;

use schemars::JsonSchema;

use super::Recognizer;
use crate::fields::{Fields, Object};
use crate::hook::Hook;
use crate::values::Millis;

/// Answering machine detection on the callee, nested in `dial` or `config`.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(transform = crate::schema::alias_of("actionHook", "hook"))]
pub struct Amd {
    /// Told what was found; also written `hook`. `None` = nobody is told.
    pub action_hook: Option<Hook>,
    /// Hang up on a machine.
    #[schemars(rename = "disconnectOnAMD", with = "Option<bool>")]
    pub disconnect_on_amd: bool,
    /// Who understands the greeting, over that of the session.
    pub recognizer: Option<Box<Recognizer>>,
    /// Fewer words are a human's greeting; default 9, as for 0.
    #[schemars(with = "Option<u32>")]
    pub threshold_word_count: u32,
    /// A run of so many digits is a machine's; 0 = does not count.
    #[schemars(with = "Option<u32>")]
    pub digit_count: u32,
    /// Waits.
    #[schemars(with = "Option<AmdTimers>")]
    pub timers: AmdTimers,
    /// In `config`: switch it on (default) or off.
    pub enable: Option<bool>,
}

/// `timers` of amd, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct AmdTimers {
    /// Nothing said for so long: no speech. Default 5000.
    #[schemars(rename = "noSpeechTimeoutMs", with = "Option<Millis>")]
    pub no_speech: Duration,
    /// No decision for so long: undecided. Default 15000.
    #[schemars(rename = "decisionTimeoutMs", with = "Option<Millis>")]
    pub decision: Duration,
    /// How long to listen for a beep. Default 20000.
    #[schemars(rename = "toneTimeoutMs", with = "Option<Millis>")]
    pub tone: Duration,
    /// Silence after which the machine's greeting is over. Default 2000.
    #[schemars(rename = "greetingCompletionTimeoutMs", with = "Option<Millis>")]
    pub greeting_completion: Duration,
}

/// Words of a greeting that make it a machine's.
const THRESHOLD_WORD_COUNT: u32 = 9;

impl Default for AmdTimers {
    fn default() -> AmdTimers {
        AmdTimers {
            no_speech: Duration::from_millis(5000),
            decision: Duration::from_millis(15_000),
            tone: Duration::from_millis(20_000),
            greeting_completion: Duration::from_millis(2000),
        }
    }
}

impl Object for AmdTimers {
    const WHAT: &'static str = "`timers`";

    fn read(fields: &mut Fields<'_>) -> AmdTimers {
        let default = AmdTimers::default();
        let mut millis = |name: &'static str, default| {
            fields.optional(name).map_or(default, |Millis(duration)| duration)
        };
        AmdTimers {
            no_speech: millis("noSpeechTimeoutMs", default.no_speech),
            decision: millis("decisionTimeoutMs", default.decision),
            tone: millis("toneTimeoutMs", default.tone),
            greeting_completion: millis("greetingCompletionTimeoutMs", default.greeting_completion),
        }
    }
}

impl Object for Amd {
    const WHAT: &'static str = "`amd`";

    fn read(fields: &mut Fields<'_>) -> Amd {
        let words: u32 = fields.or_default("thresholdWordCount");
        Amd {
            action_hook: fields.optional(["actionHook", "hook"]),
            disconnect_on_amd: fields.or_default("disconnectOnAMD"),
            recognizer: fields.optional("recognizer"),
            threshold_word_count: if words == 0 { THRESHOLD_WORD_COUNT } else { words },
            digit_count: fields.or_default("digitCount"),
            timers: fields.or_default("timers"),
            enable: fields.optional("enable"),
        }
    }
}
