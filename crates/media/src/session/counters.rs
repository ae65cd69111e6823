//! What a leg has received, sent and dropped, for metrics and for the record of a call.

/// Packets and the octets in them, RTP header included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Octets.
    pub octets: u64,
}

impl Traffic {
    pub(super) fn count(&mut self, length: usize) {
        self.packets += 1;
        self.octets += length as u64;
    }
}

/// Packets of one leg that went nowhere, by reason; RTP and RTCP together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// No RTP or RTCP: too short, wrong version, lengths that do not fit.
    pub malformed: u64,
    /// From a source that is not believed, or before the leg was set up.
    pub source: u64,
    /// A payload type that is not negotiated here, or that the listener has none for.
    pub payload_type: u64,
    /// The peer does not send by its direction, or the listener does not want to hear.
    pub direction: u64,
    /// Nobody hears this leg: it is muted, or not connected, or what its listener hears lies under
    /// a sound or digits.
    pub unheard: u64,
}

impl Dropped {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.malformed + self.source + self.payload_type + self.direction + self.unheard
    }

    pub(super) fn count(&mut self, reason: DropReason) {
        *match reason {
            DropReason::Malformed => &mut self.malformed,
            DropReason::Source => &mut self.source,
            DropReason::PayloadType => &mut self.payload_type,
            DropReason::Direction => &mut self.direction,
            DropReason::Unheard => &mut self.unheard,
        } += 1;
    }
}

/// Why a packet went nowhere; a field of [`Dropped`] each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DropReason {
    Malformed,
    Source,
    PayloadType,
    Direction,
    Unheard,
}

/// Traffic of one leg since it was added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// RTP from its peer that was believed, forwarded or not.
    pub received: Traffic,
    /// RTP to its peer: forwarded and generated.
    pub sent: Traffic,
    /// RTCP from its peer that was believed.
    pub rtcp_received: Traffic,
    /// RTCP to its peer.
    pub rtcp_sent: Traffic,
    /// Packets that came to this leg's ports and went nowhere.
    pub dropped: Dropped,
}
