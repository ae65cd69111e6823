//! `redirect`: go on with the list another hook returns.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::hook::Hook;

/// Replaces the running list by the answer of `actionHook`.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Redirect {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Asked for the new list.
    pub action_hook: Hook,
    /// Told of the call's status from here on.
    pub status_hook: Option<Hook>,
}

impl Object for Redirect {
    const WHAT: &'static str = "`redirect`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Redirect {
        Redirect {
            id: fields.optional("id"),
            action_hook: super::required_hook(fields, "actionHook"),
            status_hook: fields.optional("statusHook"),
        }
    }
}
