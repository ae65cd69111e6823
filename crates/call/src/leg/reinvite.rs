//! A peer changes its session: re-INVITE or UPDATE on either leg, answered here and not passed on.

use media::sdp::{self, Description};
use sip::{Message, RequestId, Respond};

use crate::call::{Call, Context};
use crate::effect::SipAction;
use crate::leg::LegId;
use crate::leg::callee::State;
use crate::leg::caller_leg::CODECS;
use crate::leg::target;

impl Call {
    /// Answers a re-INVITE with our description as it now stands.
    pub(crate) fn reinvite(&mut self, cx: Context<'_>, id: LegId, request: &Message) {
        let response = if request.body().is_empty() {
            // RFC 3261 §14.2: no offer in it, so ours goes out in the 200.
            self.offer(id)
        } else {
            self.answer_offer(cx, id, request)
        };
        self.sip(SipAction::RespondReinvite(id, response));
        self.note_hold(cx, id, Some(request));
    }

    /// Answers an UPDATE: RFC 3311 §5.2; without an offer it changes nothing of the session.
    pub(crate) fn updated(
        &mut self,
        cx: Context<'_>,
        id: LegId,
        request_id: RequestId,
        request: &Message,
    ) {
        let response = if !self.is_there(id) {
            // why: its BYE is under way, its port closed; what it offers is for nobody.
            Respond::status(481)
        } else if request.body().is_empty() {
            Respond::status(200)
        } else {
            self.answer_offer(cx, id, request)
        };
        self.sip(SipAction::Reply(request_id, response));
        self.note_hold(cx, id, Some(request));
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
        self.note_hold(cx, id, None);
    }

    /// A party that we have not given up.
    pub(crate) fn is_there(&self, id: LegId) -> bool {
        if id == self.caller.id {
            return self.caller.state.alive();
        }
        let given_up = [State::Cancelling, State::Abandoned, State::Ended];
        self.legs.get(&id).is_some_and(|leg| !given_up.contains(&leg.state))
    }

    fn next_local(&mut self, id: LegId) -> Option<sdp::Local> {
        if id == self.caller.id {
            return self.caller.local.next();
        }
        self.legs.get_mut(&id).and_then(|leg| leg.local.next())
    }

    fn offer(&mut self, id: LegId) -> Respond {
        self.next_local(id)
            .map_or(Respond::status(488), |local| described(sdp::offer(&local, &CODECS)))
    }

    fn answer_offer(&mut self, cx: Context<'_>, id: LegId, request: &Message) -> Respond {
        let Some(local) = self.next_local(id) else { return Respond::status(488) };
        let answered = Description::parse(request.body())
            .map_err(|fault| fault.to_string())
            .and_then(|offer| sdp::answer(&offer, &local).map_err(|fault| fault.to_string()));
        let allowed = answered.and_then(|(description, negotiated)| {
            Ok((description, self.allowed(cx, id, negotiated)?))
        });
        match allowed {
            Ok((description, negotiated)) => {
                self.renegotiated(id, negotiated);
                described(description)
            }
            Err(why) => {
                let headers = vec![("X-Reason".to_owned(), why)];
                Respond { headers, ..Respond::status(488) }
            }
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

    fn renegotiated(&mut self, id: LegId, negotiated: sdp::Negotiated) {
        let holds = !negotiated.direction.sends();
        if id == self.caller.id {
            self.caller.negotiated = Some(negotiated);
            self.caller.holds = holds;
            self.set_caller_remote();
        } else if let Some(leg) = self.legs.get_mut(&id) {
            leg.negotiated = Some(negotiated);
            leg.holds = holds;
            self.set_callee_remote(id);
        }
    }
}

fn described(body: Vec<u8>) -> Respond {
    let content_type = Some("application/sdp".to_owned());
    Respond { content_type, body, ..Respond::status(200) }
}
