//! The SIP actions of a call, carried out on the endpoint.

use std::time::Instant;

use sip::{Event, InDialog, InviteId, Method, RejectCause, SentId};

use super::{CallKey, Live, Switch};
use crate::call::{Call, Context};
use crate::command::Reply;
use crate::effect::{Asker, SipAction};
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
            SipAction::Request(leg, request, asker) => {
                let id = id(leg);
                match self.send_inside(now, live, (leg, id), *request) {
                    Some(sent) => drop(self.sent.insert(sent, asker)),
                    None => self.not_sent(now, live, leg, asker),
                }
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
        self.within_step(now, live, |call, cx| call.handle(cx, input));
    }

    fn within_step(
        &self,
        now: Instant,
        live: &mut Live,
        tell: impl FnOnce(&mut Call, Context<'_>),
    ) {
        let cx =
            Context { now, registrar: &self.registrar, resting: &self.resting, ports: &self.ports };
        tell(&mut live.call, cx);
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

    /// A request has no dialog to go into.
    fn not_sent(&mut self, now: Instant, live: &mut Live, leg: LegId, asker: Asker) {
        let why = "the leg is not up";
        match asker {
            Asker::Command(command) => {
                self.reply(command, Reply::refused(422, format!("sip_request: {why}")));
            }
            Asker::List(number) => {
                self.within_step(now, live, |call, _| {
                    call.request_answered(leg, number, Err(why));
                });
            }
            // why: nobody is left to hear of the transfer.
            Asker::Subscription => {}
        }
    }

    /// A request of ours inside a dialog was answered.
    pub(super) fn responded(
        &mut self,
        now: Instant,
        (id, sent): (InviteId, SentId),
        status: u16,
        reason: String,
    ) {
        let asker = self.sent.remove(&sent);
        let leg = self.leg_of(id);
        match (asker, leg) {
            (Some(Asker::Command(command)), _) => {
                self.reply(command, Reply::Responded { status, reason });
            }
            (Some(Asker::List(number)), Some((key, leg))) => {
                self.step(now, key, |call, _| call.request_answered(leg, number, Ok(status)));
            }
            // RFC 6665 §4.2.2: the subscription is over. Who says 500 to a NOTIFY that was
            // overtaken by another still has it.
            (Some(Asker::Subscription), Some((key, leg))) if matches!(status, 408 | 481) => {
                self.step(now, key, |call, cx| call.unsubscribed(cx, leg));
            }
            (_, _) => {}
        }
    }
}
