//! What may stand behind the address of a phone: several phones and a proxy in front of them.
//!
//! A new INVITE goes to each line of the user that it names, so that a line of each number makes
//! an exchange and several lines of one number a fork (RFC 3261 §16.7). Provisional responses and
//! every 2xx pass; a failure passes once all have failed, with the status of the best. Lines that
//! would ring on are cancelled when another has answered; a line that is going to answer answers
//! all the same, as where the CANCEL of a proxy comes too late. Without input or output, as a
//! phone is.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use sip::{Builder, Flow, Message, Method, Transmit};

use crate::phone::{Note, Phone};
use crate::script::{Callee, Outcome, Script};

/// One phone behind it.
#[derive(Debug)]
struct Line {
    /// Who is called to reach it; anybody where there is none.
    user: Option<String>,
    phone: Phone,
}

impl Line {
    fn is_reached_by(&self, user: &str) -> bool {
        let number = |text: &str| text.trim_start_matches('+').to_owned();
        self.user.as_ref().is_none_or(|of_line| number(of_line) == number(user))
    }
}

/// One call, by its Call-ID.
#[derive(Debug)]
struct Forwarded {
    invite: Message,
    from: SocketAddr,
    lines: Vec<usize>,
    /// Whose dialog a To tag of ours is.
    tags: BTreeMap<String, usize>,
    failed: BTreeMap<usize, Message>,
    /// Whose failure passes, and what it says.
    last: Option<(usize, u16)>,
    answered: bool,
    cancelled: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Proxy {
    lines: Vec<Line>,
    calls: BTreeMap<String, Forwarded>,
    out: VecDeque<Transmit>,
}

impl Proxy {
    /// Phones that all ring.
    pub(crate) fn fork(name: &str, address: SocketAddr, callees: &[Callee], seed: u64) -> Proxy {
        let mut proxy = Proxy::default();
        for (index, callee) in callees.iter().enumerate() {
            let seed = seed ^ (0xF0_0000 + index as u64);
            let script = Script::Callee(callee.clone());
            proxy.line(None, Phone::new(name, address, script, seed));
        }
        proxy
    }

    /// One more phone, which calls to this user reach.
    pub(crate) fn line(&mut self, user: Option<String>, phone: Phone) {
        self.lines.push(Line { user, phone });
    }

    /// The first line that a call to this user reaches.
    pub(crate) fn name_of(&self, user: &str) -> Option<&str> {
        self.lines.iter().find(|line| line.is_reached_by(user)).map(|line| line.phone.name.as_str())
    }

    /// The phones behind it.
    pub(crate) fn phones(&self) -> impl Iterator<Item = &Phone> {
        self.lines.iter().map(|line| &line.phone)
    }

    pub(crate) fn handle_datagram(&mut self, now: Instant, flow: Flow, datagram: &[u8]) {
        let Ok(message) = Message::parse(datagram) else { return };
        let Ok(call_id) = message.call_id().map(|id| id.into_owned()) else { return };
        for line in &mut self.lines {
            line.phone.transport = flow.transport;
        }
        let is_new = message.is(&Method::Invite) && tag_of(&message, "To").is_none();
        if is_new && !self.calls.contains_key(&call_id) {
            self.take_in(&call_id, &message, flow);
        }
        for line in self.recipients(&call_id, &message) {
            self.feed(now, line, flow.remote, datagram);
        }
        self.pump(now);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for line in &mut self.lines {
            if line.phone.poll_timeout().is_some_and(|at| at <= now) {
                line.phone.handle_timeout(now);
            }
        }
        self.pump(now);
    }

    pub(crate) fn hang_up(&mut self, now: Instant) {
        for line in &mut self.lines {
            line.phone.hang_up(now);
        }
        self.pump(now);
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.phones().filter_map(Phone::poll_timeout).min()
    }

    /// All of its phones receive audio there.
    pub(crate) fn receive_at(&mut self, media: SocketAddr) {
        self.lines.iter_mut().for_each(|line| line.phone.receive_at(media));
    }

    /// A key that one of its phones presses.
    pub(crate) fn poll_key(&mut self) -> Option<(String, char)> {
        self.lines.iter_mut().find_map(|line| line.phone.poll_key())
    }

    /// What its phones saw since it was last asked.
    pub(crate) fn take_notes(&mut self) -> Vec<(Instant, Note)> {
        let mut notes = Vec::new();
        for line in &mut self.lines {
            notes.append(&mut line.phone.notes);
        }
        notes.sort_by_key(|(at, _)| *at);
        notes
    }

    /// What its phones received since it was last asked.
    pub(crate) fn take_received(&mut self) -> Vec<Message> {
        let lines = self.lines.iter_mut();
        lines.flat_map(|line| std::mem::take(&mut line.phone.received)).collect()
    }

    /// A new call: to all lines of the user that it names, or to nobody.
    fn take_in(&mut self, call_id: &str, invite: &Message, flow: Flow) {
        let uri = invite.uri().ok();
        let user = uri.as_ref().and_then(|uri| uri.user_decoded()).unwrap_or_default();
        let lines = self.lines.iter().enumerate().filter(|(_, line)| line.is_reached_by(&user));
        let lines: Vec<usize> = lines.map(|(index, _)| index).collect();
        if lines.is_empty() {
            let response = Builder::response_to(invite, 404, None).to_tag("nobody").build();
            let bytes = response.expect("what was read can be written").to_bytes();
            self.out.push_back(Transmit { flow, bytes, otherwise: None });
            return;
        }
        let forwarded = Forwarded {
            invite: invite.clone(),
            from: flow.remote,
            lines,
            tags: BTreeMap::new(),
            failed: BTreeMap::new(),
            last: None,
            answered: false,
            cancelled: false,
        };
        self.calls.insert(call_id.to_owned(), forwarded);
    }

    /// Whom a message from outside is for: inside a dialog one line, else all of the call.
    fn recipients(&mut self, call_id: &str, message: &Message) -> Vec<usize> {
        let Some(call) = self.calls.get_mut(call_id) else { return Vec::new() };
        call.cancelled |= message.is(&Method::Cancel);
        let tag = tag_of(message, if message.is_request() { "To" } else { "From" });
        match tag.and_then(|tag| call.tags.get(&tag)) {
            Some(line) => vec![*line],
            None if message.is(&Method::Ack) => Vec::new(),
            None => call.lines.clone(),
        }
    }

    fn feed(&mut self, now: Instant, line: usize, from: SocketAddr, datagram: &[u8]) {
        if let Some(line) = self.lines.get_mut(line) {
            line.phone.handle_datagram(now, from, datagram);
        }
    }

    /// What the lines want to send, until there is nothing.
    fn pump(&mut self, now: Instant) {
        for index in 0..self.lines.len() {
            while let Some(transmit) = self.lines[index].phone.poll_transmit() {
                self.forward(now, index, transmit);
            }
        }
        if self.lines.iter().all(|line| line.phone.is_idle()) {
            self.calls.clear();
        }
    }

    /// What a line wants to send: passed, changed or kept.
    fn forward(&mut self, now: Instant, line: usize, mut transmit: Transmit) {
        let Ok(message) = Message::parse(&transmit.bytes) else { return };
        let call_id = message.call_id().map(|id| id.into_owned()).unwrap_or_default();
        let method = message.cseq().map(|(_, method)| method).ok();
        let (Some(call), Some(status)) = (self.calls.get_mut(&call_id), message.status()) else {
            return self.out.push_back(transmit);
        };
        if let Some(tag) = tag_of(&message, "To").filter(|_| method == Some(Method::Invite)) {
            call.tags.entry(tag).or_insert(line);
        }
        let speaks = call.lines.iter().find(|line| !self.lines[**line].phone.is_gone());
        let first = speaks == Some(&line);
        match (method, status) {
            (Some(Method::Cancel), _) if !call.cancelled || !first => {}
            (Some(Method::Invite), 100) if !first => {}
            (Some(Method::Invite), 200..300) => {
                let had_answer = std::mem::replace(&mut call.answered, true);
                self.out.push_back(transmit);
                if !had_answer {
                    self.cancel_others(now, &call_id, line);
                }
            }
            (Some(Method::Invite), 300..) => {
                if let Some(status) = self.failed(now, &call_id, line, &message) {
                    let line_end = transmit.bytes.iter().position(|byte| *byte == b'\r');
                    let rest = &transmit.bytes[line_end.unwrap_or(0)..];
                    let reason = sip::default_reason(status);
                    let mut bytes = format!("SIP/2.0 {status} {reason}").into_bytes();
                    bytes.extend_from_slice(rest);
                    transmit.bytes = bytes.into();
                    self.out.push_back(transmit);
                }
            }
            _ => self.out.push_back(transmit),
        }
    }

    /// A line has failed, for the first time or again: the status to pass with its response, if
    /// that is the one which passes.
    fn failed(
        &mut self,
        now: Instant,
        call_id: &str,
        line: usize,
        response: &Message,
    ) -> Option<u16> {
        let call = self.calls.get_mut(call_id)?;
        if let Some((last, status)) = call.last {
            return (last == line).then_some(status);
        }
        call.failed.insert(line, response.clone());
        let alive = |line: &&usize| !self.lines[**line].phone.is_gone();
        let missing = call.lines.iter().filter(alive).any(|line| !call.failed.contains_key(line));
        if missing || call.answered {
            let (from, ack) = (call.from, derived(&call.invite, Method::Ack, Some(response)));
            self.feed(now, line, from, ack.as_bytes());
            return None;
        }
        let statuses = || call.failed.values().filter_map(Message::status);
        let best = statuses().find(|status| *status >= 600).or_else(|| statuses().min());
        call.last = best.map(|status| (line, status));
        best
    }

    /// One line answered: the others stop, but those that are going to answer as well.
    fn cancel_others(&mut self, now: Instant, call_id: &str, winner: usize) {
        let Some(call) = self.calls.get(call_id) else { return };
        let (from, cancel) = (call.from, derived(&call.invite, Method::Cancel, None));
        let stays = |script: &Script| {
            matches!(script, Script::Callee(Callee { outcome: Outcome::Answers(_), .. }))
        };
        let lines: Vec<usize> = call.lines.iter().copied().filter(|line| *line != winner).collect();
        for line in lines {
            if !stays(&self.lines[line].phone.script) {
                self.feed(now, line, from, cancel.as_bytes());
            }
        }
    }
}

fn tag_of(message: &Message, header: &str) -> Option<String> {
    message.address(header).ok()?.params.get("tag").map(str::to_owned)
}

/// The CANCEL of an INVITE, or the ACK of a failure of it (RFC 3261 §9.1, §17.1.1.3).
fn derived(invite: &Message, method: Method, response: Option<&Message>) -> Message {
    let uri = invite.request_uri().unwrap_or_default().into_owned();
    let cseq = invite.cseq().map_or(1, |(number, _)| number);
    let name = method.as_str().to_owned();
    let via = invite.header_text("Via").unwrap_or_default().into_owned();
    Builder::request(method, &uri)
        .header("Via", via)
        .copy(invite, "From")
        .copy(response.unwrap_or(invite), "To")
        .copy(invite, "Call-ID")
        .header("CSeq", format!("{cseq} {name}"))
        .header("Max-Forwards", 70)
        .build()
        .expect("what was read can be written")
}
