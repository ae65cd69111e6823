//! Session descriptions and packets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use media::rtp::{packet, rtcp as control};
use media::sdp::{self, Codec, Description, Direction, Local, Negotiated, PayloadTypes};
use media::{Forward, LegId, Remote, Session, SessionConfig, tone};

use crate::script::Script;

const LOCAL: Local =
    Local { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 10_000, session_id: 7, version: 1 };

/// A description: read, written, answered; our answer is one that its reader would take.
pub fn sdp(data: &[u8]) {
    let description = match Description::parse(data) {
        Ok(description) => description,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    let written = description.to_bytes();
    let again = Description::parse(&written).expect("what was read reads again");
    assert_eq!(again.to_bytes(), written);
    assert_eq!(again.media, description.media);
    for codecs in [&Codec::ALL[..], &[Codec::Pcma]] {
        if let Ok(negotiated) = sdp::accept(&description, codecs) {
            assert!(codecs.contains(&negotiated.codec));
            check(&negotiated);
        }
    }
    let Ok((bytes, negotiated)) = sdp::answer(&description, &LOCAL) else { return };
    check(&negotiated);
    let answer = Description::parse(&bytes).expect("our answer can be read");
    // RFC 3264 §6: as many streams as the offer, in its order.
    assert_eq!(answer.media.len(), description.media.len());
    assert_eq!(answer.media.iter().filter(|media| media.port != 0).count(), 1);
    let accepted = sdp::accept(&answer, &Codec::ALL).expect("our answer can be accepted");
    assert_eq!(accepted.codec, negotiated.codec);
    assert_eq!(accepted.direction, negotiated.direction.mirrored());
}

fn check(negotiated: &Negotiated) {
    let number = negotiated.payload_types.of(negotiated.codec);
    assert!(number.is_some_and(|number| number <= 127));
    assert!(negotiated.remote_rtp.port() != 0 || negotiated.remote_rtp.ip().is_unspecified());
    assert!(!negotiated.ptime.is_zero());
}

/// Where packets of a peer come from.
fn source(which: u8) -> SocketAddr {
    let last = which % 4;
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)), 4000 + u16::from(which & 4))
}

fn negotiated(script: &mut Script<'_>) -> Negotiated {
    let codec = script.pick(&Codec::ALL);
    let mut payload_types =
        PayloadTypes { telephone_event: script.flag().then_some(101), ..PayloadTypes::default() };
    payload_types
        .set(codec, if script.flag() { codec.payload_type() } else { script.byte() & 127 });
    let directions =
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    let remote_rtp = source(script.byte());
    Negotiated {
        remote_rtp,
        remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port() + 1),
        rtcp_mux: script.flag(),
        direction: script.pick(&directions),
        codec,
        payload_types,
        ptime: sdp::DEFAULT_PTIME,
    }
}

/// One packet as it is, then a session of three legs to which the bytes are a script: packets,
/// bridges, tones, changes of the description and time.
pub fn rtp(data: &[u8]) {
    if let Ok(packet) = packet::Packet::parse(data) {
        assert!(packet.payload.start <= packet.payload.end && packet.payload.end <= data.len());
        assert!(packet.payload_type <= 127);
    }
    let mut script = Script::new(data);
    let now = testkit::epoch();
    let inactivity = script.flag().then_some(Duration::from_secs(5));
    let mut session = Session::new(SessionConfig { inactivity }, u64::from(script.byte()));
    let mut time = Duration::ZERO;
    while !script.is_over() {
        let at = now + time;
        let (leg, peer) = (LegId(script.byte() % 4), LegId(script.byte() % 4));
        match script.below(10) {
            0 => session.add_leg(leg),
            1 => session.remove_leg(leg),
            2 => {
                let negotiated = negotiated(&mut script);
                let signalling_source = source(script.byte()).ip();
                session.set_remote(at, leg, Remote { negotiated, signalling_source });
            }
            3 => session.bridge(at, leg, peer),
            4 => session.connect(at, leg, peer),
            5 => session.ringback(at, leg, tone::country("us").expect("a country")),
            6 => session.silence(leg),
            7 => {
                time += Duration::from_millis(u64::from(script.byte()) * 20);
                session.handle_timeout(now + time);
            }
            8 => {
                let from = source(script.byte());
                let mut bytes = script.bytes().to_vec();
                let sent = session.handle_rtp(at, leg, from, &mut bytes);
                forwarded(sent, leg, bytes.len());
            }
            _ => {
                let from = source(script.byte());
                let mut bytes = script.bytes().to_vec();
                let sent = session.handle_rtcp(at, leg, from, &mut bytes);
                forwarded(sent, leg, bytes.len());
            }
        }
        drain(&mut session);
    }
}

/// A packet is sent to a place, whole, and not back to whoever sent it.
fn forwarded(sent: Option<Forward>, from: LegId, length: usize) {
    if let Some(forward) = sent {
        assert_eq!(forward.len, length);
        assert_ne!(forward.leg, from, "a packet goes back to its sender");
        assert!(!forward.to.ip().is_unspecified() && forward.to.port() != 0);
    }
}

fn drain(session: &mut Session) {
    let mut buffer = [0; 1500];
    for _ in 0..100 {
        let Some(forward) = session.poll_transmit(&mut buffer) else { break };
        assert!(packet::Packet::parse(&buffer[..forward.len]).is_ok());
    }
    assert!(session.poll_transmit(&mut buffer).is_none(), "tones without end");
    for _ in 0..16 {
        if session.poll_event().is_none() {
            return;
        }
    }
    panic!("events without end");
}

/// A compound packet: its lengths are what they say.
pub fn rtcp(data: &[u8]) {
    let sound = control::check(data).is_ok();
    assert!(!sound || (data.len() >= 4 && data.len().is_multiple_of(4)));
    assert!(!sound || control::is_rtcp(data));
    let doubled = [data, data].concat();
    assert!(!sound || control::check(&doubled).is_ok(), "twice is as sound as once");
}
