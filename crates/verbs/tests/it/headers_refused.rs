//! Which SIP headers an application may set.

use crate::{TARGET, dial, faults};

#[test]
fn headers_that_the_switch_must_control_are_refused_in_any_case() {
    let core = [
        "Via",
        "v",
        "From",
        "f",
        "To",
        "t",
        "Call-ID",
        "i",
        "CSeq",
        "Max-Forwards",
        "Contact",
        "m",
        "Route",
        "Record-Route",
        "Content-Type",
        "Content-Length",
        "Content-Disposition",
        "Content-Foo",
        "c",
        "e",
        "l",
        "Authorization",
        "Proxy-Authorization",
        "WWW-Authenticate",
        "Proxy-Authenticate",
        "Authentication-Info",
        "Proxy-Authentication-Info",
    ];
    for name in core {
        for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
            let lines = faults(&format!(
                r#"[{{"verb":"dial","headers":{{"X-Ok":"1","{name}":"x"}},{TARGET}}}]"#
            ));
            let expected = format!(
                "1:39: /0/headers/{name}: header that only the switch sets; expected another \
                 header, got `{name}`"
            );
            assert_eq!(lines, [expected]);
        }
    }
}

#[test]
fn other_headers_pass_in_their_order() {
    let headers =
        r#"{"X-B":"1","P-Asserted-Identity":"<sip:a@b>","x-a":2.5,"Subject":"s","Viaduct":""}"#;
    let names: Vec<(String, String)> = dial(&format!(r#""headers":{headers},{TARGET}"#)).headers;
    let expected = [
        ("X-B", "1"),
        ("P-Asserted-Identity", "<sip:a@b>"),
        ("x-a", "2.5"),
        ("Subject", "s"),
        ("Viaduct", ""),
    ];
    assert_eq!(names, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn what_would_break_out_of_a_header_is_refused() {
    let rows = [
        (r#"{"X A":"1"}"#, "no header name"),
        (r#"{"":"1"}"#, "no header name"),
        (r#"{"X-A:":"1"}"#, "no header name"),
        (r#"{"X-\u00e4":"1"}"#, "no header name"),
        (r#"{"X-A\r\nVia":"1"}"#, "no header name"),
        (r#"{"X-A":"b\r\nVia: x"}"#, "line break or NUL in a header"),
        (r#"{"X-A":"b\nc"}"#, "line break or NUL in a header"),
        (r#"{"X-A":"b\u0000"}"#, "line break or NUL in a header"),
        (r#"{"X-A":true}"#, "wrong type"),
        (r#"{"X-A":["b"]}"#, "wrong type"),
        (r#"["X-A"]"#, "wrong type"),
    ];
    for (headers, what) in rows {
        let lists = [
            format!(r#"[{{"verb":"dial","headers":{headers},{TARGET}}}]"#),
            format!(r#"[{{"verb":"hangup","headers":{headers}}}]"#),
            format!(r#"[{{"verb":"sip:decline","status":486,"headers":{headers}}}]"#),
            format!(
                r#"[{{"dial":{{"target":[{{"type":"user","name":"j","headers":{headers}}}]}}}}]"#
            ),
        ];
        for list in lists {
            let lines = faults(&list);
            assert_eq!(lines.len(), 1, "{list}: {lines:?}");
            assert!(lines[0].contains(what), "{list}: {lines:?}");
            assert_eq!(lines[0].lines().count(), 1, "{list}");
        }
    }
}
