//! Text that is not JSON: where, and what to do about it.

use crate::faults;

#[test]
fn each_slip_is_located_with_its_fix() {
    let rows: &[(&str, &[&str])] = &[
        ("", &["1:1: -: nothing here; expected JSON, got the end of the text"]),
        (
            "[1 2]",
            &["1:4: -: missing comma; expected `,` or `]`, got `2`; did you mean `,` before `2`"],
        ),
        (
            "[{\"a\":1 \"b\":2,}, ]",
            &[
                "1:9: -: missing comma; expected `,` or `}`, got \"b\"; did you mean `,` before \
                 \"b\"",
                "1:14: -: trailing comma; expected a member after `,`, got `}`; did you mean `}` \
                 without a comma before it",
                "1:16: -: trailing comma; expected an element after `,`, got `]`; did you mean \
                 `]` without a comma before it",
            ],
        ),
        (
            "[\n  {'verb': 'x'}]",
            &["2:4: -: no key here; expected a key in double quotes, got `'`; did you mean \
               \"verb\""],
        ),
        (
            "[{verb: 1}]",
            &["1:3: -: no key here; expected a key in double quotes, got `verb`; did you mean \
               \"verb\""],
        ),
        (
            "[“say”]",
            &["1:2: -: no value here; expected a JSON value, got `“`; did you mean \"say\""],
        ),
        (
            "[True]",
            &["1:2: -: no value here; expected a JSON value, got `True`; did you mean true"],
        ),
        (
            "[\"abc\n\"]",
            &["1:2: -: string without end; expected `\"` on the same line, got a line break; did \
               you mean `\"` where the string ends, or `\\n` in it"],
        ),
        (
            "[\"a\tb\"]",
            &["1:4: -: control character in a string; expected an escape, got U+0009; did you \
               mean `\\t`"],
        ),
        (
            "[\"abc]",
            &["1:2: -: string without end; expected `\"`, got no other quote; did you mean `\"` \
               where the string ends"],
        ),
        ("[{\"a\":1]", &["1:8: -: wrong bracket; expected `,` or `}`, got `]`; did you mean `}`"]),
        (
            "[1]]",
            &["1:4: -: text after the end; expected the end of the text, got `]`; did you mean \
               the text without it"],
        ),
        (
            "[\n{\"a\":1\n",
            &[
                "3:1: -: text ends too early; expected `}` for line 2, got the end of the text; did \
               you mean `}` at the end",
            ],
        ),
        ("{\"a\"=1}", &["1:5: -: no value for the key; expected `:`, got `=`; did you mean `:`"]),
        ("[01]", &["1:2: -: no number; expected no zero before other digits, got `01`"]),
        ("[1.]", &["1:2: -: no number; expected a digit after `.`, got `1.`; did you mean `.0`"]),
        (
            "[.5]",
            &[
                "1:2: -: no value here; expected a JSON value, got `.`; did you mean a digit before \
               `.`",
            ],
        ),
        (
            "[1e999]",
            &["1:2: -: number out of range; expected a number that a 64-bit float can hold, got \
               1e999"],
        ),
        (
            "// verbs\n[]",
            &["1:1: -: comment; expected JSON, which has none, got `/`; did you mean the text \
               without the comment"],
        ),
        (
            r#"["C:\x"]"#,
            &[
                r#"1:5: -: unknown escape; expected one of \" \\ \/ \b \f \n \r \t \u0000, got "\\x"; did you mean `\\` for a backslash"#,
            ],
        ),
        (
            r#"["\ud83d!"]"#,
            &[
                r"1:3: -: half a surrogate pair; expected \ud83d\ude00 and the like, got \ud83d alone",
            ],
        ),
        (
            "\u{feff}[]",
            &["1:1: -: byte order mark; expected JSON, got U+FEFF; did you mean the text without \
               its first three bytes"],
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(faults(text), *expected, "{text}");
    }
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
