//! What callbacks say, to the letter and in order.

use serde_json::json;
use verbs::callback::*;
use verbs::status::{CallStatus, DialStatus, LostBecause, TargetStatus};

fn caller() -> CallInfo {
    CallInfo {
        call_sid: "A1".to_owned(),
        direction: Direction::Inbound,
        from: "+491701234567".to_owned(),
        to: "+4930999888".to_owned(),
        call_id: "a84b@10.0.0.9".to_owned(),
        sbc_callid: None,
        sip_status: 200,
        sip_reason: "OK".to_owned(),
        call_status: CallStatus::InProgress,
        caller_id: String::new(),
        account_sid: "acc".to_owned(),
        trace_id: "0ae5".to_owned(),
        application_sid: Some("app".to_owned()),
        fs_sip_address: "10.0.0.9:5060".to_owned(),
        fs_public_ip: None,
        api_base_url: None,
        parent_call_sid: None,
        originating_sip_ip: Some("198.51.100.7".to_owned()),
        originating_sip_trunk_name: None,
        customer_data: Some(json!({ "ticketId": { "aB": 1 } })),
    }
}

const CALLER: &str = concat!(
    r#""call_sid":"A1","direction":"inbound","from":"+491701234567","to":"+4930999888","#,
    r#""call_id":"a84b@10.0.0.9","sip_status":200,"sip_reason":"OK","call_status":"in-progress","#,
    r#""caller_id":"","account_sid":"acc","trace_id":"0ae5","application_sid":"app","#,
    r#""fs_sip_address":"10.0.0.9:5060","originating_sip_ip":"198.51.100.7","#,
    r#""customerData":{"ticketId":{"aB":1}}"#
);

fn target(json: &str) -> verbs::Target {
    let text = format!(r#"[{{"verb":"dial","target":[{json}]}}]"#);
    let verbs = verbs::parse_application(&text, true).expect("a good target").verbs;
    let [verbs::Verb::Dial(dial)] = verbs.as_slice() else { panic!() };
    dial.target[0].clone()
}

fn connected() -> DialTarget {
    let target = target(r#"{"type":"phone","number":"+1508","trunk":"Twilio"}"#);
    DialTarget {
        call_sid: Some("B1".to_owned()),
        call_status: TargetStatus::Completed,
        sip_status: Some(200),
        sip_reason: Some("OK".to_owned()),
        attempts: vec![Attempt {
            call_sid: "B1".to_owned(),
            uri: "sip:+1508@203.0.113.9".to_owned(),
            gateway: Some("203.0.113.9:5060".to_owned()),
            trying_ms: Some(0),
            ringing_ms: Some(120),
            early_media_ms: None,
            answered_ms: Some(2500),
            ended_ms: Some(42_500),
            sip_status: Some(200),
            sip_reason: Some("OK".to_owned()),
        }],
        ..DialTarget::skipped(0, &target, None)
    }
}

fn result() -> DialResult {
    let duplicate = target(r#"{"type":"user","name":"jane"}"#);
    DialResult {
        status: DialStatus::Completed,
        dial_sip_status: 200,
        dial_call_sid: Some("B1".to_owned()),
        dial_sbc_callid: Some("1d2f@10.0.0.9".to_owned()),
        dial_call_duration: 40,
        dial_declined: false,
        amd_type: None,
        dial_targets: vec![
            connected(),
            DialTarget::skipped(1, &duplicate, Some(LostBecause::Duplicate)),
        ],
        verb_id: Some("d".to_owned()),
    }
}

#[test]
fn the_end_of_a_dial() {
    let expected = concat!(
        r#""dial_call_status":"completed","dial_status":"completed","dial_sip_status":200,"#,
        r#""dial_call_sid":"B1","dial_sbc_callid":"1d2f@10.0.0.9","dial_call_duration":40,"#,
        r#""dial_targets":[{"index":0,"type":"phone","address":"+1508","trunk":"Twilio","#,
        r#""call_sid":"B1","call_status":"completed","sip_status":200,"sip_reason":"OK","#,
        r#""attempts":[{"call_sid":"B1","uri":"sip:+1508@203.0.113.9","#,
        r#""gateway":"203.0.113.9:5060","trying_ms":0,"ringing_ms":120,"answered_ms":2500,"#,
        r#""ended_ms":42500,"sip_status":200,"sip_reason":"OK"}]},"#,
        r#"{"index":1,"type":"user","address":"jane","call_status":"skipped","#,
        r#""lost_because":"duplicate","attempts":[]}],"verb_id":"d""#
    );
    assert_eq!(caller().payload(&result()).to_string(), format!("{{{CALLER},{expected}}}"));
}

#[test]
fn a_dial_without_any_invite_leaves_out_what_it_has_not() {
    let failed = DialResult {
        status: DialStatus::Failed,
        dial_sip_status: 404,
        dial_call_sid: None,
        dial_sbc_callid: None,
        dial_call_duration: 0,
        dial_declined: true,
        amd_type: Some("machine"),
        dial_targets: Vec::new(),
        verb_id: None,
    };
    let expected = concat!(
        r#"{"dial_call_status":"failed","dial_status":"failed","dial_sip_status":404,"#,
        r#""dial_call_duration":0,"dial_declined":true,"amd_type":"machine","dial_targets":[]}"#
    );
    assert_eq!(serde_json::to_string(&failed).unwrap(), expected);
}

#[test]
fn no_payload_of_a_dial_has_a_key_that_sdks_take_for_a_notification() {
    let progress = DialProgress { dial_target: connected(), verb_id: None };
    for payload in [caller().payload(&result()), caller().payload(&progress)] {
        assert!(!payload.to_string().contains("\"event\""), "{payload}");
        assert!(payload.get("dial_target").is_some() || payload.get("dial_targets").is_some());
    }
}

#[test]
fn a_status_event_says_only_what_there_is_to_say() {
    let plain = caller().payload(&StatusEvent::default()).to_string();
    assert_eq!(plain, format!("{{{CALLER}}}"));
    assert_eq!(plain, caller().to_json().to_string());
    let headers = [("Reason", "Q.850;cause=16"), ("X-Why", "a"), ("x-why", "b")];
    let completed = StatusEvent {
        duration: Some(42),
        call_termination_by: Some(TerminatedBy::Caller),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    let expected = concat!(
        r#"{"duration":42,"call_termination_by":"caller","#,
        r#""headers":{"reason":"Q.850;cause=16","x-why":"a, b"}}"#
    );
    assert_eq!(serde_json::to_string(&completed).unwrap(), expected);
    assert_eq!(TerminatedBy::Us.as_str(), "jambonz");
    assert!(StatusEvent::kept_header("X-Reason") && StatusEvent::kept_header("Reason"));
    for dropped in ["Via", "v", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Contact"] {
        assert!(!StatusEvent::kept_header(dropped), "{dropped}");
    }
}

#[test]
fn the_first_payload_carries_the_invite() {
    let initial = Initial {
        caller_name: Some("Bob".to_owned()),
        service_provider_sid: "sp".to_owned(),
        sip: Some(SipBlock {
            method: "INVITE".to_owned(),
            uri: "sip:+4930999888@sip.example.com".to_owned(),
            version: "2.0".to_owned(),
            headers: vec![("Call-ID".to_owned(), "x".to_owned())],
            body: "v=0".to_owned(),
            payload: vec![BodyPart {
                content_type: "application/sdp".to_owned(),
                content: "v=0".to_owned(),
            }],
            raw: "INVITE".to_owned(),
            called_number: "+4930999888".to_owned(),
            calling_number: "+491701234567".to_owned(),
            kind: "request",
            source: "network",
            source_address: "198.51.100.7".to_owned(),
            source_port: "5060".to_owned(),
            protocol: "udp".to_owned(),
        }),
        defaults: Defaults::default(),
        env_vars: json!({ "keyName": "v" }).as_object().cloned(),
    };
    let expected = concat!(
        r#""caller_name":"Bob","service_provider_sid":"sp","sip":{"method":"INVITE","#,
        r#""uri":"sip:+4930999888@sip.example.com","version":"2.0","headers":{"call-id":"x"},"#,
        r#""body":"v=0","payload":[{"type":"application/sdp","content":"v=0"}],"raw":"INVITE","#,
        r#""calledNumber":"+4930999888","callingNumber":"+491701234567","type":"request","#,
        r#""source":"network","source_address":"198.51.100.7","source_port":"5060","#,
        r#""protocol":"udp"},"defaults":{"synthesizer":{},"recognizer":{}},"#,
        r#""env_vars":{"keyName":"v"}"#
    );
    assert_eq!(caller().payload(&initial).to_string(), format!("{{{CALLER},{expected}}}"));
}

/// Rows: a kind of amd event, and what it says under the documented names.
#[test]
fn machine_detection_speaks_under_both_names() {
    let rows = [
        (AmdKind::HumanDetected, r#","event":"amd","amd_type":"human""#),
        (AmdKind::MachineDetected, r#","event":"amd","amd_type":"machine""#),
        (AmdKind::NoSpeechDetected, r#","event":"silence""#),
        (AmdKind::DecisionTimeout, ""),
        (AmdKind::MachineStoppedSpeaking, r#","event":"silence""#),
        (AmdKind::ToneDetected, r#","event":"beep""#),
        (AmdKind::ToneTimeout, ""),
        (AmdKind::Error, ""),
        (AmdKind::Stopped, ""),
    ];
    assert_eq!(rows.map(|(kind, _)| kind), AmdKind::ALL);
    for (kind, expected) in rows {
        let event = serde_json::to_string(&AmdEvent::of(kind)).unwrap();
        assert_eq!(event, format!(r#"{{"type":"{kind}"{expected}}}"#));
    }
    let machine = AmdEvent {
        reason: Some("long greeting"),
        greeting: Some("hi".to_owned()),
        language: Some("en-US".to_owned()),
        dial_call_sid: Some("B1".to_owned()),
        ..AmdEvent::of(AmdKind::MachineDetected)
    };
    let expected = concat!(
        r#"{"type":"amd_machine_detected","event":"amd","amd_type":"machine","#,
        r#""reason":"long greeting","greeting":"hi","language":"en-US","dial_call_sid":"B1"}"#
    );
    assert_eq!(serde_json::to_string(&machine).unwrap(), expected);
}

#[test]
fn what_happens_while_a_call_is_up() {
    let text = |value: serde_json::Value| value.to_string();
    let dtmf = DtmfPressed { dtmf: "*2".to_owned() };
    assert_eq!(text(json!(dtmf)), r#"{"dtmf":"*2"}"#);
    let hold = HoldChanged { from: "<sip:a@b>".to_owned(), to: "<sip:c@d>".to_owned() };
    assert_eq!(text(json!(hold)), r#"{"hold_detail":{"from":"<sip:a@b>","to":"<sip:c@d>"}}"#);
    let gather = GatherResult {
        reason: GatherReason::DtmfDetected,
        digits: Some("12".to_owned()),
        speech: None,
        verb_id: None,
    };
    assert_eq!(text(json!(gather)), r#"{"reason":"dtmfDetected","digits":"12"}"#);
    let refer = ReferReceived {
        sip_refer_to: "<sip:+1@x>".to_owned(),
        refer_to_user: "+1".to_owned(),
        referring_call_sid: "B1".to_owned(),
        custom_headers: vec![("X-Call-Number".to_owned(), "1".to_owned())],
        ..ReferReceived::default()
    };
    let expected = concat!(
        r#"{"refer_details":{"sip_refer_to":"<sip:+1@x>","refer_to_user":"+1","#,
        r#""referring_call_sid":"B1","x_call_number":"1"}}"#
    );
    assert_eq!(text(json!(refer)), expected);
}

#[test]
fn a_get_hook_has_flat_members_without_the_invite() {
    let payload = json!({
        "call_sid": "A1", "sip_status": 200, "sip": { "raw": "x" }, "answered": true,
        "customerData": { "a": [1, "ü"] }, "nothing": null, "dtmf": "*2 #",
    });
    let expected = [
        ("call_sid", "A1"),
        ("sip_status", "200"),
        ("answered", "true"),
        ("customerData", r#"{"a":[1,"ü"]}"#),
        ("dtmf", "*2 #"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(to_query(&payload), expected);
    assert_eq!(to_query(&json!(["x"])), []);
}
