//! The report that build servers read: JUnit's XML, one `testsuite` for each scenario file.
//!
//! Times are virtual seconds, so that the same seed makes the same bytes. XML 1.0 §2.2 cannot hold
//! control characters at all, so that each is written as U+FFFD.

use std::fmt::Write;
use std::time::Duration;

/// What came of one scenario file.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The file.
    pub(crate) file: String,
    /// The scenario, or the file where it could not be read.
    pub(crate) name: String,
    /// Virtual time of all its runs.
    pub(crate) lasted: Duration,
    pub(crate) outcome: Outcome,
    /// The ladder; of many seeds that of the first that failed.
    pub(crate) output: String,
}

/// How a scenario ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Passed,
    /// What did not hold, a line for each.
    Failed(Vec<String>),
    /// It could not be run: its faults.
    Faulty(Vec<String>),
}

/// The whole report.
pub(crate) fn document(cases: &[Case]) -> String {
    let counted =
        |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count();
    let failures = counted(|outcome| matches!(outcome, Outcome::Failed(_)));
    let errors = counted(|outcome| matches!(outcome, Outcome::Faulty(_)));
    let time: Duration = cases.iter().map(|case| case.lasted).sum();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _infallible = writeln!(
        text,
        "<testsuites name=\"switchhook simulate\" tests=\"{}\" failures=\"{failures}\" \
         errors=\"{errors}\" time=\"{:.3}\">",
        cases.len(),
        time.as_secs_f64()
    );
    cases.iter().for_each(|case| suite(&mut text, case));
    text.push_str("</testsuites>\n");
    text
}

fn suite(text: &mut String, case: &Case) {
    let (failures, errors) = match case.outcome {
        Outcome::Passed => (0, 0),
        Outcome::Failed(_) => (1, 0),
        Outcome::Faulty(_) => (0, 1),
    };
    let (file, name) = (escaped(&case.file), escaped(&case.name));
    let time = format!("{:.3}", case.lasted.as_secs_f64());
    let _infallible = writeln!(
        text,
        "  <testsuite name=\"{file}\" tests=\"1\" failures=\"{failures}\" errors=\"{errors}\" \
         skipped=\"0\" time=\"{time}\">\n    \
         <testcase name=\"{name}\" classname=\"{file}\" time=\"{time}\">"
    );
    let told = match &case.outcome {
        Outcome::Passed => None,
        Outcome::Failed(lines) => Some(("failure", "expectation", lines)),
        Outcome::Faulty(lines) => Some(("error", "scenario", lines)),
    };
    if let Some((element, kind, lines)) = told {
        let message = escaped(lines.first().map_or("", String::as_str));
        let all = between_tags(&lines.join("\n"));
        let _infallible = writeln!(
            text,
            "      <{element} type=\"{kind}\" message=\"{message}\">{all}</{element}>"
        );
    }
    if !case.output.is_empty() {
        let _infallible =
            writeln!(text, "      <system-out>{}</system-out>", between_tags(&case.output));
    }
    text.push_str("    </testcase>\n  </testsuite>\n");
}

/// A text in an attribute, where a line break would become a space if it were not written as a
/// reference (XML 1.0 §3.3.3).
fn escaped(text: &str) -> String {
    between_tags(text).replace('\t', "&#9;").replace('\n', "&#10;")
}

/// A text between tags.
fn between_tags(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 §2.11: written as itself it would be read as a line feed.
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escaped("a<b>&\"c\"\u{1}\u{1b}\u{ffff}"),
            "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(escaped("one\ntwo\t│"), "one&#10;two&#9;│");
        assert_eq!(between_tags("one\r\ntwo\t│"), "one&#13;\ntwo\t│");
    }

    #[test]
    fn counts_are_those_of_the_cases() {
        let case = |outcome| Case {
            file: "f".to_owned(),
            name: "n".to_owned(),
            lasted: Duration::from_millis(1500),
            outcome,
            output: String::new(),
        };
        let text = document(&[
            case(Outcome::Passed),
            case(Outcome::Failed(vec!["x".to_owned()])),
            case(Outcome::Faulty(vec!["y".to_owned()])),
        ]);
        assert!(text.contains("tests=\"3\" failures=\"1\" errors=\"1\" time=\"4.500\""), "{text}");
    }
}
