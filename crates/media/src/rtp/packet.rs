//! An RTP packet (RFC 3550 §5.1): where its parts lie, and the fields that a relay changes.
//!
//! A packet is looked at where it lies and rewritten there; nothing is copied or allocated.
//! Sequence numbers, timestamps and the SSRC of relayed packets are left as they are.

use std::ops::Range;

/// Octets before the CSRC list.
pub const HEADER: usize = 12;

/// Why octets are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Fewer octets than the header and what it announces: CSRCs, an extension.
    #[error("too short for its header")]
    Short,
    /// Not version 2.
    #[error("not version 2")]
    Version,
    /// More padding than payload, or padding of no length.
    #[error("padding does not fit")]
    Padding,
}

/// What a relay needs to know of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Beginning of a talk spurt or of an event.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp in samples.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Where the payload lies, without padding.
    pub payload: Range<usize>,
}

impl Packet {
    /// Reads the header and checks every length it gives.
    pub fn parse(bytes: &[u8]) -> Result<Packet, PacketError> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or(PacketError::Short)?;
        let [first, second, s1, s0, t3, t2, t1, t0, i3, i2, i1, i0] = *header;
        if first >> 6 != 2 {
            return Err(PacketError::Version);
        }
        let csrcs = usize::from(first & 0x0f) * 4;
        let rest = rest.get(csrcs..).ok_or(PacketError::Short)?;
        let extension = if first & 0x10 != 0 { extension_length(rest)? } else { 0 };
        let rest = rest.get(extension..).ok_or(PacketError::Short)?;
        let padding = if first & 0x20 != 0 { padding_length(rest)? } else { 0 };
        Ok(Packet {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s1, s0]),
            timestamp: u32::from_be_bytes([t3, t2, t1, t0]),
            ssrc: u32::from_be_bytes([i3, i2, i1, i0]),
            payload: HEADER + csrcs + extension..bytes.len() - padding,
        })
    }
}

/// RFC 3550 §5.3.1: four octets, and as many words as the last two say.
fn extension_length(rest: &[u8]) -> Result<usize, PacketError> {
    let (head, _) = rest.split_first_chunk::<4>().ok_or(PacketError::Short)?;
    let [_, _, high, low] = *head;
    Ok(4 + usize::from(u16::from_be_bytes([high, low])) * 4)
}

fn padding_length(rest: &[u8]) -> Result<usize, PacketError> {
    let padding = rest.last().map(|length| usize::from(*length)).unwrap_or_default();
    if padding == 0 || padding > rest.len() { Err(PacketError::Padding) } else { Ok(padding) }
}

/// Rewrites the payload type, and sets the marker bit where `mark`; a marker already set stays.
pub fn rewrite(bytes: &mut [u8], payload_type: u8, mark: bool) {
    if let Some(second) = bytes.get_mut(1) {
        let marker = (*second & 0x80) | if mark { 0x80 } else { 0 };
        *second = marker | (payload_type & 0x7f);
    }
}

/// The header of a generated packet: no CSRC, extension or padding.
pub fn header(
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
) -> [u8; HEADER] {
    let second = (u8::from(marker) << 7) | (payload_type & 0x7f);
    let [s1, s0] = sequence.to_be_bytes();
    let [t3, t2, t1, t0] = timestamp.to_be_bytes();
    let [i3, i2, i1, i0] = ssrc.to_be_bytes();
    [0x80, second, s1, s0, t3, t2, t1, t0, i3, i2, i1, i0]
}
