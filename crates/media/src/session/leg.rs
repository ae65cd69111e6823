//! One leg of a call's media: the stream agreed with its peer, which sources are believed, and
//! what the peer hears.
//!
//! Legs do not know each other; who hears whom is asked by the [`Session`](super::Session). What
//! is generated for a leg is in `generate`.

use std::net::SocketAddr;
use std::time::Instant;

use super::counters::{Counters, DropReason};
use super::hearing::Hearing;
use super::latch::{Latch, Verdict};
use super::playing::Playing;
use super::press::Presses;
use super::sending::Sending;
use super::source::Source;
use super::{LegId, Remote, Socket};
use crate::codec::Codec;
use crate::codec::gain::Gain;
use crate::sdp::{Direction, Negotiated, TELEPHONE_EVENT};
use crate::tone::Ringing;

/// What the peer of a leg hears.
#[derive(Debug)]
pub(super) enum Hears {
    Nothing,
    Leg(LegId),
    Tone(Box<Ringing>),
}

/// What an RTP packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Audio(Codec),
    TelephoneEvent,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) stream: Option<Stream>,
    pub(super) hears: Hears,
    /// A sound that lies over it.
    pub(super) playing: Option<Playing>,
    /// Digits that lie over both.
    pub(super) sending: Sending,
    /// What all that is generated is sent as.
    pub(super) source: Source,
    /// Digits that the peer presses.
    pub(super) presses: Presses,
    /// Those that it sends as tones, where they are listened for.
    pub(super) hearing: Option<Box<Hearing>>,
    /// Nobody hears the peer, and nobody is passed its digits.
    pub(super) muted: bool,
    /// How loud the peer hears whoever it hears.
    pub(super) gain: Option<Box<Gain>>,
    /// The next audio packet forwarded to the peer is the first of another source.
    pub(super) mark_next: bool,
    pub(super) counters: Counters,
    /// An event not yet taken: settled on this address.
    pub(super) latched: Option<SocketAddr>,
    /// An event not yet taken: the peer fell silent.
    pub(super) timed_out: bool,
}

/// A leg that is set up.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) negotiated: Negotiated,
    rtp: Latch,
    rtcp: Latch,
    /// When the wait for the peer began; `None` where silence is allowed or was reported.
    pub(super) silent_since: Option<Instant>,
}

impl Leg {
    pub(super) fn new(id: LegId, source: Source) -> Leg {
        Leg {
            id,
            stream: None,
            hears: Hears::Nothing,
            playing: None,
            sending: Sending::new(),
            source,
            presses: Presses::new(),
            hearing: None,
            muted: false,
            gain: None,
            mark_next: false,
            counters: Counters::default(),
            latched: None,
            timed_out: false,
        }
    }

    pub(super) fn set_remote(&mut self, now: Instant, remote: Remote) {
        self.stream = Some(Stream::new(now, remote, self.stream.take()));
        self.timed_out = false;
        match remote.has_tones {
            true => drop(self.hearing.get_or_insert_with(|| Box::new(Hearing::new()))),
            false => self.hearing = None,
        }
        self.source.set_ptime(remote.negotiated.ptime);
        self.pace(now);
    }

    /// Takes a valid RTP packet: is its source believed?
    pub(super) fn receive_rtp(
        &mut self,
        now: Instant,
        from: SocketAddr,
        length: usize,
    ) -> Result<&Negotiated, DropReason> {
        let stream = self.stream.as_mut().ok_or(DropReason::Source)?;
        match stream.rtp.handle_packet(from) {
            Verdict::Refused => return Err(DropReason::Source),
            Verdict::Accepted => {}
            Verdict::Latched => {
                stream.follow_with_rtcp(from);
                self.latched = Some(from);
            }
        }
        if stream.negotiated.direction == Direction::SendRecv {
            stream.silent_since = Some(now);
        }
        self.counters.received.count(length);
        Ok(&stream.negotiated)
    }

    /// Takes a valid RTCP packet: is its source believed?
    pub(super) fn receive_rtcp(
        &mut self,
        from: SocketAddr,
        via: Socket,
        length: usize,
    ) -> Result<(), DropReason> {
        let stream = self.stream.as_mut().ok_or(DropReason::Source)?;
        let believed = match via {
            // why: RTCP on the shared port follows RTP; it settles nothing by itself.
            Socket::Rtp => stream.rtp.believes(from),
            Socket::Rtcp => stream.rtcp.handle_packet(from) != Verdict::Refused,
        };
        if !believed {
            return Err(DropReason::Source);
        }
        self.counters.rtcp_received.count(length);
        Ok(())
    }
}

impl Stream {
    fn new(now: Instant, remote: Remote, previous: Option<Stream>) -> Stream {
        let Remote { negotiated, signalling_source, .. } = remote;
        let sdp = negotiated.remote_rtp;
        let same = |stream: &Stream| {
            let was = &stream.negotiated;
            was.remote_rtp == sdp && was.remote_rtcp == negotiated.remote_rtcp
        };
        let (rtp, rtcp) = match previous.filter(same) {
            Some(previous) => (previous.rtp.reopened(sdp, signalling_source), previous.rtcp),
            None => {
                let strict = Latch::Strict { sdp: negotiated.remote_rtcp };
                (Latch::new(sdp, signalling_source), strict)
            }
        };
        let should_send = negotiated.direction == Direction::SendRecv;
        Stream { negotiated, rtp, rtcp, silent_since: should_send.then_some(now) }
    }

    /// RTP has settled on `rtp`: RTCP is believed from the same address.
    fn follow_with_rtcp(&mut self, rtp: SocketAddr) {
        let sdp = self.negotiated.remote_rtcp;
        let next_port = SocketAddr::new(rtp.ip(), rtp.port().checked_add(1).unwrap_or(0));
        let send_to = match self.rtcp {
            Latch::Settled { on } if on.ip() == rtp.ip() => on,
            _ if rtp == self.negotiated.remote_rtp => sdp,
            _ => next_port,
        };
        self.rtcp = Latch::Open { sdp, source: rtp.ip(), send_to };
    }

    /// Where RTP for the peer goes; `None` while it does not want any.
    pub(super) fn rtp_destination(&self) -> Option<SocketAddr> {
        if !self.negotiated.direction.sends() || self.negotiated.remote_rtp.ip().is_unspecified() {
            return None;
        }
        self.rtp.destination()
    }

    /// Where RTCP for the peer goes and from which socket. RFC 3264 §5.1: the direction is of RTP
    /// alone.
    pub(super) fn rtcp_destination(&self) -> Option<(SocketAddr, Socket)> {
        if self.negotiated.remote_rtp.ip().is_unspecified() {
            None
        } else if self.negotiated.rtcp_mux {
            self.rtp.destination().map(|to| (to, Socket::Rtp))
        } else {
            self.rtcp.destination().map(|to| (to, Socket::Rtcp))
        }
    }

    pub(super) fn is_sent_to(&self) -> bool {
        self.rtp_destination().is_some()
    }
}

/// What a payload type of this peer carries.
pub(super) fn content(negotiated: &Negotiated, payload_type: u8) -> Option<Content> {
    let numbers = &negotiated.payload_types;
    if let Some(codec) = numbers.codec(payload_type) {
        return Some(Content::Audio(codec));
    }
    if numbers.telephone_event == Some(payload_type) {
        return Some(Content::TelephoneEvent);
    }
    // RFC 3264 §6.1: the numbers above are what the peer receives under. An answer may number
    // differently from our offer, and then the peer sends under the numbers of the offer.
    if let Some(codec) = Codec::from_payload_type(payload_type) {
        return numbers.of(codec).map(|_| Content::Audio(codec));
    }
    let is_event = payload_type == TELEPHONE_EVENT && numbers.telephone_event.is_some();
    is_event.then_some(Content::TelephoneEvent)
}

/// The payload type under which a listener takes `content`, and the codec it is to be in.
pub(super) fn mapped(listener: &Negotiated, content: Content) -> Option<(u8, Content)> {
    let numbers = &listener.payload_types;
    match content {
        Content::TelephoneEvent => numbers.telephone_event.map(|number| (number, content)),
        Content::Audio(codec) => match numbers.of(codec) {
            Some(number) => Some((number, content)),
            None => {
                let number = numbers.of(listener.codec)?;
                Some((number, Content::Audio(listener.codec)))
            }
        },
    }
}
