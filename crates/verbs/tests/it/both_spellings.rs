//! What may be written in two ways means the same in both.

use crate::{TARGET, accepted, dial, fixture};

/// Rows of members of a dial, besides its target, that say the same.
const DIALS: &[(&str, &str)] = &[
    (r#""listen":{"url":"/a"}"#, r#""stream":{"verb":"stream","url":"/a"}"#),
    (r#""amd":{"actionHook":"/a"}"#, r#""amd":{"hook":"/a"}"#),
    (r#""dub":{"action":"addTrack","track":"t"}"#, r#""dub":[{"action":"addTrack","track":"t"}]"#),
    (r#""actionHook":"/a""#, r#""actionHook":{"url":"/a","method":"POST"}"#),
    (
        r#""actionHook":{"url":"/a","username":"u","password":"p"}"#,
        r#""actionHook":{"url":"/a","basicAuth":{"username":"u","password":"p"}}"#,
    ),
    (r#""dtmfCapture":["*2"]"#, r#""dtmfCapture":{"childCall":["*2"],"parentCall":["*2"]}"#),
    (r#""timeout":0,"timeLimit":0"#, r#""timeout":60"#),
    (r#""actionHook":"","boostAudioSignal":"+3 DB""#, r#""boostAudioSignal":3"#),
];

/// Rows of targets that say the same.
const TARGETS: &[(&str, &str)] = &[
    (
        r#"{"type":"teams","number":"1","vmail":true}"#,
        r#"{"type":"teams","number":"1","voicemail":true}"#,
    ),
    (
        r#"{"type":"user","name":"j","confirmHook":"/c"}"#,
        r#"{"type":"user","name":"j","url":"/c"}"#,
    ),
];

/// Rows of lists that say the same.
const LISTS: &[(&str, &str)] = &[
    (r#"[{"verb":"hangup"}]"#, r#"[{"hangup":null}]"#),
    (r#"[{"verb":"listen","url":"/a"}]"#, r#"[{"verb":"stream","url":"/a"}]"#),
    (r#"[{"listen":{"url":"/a"}}]"#, r#"[{"stream":{"url":"/a"}}]"#),
    (r#"[{"verb":"conference","name":"x"}]"#, r#"[{"verb":"room","name":"x"}]"#),
    (r#"[{"verb":"say","text":"x","loop":"2"}]"#, r#"[{"verb":"say","text":["x"],"loop":2}]"#),
];

#[test]
fn two_spellings_are_one_application() {
    let dial = |members: &str| format!(r#"[{{"verb":"dial",{members},{TARGET}}}]"#);
    let target = |target: &str| format!(r#"[{{"verb":"dial","target":[{target}]}}]"#);
    let dials = DIALS.iter().map(|(one, other)| (dial(one), dial(other)));
    let targets = TARGETS.iter().map(|(one, other)| (target(one), target(other)));
    let lists = LISTS.iter().map(|(one, other)| (one.to_string(), other.to_string()));
    for (one, other) in dials.chain(targets).chain(lists) {
        let read = accepted(&one);
        assert_eq!(read, accepted(&other), "{one} {other}");
        assert_eq!(read.warnings, [], "{one}");
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
