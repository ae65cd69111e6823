//! The body of `updateCall`: one change, and no other.

use verbs::Hook;
use verbs::rest::{CallEnd, Update, parse_update_call};

fn refused(text: &str) -> Vec<String> {
    match parse_update_call(text) {
        Ok(update) => panic!("{text} is accepted as {update:?}"),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn asked(text: &str) -> Update {
    parse_update_call(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

#[test]
fn a_call_is_ended_or_sent_elsewhere() {
    let completed = Update::CallStatus(CallEnd::Completed);
    assert_eq!(asked(r#"{"call_status":"completed"}"#), completed);
    assert_eq!(asked(r#"{"call_status":"completed","tag":null}"#), completed);
    let no_answer = Update::CallStatus(CallEnd::NoAnswer);
    assert_eq!(asked(r#"{"call_status":"no-answer"}"#), no_answer);
    let hook =
        |call_status_hook| Update::CallHook { call_hook: Hook::post("/b"), call_status_hook };
    assert_eq!(asked(r#"{"call_hook":"/b"}"#), hook(None));
    let both = r#"{"call_hook":{"url":"/b"},"call_status_hook":"http://a.test/s"}"#;
    assert_eq!(asked(both), hook(Some(Hook::post("http://a.test/s"))));
}

/// Rows: a valid request, and the property that this version cannot carry out.
#[test]
fn what_cannot_be_carried_out_is_named() {
    let rows = [
        (r#"{"mute_status":"mute"}"#, "mute_status"),
        (r#"{"call_hook":"/b","child_call_hook":"/c"}"#, "child_call_hook"),
        (r#"{"conf_hold_status":"hold","waitHook":"/w"}"#, "conf_hold_status"),
        (r#"{"whisper":{"verb":"say","text":"hi"},"call_status":"completed"}"#, "whisper"),
        (r#"{"tag":{"a":1}}"#, "tag"),
        (r#"{"sip_request":{"method":"INFO"}}"#, "sip_request"),
        (r#"{"stream_status":"pause"}"#, "stream_status"),
        (r#"{"llm_tool_output":{},"tool_call_id":"a"}"#, "llm_tool_output"),
    ];
    for (text, property) in rows {
        assert_eq!(asked(text), Update::NotYet { property: property.to_owned() }, "{text}");
    }
}

/// Rows: a request, and what its refusal says.
#[test]
fn anything_but_one_change_is_refused() {
    let rows = [
        ("{}", "-: no change"),
        (r#"{"call_status":null}"#, "-: no change"),
        (r#"{"call_status":"ended"}"#, "/call_status: unknown word; expected one of `completed`"),
        (r#"{"call_status":"complete"}"#, "did you mean `completed`"),
        (r#"{"call_hook":"/b","call_status":"completed"}"#, "/call_status: more than one change"),
        (r#"{"mute_status":"mute","tag":{}}"#, "/tag: more than one change"),
        (
            r#"{"call_hook":"/b","child_call_hook":"/c","tag":{}}"#,
            "/child_call_hook: more than one change",
        ),
        (r#"{"call_status_hook":"/s"}"#, "/call_status_hook: property of another change"),
        (
            r#"{"call_status":"completed","call_status_hook":"/s"}"#,
            "/call_status_hook: property of another change",
        ),
        (r#"{"call_hook":"ws://a.test"}"#, "/call_hook: WebSocket applications are not supported"),
        (r#"{"call_hook":"ftp://a.test"}"#, "/call_hook: unknown URL scheme"),
        (r#"{"call_hook":""}"#, "/call_hook: no URL"),
        (r#"{"call_hook":7}"#, "/call_hook: wrong type"),
        (r#"{"call_state":"completed"}"#, "/call_state: unknown property"),
        (r#""completed""#, "-: no object"),
    ];
    for (text, said) in rows {
        let faults = refused(text);
        assert!(faults.iter().any(|fault| fault.contains(said)), "{text}: {faults:?}");
    }
}
