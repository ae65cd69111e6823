//! Octets that are no RTP are dropped and counted, and change nothing.

use media::rtp::packet::{Packet, PacketError};
use media::sdp::Codec;

use crate::support::{CALLEE_RTP, CALLER, CALLER_RTP, Call, Numbers, packet, stream};

fn header(first: u8) -> Vec<u8> {
    let mut bytes = packet(0)[..12].to_vec();
    bytes[0] = first;
    bytes
}

#[test]
fn lengths_that_do_not_fit_are_named() {
    let with = |first: u8, rest: &[u8]| [&header(first)[..], rest].concat();
    let rows = [
        (vec![], Err(PacketError::Short)),
        (packet(0)[..11].to_vec(), Err(PacketError::Short)),
        (with(0x00, &[]), Err(PacketError::Version)),
        (with(0xc0, &[]), Err(PacketError::Version)),
        (with(0x80, &[]), Ok(12..12)),
        (with(0x82, &[0; 7]), Err(PacketError::Short)),
        (with(0x82, &[0; 9]), Ok(20..21)),
        (with(0x90, &[0; 3]), Err(PacketError::Short)),
        (with(0x90, &[0, 0, 0, 1, 9, 9, 9]), Err(PacketError::Short)),
        (with(0x90, &[0, 0, 0xff, 0xff, 9, 9, 9, 9]), Err(PacketError::Short)),
        (with(0x90, &[0, 0, 0, 1, 9, 9, 9, 9, 5]), Ok(20..21)),
        (with(0xa0, &[]), Err(PacketError::Padding)),
        (with(0xa0, &[1, 2, 0]), Err(PacketError::Padding)),
        (with(0xa0, &[1, 2, 4]), Err(PacketError::Padding)),
        (with(0xa0, &[1, 2, 3]), Ok(12..12)),
        (with(0xa0, &[7, 7, 0, 2]), Ok(12..14)),
        (with(0xb1, &[1, 1, 1, 1, 0, 0, 0, 0, 7, 1]), Ok(20..21)),
    ];
    for (bytes, payload) in rows {
        assert_eq!(Packet::parse(&bytes).map(|packet| packet.payload), payload, "{bytes:?}");
    }
}

#[test]
fn fields_are_read() {
    let mut bytes = packet(101);
    bytes[1] |= 0x80;
    let parsed = Packet::parse(&bytes).unwrap();
    assert!(parsed.marker);
    assert_eq!((parsed.payload_type, parsed.sequence), (101, 1000));
    assert_eq!((parsed.timestamp, parsed.ssrc), (160_000, 0xdead_beef));
}

#[test]
fn only_the_payload_is_transcoded() {
    let caller = stream(CALLER_RTP, Codec::Pcma);
    let mut call = Call::bridged(caller, stream(CALLEE_RTP, Codec::Pcmu));
    call.rtp(CALLER, CALLER_RTP, &mut packet(8)).unwrap();
    let mut bytes = header(0xb1);
    bytes[1] = 8;
    bytes.extend_from_slice(&[1, 1, 1, 1, 0, 0, 0, 1, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0, 2]);
    let before = bytes.clone();
    call.rtp(CALLER, CALLER_RTP, &mut bytes).unwrap();
    assert_eq!(bytes[1], 0);
    assert_eq!(bytes[2..24], before[2..24]);
    assert_ne!(bytes[24..26], before[24..26]);
    assert_eq!(bytes[26..], before[26..]);
}

#[test]
fn random_octets_never_panic_and_are_all_counted() {
    let caller = stream(CALLER_RTP, Codec::Pcma);
    let mut call = Call::bridged(caller, stream(CALLEE_RTP, Codec::Pcmu));
    let mut numbers = Numbers(0xbad);
    let mut forwarded = 0;
    for round in 0..100_000_u64 {
        let length = numbers.below(64);
        let mut bytes: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
        if round % 2 == 0 && length > 1 {
            bytes[0] = 0x80 | (bytes[0] & 0x3f);
            bytes[1] = 8;
        }
        forwarded += u64::from(call.rtp(CALLER, CALLER_RTP, &mut bytes).is_some());
        call.rtcp(CALLER, "203.0.113.10:4001", &mut bytes);
    }
    let counters = call.session.counters(CALLER).unwrap();
    let rtcp = counters.rtcp_received.packets;
    assert_eq!(forwarded + rtcp + counters.dropped.total(), 200_000);
    assert!(forwarded > 1000 && counters.dropped.malformed > 100_000);
}
