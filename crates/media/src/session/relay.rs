//! The way of a packet through a session: from whom it is, what it carries, who hears it.
//!
//! A packet is rewritten in place, and nothing is allocated. Digits are noticed here, whoever
//! hears them.

use std::net::SocketAddr;
use std::time::Instant;

use super::counters::DropReason;
use super::leg::{self, Content, Hears, Leg};
use super::press::{EventPacket, Pressed};
use super::{Forward, LegId, Session, Socket, find, hearing, report};
use crate::codec::{Codec, g711};
use crate::rtp::{packet, rtcp};

impl Session {
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
        match content {
            Content::TelephoneEvent => self.press(now, leg, &packet, bytes),
            Content::Audio(codec) => self.hear(now, leg, codec, &packet, bytes),
        }

        if self.leg(leg).is_some_and(|speaker| speaker.muted) {
            return Err(DropReason::Unheard);
        }
        let listener = self.listener_mut(leg).filter(|listener| !listener.is_covered());
        let listener = listener.ok_or(DropReason::Unheard)?;
        let stream = listener.stream.as_ref().ok_or(DropReason::Unheard)?;
        let to = stream.rtp_destination().ok_or(DropReason::Direction)?;
        let (number, wanted) =
            leg::mapped(&stream.negotiated, content).ok_or(DropReason::PayloadType)?;
        let mut mark = false;
        if let (Content::Audio(from), Content::Audio(to)) = (content, wanted) {
            if let Some(payload) = bytes.get_mut(packet.payload) {
                g711::convert(from, to, payload);
                if let Some(gain) = &listener.gain {
                    gain.apply(to, payload);
                }
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

    /// Notices the digit that an event packet is part of.
    fn press(&mut self, now: Instant, leg: LegId, packet: &packet::Packet, bytes: &[u8]) {
        let payload = bytes.get(packet.payload.clone()).unwrap_or_default();
        let packet::Packet { ssrc, timestamp, marker, .. } = *packet;
        let Some(event) = EventPacket::read(ssrc, timestamp, marker, payload) else { return };
        let Some(speaker) = find(&mut self.legs, leg) else { return };
        for pressed in speaker.presses.handle_packet(now, event).into_iter().flatten() {
            report(&mut self.events, leg, pressed);
        }
    }

    /// Hears the digits that sound in an audio packet.
    fn hear(
        &mut self,
        now: Instant,
        leg: LegId,
        codec: Codec,
        packet: &packet::Packet,
        bytes: &[u8],
    ) {
        let Some(speaker) = find(&mut self.legs, leg) else { return };
        let Some(hearing) = &mut speaker.hearing else { return };
        for code in bytes.get(packet.payload.clone()).unwrap_or_default() {
            if let Some(digit) = hearing.take(codec, *code)
                && speaker.presses.allow(now)
            {
                let duration = hearing::SOONEST;
                report(&mut self.events, leg, Pressed { digit, duration });
            }
        }
    }

    pub(super) fn listener_mut(&mut self, speaker: LegId) -> Option<&mut Leg> {
        let hears = |leg: &&mut Leg| matches!(leg.hears, Hears::Leg(heard) if heard == speaker);
        self.legs.iter_mut().find(hears)
    }
}
