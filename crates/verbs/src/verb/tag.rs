//! `tag`: data of the application that travels with the call.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::fields::{Fields, Object};

/// Sets `customerData` of every later callback of this call.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct Tag {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Kept verbatim.
    pub data: Map<String, Value>,
}

impl Object for Tag {
    const WHAT: &'static str = "`tag`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Tag {
        Tag { id: fields.optional("id"), data: fields.required("data") }
    }
}
