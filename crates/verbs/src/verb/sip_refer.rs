//! `sip:refer`: hand the caller over to someone outside.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};
use crate::hook::Hook;

/// Sends REFER to the caller.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct SipRefer {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// A SIP URI or a number.
    pub refer_to: String,
    /// A SIP URI or a user; default the called number.
    pub referred_by: Option<String>,
    /// Display name of Referred-By.
    pub referred_by_display_name: Option<String>,
    /// Put into the REFER.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
    /// Asked when the transfer has ended.
    pub action_hook: Option<Hook>,
    /// Told how the transfer goes.
    pub event_hook: Option<Hook>,
}

impl Object for SipRefer {
    const WHAT: &'static str = "`sip:refer`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> SipRefer {
        SipRefer {
            id: fields.optional("id"),
            refer_to: refer_to(fields),
            referred_by: super::one_line(fields, "referredBy"),
            referred_by_display_name: super::one_line(fields, "referredByDisplayName"),
            headers: fields.or_default::<HeaderMap>("headers").0,
            action_hook: fields.optional("actionHook"),
            event_hook: fields.optional("eventHook"),
        }
    }
}

fn refer_to(fields: &mut Fields<'_>) -> String {
    let address: String = fields.required("referTo");
    if let Some(member) = fields.take(&"referTo")
        && member.value.is_string()
        && (address.is_empty() || address.contains(char::is_control))
    {
        fields.fault(member, "no address", "a SIP URI or a number");
    }
    address
}
