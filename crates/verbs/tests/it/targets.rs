//! What a target is called, and when two are the same.

use verbs::{Target, Verb, parse_application};

use crate::dial;

fn target(members: &str) -> Target {
    dial(&format!(r#""target":[{{{members}}}]"#)).target.remove(0)
}

#[test]
fn kind_and_address_are_those_that_were_written() {
    let rows = [
        (r#""type":"phone","number":"+1"#, "phone", "+1"),
        (r#""type":"user","name":"jane@x"#, "user", "jane@x"),
        (r#""type":"sip","sipUri":"sip:*98#@x;a=b?c=d"#, "sip", "sip:*98#@x;a=b?c=d"),
        (r#""type":"teams","number":"7"#, "teams", "7"),
    ];
    for (members, kind, address) in rows {
        let target = target(&format!("{members}\""));
        assert_eq!((target.kind(), target.address()), (kind, address));
    }
}

/// Rows: two targets, and whether the second would be a duplicate.
#[test]
fn the_same_callee_by_another_way_is_another_target() {
    let phone = r#""type":"phone","number":"1""#;
    let rows = [
        (phone.to_owned(), phone.to_owned(), true),
        (phone.to_owned(), r#""type":"phone","number":"2""#.to_owned(), false),
        (phone.to_owned(), r#""type":"teams","number":"1""#.to_owned(), false),
        (phone.to_owned(), format!(r#"{phone},"trunk":"x""#), false),
        (format!(r#"{phone},"trunk":"x""#), format!(r#"{phone},"trunk":"x""#), true),
        (format!(r#"{phone},"trunk":"x""#), format!(r#"{phone},"trunk":"y""#), false),
        (phone.to_owned(), format!(r#"{phone},"proxy":"10.0.0.1""#), false),
        (phone.to_owned(), format!(r#"{phone},"from":{{"user":"a"}}"#), false),
        (phone.to_owned(), format!(r#"{phone},"headers":{{"X-A":"b"}}"#), true),
        (phone.to_owned(), format!(r#"{phone},"confirmHook":"/c","delay":3"#), true),
        (
            r#""type":"user","name":"j","overrideTo":"a""#.to_owned(),
            r#""type":"user","name":"j""#.to_owned(),
            true,
        ),
    ];
    for (one, other, same) in rows {
        let (one_target, other_target) = (target(&one), target(&other));
        assert_eq!(one_target.same_as(&other_target), same, "{one} {other}");
        assert_eq!(other_target.same_as(&one_target), same, "{other} {one}");
    }
}

/// Rows: what stands in `proxy`, and the SIP URI that it means.
#[test]
fn a_next_hop_is_a_host_or_a_sip_uri() {
    for (written, meant) in [
        ("10.0.0.1", Some("sip:10.0.0.1")),
        ("10.0.0.1:5080", Some("sip:10.0.0.1:5080")),
        ("[2001:db8::1]:5080", Some("sip:[2001:db8::1]:5080")),
        ("[2001:db8::1]", Some("sip:[2001:db8::1]")),
        ("edge.example.com;transport=tcp", Some("sip:edge.example.com;transport=tcp")),
        ("sip:10.0.0.1;lr", Some("sip:10.0.0.1;lr")),
        ("SIP:out@10.0.0.1:5060;transport=udp;lr", Some("SIP:out@10.0.0.1:5060;transport=udp;lr")),
        ("sips:edge.example.com", Some("sips:edge.example.com")),
        ("", None),
        ("sip:", None),
        (":5060", None),
        ("10.0.0.1:", None),
        ("10.0.0.1:0", None),
        ("10.0.0.1:65536", None),
        ("10.0.0.1:+80", None),
        ("[2001:db8::1", None),
        ("[10.0.0.1]", None),
        ("2001:db8::1", None),
        ("http://10.0.0.1", None),
        ("tel:+4930", None),
        ("<sip:10.0.0.1>", None),
        ("10.0.0.1, 10.0.0.2", None),
        ("10.0.0.1;", None),
        ("10.0.0.1;=x", None),
        ("10.0.0.1;a=b;x y", None),
        ("sip:10.0.0.1?Route=x", None),
        ("sip:user:secret@10.0.0.1", None),
        ("sip:@10.0.0.1", None),
        ("bücher.example", None),
        ("10.0.0.1\r\nX: y", None),
    ] {
        let written = serde_json::Value::from(written);
        let dial = |of_dial: &str, of_target: &str| {
            format!(
                r#"[{{"verb":"dial"{of_dial},"target":[{{"type":"user","name":"j"{of_target}}}]}}]"#
            )
        };
        let proxy = format!(r#","proxy":{written}"#);
        for (text, place) in
            [(dial("", &proxy), "/0/target/0/proxy"), (dial(&proxy, ""), "/0/proxy")]
        {
            match (parse_application(&text, false), meant) {
                (Ok(application), Some(meant)) => {
                    let Verb::Dial(dial) = &application.verbs[0] else { panic!("{text}") };
                    let read = dial.proxy.as_deref().or(dial.target[0].proxy.as_deref());
                    assert_eq!(read, Some(meant), "{text}");
                }
                (Err(faults), None) => assert_eq!(faults[0].pointer, place, "{text}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }
}
