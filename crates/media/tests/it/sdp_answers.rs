//! Our answers to the offers that phones and carriers send.

use media::sdp::{self, Codec, Direction, NegotiationError};

use crate::support::{address, answer, description, local, ms, parse};

#[test]
fn the_first_codec_we_know_is_taken_under_its_number() {
    let (text, agreed) = answer(
        "m=audio 4000 RTP/AVP 111 96 0 97|a=rtpmap:111 opus/48000/2|a=rtpmap:96 PCMA/8000|\
         a=rtpmap:97 telephone-event/8000|a=ptime:30",
    );
    let expected = "v=0|o=- 7 1 IN IP4 192.0.2.1|s=-|c=IN IP4 192.0.2.1|t=0 0|\
        m=audio 10000 RTP/AVP 96 97|a=rtpmap:96 PCMA/8000|a=rtpmap:97 telephone-event/8000|\
        a=fmtp:97 0-15|a=ptime:30|a=rtcp:10001|a=sendrecv|";
    assert_eq!(text, expected.replace('|', "\r\n"));
    assert_eq!(agreed.codec, Codec::Pcma);
    assert_eq!(agreed.payload_types.pcma, Some(96));
    assert_eq!(agreed.payload_types.pcmu, None);
    assert_eq!(agreed.payload_types.telephone_event, Some(97));
    assert_eq!(agreed.ptime, ms(30));
}

#[test]
fn static_numbers_need_no_map() {
    let (text, agreed) = answer("m=audio 4000 RTP/AVP 8");
    assert!(text.contains("m=audio 10000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"), "{text}");
    assert_eq!(agreed.payload_types.telephone_event, None);
    assert!(!text.contains("telephone-event"), "{text}");
}

#[test]
fn a_map_counts_more_than_the_static_number() {
    let offer = description("m=audio 4000 RTP/AVP 0|a=rtpmap:0 L16/8000");
    let error = sdp::answer(&offer, &local()).unwrap_err();
    assert_eq!(error, NegotiationError::NoCommonCodec { offered: "0 L16".to_owned() });
}

#[test]
fn only_8000_hz_of_one_channel_counts() {
    for map in ["PCMU/16000", "PCMU/8000/2"] {
        let offer = description(&format!("m=audio 4000 RTP/AVP 96|a=rtpmap:96 {map}"));
        assert!(sdp::answer(&offer, &local()).is_err(), "{map}");
    }
    let (_, agreed) = answer("m=audio 4000 RTP/AVP 96|a=rtpmap:96 pcmu/8000/1");
    assert_eq!(agreed.payload_types.pcmu, Some(96));
}

#[test]
fn telephone_event_of_another_clock_is_left_out() {
    let (text, agreed) = answer(
        "m=audio 4000 RTP/AVP 0 100 101|a=rtpmap:100 telephone-event/48000|\
         a=rtpmap:101 telephone-event/8000",
    );
    assert_eq!(agreed.payload_types.telephone_event, Some(101));
    assert!(text.contains("m=audio 10000 RTP/AVP 0 101\r\n"), "{text}");
}

#[test]
fn other_streams_are_refused_in_place() {
    let (text, _) = answer(
        "m=video 6000 RTP/AVP 31 96|a=rtpmap:96 H264/90000|m=audio 4000 RTP/AVP 0|\
         m=image 7000 udptl t38|m=audio 8000 RTP/AVP 8",
    );
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    let expected = [
        "m=video 0 RTP/AVP 31 96",
        "m=audio 10000 RTP/AVP 0",
        "m=image 0 udptl t38",
        "m=audio 0 RTP/AVP 8",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_refused_stream_without_formats_still_follows_the_grammar() {
    let (text, _) = answer("m=audio 4000 RTP/AVP 0|m=application 9 TCP");
    assert!(text.contains("m=application 0 TCP 0\r\n"), "{text}");
}

#[test]
fn avpf_is_answered_as_avpf() {
    let (text, _) = answer("m=audio 4000 RTP/AVPF 0");
    assert!(text.contains("m=audio 10000 RTP/AVPF 0\r\n"), "{text}");
}

#[test]
fn encrypted_audio_is_no_common_media() {
    for protocol in ["RTP/SAVP", "UDP/TLS/RTP/SAVPF"] {
        let offer = description(&format!("m=audio 4000 {protocol} 0"));
        let error = sdp::answer(&offer, &local()).unwrap_err();
        assert_eq!(error, NegotiationError::Protocol { protocol: protocol.to_owned() });
    }
}

#[test]
fn plain_audio_beside_encrypted_audio_is_taken() {
    let (text, agreed) = answer("m=audio 4000 RTP/SAVP 0|m=audio 4002 RTP/AVP 0");
    assert!(text.contains("m=audio 0 RTP/SAVP 0\r\nm=audio 10000 RTP/AVP 0\r\n"), "{text}");
    assert_eq!(agreed.remote_rtp.port(), 4002);
}

#[test]
fn directions_are_mirrored() {
    let rows = [
        ("", Direction::SendRecv),
        ("|a=sendrecv", Direction::SendRecv),
        ("|a=sendonly", Direction::RecvOnly),
        ("|a=recvonly", Direction::SendOnly),
        ("|a=inactive", Direction::Inactive),
        ("|c=IN IP4 0.0.0.0", Direction::RecvOnly),
        ("|c=IN IP4 0.0.0.0|a=sendrecv", Direction::RecvOnly),
        ("|c=IN IP4 0.0.0.0|a=recvonly", Direction::Inactive),
        ("|c=IN IP4 0.0.0.0|a=inactive", Direction::Inactive),
        ("|c=IN IP6 ::", Direction::RecvOnly),
        ("|c=IN IP6 hold.invalid", Direction::RecvOnly),
    ];
    for (lines, direction) in rows {
        let (text, agreed) = answer(&format!("m=audio 4000 RTP/AVP 0{lines}"));
        assert_eq!(agreed.direction, direction, "{lines}");
        assert!(text.ends_with(&format!("a={}\r\n", direction.as_str())), "{lines}: {text}");
    }
}

#[test]
fn a_direction_above_the_streams_counts_where_a_stream_has_none() {
    let (_, agreed) = answer("a=inactive|m=audio 4000 RTP/AVP 0");
    assert_eq!(agreed.direction, Direction::Inactive);
    let (_, agreed) = answer("a=inactive|m=audio 4000 RTP/AVP 0|a=sendrecv");
    assert_eq!(agreed.direction, Direction::SendRecv);
    let (_, agreed) = answer("m=audio 4000 RTP/AVP 0|m=video 0 RTP/AVP 31|a=inactive");
    assert_eq!(agreed.direction, Direction::SendRecv);
}

#[test]
fn the_address_of_the_stream_counts_before_that_of_the_session() {
    let (_, agreed) = answer("m=audio 4000 RTP/AVP 0");
    assert_eq!(agreed.remote_rtp, address("203.0.113.10:4000"));
    let (_, agreed) = answer("m=audio 4000 RTP/AVP 0|c=IN IP4 203.0.113.99");
    assert_eq!(agreed.remote_rtp, address("203.0.113.99:4000"));
    let (_, agreed) = answer("m=audio 4000 RTP/AVP 0|c=IN IP6 2001:db8::9");
    assert_eq!(agreed.remote_rtp, address("[2001:db8::9]:4000"));
}

#[test]
fn rtcp_goes_where_the_offer_says() {
    let rows = [
        ("", "203.0.113.10:4001"),
        ("|a=rtcp:4100", "203.0.113.10:4100"),
        ("|a=rtcp:4100 IN IP4 203.0.113.77", "203.0.113.77:4100"),
        ("|a=rtcp:4100|a=rtcp-mux", "203.0.113.10:4000"),
    ];
    for (lines, rtcp) in rows {
        let (_, agreed) = answer(&format!("m=audio 4000 RTP/AVP 0{lines}"));
        assert_eq!(agreed.remote_rtcp, address(rtcp), "{lines}");
    }
}

#[test]
fn multiplexing_is_taken_up() {
    let (text, agreed) = answer("m=audio 4000 RTP/AVP 0|a=rtcp-mux");
    assert!(agreed.rtcp_mux);
    assert!(text.contains("a=rtcp-mux\r\n") && !text.contains("a=rtcp:"), "{text}");
}

#[test]
fn numbers_that_look_like_rtcp_are_not_multiplexed() {
    let (text, agreed) = answer("m=audio 4000 RTP/AVP 72|a=rtpmap:72 PCMU/8000|a=rtcp-mux");
    assert!(!agreed.rtcp_mux);
    assert!(!text.contains("rtcp-mux"), "{text}");
}

#[test]
fn what_is_missing_is_named() {
    let rows = [
        ("m=audio 4000 RTP/AVP 0", NegotiationError::AddressMissing),
        ("m=audio 0 RTP/AVP 0", NegotiationError::NoAudio),
        ("m=video 4000 RTP/AVP 31", NegotiationError::NoAudio),
        ("s=-", NegotiationError::NoAudio),
        (
            "c=IN IP4 media.example.com\nm=audio 4000 RTP/AVP 0",
            NegotiationError::AddressName { name: "media.example.com".to_owned() },
        ),
    ];
    for (text, error) in rows {
        assert_eq!(sdp::answer(&parse(text), &local()), Err(error), "{text}");
    }
}

#[test]
fn bare_line_feeds_and_missing_lines_are_fine() {
    let offer = parse("m=audio 4000 RTP/AVP 0 \nc=IN IP4 203.0.113.10\n\n");
    let (_, agreed) = sdp::answer(&offer, &local()).unwrap();
    assert_eq!(agreed.remote_rtp, address("203.0.113.10:4000"));
}
