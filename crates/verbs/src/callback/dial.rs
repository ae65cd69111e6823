//! What the actionHook of a dial is told: the outcome, and the truth about every target.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::status::{DialStatus, LostBecause, TargetStatus};
use crate::verb::Target;

/// The outcome of a dial. No key of it is `event`: SDKs take a payload with one for a
/// notification and answer it by themselves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DialResult {
    /// Written twice, as `dial_call_status` and `dial_status`.
    #[serde(flatten, serialize_with = "both_names")]
    pub status: DialStatus,
    /// 200 where a callee was connected, 487 on ring timeout, else the final status of the callee
    /// that stands for the dial.
    pub dial_sip_status: u16,
    /// The callee connected, or the one that stands for the dial; none where no INVITE was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dial_call_sid: Option<String>,
    /// SIP Call-ID of that callee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dial_sbc_callid: Option<String>,
    /// Whole seconds connected.
    pub dial_call_duration: u64,
    /// Somebody answered, and nobody who did accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dial_declined: bool,
    /// `machine` where detection of one ended the dial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amd_type: Option<&'static str>,
    /// One entry for each element of `target`, in order.
    pub dial_targets: Vec<DialTarget>,
    /// `id` of the verb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb_id: Option<String>,
}

/// jambonz sends `dial_call_status`, its documentation says `dial_status`.
fn both_names<S: Serializer>(status: &DialStatus, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry("dial_call_status", status)?;
    map.serialize_entry("dial_status", status)?;
    map.end()
}

/// What became of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DialTarget {
    /// Place in `target`, from 0.
    pub index: usize,
    /// `phone`, `user`, `sip` or `teams`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Number, name or URI as the application wrote it.
    pub address: String,
    /// Carrier it asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trunk: Option<String>,
    /// The attempt that stands for the target; none where it was never called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_sid: Option<String>,
    /// How it ended.
    pub call_status: TargetStatus,
    /// Final status of its INVITE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// Its reason phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_reason: Option<String>,
    /// Why it was not the one; none for the callee connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_because: Option<LostBecause>,
    /// Its INVITEs: one for each contact or gateway tried.
    pub attempts: Vec<Attempt>,
}

impl DialTarget {
    /// A target that nothing has happened to.
    pub fn skipped(index: usize, target: &Target, lost_because: Option<LostBecause>) -> DialTarget {
        DialTarget {
            index,
            kind: target.kind(),
            address: target.address().to_owned(),
            trunk: target.trunk().map(str::to_owned),
            call_sid: None,
            call_status: TargetStatus::Skipped,
            sip_status: None,
            sip_reason: None,
            lost_because,
            attempts: Vec::new(),
        }
    }
}

/// One INVITE of a target. Times are milliseconds from the start of the dial, absent where it
/// never came to that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// UUID of the call.
    pub call_sid: String,
    /// Request-URI.
    pub uri: String,
    /// `host:port` of the carrier's gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// INVITE sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trying_ms: Option<u64>,
    /// First 18x without media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ringing_ms: Option<u64>,
    /// First 18x with media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_media_ms: Option<u64>,
    /// 2xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_ms: Option<u64>,
    /// Nothing followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
    /// Final status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// Its reason phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_reason: Option<String>,
}

/// What a progressHook is told, besides the parent's call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DialProgress {
    /// The entry of the target that changed, as it stands now.
    pub dial_target: DialTarget,
    /// `id` of the verb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb_id: Option<String>,
}
