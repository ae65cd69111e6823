//! A phone that plays a script: calls, rings, answers, refuses, hangs up. What it does inside a
//! call is in `phone/talk.rs`.
//! Without input or output: the same phone plays in virtual time and over sockets.

mod talk;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::auth::digest::Algorithm;
use sip::{
    Challenger, Config, Endpoint, Event, Flow, Invite, InviteId, Message, Method, Respond, SentId,
    Transmit, Transport, Verdict,
};

use crate::proxy::Proxy;
use crate::script::{Callee, Challenge, Offer, Outcome, Refer, Script};

/// How long a phone rings that nobody answers. why: where all that it says is lost it may not be
/// cancelled (RFC 3261 §9.1), and would ring for ever.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long a phone waits before it tries again to change a session that is being changed.
const OFFER_AGAIN: Duration = Duration::from_millis(700);

/// Something a phone saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A new INVITE.
    Invited,
    /// A provisional response of this status; whether it held a description.
    Progress(u16, bool),
    /// Its call was answered.
    Answered,
    /// Its call was refused with this status and reason.
    Rejected(u16, String),
    /// The peer cancelled; the Reason header of the CANCEL.
    Cancelled(Option<String>),
    /// Its answer was acknowledged.
    Acked,
    /// Its re-INVITE or UPDATE was answered, with this status.
    Offered(u16),
    /// The dialog was ended by the peer.
    Ended,
    /// Nothing is left of the call.
    Released,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Ring,
    EarlyMedia,
    Answer,
    Refuse(u16),
    Hangup,
    Cancel,
    Vanish,
    Offer(Offer),
    Press(char),
    /// The REFER at this place.
    Refer(usize),
}

/// One phone.
#[derive(Debug)]
pub struct Phone {
    /// Its column in a ladder.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
    /// RTP address that its descriptions name.
    pub media: SocketAddr,
    /// What it does.
    pub script: Script,
    /// What it saw, with the time.
    pub notes: Vec<(Instant, Note)>,
    /// INVITEs and responses to its own INVITE that it received.
    pub received: Vec<Message>,
    /// Payload types it offers and answers, the preferred first.
    pub codecs: Vec<u8>,
    /// What it speaks; UDP unless it is told otherwise.
    pub transport: Transport,
    /// Whom it lets in; everybody where there is none.
    pub challenge: Option<Challenge>,
    /// So long after the first INVITE that it gets it is gone: it says nothing any more, and hears
    /// nothing. At once means that not even `100 Trying` comes.
    pub vanishes: Option<Duration>,
    /// What it does to the session of each call, so long after that was answered, or its own
    /// answer acknowledged.
    pub offers: Vec<(Duration, Offer)>,
    /// It does so by UPDATE (RFC 3311), and not by re-INVITE.
    pub updates: bool,
    /// What it says to whoever changes its session by re-INVITE: this status, after it has taken so
    /// many.
    pub stays: Option<(usize, u16)>,
    /// Keys that it presses, timed alike.
    pub keys: Vec<(Duration, char)>,
    /// How it refers the other party of each call elsewhere.
    pub refers: Vec<Refer>,
    /// Its REFERs that were answered: the number of each in its dialog, and the status.
    pub referred: Vec<(u32, u16)>,
    /// What it was told of its REFERs (RFC 3515 §2.4.5): the number of the REFER, the status, and
    /// whether that was the last.
    pub notified: Vec<(u32, u16, bool)>,
    gone: bool,
    /// Keys that were pressed, and the SIP Call-ID of the call.
    pressed: VecDeque<(String, char)>,
    /// Of its session description.
    version: u32,
    /// What stands behind its address.
    proxy: Option<Box<Proxy>>,
    challenger: Challenger,
    endpoint: Endpoint,
    agenda: BTreeMap<(Instant, InviteId, Act), ()>,
    up: BTreeSet<InviteId>,
    cancelled: BTreeSet<InviteId>,
    /// Calls that it has hung up.
    left: BTreeSet<InviteId>,
    /// Calls whose first answer, of ours or of the peer, was acknowledged.
    acked: BTreeSet<InviteId>,
    /// Its own call.
    called: Option<InviteId>,
    /// Requests of its own inside a call that have no final response yet.
    sent: BTreeMap<SentId, Method>,
    /// re-INVITEs in which the peer was to make the offer: Call-ID and number.
    asked: BTreeSet<(String, u32)>,
}

impl Phone {
    /// A phone at this address.
    pub fn new(name: &str, address: SocketAddr, script: Script, seed: u64) -> Phone {
        let proxy = match &script {
            Script::Forks(callees) => Some(Box::new(Proxy::fork(name, address, callees, seed))),
            _ => None,
        };
        Phone {
            name: name.to_owned(),
            address,
            media: SocketAddr::new(address.ip(), 40_000),
            script,
            notes: Vec::new(),
            received: Vec::new(),
            codecs: vec![0, 8],
            challenge: None,
            vanishes: None,
            offers: Vec::new(),
            updates: false,
            stays: None,
            keys: Vec::new(),
            refers: Vec::new(),
            referred: Vec::new(),
            notified: Vec::new(),
            gone: false,
            pressed: VecDeque::new(),
            version: 1,
            proxy,
            challenger: Challenger::new([7; 32]),
            transport: Transport::Udp,
            endpoint: Endpoint::new(Config::default(), seed),
            agenda: BTreeMap::new(),
            up: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            left: BTreeSet::new(),
            acked: BTreeSet::new(),
            called: None,
            sent: BTreeMap::new(),
            asked: BTreeSet::new(),
        }
    }

    /// An exchange at this address: a call to a user reaches the lines of that user, all of them
    /// at once where there are several, and 404 where there are none. Numbers are the same with
    /// and without a leading `+`.
    pub fn exchange(name: &str, address: SocketAddr, lines: Vec<(String, Phone)>) -> Phone {
        let mut phone = Phone::new(name, address, Script::Forks(Vec::new()), 0);
        let mut proxy = Proxy::default();
        for (user, line) in lines {
            proxy.line(Some(user), line);
        }
        phone.proxy = Some(Box::new(proxy));
        phone
    }

    /// It receives audio there, and so does whatever stands behind its address.
    pub fn receive_at(&mut self, media: SocketAddr) {
        self.media = media;
        if let Some(proxy) = &mut self.proxy {
            proxy.receive_at(media);
        }
    }

    /// The name of the line of an exchange that a call to this user reaches; the first of several.
    pub fn line_called(&self, user: &str) -> Option<&str> {
        self.proxy.as_ref()?.name_of(user)
    }

    /// It has vanished.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Makes the call of a [`Caller`](crate::Caller).
    pub fn call(&mut self, now: Instant, switch: SocketAddr) -> Option<InviteId> {
        let Script::Caller(caller) = &self.script else { return None };
        let caller = caller.clone();
        let id = self.endpoint.invite(
            now,
            Invite {
                flow: self.flow(switch),
                large: None,
                request_uri: caller.calls.clone(),
                from: caller.from,
                to: format!("<{}>", caller.calls),
                contact_user: None,
                route: Vec::new(),
                max_forwards: caller.max_forwards,
                headers: caller.headers,
                content_type: "application/sdp",
                body: self.description(),
            },
        );
        if let Some(after) = caller.cancels {
            self.agenda.insert((now + after, id, Act::Cancel), ());
        }
        self.called = Some(id);
        self.plan_refers(now, id, true);
        Some(id)
    }

    /// Hangs up now, every call that is up.
    pub fn hang_up(&mut self, now: Instant) {
        self.behind(|proxy| proxy.hang_up(now));
        let up: Vec<InviteId> = self.up.iter().copied().collect();
        for id in up {
            self.act(now, id, Act::Hangup);
        }
    }

    /// Gives its own call up, if that is not answered.
    pub fn cancel(&mut self, now: Instant) {
        let called = self.called;
        if let Some(id) = called {
            self.act(now, id, Act::Cancel);
        }
    }

    /// A datagram arrived.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let flow = self.flow(from);
        if self.gone || self.behind(|proxy| proxy.handle_datagram(now, flow, datagram)) {
            return;
        }
        self.endpoint.handle_datagram(now, self.flow(from), datagram);
        self.work(now);
    }

    /// The time of [`Phone::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.behind(|proxy| proxy.handle_timeout(now)) {
            return;
        }
        self.endpoint.handle_timeout(now);
        while let Some((&(at, id, act), ())) = self.agenda.first_key_value() {
            if at > now {
                break;
            }
            self.agenda.remove(&(at, id, act));
            self.act(now, id, act);
        }
        self.work(now);
    }

    /// What it sends.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        match &mut self.proxy {
            Some(proxy) => proxy.poll_transmit(),
            None => {
                let transmit = self.endpoint.poll_transmit()?;
                Some(self.completed(transmit))
            }
        }
    }

    /// A key that it presses, and the SIP Call-ID of the call in which it does.
    pub fn poll_key(&mut self) -> Option<(String, char)> {
        match &mut self.proxy {
            Some(proxy) => proxy.poll_key(),
            None => self.pressed.pop_front(),
        }
    }

    /// When [`Phone::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let act = self.agenda.first_key_value().map(|((at, ..), ())| *at);
        let behind = self.proxy.as_ref().and_then(|proxy| proxy.poll_timeout());
        [self.endpoint.poll_timeout(), act, behind].into_iter().flatten().min()
    }

    /// Calls that are up: answered and not ended.
    pub fn calls_up(&self) -> usize {
        self.up.len() + self.lines().map(Phone::calls_up).sum::<usize>()
    }

    /// Nothing is left of any call.
    pub fn is_idle(&self) -> bool {
        self.endpoint.is_idle() && self.up.is_empty() && self.lines().all(Phone::is_idle)
    }

    /// How often it saw this.
    pub fn saw(&self, wanted: &Note) -> usize {
        self.notes.iter().filter(|(_, note)| note == wanted).count()
    }

    /// When it first saw this.
    pub fn when(&self, wanted: &Note) -> Option<Instant> {
        self.notes.iter().find(|(_, note)| note == wanted).map(|(at, _)| *at)
    }

    /// The phones behind it.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Phone> {
        self.proxy.iter().flat_map(|proxy| proxy.phones())
    }

    /// Does this with what stands behind its address, and takes over what is seen there; whether
    /// there is anything.
    fn behind(&mut self, act: impl FnOnce(&mut Proxy)) -> bool {
        let Some(proxy) = &mut self.proxy else { return false };
        act(proxy);
        self.notes.extend(proxy.take_notes());
        self.received.extend(proxy.take_received());
        true
    }

    /// The plug is pulled.
    fn vanish(&mut self) {
        self.gone = true;
        self.endpoint = Endpoint::new(Config::default(), 0);
        self.agenda.clear();
        self.up.clear();
        self.cancelled.clear();
        self.called = None;
    }

    fn flow(&self, remote: SocketAddr) -> Flow {
        Flow { transport: self.transport, local: self.address, remote }
    }

    /// Its session description, G.711 and telephone-event.
    fn description(&self) -> Vec<u8> {
        let ip = self.media.ip();
        let formats: Vec<String> = self.codecs.iter().map(u8::to_string).collect();
        format!(
            "v=0\r\no=phone 1 {} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio {} RTP/AVP {} 101\r\na=rtpmap:101 telephone-event/8000\r\n",
            self.version,
            self.media.port(),
            formats.join(" ")
        )
        .into_bytes()
    }

    fn note(&mut self, now: Instant, note: Note) {
        self.notes.push((now, note));
    }

    fn described(&self, status: u16) -> Respond {
        let content_type = Some("application/sdp".to_owned());
        Respond { content_type, body: self.description(), ..Respond::status(status) }
    }

    fn act(&mut self, now: Instant, id: InviteId, act: Act) {
        match act {
            Act::Ring => self.endpoint.respond(now, id, Respond::status(180)),
            Act::EarlyMedia => {
                let response = self.described(183);
                self.endpoint.respond(now, id, response);
            }
            Act::Answer => {
                let response = self.described(200);
                self.endpoint.respond(now, id, response);
                self.up.insert(id);
            }
            Act::Refuse(status) => self.endpoint.respond(now, id, Respond::status(status)),
            Act::Cancel => {
                if !self.up.contains(&id) {
                    self.cancelled.insert(id);
                    self.endpoint.cancel(now, id, None);
                }
            }
            Act::Hangup => {
                if self.up.remove(&id) {
                    self.left.insert(id);
                    self.endpoint.bye(now, id, &[]);
                }
            }
            Act::Vanish => self.vanish(),
            Act::Offer(offer) => self.offer(now, id, offer),
            Act::Refer(place) => self.refer(now, id, place),
            Act::Press(key) => {
                let call_id = self.up.contains(&id).then(|| self.endpoint.call_id(id)).flatten();
                self.pressed.extend(call_id.map(|call_id| (call_id, key)));
            }
        }
    }

    fn work(&mut self, now: Instant) {
        while let Some(event) = self.endpoint.poll_event() {
            self.event(now, event);
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Invite { id, request, .. } => self.invited(now, id, &request),
            Event::Progress { response, .. } => {
                let described = !response.body().is_empty();
                let status = response.status().unwrap_or_default();
                self.note(now, Note::Progress(status, described));
                self.received.push(response);
            }
            Event::Answered { id, response } => self.answered(now, id, response),
            Event::Rejected { status, reason, response, .. } => {
                self.note(now, Note::Rejected(status, reason));
                self.received.extend(response);
            }
            Event::Cancelled { request, .. } => {
                let reason = request.header_text("Reason").map(|reason| reason.into_owned());
                self.note(now, Note::Cancelled(reason));
            }
            Event::Acked { id, .. } => {
                self.note(now, Note::Acked);
                // why: a re-INVITE of the peer has an answer, and that an ACK, as well.
                if self.acked.insert(id) {
                    if let Script::Callee(Callee { hangs_up: Some(after), .. }) = &self.script {
                        self.agenda.insert((now + *after, id, Act::Hangup), ());
                    }
                    self.plan_talk(now, id);
                }
            }
            Event::Modified { .. } => self.note(now, Note::Offered(200)),
            Event::NotModified { status, .. } => self.note(now, Note::Offered(status)),
            Event::Ended { id, .. } => {
                self.up.remove(&id);
                self.note(now, Note::Ended);
            }
            Event::Reinvite { id, .. } => {
                let response = match &mut self.stays {
                    Some((0, status)) => Respond::status(*status),
                    Some((takes, _)) => {
                        *takes -= 1;
                        self.described(200)
                    }
                    None => self.described(200),
                };
                self.endpoint.respond_reinvite(now, id, response);
            }
            Event::Request { id, request_id, request, .. } => {
                // why: who has hung up waits for nothing any more.
                let gone = id.is_some_and(|id| self.left.contains(&id));
                let status = if gone { 481 } else { 200 };
                self.endpoint.reply(now, request_id, Respond::status(status));
                if let Some(id) = id.filter(|_| request.is(&Method::Notify) && !gone) {
                    self.notified(now, id, &request);
                }
            }
            Event::Responded { sent, status, response, .. } => match self.sent.remove(&sent) {
                Some(Method::Refer) => {
                    let cseq = response.and_then(|response| response.cseq().ok());
                    self.referred.push((cseq.map_or(0, |(number, _)| number), status));
                }
                Some(_) => self.note(now, Note::Offered(status)),
                None => {}
            },
            // why: a phone has no credentials for a challenge inside a call.
            Event::Accepted { .. } | Event::RefreshChallenged { .. } => {}
            Event::Released { id } => {
                self.up.remove(&id);
                self.cancelled.remove(&id);
                self.acked.remove(&id);
                self.left.remove(&id);
                self.agenda.retain(|(_, of, _), ()| *of != id);
                self.note(now, Note::Released);
            }
        }
    }

    fn answered(&mut self, now: Instant, id: InviteId, response: Message) {
        self.note(now, Note::Answered);
        self.received.push(response);
        self.up.insert(id);
        self.acked.insert(id);
        let hangs_up = match &self.script {
            _ if self.cancelled.contains(&id) => Some(Duration::ZERO),
            Script::Caller(caller) => caller.hangs_up,
            Script::Callee(_) | Script::Forks(_) => None,
        };
        if let Some(after) = hangs_up {
            self.agenda.insert((now + after, id, Act::Hangup), ());
        }
        self.plan_talk(now, id);
    }

    /// Refuses an INVITE without the credentials that it wants; whether it did.
    fn challenged(&mut self, now: Instant, id: InviteId, request: &Message) -> bool {
        let Some(challenge) = self.challenge.clone() else { return false };
        let (asks, answers) = match challenge.status {
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => ("WWW-Authenticate", "Authorization"),
        };
        let given = request.header_text(answers);
        let source = self.address.ip();
        let verdict = given.as_ref().map(|given| {
            self.challenger.verify(now, source, &Method::Invite, given, |credentials| {
                let known = credentials.username == challenge.username;
                known.then(|| challenge.password.to_owned())
            })
        });
        if verdict == Some(Verdict::Ok) {
            return false;
        }
        let stale = verdict == Some(Verdict::Stale);
        let offers = if given.is_none() && challenge.forgets {
            Challenger::new([8; 32]).challenge(now, source, "phone", false)
        } else {
            self.challenger.challenge(now, source, "phone", stale)
        };
        let named = |algorithm: &Algorithm| {
            let name = format!("algorithm={},", algorithm.as_str());
            offers.iter().find(|offer| offer.contains(&name)).cloned()
        };
        let headers = challenge.algorithms.iter().filter_map(named);
        let headers = headers.map(|offer| (asks.to_owned(), offer)).collect();
        let refusal = Respond { headers, ..Respond::status(challenge.status) };
        self.endpoint.respond(now, id, refusal);
        true
    }

    fn invited(&mut self, now: Instant, id: InviteId, request: &Message) {
        self.note(now, Note::Invited);
        self.received.push(request.clone());
        match self.vanishes {
            Some(Duration::ZERO) => return self.vanish(),
            Some(after) => {
                self.agenda.insert((now + after, id, Act::Vanish), ());
            }
            None => {}
        }
        if self.challenged(now, id, request) {
            return;
        }
        let Script::Callee(callee) = self.script.clone() else {
            return self.endpoint.respond(now, id, Respond::status(486));
        };
        self.plan_refers(now, id, true);
        if let Some(after) = callee.rings {
            self.agenda.insert((now + after, id, Act::Ring), ());
        }
        if let Some(after) = callee.early_media {
            self.agenda.insert((now + after, id, Act::EarlyMedia), ());
        }
        match callee.outcome {
            Outcome::Answers(after) => {
                self.agenda.insert((now + after, id, Act::Answer), ());
            }
            Outcome::Refuses(status, after) => {
                self.agenda.insert((now + after, id, Act::Refuse(status)), ());
            }
            Outcome::Waits => {
                self.agenda.insert((now + PATIENCE, id, Act::Refuse(480)), ());
            }
        }
    }
}
