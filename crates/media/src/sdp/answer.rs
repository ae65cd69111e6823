//! Two descriptions to one agreement (RFC 3264 §6, §7): our answer to a peer's offer, and a
//! peer's answer to ours.
//!
//! An answer takes one audio stream, one codec (the first of the offer that we know) and
//! telephone-event where it is offered; every other stream is refused with port 0, in place. The
//! offer's payload numbers are used. What the peer may not do is left to the session.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::write::{TELEPHONE_EVENT_NAME, Writer};
use super::{
    Address, Codec, DEFAULT_PTIME, Description, Direction, Local, Media, Negotiated,
    NegotiationError, PayloadTypes,
};

/// Our answer to `offer`, as bytes, and what it agrees on.
///
/// `NoCommonCodec`, `Protocol` and `NoAudio` are what SIP calls 488.
pub fn answer(
    offer: &Description,
    local: &Local,
) -> Result<(Vec<u8>, Negotiated), NegotiationError> {
    answer_for(offer, local, SocketAddr::new(local.address, local.port))
}

/// As [`answer`], but audio is received at `receiver`, which is another party's address: the peer
/// and that party send to each other. Errors are those of [`answer`].
pub fn answer_for(
    offer: &Description,
    local: &Local,
    receiver: SocketAddr,
) -> Result<(Vec<u8>, Negotiated), NegotiationError> {
    let (chosen, media) = choose(offer, &Codec::ALL)?;
    let (payload_types, codec) = payload_types(media, &Codec::ALL).ok_or_else(no_codec(media))?;
    let number = payload_types.of(codec).expect("the first codec of the set has a number");
    let telephone_event = payload_types.telephone_event;
    let mut taken = PayloadTypes { telephone_event, ..PayloadTypes::default() };
    taken.set(codec, number);
    let rtcp_mux = media.rtcp_mux && can_multiplex(&taken);
    let negotiated = agree(offer, media, codec, taken, rtcp_mux)?;
    let mut writer = Writer::new(local, receiver.ip());
    for (index, media) in offer.media.iter().enumerate() {
        if index == chosen {
            write_accepted(&mut writer, media, receiver.port(), &negotiated);
        } else {
            write_refused(&mut writer, media);
        }
    }
    Ok((writer.finish(), negotiated))
}

/// What `answer` agrees to of an [`offer`](super::offer()) of the codecs `offered`.
///
/// An answer that names several codecs of the offer keeps them all; the first is what we send.
pub fn accept(answer: &Description, offered: &[Codec]) -> Result<Negotiated, NegotiationError> {
    let offered = if offered.is_empty() { &Codec::ALL } else { offered };
    let (_, media) = choose(answer, offered)?;
    let (payload_types, codec) = payload_types(media, offered).ok_or_else(no_codec(media))?;
    // RFC 5761 §5.1.1: only the offerer can begin multiplexing, and we do not offer it.
    agree(answer, media, codec, payload_types, false)
}

/// RFC 5761 §4: on a shared port, payload types 64 to 95 cannot be told from RTCP.
fn can_multiplex(numbers: &PayloadTypes) -> bool {
    let taken = [numbers.pcmu, numbers.pcma, numbers.telephone_event];
    !taken.into_iter().flatten().any(|number| (64..=95).contains(&number))
}

/// The first audio stream that can be used, with its index; if none can, why the first cannot.
fn choose<'d>(
    description: &'d Description,
    codecs: &[Codec],
) -> Result<(usize, &'d Media), NegotiationError> {
    let mut reason = None;
    for (index, media) in description.media.iter().enumerate() {
        if !media.kind.eq_ignore_ascii_case("audio") || media.port == 0 {
            continue;
        }
        if !is_plain_rtp(&media.protocol) {
            let protocol = media.protocol.clone();
            reason.get_or_insert(NegotiationError::Protocol { protocol });
        } else if payload_types(media, codecs).is_none() {
            reason.get_or_insert_with(no_codec(media));
        } else {
            return Ok((index, media));
        }
    }
    Err(reason.unwrap_or(NegotiationError::NoAudio))
}

/// RFC 4585 §4: AVPF differs from AVP only in when feedback is sent, so it is taken too.
fn is_plain_rtp(protocol: &str) -> bool {
    protocol.eq_ignore_ascii_case("RTP/AVP") || protocol.eq_ignore_ascii_case("RTP/AVPF")
}

fn no_codec(media: &Media) -> impl FnOnce() -> NegotiationError + '_ {
    move || {
        let name = |format: &String| {
            let map = format.parse().ok().and_then(|number| media.rtpmap(number));
            map.map_or_else(|| format.clone(), |map| format!("{format} {}", map.name))
        };
        let offered: Vec<String> = media.formats.iter().map(name).collect();
        NegotiationError::NoCommonCodec { offered: offered.join(", ") }
    }
}

/// The numbers of those of `codecs` that a stream names, and the first of them in its order.
fn payload_types(media: &Media, codecs: &[Codec]) -> Option<(PayloadTypes, Codec)> {
    let mut numbers = PayloadTypes::default();
    let mut first = None;
    for format in &media.formats {
        let Some(number) = format.parse().ok().filter(|number| *number <= 127) else { continue };
        if let Some(codec) = codec_of(media, number).filter(|codec| codecs.contains(codec)) {
            first.get_or_insert(codec);
            if numbers.of(codec).is_none() {
                numbers.set(codec, number);
            }
        }
        let is_event = media.rtpmap(number).is_some_and(|m| m.is_narrowband(TELEPHONE_EVENT_NAME));
        if is_event {
            numbers.telephone_event.get_or_insert(number);
        }
    }
    first.map(|codec| (numbers, codec))
}

/// RFC 8866 §6.6: a static payload type needs no `a=rtpmap`, but where one is given it counts.
fn codec_of(media: &Media, number: u8) -> Option<Codec> {
    match media.rtpmap(number) {
        Some(map) => Codec::ALL.into_iter().find(|codec| map.is_narrowband(codec.name())),
        None => Codec::from_payload_type(number),
    }
}

fn agree(
    description: &Description,
    media: &Media,
    codec: Codec,
    payload_types: PayloadTypes,
    rtcp_mux: bool,
) -> Result<Negotiated, NegotiationError> {
    let connection = media.connection.as_ref().or(description.connection.as_ref());
    let connection = connection.ok_or(NegotiationError::AddressMissing)?;
    let address = literal(&connection.address)?;
    let remote_rtp = SocketAddr::new(address, media.port);
    let theirs = media.direction.or(description.direction).unwrap_or_default();
    // RFC 3264 §8.4: an unspecified address says the peer does not want to hear us; it may send.
    let theirs = Direction::of(theirs.sends(), theirs.receives() && !address.is_unspecified());
    Ok(Negotiated {
        remote_rtp,
        remote_rtcp: remote_rtcp(media, remote_rtp, rtcp_mux)?,
        rtcp_mux,
        direction: theirs.mirrored(),
        codec,
        payload_types,
        ptime: media.ptime.map_or(DEFAULT_PTIME, |length| Duration::from_millis(length.into())),
    })
}

fn remote_rtcp(
    media: &Media,
    rtp: SocketAddr,
    rtcp_mux: bool,
) -> Result<SocketAddr, NegotiationError> {
    if rtcp_mux {
        return Ok(rtp);
    }
    match &media.rtcp {
        Some(rtcp) => {
            let address = rtcp.address.as_ref().map(literal).transpose()?;
            Ok(SocketAddr::new(address.unwrap_or(rtp.ip()), rtcp.port))
        }
        // why: port 0 is never sent to; after 65535 there is no RTCP.
        None => Ok(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1).unwrap_or(0))),
    }
}

fn literal(address: &Address) -> Result<IpAddr, NegotiationError> {
    match address {
        Address::Ip(ip) => Ok(*ip),
        // RFC 6157 §4.2: a name below `invalid` is the unspecified address of IPv6 peers.
        Address::Name(name) if name.to_ascii_lowercase().ends_with(".invalid") => {
            Ok(Ipv4Addr::UNSPECIFIED.into())
        }
        Address::Name(name) => Err(NegotiationError::AddressName { name: name.clone() }),
    }
}

fn write_accepted(writer: &mut Writer, media: &Media, port: u16, agreed: &Negotiated) {
    let number = agreed.payload_types.of(agreed.codec).expect("the codec agreed on has a number");
    let event = agreed.payload_types.telephone_event;
    let and_event = event.map(|event| format!(" {event}")).unwrap_or_default();
    let Media { kind, protocol, .. } = media;
    writer.line(format_args!("m={kind} {port} {protocol} {number}{and_event}"));
    writer.rtpmap(number, agreed.codec.name());
    if let Some(event) = event {
        writer.telephone_event(event);
    }
    writer.line(format_args!("a=ptime:{}", agreed.ptime.as_millis()));
    if agreed.rtcp_mux {
        writer.line(format_args!("a=rtcp-mux"));
    } else {
        writer.rtcp(port);
    }
    writer.line(format_args!("a={}", agreed.direction.as_str()));
}

/// RFC 3264 §6: a refused stream keeps its place, protocol and formats, with port 0.
fn write_refused(writer: &mut Writer, media: &Media) {
    let formats = match media.formats.as_slice() {
        [] => "0".to_owned(),
        formats => formats.join(" "),
    };
    writer.line(format_args!("m={} 0 {} {formats}", media.kind, media.protocol));
}
