//! RTCP (RFC 3550 §6) as far as a relay looks into it: whether a datagram is a compound packet
//! whose lengths add up, and telling RTCP from RTP on a shared port.
//!
//! Reports pass as they are: a relay leaves SSRC, sequence numbers and timestamps alone, so what
//! a receiver reports is true for the sender.

/// Why octets are no RTCP compound packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// A packet is shorter than a header, or than its length says.
    #[error("lengths do not add up")]
    Length,
    /// Not version 2.
    #[error("not version 2")]
    Version,
    /// A packet type outside the range of RFC 5761 §4.
    #[error("not an RTCP packet type")]
    Type,
}

/// Checks a compound packet: versions, types, and that the lengths end where the datagram does.
///
/// RFC 5506: a reduced-size packet need not begin with a report.
pub fn check(datagram: &[u8]) -> Result<(), RtcpError> {
    let mut rest = datagram;
    loop {
        let (header, _) = rest.split_first_chunk::<4>().ok_or(RtcpError::Length)?;
        let [first, kind, high, low] = *header;
        if first >> 6 != 2 {
            return Err(RtcpError::Version);
        }
        if !(192..=223).contains(&kind) {
            return Err(RtcpError::Type);
        }
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        rest = rest.get(length..).ok_or(RtcpError::Length)?;
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// RFC 5761 §4: on a shared port a second octet of 192 to 223 is RTCP.
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|kind| (192..=223).contains(kind))
}
