//! Our descriptions read by a parser that is not ours.

use std::net::IpAddr;

use media::sdp::{self, Codec, Local};

use crate::support::{answer, ip, local};

fn read(bytes: &[u8]) -> sdp_types::Session {
    sdp_types::Session::parse(bytes).unwrap()
}

#[test]
fn offers_are_what_they_say() {
    for address in ["192.0.2.1", "2001:db8::1"] {
        let local = Local { address: ip(address), ..local() };
        let session = read(&sdp::offer(&local, &Codec::ALL));
        assert_eq!((session.origin.sess_id.as_str(), session.origin.sess_version), ("7", 1));
        let connection = session.connection.as_ref().unwrap();
        assert_eq!(connection.connection_address.parse::<IpAddr>(), Ok(ip(address)));
        let media = &session.medias[0];
        assert_eq!((media.media.as_str(), media.port), ("audio", 10_000));
        assert_eq!((media.proto.as_str(), media.fmt.as_str()), ("RTP/AVP", "0 8 101"));
        let maps: Vec<&str> = media.get_attribute_values("rtpmap").flatten().collect();
        assert_eq!(maps, ["0 PCMU/8000", "8 PCMA/8000", "101 telephone-event/8000"]);
        assert!(media.has_attribute("sendrecv"));
    }
}

#[test]
fn answers_are_what_they_say() {
    let (text, _) = answer("m=video 6000 RTP/AVP 31|m=audio 4000 RTP/AVP 8 0|a=sendonly");
    let session = read(text.as_bytes());
    let media: Vec<_> = session.medias.iter().map(|m| (m.media.as_str(), m.port)).collect();
    assert_eq!(media, [("video", 0), ("audio", 10_000)]);
    assert_eq!(session.medias[1].fmt, "8");
    assert!(session.medias[1].has_attribute("recvonly"));
}
