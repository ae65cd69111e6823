//! `pause`: wait.

use std::time::Duration;

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::values::Seconds;

/// Waits before the next verb.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct Pause {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// How long.
    #[schemars(with = "Seconds")]
    pub length: Duration,
}

impl Object for Pause {
    const WHAT: &'static str = "`pause`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Pause {
        Pause { id: fields.optional("id"), length: fields.required::<Seconds>("length").0 }
    }
}
