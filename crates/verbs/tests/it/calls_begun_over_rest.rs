//! The body of `createCall`: what is read out of it, and how each refusal is phrased.

use std::time::Duration;

use serde_json::json;
use verbs::rest::{CreateCall, parse_create_call};
use verbs::{Endpoint, Hook};

const MINIMAL: &str =
    r#"{"from":"+1","to":{"type":"phone","number":"+49301"},"call_hook":"https://app.test/go"}"#;

fn created(text: &str) -> CreateCall {
    parse_create_call(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}")).0
}

fn refused(text: &str) -> Vec<String> {
    match parse_create_call(text) {
        Ok((create, _)) => panic!("{text} is accepted as {create:?}"),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// `MINIMAL` with one member more, or another value for one.
fn with(name: &str, value: serde_json::Value) -> String {
    let mut body: serde_json::Value = serde_json::from_str(MINIMAL).expect("it is JSON");
    body[name] = value;
    body.to_string()
}

#[test]
fn the_least_that_a_call_needs() {
    let create = created(MINIMAL);
    assert_eq!(create.from, "+1");
    assert_eq!(create.to.endpoint, Endpoint::Phone { number: "+49301".to_owned(), trunk: None });
    assert_eq!(create.call_hook, Some(Hook::post("https://app.test/go")));
    assert_eq!(create.timeout, Duration::from_secs(60));
    assert_eq!((create.time_limit, create.tag, create.speech_synthesis_vendor), (None, None, None));
}

#[test]
fn each_property_is_kept() {
    let text = json!({
        "from": "4930", "to": {"type": "user", "name": "jane", "from": {"host": "a.test"}},
        "application_sid": "0a1b",
        "call_status_hook": {"url": "http://app.test/s", "method": "GET"},
        "app_json": "[{\"verb\":\"hangup\"}]", "callerName": "Ann", "fromHost": "b.test",
        "headers": {"X-A": 1}, "tag": {"a": [1]}, "timeout": 20, "timeLimit": 90,
        "answerOnBridge": true, "amd": {"actionHook": "/amd"}, "dual_streams": true,
        "record": {"action": "startCallRecording"}, "sipRequestWithinDialogHook": "/in",
        "referHook": "/refer", "env_vars": {"A": "b"},
        "speech_synthesis_vendor": "v", "speech_synthesis_language": "l",
        "speech_synthesis_voice": "o", "speech_synthesis_label": "x",
        "speech_recognizer_vendor": "rv", "speech_recognizer_language": "rl",
        "speech_recognizer_label": "rx"
    });
    let (create, warnings) = parse_create_call(&text.to_string()).expect("it is valid");
    assert_eq!(warnings, []);
    assert_eq!(create.to.from.as_ref().and_then(|from| from.host.as_deref()), Some("a.test"));
    assert_eq!(create.application_sid.as_deref(), Some("0a1b"));
    assert_eq!(create.call_status_hook.map(|hook| hook.url).as_deref(), Some("http://app.test/s"));
    assert_eq!(create.app_json.as_deref(), Some("[{\"verb\":\"hangup\"}]"));
    assert_eq!(create.caller_name.as_deref(), Some("Ann"));
    assert_eq!(create.from_host.as_deref(), Some("b.test"));
    assert_eq!(create.headers, [("X-A".to_owned(), "1".to_owned())]);
    assert_eq!(create.tag, Some(json!({"a": [1]})));
    assert_eq!(create.timeout, Duration::from_secs(20));
    assert_eq!(create.time_limit, Some(Duration::from_secs(90)));
    assert!(create.answer_on_bridge && create.dual_streams && create.amd.is_some());
    assert!(create.record.is_some() && create.refer_hook.is_some());
    assert!(create.sip_request_within_dialog_hook.is_some());
    assert_eq!(create.env_vars.map(serde_json::Value::Object), Some(json!({"A": "b"})));
    let speech = [
        create.speech_synthesis_vendor,
        create.speech_synthesis_language,
        create.speech_synthesis_voice,
        create.speech_synthesis_label,
        create.speech_recognizer_vendor,
        create.speech_recognizer_language,
        create.speech_recognizer_label,
    ];
    assert_eq!(speech.map(Option::unwrap_or_default), ["v", "l", "o", "x", "rv", "rl", "rx"]);
}

/// Rows: a property, its value, and what the refusal says.
#[test]
fn each_refusal_says_what_is_wrong() {
    let rows = [
        ("from", json!(null), "-: missing from parameter"),
        ("from", json!(""), "/from: no number"),
        ("from", json!("1".repeat(257)), "/from: out of range; expected at most 256"),
        ("to", json!(null), "-: missing or invalid to property: it is not there"),
        ("to", json!("jane"), "/to: missing or invalid to property: wrong type"),
        ("to", json!({"number": "1"}), "/to: missing or invalid to property: missing `type`"),
        ("to", json!({"type": "phone"}), "/to: missing or invalid to property: missing `number`"),
        ("to", json!({"type": "fax"}), "/to/type: missing or invalid to property: unknown word"),
        (
            "to",
            json!({"type": "teams", "number": "1"}),
            "/to: missing or invalid to property: Teams targets are not supported",
        ),
        ("call_hook", json!(null), "-: either call_hook or application_sid required"),
        ("call_hook", json!("/go"), "/call_hook: call_hook url be an absolute url"),
        ("call_hook", json!("app.test/go"), "/call_hook: call_hook url be an absolute url"),
        ("call_hook", json!({"url": "/go"}), "/call_hook: call_hook url be an absolute url"),
        ("call_hook", json!("wss://a.test"), "/call_hook: WebSocket applications are not"),
        ("call_status_hook", json!("/s"), "/call_status_hook: call_status_hook url be an absolute"),
        ("app_json", json!("[{}]"), "/app_json: in the list: 1:2: /0: missing `verb`"),
        ("app_json", json!([]), "/app_json: wrong type; expected a string"),
        ("headers", json!({"Via": "x"}), "/headers/Via: header that only the switch sets"),
        ("fromHost", json!("a\r\nb"), "/fromHost: no host"),
        ("fromHost", json!("a b"), "/fromHost: no host"),
        ("fromHost", json!(""), "/fromHost: no host"),
        (
            "to",
            json!({"type": "user", "name": "j", "from": {"host": "a>b"}}),
            "/to/from/host: missing or invalid to property: no host",
        ),
        ("tag", json!("a"), "/tag: wrong type; expected an object"),
        ("timeout", json!("20"), "/timeout: wrong type"),
    ];
    for (name, value, said) in rows {
        let text = with(name, value);
        let faults = refused(&text);
        assert!(faults.iter().any(|fault| fault.contains(said)), "{text}: {faults:?}");
    }
}

#[test]
fn null_is_as_if_it_were_not_there_even_for_a_property_that_nobody_knows() {
    let (create, warnings) = parse_create_call(&with("nonsense", json!(null))).expect("valid");
    assert_eq!((create.from.as_str(), warnings.len()), ("+1", 0));
}

#[test]
fn an_unknown_property_is_a_warning_in_the_body_and_in_its_list() {
    let (_, warnings) = parse_create_call(&with("time_limit", json!(3))).expect("valid");
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("/time_limit: unknown property"), "{said:?}");
    assert!(said[0].contains("did you mean `timeLimit`"), "{said:?}");

    let list = json!(r#"[{"verb":"hangup","x":1}]"#);
    let (_, warnings) = parse_create_call(&with("app_json", list)).expect("valid");
    assert_eq!(warnings[0].pointer, "/app_json/0/x");
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    assert!(refused("[]")[0].contains("no object"), "{:?}", refused("[]"));
    assert_eq!(refused("{").len(), 1);
    assert_eq!(refused("").len(), 1);
}
