//! Our offers: one audio stream over RTP/AVP, both ways (RFC 3264 §5), received by us or by another
//! party that the peer shall send to.

use std::net::SocketAddr;
use std::time::Duration;

use super::write::Writer;
use super::{Codec, DEFAULT_PTIME, Direction, Local, Negotiated, PayloadTypes, TELEPHONE_EVENT};

/// An offer of `codecs` in that order, under the payload types of RFC 3551; all codecs if the
/// list is empty. `telephone-event/8000` is payload type 101.
pub fn offer(local: &Local, codecs: &[Codec]) -> Vec<u8> {
    let codecs = if codecs.is_empty() { &Codec::ALL } else { codecs };
    let formats = codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
    let stream = Stream { formats, telephone_event: Some(TELEPHONE_EVENT), ptime: DEFAULT_PTIME };
    describe(local, SocketAddr::new(local.address, local.port), None, &stream)
}

/// An offer to a peer with which `agreed` holds, to send to us, as it did before: the codec that
/// it has comes first, and numbers that were agreed on mean what they meant (RFC 3264 §8.3.2).
pub fn offer_again(local: &Local, agreed: &Negotiated) -> Vec<u8> {
    let Negotiated { codec, payload_types, .. } = agreed;
    let mut codecs = Codec::ALL;
    codecs.sort_by_key(|known| known != codec);
    let number = |codec: Codec| payload_types.of(codec).unwrap_or(codec.payload_type());
    let telephone_event = Some(payload_types.telephone_event.unwrap_or(TELEPHONE_EVENT));
    let formats = codecs.into_iter().map(|codec| (number(codec), codec)).collect();
    let stream = Stream { formats, telephone_event, ptime: DEFAULT_PTIME };
    describe(local, SocketAddr::new(local.address, local.port), None, &stream)
}

/// An offer to send to another party, with which `party` was agreed: its address, the codec that
/// it has, its numbers, the packet length that it asked for. The origin stays ours.
///
/// A party that multiplexed RTCP with us is described without (RFC 5761 §5.1.1 lets an offer do
/// so): RTCP is then on the port after that of RTP.
pub fn offer_of(local: &Local, party: &Negotiated) -> Vec<u8> {
    let Negotiated { codec, payload_types, ptime, remote_rtp, remote_rtcp, rtcp_mux, .. } = *party;
    let PayloadTypes { telephone_event, .. } = payload_types;
    let number = payload_types.of(codec).unwrap_or(codec.payload_type());
    let stream = Stream { formats: vec![(number, codec)], telephone_event, ptime };
    // why: port 0 stands for none.
    let rtcp = (!rtcp_mux && remote_rtcp.port() > 0).then_some(remote_rtcp);
    describe(local, remote_rtp, rtcp, &stream)
}

struct Stream {
    formats: Vec<(u8, Codec)>,
    telephone_event: Option<u8>,
    ptime: Duration,
}

fn describe(
    local: &Local,
    receiver: SocketAddr,
    rtcp: Option<SocketAddr>,
    stream: &Stream,
) -> Vec<u8> {
    let Stream { formats, telephone_event, ptime } = stream;
    let numbers = formats.iter().map(|(number, _)| *number).chain(*telephone_event);
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    let mut writer = Writer::new(local, receiver.ip());
    writer.line(format_args!("m=audio {} RTP/AVP {}", receiver.port(), numbers.join(" ")));
    for (number, codec) in formats {
        writer.rtpmap(*number, codec.name());
    }
    if let Some(event) = telephone_event {
        writer.telephone_event(*event);
    }
    writer.line(format_args!("a=ptime:{}", ptime.as_millis()));
    match rtcp {
        Some(rtcp) => writer.rtcp_at(receiver, rtcp),
        None => writer.rtcp(receiver.port()),
    }
    writer.line(format_args!("a={}", Direction::SendRecv.as_str()));
    writer.finish()
}
