//! JSON that applications and programs write: lists of verbs, bodies of REST.

use serde_json::Value;
use verbs::Fault;

/// An application, read in both manners.
pub fn application(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lenient = verbs::parse_application(text, false);
    let strict = verbs::parse_application(text, true);
    match &lenient {
        Ok(application) => {
            assert!(application.verbs.len() <= verbs::VERBS_MAX);
            assert!(serde_json::from_str::<Value>(text).is_ok(), "it is no JSON");
            located(text, &application.warnings);
            if let Ok(strict) = &strict {
                assert_eq!(strict.verbs, application.verbs);
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            located(text, faults);
            assert!(strict.is_err(), "strict takes what lenient refuses");
        }
    }
    if let Err(faults) = &strict {
        located(text, faults);
    }
}

/// A body of createCall, and of updateCall.
pub fn rest_body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_object = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    match verbs::rest::parse_create_call(text) {
        Ok((_, warnings)) => {
            assert!(is_object);
            located(text, &warnings);
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            located(text, &faults);
        }
    }
    match verbs::rest::parse_update_call(text) {
        Ok(_) => assert!(is_object),
        Err(faults) => {
            assert!(!faults.is_empty());
            located(text, &faults);
        }
    }
}

/// Faults stand inside the text, in its order, and there are not too many.
fn located(text: &str, faults: &[Fault]) {
    assert!(faults.len() <= verbs::FAULTS_MAX + 1);
    let lines: Vec<&str> = text.split('\n').collect();
    let places: Vec<(usize, usize)> = faults.iter().map(|f| (f.line, f.column)).collect();
    assert!(places.is_sorted(), "{places:?}");
    for (line, column) in places {
        let there = lines.get(line.wrapping_sub(1)).map(|line| line.chars().count());
        assert!(there.is_some_and(|length| (1..=length + 1).contains(&column)), "{line}:{column}");
    }
    faults.iter().for_each(|fault| assert!(!fault.to_string().is_empty()));
}
