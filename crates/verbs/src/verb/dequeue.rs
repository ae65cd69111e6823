//! `dequeue`: connect to whoever waits first in a queue.

use std::time::Duration;

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::hook::Hook;
use crate::values::Seconds;

/// Takes the first caller out of a queue and connects it.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Dequeue {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Name of the queue.
    pub name: String,
    /// How long to wait for somebody; 0 or none = without end.
    #[schemars(with = "Option<Seconds>")]
    pub timeout: Option<Duration>,
    /// A tone before the connection.
    #[schemars(with = "Option<bool>")]
    pub beep: bool,
    /// This caller instead of the first.
    pub call_sid: Option<String>,
    /// Asked when the connection has ended.
    pub action_hook: Option<Hook>,
}

impl Object for Dequeue {
    const WHAT: &'static str = "`dequeue`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Dequeue {
        Dequeue {
            id: fields.optional("id"),
            name: fields.required("name"),
            timeout: super::nonzero_seconds(fields, "timeout"),
            beep: fields.or_default("beep"),
            call_sid: fields.optional("callSid"),
            action_hook: fields.optional("actionHook"),
        }
    }
}
