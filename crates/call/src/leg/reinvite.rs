//! A peer changes its session: re-INVITE on either leg, answered here and not passed on.

use media::sdp::{self, Description};
use sip::{Message, Method, RequestId, Respond};

use crate::call::{Call, Context};
use crate::effect::SipAction;
use crate::leg::LegId;
use crate::leg::caller_leg::CODECS;
use crate::leg::target;

impl Call {
    /// Answers a re-INVITE with our description as it now stands.
    pub(crate) fn reinvite(&mut self, cx: Context<'_>, id: LegId, request: &Message) {
        let local = if id == self.caller.id {
            self.caller.local.next()
        } else {
            self.legs.get_mut(&id).and_then(|leg| leg.local.next())
        };
        let Some(local) = local else {
            return self.sip(SipAction::RespondReinvite(id, Respond::status(488)));
        };
        if request.body().is_empty() {
            // RFC 3261 §14.2: no offer in it, so ours goes out in the 200.
            return self.accept_reinvite(id, sdp::offer(&local, &CODECS));
        }
        let answered = Description::parse(request.body())
            .map_err(|fault| fault.to_string())
            .and_then(|offer| sdp::answer(&offer, &local).map_err(|fault| fault.to_string()));
        let allowed = answered.and_then(|(description, negotiated)| {
            Ok((description, self.allowed(cx, id, negotiated)?))
        });
        match allowed {
            Ok((description, negotiated)) => {
                self.renegotiated(id, negotiated);
                self.accept_reinvite(id, description);
            }
            Err(why) => {
                let headers = vec![("X-Reason".to_owned(), why)];
                let refusal = Respond { headers, ..Respond::status(488) };
                self.sip(SipAction::RespondReinvite(id, refusal));
            }
        }
    }

    /// The ACK of a re-INVITE without an offer holds the answer to ours.
    pub(crate) fn reinvite_acked(&mut self, cx: Context<'_>, id: LegId, request: &Message) {
        if request.body().is_empty() {
            return;
        }
        let answer = Description::parse(request.body()).ok();
        let negotiated = answer.and_then(|answer| sdp::accept(&answer, &CODECS).ok());
        if let Some(negotiated) = negotiated.and_then(|agreed| self.allowed(cx, id, agreed).ok()) {
            self.renegotiated(id, negotiated);
        }
    }

    /// [`target::allowed`] for a leg.
    fn allowed(
        &self,
        cx: Context<'_>,
        id: LegId,
        negotiated: sdp::Negotiated,
    ) -> Result<sdp::Negotiated, String> {
        let of_callee = || self.legs.get(&id).and_then(|leg| leg.flow);
        let flow = if id == self.caller.id { self.caller.flow } else { of_callee() };
        target::allowed(negotiated, flow, &self.settings.own_addresses, cx.ports)
    }

    /// Another request inside a dialog: INFO is taken, and nothing follows from it; anything else
    /// is not implemented, a transfer by REFER among it.
    pub(crate) fn reply_inside(&mut self, id: RequestId, request: &Message) {
        let status = match request.method() {
            Some(Method::Info) => 200,
            Some(Method::Refer) => 501,
            _ => 405,
        };
        self.sip(SipAction::Reply(id, Respond::status(status)));
    }

    fn renegotiated(&mut self, id: LegId, negotiated: sdp::Negotiated) {
        if id == self.caller.id {
            self.caller.negotiated = Some(negotiated);
            self.set_caller_remote();
        } else if let Some(leg) = self.legs.get_mut(&id) {
            leg.negotiated = Some(negotiated);
            self.set_callee_remote(id);
        }
    }

    fn accept_reinvite(&mut self, id: LegId, body: Vec<u8>) {
        let content_type = Some("application/sdp".to_owned());
        let response = Respond { content_type, body, ..Respond::status(200) };
        self.sip(SipAction::RespondReinvite(id, response));
    }
}
