//! `sip:request`: a request inside the call's dialog.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};
use crate::hook::Hook;

/// Sends INFO, NOTIFY, MESSAGE or another request to the party the list runs on.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct SipRequest {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// SIP method.
    pub method: String,
    /// Body, sent as `text/plain`.
    pub body: Option<String>,
    /// Put into the request.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
    /// Told of the response.
    pub action_hook: Option<Hook>,
}

impl Object for SipRequest {
    const WHAT: &'static str = "`sip:request`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> SipRequest {
        SipRequest {
            id: fields.optional("id"),
            method: method(fields),
            body: fields.optional("body"),
            headers: fields.or_default::<HeaderMap>("headers").0,
            action_hook: fields.optional("actionHook"),
        }
    }
}

/// Methods that make, change or end the dialog itself are the switch's own.
const OWN_METHODS: &[&str] = &["INVITE", "ACK", "CANCEL", "BYE", "PRACK", "REGISTER"];

/// The method of a request inside a dialog.
pub(crate) fn method(fields: &mut Fields<'_>) -> String {
    let method: String = fields.required("method");
    let token = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
    if let Some(member) = fields.take(&"method")
        && member.value.is_string()
        && (!token || OWN_METHODS.iter().any(|own| own.eq_ignore_ascii_case(&method)))
    {
        fields.fault(member, "out of range", "INFO, NOTIFY, MESSAGE or the like");
    }
    method
}
