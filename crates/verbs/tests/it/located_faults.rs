//! JSON that is no application: every fault of a list in one pass, each with its place.

use verbs::parse_application;

use crate::{TARGET, faults};

/// Rows: the members of a dial besides `verb` and `target`, and the faults they make.
#[test]
fn each_property_of_dial_is_read_strictly() {
    let rows = [
        (
            r#""answerOnBridge":"true""#,
            "/0/answerOnBridge: wrong type; expected a boolean, got the string \"true\"; did you mean true",
        ),
        (
            r#""answerOnBridge":1"#,
            "/0/answerOnBridge: wrong type; expected a boolean, got the number 1",
        ),
        (
            r#""timeout":"5""#,
            "/0/timeout: wrong type; expected a number, got the string \"5\"; did you mean 5",
        ),
        (
            r#""timeout":-1"#,
            "/0/timeout: out of range; expected seconds, 0 or more and at most a year, got the number -1",
        ),
        (
            r#""timeLimit":-0.5"#,
            "/0/timeLimit: out of range; expected seconds, 0 or more and at most a year, got the number -0.5",
        ),
        (
            r#""timeLimit":1e300"#,
            "/0/timeLimit: out of range; expected seconds, 0 or more and at most a year, got the number 1e+300",
        ),
        (
            r#""callerId":5551234"#,
            "/0/callerId: wrong type; expected a string, got the number 5551234; did you mean \"5551234\"",
        ),
        (
            r#""callerId":"""#,
            "/0/callerId: no number; expected text without control characters, got the string \"\"",
        ),
        (
            r#""callerId":"+1\r\nVia: x""#,
            "/0/callerId: no number; expected text without control characters, got the string \"+1\\r\\nVia: x\"",
        ),
        (
            r#""callerName":"Bob\nX""#,
            "/0/callerName: control character; expected one line of text, got the string \"Bob\\nX\"",
        ),
        (
            r#""actionHook":7"#,
            "/0/actionHook: wrong type; expected a URL or an object with `url`, got the number 7",
        ),
        (
            r#""actionHook":{"method":"POST"}"#,
            "/0/actionHook: missing `url`; expected `url` in a hook, got no such property",
        ),
        (
            r#""actionHook":{"url":"/x","method":"PUT"}"#,
            "/0/actionHook/method: unknown word; expected one of `POST`, `GET`, got \"PUT\"",
        ),
        (
            r#""actionHook":"/a\nb""#,
            "/0/actionHook: control character in a URL; expected a URL or a path, got \"/a\\nb\"",
        ),
        (
            r#""dtmfCapture":"*2""#,
            "/0/dtmfCapture: wrong type; expected an array of strings, or an object of two, got the string \"*2\"; did you mean `[` before it and `]` after it",
        ),
        (
            r#""dtmfCapture":["*2",""]"#,
            "/0/dtmfCapture/1: no keys; expected keys 0-9 A-D * #, got the string \"\"",
        ),
        (
            r#""dtmfCapture":{"childCall":["x"]}"#,
            "/0/dtmfCapture/childCall/0: no keys; expected keys 0-9 A-D * #, got the string \"x\"",
        ),
        (
            r#""srtpEncryption":"x""#,
            "/0/srtpEncryption: unknown word; expected one of `sdes`, `dtls`, got \"x\"",
        ),
        (
            r#""strategy":"simering""#,
            "/0/strategy: unknown word; expected one of `simring`, `hunt`, got \"simering\"; did you mean `simring`",
        ),
        (
            r#""boostAudioSignal":"loud""#,
            "/0/boostAudioSignal: out of range; expected a number of dB like \"+3 dB\", got the string \"loud\"",
        ),
        (
            r#""boostAudioSignal":{}"#,
            "/0/boostAudioSignal: wrong type; expected a number of dB, got an object",
        ),
        (r#""tag":[]"#, "/0/tag: wrong type; expected an object, got an empty array"),
        (r#""amd":true"#, "/0/amd: wrong type; expected an object (`amd`), got true"),
        (
            r#""amd":{"timers":{"toneTimeoutMs":"1"}}"#,
            "/0/amd/timers/toneTimeoutMs: wrong type; expected a number, got the string \"1\"; did you mean 1",
        ),
        (
            r#""amd":{"digitCount":1.5}"#,
            "/0/amd/digitCount: out of range; expected a whole number, 0 or more, got the number 1.5",
        ),
        (
            r#""dub":[{"action":"playOnTrack"}]"#,
            "/0/dub/0: missing `track`; expected `track` in `dub`, got no such property\n\
             /0/dub/0: missing `play`; expected `play` in `dub`, got no such property",
        ),
        (
            r#""listen":{"mixType":"quad"}"#,
            "/0/listen: missing `url`; expected `url` in `listen`, got no such property\n\
             /0/listen/mixType: unknown word; expected one of `mono`, `stereo`, `mixed`, got \"quad\"",
        ),
        (
            r#""listen":{"url":"/x","sampleRate":44100,"channel":3}"#,
            "/0/listen/sampleRate: out of range; expected 8000, 16000, 24000, 48000 or 64000, got the number 44100\n\
             /0/listen/channel: out of range; expected 1 (caller) or 2 (callee), got the number 3",
        ),
        (
            r#""ringback":"Germany""#,
            "/0/ringback: out of range; expected a country code, `none` or a URL, got the string \"Germany\"",
        ),
        (
            r#""sendDigits":"12 34""#,
            "/0/sendDigits: out of range; expected keys 0-9 A-D * #, w and W for pauses, got the string \"12 34\"",
        ),
        (
            r#""timeLimitWarning":{}"#,
            "/0/timeLimitWarning: missing `before`; expected `before` in `timeLimitWarning`, got no such property",
        ),
    ];
    for (members, expected) in rows {
        let lines = faults(&format!(r#"[{{"verb":"dial",{members},{TARGET}}}]"#));
        let lines: Vec<&str> =
            lines.iter().map(|line| line.splitn(3, ':').nth(2).unwrap().trim_start()).collect();
        assert_eq!(lines.join("\n"), expected, "{members}");
    }
}

/// Rows: a target, and its fault.
#[test]
fn a_target_that_cannot_be_called_is_a_fault() {
    let rows = [
        (r#"5"#, ": wrong type; expected an object (a target), got the number 5"),
        (r#"null"#, ": wrong type; expected a value, got null"),
        (r#"{}"#, ": missing `type`; expected `type` in a target, got no such property"),
        (
            r#"{"number":"1"}"#,
            ": missing `type`; expected `type` in a target, got no such property; did you mean \"type\": \"phone\"",
        ),
        (
            r#"{"type":"phon","number":"1"}"#,
            "/type: unknown word; expected one of `phone`, `user`, `sip`, `teams`, got \"phon\"; did you mean `phone`",
        ),
        (
            r#"{"type":"phone"}"#,
            ": missing `number`; expected `number` in a target, got no such property",
        ),
        (
            r#"{"type":"phone","number":null}"#,
            ": missing `number`; expected `number` in a target, got no such property",
        ),
        (
            r#"{"type":"phone","nubmer":"+1"}"#,
            ": missing `number`; expected `number` in a target, got no such property; did you mean `number` for `nubmer`",
        ),
        (
            r#"{"type":"phone","number":""}"#,
            "/number: no number; expected text without control characters, got the string \"\"",
        ),
        (
            r#"{"type":"user"}"#,
            ": missing `name`; expected `name` in a target, got no such property",
        ),
        (
            r#"{"type":"user","name":"@example.com"}"#,
            "/name: no address; expected `user` or `user@domain`, got the string \"@example.com\"",
        ),
        (
            r#"{"type":"sip","sipUri":"bob@example.com"}"#,
            "/sipUri: no address; expected a URI like `sip:user@host`, got the string \"bob@example.com\"",
        ),
        (
            r#"{"type":"sip","sipUri":"sip:example.com"}"#,
            "/sipUri: no address; expected a URI like `sip:user@host`, got the string \"sip:example.com\"",
        ),
        (
            r#"{"type":"sip","sipUri":"sip:bob@"}"#,
            "/sipUri: no address; expected a URI like `sip:user@host`, got the string \"sip:bob@\"",
        ),
        (
            r#"{"type":"sip","sipUri":"tel:+1234"}"#,
            "/sipUri: no address; expected a URI like `sip:user@host`, got the string \"tel:+1234\"",
        ),
        (
            r#"{"type":"sip","sipUri":"sip:a@b>\r\nX: y"}"#,
            "/sipUri: no address; expected a URI like `sip:user@host`, got the string \"sip:a@b>\\r\\nX: y\"",
        ),
        (
            r#"{"type":"sip","sipUri":"sip:a@b","auth":{"username":"x"}}"#,
            "/auth: missing `password`; expected `password` in credentials, got no such property",
        ),
        (
            r#"{"type":"user","name":"j","delay":-1}"#,
            "/delay: out of range; expected seconds, 0 or more and at most a year, got the number -1",
        ),
        (
            r#"{"type":"user","name":"j","priority":-1}"#,
            "/priority: out of range; expected a whole number, 0 or more, got the number -1",
        ),
        (
            r#"{"type":"user","name":"j","codecs":["PCMA",8]}"#,
            "/codecs/1: wrong type; expected a string, got the number 8; did you mean \"8\"",
        ),
    ];
    for (target, expected) in rows {
        let lines = faults(&format!(r#"[{{"verb":"dial","target":[{target}]}}]"#));
        assert_eq!(lines.len(), 1, "{target}: {lines:?}");
        let (_, line) = lines[0].split_once("/0/target/0").expect("the pointer of the target");
        assert_eq!(line, expected, "{target}");
    }
}

/// Rows: a list that is no dial, and its faults.
#[test]
fn lists_and_other_verbs_are_read_strictly() {
    let rows: &[(&str, &[&str])] = &[
        (
            r#"{"verb":"hangup"}"#,
            &[
                "1:1: -: no list; expected an array of verbs, got an object; did you mean `[` before it and `]` after it",
            ],
        ),
        ("null", &["1:1: -: no list; expected an array of verbs, got null"]),
        ("[5]", &["1:2: /0: no verb; expected an object with `verb`, got the number 5"]),
        (
            "[{}]",
            &[
                "1:2: /0: missing `verb`; expected `verb` with the name of the verb, got an empty object",
            ],
        ),
        (
            r#"[{"vreb":"say","text":"x"}]"#,
            &[
                "1:2: /0: missing `verb`; expected `verb` with the name of the verb, got no such property; did you mean `verb` for `vreb`",
            ],
        ),
        (
            r#"[{"verb":"dail"}]"#,
            &[
                "1:10: /0/verb: unknown verb; expected the name of a verb, got \"dail\"; did you mean `dial`",
            ],
        ),
        (
            r#"[{"hangpu":{}}]"#,
            &[
                "1:3: /0/hangpu: unknown verb; expected the name of a verb, got \"hangpu\"; did you mean `hangup`",
            ],
        ),
        (
            r#"[{"verb":"llm"}]"#,
            &[
                "1:10: /0/verb: verb that this switch does not run; expected the name of a verb, got \"llm\"",
            ],
        ),
        (r#"[{"verb":["dial"]}]"#, &["1:10: /0/verb: wrong type; expected a string, got an array"]),
        (
            r#"[{"dial":[]}]"#,
            &[
                "1:10: /0/dial: wrong type; expected an object with the properties of `dial`, got an empty array",
            ],
        ),
        (
            r#"[{"verb":"dial","target":[]}]"#,
            &["1:26: /0/target: nobody to call; expected at least one target, got an empty array"],
        ),
        (
            r#"[{"verb":"dial"}]"#,
            &["1:2: /0: missing `target`; expected `target` in `dial`, got no such property"],
        ),
        (
            r#"[{"verb":"dial","target":{"type":"user","name":"j"}}]"#,
            &[
                "1:26: /0/target: wrong type; expected an array, got an object; did you mean `[` before it and `]` after it",
            ],
        ),
        (
            r#"[{"pause":{}},{"verb":"pause","length":"2"}]"#,
            &[
                "1:11: /0/pause: missing `length`; expected `length` in `pause`, got no such property",
                "1:40: /1/length: wrong type; expected a number, got the string \"2\"; did you mean 2",
            ],
        ),
        (
            r#"[{"verb":"say"},{"verb":"say","text":5},{"verb":"say","text":["a",5]}]"#,
            &[
                "1:2: /0: missing `text`; expected `text` in `say`, got no such property",
                "1:38: /1/text: wrong type; expected a string, got the number 5; did you mean \"5\"",
                "1:67: /2/text/1: wrong type; expected a string, got the number 5; did you mean \"5\"",
            ],
        ),
        (
            r#"[{"verb":"play","url":""},{"verb":"play","url":[]},{"verb":"play","url":"/a","loop":"often"}]"#,
            &[
                "1:23: /0/url: nothing to play; expected a URL or an array of URLs, got the string \"\"",
                "1:48: /1/url: nothing to play; expected a URL or an array of URLs, got an empty array",
                "1:85: /2/loop: out of range; expected a whole number, 0 or more, or \"forever\", got the string \"often\"",
            ],
        ),
        (
            r#"[{"verb":"sip:decline","status":200},{"verb":"sip:decline","status":486.5},{"verb":"sip:decline"}]"#,
            &[
                "1:33: /0/status: out of range; expected a SIP status, 400 to 699, got the number 200",
                "1:69: /1/status: out of range; expected a SIP status, 400 to 699, got the number 486.5",
                "1:76: /2: missing `status`; expected `status` in `sip:decline`, got no such property",
            ],
        ),
        (
            r#"[{"verb":"sip:request","method":"BYE"}]"#,
            &[
                "1:33: /0/method: out of range; expected INFO, NOTIFY, MESSAGE or the like, got the string \"BYE\"",
            ],
        ),
        (
            r#"[{"verb":"redirect","actionHook":""},{"verb":"redirect"}]"#,
            &[
                "1:2: /0: missing `actionHook`; expected `actionHook` in `redirect`, got no such property",
                "1:38: /1: missing `actionHook`; expected `actionHook` in `redirect`, got no such property",
            ],
        ),
        (
            r#"[{"verb":"tag","data":"x"}]"#,
            &["1:23: /0/data: wrong type; expected an object, got the string \"x\""],
        ),
        (
            r#"[{"verb":"gather","input":"digits"},{"verb":"gather","input":["digit"],"say":{}}]"#,
            &[
                "1:27: /0/input: wrong type; expected an array, got the string \"digits\"; did you mean `[` before it and `]` after it",
                "1:63: /1/input/0: unknown word; expected one of `digits`, `dtmf`, `speech`, got \"digit\"; did you mean `digits`",
                "1:78: /1/say: missing `text`; expected `text` in `say`, got no such property",
            ],
        ),
        (
            r#"[{"verb":"dub","action":"addTrak","track":"t"}]"#,
            &[
                "1:25: /0/action: unknown word; expected one of `addTrack`, `removeTrack`, `silenceTrack`, `playOnTrack`, `sayOnTrack`, got \"addTrak\"; did you mean `addTrack`",
            ],
        ),
        (
            r#"[{"verb":"rest:dial","from":"+1"}]"#,
            &["1:2: /0: missing `to`; expected `to` in `rest:dial`, got no such property"],
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(faults(text), *expected, "{text}");
    }
}

#[test]
fn all_faults_of_a_list_come_at_once_in_the_order_of_the_text() {
    let text = r#"[
  { "verb": "dial",
    "timeout": "20",
    "target": [
      { "type": "phone" },
      { "type": "user", "name": 7 }
    ],
    "answerOnBridge": "yes"
  },
  { "verb": "sya", "text": "hello" },
  { "verb": "pause", "length": -3 }
]"#;
    let expected = [
        "3:16: /0/timeout: wrong type; expected a number, got the string \"20\"; did you mean 20",
        "5:7: /0/target/0: missing `number`; expected `number` in a target, got no such property",
        "6:33: /0/target/1/name: wrong type; expected a string, got the number 7; did you mean \
         \"7\"",
        "8:23: /0/answerOnBridge: wrong type; expected a boolean, got the string \"yes\"",
        "10:13: /1/verb: unknown verb; expected the name of a verb, got \"sya\"; did you mean \
         `say`",
        "11:32: /2/length: out of range; expected seconds, 0 or more and at most a year, got the \
         number -3",
    ];
    assert_eq!(faults(text), expected);
}

#[test]
fn the_fields_of_a_fault_are_those_of_its_line() {
    let faults = parse_application("[{\"verb\":\"dial\",\n\"target\":[]}]", false);
    let [fault] = faults.expect_err("nobody to call").try_into().expect("one fault");
    assert_eq!((fault.line, fault.column), (2, 10));
    assert_eq!(fault.pointer, "/0/target");
    assert_eq!(fault.what, "nobody to call");
    assert_eq!(fault.expected, "at least one target");
    assert_eq!(fault.got, "an empty array");
    assert_eq!(fault.did_you_mean, None);
}
