//! Requests of ours within the dialog that make no session: INFO, MESSAGE, REFER, UPDATE and their
//! kin (RFC 3261 §12.2.1).
//!
//! Goes in: the core's request, its final response or the lack of one. Comes out: one event for
//! each, and the end of the dialog where the peer no longer knows it. BYE is in
//! [`super::close`], re-INVITE in [`super::reinvite`].

use std::time::Instant;

use super::{Session, Side, Step, accept, connect, exchange, reinvite::Description};
use crate::{
    dialog::Dialog,
    endpoint::{DialogId, DialogState, EndCause, Event, InDialog, RejectCause, SentId},
    message::Message,
    method::Method,
    random::tag_text,
    stack::{ALLOW, Stack, supported},
    transaction::{
        Failure,
        key::{ClientKey, ClientMethod},
        table::{Class, Kind, Purpose, Within},
    },
    write::{BuildError, default_reason},
};

impl Session {
    /// The dialog that a request of ours may be sent in now.
    fn speaking(&mut self) -> Option<&mut Dialog> {
        match &mut self.side {
            Side::Caller(caller) => caller.speaking(),
            Side::Callee(callee) => match callee.state {
                accept::State::Proceeding if !callee.rung => None,
                accept::State::Proceeding
                | accept::State::Accepted { .. }
                | accept::State::Confirmed => Some(&mut callee.dialog),
                accept::State::Hanging { .. } | accept::State::Closing | accept::State::Ended => {
                    None
                }
            },
        }
    }

    /// How far the dialog with this peer has come; `None` if it is not of this session.
    pub(crate) fn dialog_state(&self, call_id: &str, remote_tag: &str) -> Option<DialogState> {
        if self.call_id != call_id {
            return None;
        }
        match &self.side {
            Side::Caller(caller) => caller.dialog_state(remote_tag),
            Side::Callee(callee) if callee.dialog.remote_tag() == remote_tag => Some(match callee
                .state
            {
                accept::State::Proceeding => DialogState::Early,
                accept::State::Accepted { .. } | accept::State::Confirmed => DialogState::Confirmed,
                accept::State::Hanging { .. } | accept::State::Closing | accept::State::Ended => {
                    DialogState::Ended
                }
            }),
            Side::Callee(_) => None,
        }
    }

    /// The identifiers of the dialog that requests of ours are sent in.
    pub(crate) fn dialog_id(&self) -> Option<DialogId> {
        let dialog = match &self.side {
            Side::Caller(caller) => caller.named()?,
            Side::Callee(callee) => &callee.dialog,
        };
        Some(DialogId {
            call_id: self.call_id.clone(),
            our_tag: tag_text(self.tag),
            their_tag: dialog.remote_tag().to_owned(),
        })
    }

    /// The core sends a request; whether there is a dialog to send it in.
    pub(crate) fn request(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        sent: SentId,
        request: &InDialog,
    ) -> bool {
        let step = &mut Step::new(stack, now);
        let branch = step.stack.generator.next_u128();
        let contact = self.contact.clone();
        let refresh = match request.method {
            Method::Update => self.refresh_headers(step.stack),
            _ => Vec::new(),
        };
        let Some(dialog) = self.speaking() else { return false };
        let offers = request.method == Method::Update && request.content_type.is_some();
        if offers && dialog.exchange != exchange::State::Stable {
            // RFC 3311 §5.1: no offer while one is open.
            let reason = default_reason(491).to_owned();
            self.report(step, sent, (491, reason), None, RejectCause::Transport);
            return true;
        }
        let written = write(dialog, request, &refresh, branch, &contact, &step.stack.agent);
        if offers && written.is_ok() {
            dialog.exchange.handle(exchange::Input::Ours);
            dialog.offering = Some(sent);
        }
        let hop = dialog.next_hop();
        if offers && written.is_ok() {
            let description = Description::of(request.content_type.as_deref(), &request.body);
            self.offered = description.map(|description| (sent, description));
        }
        let kind = match request.method {
            Method::Update => Kind::Update,
            Method::Notify => Kind::Notify,
            _ => Kind::Other,
        };
        match written {
            Ok(message) => {
                let key = ClientKey::new(branch, ClientMethod::Other);
                let owner = (self.id, Purpose::Request(Within { sent, kind }));
                self.pending += 1;
                step.stack.transactions.request(now, key, hop, message, owner);
            }
            Err(error) => {
                let reason = format!("{}: {error}", default_reason(500));
                self.report(step, sent, (500, reason), None, RejectCause::Transport);
            }
        }
        true
    }

    /// The final response to a request of the core.
    pub(crate) fn responded(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        Within { sent, kind }: Within,
        response: &Message,
    ) {
        let step = &mut Step::new(stack, now);
        let status = response.status().unwrap_or_default();
        self.offer_settled(sent);
        if let Some((_, description)) = self.offered.take_if(|(of, _)| *of == sent)
            && Class::of(status) == Class::Success
        {
            self.described = Some(description);
        }
        if kind == Kind::Update && Class::of(status) == Class::Success {
            let (call_id, to) = (response.call_id(), response.to());
            if let (Ok(call_id), Ok(to)) = (call_id, to)
                && let Some(dialog) = self.dialog(&call_id, to.tag().unwrap_or_default())
            {
                dialog.target_from(response);
            }
        }
        let outcome = (status, response.reason().into_owned());
        self.report(step, sent, outcome, Some(response.clone()), RejectCause::Peer);
        if kind == Kind::Update && Class::of(status) == Class::Success {
            self.agreed_by_peer(step, response);
        }
        self.break_off(step, status, kind);
    }

    /// A request of the core will have no response.
    pub(crate) fn unanswered(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        Within { sent, kind }: Within,
        failure: Failure,
    ) {
        let step = &mut Step::new(stack, now);
        self.offer_settled(sent);
        let (status, cause) = match failure {
            Failure::Timeout => (408, RejectCause::Timeout),
            Failure::Transport => (503, RejectCause::Transport),
        };
        let outcome = (status, default_reason(status).to_owned());
        self.report(step, sent, outcome, None, cause);
        self.break_off(step, status, kind);
    }

    /// The offer of this UPDATE, if it made one, is no longer open.
    fn offer_settled(&mut self, sent: SentId) {
        let dialog = match &mut self.side {
            Side::Caller(caller) => caller.offering(sent),
            Side::Callee(callee) => Some(&mut callee.dialog),
        };
        if let Some(dialog) = dialog.filter(|dialog| dialog.offering == Some(sent)) {
            dialog.offering = None;
            dialog.exchange.handle(exchange::Input::Settled);
        }
    }

    fn report(
        &self,
        step: &mut Step<'_>,
        sent: SentId,
        (status, reason): (u16, String),
        response: Option<Message>,
        cause: RejectCause,
    ) {
        step.report(Event::Responded { id: self.id, sent, status, reason, response, cause });
    }

    /// RFC 3261 §12.2.1.2: a peer that does not know the dialog, or no longer answers a refresh of
    /// it, has ended it. RFC 5057 §5.1: what it does not know may also be the subscription.
    fn break_off(&mut self, step: &mut Step<'_>, status: u16, kind: Kind) {
        let unknown = status == 481 && kind != Kind::Notify;
        if unknown || status == 408 && kind == Kind::Update {
            self.broken(step, EndCause::Gone);
        }
    }

    /// The confirmed dialog cannot go on. An early one ends with its INVITE.
    pub(super) fn broken(&mut self, step: &mut Step<'_>, cause: EndCause) {
        match self.side {
            Side::Caller(_) => self.feed_connect(step, connect::Input::Broken(cause)),
            Side::Callee(_) => self.feed_accept(step, accept::Input::Broken(cause)),
        }
    }
}

fn write(
    dialog: &mut Dialog,
    request: &InDialog,
    more: &[(String, String)],
    branch: u128,
    contact: &str,
    agent: &str,
) -> Result<Message, BuildError> {
    let InDialog { method, headers, content_type, body } = request;
    let mut builder = dialog.request(method, branch);
    for (name, value) in headers.iter().chain(more) {
        builder.try_header(name, value)?;
    }
    // RFC 3261 §12.2.1.1: requests that move the remote target, and REFER (RFC 3515 §2.2).
    let targets = matches!(method, Method::Update | Method::Refer | Method::Notify);
    if targets && !builder.has("Contact") {
        builder = builder.header("Contact", contact);
    }
    if *method == Method::Update && !builder.has("Allow") {
        builder = builder.header("Allow", ALLOW);
    }
    if *method == Method::Update && !builder.has("Supported") {
        builder = builder.header("Supported", supported());
    }
    if !builder.has("User-Agent") {
        builder = builder.header("User-Agent", agent);
    }
    if let Some(content_type) = content_type {
        builder = builder.body(content_type, body);
    }
    builder.build()
}
