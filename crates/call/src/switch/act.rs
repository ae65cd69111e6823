//! The SIP actions of a call, carried out on the endpoint.

use std::time::Instant;

use sip::{Event, InDialog, InviteId, Method, RejectCause, SentId};

use super::{CallKey, Live, Switch};
use crate::call::Context;
use crate::command::{CommandId, Reply};
use crate::effect::SipAction;
use crate::input::Input;
use crate::leg::LegId;

impl Switch {
    pub(super) fn act(&mut self, now: Instant, key: CallKey, live: &mut Live, action: SipAction) {
        let id = |leg: LegId| live.invites.get(&leg).copied();
        match action {
            SipAction::Respond(response) => {
                if let Some(id) = id(LegId::CALLER) {
                    if response.status >= 300 {
                        self.carriers.ended(id);
                    }
                    self.endpoint.respond(now, id, response);
                    live.call.caller.answer_waits = self.endpoint.answer_waits(id);
                }
            }
            SipAction::Invite { leg, invite, carrier } => {
                if let Some(carrier) = &carrier
                    && let Err(why) = self.carriers.admit(now, carrier)
                {
                    return self.tell(now, live, Input::CarrierFull(leg, why));
                }
                let id = self.endpoint.invite(now, *invite);
                // why: what the endpoint still says of the leg's last INVITE is nobody's business.
                if let Some(last) = live.invites.insert(leg, id) {
                    self.legs.remove(&last);
                }
                self.legs.insert(id, (key, leg));
                if let Some(carrier) = carrier {
                    self.carriers.took(id, &carrier);
                }
                let call_id = self.endpoint.call_id(id).unwrap_or_default();
                live.call.callee_called(leg, call_id);
            }
            SipAction::InviteAgain(leg, proofs) => {
                if let Some(id) = id(leg) {
                    let headers: Vec<(String, String)> =
                        proofs.into_iter().map(Into::into).collect();
                    self.endpoint.invite_again(now, id, &headers);
                }
            }
            SipAction::Cancel(leg, reason) => {
                if let Some(id) = id(leg) {
                    self.endpoint.cancel(now, id, reason);
                }
            }
            SipAction::Bye(leg, headers) => {
                if let Some(id) = id(leg) {
                    self.bye(now, live, (leg, id), headers);
                }
            }
            SipAction::RespondReinvite(leg, response) => {
                if let Some(id) = id(leg) {
                    self.endpoint.respond_reinvite(now, id, response);
                }
            }
            SipAction::Reinvite(leg, body) => {
                let id = id(leg);
                self.reinvite(now, live, (leg, id), &body);
            }
            SipAction::Reply(request, response) => self.endpoint.reply(now, request, response),
            SipAction::Request(leg, request, command) => {
                let id = id(leg);
                match self.send_inside(now, live, (leg, id), *request) {
                    Some(sent) => drop(self.sent.insert(sent, command)),
                    None => self.not_sent(command),
                }
            }
            SipAction::Notify(leg, notify) => {
                let id = id(leg);
                self.send_inside(now, live, (leg, id), *notify);
            }
        }
    }

    fn bye(
        &mut self,
        now: Instant,
        live: &mut Live,
        (leg, id): (LegId, InviteId),
        mut headers: Vec<(String, String)>,
    ) {
        self.carriers.ended(id);
        let uri = self.endpoint.request_uri(id);
        let proofs = uri.map(|uri| live.call.proofs_for(leg, &Method::Bye, &uri));
        headers.extend(proofs.into_iter().flatten().map(Into::into));
        self.endpoint.bye(now, id, &headers);
    }

    /// Sends a re-INVITE; where that cannot be, the call hears of it as of a refusal.
    fn reinvite(
        &mut self,
        now: Instant,
        live: &mut Live,
        (leg, id): (LegId, Option<InviteId>),
        body: &[u8],
    ) {
        let Some(id) = id else { return };
        let uri = self.endpoint.request_uri(id);
        let proofs = uri.map(|uri| live.call.proofs_for(leg, &Method::Invite, &uri));
        let headers: Vec<(String, String)> = proofs.into_iter().flatten().map(Into::into).collect();
        if self.endpoint.reinvite(now, id, body, "application/sdp", &headers) {
            return;
        }
        let reason = sip::default_reason(500).to_owned();
        let (status, cause) = (500, RejectCause::Transport);
        let refused = Event::NotModified { id, status, reason, cause, response: None };
        self.tell(now, live, Input::Sip(leg, refused));
    }

    /// What a call wants cannot be done: it hears so within its step.
    fn tell(&self, now: Instant, live: &mut Live, input: Input) {
        let cx =
            Context { now, registrar: &self.registrar, resting: &self.resting, ports: &self.ports };
        live.call.handle(cx, input);
        live.call.settle(cx);
    }

    /// Sends a request inside the dialog of a leg, if there is one.
    fn send_inside(
        &mut self,
        now: Instant,
        live: &mut Live,
        (leg, id): (LegId, Option<InviteId>),
        mut request: InDialog,
    ) -> Option<SentId> {
        let id = id?;
        let uri = self.endpoint.request_uri(id);
        let proofs = uri.map(|uri| live.call.proofs_for(leg, &request.method, &uri));
        request.headers.extend(proofs.into_iter().flatten().map(Into::into));
        self.endpoint.request(now, id, request)
    }

    /// A request that a program asked for has no dialog to go into.
    fn not_sent(&mut self, command: CommandId) {
        self.reply(command, Reply::refused(422, "sip_request: the leg is not up"));
    }

    /// A request of ours inside a dialog was answered: one that a program asked for, or a NOTIFY.
    pub(super) fn responded(
        &mut self,
        now: Instant,
        (id, sent): (InviteId, SentId),
        status: u16,
        reason: String,
    ) {
        if let Some(command) = self.sent.remove(&sent) {
            return self.reply(command, Reply::Responded { status, reason });
        }
        // RFC 6665 §4.2.2: the subscription is over. Who says 500 to a NOTIFY that was overtaken
        // by another still has it.
        if let Some((key, leg)) = self.leg_of(id).filter(|_| matches!(status, 408 | 481)) {
            self.step(now, key, |call, cx| call.unsubscribed(cx, leg));
        }
    }
}
