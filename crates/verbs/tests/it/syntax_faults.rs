//! Text that is not JSON: how its places are counted.

use crate::faults;

#[test]
fn a_byte_order_mark_is_named() {
    let expected = "1:1: -: byte order mark; expected JSON, got U+FEFF; did you mean the text \
                    without its first three bytes";
    assert_eq!(faults("\u{feff}[]"), [expected]);
}

#[test]
fn columns_count_characters_and_lines_end_at_line_feeds() {
    assert_eq!(&faults("[\"äöü€😀\", x]")[0][..5], "1:11:");
    assert_eq!(&faults("[\r\n\t\"é\",\r\n\r\n  x]")[0][..4], "4:3:");
}

#[test]
fn a_key_given_twice_is_a_fault_beside_the_others() {
    let text = r#"[{"verb":"say","text":"x","text":"y","loop":-1}]"#;
    let expected = [
        "1:27: /0/text: key given twice; expected each key once, got \"text\"",
        "1:45: /0/loop: out of range; expected a whole number, 0 or more, or \"forever\", got the \
         number -1",
    ];
    assert_eq!(faults(text), expected);
}
