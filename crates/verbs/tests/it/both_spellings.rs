//! What may be written in two ways means the same in both.

use crate::{TARGET, accepted, dial, fixture};

/// Rows: two texts that are the same application.
#[test]
fn two_spellings_are_one_application() {
    let rows = [
        (format!(r#"[{{"verb":"dial",{TARGET}}}]"#), format!(r#"[{{"dial":{{{TARGET}}}}}]"#)),
        (r#"[{"verb":"hangup"}]"#.to_owned(), r#"[{"hangup":null}]"#.to_owned()),
        (
            r#"[{"verb":"listen","url":"/a"}]"#.to_owned(),
            r#"[{"verb":"stream","url":"/a"}]"#.to_owned(),
        ),
        (r#"[{"listen":{"url":"/a"}}]"#.to_owned(), r#"[{"stream":{"url":"/a"}}]"#.to_owned()),
        (
            r#"[{"verb":"conference","name":"x"}]"#.to_owned(),
            r#"[{"verb":"room","name":"x"}]"#.to_owned(),
        ),
        (
            format!(r#"[{{"verb":"dial","listen":{{"url":"/a"}},{TARGET}}}]"#),
            format!(r#"[{{"verb":"dial","stream":{{"verb":"stream","url":"/a"}},{TARGET}}}]"#),
        ),
        (
            format!(r#"[{{"verb":"dial","amd":{{"actionHook":"/a"}},{TARGET}}}]"#),
            format!(r#"[{{"verb":"dial","amd":{{"hook":"/a"}},{TARGET}}}]"#),
        ),
        (
            format!(r#"[{{"verb":"dial","dub":{{"action":"addTrack","track":"t"}},{TARGET}}}]"#),
            format!(r#"[{{"verb":"dial","dub":[{{"action":"addTrack","track":"t"}}],{TARGET}}}]"#),
        ),
        (
            r#"[{"verb":"dial","target":[{"type":"teams","number":"1","vmail":true}]}]"#.to_owned(),
            r#"[{"verb":"dial","target":[{"type":"teams","number":"1","voicemail":true}]}]"#
                .to_owned(),
        ),
        (
            r#"[{"verb":"dial","target":[{"type":"user","name":"j","confirmHook":"/c"}]}]"#
                .to_owned(),
            r#"[{"verb":"dial","target":[{"type":"user","name":"j","url":"/c"}]}]"#.to_owned(),
        ),
        (
            format!(r#"[{{"verb":"dial","actionHook":"/a",{TARGET}}}]"#),
            format!(r#"[{{"verb":"dial","actionHook":{{"url":"/a"}},{TARGET}}}]"#),
        ),
        (
            format!(
                r#"[{{"verb":"dial","actionHook":{{"url":"/a","username":"u","password":"p"}},{TARGET}}}]"#
            ),
            format!(
                r#"[{{"verb":"dial","actionHook":{{"url":"/a","basicAuth":{{"username":"u","password":"p"}}}},{TARGET}}}]"#
            ),
        ),
        (
            format!(r#"[{{"verb":"dial","dtmfCapture":["*2"],{TARGET}}}]"#),
            format!(
                r#"[{{"verb":"dial","dtmfCapture":{{"childCall":["*2"],"parentCall":["*2"]}},{TARGET}}}]"#
            ),
        ),
        (
            format!(r#"[{{"verb":"dial","timeout":0,"timeLimit":0,{TARGET}}}]"#),
            format!(r#"[{{"verb":"dial","timeout":60,{TARGET}}}]"#),
        ),
        (
            format!(r#"[{{"verb":"dial","actionHook":"","boostAudioSignal":"+3 DB",{TARGET}}}]"#),
            format!(r#"[{{"verb":"dial","boostAudioSignal":3,{TARGET}}}]"#),
        ),
        (
            r#"[{"verb":"say","text":"x","loop":"2"}]"#.to_owned(),
            r#"[{"verb":"say","text":["x"],"loop":2}]"#.to_owned(),
        ),
    ];
    for (one, other) in rows {
        let (one_read, other_read) = (accepted(&one), accepted(&other));
        assert_eq!(one_read.warnings, other_read.warnings, "{one} {other}");
        assert_eq!(one_read, other_read, "{one} {other}");
        assert_eq!(one_read.warnings, [], "{one}");
    }
}

#[test]
fn the_first_spelling_wins_where_both_are_given() {
    let dial = dial(
        r#""stream":{"url":"/b"},"listen":{"url":"/a"},
           "target":[{"type":"user","name":"j","url":"/b","confirmHook":"/a"}]"#,
    );
    assert_eq!(dial.listen.map(|listen| listen.url).as_deref(), Some("/a"));
    let hook = dial.target[0].confirm_hook.as_ref().expect("a hook");
    assert_eq!(hook.url, "/a");
}

#[test]
fn both_envelopes_read_every_verb_alike() {
    let flat: serde_json::Value = serde_json::from_str(&fixture("every-verb")).unwrap();
    let wrapped: serde_json::Value = flat
        .as_array()
        .unwrap()
        .iter()
        .map(|verb| {
            let mut members = verb.as_object().unwrap().clone();
            let name = members.remove("verb").unwrap();
            serde_json::json!({ (name.as_str().unwrap()): members })
        })
        .collect();
    assert_eq!(accepted(&flat.to_string()), accepted(&wrapped.to_string()));
}
