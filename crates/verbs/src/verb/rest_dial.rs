//! `rest:dial`: the call that a REST request asks for, before its list of verbs.

use std::time::Duration;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::{Amd, Target};
use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};
use crate::hook::Hook;
use crate::values::Seconds;

/// Ring time without `timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// An outbound call that runs an application once it is answered.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
pub struct RestDial {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Caller's number.
    pub from: String,
    /// Whom to call.
    pub to: Target,
    /// Asked for the verbs.
    pub call_hook: Option<Hook>,
    /// Told of every change of status.
    pub call_status_hook: Option<Hook>,
    /// Display name of the caller.
    #[schemars(rename = "callerName")]
    pub caller_name: Option<String>,
    /// Host of From.
    #[schemars(rename = "fromHost")]
    pub from_host: Option<String>,
    /// Put into the INVITE.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
    /// `customerData` from the start.
    pub tag: Option<Map<String, Value>>,
    /// Ring time; default 60, as for 0.
    #[schemars(with = "Option<Seconds>")]
    pub timeout: Duration,
    /// Longest call; 0 or none = no limit.
    #[schemars(rename = "timeLimit", with = "Option<Seconds>")]
    pub time_limit: Option<Duration>,
    /// Answering machine detection.
    pub amd: Option<Amd>,
    /// Two audio streams to the media server; kept, without effect.
    #[schemars(with = "Option<bool>")]
    pub dual_streams: bool,
}

impl Object for RestDial {
    const WHAT: &'static str = "`rest:dial`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> RestDial {
        let to = fields.optional("to");
        if fields.take(&"to").is_none() {
            fields.missing(&["to"]);
        }
        RestDial {
            id: fields.optional("id"),
            from: super::required_number(fields, "from"),
            to: to.unwrap_or_else(Target::nobody),
            call_hook: fields.optional("call_hook"),
            call_status_hook: fields.optional("call_status_hook"),
            caller_name: super::one_line(fields, "callerName"),
            from_host: super::one_line(fields, "fromHost"),
            headers: fields.or_default::<HeaderMap>("headers").0,
            tag: fields.optional("tag"),
            timeout: super::nonzero_seconds(fields, "timeout").unwrap_or(TIMEOUT),
            time_limit: super::nonzero_seconds(fields, "timeLimit"),
            amd: fields.optional("amd"),
            dual_streams: fields.or_default("dual_streams"),
        }
    }
}
