//! `dtmf`: keys pressed by the switch.

use std::time::Duration;

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::values::{Keys, Millis};

/// Length of a key without `duration`.
const DURATION: Duration = Duration::from_millis(250);

/// Sends keys to the party the list runs on.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
pub struct Dtmf {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// `0-9A-D*#`, with `w` for half a second and `W` for a second of pause.
    #[schemars(with = "Keys")]
    pub dtmf: String,
    /// Length of each key; in milliseconds, default 250.
    #[schemars(with = "Option<Millis>")]
    pub duration: Duration,
}

impl Object for Dtmf {
    const WHAT: &'static str = "`dtmf`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Dtmf {
        Dtmf {
            id: fields.optional("id"),
            dtmf: fields.required::<Keys>("dtmf").0,
            duration: fields.optional("duration").map_or(DURATION, |Millis(length)| length),
        }
    }
}
