//! JSON that is no application: every fault of a list in one pass, each with its place.

use verbs::parse_application;

use crate::{faults, fixture_file};

/// The rows of a file of `fixtures/faults`: a text, its lines marked with `>`, then the faults it
/// must give, then an empty line.
fn check(file: &str, rows: usize) {
    let text = fixture_file(&format!("faults/{file}.txt"));
    let mut seen = 0;
    for row in text.split("\n\n").map(str::trim_end) {
        let (input, expected): (Vec<&str>, Vec<&str>) =
            row.lines().partition(|line| line.starts_with('>'));
        let input: Vec<&str> =
            input.iter().map(|line| line.strip_prefix("> ").unwrap_or("")).collect();
        assert_eq!(faults(&input.join("\n")), expected, "{row}");
        assert!(!expected.is_empty(), "{row}");
        seen += 1;
    }
    assert_eq!(seen, rows, "rows of {file}");
}

#[test]
fn text_that_is_not_json_is_located_with_its_fix() {
    check("syntax", 21);
}

#[test]
fn each_property_of_dial_is_read_strictly() {
    check("dial", 33);
}

#[test]
fn a_target_that_cannot_be_called_is_a_fault() {
    check("targets", 21);
}

#[test]
fn lists_and_other_verbs_are_read_strictly() {
    check("verbs", 24);
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
