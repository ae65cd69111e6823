//! The fields that every payload begins with.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::status::CallStatus;
use crate::values::words;

words! {
    /// `direction` of a call, as the switch sees it.
    pub enum Direction {
        /// Somebody called us.
        Inbound => "inbound",
        /// We called somebody.
        Outbound => "outbound",
    }
}

/// One call as callbacks describe it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallInfo {
    /// UUID of the call.
    pub call_sid: String,
    /// Who began it.
    pub direction: Direction,
    /// Caller's number or user, a leading `+` kept.
    pub from: String,
    /// Called number, user name or URI, exactly as dialled.
    pub to: String,
    /// SIP Call-ID of the call.
    pub call_id: String,
    /// SIP Call-ID of the outside; for us the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sbc_callid: Option<String>,
    /// Status of the latest response to the INVITE.
    pub sip_status: u16,
    /// Its reason phrase.
    pub sip_reason: String,
    /// How the call stands.
    pub call_status: CallStatus,
    /// Number the caller asks to be known by; may be empty.
    pub caller_id: String,
    /// UUID of the account.
    pub account_sid: String,
    /// 32 hexadecimal digits, the same for a call and the calls it makes.
    pub trace_id: String,
    /// UUID of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_sid: Option<String>,
    /// `address:port` of our SIP.
    pub fs_sip_address: String,
    /// Address others reach us at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_public_ip: Option<String>,
    /// Base URL of our REST interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_base_url: Option<String>,
    /// The call that made this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_call_sid: Option<String>,
    /// Address the INVITE came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub originating_sip_ip: Option<String>,
    /// Carrier it came in on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub originating_sip_trunk_name: Option<String>,
    /// What `tag` set, verbatim.
    #[serde(rename = "customerData", skip_serializing_if = "Option::is_none")]
    pub customer_data: Option<Value>,
}

impl CallInfo {
    /// The call alone: the payload of a confirmHook or a redirect.
    pub fn to_json(&self) -> Value {
        Value::Object(object(self))
    }

    /// The call and the fields of one kind of callback, in that order.
    pub fn payload(&self, fields: &impl Serialize) -> Value {
        let mut payload = object(self);
        payload.extend(object(fields));
        Value::Object(payload)
    }
}

/// The members of what serialises to an object.
fn object(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        // why: payload structs have string keys and no maps that fail; a scalar has no members.
        _ => Map::new(),
    }
}
