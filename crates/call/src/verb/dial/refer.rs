//! Transfer (RFC 3515): a party asks that the other one be connected elsewhere. The referHook
//! decides, and may say what the other party runs; without one, the switch refuses, or transfers by
//! itself where the operator allows it.
//!
//! Where a party may send another is `elsewhere.rs`; what becomes of it, and how that is told, is
//! `transfer.rs`.

use serde_json::json;
use sip::headers::Replaces;
use sip::{Message, NameAddr, RequestId, Respond, Uri};
use verbs::callback::ReferReceived;

use crate::call::{Call, Context};
use crate::effect::SipAction;
use crate::hook::{Why, empty_list};
use crate::input::HookFailure;
use crate::leg::LegId;
use crate::settings::ReferPolicy;
use crate::verb::dial::elsewhere::user_of;

/// A REFER that waits for the answer of its hook.
#[derive(Clone, Debug)]
pub(crate) struct Referral {
    pub(super) request: RequestId,
    /// The party wants to hear how it goes (RFC 4488: `Refer-Sub: false` says it does not).
    pub(super) is_subscribed: bool,
    /// `call_sid` of the other party when it came: an answer is about nobody else.
    pub(super) about: Option<String>,
    /// RFC 3515 §2.4.6: names this REFER where a dialog has several.
    pub(super) cseq: String,
}

impl Call {
    /// A party sent REFER.
    pub(crate) fn referred(
        &mut self,
        cx: Context<'_>,
        leg: LegId,
        id: RequestId,
        request: &Message,
    ) {
        if !self.is_there(leg) {
            // why: its BYE is under way, or waits for the ACK of our 200 (RFC 3261 §15).
            return self.sip(SipAction::Reply(id, Respond::status(481)));
        }
        let text = request.header_text("Refer-To").map(|text| text.into_owned());
        let several = request.header_values("Refer-To").count() != 1;
        let target = text.as_deref().and_then(|text| NameAddr::parse(text).ok());
        let (Some(text), Some(target), false) = (text, target, several) else {
            // RFC 3515 §2.4.2: exactly one Refer-To.
            return self.sip(SipAction::Reply(id, Respond::status(400)));
        };
        if self.refers.contains_key(&leg) || self.transfers.contains_key(&leg) {
            return self.sip(SipAction::Reply(id, Respond::status(491)));
        }
        if self.caller.origin.hops_left() == 0 {
            return self.sip(SipAction::Reply(id, Respond::status(483)));
        }
        let referral = Referral {
            request: id,
            is_subscribed: !request
                .header_text("Refer-Sub")
                .is_some_and(|text| text.trim().eq_ignore_ascii_case("false")),
            about: self.bridged_with(leg).map(|other| self.sid_of(other)),
            cseq: request.header_text("CSeq").map(|text| number(&text)).unwrap_or_default(),
        };
        let of_dial = self
            .bridged_with(leg)
            .and(self.dial.as_ref())
            .and_then(|dial| dial.verb.refer_hook.clone());
        if let Some(hook) = of_dial.or_else(|| self.session.refer_hook.clone()) {
            let details = self.refer_details(leg, request, text, &target.uri);
            let payload = self.info_of(leg).payload(&details);
            self.refers.insert(leg, referral);
            self.ask_aside(hook, payload, Why::Refer(leg));
            return;
        }
        match self.settings.refer {
            ReferPolicy::Refuse => self.sip(SipAction::Reply(id, Respond::status(501))),
            ReferPolicy::Transfer => self.transfer(cx, leg, &referral, &target.uri),
        }
    }

    fn refer_details(
        &self,
        leg: LegId,
        request: &Message,
        refer_to: String,
        uri: &Uri,
    ) -> ReferReceived {
        let header = |name: &str| request.header_text(name).map(|text| text.into_owned());
        let by = header("Referred-By");
        let by_uri = by.as_deref().and_then(|text| NameAddr::parse(text).ok());
        let custom = sip::redacted::headers(request);
        ReferReceived {
            sip_refer_to: refer_to,
            refer_to_user: user_of(uri),
            sip_referred_by: by,
            referred_by_user: by_uri.map(|by| user_of(&by.uri)),
            sip_user_agent: header("User-Agent"),
            referring_call_sid: self.sid_of(leg),
            referred_call_sid: self.bridged_with(leg).map(|other| self.sid_of(other)),
            custom_headers: custom
                .into_iter()
                .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-"))
                .collect(),
        }
    }

    pub(crate) fn sid_of(&self, party: LegId) -> String {
        match self.legs.get(&party).filter(|_| party != self.caller.id) {
            Some(leg) => leg.call_sid.clone(),
            None => self.call_sid.clone(),
        }
    }

    /// The referHook answered.
    pub(crate) fn refer_reply(
        &mut self,
        cx: Context<'_>,
        leg: LegId,
        reply: Result<Option<String>, HookFailure>,
    ) {
        let Some(referral) = self.refers.remove(&leg) else { return };
        if !self.is_there(leg) {
            return self.refuse_refer(&referral, 481);
        }
        let text = match reply {
            Ok(text) => text,
            Err(failure) => {
                let status = failure.status.filter(|status| (400..700).contains(status));
                let refusal = Respond::status(status.unwrap_or(501));
                return self.sip(SipAction::Reply(referral.request, refusal));
            }
        };
        self.accept_refer(leg, &referral);
        let list = text.filter(|text| text.trim_start().starts_with('[') && !empty_list(text));
        // why: a list with faults raised its alert, and counts as none.
        let verbs = list.as_ref().and_then(|text| self.parse(text).ok());
        match list.zip(verbs) {
            Some((list, verbs)) => self.begin_transfer(cx, leg, referral, list, &verbs),
            None => self.notify_end(leg, &referral, "200 OK"),
        }
    }

    /// A leg goes on in another call, where nobody waits for the answer of its hook.
    pub(crate) fn refuse_open_refer(&mut self, leg: LegId) {
        if let Some(referral) = self.refers.remove(&leg) {
            self.refuse_refer(&referral, 491);
        }
    }

    /// The REFER of a leg is refused.
    pub(crate) fn refuse_refer(&mut self, referral: &Referral, status: u16) {
        self.sip(SipAction::Reply(referral.request, Respond::status(status)));
    }

    /// Nobody is asked: the other party is connected to where the REFER points, by the same rules
    /// as if whoever sent it had dialled that.
    fn transfer(&mut self, cx: Context<'_>, leg: LegId, referral: &Referral, uri: &Uri) {
        let refused = |call: &mut Call, status| call.refuse_refer(referral, status);
        if self.bridged_with(leg).is_none() {
            return refused(self, 501);
        }
        match Replaces::of_uri(uri) {
            Ok(None) => {}
            Ok(Some(replaces)) => return self.ask_to_join(leg, referral.clone(), replaces),
            Err(_) => return refused(self, 400),
        }
        let Some(elsewhere) = self.elsewhere(leg, uri) else { return refused(self, 403) };
        self.accept_refer(leg, referral);
        let list = json!([{ "verb": "dial", "target": [elsewhere.target()] }]).to_string();
        if let Ok(verbs) = self.parse(&list) {
            self.begin_transfer(cx, leg, referral.clone(), list, &verbs);
        }
    }
}

/// Number of a CSeq.
fn number(text: &str) -> String {
    text.trim().chars().take_while(char::is_ascii_digit).collect()
}
