//! What the application is told about a call: the base fields, the first payload, status events.

use serde_json::Value;
use sip::{Flow, Message, redacted};
use verbs::callback::{BodyPart, CallInfo, DialResult, Direction, Initial, SipBlock, StatusEvent};
use verbs::status::CallStatus;

use crate::call::{Call, Output};
use crate::effect::{Effect, HookRequest};
use crate::leg::LegId;
use crate::leg::callee_leg::Leg;
use crate::leg::caller_leg::Caller;
use crate::verb::dial::result::seconds;

/// Headers of a BYE that the application is told of.
pub(crate) fn extra_headers(request: &Message) -> Vec<(String, String)> {
    let mut headers = redacted::headers(request);
    headers.retain(|(name, _)| StatusEvent::kept_header(name));
    headers
}

impl Call {
    /// The caller's user.
    pub(crate) fn calling_user(&self) -> String {
        self.caller.origin.calling_user().to_owned()
    }

    /// UUID of the application, where an operator named one.
    pub(crate) fn application_sid(&self) -> Option<String> {
        let application = self.application.as_ref();
        application.map(|application| application.sid.clone()).filter(|sid| !sid.is_empty())
    }

    /// The parent call as callbacks describe it.
    fn parent_info(&self) -> CallInfo {
        let Caller { origin, flow, carrier, .. } = &self.caller;
        let call_id = origin.sip_call_id().to_owned();
        let arrived = origin.direction() == Direction::Inbound;
        let from = origin.calling_user().to_owned();
        CallInfo {
            call_sid: self.call_sid.clone(),
            direction: origin.direction(),
            caller_id: if arrived { String::new() } else { from.clone() },
            from,
            to: origin.called_user().to_owned(),
            call_id: call_id.clone(),
            sbc_callid: Some(call_id),
            sip_status: self.caller.sip_status,
            sip_reason: self.caller.sip_reason.clone(),
            call_status: self.caller.status,
            account_sid: self.settings.account_sid.clone(),
            trace_id: self.trace_id.clone(),
            application_sid: self.application_sid(),
            fs_sip_address: local_address(*flow),
            fs_public_ip: None,
            api_base_url: None,
            parent_call_sid: origin.placed().and_then(|placed| placed.parent_call_sid.clone()),
            originating_sip_ip: flow.filter(|_| arrived).map(|flow| flow.remote.ip().to_string()),
            originating_sip_trunk_name: carrier
                .as_ref()
                .filter(|_| arrived)
                .map(|carrier| carrier.name.clone()),
            customer_data: self.customer_data.clone(),
        }
    }

    /// A child call as callbacks describe it.
    fn child_info(&self, leg: &Leg) -> CallInfo {
        let call_id = leg.sip_call_id.clone().unwrap_or_default();
        let parent = self.parent_info();
        let arrived = leg.direction == Direction::Inbound;
        let (ip, trunk) = match arrived {
            true => (leg.flow.map(|flow| flow.remote.ip().to_string()), leg.carrier_name()),
            false => (parent.originating_sip_ip, parent.originating_sip_trunk_name),
        };
        CallInfo {
            call_sid: leg.call_sid.clone(),
            direction: leg.direction,
            from: leg.from.clone(),
            to: leg.to.clone(),
            call_id: call_id.clone(),
            sbc_callid: Some(call_id),
            sip_status: leg.sip_status,
            sip_reason: leg.sip_reason.clone(),
            call_status: leg.status,
            caller_id: if arrived { String::new() } else { leg.from.clone() },
            fs_sip_address: local_address(leg.flow.or(self.caller.flow)),
            parent_call_sid: Some(self.call_sid.clone()),
            originating_sip_ip: ip,
            originating_sip_trunk_name: trunk,
            customer_data: leg.customer_data.clone(),
            ..parent
        }
    }

    /// Payload of a hook that says nothing beyond the call.
    pub(crate) fn base_payload(&self) -> Value {
        self.parent_info().to_json()
    }

    /// What a party is to callbacks: the caller, or a callee.
    pub(crate) fn info_of(&self, party: LegId) -> CallInfo {
        match self.legs.get(&party).filter(|_| party != self.caller.id) {
            Some(leg) => self.child_info(leg),
            None => self.parent_info(),
        }
    }

    /// Payload of an actionHook.
    pub(crate) fn dial_payload(&self, result: &DialResult) -> Value {
        self.parent_info().payload(result)
    }

    /// Payload of the `call_hook`: who calls; and of a call that came in, the INVITE itself.
    pub(crate) fn first_payload(&self) -> Value {
        let origin = &self.caller.origin;
        let placed = origin.placed();
        let initial = Initial {
            caller_name: origin.caller_name().map(str::to_owned),
            service_provider_sid: self.settings.service_provider_sid.clone(),
            sip: origin.request().zip(self.caller.flow).map(|(request, flow)| {
                let (called, calling) = (origin.called_user(), origin.calling_user());
                sip_block(request, flow, called.to_owned(), calling.to_owned())
            }),
            defaults: placed.map(|placed| placed.defaults.clone()).unwrap_or_default(),
            env_vars: placed.and_then(|placed| placed.env_vars.clone()),
        };
        self.parent_info().payload(&initial)
    }

    /// Tells the application how the caller stands.
    pub(crate) fn caller_event(&mut self) {
        let caller = &self.caller;
        // why: a call whose INVITE never left was never told of, and has no end to tell.
        if !caller.told {
            return;
        }
        let lasted = caller.answered_at.zip(caller.ended_at);
        let duration = lasted.map(|(answered, ended)| seconds(ended.duration_since(answered)));
        let event = StatusEvent {
            duration: duration.filter(|_| caller.status == CallStatus::Completed),
            call_termination_by: caller.terminated_by.filter(|_| caller.status.is_final()),
            headers: caller.bye_headers.clone(),
        };
        let payload = self.parent_info().payload(&event);
        self.tell(&payload);
        self.record_caller(payload);
    }

    /// Tells the application that the caller was answered, unless our 200 has to wait: then it is
    /// told when that is sent, or never.
    pub(crate) fn tell_once_answered(&mut self) {
        let told = self.set_apart(Call::caller_event);
        self.output(Output::OnceAnswered(told));
    }

    /// Tells the application how a callee stands, once for each change.
    pub(crate) fn callee_event(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.places {
            return self.placing_event(id);
        }
        let event = Some((leg.status, leg.sip_status));
        // why: a leg whose INVITE never left was never told of, and has no end to tell.
        let unheard_of = leg.last_event.is_none() && leg.status != CallStatus::Trying;
        if leg.last_event == event || unheard_of {
            return;
        }
        leg.last_event = event;
        let Some(leg) = self.legs.get(&id) else { return };
        let lasted = leg.answered_at.zip(leg.ended_at);
        let duration = lasted.map(|(answered, ended)| seconds(ended.duration_since(answered)));
        let event = StatusEvent {
            duration: duration.filter(|_| leg.status == CallStatus::Completed),
            call_termination_by: None,
            headers: leg.peer_bye_headers.clone(),
        };
        let payload = self.child_info(leg).payload(&event);
        let record = self.callee_record(leg, payload);
        self.tell(&record.event);
        self.effect(Effect::Record(Box::new(record)));
    }

    fn tell(&mut self, payload: &Value) {
        let Some(hook) = self.status_hook.clone() else { return };
        let (base, payload) = (self.status_base.clone(), payload.clone());
        self.effect(Effect::Status(HookRequest { hook, base, trusted: true, payload }));
    }
}

/// Our address on this flow; nothing before there is one.
pub(crate) fn local_address(flow: Option<Flow>) -> String {
    flow.map(|flow| flow.local.to_string()).unwrap_or_default()
}

/// An INVITE that came in, as the first payload shows it.
fn sip_block(
    request: &Message,
    flow: Flow,
    called_number: String,
    calling_number: String,
) -> SipBlock {
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let content_type = request.header_text("Content-Type").unwrap_or_default().into_owned();
    let payload = if body.is_empty() {
        Vec::new()
    } else {
        vec![BodyPart { content_type, content: body.clone() }]
    };
    SipBlock {
        method: "INVITE".to_owned(),
        uri: redacted::text(&request.request_uri().unwrap_or_default()),
        version: "2.0".to_owned(),
        // why: a proof of who a user is can be tried against its password at leisure.
        headers: redacted::headers(request),
        body,
        payload,
        raw: redacted::message(request),
        called_number,
        calling_number,
        kind: "request",
        source: "network",
        source_address: flow.remote.ip().to_string(),
        source_port: flow.remote.port().to_string(),
        protocol: flow.transport.as_str().to_ascii_lowercase(),
    }
}
