//! `message`: a text message.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::hook::Hook;
use crate::values::OneOrMany;

/// A text message to a number. Read so that lists holding it are accepted.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Message {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Receiver.
    pub to: String,
    /// Sender.
    pub from: String,
    /// Text.
    pub text: Option<String>,
    /// URLs of attachments.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub media: Vec<String>,
    /// Name of the carrier.
    pub carrier: Option<String>,
    /// Told of the outcome.
    pub action_hook: Option<Hook>,
}

impl Object for Message {
    const WHAT: &'static str = "`message`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Message {
        Message {
            id: fields.optional("id"),
            to: super::required_number(fields, "to"),
            from: super::required_number(fields, "from"),
            text: fields.optional("text"),
            media: fields.or_default::<OneOrMany<String>>("media").0,
            carrier: fields.optional("carrier"),
            action_hook: fields.optional("actionHook"),
        }
    }
}
