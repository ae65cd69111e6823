//! The side of a session that sent the INVITE: its transaction, its forks, their ACKs; and which of
//! two transports it takes (RFC 3261 §18.1.1).

use std::time::Instant;

use super::{Session, Side, Step, action::Rejection, connect, exchange, reinvite::Description};
use crate::{
    dialog::{self, Dialog},
    endpoint::{DialogState, Event, Flow, Invite, InviteId, RejectCause, SentId, Transmit},
    headers::HeaderError,
    hop::{Hop, reachable},
    limits::DATAGRAM_BYTES_MAX,
    message::Message,
    method::Method,
    random::{Tag, tag_text},
    stack::{ALLOW, Stack, supported},
    transaction::{
        Failure, ack,
        key::{ClientKey, ClientMethod},
        table::{Class, Purpose},
    },
    write::{BuildError, Builder, default_reason},
};

/// Most forks of one INVITE that are remembered. What a proxy adds beyond them rings and, if it
/// answers, ends by itself because nobody acknowledges it.
const FORKS_MAX: usize = 32;

/// The first sequence number of our dialogs.
const FIRST_CSEQ: u32 = 1;

#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) state: connect::State,
    pub(super) invite: ClientKey,
    pub(super) forks: Vec<Fork>,
    /// Value of Reason for the CANCEL.
    cancel_reason: Option<String>,
    /// As [`Invite::large`].
    pub(super) large: Option<Flow>,
    /// The INVITE for the other transport, until the first one proves to work.
    pub(super) spare: Option<Draft>,
}

/// An INVITE as it is written for one flow.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) flow: Flow,
    pub(super) contact: String,
    pub(super) message: Message,
}

/// RFC 3261 §18.1.1: whether it is too long for the transport that it was written for.
pub(super) fn is_large(draft: &Draft) -> bool {
    !draft.flow.transport.is_reliable() && draft.message.as_bytes().len() > DATAGRAM_BYTES_MAX
}

/// One of those who answer the INVITE, by the tag of its To.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    pub(super) dialog: Dialog,
    role: Role,
    /// The RSeq of its last reliable provisional response.
    pub(super) acknowledged: Option<u32>,
    /// The ACK of its 2xx, to be sent again for each repeated 2xx.
    ack: Option<Transmit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Only provisionals yet.
    Early,
    /// Its 2xx came first.
    Winner,
    /// Its 2xx came later; its BYE is sent.
    Dropped,
}

impl Caller {
    pub(super) fn dialogs(&self) -> usize {
        self.forks.iter().filter(|fork| fork.role != Role::Dropped).count()
    }

    pub(super) fn dialog(&mut self, remote_tag: &str) -> Option<&mut Dialog> {
        self.find(remote_tag).map(|fork| &mut fork.dialog)
    }

    pub(super) fn find(&mut self, remote_tag: &str) -> Option<&mut Fork> {
        self.forks.iter_mut().find(|fork| fork.dialog.remote_tag() == remote_tag)
    }

    /// The dialog that a BYE of ours belongs to.
    pub(super) fn winner(&mut self) -> Option<&mut Dialog> {
        let winner = self.forks.iter_mut().find(|fork| fork.role == Role::Winner)?;
        Some(&mut winner.dialog)
    }

    /// The dialog that requests of ours belong to: the confirmed one, or while nobody has answered
    /// the early one that began last.
    pub(super) fn speaking(&mut self) -> Option<&mut Dialog> {
        match self.state {
            connect::State::Confirmed => self.winner(),
            connect::State::Proceeding => self.forks.last_mut().map(|fork| &mut fork.dialog),
            _ => None,
        }
    }

    /// The dialog in which an UPDATE of ours made an offer.
    pub(super) fn offering(&mut self, sent: SentId) -> Option<&mut Dialog> {
        let mut dialogs = self.forks.iter_mut().map(|fork| &mut fork.dialog);
        dialogs.find(|dialog| dialog.offering == Some(sent))
    }

    /// How far the dialog with this tag has come.
    pub(super) fn dialog_state(&self, remote_tag: &str) -> Option<DialogState> {
        use connect::State::{Calling, Confirmed, Proceeding};
        let fork = self.forks.iter().find(|fork| fork.dialog.remote_tag() == remote_tag)?;
        Some(match (fork.role, self.state) {
            (Role::Winner, Confirmed) => DialogState::Confirmed,
            (Role::Early, Calling | Proceeding) => DialogState::Early,
            _ => DialogState::Ended,
        })
    }

    /// The dialog that names the session: the confirmed one, or the early one that began last.
    pub(super) fn named(&self) -> Option<&Dialog> {
        let winner = self.forks.iter().find(|fork| fork.role == Role::Winner);
        winner.or(self.forks.last()).map(|fork| &fork.dialog)
    }

    /// What a BYE with this tag is to the session; `None` if nothing.
    pub(super) fn bye_input(&mut self, remote_tag: &str) -> Option<Option<connect::Input>> {
        use connect::State::{Abandoned, Calling, CancelHeld, Cancelling, Proceeding};
        let open = matches!(self.state, Calling | CancelHeld | Proceeding | Cancelling | Abandoned);
        match self.find(remote_tag).map(|fork| fork.role) {
            Some(Role::Winner) => Some(Some(connect::Input::PeerBye)),
            Some(Role::Dropped) => Some(None),
            Some(Role::Early) if !open => Some(None),
            // A fork that we have not heard of has answered, and its 2xx was lost.
            Some(Role::Early) => Some(Some(connect::Input::PeerBye)),
            None if open => Some(Some(connect::Input::PeerBye)),
            None => None,
        }
    }
}

impl Session {
    /// Sends an INVITE.
    pub(crate) fn connect(
        stack: &mut Stack,
        now: Instant,
        id: InviteId,
        invite: &Invite,
    ) -> Result<Session, BuildError> {
        let branch = stack.generator.next_u128();
        let call_id = format!("{:032x}", stack.generator.next_u128());
        let tag = stack.generator.next_u128();
        let write = |flow| {
            let contact = dialog::contact(flow, invite.contact_user.as_deref());
            let message = write_invite(invite, flow, stack, branch, &call_id, tag, &contact)?;
            Ok::<Draft, BuildError>(Draft { flow, contact, message })
        };
        let (mut draft, mut spare) = (write(invite.flow)?, None);
        if let Some(large) = invite.large
            && is_large(&draft)
        {
            spare = Some(std::mem::replace(&mut draft, write(large)?));
        }
        let key = ClientKey::new(branch, ClientMethod::Invite);
        let caller = Caller {
            state: connect::State::Calling,
            invite: key,
            forks: Vec::new(),
            cancel_reason: None,
            large: invite.large,
            spare,
        };
        let mut session = Session::new(id, call_id, tag, String::new(), Side::Caller(caller));
        session.described = Description::of(Some(invite.content_type), &invite.body);
        session.send_invite(stack, now, key, draft);
        Ok(session)
    }

    /// Sends it, to the flow that it was written for.
    pub(super) fn send_invite(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        key: ClientKey,
        draft: Draft,
    ) {
        let Draft { flow, contact, message } = draft;
        self.contact = contact;
        self.pending += 1;
        // why: a phone that registered over a connection which has closed may still listen at its
        // Contact, which is the Request-URI. With a route the flow is the way to that.
        let direct = flow.transport.is_reliable() && message.header("Route").is_none();
        let target = message.uri().ok().filter(|_| direct);
        let otherwise = target.and_then(|uri| reachable(&uri, flow));
        let hop = Hop { flow, otherwise };
        stack.transactions.request(now, key, hop, message, (self.id, Purpose::Invite));
    }

    /// RFC 3261 §18.1.1: an INVITE that was only sent over a connection for its length is sent
    /// again without one. The same INVITE, branch included: should the peer have seen the first,
    /// it takes this for a repetition. One that is no longer wanted is not sent again.
    fn send_spare(&mut self, stack: &mut Stack, now: Instant) -> bool {
        let Side::Caller(caller) = &mut self.side else { return false };
        let key = caller.invite;
        let spare = caller.spare.take().filter(|_| caller.state == connect::State::Calling);
        let sent_again = spare.is_some();
        if let Some(draft) = spare {
            self.send_invite(stack, now, key, draft);
        }
        sent_again
    }

    /// A response to the INVITE, as its transaction lets it through.
    pub(crate) fn handle_response(&mut self, stack: &mut Stack, now: Instant, response: &Message) {
        if let Side::Caller(caller) = &mut self.side {
            caller.spare = None;
        }
        let status = response.status().unwrap_or_default();
        let longer = self.longer_interval(stack, response);
        let step = &mut Step::with(stack, now, response);
        match Class::of(status) {
            Class::Provisional => {
                if status > 100 {
                    self.note_early(step, response);
                }
                if status > 100 && !self.acknowledge(step, response) {
                    return;
                }
                self.feed_connect(step, connect::Input::Provisional);
            }
            Class::Failure => match &longer {
                Some(headers) => {
                    step.headers = headers;
                    self.feed_connect(step, connect::Input::TooShort);
                }
                None => self.feed_connect(step, connect::Input::Failure),
            },
            Class::Success => self.handle_success(step, response),
        }
    }

    /// RFC 4028 §7.3: what an INVITE that was refused for its session interval has to say instead.
    fn longer_interval(
        &mut self,
        stack: &Stack,
        response: &Message,
    ) -> Option<Vec<(String, String)>> {
        let Side::Caller(caller) = &self.side else { return None };
        let (invite, _) = stack.transactions.sent(caller.invite)?;
        invite.header("Session-Expires")?;
        let open = matches!(caller.state, connect::State::Calling | connect::State::Proceeding);
        if open { self.raise(response) } else { None }
    }

    fn handle_success(&mut self, step: &mut Step<'_>, response: &Message) {
        let Side::Caller(caller) = &mut self.side else { return };
        let to = response.to();
        let tag = to.as_ref().ok().and_then(|to| to.tag()).unwrap_or_default();
        if let Some(ack) = caller.find(tag).and_then(|fork| fork.ack.clone()) {
            // RFC 3261 §13.2.2.4: each repeated 2xx means that the ACK was lost.
            step.stack.transactions.send(ack);
            return;
        }
        match self.fork(step, response) {
            Some(fork) => {
                step.fork = fork;
                self.feed_connect(step, connect::Input::Success);
            }
            // why: a 2xx that cannot be acknowledged is no session. The peer gives it up when
            // no ACK comes.
            None => self.feed_connect(step, connect::Input::Unreachable),
        }
    }

    fn note_early(&mut self, step: &Step<'_>, response: &Message) {
        let Side::Caller(caller) = &mut self.side else { return };
        let Ok(to) = response.to() else { return };
        let known = to.tag().is_none_or(|tag| caller.find(tag).is_some());
        if known || caller.forks.len() >= FORKS_MAX {
            return;
        }
        let Some((request, hop)) = step.stack.transactions.sent(caller.invite) else { return };
        if let Ok(dialog) = Dialog::of_response(request, response, hop.flow) {
            caller.forks.push(Fork { dialog, role: Role::Early, acknowledged: None, ack: None });
        }
    }

    /// Notes the dialog of a 2xx and writes its ACK; the place of the fork in the list.
    fn fork(&mut self, step: &mut Step<'_>, response: &Message) -> Option<usize> {
        let Side::Caller(caller) = &mut self.side else { return None };
        let branch = step.stack.generator.next_u128();
        let (request, hop) = step.stack.transactions.sent(caller.invite)?;
        let dialog: Result<Dialog, HeaderError> = Dialog::of_response(request, response, hop.flow);
        let mut dialog = dialog.ok()?;
        dialog.exchange.handle(exchange::Input::Settled);
        let ack = ack::with_credentials(dialog.ack(branch), request);
        let ack = ack.header("User-Agent", &step.stack.agent).build().ok()?;
        let ack = Some(dialog.next_hop().transmit(ack.to_bytes()));
        let tag = dialog.remote_tag();
        match caller.forks.iter().position(|fork| fork.dialog.remote_tag() == tag) {
            Some(at) => {
                let fork = caller.forks.get_mut(at)?;
                fork.dialog.confirmed_by(dialog);
                fork.ack = ack;
                Some(at)
            }
            None if caller.forks.len() < FORKS_MAX => {
                caller.forks.push(Fork { dialog, role: Role::Early, acknowledged: None, ack });
                Some(caller.forks.len() - 1)
            }
            None => None,
        }
    }

    /// The INVITE will have no response.
    pub(crate) fn handle_failure(&mut self, stack: &mut Stack, now: Instant, failure: Failure) {
        if failure == Failure::Transport && self.send_spare(stack, now) {
            return;
        }
        let input = match failure {
            Failure::Timeout => connect::Input::NoResponse,
            Failure::Transport => connect::Input::Unreachable,
        };
        self.feed_connect(&mut Step::new(stack, now), input);
    }

    /// The core takes the INVITE back.
    pub(crate) fn cancel(&mut self, stack: &mut Stack, now: Instant, reason: Option<&str>) {
        let Side::Caller(caller) = &mut self.side else { return };
        caller.cancel_reason = reason.map(str::to_owned);
        self.feed_connect(&mut Step::new(stack, now), connect::Input::Cancel);
    }

    pub(super) fn progress(&mut self, step: &mut Step<'_>) {
        let Some(response) = step.message.filter(|message| message.status() > Some(100)) else {
            return;
        };
        let response = response.clone();
        step.report(Event::Progress { id: self.id, response });
    }

    /// RFC 3261 §9.1: CANCEL goes where the INVITE went, with its branch.
    pub(super) fn send_cancel(&mut self, step: &mut Step<'_>) {
        let Side::Caller(caller) = &self.side else { return };
        let Some((invite, hop)) = step.stack.transactions.sent(caller.invite) else { return };
        let mut builder = ack::cancel(invite);
        if let Some(reason) = &caller.cancel_reason {
            // A reason that cannot be written must not keep the CANCEL back.
            drop(builder.try_header("Reason", reason));
        }
        let Ok(cancel) = builder.header("User-Agent", &step.stack.agent).build() else { return };
        let key = ClientKey::new(caller.invite.branch, ClientMethod::Cancel);
        let owner = (self.id, Purpose::Cancel);
        self.pending += 1;
        step.stack.transactions.request(step.now, key, hop, cancel, owner);
    }

    pub(super) fn abandon(&mut self, step: &mut Step<'_>) {
        let Side::Caller(caller) = &self.side else { return };
        step.stack.transactions.abandon(step.now, caller.invite);
    }

    pub(super) fn confirm_fork(&mut self, step: &mut Step<'_>) {
        self.acknowledge_fork(step, Role::Winner);
    }

    /// RFC 3261 §13.2.2.4: the dialog of a 2xx that nobody wants is acknowledged and ended.
    pub(super) fn drop_fork(&mut self, step: &mut Step<'_>) {
        self.acknowledge_fork(step, Role::Dropped);
        let Side::Caller(caller) = &mut self.side else { return };
        let Some(fork) = caller.forks.get_mut(step.fork) else { return };
        let branch = step.stack.generator.next_u128();
        let bye = fork.dialog.request(&Method::Bye, branch);
        let Ok(bye) = bye.header("User-Agent", &step.stack.agent).build() else { return };
        let hop = fork.dialog.next_hop();
        let key = ClientKey::new(branch, ClientMethod::Other);
        self.pending += 1;
        step.stack.transactions.request(step.now, key, hop, bye, (self.id, Purpose::DropFork));
    }

    fn acknowledge_fork(&mut self, step: &mut Step<'_>, role: Role) {
        let Side::Caller(caller) = &mut self.side else { return };
        let Some(fork) = caller.forks.get_mut(step.fork) else { return };
        fork.role = role;
        if let Some(ack) = fork.ack.clone() {
            step.stack.transactions.send(ack);
        }
    }

    pub(super) fn report_rejection(&mut self, step: &mut Step<'_>, rejection: Rejection) {
        let (status, cause) = match rejection {
            Rejection::Response => {
                let status = step.message.and_then(Message::status).unwrap_or(500);
                (status, RejectCause::Peer)
            }
            Rejection::NoResponse => (408, RejectCause::Timeout),
            Rejection::Unreachable => (503, RejectCause::Transport),
            Rejection::NoFinal => (487, RejectCause::Timeout),
            Rejection::HungUp => (487, RejectCause::Peer),
            Rejection::Glare => (491, RejectCause::Transport),
        };
        let response = step.message.filter(|_| rejection == Rejection::Response).cloned();
        let reason = match &response {
            Some(response) => response.reason().into_owned(),
            None => default_reason(status).to_owned(),
        };
        step.report(Event::Rejected { id: self.id, status, reason, cause, response });
    }
}

fn write_invite(
    invite: &Invite,
    flow: Flow,
    stack: &Stack,
    branch: u128,
    call_id: &str,
    tag: Tag,
    contact: &str,
) -> Result<Message, BuildError> {
    let mut builder = Builder::request(Method::Invite, &invite.request_uri)
        .header("Via", dialog::via(flow, branch))
        .header("Max-Forwards", invite.max_forwards);
    for route in &invite.route {
        builder = builder.header("Route", route);
    }
    builder = builder
        .header("From", format_args!("{};tag={}", invite.from, tag_text(tag)))
        .header("To", &invite.to)
        .header("Call-ID", call_id)
        .header("CSeq", format_args!("{FIRST_CSEQ} INVITE"))
        .header("Contact", contact)
        .header("Allow", ALLOW)
        .header("Supported", supported())
        .header("User-Agent", &stack.agent);
    for (name, value) in &invite.headers {
        builder = builder.header(name, value);
    }
    if !builder.has("Session-Expires") {
        for (name, value) in &stack.timers.of_invite() {
            builder = builder.header(name, value);
        }
    }
    builder.body(invite.content_type, &invite.body).build()
}
