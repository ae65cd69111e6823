//! Texts that are hardly a configuration: never a panic, always places in order.

use std::time::{Duration, Instant};

use switchhook::config::{Fault, LoadError, Place};

use crate::configuration_values::FULL;
use crate::reading::{SHORTEST, read};

fn check(text: &str) {
    if let Err(LoadError::Faulty { faults, .. }) = read(text, &[]) {
        assert!(!faults.is_empty(), "refused without a fault: {text}");
        let place = |fault: &Fault| match &fault.place {
            Place::File { line, column, .. } => (*line, *column),
            Place::Environment { .. } => panic!("no variable was given"),
        };
        let places: Vec<(usize, usize)> = faults.iter().map(place).collect();
        assert!(places.is_sorted(), "{places:?} in {text}");
    }
}

#[test]
fn every_beginning_and_every_end_of_a_file() {
    for (at, _) in FULL.char_indices() {
        check(&FULL[..at]);
        check(&FULL[at..]);
    }
}

#[test]
fn every_character_replaced() {
    for wrong in ["", "\"", "[", "=", "\n", "\u{0}", "ü"] {
        for (at, character) in FULL.char_indices() {
            let rest = &FULL[at + character.len_utf8()..];
            check(&format!("{}{wrong}{rest}", &FULL[..at]));
        }
    }
}

#[test]
fn deep_and_odd_texts() {
    for text in ["[", "\u{feff}[sip]", "sip = 1", "application = [1, {}]", "carrier = {}"] {
        check(text);
    }
    check(&format!("a = {}", "[".repeat(100_000)));
    check(&"[[carrier.gateway]]\n".repeat(1000));
    check("[[carrier]]\n[carrier.gateway]\nhost = 1\n");
}

#[test]
fn a_large_file_is_read_in_time() {
    let user = |number| format!("[[client]]\nusername = \"user{number}\"\npassword = \"x\"\n");
    let users: String = (0..5000).map(user).collect();
    let begun = Instant::now();
    let loaded = read(&format!("{SHORTEST}{users}"), &[]).expect("no fault");
    assert_eq!(loaded.config.settings.clients.len(), 5000);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
