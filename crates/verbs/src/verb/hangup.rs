//! `hangup`: BYE to the caller, or a refusal where it was never answered.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};
use crate::verb::sip_decline::failure;

/// Ends the call.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct Hangup {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// SIP status for a caller who was not answered, 400 to 699; 603 without it.
    #[schemars(range(min = 400, max = 699))]
    pub status: Option<u16>,
    /// Its reason phrase; without it that of RFC 3261.
    pub reason: Option<String>,
    /// Put into the BYE, or the refusal.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
}

impl Object for Hangup {
    const WHAT: &'static str = "`hangup`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Hangup {
        Hangup {
            id: fields.optional("id"),
            status: fields.optional("status").map(|status| failure(fields, status)),
            reason: super::one_line(fields, "reason"),
            headers: fields.or_default::<HeaderMap>("headers").0,
        }
    }
}
