//! Requests of the peer within the dialog that the core answers, UPDATE above all (RFC 3311 §5.2).
//!
//! Owns what only the stack can know about them: which UPDATE has to wait because an offer is open
//! or another UPDATE is, and what a 2xx to one changes in the dialog. What is offered, and what
//! the answer is, is the core's business.

use std::time::Instant;

use super::{Session, Step, exchange, reinvite::Description};
use crate::{
    dialog::Dialog,
    endpoint::{Flow, Respond},
    message::Message,
    method::Method,
    stack::Stack,
    transaction::table::{Class, ServerId},
};

impl Session {
    /// Why an UPDATE cannot be looked at now: 500 while one before it is, 491 or 500 where it makes
    /// an offer and another one is open.
    pub(crate) fn refuses_update(&mut self, stack: &Stack, request: &Message) -> Option<u16> {
        let waits = |update| stack.transactions.received(update).is_some();
        if self.update.is_some_and(waits) {
            return Some(500);
        }
        let offers = !request.body().is_empty();
        self.named_by(request).filter(|_| offers)?.exchange.refuses_offer()
    }

    /// The core is asked about a request of the peer.
    pub(crate) fn handed_up(&mut self, request: &Message, transaction: ServerId) {
        self.pending += 1;
        if request.is(&Method::Update) {
            self.update = Some(transaction);
            self.describes_in(request);
        }
    }

    /// The core answers it.
    pub(crate) fn reply(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        transaction: ServerId,
        response: &Respond,
    ) {
        let Some((request, flow)) = stack.transactions.received(transaction) else { return };
        let request = request.clone();
        let contact = Some(self.contact.as_str());
        let refreshes = request.is(&Method::Update) && self.is_up();
        let mut complete = response.clone();
        if refreshes && Class::of(response.status) == Class::Success {
            self.add_terms(stack, transaction, &mut complete);
        }
        let sent = stack.reply(now, transaction, &complete, self.tag, contact);
        let has_body = response.content_type.is_some();
        if sent == Some(Class::Success) && changes(&request) {
            let description = Description::of(response.content_type.as_deref(), &response.body);
            self.described = description.or_else(|| self.described.take());
        }
        if let Some(class) = sent
            && changes(&request)
            && let Some(dialog) = self.named_by(&request)
        {
            dialog.answered(&request, flow, class, has_body);
        }
        if refreshes && sent == Some(Class::Success) {
            self.agreed_by_us(&mut Step::new(stack, now), &request);
        }
    }

    /// The peer describes the session in this request of the confirmed dialog.
    pub(super) fn describes(&mut self, request: &Message) {
        if let Some(dialog) = self.current().filter(|_| !request.body().is_empty()) {
            dialog.exchange.handle(exchange::Input::Theirs);
        }
    }

    /// The peer describes the session in this request, of whatever dialog.
    pub(super) fn describes_in(&mut self, request: &Message) {
        if let Some(dialog) = self.named_by(request).filter(|_| !request.body().is_empty()) {
            dialog.exchange.handle(exchange::Input::Theirs);
        }
    }

    /// The request that may have carried an offer is over.
    pub(super) fn settled(&mut self) {
        if let Some(dialog) = self.current() {
            dialog.exchange.handle(exchange::Input::Settled);
        }
    }

    /// The ACK of our 2xx answers the offer in that; an offer made since is not concerned.
    pub(super) fn answered_by_ack(&mut self) {
        if let Some(dialog) = self.current()
            && dialog.exchange == exchange::State::Ours
            && dialog.offering.is_none()
        {
            dialog.exchange.handle(exchange::Input::Settled);
        }
    }

    /// The dialog that a request of the peer names.
    fn named_by(&mut self, request: &Message) -> Option<&mut Dialog> {
        let (call_id, from) = (request.call_id().ok()?, request.from().ok()?);
        self.dialog(&call_id, from.tag().unwrap_or_default())
    }
}

/// Whether an offer may stand in it.
fn changes(request: &Message) -> bool {
    request.is(&Method::Update) || request.is(&Method::Prack)
}

impl Dialog {
    /// A re-INVITE or UPDATE of the peer has an answer.
    pub(super) fn answered(&mut self, request: &Message, flow: Flow, class: Class, body: bool) {
        match class {
            Class::Provisional => {}
            Class::Success => {
                // RFC 3262 §6: PRACK does not move the target.
                if !request.is(&Method::Prack) {
                    self.refresh_target(request, flow);
                }
                // RFC 3264 §4: without an offer in the request the answer's body is one.
                let open = request.is(&Method::Invite) && request.body().is_empty() && body;
                let input = if open { exchange::Input::Ours } else { exchange::Input::Settled };
                self.exchange.handle(input);
            }
            Class::Failure => self.exchange.handle(exchange::Input::Settled),
        }
    }
}
