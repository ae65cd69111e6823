//! What is kept of each leg when it is over, and of each that is up in case the process dies.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use sip::Flow;
use verbs::Hook;
use verbs::callback::{Direction, TerminatedBy};
use verbs::status::CallStatus;

use crate::call::Call;
use crate::effect::Effect;
use crate::info::local_address;
use crate::leg::callee_leg::Leg;
use crate::leg::caller_leg::Caller;
use crate::route::Reaches;
use crate::settings::Carrier;

/// One leg as it stands: told with each change of its status, the last time with `ended_at`.
#[derive(Clone, Debug)]
pub struct LegRecord {
    /// UUID of the leg.
    pub call_sid: String,
    /// The caller's, for a callee.
    pub parent_call_sid: Option<String>,
    /// Who began it.
    pub direction: Direction,
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// SIP Call-ID.
    pub sip_callid: String,
    /// SIP Call-ID of the caller, for a callee.
    pub sip_parent_callid: Option<String>,
    /// UUID of the application.
    pub application_sid: Option<String>,
    /// UUID of the account.
    pub account_sid: String,
    /// UUID of the service provider.
    pub service_provider_sid: String,
    /// Name of the carrier, `user` for a device of ours, `sipUri` for any other address.
    pub trunk: String,
    /// Our SIP address.
    pub host: String,
    /// The peer's SIP address.
    pub remote_host: String,
    /// 32 hexadecimal digits, the same for a call and its callees.
    pub trace_id: String,
    /// Status of the latest response to the INVITE.
    pub sip_status: u16,
    /// When its INVITE came or went.
    pub attempted_at: Option<Instant>,
    /// When it was answered.
    pub answered_at: Option<Instant>,
    /// When it was over.
    pub ended_at: Option<Instant>,
    /// Why it is over: `caller hungup`, `called party hungup`, `caller abandoned`, `failed`.
    pub termination_reason: &'static str,
    /// Told of every change.
    pub call_status_hook: Option<Hook>,
    /// Completes a relative `call_status_hook`.
    pub base_hook: Option<Hook>,
    /// Payload of the status event of this change.
    pub event: Value,
}

impl Call {
    /// Keeps what this status event says of the caller.
    pub(crate) fn record_caller(&mut self, event: Value) {
        let Caller { origin, flow, carrier, .. } = &self.caller;
        let by_peer = self.caller.terminated_by == Some(TerminatedBy::Caller);
        // why: of a call that we placed the peer is the called party.
        let by_caller = by_peer == (origin.direction() == Direction::Inbound);
        let reaches = origin.placed().map_or(Reaches::Device, |placed| placed.reaches);
        let over = self.caller.status.is_final();
        let record = LegRecord {
            parent_call_sid: origin.placed().and_then(|placed| placed.parent_call_sid.clone()),
            direction: origin.direction(),
            from: origin.calling_user().to_owned(),
            to: origin.called_user().to_owned(),
            sip_parent_callid: None,
            trunk: trunk(carrier.as_ref(), reaches),
            host: local_address(*flow),
            remote_host: remote_address(*flow),
            sip_status: self.caller.sip_status,
            attempted_at: self.caller.attempted_at,
            answered_at: self.caller.answered_at,
            ended_at: self.caller.ended_at.filter(|_| over),
            termination_reason: reason(self.caller.status, by_caller),
            ..self.record_base(self.call_sid.clone(), origin.sip_call_id().to_owned(), event)
        };
        self.effect(Effect::Record(Box::new(record)));
    }

    /// Keeps what this status event says of a callee.
    pub(crate) fn callee_record(&self, leg: &Leg, event: Value) -> LegRecord {
        let sip_callid = leg.sip_call_id.clone().unwrap_or_default();
        let flow = leg.flow.or(self.caller.flow);
        LegRecord {
            parent_call_sid: Some(self.call_sid.clone()),
            direction: leg.direction,
            from: leg.from.clone(),
            to: leg.to.clone(),
            sip_parent_callid: Some(self.caller.origin.sip_call_id().to_owned()),
            trunk: trunk(leg.route.carrier.as_ref(), leg.route.reaches),
            host: local_address(flow),
            remote_host: remote_address(flow),
            sip_status: leg.sip_status,
            attempted_at: leg.attempted_at,
            answered_at: leg.answered_at,
            ended_at: leg.ended_at.filter(|_| leg.status.is_final()),
            termination_reason: reason(
                leg.status,
                leg.hung_up == (leg.direction == Direction::Inbound),
            ),
            ..self.record_base(leg.call_sid.clone(), sip_callid, event)
        }
    }

    fn record_base(&self, call_sid: String, sip_callid: String, event: Value) -> LegRecord {
        LegRecord {
            call_sid,
            parent_call_sid: None,
            direction: Direction::Inbound,
            from: String::new(),
            to: String::new(),
            sip_callid,
            sip_parent_callid: None,
            application_sid: self.application_sid(),
            account_sid: self.settings.account_sid.clone(),
            service_provider_sid: self.settings.service_provider_sid.clone(),
            trunk: String::new(),
            host: String::new(),
            remote_host: String::new(),
            trace_id: self.trace_id.clone(),
            sip_status: 100,
            attempted_at: None,
            answered_at: None,
            ended_at: None,
            termination_reason: "failed",
            call_status_hook: self.status_hook.clone(),
            base_hook: self.status_base.clone(),
            event,
        }
    }
}

/// Name of the carrier, or what else was reached.
fn trunk(carrier: Option<&Arc<Carrier>>, reaches: Reaches) -> String {
    match (carrier, reaches) {
        (Some(carrier), _) => carrier.name.clone(),
        (None, Reaches::Device) => "user".to_owned(),
        (None, _) => "sipUri".to_owned(),
    }
}

fn remote_address(flow: Option<Flow>) -> String {
    flow.map(|flow| flow.remote.to_string()).unwrap_or_default()
}

/// Why a leg is over, in the words of call records.
fn reason(status: CallStatus, by_caller: bool) -> &'static str {
    match status {
        CallStatus::Completed if by_caller => "caller hungup",
        CallStatus::Completed => "called party hungup",
        CallStatus::NoAnswer if by_caller => "caller abandoned",
        _ => "failed",
    }
}
