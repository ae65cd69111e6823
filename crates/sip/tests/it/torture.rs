//! The quirks that RFC 4475 warns of, in texts of our own: what is legal is read, what is
//! broken is refused in the layer that can answer it.

use sip::limits::{HEADERS_MAX, LINE_BYTES_MAX, LIST_VALUES_MAX, MESSAGE_BYTES_MAX};
use sip::{HeaderErrorKind, Message, NameAddr, ParseErrorKind, Uri, Via};

use crate::texts::{read, request_with};

#[test]
fn white_space_is_allowed_nearly_everywhere() {
    let text = "INVITE sip:vivekg@chair.example;unknownparam SIP/2.0\n\
        TO :\n sip:vivekg@chair.example ;   tag    = 1918181833n\n\
        from   : \"J Rosenberg \\\\\\\"\"       <sip:jdr@example.com>\n  ;\n  tag = 98asjd8\n\
        MaX-fOrWaRdS: 0068\nCall-ID: w.ws@192.0.2.1\nContent-Length   : 2\n\
        cseq: 0009\n  INVITE\nVia  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\n\
        s :\nNewFangledHeader:   newfangled value\n continued newfangled value\n\
        v:  SIP  / 2.0  / TCP     spindle.example   ;\n  branch  =   z9hG4bK9ikj8  ,\n\
        \u{20}SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n\
        m:\"Quoted string \\\"\\\"\" <sip:jdr@j.example> ; newparam =\n      newvalue ;\n\
        \u{20} secondparam ; q = 0.33\n\
        \nok";
    let message = read(text).unwrap();
    message.check().unwrap();
    assert_eq!(message.to().unwrap().tag(), Some("1918181833n"));
    let from = message.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(message.cseq().unwrap().0, 9);
    assert_eq!(message.max_forwards().unwrap(), Some(68));
    let vias: Vec<Via> = message
        .header_values("Via")
        .map(|via| Via::parse(std::str::from_utf8(via).unwrap()).unwrap())
        .collect();
    let branches: Vec<_> = vias.iter().map(|via| via.branch().unwrap()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!(message.contact().unwrap().params.get("q"), Some("0.33"));
    assert_eq!(message.header("Subject"), Some(b"".as_slice()));
}

#[test]
fn wide_ranges_of_characters_are_legal() {
    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    let user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*";
    let text = format!(
        "{method} sip:{user}:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\n\
         Via: SIP/2.0/TCP host1.example;branch=z9hG4bK-.!%66*_+`'~\n\
         To: \"BEL:\u{7} NUL: DEL:\u{7f}\" <sip:1_unusual.URI~@example.com>\n\
         From: token1~` token2'+_ token3*%!.- <sip:m@example.com;x=\"%Z%45\">;\
         tag=_token~1'+`*%!-.\n\
         Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}}{{\n\
         CSeq: 139122385 {method}\n\
         extensionHeader-!.%*+_`'~: \u{fe21}\u{fe22} text\n\n"
    );
    let message = read(&text).unwrap();
    message.check().unwrap();
    let uri = message.uri().unwrap();
    assert_eq!(uri.user.as_deref(), Some(user));
    assert_eq!(uri.host, "example.com");
    assert_eq!(message.header_text("extensionHeader-!.%*+_`'~").unwrap(), "\u{fe21}\u{fe22} text");
}

#[test]
fn escapes_stay_and_mean_what_they_mean() {
    let uri = Uri::parse("sip:sips%3Auser%40example.com@example.net").unwrap();
    assert_eq!(uri.user_decoded().unwrap(), "sips:user@example.com");
    let null = Uri::parse("sip:null-%00-null@example.com").unwrap();
    assert_eq!(null.user_decoded().unwrap(), "null-\0-null");
    assert_eq!(null.to_string(), "sip:null-%00-null@example.com");
    let broken = Uri::parse("sip:50%@h").unwrap();
    assert_eq!(broken.user_decoded().unwrap(), "50%");
}

#[test]
fn percent_is_just_a_character_in_a_method_name() {
    let message = read("RE%47IST%45R sip:r SIP/2.0\nCSeq: 1 RE%47IST%45R\n\n").unwrap();
    assert_eq!(message.method().unwrap().as_str(), "RE%47IST%45R");
}

#[test]
fn quoted_commas_and_brackets_do_not_split_a_list() {
    let message = request_with(
        "Contact: \"a, <b>\" <sip:a,b@c>;x=\"1,2\", sip:d@e;expires=3 ,<sip:f@g?h=\"i,j\">\n",
    )
    .unwrap();
    let contacts: Vec<String> = message
        .route_set("Contact")
        .unwrap()
        .iter()
        .map(|contact| contact.uri.to_string())
        .collect();
    assert_eq!(contacts, ["sip:a,b@c", "sip:d@e", "sip:f@g?h=\"i,j\""]);
}

#[test]
fn lr_with_and_without_value_is_kept() {
    let message = request_with("Route: <sip:p1;lr>, <sip:p2;lr=on>,<sip:p3>\n").unwrap();
    let loose: Vec<bool> =
        message.route_set("Route").unwrap().iter().map(|r| r.uri.params.has("lr")).collect();
    assert_eq!(loose, [true, true, false]);
}

#[test]
fn long_values_are_read_up_to_the_limit() {
    let long = "x".repeat(LINE_BYTES_MAX - "X-Long: ".len());
    let message = request_with(&format!("X-Long: {long}\n")).unwrap();
    assert_eq!(message.header("X-Long").map(<[u8]>::len), Some(long.len()));
    let fault = request_with(&format!("X-Long: {long}y\n")).unwrap_err();
    assert_eq!(fault.kind, ParseErrorKind::OverLimit);
    assert!(fault.request.is_some_and(|request| request.check().is_ok()));
}

#[test]
fn hostile_sizes_are_refused() {
    let many = "X: y\n".repeat(HEADERS_MAX);
    assert_eq!(request_with(&many).unwrap_err().kind, ParseErrorKind::OverLimit);
    let huge = vec![b'a'; MESSAGE_BYTES_MAX + 1];
    assert_eq!(Message::parse(&huge).unwrap_err().kind, ParseErrorKind::OverLimit);
    let routes = "Route: <sip:p;lr>\n".repeat(LIST_VALUES_MAX + 1);
    assert!(request_with(&routes).unwrap().route_set("Route").is_err());
}

#[test]
fn numbers_out_of_range_are_refused() {
    for lines in ["Max-Forwards: 300\n", "Max-Forwards: -1\n", "Max-Forwards: \n"] {
        assert!(request_with(lines).unwrap().max_forwards().is_err(), "{lines}");
    }
    for cseq in ["36893488147419103232 INVITE", "2147483648 INVITE", "-1 INVITE", "1", "+1 INVITE"]
    {
        let text = format!("INVITE sip:b@c SIP/2.0\nCSeq: {cseq}\n\n");
        assert!(read(&text).unwrap().cseq().is_err(), "{cseq}");
    }
    for status in ["4294967301", "99", "700", "0200", "2x0", ""] {
        assert!(read(&format!("SIP/2.0 {status} Better not\n\n")).is_err(), "{status}");
    }
    for length in ["-999", "9999999999999999999999", "x", "+0"] {
        assert!(request_with(&format!("Content-Length: {length}\n")).is_err(), "{length}");
    }
}

#[test]
fn headers_that_may_stand_once_are_checked() {
    for line in ["Call-ID: 2\n", "t: <sip:x@y>\n", "f: <sip:x@y>;tag=2\n", "CSeq: 1 INVITE\n"] {
        let fault = request_with(line).unwrap().check().unwrap_err();
        assert_eq!(fault.kind, HeaderErrorKind::Repeated, "{line}");
    }
    assert!(request_with("l: 0\nContent-Length: 1\n\nx").is_err(), "two lengths");
    let fault = read(
        "ACK sip:b@c SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>\nTo: <sip:b@c>\n\
        Call-ID: 1\nCSeq: 1 INVITE\n\n",
    )
    .unwrap()
    .check()
    .unwrap_err();
    assert_eq!((fault.header.as_ref(), fault.got.as_str()), ("CSeq", "INVITE"));
}

#[test]
fn missing_headers_are_named() {
    for (missing, text) in [
        ("Via", "From: <sip:a@b>\nTo: <sip:a@b>\nCall-ID: 1\nCSeq: 1 BYE\n"),
        ("From", "Via: SIP/2.0/UDP h\nTo: <sip:a@b>\nCall-ID: 1\nCSeq: 1 BYE\n"),
        ("To", "Via: SIP/2.0/UDP h\nFrom: <sip:a@b>\nCall-ID: 1\nCSeq: 1 BYE\n"),
        ("Call-ID", "Via: SIP/2.0/UDP h\nFrom: <sip:a@b>\nTo: <sip:a@b>\nCSeq: 1 BYE\n"),
        ("CSeq", "Via: SIP/2.0/UDP h\nFrom: <sip:a@b>\nTo: <sip:a@b>\nCall-ID: 1\n"),
    ] {
        let fault = read(&format!("BYE sip:b@c SIP/2.0\n{text}\n")).unwrap().check().unwrap_err();
        assert_eq!((fault.kind, fault.header.as_ref()), (HeaderErrorKind::Missing, missing));
    }
}

#[test]
fn line_breakers_inside_a_header_are_refused() {
    for bytes in [&b"X: a\rb"[..], b"X: a\0b", b"X\0: a", b"X: a\r\r"] {
        let mut datagram = b"OPTIONS sip:b@c SIP/2.0\r\n".to_vec();
        datagram.extend_from_slice(bytes);
        datagram.extend_from_slice(b"\r\n\r\n");
        assert!(Message::parse(&datagram).is_err(), "{bytes:?}");
    }
}

#[test]
fn white_space_in_the_request_uri_can_be_answered() {
    let fault =
        read("INVITE sip:user@example.com; lr SIP/2.0\nVia: SIP/2.0/UDP h\n\n").unwrap_err();
    assert_eq!((fault.kind, fault.offset), (ParseErrorKind::Malformed, 7));
    assert!(fault.request.is_some());
}

#[test]
fn headers_that_never_end_can_be_answered() {
    let fault = Message::parse(b"BYE sip:b@c SIP/2.0\r\nCall-ID: 1\r\n").unwrap_err();
    assert_eq!(fault.request.unwrap().call_id().unwrap(), "1");
}

#[test]
fn uris_compare_by_meaning() {
    for (this, that, same) in [
        ("sip:alice@AtLanTa.CoM;Transport=tcp", "sip:alice@atlanta.com;transport=TCP", true),
        ("sip:%61lice@a.com", "sip:alice@a.com", true),
        ("sip:carol@c.com", "sip:carol@c.com;newparam=5", true),
        ("sip:carol@c.com;security=on", "sip:carol@c.com;newparam=5", true),
        ("SIP:alice@a.com", "sip:alice@a.com", true),
        ("SIP:ALICE@a.com", "sip:alice@a.com", false),
        ("sip:bob@b.com", "sip:bob@b.com:5060", false),
        ("sip:bob@b.com", "sip:bob@b.com;transport=udp", false),
        ("sip:carol@c.com;security=on", "sip:carol@c.com;security=off", false),
        ("sip:bob@b.com", "sips:bob@b.com", false),
    ] {
        let (this, that) = (Uri::parse(this).unwrap(), Uri::parse(that).unwrap());
        assert_eq!(this.matches(&that), same, "{this} {that}");
        assert_eq!(that.matches(&this), same, "{that} {this}");
    }
}

#[test]
fn broken_uris_are_refused() {
    for uri in [
        "",
        "sip:",
        "sip:@",
        "sip:a@",
        "sip:a@b:",
        "sip:a@b:70000",
        "sip:a@[::1",
        "sip:a@[x]",
        "noscheme",
        "1sip:a@b",
        "sip:a b@c",
        "sip:a@b\0",
        "tel:",
        "sip:a@<b>",
        "sip:a@b:+5",
    ] {
        assert!(Uri::parse(uri).is_err(), "{uri:?}");
    }
}

#[test]
fn a_display_name_with_anything_in_it_reads_back() {
    for display in ["a\\b\"c", "<sip:x@y>", "comma, semi; colon:", "ünïcode", " "] {
        let mut address = NameAddr::parse("<sip:a@b>;tag=1").unwrap();
        address.display = Some(display.to_owned());
        assert_eq!(NameAddr::parse(&address.to_string()), Ok(address), "{display}");
    }
}
