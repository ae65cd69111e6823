//! Unknown properties and odd numbers: a remark, or a fault of a strict application.

use verbs::{Fault, parse_application};

use crate::{TARGET, accepted};

fn lines(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

/// Rows: a text, and the remarks on it, which are faults when strict.
#[test]
fn an_unknown_property_is_a_remark_or_when_strict_a_fault() {
    let rows: &[(String, &[&str])] = &[
        (
            format!(r#"[{{"verb":"dial","anserOnBridge":true,{TARGET}}}]"#),
            &["1:17: /0/anserOnBridge: unknown property; expected a property of `dial`, got \
               \"anserOnBridge\"; did you mean `answerOnBridge`"],
        ),
        (
            format!(r#"[{{"dial":{{"confirmMethod":"GET",{TARGET}}}}}]"#),
            &["1:11: /0/dial/confirmMethod: unknown property; expected a property of `dial`, got \
               \"confirmMethod\""],
        ),
        (
            r#"[{"verb":"dial","target":[{"type":"user","name":"j","trunk":"x","Name":1}]}]"#
                .to_owned(),
            &[
                "1:53: /0/target/0/trunk: `trunk` has no effect; expected a property of a `user` \
                 target, got `trunk`",
                "1:65: /0/target/0/Name: unknown property; expected a property of a target, got \
                 \"Name\"; did you mean `name`",
            ],
        ),
        (
            [
                r#"[{"verb":"dial","amd":{"acionHook":"/x"},"#,
                r#""actionHook":{"url":"/","user":"x"},"#,
                TARGET,
                "}]",
            ]
            .concat(),
            &[
                "1:24: /0/amd/acionHook: unknown property; expected a property of `amd`, got \
                 \"acionHook\"; did you mean `actionHook`",
                "1:66: /0/actionHook/user: unknown property; expected a property of a hook, got \
                 \"user\"",
            ],
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(lines(&accepted(text).warnings), *expected, "{text}");
        let faults = parse_application(text, true).expect_err("strict");
        assert_eq!(lines(&faults), *expected, "{text}");
    }
}

#[test]
fn vendors_of_speech_may_have_any_option() {
    let text = r#"[{"verb":"say","text":"x","synthesizer":{"vendor":"v","engine":"neural"}},
        {"verb":"transcribe","recognizer":{"vendor":"v","azureOptions":{"x":1}}}]"#;
    let application = parse_application(text, true).expect("no unknown property");
    assert_eq!(application.warnings, []);
    let verbs::Verb::Transcribe(transcribe) = &application.verbs[1] else { panic!() };
    let options = &transcribe.recognizer.as_ref().expect("a recognizer").options;
    assert_eq!(serde_json::to_string(options).unwrap(), r#"{"azureOptions":{"x":1}}"#);
}

#[test]
fn a_number_that_is_not_e164_is_remarked_on_only_when_strict() {
    let odd = ["100", "+49XXXXXXXXXXX", "anonymous", "+0123", "+1234567890123456", "00491234", "+"];
    for number in odd.into_iter().chain(["+4930999888"]) {
        let target = format!(r#"{{"type":"phone","number":"{number}"}}"#);
        let text = format!(r#"[{{"verb":"dial","callerId":"{number}","target":[{target}]}}]"#);
        assert_eq!(accepted(&text).warnings, [], "{number}");
        let application = parse_application(&text, true).expect("no fault");
        let expected = if number == "+4930999888" { 0 } else { 2 };
        assert_eq!(application.warnings.len(), expected, "{number}");
        for warning in &application.warnings {
            assert_eq!(warning.what, "not an E.164 number");
        }
    }
}

#[test]
fn more_targets_than_are_called_are_no_fault() {
    let target = r#"{"type":"user","name":"jane"}"#;
    let many = vec![target; 25].join(",");
    let application = accepted(&format!(r#"[{{"verb":"dial","target":[{many}]}}]"#));
    let verbs::Verb::Dial(dial) = &application.verbs[0] else { panic!() };
    assert_eq!(dial.target.len(), 25);
    assert_eq!(application.warnings, []);
}
