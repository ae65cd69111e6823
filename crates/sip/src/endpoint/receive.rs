//! A datagram's way to its transaction, session or refusal (RFC 3261 §8.2, §12.2.2).
//!
//! What is refused outside a transaction is refused without a state: a repeated request is
//! refused again in the same words. Everything here reads the peer's text and must not panic.

use std::time::{Duration, Instant};

use super::{Endpoint, Event, Flow, InviteId, RequestId, Respond};
use crate::{
    headers::{NameAddr, Via},
    invite::Session,
    message::Message,
    method::Method,
    options,
    parse::ParseErrorKind,
    random::parse_tag,
    stack::SUPPORTED,
    transaction::{
        key::{ClientKey, MergeKey, ServerKey},
        table::{Arrival, Purpose, ServerId},
    },
    uri::Scheme,
};

/// Retry-After of the 503 that an endpoint with too many transactions sends.
const OVERLOAD_RETRY_AFTER: Duration = Duration::from_secs(5);

/// A request, read as far as finding its place needs.
#[derive(Clone)]
struct Incoming {
    message: Message,
    flow: Flow,
    method: Method,
    via: Via,
    key: ServerKey,
    call_id: String,
    from_tag: String,
    to_tag: Option<String>,
    cseq: u32,
}

impl Endpoint {
    pub(super) fn receive(
        &mut self,
        now: Instant,
        flow: Flow,
        datagram: &[u8],
        admit: &mut dyn FnMut(&Message) -> bool,
    ) {
        match Message::parse(datagram) {
            Ok(message) if message.is_request() => {
                self.receive_request(now, flow, &message, admit);
            }
            Ok(message) => self.receive_response(now, &message),
            Err(error) => match error.request {
                Some(request) if admit(&request) => {
                    let status = match error.kind {
                        ParseErrorKind::OverLimit => 413,
                        _ => 400,
                    };
                    self.refuse_broken(&request, flow, status);
                }
                Some(_) => self.dropped += 1,
                None if error.kind == ParseErrorKind::KeepAlive => {}
                None => self.dropped += 1,
            },
        }
    }

    // Responses.

    fn receive_response(&mut self, now: Instant, response: &Message) {
        let found = response.check().ok().and_then(|()| {
            let key = ClientKey::of_response(&response.top_via().ok()?, &response.cseq().ok()?.1)?;
            Some((key, self.stack.transactions.owner(key)?))
        });
        let Some((key, (id, purpose))) = found else {
            self.dropped += 1;
            return;
        };
        let upshot = self.stack.transactions.response(now, key, response);
        if !upshot.inform {
            return;
        }
        let is_final = response.status() >= Some(200);
        self.with(id, |session, stack| match purpose {
            Purpose::Invite => session.handle_response(stack, now, response),
            _ if !is_final => {}
            Purpose::Bye => session.bye_done(stack, now),
            Purpose::Refresh => session.refreshed(stack, now, response),
            Purpose::Reinvite => session.handle_change_response(stack, now, response),
            Purpose::Request(request) => session.responded(stack, now, request, response),
            Purpose::Cancel | Purpose::Prack | Purpose::DropFork => {}
        });
    }

    // Requests.

    fn receive_request(
        &mut self,
        now: Instant,
        flow: Flow,
        message: &Message,
        admit: &mut dyn FnMut(&Message) -> bool,
    ) {
        let Some(request) = read(message.clone(), flow) else {
            match admit(message) {
                true => self.refuse_broken(message, flow, 400),
                false => self.dropped += 1,
            }
            return;
        };
        if let Some(id) = self.stack.transactions.find(&request.key) {
            if request.method != Method::Ack {
                self.stack.transactions.repeated(now, id);
            } else if self.stack.transactions.acknowledged(now, id).inform {
                self.receive_ack(now, &request);
            }
            return;
        }
        match request.method {
            Method::Ack => self.receive_ack(now, &request),
            Method::Cancel => self.receive_cancel(now, &request, admit),
            _ => match self.session_of(&request) {
                Some(id) => self.receive_within(now, id, &request),
                None if !admit(message) => self.dropped += 1,
                // RFC 3261 §10.2: a REGISTER makes no dialog, whatever its To says.
                None if request.to_tag.is_some() && request.method != Method::Register => {
                    self.answer(&request, 481);
                }
                None => self.receive_new(now, request),
            },
        }
    }

    fn receive_ack(&mut self, now: Instant, request: &Incoming) {
        if let Some(id) = self.session_of(request) {
            let Incoming { message, cseq, .. } = request;
            self.with(id, |session, stack| session.handle_ack(stack, now, message, *cseq));
        }
    }

    /// RFC 3261 §9.2: 200 if there is an INVITE to cancel, answered or not, else 481.
    fn receive_cancel(
        &mut self,
        now: Instant,
        request: &Incoming,
        admit: &mut dyn FnMut(&Message) -> bool,
    ) {
        let Some((transaction, id)) = self.cancelled_by(request) else {
            match admit(&request.message) {
                true => self.answer(request, 481),
                false => self.dropped += 1,
            }
            return;
        };
        let Incoming { message, flow, .. } = request;
        self.with(id, |session, stack| {
            stack.answer_with_tag(message, *flow, &Respond::status(200), session.tag());
            session.handle_cancel(stack, now, transaction, message);
        });
    }

    /// The INVITE that a CANCEL means. RFC 3261 §9.1: a CANCEL goes hop by hop, so it comes from
    /// the address that the INVITE came from, with the same branch, Call-ID and From.
    fn cancelled_by(&mut self, request: &Incoming) -> Option<(ServerId, InviteId)> {
        let key = ServerKey::new(&request.message, &request.via, &Method::Invite);
        let transaction = self.stack.transactions.find(&key)?;
        let id = self.stack.transactions.server_owner(transaction)?;
        let from = self.stack.transactions.came_from(transaction)?;
        let session = self.sessions.get_mut(&id)?;
        let meant = from.remote.ip() == request.flow.remote.ip()
            && session.is_cancelled_by(&request.call_id, &request.from_tag);
        meant.then_some((transaction, id))
    }

    /// A request outside a dialog (RFC 3261 §8.2).
    fn receive_new(&mut self, now: Instant, request: Incoming) {
        if self.stack.transactions.len() >= self.max_transactions {
            let seconds = OVERLOAD_RETRY_AFTER.as_secs().to_string();
            self.answer_with(&request, 503, &[("Retry-After", &seconds)]);
            return;
        }
        let too_short = || self.stack.timers.refuses(&request.message);
        if let Some(response) = refusal(&request).or_else(too_short) {
            self.stack.answer_statelessly(&request.message, request.flow, &request.key, &response);
            return;
        }
        if request.method == Method::Options {
            self.answer_options(&request);
            return;
        }
        if matches!(request.method, Method::Bye | Method::Prack) {
            self.answer(&request, 481);
            return;
        }
        let merge =
            MergeKey::new(&request.call_id, &request.from_tag, request.cseq, &request.method);
        if self.stack.transactions.is_merged(&merge) {
            self.answer(&request, 482);
        } else if request.method == Method::Invite {
            self.receive_invite(now, request, merge);
        } else {
            self.pass_on(now, request, Some(merge), None);
        }
    }

    fn receive_invite(&mut self, now: Instant, request: Incoming, merge: MergeKey) {
        let Incoming { message, flow, key, .. } = request;
        let id = self.next_id();
        let arrival = Arrival { key, merge: Some(merge), flow, request: &message, invite: true };
        let Ok(session) = Session::accept(&mut self.stack, now, id, arrival) else {
            // RFC 3261 §8.1.1.8: an INVITE without a Contact makes no dialog.
            self.refuse_broken(&message, flow, 400);
            return;
        };
        if self.trying_at_once {
            session.trying(&mut self.stack, now);
        }
        self.insert(id, session);
        self.stack.events.push_back(Event::Invite { id, request: message, flow });
    }

    /// Hands a request to the core.
    fn pass_on(
        &mut self,
        now: Instant,
        request: Incoming,
        merge: Option<MergeKey>,
        id: Option<InviteId>,
    ) {
        let Incoming { message, flow, key, .. } = request;
        let arrival = Arrival { key, merge, flow, request: &message, invite: false };
        let transaction = self.stack.transactions.accept(now, arrival, id);
        if let Some(session) = id.and_then(|id| self.sessions.get_mut(&id)) {
            session.handed_up(&message, transaction);
        }
        let request_id = RequestId(transaction.0);
        self.stack.events.push_back(Event::Request { id, request_id, request: message, flow });
    }

    // Requests within a dialog.

    /// The session whose dialog a request names.
    fn session_of(&mut self, request: &Incoming) -> Option<InviteId> {
        let id = *self.tags.get(&parse_tag(request.to_tag.as_deref()?)?)?;
        let session = self.sessions.get_mut(&id)?;
        let known = session.dialog(&request.call_id, &request.from_tag).is_some()
            || request.method == Method::Bye
                && session.call_id() == request.call_id
                && session.expects_bye(&request.from_tag);
        known.then_some(id)
    }

    fn receive_within(&mut self, now: Instant, id: InviteId, request: &Incoming) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let too_short = || self.stack.timers.refuses(&request.message);
        let refusal = refusal_of_method(request).or_else(|| refusal_of_require(request));
        if let Some(response) = refusal.or_else(too_short) {
            self.stack.answer_statelessly(&request.message, request.flow, &request.key, &response);
            return;
        }
        let dialog = session.dialog(&request.call_id, &request.from_tag);
        if dialog.is_some_and(|dialog| !dialog.in_order(request.cseq)) {
            self.answer(request, 500);
            return;
        }
        match request.method {
            Method::Bye => self.receive_bye(now, id, request),
            _ if session.is_over() => self.answer(request, 481),
            Method::Invite => self.receive_reinvite(now, id, request),
            Method::Options => self.answer_options(request),
            Method::Prack if !session.expects_prack(&request.message) => self.answer(request, 481),
            Method::Prack => self.receive_prack(now, id, request),
            Method::Update => match session.refuses_update(&self.stack, &request.message) {
                Some(status) => self.answer_for_now(request, status),
                None => self.pass_on(now, request.clone(), None, Some(id)),
            },
            _ => self.pass_on(now, request.clone(), None, Some(id)),
        }
    }

    fn receive_bye(&mut self, now: Instant, id: InviteId, request: &Incoming) {
        let Incoming { message, flow, key, from_tag, .. } = request;
        let arrival =
            Arrival { key: key.clone(), merge: None, flow: *flow, request: message, invite: false };
        let transaction = self.stack.transactions.accept(now, arrival, Some(id));
        self.with(id, |session, stack| {
            session.transaction_started();
            stack.answer(now, transaction, 200, session.tag());
            session.handle_bye(stack, now, message, from_tag);
        });
    }

    /// The PRACK of a response of ours. One that describes the session is the core's to answer.
    fn receive_prack(&mut self, now: Instant, id: InviteId, request: &Incoming) {
        let Incoming { message, flow, key, .. } = request;
        if message.body().is_empty() {
            let key = key.clone();
            let arrival =
                Arrival { key, merge: None, flow: *flow, request: message, invite: false };
            let transaction = self.stack.transactions.accept(now, arrival, Some(id));
            self.with(id, |session, stack| {
                session.transaction_started();
                stack.answer(now, transaction, 200, session.tag());
            });
        } else {
            self.pass_on(now, request.clone(), None, Some(id));
        }
        self.with(id, |session, stack| session.handle_prack(stack, now, message));
    }

    fn receive_reinvite(&mut self, now: Instant, id: InviteId, request: &Incoming) {
        let Incoming { message, flow, key, cseq, .. } = request;
        let session = self.sessions.get_mut(&id);
        if let Some(status) = session.and_then(|session| session.refuses_reinvite()) {
            return self.answer_for_now(request, status);
        }
        let arrival =
            Arrival { key: key.clone(), merge: None, flow: *flow, request: message, invite: true };
        let transaction = self.stack.transactions.accept(now, arrival, Some(id));
        self.with(id, |session, stack| {
            session.handle_reinvite(stack, now, transaction, message, *cseq);
        });
    }

    // Answers.

    fn answer(&mut self, request: &Incoming, status: u16) {
        self.answer_with(request, status, &[]);
    }

    /// Refuses what may be tried again.
    fn answer_for_now(&mut self, request: &Incoming, status: u16) {
        if status != 500 {
            return self.answer(request, status);
        }
        // RFC 3261 §14.2, RFC 3311 §5.2: 0 to 10 s, at random.
        let seconds = (self.stack.generator.next_u64() % 11).to_string();
        self.answer_with(request, 500, &[("Retry-After", &seconds)]);
    }

    fn answer_with(&mut self, request: &Incoming, status: u16, headers: &[(&str, &str)]) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let response = Respond { headers: headers.collect(), ..Respond::status(status) };
        self.stack.answer_statelessly(&request.message, request.flow, &request.key, &response);
    }

    fn answer_options(&mut self, request: &Incoming) {
        let answer = options::answer();
        self.stack.answer_statelessly(&request.message, request.flow, &request.key, &answer);
    }

    /// Refuses a request that can be answered with `status`, or with what is wrong before all
    /// else; nothing for any other.
    ///
    /// It can be where all is there that an answer repeats, readable or not: the answer goes where
    /// the request came from, whatever its Via says.
    fn refuse_broken(&mut self, request: &Message, flow: Flow, status: u16) {
        let repeated = ["Via", "From", "To", "Call-ID", "CSeq"];
        let complete = repeated.iter().all(|name| request.header(name).is_some());
        let Some(method) = request.method().filter(|method| complete && *method != Method::Ack)
        else {
            self.dropped += 1;
            return;
        };
        let status = match &method {
            _ if request.version() != "SIP/2.0" => 505,
            // RFC 3261 §8.2.1: the method is looked at first.
            Method::Other(_) => 501,
            _ => status,
        };
        let key = match request.top_via() {
            Ok(via) => ServerKey::new(request, &via, &method),
            Err(_) => ServerKey::of_unreadable(request),
        };
        self.stack.answer_statelessly(request, flow, &key, &Respond::status(status));
    }
}

/// Reads a request; `None` if what every request must have is missing or broken.
fn read(message: Message, flow: Flow) -> Option<Incoming> {
    message.check().ok()?;
    let via = message.top_via().ok()?;
    let method = message.method()?;
    let key = ServerKey::new(&message, &via, &method);
    let from_tag = message.from().ok()?.tag().unwrap_or_default().to_owned();
    let to_tag = message.to().ok()?.tag().map(str::to_owned);
    let call_id = message.call_id().ok()?.into_owned();
    let (cseq, _) = message.cseq().ok()?;
    Some(Incoming { message, flow, method, via, key, call_id, from_tag, to_tag, cseq })
}

/// What RFC 3261 §8.2 refuses before anybody looks at a request outside a dialog.
fn refusal(request: &Incoming) -> Option<Respond> {
    if request.message.version() != "SIP/2.0" {
        return Some(Respond::status(505));
    }
    if let Some(response) = refusal_of_method(request) {
        return Some(response);
    }
    match request.message.uri() {
        Ok(uri) if matches!(uri.scheme, Scheme::Other(_)) => return Some(Respond::status(416)),
        Ok(_) => {}
        Err(_) => return Some(Respond::status(400)),
    }
    // RFC 3261 §11: an OPTIONS that may go no further is answered as if it were for us.
    let hops = request.message.max_forwards().ok().flatten();
    if hops == Some(0) && request.method != Method::Options {
        return Some(Respond::status(483));
    }
    if request.method == Method::Register && !contacts_are_readable(&request.message) {
        return Some(Respond::status(400));
    }
    refusal_of_require(request)
}

/// RFC 3261 §10.3: a REGISTER whose bindings cannot be read changes none. Said before anybody is
/// asked for a password.
fn contacts_are_readable(request: &Message) -> bool {
    request
        .header_values("Contact")
        .all(|value| value == b"*" || NameAddr::parse(&String::from_utf8_lossy(value)).is_ok())
}

/// RFC 3261 §8.2.1: 501 for a method that nobody knows; and what no method but one may carry.
fn refusal_of_method(request: &Incoming) -> Option<Respond> {
    match request.method {
        Method::Other(_) => Some(Respond::status(501)),
        Method::Invite => None,
        // RFC 3891 §3: nothing else replaces a dialog.
        _ => request.message.header("Replaces").map(|_| Respond::status(400)),
    }
}

/// RFC 3261 §8.2.2.3: what is required and not implemented is named.
fn refusal_of_require(request: &Incoming) -> Option<Respond> {
    let missing: Vec<String> = request
        .message
        .header_values("Require")
        .map(|option| String::from_utf8_lossy(option).into_owned())
        .filter(|option| !SUPPORTED.iter().any(|known| known.eq_ignore_ascii_case(option)))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let unsupported = ("Unsupported".to_owned(), missing.join(", "));
    Some(Respond { headers: vec![unsupported], ..Respond::status(420) })
}
