//! What we offer, and what we make of the answer.

use media::sdp::{
    self, Codec, Description, Direction, Local, NegotiationError, PayloadTypes, accept,
};

use crate::support::{address, description, ip, local, ms};

#[test]
fn an_offer_has_each_line_in_the_order_of_the_grammar() {
    let bytes = sdp::offer(&local(), &[Codec::Pcma, Codec::Pcmu]);
    let expected = "v=0|o=- 7 1 IN IP4 192.0.2.1|s=-|c=IN IP4 192.0.2.1|t=0 0|\
        m=audio 10000 RTP/AVP 8 0 101|a=rtpmap:8 PCMA/8000|a=rtpmap:0 PCMU/8000|\
        a=rtpmap:101 telephone-event/8000|a=fmtp:101 0-15|a=ptime:20|a=rtcp:10001|a=sendrecv|";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected.replace('|', "\r\n"));
}

#[test]
fn an_offer_of_no_codec_in_particular_has_all() {
    assert_eq!(sdp::offer(&local(), &[]), sdp::offer(&local(), &Codec::ALL));
}

#[test]
fn an_offer_over_ipv6_says_so() {
    let local = Local { address: ip("2001:db8::1"), ..local() };
    let offer = Description::parse(&sdp::offer(&local, &[Codec::Pcmu])).unwrap();
    let text = String::from_utf8(offer.to_bytes()).unwrap();
    assert!(text.contains("c=IN IP6 2001:db8::1\r\n"), "{text}");
    assert!(text.contains("o=- 7 1 IN IP6 2001:db8::1\r\n"), "{text}");
}

#[test]
fn our_own_offer_can_be_answered_and_the_answer_accepted() {
    let offer = Description::parse(&sdp::offer(&local(), &Codec::ALL)).unwrap();
    let callee = Local { address: ip("198.51.100.20"), port: 5000, session_id: 9, version: 4 };
    let (answer, theirs) = sdp::answer(&offer, &callee).unwrap();
    let answer = Description::parse(&answer).unwrap();
    assert_eq!(answer.origin.map(|o| (o.session_id, o.version)), Some((9, 4)));
    let ours = accept(&answer, &Codec::ALL).unwrap();
    assert_eq!(ours.remote_rtp, address("198.51.100.20:5000"));
    assert_eq!(ours.remote_rtcp, address("198.51.100.20:5001"));
    assert_eq!(theirs.remote_rtp, address("192.0.2.1:10000"));
    assert_eq!((ours.codec, theirs.codec), (Codec::Pcmu, Codec::Pcmu));
    assert_eq!(ours.payload_types.telephone_event, Some(101));
}

#[test]
fn an_answer_of_both_codecs_keeps_both_and_sends_the_first() {
    let answer = description("m=audio 4000 RTP/AVP 8 0 96|a=rtpmap:96 telephone-event/8000");
    let agreed = accept(&answer, &Codec::ALL).unwrap();
    assert_eq!(agreed.codec, Codec::Pcma);
    let expected = PayloadTypes { pcmu: Some(0), pcma: Some(8), telephone_event: Some(96) };
    assert_eq!(agreed.payload_types, expected);
    assert_eq!(agreed.direction, Direction::SendRecv);
    assert_eq!(agreed.ptime, ms(20));
}

#[test]
fn an_answer_cannot_add_a_codec() {
    let answer = description("m=audio 4000 RTP/AVP 8 0");
    let agreed = accept(&answer, &[Codec::Pcmu]).unwrap();
    assert_eq!((agreed.codec, agreed.payload_types.pcma), (Codec::Pcmu, None));
    let answer = description("m=audio 4000 RTP/AVP 8");
    let error = accept(&answer, &[Codec::Pcmu]).unwrap_err();
    assert_eq!(error, NegotiationError::NoCommonCodec { offered: "8".to_owned() });
}

#[test]
fn an_answer_that_refuses_the_stream_is_no_audio() {
    let answer = description("m=audio 0 RTP/AVP 0");
    assert_eq!(accept(&answer, &Codec::ALL), Err(NegotiationError::NoAudio));
}

#[test]
fn an_answer_cannot_begin_to_multiplex() {
    let answer = description("m=audio 4000 RTP/AVP 0|a=rtcp-mux");
    let agreed = accept(&answer, &Codec::ALL).unwrap();
    assert!(!agreed.rtcp_mux);
    assert_eq!(agreed.remote_rtcp, address("203.0.113.10:4001"));
}

#[test]
fn an_answer_on_hold_leaves_us_receiving() {
    let answer = description("m=audio 4000 RTP/AVP 0|a=sendonly");
    assert_eq!(accept(&answer, &Codec::ALL).unwrap().direction, Direction::RecvOnly);
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap().replace("\r\n", "|")
}

#[test]
fn an_offer_of_another_party_has_its_place_and_numbers_and_our_origin() {
    let theirs = description(
        "m=audio 4000 RTP/AVP 8 96|a=rtpmap:96 telephone-event/8000|a=ptime:30|\
         a=rtcp:4007 IN IP4 203.0.113.99",
    );
    let (_, party) = sdp::answer(&theirs, &local()).unwrap();
    let expected = "v=0|o=- 7 1 IN IP4 192.0.2.1|s=-|c=IN IP4 203.0.113.10|t=0 0|\
        m=audio 4000 RTP/AVP 8 96|a=rtpmap:8 PCMA/8000|a=rtpmap:96 telephone-event/8000|\
        a=fmtp:96 0-15|a=ptime:30|a=rtcp:4007 IN IP4 203.0.113.99|a=sendrecv|";
    assert_eq!(text(sdp::offer_of(&local(), &party)), expected);
}

#[test]
fn an_offer_of_a_party_without_keys_or_port_for_rtcp_has_neither() {
    for (lines, rtcp) in [
        ("m=audio 4000 RTP/AVP 0", "a=rtcp:4001|"),
        ("m=audio 4000 RTP/AVP 0|a=rtcp-mux", "a=rtcp:4001|"),
        ("m=audio 4000 RTP/AVP 0|a=rtcp:0", "a=rtcp:4001|"),
        ("m=audio 65535 RTP/AVP 0", "a=ptime:20|"),
    ] {
        let (_, party) = sdp::answer(&description(lines), &local()).unwrap();
        let offer = text(sdp::offer_of(&local(), &party));
        assert!(!offer.contains("telephone-event") && !offer.contains("mux"), "{offer}");
        assert!(offer.ends_with(&format!("{rtcp}a=sendrecv|")), "{offer}");
    }
}

#[test]
fn an_offer_of_a_party_over_ipv6_names_each_address_by_its_family() {
    let theirs = description("m=audio 4000 RTP/AVP 0|c=IN IP6 2001:db8::7");
    let (_, party) = sdp::answer(&theirs, &local()).unwrap();
    let offer = text(sdp::offer_of(&local(), &party));
    assert!(offer.contains("o=- 7 1 IN IP4 192.0.2.1|"), "{offer}");
    assert!(offer.contains("|c=IN IP6 2001:db8::7|"), "{offer}");
}

#[test]
fn an_offer_that_brings_back_keeps_codec_and_numbers() {
    let theirs = description("m=audio 4000 RTP/AVP 8 96|a=rtpmap:96 telephone-event/8000");
    let (_, agreed) = sdp::answer(&theirs, &local()).unwrap();
    let offer = text(sdp::offer_again(&local(), &agreed));
    assert!(offer.contains("|c=IN IP4 192.0.2.1|"), "{offer}");
    assert!(offer.contains("|m=audio 10000 RTP/AVP 8 0 96|"), "{offer}");
    let theirs = description("m=audio 4000 RTP/AVP 0");
    let (_, agreed) = sdp::answer(&theirs, &local()).unwrap();
    let offer = text(sdp::offer_again(&local(), &agreed));
    assert!(offer.contains("|m=audio 10000 RTP/AVP 0 8 101|"), "{offer}");
}

#[test]
fn an_answer_for_another_party_names_its_place() {
    let theirs = description("m=video 5000 RTP/AVP 99|m=audio 4000 RTP/AVP 0");
    let receiver = address("198.51.100.20:5000");
    let (answer, agreed) = sdp::answer_for(&theirs, &local(), receiver).unwrap();
    let expected = "v=0|o=- 7 1 IN IP4 192.0.2.1|s=-|c=IN IP4 198.51.100.20|t=0 0|\
        m=video 0 RTP/AVP 99|m=audio 5000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|\
        a=rtcp:5001|a=sendrecv|";
    assert_eq!(text(answer), expected);
    assert_eq!(agreed.remote_rtp, address("203.0.113.10:4000"));
}
