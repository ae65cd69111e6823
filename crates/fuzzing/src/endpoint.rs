//! Messages, wishes and time against one SIP endpoint: whatever comes in whatever order, each
//! session is released once, and once everybody has hung up nothing is left.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use sip::{Config, Counts, Endpoint, Event, Flow, Invite, InviteId, RequestId, Respond, Transport};

use crate::peer::Peer;
use crate::script::Script;

/// Things that happen in one script.
const STEPS_MAX: usize = 200;

/// Times that a timer may run out in one wait; more is a timer that arms itself for ever.
const TIMEOUTS_MAX: usize = 20_000;

/// Transactions at which new requests are refused.
const TRANSACTIONS_MAX: usize = 40;

/// How long the endpoint may take to forget everything.
const LONGEST: Duration = Duration::from_secs(300);

const STATUSES: [u16; 10] = [180, 183, 200, 302, 401, 486, 500, 603, 99, 700];

const WAITS: [u64; 8] = [0, 1, 100, 500, 1_000, 4_000, 32_000, 64_000];

const WORDS: [&str; 4] = ["SIP;cause=200", "a\r\nb", "", "x"];

struct Stage {
    now: Instant,
    endpoint: Endpoint,
    peer: Peer,
    alive: BTreeSet<InviteId>,
    released: BTreeSet<InviteId>,
    requests: Vec<RequestId>,
}

/// See the module.
pub fn endpoint(data: &[u8]) {
    let mut script = Script::new(data);
    let config = Config {
        max_transactions: TRANSACTIONS_MAX,
        trying_at_once: script.flag(),
        ..Config::default()
    };
    let mut stage = Stage {
        now: testkit::epoch(),
        endpoint: Endpoint::new(config, u64::from(script.byte())),
        peer: Peer::default(),
        alive: BTreeSet::new(),
        released: BTreeSet::new(),
        requests: Vec::new(),
    };
    for step in 1..=STEPS_MAX {
        if script.is_over() {
            break;
        }
        stage.step(&mut script);
        stage.collect();
        let counts = stage.endpoint.counts();
        assert!(counts.invites <= stage.alive.len(), "{counts:?}");
        assert!(counts.transactions <= TRANSACTIONS_MAX + 4 * step, "{counts:?} after {step}");
    }
    stage.finish();
}

fn flow(script: &mut Script<'_>) -> Flow {
    let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);
    let remote = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), 5060);
    let transport = script.pick(&[Transport::Udp, Transport::Udp, Transport::Udp, Transport::Tcp]);
    Flow { transport, local, remote }
}

impl Stage {
    fn step(&mut self, script: &mut Script<'_>) {
        let now = self.now;
        let id = self.alive.iter().rev().nth(script.below(self.alive.len())).copied();
        match (script.below(16), id) {
            (0..=6, _) => {
                let bytes = self.peer.says(script);
                let admitted = script.byte() != 255;
                let flow = flow(script);
                self.endpoint.handle_datagram_if(now, flow, &bytes, &mut |_| admitted);
            }
            (7, _) => self.run(Duration::from_millis(script.pick(&WAITS))),
            (8, _) => self.invite(script),
            (9, _) => self.endpoint.handle_transport_error(now, flow(script)),
            (10, _) => {
                let request = self.requests.pop();
                let response = respond(script);
                request.into_iter().for_each(|id| self.endpoint.reply(now, id, response.clone()));
            }
            (11, Some(id)) => self.endpoint.respond(now, id, respond(script)),
            (12, Some(id)) => self.endpoint.cancel(now, id, Some(script.pick(&WORDS))),
            (13, Some(id)) => {
                let headers = [("X-Test".to_owned(), script.pick(&WORDS).to_owned())];
                self.endpoint.bye(now, id, &headers);
            }
            (14, Some(id)) => self.endpoint.respond_reinvite(now, id, respond(script)),
            (15, Some(id)) => match script.below(4) {
                0 => self.endpoint.trying(now, id),
                1 => self.endpoint.refuse(now, id, respond(script)),
                2 => drop(self.endpoint.request_uri(id)),
                _ => {
                    let headers = [("Authorization".to_owned(), "Digest x=1".to_owned())];
                    self.endpoint.invite_again(now, id, &headers);
                }
            },
            _ => {}
        }
    }

    fn invite(&mut self, script: &mut Script<'_>) {
        let flow = flow(script);
        let large = script.flag().then_some(Flow { transport: Transport::Tcp, ..flow });
        let invite = Invite {
            flow,
            large,
            request_uri: "sip:b9@10.0.1.1".to_owned(),
            from: "\"Anna\" <sip:anna@10.0.0.1>".to_owned(),
            to: "<sip:b9@10.0.1.1>".to_owned(),
            contact_user: None,
            route: Vec::new(),
            max_forwards: 70,
            headers: vec![("X-Test".to_owned(), script.pick(&WORDS).to_owned())],
            content_type: "application/sdp",
            body: vec![b'x'; script.pick(&[10, 2_000])],
        };
        let id = self.endpoint.invite(self.now, invite);
        assert!(self.alive.insert(id));
    }

    /// Lets time pass, timer by timer.
    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        for _ in 0..TIMEOUTS_MAX {
            let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(due);
            self.endpoint.handle_timeout(self.now);
            self.collect();
        }
        panic!("timers without end");
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.peer.hears(&transmit.bytes);
        }
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                Event::Request { id, request_id, .. } => {
                    assert!(id.is_none_or(|id| self.alive.contains(&id)));
                    self.requests.push(request_id);
                }
                Event::Invite { id, .. } => assert!(self.alive.insert(id)),
                Event::Released { id } => {
                    assert!(self.alive.remove(&id), "{id} is released and was not there");
                    assert!(self.released.insert(id), "{id} is released twice");
                }
                Event::Answered { id, .. }
                | Event::Progress { id, .. }
                | Event::Rejected { id, .. }
                | Event::Cancelled { id, .. }
                | Event::Accepted { id }
                | Event::Acked { id, .. }
                | Event::Ended { id, .. }
                | Event::Responded { id, .. }
                | Event::Modified { id, .. }
                | Event::NotModified { id, .. }
                | Event::RefreshChallenged { id, .. }
                | Event::Reinvite { id, .. } => assert!(self.alive.contains(&id), "{id}"),
            }
        }
    }

    /// Everybody hangs up; then nothing is left.
    fn finish(&mut self) {
        for _ in 0..2 {
            self.run(LONGEST);
            for id in self.alive.clone() {
                self.endpoint.respond(self.now, id, Respond::status(480));
                self.endpoint.cancel(self.now, id, None);
                self.endpoint.bye(self.now, id, &[]);
                self.collect();
            }
        }
        self.run(LONGEST);
        self.collect();
        assert!(self.alive.is_empty(), "not released: {:?}", self.alive);
        assert_eq!(self.endpoint.counts(), Counts::default());
        assert!(self.endpoint.is_idle());
        assert_eq!(self.endpoint.poll_timeout(), None);
    }
}

fn respond(script: &mut Script<'_>) -> Respond {
    let mut response = Respond::status(script.pick(&STATUSES));
    if script.flag() {
        response.content_type = Some("application/sdp".to_owned());
        response.body = b"v=0\r\n".to_vec();
    }
    if script.byte() & 7 == 7 {
        response.headers.push(("X-Test".to_owned(), script.pick(&WORDS).to_owned()));
        response.reason = Some(script.pick(&WORDS).to_owned());
    }
    response
}
