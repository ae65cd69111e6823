//! `sip:decline`: a final failure to a caller that was not answered.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};

/// Refuses the INVITE.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct SipDecline {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// SIP status, 400 to 699.
    #[schemars(range(min = 400, max = 699))]
    pub status: u16,
    /// Reason phrase; without it that of RFC 3261.
    pub reason: Option<String>,
    /// Put into the response.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
}

impl Object for SipDecline {
    const WHAT: &'static str = "`sip:decline`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> SipDecline {
        let status = fields.required("status");
        let status = failure(fields, status);
        SipDecline {
            id: fields.optional("id"),
            status,
            reason: super::one_line(fields, "reason"),
            headers: fields.or_default::<HeaderMap>("headers").0,
        }
    }
}

/// The `status` that was given, if it is a final failure; else a fault.
pub(super) fn failure(fields: &mut Fields<'_>, status: f64) -> u16 {
    if let Some(member) = fields.take(&"status")
        && member.value.is_number()
        && (status.fract() != 0.0 || !(400.0..700.0).contains(&status))
    {
        fields.fault(member, "out of range", "a SIP status, 400 to 699");
    }
    status as u16
}
