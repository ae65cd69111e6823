//! Messages that we write: complete, readable by our own parser, and impossible to break.

use sip::{BuildError, Builder, Message, Method, default_reason};

use crate::texts::{INVITE, read, request_with};

fn text(message: &Message) -> String {
    String::from_utf8(message.as_bytes().to_vec()).unwrap()
}

#[test]
fn a_request_is_written_in_order() {
    let message = Builder::request(Method::Info, "sip:*98#@pbx.example")
        .header("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
        .header("Max-Forwards", 70)
        .body("application/dtmf-relay", b"Signal=5\r\n")
        .build()
        .unwrap();
    assert_eq!(
        text(&message),
        "INFO sip:*98#@pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 10\r\n\r\n\
         Signal=5\r\n"
    );
    assert_eq!(message.body(), b"Signal=5\r\n");
}

#[test]
fn a_response_repeats_what_it_must() {
    let invite = read(INVITE).unwrap();
    let ringing = Builder::response_to(&invite, 180, None)
        .to_tag("abc")
        .to_tag("second")
        .source("198.51.100.9:5062".parse().unwrap())
        .build()
        .unwrap();
    assert_eq!((ringing.status(), ringing.reason().as_ref()), (Some(180), "Ringing"));
    assert_eq!(ringing.header_all("Via").count(), 2);
    let via = ringing.top_via().unwrap();
    assert_eq!(via.received(), Some([198, 51, 100, 9].into()));
    assert_eq!(via.rport(), Some(Some(5062)));
    assert_eq!(ringing.header("From"), invite.header("From"));
    assert_eq!(ringing.to().unwrap().tag(), Some("abc"));
    assert_eq!(ringing.header("Record-Route"), invite.header("Record-Route"));
    let busy = Builder::response_to(&invite, 486, "Gone fishing").build().unwrap();
    assert_eq!(busy.reason(), "Gone fishing");
    assert_eq!(busy.header("Record-Route"), None);
    assert_eq!(busy.header("Content-Length"), Some(b"0".as_slice()));
}

#[test]
fn only_the_top_via_of_a_shared_line_gets_the_source() {
    let request = read("BYE sip:b@c SIP/2.0\nv: SIP/2.0/UDP a;rport , SIP/2.0/UDP b\n\n").unwrap();
    let source = "192.0.2.1:99".parse().unwrap();
    let response = Builder::response_to(&request, 200, None).source(source).build().unwrap();
    assert_eq!(
        response.header_text("Via").unwrap(),
        "SIP/2.0/UDP a;rport=99;received=192.0.2.1, SIP/2.0/UDP b"
    );
}

#[test]
fn latin1_headers_are_echoed_byte_for_byte() {
    let request = Message::parse(b"BYE sip:b@c SIP/2.0\r\nFrom: \"\xe9\" <sip:a@b>;tag=1\r\n\r\n");
    let response = Builder::response_to(&request.unwrap(), 200, None).build().unwrap();
    assert_eq!(response.header("From"), Some(b"\"\xe9\" <sip:a@b>;tag=1".as_slice()));
}

#[test]
fn nothing_can_start_a_line_of_its_own() {
    let mut builder = Builder::request(Method::Options, "sip:b@c");
    for evil in ["a\r\nb", "a\nb", "a\rb", "a\0b", "\n", "a\r\n Folded: 1"] {
        assert!(matches!(
            builder.try_header("X-Evil", evil),
            Err(BuildError::Value { ref name, .. }) if name == "X-Evil"
        ));
        assert!(matches!(builder.try_header(evil, "x"), Err(BuildError::Name(_))));
        assert!(builder.clone().header("X", evil).build().is_err());
        assert!(builder.clone().body(evil, b"").build().is_err());
        assert!(builder.clone().header("To", "<sip:a@b>").to_tag(evil).build().is_err());
        assert!(Builder::request(Method::Options, evil).build().is_err());
        assert!(Builder::request(Method::Other(evil.to_owned()), "sip:b@c").build().is_err());
        let request = request_with("").unwrap();
        assert!(Builder::response_to(&request, 486, evil).build().is_err());
    }
    for name in ["", "a b", "a:b", "ü", "a(b"] {
        assert!(builder.try_header(name, "x").is_err(), "{name}");
    }
    let message = builder.build().unwrap();
    assert_eq!(message.headers().count(), 1, "what was refused left nothing behind");
}

#[test]
fn the_first_refusal_is_the_one_reported() {
    let built = Builder::request(Method::Options, "sip:b@c").header("a b", 1).header("c", "\n");
    assert_eq!(built.build(), Err(BuildError::Name("a b".to_owned())));
}

#[test]
fn a_message_over_the_limits_is_not_written() {
    let body = vec![b'x'; sip::limits::MESSAGE_BYTES_MAX];
    let built = Builder::request(Method::Options, "sip:b@c").body("text/plain", &body).build();
    assert!(matches!(built, Err(BuildError::OverLimit(_))));
}

#[test]
fn every_status_has_a_phrase() {
    for status in 100..700 {
        assert!(!default_reason(status).is_empty());
    }
    assert_eq!(default_reason(480), "Temporarily Unavailable");
    assert_eq!(default_reason(499), "Request Failure");
}
