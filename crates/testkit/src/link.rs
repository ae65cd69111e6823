//! A network that loses, repeats, delays and reorders datagrams, by a seed; or that cuts a stream
//! into pieces and delays them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::random::Random;

/// How bad the network is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Datagrams lost, in a hundred.
    pub loss: u64,
    /// Datagrams delivered twice, in a hundred.
    pub duplication: u64,
    /// Shortest time under way.
    pub delay_min: Duration,
    /// Longest time under way; what lies between reorders.
    pub delay_max: Duration,
}

impl Weather {
    /// Nothing is lost, everything takes 5 ms.
    pub const FAIR: Weather = Weather {
        loss: 0,
        duplication: 0,
        delay_min: Duration::from_millis(5),
        delay_max: Duration::from_millis(5),
    };

    /// One in fifty lost, one in fifty twice, up to 80 ms under way.
    pub const MILD: Weather = Weather {
        loss: 2,
        duplication: 2,
        delay_min: Duration::from_millis(1),
        delay_max: Duration::from_millis(80),
    };

    /// One in ten lost, one in ten twice, up to 400 ms under way.
    pub const FOUL: Weather = Weather {
        loss: 10,
        duplication: 10,
        delay_min: Duration::from_millis(1),
        delay_max: Duration::from_millis(400),
    };
}

/// One datagram that arrives.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// Where it arrives.
    pub to: SocketAddr,
    /// What it holds.
    pub bytes: Bytes,
}

/// Datagrams under way.
#[derive(Debug)]
pub struct Link {
    weather: Weather,
    under_way: BTreeMap<(Instant, u64), Datagram>,
    /// When the last piece of each stream arrives, by its ends.
    streams: BTreeMap<(SocketAddr, SocketAddr), Instant>,
    sent: u64,
}

impl Link {
    /// An empty network.
    pub fn new(weather: Weather) -> Link {
        Link { weather, under_way: BTreeMap::new(), streams: BTreeMap::new(), sent: 0 }
    }

    /// Sends a datagram, or loses it, or sends it twice; whether it will arrive.
    pub fn send(&mut self, now: Instant, random: &mut Random, datagram: &Datagram) -> bool {
        if random.chance(self.weather.loss) {
            return false;
        }
        let copies = if random.chance(self.weather.duplication) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = random.time(self.weather.delay_min..self.weather.delay_max);
            self.sent += 1;
            self.under_way.insert((now + delay, self.sent), datagram.clone());
        }
        true
    }

    /// Sends bytes over the connection between two ends: all of them arrive, in order, in pieces.
    pub fn stream(&mut self, now: Instant, random: &mut Random, datagram: &Datagram) {
        let Datagram { from, to, bytes } = datagram;
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let length = usize::try_from(random.below(1_500) + 1).unwrap_or(1).min(rest.len());
            let piece = Datagram { from: *from, to: *to, bytes: rest.split_to(length) };
            let delay = random.time(self.weather.delay_min..self.weather.delay_max);
            let last = self.streams.entry((*from, *to)).or_insert(now);
            *last = (*last).max(now + delay);
            self.sent += 1;
            self.under_way.insert((*last, self.sent), piece);
        }
    }

    /// When the next arrives.
    pub fn next(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes one that has arrived.
    pub fn arrive(&mut self, now: Instant) -> Option<Datagram> {
        let (&(at, number), _) = self.under_way.first_key_value()?;
        if at > now { None } else { self.under_way.remove(&(at, number)) }
    }
}
