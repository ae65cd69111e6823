//! Status events: one for each change of a call.

use serde::Serialize;

use crate::values::words;

words! {
    /// `call_termination_by`.
    pub enum TerminatedBy {
        /// The other end of the call hung up.
        Caller => "caller",
        /// We did; the word is that of jambonz, so that its applications understand it.
        Us => "jambonz",
    }
}

/// What a status event says beyond the call. Most say nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StatusEvent {
    /// Whole seconds from the answer to the end; only with `completed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
    /// Who ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_termination_by: Option<TerminatedBy>,
    /// Headers of the BYE that say something, see [`StatusEvent::kept_header`].
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "super::header_map")]
    pub headers: Vec<(String, String)>,
}

/// Headers of a BYE that only concern its transport.
const DROPPED: &[&str] = &[
    "via",
    "v",
    "from",
    "f",
    "to",
    "t",
    "call-id",
    "i",
    "cseq",
    "max-forwards",
    "contact",
    "m",
    "route",
    "record-route",
    "content-length",
    "l",
];

impl StatusEvent {
    /// A header of a BYE that an application is told of.
    pub fn kept_header(name: &str) -> bool {
        !DROPPED.iter().any(|dropped| dropped.eq_ignore_ascii_case(name))
    }
}
