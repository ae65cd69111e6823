//! What a target is called, and when two are the same.

use verbs::Target;

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
