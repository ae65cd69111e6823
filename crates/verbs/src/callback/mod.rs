//! What an application is told: the payloads of hooks and status events.
//!
//! Every payload is the call's [`CallInfo`] followed by the fields of its kind:
//! `call.payload(&fields)`. Keys are in snake case but for the subtrees that are kept verbatim
//! (`customerData`, `sip`, `env_vars`), and always in the same order. Who sends them, where and
//! when, is not decided here.

mod amd;
mod call_info;
mod dial;
mod initial;
mod live;
mod query;
mod status_event;

pub use amd::{AmdEvent, AmdKind};
pub use call_info::{CallInfo, Direction};
pub use dial::{Attempt, DialProgress, DialResult, DialTarget};
pub use initial::{BodyPart, Defaults, Initial, SipBlock, Speech};
pub use live::{
    DtmfPressed, GatherReason, GatherResult, HoldChanged, PlayReason, PlayResult, ReferReceived,
    RequestOutcome, SipRequestReceived, SipRequestResult,
};
pub use query::to_query;
pub use status_event::{StatusEvent, TerminatedBy};

use serde::Serializer;
use serde::ser::SerializeMap;

/// Header names and values as a JSON object: names in lower case, values of the same name joined
/// by a comma (RFC 3261 §7.3.1).
fn header_map<S: Serializer>(
    headers: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        match joined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                values.push_str(", ");
                values.push_str(value);
            }
            None => joined.push((name, value.clone())),
        }
    }
    let mut map = serializer.serialize_map(Some(joined.len()))?;
    for (name, value) in &joined {
        map.serialize_entry(name, value)?;
    }
    map.end()
}
