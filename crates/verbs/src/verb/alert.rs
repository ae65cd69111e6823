//! `alert`: 180 Ringing with Alert-Info.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};

/// Lets the caller's phone ring in a way of its own.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct Alert {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Value of Alert-Info.
    pub message: String,
}

impl Object for Alert {
    const WHAT: &'static str = "`alert`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Alert {
        Alert { id: fields.optional("id"), message: fields.required("message") }
    }
}
