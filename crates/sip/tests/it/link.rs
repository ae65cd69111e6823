//! Endpoints on a seeded link in virtual time: datagrams are lost, doubled, delayed and overtake
//! each other, no clock runs. An address without an endpoint belongs to the test, which reads
//! what reaches it in the log and sends what it likes. Over TCP the link keeps the order and loses
//! nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use sip::{Config, Endpoint, Event, Flow, Invite, InviteId, Message, Respond, Transport};

/// The switch under test, or the caller's side of it.
pub(crate) const ALICE: &str = "192.0.2.1:5060";
/// Its peer.
pub(crate) const BOB: &str = "198.51.100.2:5060";

/// What the link does to datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Of 1000 datagrams so many vanish.
    pub(crate) lost: u64,
    /// Of 1000 datagrams so many arrive twice.
    pub(crate) doubled: u64,
    /// The shortest way.
    pub(crate) delay: Duration,
    /// Up to so much longer, so that datagrams overtake each other.
    pub(crate) jitter: Duration,
}

impl Weather {
    pub(crate) const FAIR: Weather =
        Weather { lost: 0, doubled: 0, delay: Duration::from_millis(10), jitter: Duration::ZERO };
}

/// A generator of which nothing but repeatability is asked (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn millis(&mut self, limit: u64) -> Duration {
        Duration::from_millis(self.below(limit))
    }
}

/// A datagram as it was sent, lost or not.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) message: Message,
}

impl Sent {
    /// `INVITE`, `200 INVITE`: a request's method, or a response's status and method.
    pub(crate) fn what(&self) -> String {
        match self.message.status() {
            // why: the answer to a broken CSeq repeats it.
            Some(status) => match self.message.cseq() {
                Ok((_, method)) => format!("{status} {method}"),
                Err(_) => status.to_string(),
            },
            None => self.message.method().unwrap().to_string(),
        }
    }
}

/// The link and who is on it.
pub(crate) struct Net {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) peers: BTreeMap<SocketAddr, Endpoint>,
    pub(crate) events: BTreeMap<SocketAddr, VecDeque<Event>>,
    pub(crate) log: Vec<Sent>,
    pub(crate) weather: Weather,
    pub(crate) dice: Dice,
    /// What everybody speaks.
    pub(crate) transport: Transport,
    /// When the last message of a stream arrives, by its ends.
    streams: BTreeMap<(SocketAddr, SocketAddr), Instant>,
    /// Where messages of ours would connect to if their connection were gone.
    pub(crate) otherwise: Vec<(String, Option<SocketAddr>)>,
    under_way: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    sent: u64,
}

#[allow(clippy::disallowed_methods)] // An origin for virtual time; nothing waits for it.
fn epoch() -> Instant {
    Instant::now()
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn flow(local: &str, remote: &str) -> Flow {
    Flow { transport: Transport::Udp, local: address(local), remote: address(remote) }
}

impl Net {
    pub(crate) fn new(weather: Weather, seed: u64) -> Net {
        let start = epoch();
        Net {
            start,
            now: start,
            peers: BTreeMap::new(),
            events: BTreeMap::new(),
            log: Vec::new(),
            weather,
            dice: Dice(seed),
            transport: Transport::Udp,
            streams: BTreeMap::new(),
            otherwise: Vec::new(),
            under_way: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Alice and Bob in fair weather.
    pub(crate) fn pair() -> Net {
        let mut net = Net::new(Weather::FAIR, 1);
        net.join(ALICE, Config::default());
        net.join(BOB, Config::default());
        net
    }

    /// Alice alone; Bob is the test.
    pub(crate) fn alone() -> Net {
        let mut net = Net::new(Weather::FAIR, 1);
        net.join(ALICE, Config::default());
        net
    }

    pub(crate) fn join(&mut self, at: &str, config: Config) {
        let seed = self.dice.next();
        self.peers.insert(address(at), Endpoint::new(config, seed));
        self.events.insert(address(at), VecDeque::new());
    }

    pub(crate) fn clock(&self) -> Duration {
        self.now - self.start
    }

    /// Does something with an endpoint now, and takes what comes out of it.
    pub(crate) fn at<T>(&mut self, at: &str, act: impl FnOnce(&mut Endpoint, Instant) -> T) -> T {
        let at = address(at);
        let result = act(self.peers.get_mut(&at).unwrap(), self.now);
        self.collect(at);
        result
    }

    /// Puts bytes on the link.
    pub(crate) fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Ok(message) = Message::parse(bytes) {
            self.log.push(Sent { at: self.clock(), from, to, message });
        }
        let reliable = self.transport.is_reliable();
        let copies = match self.dice.below(1000) {
            _ if reliable => 1,
            roll if roll < self.weather.lost => 0,
            roll if roll < self.weather.lost + self.weather.doubled => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let jitter = self.weather.jitter.as_millis() as u64;
            let delay = self.weather.delay + self.dice.millis(jitter + 1);
            self.sent += 1;
            let mut arrives = self.now + delay;
            if reliable {
                let last = self.streams.entry((from, to)).or_insert(arrives);
                arrives = arrives.max(*last);
                *last = arrives;
            }
            self.under_way.insert((arrives, self.sent), (from, to, bytes.to_vec()));
        }
    }

    /// [`Net::send`] of a message written by the test, with `\n` for the line ends.
    pub(crate) fn write(&mut self, from: &str, to: &str, text: &str) {
        let bytes = text.replace('\n', "\r\n");
        self.send(address(from), address(to), bytes.as_bytes());
    }

    fn collect(&mut self, at: SocketAddr) {
        loop {
            let Some(peer) = self.peers.get_mut(&at) else { return };
            if let Some(event) = peer.poll_event() {
                self.events.get_mut(&at).unwrap().push_back(event);
            } else if let Some(transmit) = peer.poll_transmit() {
                assert_eq!(transmit.flow.transport, self.transport);
                self.send(transmit.flow.local, transmit.flow.remote, &transmit.bytes);
                if let Some(sent) = self.log.last() {
                    self.otherwise.push((sent.what(), transmit.otherwise));
                }
            } else {
                return;
            }
        }
    }

    /// When something happens next.
    pub(crate) fn next(&self) -> Option<Instant> {
        let datagram = self.under_way.keys().next().map(|(at, _)| *at);
        let timers = self.peers.values().filter_map(Endpoint::poll_timeout);
        timers.chain(datagram).min()
    }

    /// Lets the next thing happen; `false` if it lies beyond `until`. A datagram for an address
    /// without an endpoint is returned through `foreign`.
    pub(crate) fn step(&mut self, until: Instant, foreign: &mut Vec<Sent>) -> bool {
        let Some(next) = self.next().filter(|next| *next <= until) else { return false };
        self.now = self.now.max(next);
        let due = self.under_way.first_key_value().is_some_and(|((at, _), _)| *at <= self.now);
        if due {
            let (_, (from, to, bytes)) = self.under_way.pop_first().unwrap();
            if let Some(peer) = self.peers.get_mut(&to) {
                let flow = Flow { transport: self.transport, local: to, remote: from };
                peer.handle_datagram(self.now, flow, &bytes);
                self.collect(to);
            } else if let Ok(message) = Message::parse(&bytes) {
                foreign.push(Sent { at: self.clock(), from, to, message });
            }
            return true;
        }
        let addresses: Vec<SocketAddr> = self.peers.keys().copied().collect();
        for at in addresses {
            let peer = self.peers.get_mut(&at).unwrap();
            if peer.poll_timeout().is_some_and(|deadline| deadline <= self.now) {
                peer.handle_timeout(self.now);
                self.collect(at);
            }
        }
        true
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until, &mut Vec::new()) {}
        self.now = until;
    }

    pub(crate) fn millis(&mut self, millis: u64) {
        self.run(Duration::from_millis(millis));
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// The next event of an endpoint.
    #[track_caller]
    pub(crate) fn event(&mut self, at: &str) -> Event {
        let event = self.events.get_mut(&address(at)).unwrap().pop_front();
        event.unwrap_or_else(|| panic!("no event at {at}"))
    }

    /// Every event not yet taken, by name.
    pub(crate) fn names(&mut self, at: &str) -> Vec<&'static str> {
        self.events.get_mut(&address(at)).unwrap().drain(..).map(|event| name(&event)).collect()
    }

    /// What `from` has sent, and when in milliseconds.
    pub(crate) fn sent_by(&self, from: &str) -> Vec<(u64, String)> {
        let from = address(from);
        let sent = self.log.iter().filter(|sent| sent.from == from);
        sent.map(|sent| (sent.at.as_millis() as u64, sent.what())).collect()
    }

    /// When `from` sent such a message, in milliseconds.
    pub(crate) fn times(&self, from: &str, what: &str) -> Vec<u64> {
        let sent = self.sent_by(from).into_iter();
        sent.filter(|(_, sent)| sent == what).map(|(at, _)| at).collect()
    }

    /// The last message of that kind that `from` sent.
    #[track_caller]
    pub(crate) fn last(&self, from: &str, what: &str) -> Message {
        let from = address(from);
        let found = self.log.iter().rev().find(|sent| sent.from == from && sent.what() == what);
        found.unwrap_or_else(|| panic!("{from} sent no {what}")).message.clone()
    }

    /// Runs until every timer has run out, and finds nothing left anywhere.
    #[track_caller]
    pub(crate) fn assert_idle(&mut self) {
        self.seconds(600);
        for (at, peer) in &self.peers {
            assert!(peer.is_idle(), "{at} is not idle: {:?}", peer.counts());
            assert_eq!(peer.counts(), sip::Counts::default());
            assert_eq!(peer.poll_timeout(), None);
        }
    }
}

pub(crate) fn name(event: &Event) -> &'static str {
    match event {
        Event::Invite { .. } => "Invite",
        Event::Progress { .. } => "Progress",
        Event::Answered { .. } => "Answered",
        Event::Rejected { .. } => "Rejected",
        Event::Cancelled { .. } => "Cancelled",
        Event::Accepted { .. } => "Accepted",
        Event::Acked { .. } => "Acked",
        Event::Ended { .. } => "Ended",
        Event::Reinvite { .. } => "Reinvite",
        Event::Request { .. } => "Request",
        Event::Responded { .. } => "Responded",
        Event::Modified { .. } => "Modified",
        Event::NotModified { .. } => "NotModified",
        Event::RefreshChallenged { .. } => "RefreshChallenged",
        Event::Released { .. } => "Released",
    }
}

/// An INVITE from Alice to whoever is at `to`.
pub(crate) fn invite_to(to: &str) -> Invite {
    Invite {
        flow: flow(ALICE, to),
        large: None,
        request_uri: format!("sip:bob@{to}"),
        from: "\"Alice\" <sip:alice@a.example>".to_owned(),
        to: "<sip:bob@b.example>".to_owned(),
        contact_user: Some("alice".to_owned()),
        route: Vec::new(),
        max_forwards: 70,
        headers: vec![("X-Test".to_owned(), "yes".to_owned())],
        content_type: "application/sdp",
        body: b"v=0\r\n".to_vec(),
    }
}

/// 200 with an answer.
pub(crate) fn answer() -> Respond {
    Respond {
        status: 200,
        content_type: Some("application/sdp".to_owned()),
        body: b"v=0\r\n".to_vec(),
        ..Respond::default()
    }
}

impl Net {
    /// Alice calls Bob; both names of the call, Bob's phone not yet ringing.
    #[track_caller]
    pub(crate) fn call(&mut self) -> (InviteId, InviteId) {
        let mut invite = invite_to(BOB);
        invite.flow.transport = self.transport;
        let alice = self.at(ALICE, |endpoint, now| endpoint.invite(now, invite));
        self.millis(100);
        let Event::Invite { id: bob, .. } = self.event(BOB) else { panic!("no INVITE at Bob") };
        (alice, bob)
    }

    /// Alice calls Bob, who answers.
    #[track_caller]
    pub(crate) fn connected(&mut self) -> (InviteId, InviteId) {
        let (alice, bob) = self.call();
        self.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
        self.millis(100);
        assert_eq!(self.names(ALICE), ["Answered"]);
        assert_eq!(self.names(BOB), ["Acked"]);
        (alice, bob)
    }
}
