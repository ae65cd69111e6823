//! The body of `updateCall`: one change, and no other.

use std::time::Duration;

use verbs::Hook;
use verbs::rest::{CallEnd, MuteStatus, SipRequestOrder, Update, parse_update_call};

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
    let hook = |call_status_hook| Update::CallHook {
        call_hook: Some(Hook::post("/b")),
        call_status_hook,
        child_call_hook: None,
    };
    assert_eq!(asked(r#"{"call_hook":"/b"}"#), hook(None));
    let both = r#"{"call_hook":{"url":"/b"},"call_status_hook":"http://a.test/s"}"#;
    assert_eq!(asked(both), hook(Some(Hook::post("http://a.test/s"))));
    let of_child = Update::CallHook {
        call_hook: None,
        call_status_hook: None,
        child_call_hook: Some(Hook::post("/c")),
    };
    assert_eq!(asked(r#"{"child_call_hook":"/c"}"#), of_child);
    let two = asked(r#"{"call_hook":"/b","child_call_hook":"/c"}"#);
    assert!(matches!(two, Update::CallHook { call_hook: Some(_), child_call_hook: Some(_), .. }));
}

#[test]
fn what_a_connected_leg_hears_and_says_is_changed() {
    assert_eq!(asked(r#"{"mute_status":"mute"}"#), Update::Mute(MuteStatus::Mute));
    assert_eq!(asked(r#"{"mute_status":"unmute"}"#), Update::Mute(MuteStatus::Unmute));
    assert_eq!(asked(r#"{"boostAudioSignal":"-2.5 dB"}"#), Update::Boost(-2.5));
    assert_eq!(asked(r#"{"boostAudioSignal":0}"#), Update::Boost(0.0));
    let dtmf = |digits: &str, ms| Update::Dtmf {
        digits: digits.to_owned(),
        duration: Duration::from_millis(ms),
    };
    assert_eq!(asked(r#"{"dtmf":{"digit":"5"}}"#), dtmf("5", 250));
    assert_eq!(asked(r#"{"dtmf":{"digit":"1w2","duration":100}}"#), dtmf("1w2", 100));
    let Update::Tag(tag) = asked(r#"{"tag":{"a":1}}"#) else { panic!("no tag") };
    assert_eq!(tag["a"], 1);
    for whisper in [
        r#"{"whisper":{"verb":"play","url":"/a.wav"}}"#,
        r#"{"whisper":[{"play":{"url":"/a.wav"}}]}"#,
    ] {
        let Update::Whisper(plays) = asked(whisper) else { panic!("{whisper}") };
        assert_eq!(plays[0].url, ["/a.wav"]);
    }
    let info = r#"{"sip_request":{"method":"INFO","content_type":"a/b","content":"c",
                   "headers":{"X-D":"e"}}}"#;
    let order = SipRequestOrder {
        method: "INFO".to_owned(),
        content_type: Some("a/b".to_owned()),
        content: Some("c".to_owned()),
        headers: vec![("X-D".to_owned(), "e".to_owned())],
    };
    assert_eq!(asked(info), Update::SipRequest(order));
}

/// Rows: a valid request, and the property that this version cannot carry out.
#[test]
fn what_cannot_be_carried_out_is_named() {
    let rows = [
        (r#"{"conf_hold_status":"hold","waitHook":"/w"}"#, "conf_hold_status"),
        (r#"{"whisper":{"verb":"say","text":"hi"}}"#, "say in whisper"),
        (r#"{"listen_status":"pause"}"#, "listen_status"),
        (r#"{"stream_status":"pause"}"#, "stream_status"),
        (r#"{"llm_tool_output":{},"tool_call_id":"a"}"#, "llm_tool_output"),
    ];
    for (text, property) in rows {
        assert_eq!(asked(text), Update::NotYet { property: property.to_owned() }, "{text}");
    }
}

#[test]
fn a_whisper_may_stand_beside_another_change() {
    let text = r#"{"whisper":{"verb":"play","url":"/a.wav"},"mute_status":"mute"}"#;
    let Update::Whispering { change, plays } = asked(text) else { panic!("{:?}", asked(text)) };
    assert_eq!(*change, Update::Mute(MuteStatus::Mute));
    assert_eq!(plays.len(), 1);
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
        (r#"{"boostAudioSignal":"30 dB"}"#, "/boostAudioSignal: out of range; expected a number"),
        (r#"{"call_hook":7}"#, "/call_hook: wrong type"),
        (r#"{"child_call_hook":""}"#, "/child_call_hook: no URL"),
        (r#"{"mute_status":"on"}"#, "/mute_status: unknown word"),
        (r#"{"dtmf":{"digit":"x"}}"#, "/dtmf/digit"),
        (r#"{"dtmf":{}}"#, "/dtmf: missing `digit`"),
        (r#"{"sip_request":{"method":"INVITE"}}"#, "/sip_request/method: out of range"),
        (r#"{"sip_request":{"method":"INFO","headers":{"Via":"x"}}}"#, "/sip_request/headers/Via"),
        (r#"{"whisper":{"verb":"hangup"}}"#, "a verb that is not whispered"),
        (
            r#"{"call_status":"completed","whisper":{"verb":"play","url":"/a.wav"}}"#,
            "no whisper beside `call_status`, which ends the bridge",
        ),
        (r#"{"whisper":{"verb":"play"}}"#, "missing `url`"),
        (r#"{"tag":7}"#, "/tag: wrong type"),
        (r#"{"call_state":"completed"}"#, "/call_state: unknown property"),
        (r#""completed""#, "-: no object"),
    ];
    for (text, said) in rows {
        let faults = refused(text);
        assert!(faults.iter().any(|fault| fault.contains(said)), "{text}: {faults:?}");
    }
}
