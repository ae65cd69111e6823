//! Sequences of broken, replayed and invented messages between the timers and wishes of real
//! calls: nothing panics, and once everybody has hung up nothing is left.

use std::{collections::BTreeSet, time::Duration};

use sip::{Config, Event, InviteId, RequestId, Respond};

use crate::link::{ALICE, BOB, Dice, Net, Weather, address, answer, invite_to};

const WORDS: [&str; 16] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "INFO",
    "UPDATE",
    "REGISTER",
    "200",
    "180",
    "487",
    "tag=",
    "branch=z9hG4bK",
    "CSeq: 2",
    "<sip:",
    "\r\n",
];

struct Attack {
    net: Net,
    dice: Dice,
    alices: BTreeSet<InviteId>,
    bobs: BTreeSet<InviteId>,
    requests: Vec<RequestId>,
}

impl Attack {
    fn new(seed: u64) -> Attack {
        let weather = Weather { lost: 50, doubled: 50, ..Weather::FAIR };
        let mut net = Net::new(weather, seed);
        net.join(ALICE, Config { max_transactions: 40, ..Config::default() });
        net.join(BOB, Config::default());
        let (alices, bobs) = (BTreeSet::new(), BTreeSet::new());
        Attack { net, dice: Dice(!seed), alices, bobs, requests: Vec::new() }
    }

    fn one_of(&mut self, ids: &BTreeSet<InviteId>) -> Option<InviteId> {
        let at = self.dice.below(ids.len().max(1) as u64) as usize;
        ids.iter().nth(at).copied()
    }

    /// A message seen before, changed in some places.
    fn replay(&mut self) {
        let count = self.net.log.len() as u64;
        if count == 0 {
            return;
        }
        let seen = self.net.log[self.dice.below(count) as usize].clone();
        let mut bytes = seen.message.as_bytes().to_vec();
        for _ in 0..self.dice.below(4) {
            let at = self.dice.below(bytes.len() as u64) as usize;
            let word = WORDS[self.dice.below(16) as usize].as_bytes();
            match self.dice.below(5) {
                0 => bytes[at] = self.dice.next() as u8,
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.splice(at..at, word.iter().copied())),
                3 => {
                    let other = WORDS[self.dice.below(16) as usize];
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let word = String::from_utf8_lossy(word).into_owned();
                    bytes = text.replace(&word, other).into_bytes();
                }
                _ => {
                    let end = (at + self.dice.below(40) as usize).min(bytes.len());
                    bytes.drain(at..end);
                }
            }
            if bytes.is_empty() {
                return;
            }
        }
        let to = if self.dice.below(2) == 0 { ALICE } else { BOB };
        self.net.send(seen.from, address(to), &bytes);
    }

    fn act(&mut self) {
        let (alices, bobs) = (self.alices.clone(), self.bobs.clone());
        let statuses = [180, 183, 200, 302, 404, 486, 603, 99, 700, 100];
        let response = match self.dice.below(3) {
            0 => answer(),
            _ => Respond::status(statuses[self.dice.below(10) as usize]),
        };
        let (alice, bob) = (self.one_of(&alices), self.one_of(&bobs));
        let deed = self.dice.below(8);
        let (place, id) = if self.dice.below(2) == 0 { (ALICE, alice) } else { (BOB, bob) };
        let request = self.requests.pop();
        if deed == 0 {
            let mut invite = invite_to(BOB);
            invite.flow.local = address(place);
            let id = self.net.at(place, |endpoint, now| endpoint.invite(now, invite));
            if place == ALICE { &mut self.alices } else { &mut self.bobs }.insert(id);
        }
        self.net.at(place, |endpoint, now| match (deed, id) {
            (1, Some(id)) => endpoint.cancel(now, id, Some("SIP")),
            (2 | 3, Some(id)) => endpoint.respond(now, id, response),
            (4, Some(id)) => endpoint.bye(now, id, &[("X".to_owned(), "y".to_owned())]),
            (5, Some(id)) => endpoint.respond_reinvite(now, id, response),
            (6, _) => endpoint.handle_transport_error(now, invite_to(BOB).flow),
            _ => request.into_iter().for_each(|id| endpoint.reply(now, id, response.clone())),
        });
        self.note();
    }

    fn note(&mut self) {
        for (place, ids) in [(ALICE, &mut self.alices), (BOB, &mut self.bobs)] {
            for event in self.net.events.get_mut(&address(place)).unwrap().drain(..) {
                match event {
                    Event::Request { request_id, .. } => self.requests.push(request_id),
                    Event::Released { id } => assert!(ids.remove(&id), "{id} released twice"),
                    Event::Invite { id, .. } => assert!(ids.insert(id)),
                    Event::Answered { id, .. }
                    | Event::Progress { id, .. }
                    | Event::Rejected { id, .. }
                    | Event::Cancelled { id, .. }
                    | Event::Accepted { id }
                    | Event::Acked { id, .. }
                    | Event::Ended { id, .. }
                    | Event::Reinvite { id, .. }
                    | Event::Responded { id, .. }
                    | Event::Modified { id, .. }
                    | Event::NotModified { id, .. }
                    | Event::RefreshChallenged { id, .. } => {
                        assert!(ids.contains(&id), "{id} is unknown");
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        for _ in 0..2 {
            self.net.seconds(300);
            self.note();
            for (place, ids) in [(ALICE, self.alices.clone()), (BOB, self.bobs.clone())] {
                for id in ids {
                    self.net.at(place, |endpoint, now| endpoint.bye(now, id, &[]));
                }
            }
        }
        self.net.assert_idle();
        self.note();
        assert!(self.alices.is_empty() && self.bobs.is_empty());
    }
}

fn attack(seed: u64) {
    let mut attack = Attack::new(seed);
    for _ in 0..60 {
        match attack.dice.below(4) {
            0 => attack.act(),
            1 | 2 => attack.replay(),
            _ => {
                let wait = match attack.dice.below(20) {
                    0 => Duration::from_secs(40),
                    _ => attack.dice.millis(400),
                };
                attack.net.run(wait);
                attack.note();
            }
        }
    }
    attack.finish();
}

#[test]
fn endpoints_survive_broken_and_replayed_messages() {
    for seed in 0..2_000 {
        if let Err(panic) = std::panic::catch_unwind(|| attack(seed)) {
            eprintln!("endpoints_survive_broken_and_replayed_messages: seed {seed} fails");
            std::panic::resume_unwind(panic);
        }
    }
}
