//! The media of one call: its legs, who hears whom, and every packet's way.
//!
//! In go packets with the leg and the address they came from, and time. Out come the same
//! packets, rewritten in place, with where to send them ([`Forward`]); generated packets from
//! [`Session::poll_transmit`]; [`SessionEvent`]s; and the next deadline. After any call, poll
//! until there is nothing left. Packets cost no allocation.
//!
//! The sockets, and why legs are joined, are not known here. A leg is heard by at most one other.

mod counters;
mod latch;
mod leg;
mod ringback;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

pub use self::counters::{Counters, Dropped, Traffic};
pub use self::ringback::GENERATED_PACKET;

use self::counters::DropReason;
use self::leg::{Content, Hears, Leg};
use self::ringback::Ringback;
use crate::codec::g711;
use crate::random::Random;
use crate::rtp::{packet, rtcp};
use crate::sdp::Negotiated;
use crate::timer::{Deadline, Timer};
use crate::tone::Tone;

/// A leg of a call, as the owner numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u8);

/// What is the same for all legs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionConfig {
    /// After this long without a valid packet from a peer that should send,
    /// [`SessionEvent::MediaTimeout`]; `None` = never.
    pub inactivity: Option<Duration>,
}

/// The far end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// What its SDP and ours agreed on.
    pub negotiated: Negotiated,
    /// Where its SIP messages come from.
    pub signalling_source: IpAddr,
}

/// Which of a leg's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// The even port; RTCP too where both share it.
    Rtp,
    /// The port after it.
    Rtcp,
}

/// A packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The leg whose socket sends it.
    pub leg: LegId,
    /// Which of its sockets.
    pub socket: Socket,
    /// Where to.
    pub to: SocketAddr,
    /// Octets of the buffer.
    pub len: usize,
}

/// What the owner should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The stream of a leg settled on the source of its first packet; once a `set_remote`, and
    /// only where the SDP address was not the only one that counts.
    Latched {
        /// The leg.
        leg: LegId,
        /// Where its packets come from, and packets for it go from now on.
        address: SocketAddr,
    },
    /// A peer that should send has not for as long as [`SessionConfig::inactivity`]; not again
    /// before it has sent something, or a `set_remote`.
    MediaTimeout {
        /// The leg.
        leg: LegId,
    },
}

/// One call's media.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    random: Random,
    legs: Vec<Leg>,
}

impl Session {
    /// A call without legs. `seed` is all the chance in it; take it from the operating system.
    pub fn new(config: SessionConfig, seed: u64) -> Session {
        Session { config, random: Random::new(seed), legs: Vec::with_capacity(2) }
    }

    /// A leg that is not set up and hears nothing; nothing if it is there already.
    pub fn add_leg(&mut self, leg: LegId) {
        if self.leg(leg).is_none() {
            self.legs.push(Leg::new(leg));
        }
    }

    /// Forgets a leg; whoever heard it hears nothing.
    pub fn remove_leg(&mut self, leg: LegId) {
        self.unhear(leg, None);
        self.legs.retain(|known| known.id != leg);
    }

    /// Sets a leg up, or changes it after a new offer and answer. Its source may settle anew; if
    /// the SDP address is the one it had, packets go where they went until then.
    pub fn set_remote(&mut self, now: Instant, leg: LegId, remote: Remote) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.set_remote(now, remote);
        }
    }

    /// Two legs hear each other, and nobody else hears either.
    pub fn bridge(&mut self, now: Instant, x: LegId, y: LegId) {
        self.connect(now, x, y);
        self.connect(now, y, x);
    }

    /// `to` hears `from`, and nobody else does. What `from` hears stays.
    pub fn connect(&mut self, _now: Instant, from: LegId, to: LegId) {
        if from == to || self.leg(from).is_none() {
            return;
        }
        let Some(listener) = self.leg_mut(to) else { return };
        if !matches!(listener.hears, Hears::Leg(heard) if heard == from) {
            listener.hears = Hears::Leg(from);
            listener.mark_next = true;
        }
        self.unhear(from, Some(to));
    }

    /// `to` hears a tone, until `bridge`, `connect` or `silence`; one that it hears goes on.
    pub fn ringback(&mut self, now: Instant, to: LegId, tone: &'static Tone) {
        let mut ringback = Ringback::new(tone, &mut self.random);
        let Some(listener) = self.leg_mut(to) else { return };
        if matches!(&listener.hears, Hears::Tone(sounding) if sounding.tone() == tone) {
            return;
        }
        if listener.stream.as_ref().is_some_and(|stream| stream.is_sent_to()) {
            ringback.resume(now);
        }
        listener.hears = Hears::Tone(Box::new(ringback));
    }

    /// `to` hears nothing more.
    pub fn silence(&mut self, to: LegId) {
        if let Some(listener) = self.leg_mut(to) {
            listener.hears = Hears::Nothing;
        }
    }

    /// What a leg has received, sent and dropped.
    pub fn counters(&self, leg: LegId) -> Option<&Counters> {
        self.leg(leg).map(|leg| &leg.counters)
    }

    /// Takes a datagram from the RTP port of `leg`. If somebody hears it, it is rewritten in
    /// place for them, and the answer says where to send it.
    pub fn handle_rtp(
        &mut self,
        now: Instant,
        leg: LegId,
        from: SocketAddr,
        packet: &mut [u8],
    ) -> Option<Forward> {
        let speaker = self.leg(leg)?;
        let shared = speaker.stream.as_ref().is_some_and(|stream| stream.negotiated.rtcp_mux);
        let outcome = if shared && rtcp::is_rtcp(packet) {
            self.relay_rtcp(leg, from, Socket::Rtp, packet)
        } else {
            self.relay_rtp(now, leg, from, packet)
        };
        self.settle(leg, outcome)
    }

    /// Takes a datagram from the RTCP port of `leg`; like [`Session::handle_rtp`].
    pub fn handle_rtcp(
        &mut self,
        _now: Instant,
        leg: LegId,
        from: SocketAddr,
        packet: &mut [u8],
    ) -> Option<Forward> {
        self.leg(leg)?;
        let outcome = self.relay_rtcp(leg, from, Socket::Rtcp, packet);
        self.settle(leg, outcome)
    }

    /// Counts the packets of tones that are due, and peers that fell silent.
    pub fn handle_timeout(&mut self, now: Instant) {
        for leg in &mut self.legs {
            let Some(stream) = &mut leg.stream else { continue };
            let limit = self.config.inactivity;
            let until = stream.silent_since.zip(limit).and_then(|(since, l)| since.checked_add(l));
            if until.is_some_and(|until| until <= now) {
                stream.silent_since = None;
                leg.timed_out = true;
            }
            if let Hears::Tone(ringback) = &mut leg.hears
                && stream.is_sent_to()
            {
                ringback.handle_timeout(now);
            }
        }
    }

    /// When to call [`Session::handle_timeout`]; later packets may move it back.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_deadline().map(|deadline| deadline.at)
    }

    /// The same, with the reason.
    pub fn next_deadline(&self) -> Option<Deadline> {
        self.legs.iter().flat_map(|leg| self.deadlines(leg)).min_by_key(|deadline| deadline.at)
    }

    /// Writes the next generated packet into `buffer`, which must hold [`GENERATED_PACKET`]
    /// octets; `None` if none is due.
    pub fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Forward> {
        for leg in &mut self.legs {
            let Hears::Tone(ringback) = &mut leg.hears else { continue };
            if !ringback.is_due() {
                continue;
            }
            let Some(stream) = &leg.stream else { continue };
            let Some(to) = stream.rtp_destination() else { continue };
            let codec = stream.negotiated.codec;
            let number = stream.negotiated.payload_types.of(codec);
            let number = number.unwrap_or(codec.payload_type());
            let len = ringback.write(codec, number, buffer)?;
            leg.counters.sent.count(len);
            return Some(Forward { leg: leg.id, socket: Socket::Rtp, to, len });
        }
        None
    }

    /// The next event. At most one of each kind waits on a leg.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        for leg in &mut self.legs {
            if let Some(address) = leg.latched.take() {
                return Some(SessionEvent::Latched { leg: leg.id, address });
            }
            if std::mem::take(&mut leg.timed_out) {
                return Some(SessionEvent::MediaTimeout { leg: leg.id });
            }
        }
        None
    }

    fn relay_rtp(
        &mut self,
        now: Instant,
        leg: LegId,
        from: SocketAddr,
        bytes: &mut [u8],
    ) -> Result<Forward, DropReason> {
        let packet = packet::Packet::parse(bytes).map_err(|_| DropReason::Malformed)?;
        let speaker = self.leg_mut(leg).ok_or(DropReason::Source)?;
        let negotiated = speaker.receive_rtp(now, from, bytes.len())?;
        if !negotiated.direction.receives() {
            return Err(DropReason::Direction);
        }
        let content = leg::content(negotiated, packet.payload_type);
        let content = content.ok_or(DropReason::PayloadType)?;

        let listener = self.listener_mut(leg).ok_or(DropReason::Unheard)?;
        let stream = listener.stream.as_ref().ok_or(DropReason::Unheard)?;
        let to = stream.rtp_destination().ok_or(DropReason::Direction)?;
        let (number, wanted) =
            leg::mapped(&stream.negotiated, content).ok_or(DropReason::PayloadType)?;
        let mut mark = false;
        if let (Content::Audio(from), Content::Audio(to)) = (content, wanted) {
            if let Some(payload) = bytes.get_mut(packet.payload) {
                g711::convert(from, to, payload);
            }
            // why: not on telephone-event, where the marker says that an event begins.
            mark = std::mem::take(&mut listener.mark_next);
        }
        packet::rewrite(bytes, number, mark);
        listener.counters.sent.count(bytes.len());
        Ok(Forward { leg: listener.id, socket: Socket::Rtp, to, len: bytes.len() })
    }

    fn relay_rtcp(
        &mut self,
        leg: LegId,
        from: SocketAddr,
        via: Socket,
        bytes: &[u8],
    ) -> Result<Forward, DropReason> {
        rtcp::check(bytes).map_err(|_| DropReason::Malformed)?;
        let speaker = self.leg_mut(leg).ok_or(DropReason::Source)?;
        speaker.receive_rtcp(from, via, bytes.len())?;
        // why: on a one-way stream the listener's reports go back to who is heard.
        let heard = match speaker.hears {
            Hears::Leg(heard) => Some(heard),
            Hears::Nothing | Hears::Tone(_) => None,
        };
        let listener = self.listener_mut(leg).map(|listener| listener.id).or(heard);
        let listener = listener.and_then(|id| self.leg_mut(id)).ok_or(DropReason::Unheard)?;
        let stream = listener.stream.as_ref().ok_or(DropReason::Unheard)?;
        let (to, socket) = stream.rtcp_destination().ok_or(DropReason::Direction)?;
        listener.counters.rtcp_sent.count(bytes.len());
        Ok(Forward { leg: listener.id, socket, to, len: bytes.len() })
    }

    fn settle(&mut self, leg: LegId, outcome: Result<Forward, DropReason>) -> Option<Forward> {
        match outcome {
            Ok(forward) => Some(forward),
            Err(reason) => {
                self.leg_mut(leg)?.counters.dropped.count(reason);
                None
            }
        }
    }

    fn deadlines(&self, leg: &Leg) -> impl Iterator<Item = Deadline> {
        let stream = leg.stream.as_ref();
        let since = stream.and_then(|stream| stream.silent_since);
        let silent = since.zip(self.config.inactivity).and_then(|(since, l)| since.checked_add(l));
        let tone = match &leg.hears {
            Hears::Tone(ringback) if stream.is_some_and(|s| s.is_sent_to()) => ringback.next(),
            _ => None,
        };
        let inactivity = silent.map(|at| Deadline { at, timer: Timer::Inactivity(leg.id) });
        let tone = tone.map(|at| Deadline { at, timer: Timer::Tone(leg.id) });
        inactivity.into_iter().chain(tone)
    }

    /// Nobody hears `speaker` any more, but for `except`.
    fn unhear(&mut self, speaker: LegId, except: Option<LegId>) {
        for leg in &mut self.legs {
            if matches!(leg.hears, Hears::Leg(heard) if heard == speaker) && Some(leg.id) != except
            {
                leg.hears = Hears::Nothing;
            }
        }
    }

    fn leg(&self, id: LegId) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.id == id)
    }

    fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.id == id)
    }

    fn listener_mut(&mut self, speaker: LegId) -> Option<&mut Leg> {
        let hears = |leg: &&mut Leg| matches!(leg.hears, Hears::Leg(heard) if heard == speaker);
        self.legs.iter_mut().find(hears)
    }
}
