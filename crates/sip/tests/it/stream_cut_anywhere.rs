//! The reader of streams: however the network cuts the bytes, the same messages come out; and
//! what is no SIP ends it before it holds much.

use sip::Message;
use sip::framing::{Frame, Framer, FramingError};
use sip::limits::{STREAM_BODY_BYTES_MAX, STREAM_HEAD_BYTES_MAX};

use crate::link::Dice;

/// Messages as careless peers write them, with keep-alives between.
const STREAM: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n\
    \r\n\r\n\
    INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl : 5\r\n\r\nv=0\r\n\
    SIP/2.0 200 OK\nCONTENT-LENGTH:\r\n  \t3\r\n\n\n\r\n\
    \r\nBYE sip:c SIP/2.0\r\nX-Content-Length: 9\r\nl: 04\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\
    x\r\nno colon\r\nl:0\r\n\r\n";

fn message(text: &[u8]) -> Frame {
    Frame::Message(text.to_vec().into())
}

fn wanted() -> Vec<Frame> {
    vec![
        message(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"),
        Frame::Ping,
        message(b"INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl : 5\r\n\r\nv=0\r\n"),
        message(b"SIP/2.0 200 OK\nCONTENT-LENGTH:\r\n  \t3\r\n\n\n\r\n"),
        message(b"BYE sip:c SIP/2.0\r\nX-Content-Length: 9\r\nl: 04\r\n\r\n\r\n\r\n"),
        Frame::Ping,
        Frame::Ping,
        message(b"x\r\nno colon\r\nl:0\r\n\r\n"),
    ]
}

fn read(pieces: &[&[u8]]) -> Result<Vec<Frame>, FramingError> {
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next_frame()? {
            frames.push(frame);
        }
    }
    assert!(!framer.is_within_message());
    assert_eq!(framer.held(), 0, "between messages nothing is held");
    Ok(frames)
}

#[test]
fn each_place_to_cut_gives_the_same_messages() {
    assert_eq!(read(&[STREAM]), Ok(wanted()));
    for first in 0..STREAM.len() {
        let (head, rest) = STREAM.split_at(first);
        assert_eq!(read(&[head, rest]), Ok(wanted()), "cut at {first}");
        for second in (0..rest.len()).step_by(7) {
            let (middle, tail) = rest.split_at(second);
            assert_eq!(read(&[head, middle, tail]), Ok(wanted()), "cut at {first} and {second}");
        }
    }
    let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
    assert_eq!(read(&bytes), Ok(wanted()));
}

#[test]
fn what_it_frames_is_what_the_parser_reads() {
    for frame in wanted() {
        let Frame::Message(bytes) = frame else { continue };
        let Ok(parsed) = Message::parse(&bytes) else { continue };
        let length = parsed.header_text("Content-Length").unwrap();
        assert_eq!(
            parsed.body().len().to_string(),
            length.trim_start_matches('0').to_owned()
                + if length.trim_start_matches('0').is_empty() { "0" } else { "" }
        );
        assert!(parsed.as_bytes().ends_with(parsed.body()));
    }
}

#[test]
fn a_stream_that_is_none_ends() {
    for (text, error) in [
        ("OPTIONS sip:a SIP/2.0\r\n\r\n", FramingError::NoContentLength),
        ("OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n", FramingError::BadContentLength),
        ("OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n", FramingError::BadContentLength),
        ("OPTIONS sip:a SIP/2.0\r\nContent-Length:\r\n\r\n", FramingError::BadContentLength),
        ("OPTIONS sip:a SIP/2.0\r\nl: 99999999999\r\n\r\n", FramingError::BadContentLength),
        ("OPTIONS sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", FramingError::BadContentLength),
        (
            "OPTIONS sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n",
            FramingError::BadContentLength,
        ),
        ("OPTIONS sip:a SIP/2.0\r\nl: 49152\r\n\r\n", FramingError::BodyTooLong),
    ] {
        assert_eq!(read(&[text.as_bytes()]), Err(error), "{text}");
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), Err(error), "{text}");
    }
    assert_eq!(STREAM_BODY_BYTES_MAX, 49_151);
}

#[test]
fn after_an_error_nothing_more_is_read_or_held() {
    let mut framer = Framer::new();
    framer.push(b"OPTIONS sip:a SIP/2.0\r\n\r\nOPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n");
    for _ in 0..3 {
        assert_eq!(framer.next_frame(), Err(FramingError::NoContentLength));
        framer.push(b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n");
        assert_eq!(framer.held(), 0);
    }
}

#[test]
fn a_request_that_breaks_the_stream_is_refused_by_the_same_connection() {
    let source = "198.51.100.9:40000".parse().unwrap();
    let refusal = |method: &str, more: &str| {
        let mut framer = Framer::new();
        assert_eq!(framer.refusal(source), None, "nothing is wrong yet");
        framer.push(b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n");
        let head = format!(
            "{method} sip:a SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;rport;branch=z9hG4bK7\r\n\
             From: <sip:b@h>;tag=b\r\nTo: <sip:a@h>\r\n{more}Call-ID: c\r\nCSeq: 1 {method}\r\n\r\n"
        );
        framer.push(head.as_bytes());
        assert!(matches!(framer.next_frame(), Ok(Some(Frame::Message(_)))), "{more}");
        framer.next_frame().expect_err(more);
        framer.refusal(source)
    };
    for (more, status, why) in [
        ("", 400, "no Content-Length; expected one"),
        ("Content-Length: -1\r\n", 400, "Content-Length; expected one number"),
        ("Content-Length: 1\r\n 2\r\n", 400, "Content-Length; expected one number"),
        ("l: 0\r\nl: 0\r\n", 400, "Content-Length; expected one number"),
        ("l: 4000000000\r\n", 413, "the body is too long; expected at most 49151 bytes"),
    ] {
        let refusal = Message::parse(&refusal("INVITE", more).expect(more)).unwrap();
        assert_eq!(refusal.status(), Some(status));
        assert!(refusal.reason().ends_with(&format!(": {why}")), "{}", refusal.reason());
        assert_eq!(refusal.cseq().unwrap().0, 1);
        assert!(refusal.to().unwrap().tag().is_some());
        let via = refusal.top_via().unwrap();
        assert_eq!(via.params.get("received"), Some("198.51.100.9"));
        assert_eq!(via.params.get("rport"), Some("40000"));
    }
    assert_eq!(refusal("ACK", ""), None, "nobody answers an ACK");
}

#[test]
fn headers_that_never_end_are_held_up_to_the_limit() {
    let mut framer = Framer::new();
    let mut pushed = 0;
    let error = loop {
        framer.push(b"X: 0123456789\r\n");
        pushed += 15;
        match framer.next_frame() {
            Ok(None) => assert!(framer.held() <= 2 * STREAM_HEAD_BYTES_MAX),
            Ok(Some(frame)) => panic!("{frame:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, FramingError::HeadTooLong);
    assert_eq!(pushed, STREAM_HEAD_BYTES_MAX / 15 * 15 + 15);

    let fits = format!(
        "X: {}\r\nl: {STREAM_BODY_BYTES_MAX}\r\n\r\n",
        "y".repeat(STREAM_HEAD_BYTES_MAX - "X: \r\nl: 49151\r\n\r\n".len())
    );
    let body = vec![b'z'; STREAM_BODY_BYTES_MAX];
    let whole = [fits.as_bytes(), &body].concat();
    assert_eq!(whole.len(), sip::limits::MESSAGE_BYTES_MAX);
    assert_eq!(read(&[&whole]), Ok(vec![message(&whole)]));
    let over = format!("Z{fits}");
    assert_eq!(read(&[over.as_bytes()]), Err(FramingError::HeadTooLong));
}

/// Bytes that come close to messages.
fn noise(dice: &mut Dice) -> Vec<u8> {
    const PARTS: [&[u8]; 12] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"l: 3\r\n",
        b"Content-Length: 0\r\n",
        b" folded\r\n",
        b"INVITE sip:a SIP/2.0\r\n",
        b"abc",
        b"\0",
        b"l:\xff\r\n",
        b"l: 3\r\n\r\nabc",
    ];
    let count = dice.below(30);
    (0..count).flat_map(|_| PARTS[dice.below(12) as usize].to_vec()).collect()
}

/// Everything that comes out, and how it ended.
fn all(bytes: &[u8], cut: &mut impl FnMut() -> usize) -> (Vec<Frame>, Option<FramingError>) {
    let (mut framer, mut frames, mut rest) = (Framer::new(), Vec::new(), bytes);
    loop {
        match framer.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Err(error) => return (frames, Some(error)),
            Ok(None) if rest.is_empty() => return (frames, None),
            Ok(None) => {
                let (piece, after) = rest.split_at(cut().clamp(1, rest.len()));
                framer.push(piece);
                rest = after;
            }
        }
    }
}

#[test]
fn noise_is_read_alike_however_it_is_cut() {
    let mut dice = Dice(7);
    let mut messages = 0;
    for _ in 0..20_000 {
        let bytes = noise(&mut dice);
        let whole = all(&bytes, &mut || usize::MAX);
        let mut cuts = dice.clone();
        assert_eq!(
            all(&bytes, &mut || cuts.below(9) as usize),
            whole,
            "{:?}",
            bytes.escape_ascii()
        );
        assert_eq!(all(&bytes, &mut || 1), whole);
        messages += whole.0.len();
    }
    assert!(messages > 5_000, "only {messages} came out");
}
