//! `enqueue`: wait in a queue.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::hook::Hook;

/// Puts the caller into a queue.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Enqueue {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Name of the queue, made on first use.
    pub name: String,
    /// Lower comes out first.
    pub priority: Option<f64>,
    /// Asked for what the caller hears while it waits.
    pub wait_hook: Option<Hook>,
    /// Asked when the caller has left the queue.
    pub action_hook: Option<Hook>,
}

impl Object for Enqueue {
    const WHAT: &'static str = "`enqueue`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Enqueue {
        Enqueue {
            id: fields.optional("id"),
            name: fields.required("name"),
            priority: fields.optional("priority"),
            wait_hook: fields.optional("waitHook"),
            action_hook: fields.optional("actionHook"),
        }
    }
}
