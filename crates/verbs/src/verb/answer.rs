//! `answer`: 200 OK to the caller.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};

/// Answers the call; nothing happens where it is answered already.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct Answer {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
}

impl Object for Answer {
    const WHAT: &'static str = "`answer`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Answer {
        Answer { id: fields.optional("id") }
    }
}
