//! `leave`: out of the queue the call waits in.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};

/// Leaves the queue; meant for a list that a waitHook returned.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct Leave {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
}

impl Object for Leave {
    const WHAT: &'static str = "`leave`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Leave {
        Leave { id: fields.optional("id") }
    }
}
