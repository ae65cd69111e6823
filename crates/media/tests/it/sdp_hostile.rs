//! Descriptions that are wrong: an error that says where, or a description; never a panic.

use media::sdp::{self, Codec, Description, MAX_FORMATS, MAX_LINES, MAX_MEDIA, MAX_SIZE};

use crate::support::{Numbers, local, parse};

const SEEDS: [&str; 4] = [
    "v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n\
     m=audio 4000 RTP/AVP 8 0 96 97\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
     a=rtpmap:97 telephone-event/8000\r\na=ptime:20\r\na=rtcp:4100 IN IP4 203.0.113.11\r\n",
    "v=0\no=x 1 2 IN IP6 2001:db8::1\ns=call\nc=IN IP6 2001:db8::1/127\nt=0 0\na=inactive\n\
     m=video 6000/2 RTP/AVPF 31\nm=audio 4000 RTP/AVPF 0\na=rtcp-mux\na=sendonly\n",
    "m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\n",
    "c=IN IP4 hold.invalid\r\nm=audio 65535 RTP/AVP 0 0 0\r\na=rtcp:0\r\n\
     a=rtpmap:0 PCMU/8000/1\r\n",
];

#[test]
fn errors_say_where_and_what() {
    let rows = [
        ("", "SDP line 1: description; expected at least one line, got ``"),
        ("v=1\n", "SDP line 1: v=; expected 0, got `1`"),
        ("v=0\nfoo\n", "SDP line 2: line; expected a letter and `=`, got `foo`"),
        ("v=0\n\n=x\n", "SDP line 3: line; expected a letter and `=`, got `=x`"),
        ("m=audio\n", "SDP line 1: m=; expected `kind port protocol formats`, got `audio`"),
        (
            "m=audio 65536 RTP/AVP 0\n",
            "SDP line 1: m=; expected a port from 0 to 65535, got `audio 65536 RTP/AVP 0`",
        ),
        (
            "c=IN IP4 1.2.3.999\n",
            "SDP line 1: connection; expected `IN IP4 address` or `IN IP6 address`, \
             got `IN IP4 1.2.3.999`",
        ),
        (
            "m=audio 1 RTP/AVP 0\na=rtpmap:200 PCMU/8000\n",
            "SDP line 2: a=rtpmap; expected `number name/clock` with a number up to 127, \
             got `rtpmap:200 PCMU/8000`",
        ),
        (
            "m=audio 1 RTP/AVP 0\na=rtcp:x\n",
            "SDP line 2: a=rtcp; expected a port from 0 to 65535, got `x`",
        ),
        ("s=\u{0}\n", "SDP line 1: line; expected no NUL, got `s=\\0`"),
    ];
    for (text, error) in rows {
        let got = Description::parse(text.as_bytes()).unwrap_err();
        assert_eq!(got.to_string(), error, "{text:?}");
    }
}

#[test]
fn lines_nobody_knows_are_kept() {
    let text = "v=0\r\nZ=?\r\nb=AS:64\r\na=x-unknown:\u{fc} 1\r\nm=audio 4000 RTP/AVP 0\r\n\
                k=clear:1\r\na=candidate:1 1 udp 1 192.0.2.3 9 typ host\r\n";
    assert_eq!(String::from_utf8(parse(text).to_bytes()).unwrap(), text);
    let latin = b"v=0\r\ns=J\xfcrgen\r\na=\xff\xfe\r\n";
    assert_eq!(Description::parse(latin).unwrap().to_bytes(), latin);
}

#[test]
fn limits_hold() {
    let at_limit = "a=x\n".repeat(MAX_LINES);
    assert!(Description::parse(at_limit.as_bytes()).is_ok());
    assert!(Description::parse((at_limit + "a=x\n").as_bytes()).is_err());
    let media = "m=audio 1 RTP/AVP 0\n".repeat(MAX_MEDIA);
    assert!(Description::parse(media.as_bytes()).is_ok());
    assert!(Description::parse((media + "m=audio 1 RTP/AVP 0\n").as_bytes()).is_err());
    let formats = format!("m=audio 1 RTP/AVP{}\n", " 0".repeat(MAX_FORMATS));
    assert!(Description::parse(formats.as_bytes()).is_ok());
    let formats = format!("m=audio 1 RTP/AVP{}\n", " 0".repeat(MAX_FORMATS + 1));
    assert!(Description::parse(formats.as_bytes()).is_err());
    let long = format!("a={}\n", "x".repeat(sdp::MAX_LINE));
    assert!(Description::parse(long.as_bytes()).is_err());
    let blank = vec![b'\n'; MAX_SIZE + 1];
    assert!(Description::parse(&blank).is_err());
    let error = Description::parse(long.as_bytes()).unwrap_err();
    assert!(error.got.len() <= 60, "{}", error.got);
}

#[test]
fn mutated_descriptions_parse_or_fail_and_answers_parse_again() {
    let mut numbers = Numbers(0x5eed);
    let mut answered = 0;
    for round in 0..60_000 {
        let mut body = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..=numbers.below(6) {
            mutate(&mut numbers, &mut body);
        }
        let Ok(description) = Description::parse(&body) else { continue };
        let written = description.to_bytes();
        let again = Description::parse(&written).expect("what was parsed can be parsed again");
        assert_eq!(again.to_bytes(), written);
        assert_eq!(again.media, description.media);
        let _ = sdp::accept(&description, &Codec::ALL);
        if let Ok((bytes, _)) = sdp::answer(&description, &local()) {
            let ours = Description::parse(&bytes).expect("our answer can be parsed");
            assert_eq!(ours.media.len(), description.media.len());
            let taken = ours.media.iter().filter(|media| media.port != 0).count();
            assert_eq!(taken, 1);
            answered += 1;
        }
    }
    assert!(answered > 5_000, "only {answered} were answered: the mutations are too harsh");
}

fn mutate(numbers: &mut Numbers, body: &mut Vec<u8>) {
    const PIECES: [&[u8]; 8] =
        [b"\n", b"\r\n", b"a=", b"m=audio 0 RTP/AVP", b"65536", b"/", b":", b"\0"];
    if body.is_empty() {
        body.push(b'v');
    }
    let at = numbers.below(body.len());
    match numbers.below(6) {
        0 => body[at] = numbers.next() as u8,
        1 => {
            body.remove(at);
        }
        2 => body.truncate(at),
        3 => {
            let piece = PIECES[numbers.below(PIECES.len())];
            body.splice(at..at, piece.iter().copied());
        }
        4 => {
            let end = (at + numbers.below(40)).min(body.len());
            let copy = body[at..end].to_vec();
            let to = numbers.below(body.len());
            body.splice(to..to, copy);
        }
        _ => body[at] ^= 1 << numbers.below(8),
    }
}
