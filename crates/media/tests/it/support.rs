//! A call of two legs under a virtual clock, and packets to feed it.

use std::f64::consts::TAU;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use media::sdp::{self, Codec, Description, Direction, Local, Negotiated, PayloadTypes};
use media::{Forward, LegId, Remote, Session, SessionConfig, SessionEvent};

pub(crate) const CALLER: LegId = LegId(0);
pub(crate) const CALLEE: LegId = LegId(1);
pub(crate) const CALLER_RTP: &str = "203.0.113.10:4000";
pub(crate) const CALLEE_RTP: &str = "198.51.100.20:5000";

#[allow(clippy::disallowed_methods, reason = "the epoch of the virtual clock")]
pub(crate) fn epoch() -> Instant {
    Instant::now()
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn local() -> Local {
    Local { address: ip("192.0.2.1"), port: 10_000, session_id: 7, version: 1 }
}

pub(crate) fn parse(text: &str) -> Description {
    Description::parse(text.as_bytes()).unwrap()
}

/// Lines with `|` between them, below the usual session lines.
pub(crate) fn description(lines: &str) -> Description {
    let head = "v=0|o=- 1 1 IN IP4 203.0.113.10|s=-|c=IN IP4 203.0.113.10|t=0 0|";
    parse(&format!("{head}{lines}|").replace('|', "\r\n"))
}

/// Our answer as text, and what it agrees on.
pub(crate) fn answer(lines: &str) -> (String, Negotiated) {
    let (bytes, negotiated) = sdp::answer(&description(lines), &local()).unwrap();
    (String::from_utf8(bytes).unwrap(), negotiated)
}

/// A stream of one codec under its usual number, with telephone-event 101, both ways.
pub(crate) fn stream(rtp: &str, codec: Codec) -> Negotiated {
    let remote_rtp = address(rtp);
    let mut payload_types = PayloadTypes { telephone_event: Some(101), ..Default::default() };
    payload_types.set(codec, codec.payload_type());
    Negotiated {
        remote_rtp,
        remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port() + 1),
        rtcp_mux: false,
        direction: Direction::SendRecv,
        codec,
        payload_types,
        ptime: sdp::DEFAULT_PTIME,
    }
}

/// A peer that signals from where it receives.
pub(crate) fn remote(negotiated: Negotiated) -> Remote {
    Remote { negotiated, signalling_source: negotiated.remote_rtp.ip(), has_tones: false }
}

pub(crate) struct Call {
    pub(crate) session: Session,
    pub(crate) now: Instant,
}

impl Call {
    pub(crate) fn new(inactivity: Option<Duration>) -> Call {
        let mut session = Session::new(SessionConfig { inactivity }, 42);
        session.add_leg(CALLER);
        session.add_leg(CALLEE);
        Call { session, now: epoch() }
    }

    /// Both legs set up as given and bridged.
    pub(crate) fn bridged(caller: Negotiated, callee: Negotiated) -> Call {
        let mut call = Call::new(None);
        call.set(CALLER, caller);
        call.set(CALLEE, callee);
        call.session.bridge(call.now, CALLER, CALLEE);
        call
    }

    pub(crate) fn set(&mut self, leg: LegId, negotiated: Negotiated) {
        self.session.set_remote(self.now, leg, remote(negotiated));
    }

    pub(crate) fn rtp(&mut self, leg: LegId, from: &str, packet: &mut [u8]) -> Option<Forward> {
        self.session.handle_rtp(self.now, leg, address(from), packet)
    }

    pub(crate) fn rtcp(&mut self, leg: LegId, from: &str, packet: &mut [u8]) -> Option<Forward> {
        self.session.handle_rtcp(self.now, leg, address(from), packet)
    }

    pub(crate) fn events(&mut self) -> Vec<SessionEvent> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// Moves the clock and takes every packet that is then due.
    pub(crate) fn advance(&mut self, by: Duration) -> Vec<(Forward, Vec<u8>)> {
        self.now += by;
        self.session.handle_timeout(self.now);
        self.generated()
    }

    pub(crate) fn generated(&mut self) -> Vec<(Forward, Vec<u8>)> {
        let mut buffer = [0; 1500];
        let mut packets = Vec::new();
        while let Some(forward) = self.session.poll_transmit(&mut buffer) {
            packets.push((forward, buffer[..forward.len].to_vec()));
        }
        packets
    }
}

/// A packet of 20 ms with a payload that counts up.
pub(crate) fn packet(payload_type: u8) -> Vec<u8> {
    packet_of(payload_type, &(0..160).map(|octet| octet as u8).collect::<Vec<u8>>())
}

pub(crate) fn packet_of(payload_type: u8, payload: &[u8]) -> Vec<u8> {
    let header = media::rtp::packet::header(false, payload_type, 1000, 160_000, 0xdead_beef);
    [&header[..], payload].concat()
}

/// A sender report and a source description, as a compound packet.
pub(crate) fn sender_report() -> Vec<u8> {
    let mut bytes = vec![0x80, 200, 0, 6];
    bytes.extend_from_slice(&[7; 24]);
    bytes.extend_from_slice(&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 1, b'x', 0]);
    bytes
}

/// Amplitude of one frequency in the samples.
pub(crate) fn amplitude(samples: &[f64], frequency: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let angle = TAU * frequency * n as f64 / 8000.0;
        re += sample * angle.cos();
        im += sample * angle.sin();
    }
    2.0 * re.hypot(im) / samples.len() as f64
}

/// Numbers that are the same on each run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}
