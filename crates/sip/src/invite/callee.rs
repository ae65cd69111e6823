//! The side of a session that received the INVITE, and the re-INVITEs of either side.

use std::time::Instant;

use super::{
    Reinvite, Session, Side, Step, accept, connect, exchange, modify, provisional::Reliable,
    reinvite::Description,
};
use crate::{
    dialog::{self, Dialog},
    endpoint::{EndCause, Event, InviteId, Respond},
    headers::HeaderError,
    message::Message,
    method::Method,
    random::tag_text,
    stack::Stack,
    transaction::table::{Arrival, Class, ServerId},
    write::Builder,
};

#[derive(Clone, Debug)]
pub(super) struct Callee {
    pub(super) state: accept::State,
    pub(super) invite: ServerId,
    pub(super) dialog: Dialog,
    /// Sequence number of the INVITE and so of its ACK.
    pub(super) cseq: u32,
    /// A response has told the peer of the early dialog.
    pub(super) rung: bool,
    /// Its reliable provisional responses.
    pub(super) reliable: Box<Reliable>,
    /// The connection that the INVITE came by is gone.
    disconnected: bool,
}

impl Callee {
    /// Whether the INVITE's 2xx waits for its ACK.
    pub(super) fn waits_for_ack(&self) -> bool {
        matches!(self.state, accept::State::Accepted { .. } | accept::State::Hanging { .. })
    }
}

pub(super) fn is_bye(message: &Message) -> bool {
    message.is(&Method::Bye)
}

impl Session {
    /// Starts the session and the transaction of a new INVITE.
    ///
    /// # Errors
    /// What keeps the INVITE from making a dialog: a Contact or a route set that cannot be read.
    pub(crate) fn accept(
        stack: &mut Stack,
        now: Instant,
        id: InviteId,
        arrival: Arrival<'_>,
    ) -> Result<Session, HeaderError> {
        let Arrival { request, flow, .. } = arrival;
        let tag = stack.generator.next_u128();
        let dialog = Dialog::of_request(request, &tag_text(tag), flow)?;
        let (cseq, _) = request.cseq()?;
        let call_id = request.call_id()?.into_owned();
        let uri = request.uri().ok();
        let user = uri.as_ref().and_then(|uri| uri.user.as_deref());
        let contact = dialog::contact(flow, user);
        let invite = stack.transactions.accept(now, arrival, Some(id));
        let state = accept::State::Proceeding;
        let reliable = Box::new(Reliable::of(request, stack));
        let callee =
            Callee { state, invite, dialog, cseq, rung: false, reliable, disconnected: false };
        let mut session = Session::new(id, call_id, tag, contact, Side::Callee(callee));
        session.transaction_started();
        session.note_methods(request);
        Ok(session)
    }

    /// Sends 100 Trying, which stops the retransmission of the INVITE.
    pub(crate) fn trying(&self, stack: &mut Stack, now: Instant) {
        let Some(invite) = self.untouched_invite() else { return };
        let Some((request, flow)) = stack.transactions.received(invite) else { return };
        // RFC 3261 §8.2.6.1: a 100 has no tag of ours.
        let trying = Builder::response_to(request, 100, None).source(flow.remote).build();
        if let Ok(trying) = trying {
            stack.transactions.respond(now, invite, Class::Provisional, trying.to_bytes());
        }
    }

    /// The transaction of an INVITE of the peer that has no final response.
    pub(crate) fn untouched_invite(&self) -> Option<ServerId> {
        match &self.side {
            Side::Callee(callee) if callee.state == accept::State::Proceeding => {
                Some(callee.invite)
            }
            _ => None,
        }
    }

    /// Whether the CANCEL with these identifiers is meant for the session's INVITE (or re-INVITE):
    /// RFC 3261 §9.1: its Call-ID and From are those of the INVITE. Its branch, which the peer
    /// chose and others might guess, is not enough.
    pub(crate) fn is_cancelled_by(&mut self, call_id: &str, from_tag: &str) -> bool {
        self.dialog(call_id, from_tag).is_some()
    }

    /// The core answers the INVITE.
    pub(crate) fn respond(&mut self, stack: &mut Stack, now: Instant, response: Respond) {
        let Side::Callee(callee) = &self.side else { return };
        if callee.reliable.holds_success() {
            return; // The core has given its final response.
        }
        let step = &mut Step::new(stack, now);
        match response.status {
            100 => {} // It was sent when the INVITE came.
            101..200 => self.respond_provisionally(step, response),
            200..300 => self.respond_with_success(step, response),
            _ => self.send_response(step, response),
        }
    }

    /// Sends the core's response now.
    pub(super) fn send_response(&mut self, step: &mut Step<'_>, response: Respond) {
        let Side::Callee(callee) = &self.side else { return };
        let transaction = callee.invite;
        let Some((request, _)) = step.stack.transactions.received(transaction) else { return };
        let request = request.clone();
        let description = Description::of(response.content_type.as_deref(), &response.body);
        let has_body = response.content_type.is_some();
        let Some((class, written)) = self.write(step, transaction, response) else { return };
        if class != Class::Failure && description.is_some() {
            self.described = description;
        }
        if let Side::Callee(callee) = &mut self.side {
            callee.rung = true;
            if class == Class::Success && !callee.reliable.described {
                callee.dialog.exchange.handle(match has_body {
                    true => exchange::Input::Ours,
                    false => exchange::Input::Settled,
                });
            }
        }
        let input = match class {
            Class::Provisional => accept::Input::Provisional,
            Class::Success => accept::Input::Success,
            Class::Failure => accept::Input::Failure,
        };
        let lost = !written && class != Class::Provisional;
        self.feed_accept(step, input);
        if class == Class::Success {
            self.agreed_by_us(step, &request);
        }
        if lost {
            step.report(Event::Ended { id: self.id, cause: EndCause::Failed, request: None });
        }
    }

    /// The connection of the INVITE is gone, or its response could not be delivered.
    ///
    /// RFC 3261 §18.2.2: the response goes over another connection then. The latest one does so at
    /// once: where that cannot be made either, nobody waits for this call any more.
    pub(crate) fn connection_lost(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        transaction: ServerId,
    ) {
        let Side::Callee(callee) = &mut self.side else { return };
        let class = match callee.state {
            _ if callee.invite != transaction => return,
            accept::State::Proceeding => Class::Provisional,
            accept::State::Accepted { .. } | accept::State::Hanging { .. } => Class::Success,
            accept::State::Confirmed | accept::State::Closing | accept::State::Ended => return,
        };
        if std::mem::replace(&mut callee.disconnected, true) {
            self.feed_accept(&mut Step::new(stack, now), accept::Input::Unreachable);
        } else {
            stack.transactions.repeat(now, transaction, class);
        }
    }

    /// The core answers the re-INVITE, finally: nothing provisional, and so nothing reliable, is
    /// ever sent to one.
    pub(crate) fn respond_reinvite(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        mut response: Respond,
    ) {
        let Some(Reinvite { transaction, .. }) = self.modify.latest else { return };
        let Some((request, flow)) = stack.transactions.received(transaction) else { return };
        let request = request.clone();
        if response.status < 200 {
            response = Respond::status(500);
        }
        let step = &mut Step::new(stack, now);
        let description = Description::of(response.content_type.as_deref(), &response.body);
        let has_body = response.content_type.is_some();
        let Some((class, _)) = self.write(step, transaction, response) else { return };
        if class == Class::Success && description.is_some() {
            self.described = description;
        }
        if let Some(dialog) = self.current() {
            dialog.answered(&request, flow, class, has_body);
        }
        if class == Class::Success {
            self.feed_modify(step, modify::Input::Success);
            self.agreed_by_us(step, &request);
        } else {
            self.feed_modify(step, modify::Input::Failure);
        }
    }

    /// Puts the core's response into the step; its class as sent, and whether it is as wished.
    ///
    /// What cannot be written is sent as 500 if it was final, else not at all.
    pub(super) fn write(
        &self,
        step: &mut Step<'_>,
        transaction: ServerId,
        mut response: Respond,
    ) -> Option<(Class, bool)> {
        if response.status == 100 {
            return None; // It was sent when the INVITE came.
        }
        if !(101..700).contains(&response.status) {
            response = Respond::status(500);
        }
        let wished = Class::of(response.status);
        if wished == Class::Success {
            self.add_terms(step.stack, transaction, &mut response);
        }
        let (request, flow) = step.stack.transactions.received(transaction)?;
        let contact = Some(self.contact.as_str());
        let written = step.stack.write_response(request, flow, &response, self.tag, contact);
        let (class, message, as_wished) = match written {
            Ok(message) => (wished, message, true),
            Err(_) if wished == Class::Provisional => return None,
            Err(_) => {
                let response = Respond::status(500);
                let written =
                    step.stack.write_response(request, flow, &response, self.tag, contact);
                // An INVITE too long to be answered at all waits for its CANCEL.
                (Class::Failure, written.ok()?, wished == Class::Failure)
            }
        };
        step.response = Some((class, message.to_bytes()));
        Some((class, as_wished))
    }

    /// The peer's CANCEL of the transaction, an INVITE's or re-INVITE's.
    pub(crate) fn handle_cancel(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        transaction: ServerId,
        request: &Message,
    ) {
        let step = &mut Step::with(stack, now, request);
        let initial = matches!(&self.side, Side::Callee(callee) if callee.invite == transaction);
        if initial {
            self.feed_accept(step, accept::Input::Cancel);
        } else if self.modify.latest.is_some_and(|latest| latest.transaction == transaction) {
            if self.modify.state == modify::State::Pending {
                self.settled();
            }
            self.feed_modify(step, modify::Input::Cancel);
        }
    }

    /// An ACK within the dialog.
    pub(crate) fn handle_ack(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        request: &Message,
        cseq: u32,
    ) {
        let step = &mut Step::with(stack, now, request);
        let waits = matches!(&self.side, Side::Callee(c) if c.waits_for_ack() && c.cseq == cseq);
        if waits {
            self.answered_by_ack();
            self.feed_accept(step, accept::Input::Ack);
        } else if self.modify.latest.is_some_and(|latest| latest.cseq == cseq) {
            if matches!(self.modify.state, modify::State::Accepted { .. }) {
                self.answered_by_ack();
            }
            self.feed_modify(step, modify::Input::Ack);
        }
    }

    /// Why an INVITE within the dialog cannot be looked at now: 491, 500 or 481.
    pub(crate) fn refuses_reinvite(&mut self) -> Option<u16> {
        let open = self.current().and_then(|dialog| dialog.exchange.refuses_offer());
        match &self.side {
            Side::Caller(caller) => match caller.state {
                connect::State::Confirmed => open,
                connect::State::Closing | connect::State::Ended => Some(481),
                // RFC 3261 §14.2: our INVITE is still going on.
                _ => Some(491),
            },
            Side::Callee(callee) => match callee.state {
                accept::State::Confirmed => open,
                accept::State::Proceeding => Some(500),
                accept::State::Accepted { .. } => Some(491),
                accept::State::Hanging { .. } | accept::State::Closing | accept::State::Ended => {
                    Some(481)
                }
            },
        }
    }

    /// An INVITE within the confirmed dialog.
    pub(crate) fn handle_reinvite(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        transaction: ServerId,
        request: &Message,
        cseq: u32,
    ) {
        self.pending += 1;
        let step = &mut Step::with(stack, now, request);
        step.arrived = Some(transaction);
        if self.modify.state == modify::State::Idle {
            self.modify.latest = Some(Reinvite { transaction, cseq });
            self.describes(request);
        }
        self.feed_modify(step, modify::Input::Invite);
    }
}
