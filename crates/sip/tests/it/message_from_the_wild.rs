//! What carriers and phones really send is read, and every byte of it stays readable.

use sip::{HeaderErrorKind, Message, Method, ParseErrorKind, Scheme};

use crate::texts::{INVITE, read, request_with, sound};

#[test]
fn a_carrier_invite_gives_all_it_holds() {
    let invite = read(INVITE).unwrap();
    assert_eq!(invite.method(), Some(Method::Invite));
    assert_eq!(invite.status(), None);
    assert_eq!(invite.request_uri().unwrap(), "sip:+12125550142@198.51.100.20:5060;user=phone");
    let from = invite.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("MILLER JOAN"));
    assert_eq!(from.tag(), Some("gK0c4f1a2b"));
    assert_eq!(invite.to().unwrap().tag(), None);
    assert_eq!(invite.cseq().unwrap(), (718_293, Method::Invite));
    assert_eq!(invite.call_id().unwrap(), "1543209876_120394857@203.0.113.77");
    assert_eq!(invite.max_forwards().unwrap(), Some(67));
    let via = invite.top_via().unwrap();
    assert_eq!(via.branch(), Some("z9hG4bKcydzigwkX.7f1c2e.0"));
    assert_eq!(via.rport(), Some(None));
    assert_eq!(invite.header_all("v").count(), 2);
    assert_eq!(invite.header_values("allow").nth(1), Some(b"ACK".as_slice()));
    assert_eq!(invite.header("x-trunk-group"), Some(b"nyc-east-04".as_slice()));
    assert_eq!(invite.route_set("Record-Route").unwrap().len(), 1);
    assert_eq!(invite.contact().unwrap().uri.host_ip(), Some([203, 0, 113, 77].into()));
    assert!(invite.body().starts_with(b"v=0") && invite.body().ends_with(b"ptime:20\r\n"));
    invite.check().unwrap();
}

#[test]
fn every_sound_text_is_read_with_either_line_end() {
    for text in sound() {
        // The body keeps its line ends: Content-Length counts them.
        let (head, body) = text
            .split_once("\r\n\r\n")
            .or_else(|| text.split_once("\n\n"))
            .filter(|(head, _)| !head.is_empty())
            .unwrap_or(("", &text));
        let head = head.replace("\r\n", "\n") + if head.is_empty() { "" } else { "\n\n" };
        for head in [head.replace('\n', "\r\n"), head] {
            let text = head + body;
            let message = Message::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"));
            message.check().unwrap_or_else(|fault| panic!("{fault}: {text}"));
        }
    }
}

#[test]
fn latin1_bytes_are_text() {
    let datagram =
        b"INVITE sip:b@c SIP/2.0\r\nFrom: \"J\xfcrgen\" <sip:j\xfc@b>;tag=1\r\n\r\n\xff\xfe";
    let message = Message::parse(datagram).unwrap();
    let from = message.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("Jürgen"));
    assert_eq!(from.uri.user.as_deref(), Some("jü"));
    assert_eq!(message.header("from").unwrap().get(2), Some(&0xfc));
    assert_eq!(message.body(), b"\xff\xfe");
    assert_eq!(message.as_bytes(), datagram);
}

#[test]
fn folded_lines_are_one_value() {
    let message = request_with("Subject: one\n  two\n\tthree\nX-After: kept\n").unwrap();
    let subject = message.header_text("s").unwrap();
    assert_eq!(subject.split_ascii_whitespace().collect::<Vec<_>>(), ["one", "two", "three"]);
    assert!(!subject.contains(['\r', '\n']));
    assert_eq!(message.header_text("X-After").unwrap(), "kept");
}

#[test]
fn a_body_without_length_is_the_rest_and_a_shorter_length_cuts() {
    let text = "MESSAGE sip:b@c SIP/2.0\n\nhello\n\nworld";
    assert_eq!(read(text).unwrap().body(), b"hello\r\n\r\nworld");
    let cut = request_with("l: 5\n\nhello, padding").unwrap();
    assert_eq!(cut.body(), b"hello");
}

#[test]
fn a_body_cut_short_is_a_located_error_that_can_be_answered() {
    let fault = request_with("Content-Length: 10\n\nshort").unwrap_err();
    assert_eq!(fault.kind, ParseErrorKind::Malformed);
    assert_eq!(fault.got, "10");
    let request = fault.request.unwrap();
    request.check().unwrap();
    assert_eq!(request.as_bytes().get(fault.offset..fault.offset + 2), Some(b"10".as_slice()));
    let response = read("SIP/2.0 200 OK\nContent-Length: 10\n\nshort").unwrap_err();
    assert_eq!(response.request, None, "a response is never answered");
}

#[test]
fn custom_reason_phrases_and_unknown_methods_survive() {
    let busy = read("SIP/2.0 486 Nicht jetzt, bitte!\n\n").unwrap();
    assert_eq!((busy.status(), busy.reason().as_ref()), (Some(486), "Nicht jetzt, bitte!"));
    for bare in ["SIP/2.0 200\n\n", "SIP/2.0 200 \n\n", "sip/2.0 200   \n\n"] {
        let message = read(bare).unwrap();
        assert_eq!((message.status(), message.reason().as_ref()), (Some(200), ""));
    }
    let spin = read("SPIN! sip:b@c SIP/2.0\n\n").unwrap();
    assert_eq!(spin.method(), Some(Method::Other("SPIN!".to_owned())));
}

#[test]
fn request_uris_of_any_kind_stay_verbatim() {
    for uri in [
        "tel:+1-212-555-0100;phone-context=example.com",
        "sip:*98#@pbx.example",
        "sip:user;par=u%40example.net@example.com",
        "sip:null-%00-null@example.com",
        "nobodyKnowsThisScheme:totallyopaquecontent",
        "sips:alice:secret@[2001:db8::10]:5070;maddr=h?Replaces=a%3Bb@c",
        "sip:joe@home.example@pbx.example",
    ] {
        let message = read(&format!("INVITE {uri} SIP/2.0\n\n")).unwrap();
        assert_eq!(message.request_uri().unwrap(), uri);
        assert_eq!(message.uri().unwrap().to_string(), uri);
    }
    let joe = sip::Uri::parse("sip:joe@home.example@pbx.example").unwrap();
    assert_eq!((joe.user.as_deref(), joe.host.as_str()), (Some("joe@home.example"), "pbx.example"));
    assert_eq!(sip::Uri::parse("TEL:911").unwrap().scheme, Scheme::Tel);
}

#[test]
fn other_versions_are_read_so_that_they_can_be_refused() {
    let message = read("OPTIONS sip:b@c SIP/7.0\nVia: x\n\n").unwrap();
    assert_eq!(message.version(), "SIP/7.0");
}

#[test]
fn keep_alives_are_told_from_broken_messages() {
    for keep_alive in [&b"\r\n\r\n"[..], b"\r\n", b"\n", b"", b"\0\0\0\0", b" "] {
        let fault = Message::parse(keep_alive).unwrap_err();
        assert_eq!(fault.kind, ParseErrorKind::KeepAlive, "{keep_alive:?}");
    }
    for junk in ["GET / HTTP/1.1\n\n", "hello", "\x16\x03\x01", "INVITE  SIP/2.0\n\n", "SIP/2.0\n"]
    {
        assert_eq!(read(junk).unwrap_err().kind, ParseErrorKind::NotSip, "{junk:?}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let fault = request_with("Nonsense line\n").unwrap_err();
    assert_eq!(
        fault.to_string(),
        format!("byte {}: no colon; expected `name: value`, got `Nonsense line`", fault.offset)
    );
    let request = fault.request.unwrap();
    assert!(request.as_bytes()[fault.offset..].starts_with(b"Nonsense"));
    let message = request_with("Contact: <sip:x@y:port>\n").unwrap();
    assert_eq!(
        message.contact().unwrap_err().to_string(),
        "Contact, byte 9: not a port; expected a number from 0 to 65535, got `port`"
    );
    assert_eq!(message.address("Refer-To").unwrap_err().kind, HeaderErrorKind::Missing);
}

#[test]
fn every_line_is_listed_with_its_name_as_received() {
    let message = read("OPTIONS sip:b@c SIP/2.0\nx-ODD: 1\nf : a\nEmpty:\n\n").unwrap();
    let lines: Vec<_> = message.headers().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(lines, ["x-ODD=1", "f=a", "Empty="]);
}
