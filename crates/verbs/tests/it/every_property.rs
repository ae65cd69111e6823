//! One list that uses every verb and every property: nothing of it is unknown, and what it says
//! arrives.

use std::time::Duration;

use serde_json::Value;
use verbs::*;

use crate::{TARGET, accepted, dial, fixture};

fn secs(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds))
}

#[test]
fn nothing_of_it_is_unknown() {
    let application = parse_application(&fixture("every-verb"), true).expect("no fault");
    assert_eq!(application.warnings, []);
    let names: Vec<&str> = application.verbs.iter().map(Verb::name).collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    assert_eq!(names.len(), 24);
    assert!(application.verbs.iter().all(|verb| verb.id().is_some()));
}

#[test]
fn a_dial_arrives_with_all_it_says() {
    let application = accepted(&fixture("every-verb"));
    let found = application.verbs.iter().find_map(|verb| match verb {
        Verb::Dial(dial) => Some(dial),
        _ => None,
    });
    let dial = found.expect("a dial");
    let hook = dial.action_hook.as_ref().expect("a hook");
    assert_eq!((hook.url.as_str(), hook.method), ("/dial-done", HookMethod::Post));
    assert_eq!((hook.username.as_deref(), hook.password.as_deref()), (Some("u"), Some("p")));
    let amd = dial.amd.as_ref().expect("amd");
    assert!(amd.disconnect_on_amd);
    assert_eq!((amd.threshold_word_count, amd.digit_count), (7, 4));
    assert_eq!(amd.timers.greeting_completion, Duration::from_millis(1500));
    assert!(dial.anchor_media && dial.answer_on_bridge && !dial.exit_media_path);
    assert_eq!(dial.boost_audio_signal, -2.5);
    assert_eq!(dial.caller_id.as_deref(), Some("+16173331212"));
    assert_eq!(dial.caller_name.as_deref(), Some("Bob"));
    assert_eq!(dial.dtmf_capture.parent_call, ["#1", "#2"]);
    assert_eq!(dial.dub[0].gain, -6.0);
    assert_eq!(dial.forward_pai, Some(false));
    let headers = [("X-Foo".to_owned(), "bar".to_owned()), ("X-N".to_owned(), "5".to_owned())];
    assert_eq!(dial.headers, headers);
    let listen = dial.listen.as_ref().expect("listen");
    assert_eq!((listen.mix_type, listen.sample_rate), (MixType::Stereo, 16_000));
    assert_eq!(listen.max_length, secs(30.0));
    assert_eq!(dial.srtp_encryption, Some(SrtpEncryption::Sdes));
    assert_eq!(dial.tag, Some(serde_json::json!({ "customer": 7 })));
    assert_eq!((dial.time_limit, Some(dial.timeout)), (secs(3600.0), secs(20.5)));
    assert_eq!(dial.strategy, Strategy::Hunt);
    assert_eq!(dial.ringback, Some(Ringback::Country("de".to_owned())));
    assert_eq!(dial.early_media, EarlyMedia::First);
    assert_eq!(dial.progress_timeout, secs(4.0));
    let warning = dial.time_limit_warning.as_ref().expect("a warning");
    assert_eq!(Some(warning.before), secs(30.0));
    assert_eq!(dial.send_digits.as_deref(), Some("ww12#"));
    let first = &dial.target[0];
    assert_eq!((first.timeout, Some(first.delay), first.priority), (secs(10.0), secs(0.5), 1));
    assert_eq!((first.codecs.as_slice(), first.srtp), (&["PCMA".to_owned()][..], Some(Srtp::Off)));
    let from = first.from.as_ref().expect("from");
    assert_eq!((from.user.as_deref(), from.host.as_deref()), (Some("100"), Some("example.com")));
}

#[test]
fn a_dial_that_says_little_has_the_defaults_of_jambonz() {
    let dial = dial(TARGET);
    assert_eq!(dial.timeout, Duration::from_secs(60));
    assert_eq!((dial.time_limit, dial.action_hook, dial.amd), (None, None, None));
    assert!(!dial.answer_on_bridge && !dial.anchor_media && !dial.exit_media_path);
    assert_eq!((dial.strategy, dial.early_media), (Strategy::Simring, EarlyMedia::Auto));
    assert_eq!(dial.dtmf_capture, DtmfCapture::default());
    assert_eq!((dial.forward_pai, dial.ringback), (None, None));
    assert_eq!((dial.target[0].priority, dial.target[0].delay), (0, Duration::ZERO));
}

#[test]
fn machine_detection_has_the_timers_of_jambonz() {
    let amd = dial(&format!(r#""amd":{{"thresholdWordCount":0}},{TARGET}"#)).amd.expect("amd");
    assert_eq!((amd.threshold_word_count, amd.digit_count), (9, 0));
    let timers = [
        amd.timers.no_speech,
        amd.timers.decision,
        amd.timers.tone,
        amd.timers.greeting_completion,
    ];
    assert_eq!(timers.map(|timer| timer.as_millis()), [5000, 15_000, 20_000, 2000]);
}

/// The value at each pointer below `value`, as a path of keys and indices.
fn places(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if let Value::Object(members) = value {
        for (key, inner) in members {
            at.push(key.clone());
            found.push(at.clone());
            places(inner, at, found);
            at.pop();
        }
    } else if let Value::Array(elements) = value {
        for (index, inner) in elements.iter().enumerate() {
            at.push(index.to_string());
            places(inner, at, found);
            at.pop();
        }
    }
}

#[test]
fn null_is_the_same_as_absent_everywhere() {
    let whole: Value = serde_json::from_str(&fixture("every-verb")).unwrap();
    let mut found = Vec::new();
    places(&whole, &mut Vec::new(), &mut found);
    let mut compared = 0;
    for place in found {
        // What is kept verbatim keeps its nulls, and without `verb` nothing is a verb.
        let verbatim = ["data", "tag", "metadata", "recognizer", "synthesizer"];
        let kept = place[..place.len() - 1].iter().any(|key| verbatim.contains(&key.as_str()));
        let (key, parent) = place.split_last().unwrap();
        if kept || key == "verb" {
            continue;
        }
        let pointer: String = parent.iter().flat_map(|key| ["/", key]).collect();
        let (mut with_null, mut without) = (whole.clone(), whole.clone());
        with_null.pointer_mut(&pointer).unwrap()[key] = Value::Null;
        without.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().shift_remove(key);
        let with_null = parse_application(&with_null.to_string(), true);
        let without = parse_application(&without.to_string(), true);
        match (with_null, without) {
            (Ok(with_null), Ok(without)) => assert!(with_null == without, "{place:?}"),
            (Err(with_null), Err(without)) => {
                let what = |faults: &[Fault]| -> Vec<String> {
                    faults.iter().map(|fault| fault.what.clone()).collect()
                };
                assert_eq!(what(&with_null), what(&without), "{place:?}");
            }
            (with_null, without) => panic!("{place:?}: {with_null:?} {without:?}"),
        }
        compared += 1;
    }
    assert!(compared > 200, "{compared} places");
}

#[test]
fn verbs_allowed_in_a_screening() {
    let application = accepted(&fixture("every-verb"));
    let allowed = application.verbs.iter().filter(|verb| verb.allowed_in_screening());
    let names: Vec<&str> = allowed.map(Verb::name).collect();
    let expected = [
        "config",
        "gather",
        "say",
        "play",
        "pause",
        "tag",
        "listen",
        "transcribe",
        "dtmf",
        "sip:request",
        "hangup",
    ];
    assert_eq!(names, expected);
}

#[test]
fn an_empty_list_is_an_application() {
    assert_eq!(accepted("[]").verbs, []);
    assert_eq!(accepted(" [ ] \n").verbs, []);
}

#[test]
fn credentials_are_not_in_debug_output() {
    let secret = r#""username":"secret-u","password":"secret-p""#;
    let target = format!(r#"{{"type":"sip","sipUri":"sip:a@b","auth":{{{secret}}}}}"#);
    let hook = format!(r#"{{"url":"/a",{secret}}}"#);
    let text = format!(r#"[{{"verb":"dial","actionHook":{hook},"target":[{target}]}}]"#);
    let shown = format!("{:?}", accepted(&text));
    assert!(shown.contains("/a") && !shown.contains("secret"), "{shown}");
}
