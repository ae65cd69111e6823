//! Calls in foul weather: everybody rings, answers, rejects, cancels and hangs up when the dice
//! say so, on a link that loses, doubles and reorders, or on connections that are merely slow.
//! Whatever happens, every session is released once, nothing is left, and nobody stays in a call
//! that the peer has left.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use sip::{Config, EndCause, Event, InDialog, Invite, InviteId, Method, Respond, Transport};

use crate::{
    forking_proxy::Proxy,
    link::{ALICE, BOB, Dice, Net, Weather, address, answer, invite_to, name},
};

const PROXY: &str = "203.0.113.5:5060";
const FORKS: [&str; 3] = [BOB, "198.51.100.3:5060", "198.51.100.4:5060"];

/// What somebody will do.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Ring,
    Answer,
    Reject,
    Cancel,
    HangUp,
    /// A re-INVITE.
    Change,
    /// Another request within the dialog.
    Ask,
}

/// What somebody knows of a session of theirs.
#[derive(Debug, Default)]
struct Known {
    /// The core has answered; the answer may still wait for a PRACK.
    answering: bool,
    up: bool,
    /// Its re-INVITE has no outcome yet.
    changing: bool,
    /// How many of its requests have none.
    asked: usize,
    outcomes: usize,
    hung_up: bool,
    ended: usize,
    released: usize,
}

/// Who ends an answered call.
#[derive(Clone, Copy, Debug)]
struct Fate {
    caller_hangs_up: bool,
    callee_hangs_up: bool,
    patience: Duration,
}

struct World {
    net: Net,
    dice: Dice,
    deeds: BTreeMap<(Instant, u64), (SocketAddr, InviteId, Deed)>,
    planned: u64,
    known: BTreeMap<(SocketAddr, InviteId), Known>,
    fates: BTreeMap<String, Fate>,
    callers: BTreeSet<(SocketAddr, InviteId)>,
    proxy: Option<Proxy>,
    /// Every kind of message and of end that there was.
    seen: BTreeSet<String>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice(seed.wrapping_mul(0x1234_5678_9abc_def1));
        let weather = Weather {
            lost: dice.below(250),
            doubled: dice.below(200),
            delay: dice.millis(50),
            jitter: dice.millis(1500),
        };
        World {
            net: Net::new(weather, seed),
            dice,
            deeds: BTreeMap::new(),
            planned: 0,
            known: BTreeMap::new(),
            fates: BTreeMap::new(),
            callers: BTreeSet::new(),
            proxy: None,
            seen: BTreeSet::new(),
        }
    }

    fn plan(&mut self, after: Duration, at: SocketAddr, id: InviteId, deed: Deed) {
        self.planned += 1;
        self.deeds.insert((self.net.now + after, self.planned), (at, id, deed));
    }

    fn call(&mut self, mut invite: Invite) {
        invite.flow.transport = self.net.transport;
        if self.dice.below(4) == 0 {
            invite.headers.push(("Require".to_owned(), "100rel".to_owned()));
        }
        let at = invite.flow.local;
        let id = self.net.at(&at.to_string(), |endpoint, now| endpoint.invite(now, invite));
        let ends = self.dice.below(3);
        let fate = Fate {
            caller_hangs_up: ends != 0,
            callee_hangs_up: ends != 1,
            // Now and then longer than the session timer.
            patience: match self.dice.below(8) {
                0 => self.dice.millis(400_000),
                _ => self.dice.millis(40_000),
            },
        };
        self.fates.insert(self.net.peers[&at].call_id(id).unwrap(), fate);
        self.callers.insert((at, id));
        if self.dice.below(3) == 0 {
            let after = self.dice.millis(8_000);
            self.plan(after, at, id, Deed::Cancel);
        }
        // why: nobody else ends the wait for a fork that the INVITE never reached.
        self.plan(Duration::from_secs(200), at, id, Deed::Cancel);
    }

    fn fate(&self, at: SocketAddr, id: InviteId) -> Option<Fate> {
        let call_id = self.net.peers[&at].call_id(id)?;
        self.fates.get(&call_id).copied()
    }

    fn hear(&mut self, at: SocketAddr, event: &Event) {
        let (Event::Invite { id, .. }
        | Event::Progress { id, .. }
        | Event::Answered { id, .. }
        | Event::Rejected { id, .. }
        | Event::Cancelled { id, .. }
        | Event::Accepted { id }
        | Event::Acked { id, .. }
        | Event::Ended { id, .. }
        | Event::Reinvite { id, .. }
        | Event::Responded { id, .. }
        | Event::Modified { id, .. }
        | Event::NotModified { id, .. }
        | Event::RefreshChallenged { id, .. }
        | Event::Request { id: Some(id), .. }
        | Event::Released { id }) = event
        else {
            panic!("nobody sent a {}", name(event));
        };
        let known = self.known.entry((at, *id)).or_default();
        assert_eq!(known.released, 0, "{} after Released", name(event));
        if let Event::Ended { cause, .. } = event {
            self.seen.insert(format!("{cause:?}"));
        }
        match event {
            Event::Invite { .. } => self.invited(at, *id),
            Event::Answered { .. } => {
                known.outcomes += 1;
                known.up = true;
                self.plan_hang_up(at, *id);
            }
            Event::Rejected { .. } => known.outcomes += 1,
            Event::Cancelled { .. } => assert!(!known.up, "Cancelled after the answer"),
            Event::Acked { .. } => {
                assert!((known.up || known.answering) && !known.hung_up && known.ended == 0);
                if !std::mem::replace(&mut known.up, true) {
                    self.plan_hang_up(at, *id);
                }
            }
            Event::Ended { cause: EndCause::NoPrack, .. } => {
                assert!(!known.up, "NoPrack after the answer");
                known.ended += 1;
            }
            Event::Ended { .. } => {
                let up = known.up || known.answering;
                assert!(up && !known.hung_up, "Ended of a call that was not up");
                known.up = false;
                known.ended += 1;
            }
            Event::Released { .. } => known.released += 1,
            Event::Modified { .. } | Event::NotModified { .. } => {
                assert!(std::mem::take(&mut known.changing), "an outcome of nothing");
                assert!(!known.hung_up && known.ended == 0);
            }
            Event::Responded { .. } => known.asked -= 1,
            Event::Reinvite { .. } => {
                let response =
                    if self.dice.below(4) == 0 { Respond::status(488) } else { answer() };
                let place = at.to_string();
                self.net.at(&place, |endpoint, now| endpoint.respond_reinvite(now, *id, response));
            }
            Event::Request { request_id, .. } => {
                let response =
                    if self.dice.below(4) == 0 { Respond::status(480) } else { answer() };
                let place = at.to_string();
                self.net.at(&place, |endpoint, now| endpoint.reply(now, *request_id, response));
            }
            _ => {}
        }
    }

    fn invited(&mut self, at: SocketAddr, id: InviteId) {
        for _ in 0..self.dice.below(4) {
            let after = self.dice.millis(2_000);
            self.plan(after, at, id, Deed::Ring);
        }
        let deed = match self.dice.below(4) {
            0 => Deed::Reject,
            1..3 => Deed::Answer,
            _ => {
                self.plan(Duration::from_secs(180), at, id, Deed::Reject);
                return;
            }
        };
        let after = self.dice.millis(10_000);
        self.plan(after, at, id, deed);
    }

    fn plan_hang_up(&mut self, at: SocketAddr, id: InviteId) {
        let Some(fate) = self.fate(at, id) else { return };
        for _ in 0..self.dice.below(4) {
            let deed = if self.dice.below(2) == 0 { Deed::Change } else { Deed::Ask };
            let after = self.dice.millis(fate.patience.as_millis() as u64 + 1);
            self.plan(after, at, id, deed);
        }
        let caller = self.callers.contains(&(at, id));
        if if caller { fate.caller_hangs_up } else { fate.callee_hangs_up } {
            // Now and then to the millisecond when the peer does, or before the ACK.
            let jitter = if self.dice.below(2) == 0 { self.dice.below(3_000) } else { 0 };
            let after = match self.dice.below(5) {
                0 => Duration::ZERO,
                _ => fate.patience + Duration::from_millis(jitter),
            };
            self.plan(after, at, id, Deed::HangUp);
        }
    }

    fn act(&mut self, at: SocketAddr, id: InviteId, deed: Deed) {
        let place = at.to_string();
        let answering = matches!(deed, Deed::Answer);
        let open = self.known.get(&(at, id)).is_none_or(|known| known.released == 0);
        let described = self.dice.below(2) == 0;
        let request = self.request();
        let before = self.net.log.len();
        let (mut changing, mut asked) = (false, false);
        self.net.at(&place, |endpoint, now| match deed {
            Deed::Change => {
                changing = endpoint.reinvite(now, id, b"v=0\r\n", "application/sdp", &[]);
            }
            Deed::Ask => asked = endpoint.request(now, id, request).is_some(),
            Deed::Ring if described => {
                endpoint.respond(now, id, Respond { status: 183, ..answer() });
            }
            Deed::Ring => endpoint.respond(now, id, Respond::status(180)),
            Deed::Answer => endpoint.respond(now, id, answer()),
            Deed::Reject => endpoint.respond(now, id, Respond::status(486)),
            Deed::Cancel => endpoint.cancel(now, id, None),
            Deed::HangUp => endpoint.bye(now, id, &[]),
        });
        let Some(known) = self.known.get_mut(&(at, id)) else { return };
        // An answer after the CANCEL is none.
        let answered = self.net.log[before..].iter().any(|sent| sent.what() == "200 INVITE");
        known.answering |= answering && open;
        known.changing |= changing;
        known.asked += usize::from(asked);
        if answering && open && answered {
            known.up = true;
            self.plan_hang_up(at, id);
        } else if matches!(deed, Deed::HangUp) && open {
            known.up = false;
            known.hung_up = true;
        }
    }

    /// Something to ask the peer.
    fn request(&mut self) -> InDialog {
        match self.dice.below(3) {
            0 => InDialog::method(Method::Info),
            1 => InDialog::method(Method::Notify),
            _ => InDialog {
                content_type: Some("application/sdp".to_owned()),
                body: b"v=0\r\n".to_vec(),
                ..InDialog::method(Method::Update)
            },
        }
    }

    /// A node whose sessions expire soon, or not at all.
    fn config(&mut self) -> Config {
        let expires = [90, 120, 1800].map(|seconds| Some(Duration::from_secs(seconds)));
        let which = self.dice.below(4) as usize;
        let session_expires = expires.get(which).copied().flatten();
        Config { session_expires, ..Config::default() }
    }

    /// Runs until nothing happens any more.
    fn run(&mut self) {
        let end = self.net.now + Duration::from_secs(3_600);
        loop {
            let addresses: Vec<SocketAddr> = self.net.peers.keys().copied().collect();
            for at in addresses {
                while let Some(event) = self.net.events.get_mut(&at).unwrap().pop_front() {
                    self.hear(at, &event);
                }
            }
            let deed = self.deeds.keys().next().map(|(at, _)| *at);
            let next = self.net.next();
            if deed.is_some_and(|deed| next.is_none_or(|next| deed <= next)) {
                let ((at, _), (peer, id, deed)) = self.deeds.pop_first().unwrap();
                self.net.now = self.net.now.max(at);
                self.act(peer, id, deed);
                continue;
            }
            let mut foreign = Vec::new();
            if !self.net.step(end, &mut foreign) {
                break;
            }
            for sent in foreign {
                let Some(proxy) = &mut self.proxy else { panic!("{sent:?} went astray") };
                for (to, bytes) in proxy.handle(&sent) {
                    self.net.send(sent.to, to, &bytes);
                }
            }
        }
    }

    fn assert_nothing_is_left(&mut self) {
        self.seen.extend(self.net.log.iter().map(|sent| sent.what()));
        for (at, peer) in &self.net.peers {
            assert!(peer.is_idle(), "{at} is not idle: {:?}", peer.counts());
        }
        for ((at, id), known) in &self.known {
            assert_eq!(known.released, 1, "{at} {id}: {known:?}");
            assert!(known.ended <= 1 && !known.up, "{at} {id}: {known:?}");
            assert_eq!(known.asked, 0, "{at} {id}: {known:?}");
            let caller = self.callers.contains(&(*at, *id));
            assert_eq!(known.outcomes, usize::from(caller), "{at} {id}: {known:?}");
        }
        assert!(self.callers.iter().all(|caller| self.known.contains_key(caller)));
    }
}

/// Runs one seed, and names it if it fails.
fn survive(
    scenario: &str,
    seed: u64,
    run: impl Fn(u64) -> BTreeSet<String> + std::panic::RefUnwindSafe,
) -> BTreeSet<String> {
    std::panic::catch_unwind(|| run(seed)).unwrap_or_else(|panic| {
        eprintln!("{scenario}: seed {seed} fails");
        std::panic::resume_unwind(panic)
    })
}

fn two_peers(seed: u64, transport: Transport) -> BTreeSet<String> {
    let mut world = World::new(seed);
    world.net.transport = transport;
    for at in [ALICE, BOB] {
        let config = world.config();
        world.net.join(at, config);
    }
    for _ in 0..=world.dice.below(2) {
        world.call(invite_to(BOB));
    }
    if world.dice.below(2) == 0 {
        let mut back = invite_to(ALICE);
        back.flow.local = address(BOB);
        world.call(back);
    }
    world.run();
    world.assert_nothing_is_left();
    world.seen
}

fn behind_a_forking_proxy(seed: u64) -> BTreeSet<String> {
    let mut world = World::new(seed);
    world.net.join(ALICE, Config::default());
    for fork in FORKS {
        world.net.join(fork, Config::default());
    }
    let forks = FORKS.iter().map(|fork| address(fork)).collect();
    world.proxy = Some(Proxy::new(address(PROXY), forks));
    world.call(invite_to(PROXY));
    world.run();
    world.assert_nothing_is_left();
    world.seen
}

#[test]
fn two_peers_survive_foul_weather() {
    let mut seen = BTreeSet::new();
    for seed in 0..2_000 {
        seen.extend(survive("two_peers", seed, |seed| two_peers(seed, Transport::Udp)));
    }
    for what in [
        "200 PRACK",
        "481 PRACK",
        "491 INVITE",
        "200 UPDATE",
        "491 UPDATE",
        "500 UPDATE",
        "200 INFO",
        "481 INFO",
        "Bye",
        "Gone",
        "Expired",
    ] {
        assert!(seen.contains(what), "there was no {what}: {seen:?}");
    }
}

#[test]
fn two_peers_survive_over_connections() {
    for seed in 0..1_000 {
        survive("two_peers over TCP", seed, |seed| two_peers(seed, Transport::Tcp));
    }
}

#[test]
fn forks_survive_foul_weather() {
    for seed in 0..1_000 {
        survive("behind_a_forking_proxy", seed, behind_a_forking_proxy);
    }
}
