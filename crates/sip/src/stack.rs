//! What every INVITE session and the endpoint share: the transactions, the source of tags and
//! branches, the events not yet polled, and the writing of responses.

use std::{collections::VecDeque, time::Instant};

use crate::{
    endpoint::{Event, Flow, Respond},
    hop::Hop,
    invite::{action::Action, session_timer::SessionTimers},
    message::Message,
    method::Method,
    random::{Generator, Tag, tag_text},
    transaction::{
        key::ServerKey,
        table::{Class, ServerId, Transactions},
    },
    write::{BuildError, Builder},
};

/// What is implemented, in the words of an Allow header (RFC 3261 §20.5).
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY, MESSAGE";

/// Extensions that are implemented, each an option tag (RFC 3261 §19.2): RFC 3262, RFC 4028,
/// RFC 3891, RFC 4488.
pub(crate) const SUPPORTED: [&str; 4] = ["100rel", "timer", "replaces", "norefersub"];

/// The value of a Supported header.
pub(crate) fn supported() -> String {
    SUPPORTED.join(", ")
}

/// The shared parts of an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Value of User-Agent and Server.
    pub(crate) agent: String,
    pub(crate) timers: SessionTimers,
    pub(crate) generator: Generator,
    pub(crate) transactions: Transactions,
    pub(crate) events: VecDeque<Event>,
    /// Kept for its capacity.
    pub(crate) actions: Vec<Action>,
}

impl Stack {
    /// A response in the words of the core, complete with what each response must hold.
    pub(crate) fn write_response(
        &self,
        request: &Message,
        flow: Flow,
        response: &Respond,
        tag: Tag,
        contact: Option<&str>,
    ) -> Result<Message, BuildError> {
        let Respond { status, reason, headers, content_type, body } = response;
        let mut builder = Builder::response_to(request, *status, reason.as_deref())
            .source(flow.remote)
            .to_tag(&tag_text(tag));
        for (name, value) in headers {
            builder.try_header(name, value)?;
        }
        let (invite, success) = (request.is(&Method::Invite), (200..300).contains(status));
        // RFC 3261 §12.1.1, RFC 3311 §5.2: what makes a dialog or moves its target.
        let targets =
            invite && (101..300).contains(status) || request.is(&Method::Update) && success;
        if let Some(contact) = contact.filter(|_| targets)
            && !builder.has("Contact")
        {
            builder = builder.header("Contact", contact);
        }
        if (invite && success || matches!(status, 405 | 501)) && !builder.has("Allow") {
            builder = builder.header("Allow", ALLOW);
        }
        if invite && success && !builder.has("Supported") {
            builder = builder.header("Supported", supported());
        }
        if !builder.has("Server") {
            builder = builder.header("Server", &self.agent);
        }
        if let Some(content_type) = content_type {
            builder = builder.body(content_type, body);
        }
        builder.build()
    }

    /// Sends the core's response to a request that makes no session; what cannot be written is
    /// sent as 500. The class of what was sent.
    pub(crate) fn reply(
        &mut self,
        now: Instant,
        id: ServerId,
        response: &Respond,
        tag: Tag,
        contact: Option<&str>,
    ) -> Option<Class> {
        let (request, flow) = self.transactions.received(id)?;
        let status = if (100..700).contains(&response.status) { response.status } else { 500 };
        let wished = Respond { status, ..response.clone() };
        let failed = Respond::status(500);
        for response in [&wished, &failed] {
            let Ok(message) = self.write_response(request, flow, response, tag, contact) else {
                continue;
            };
            let class = Class::of(response.status);
            self.transactions.respond(now, id, class, message.to_bytes());
            return Some(class);
        }
        None
    }

    /// Answers a transaction's request with a bare status.
    pub(crate) fn answer(&mut self, now: Instant, id: ServerId, status: u16, tag: Tag) {
        let mut response = Respond::status(status);
        if status == 500 {
            // RFC 3261 §14.2: a second re-INVITE may be tried again in 0 to 10 s.
            let seconds = self.generator.next_u64() % 11;
            response.headers.push(("Retry-After".to_owned(), seconds.to_string()));
        }
        let Some((request, flow)) = self.transactions.received(id) else { return };
        if let Ok(message) = self.write_response(request, flow, &response, tag, None) {
            self.transactions.respond(now, id, Class::of(status), message.to_bytes());
        }
    }

    /// Answers a request without keeping anything of it: a repeated request gets the same answer
    /// again (RFC 3261 §8.2.7).
    pub(crate) fn answer_statelessly(
        &mut self,
        request: &Message,
        flow: Flow,
        key: &ServerKey,
        response: &Respond,
    ) {
        let tag = self.generator.tag_for(key.as_str());
        self.answer_with_tag(request, flow, response, tag);
    }

    /// [`Stack::answer_statelessly`] with a tag that is known already.
    pub(crate) fn answer_with_tag(
        &mut self,
        request: &Message,
        flow: Flow,
        response: &Respond,
        tag: Tag,
    ) {
        let Ok(mut message) = self.write_response(request, flow, response, tag, None) else {
            return;
        };
        // why: whoever forges its address must not be able to have more sent there than it sends.
        // What OPTIONS asks for is not left out (RFC 3261 §11.2).
        let longer = message.as_bytes().len() > request.as_bytes().len();
        if longer && !flow.transport.is_reliable() {
            let spare = ["Server", "Accept", "Supported"];
            let spare = if response.status >= 300 { &spare[..] } else { &spare[..1] };
            message = message.without(spare);
        }
        self.transactions.send(Hop::back(request, flow).transmit(message.to_bytes()));
    }
}
