//! A state in 128 bits: what `Debug` shows of it, names replaced by the order of their appearance.
//!
//! Two orders of the same events leave the same calls under other identifiers: `call_sid`s, tags,
//! branches and Call-IDs are drawn as they are needed. So a word that is an identifier counts by
//! its place only. What `Debug` does not show is left out: the bytes of messages that are kept to
//! be repeated, sequence numbers and routes of dialogs, how many transactions of a session are
//! pending, and the states of the random generators. All of it follows from what is shown, for
//! parties that say the same things in the same dialogs, as those of the walk do.

use std::collections::HashMap;
use std::fmt::{self, Debug, Write};

/// Shortest word that can be an identifier.
const IDENTIFIER_MIN: usize = 12;

/// The digest of a state.
pub(super) fn digest(state: &impl Debug) -> u128 {
    let mut canon = Canon::default();
    // why: writing into it cannot fail.
    let _ = write!(canon, "{state:?}");
    canon.end_word();
    canon.sum.0
}

/// FNV-1a of 128 bits (Fowler, Noll, Vo), over words.
#[derive(Debug)]
struct Sum(u128);

impl Sum {
    fn take(&mut self, word: u64) {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
        self.0 = (self.0 ^ u128::from(word)).wrapping_mul(PRIME);
        self.0 ^= self.0 >> 67;
    }
}

#[derive(Debug)]
struct Canon {
    sum: Sum,
    word: Vec<u8>,
    names: HashMap<Vec<u8>, u64>,
}

impl Default for Canon {
    fn default() -> Canon {
        let basis = Sum(0x6C62_272E_07BB_0142_62B8_2175_6295_C58D);
        Canon { sum: basis, word: Vec::with_capacity(64), names: HashMap::new() }
    }
}

impl Canon {
    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        if is_identifier(&self.word) {
            let next = self.names.len() as u64;
            let place = match self.names.get(&self.word) {
                Some(place) => *place,
                None => {
                    self.names.insert(self.word.clone(), next);
                    next
                }
            };
            self.sum.take(0x1_0000 + place);
        } else {
            for chunk in self.word.chunks(8) {
                let mut bytes = [0; 8];
                bytes[..chunk.len()].copy_from_slice(chunk);
                self.sum.take(u64::from_le_bytes(bytes));
            }
        }
        self.word.clear();
    }
}

/// A UUID, a tag or Call-ID in hexadecimal, a branch, or a number as long as one.
fn is_identifier(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"z9hG4bK").unwrap_or(word);
    word.len() >= IDENTIFIER_MIN
        && word.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

impl Write for Canon {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                self.word.push(byte);
            } else if byte != b' ' {
                self.end_word();
                self.sum.take(u64::from(byte));
            } else {
                self.end_word();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_count_by_their_place() {
        let one = ["0a1b2c3d4e5f6789", "up", "0a1b2c3d4e5f6789", "ffffffffffffffff"];
        let two = ["1111111111111111", "up", "1111111111111111", "2222222222222222"];
        let three = ["1111111111111111", "up", "2222222222222222", "1111111111111111"];
        assert_eq!(digest(&one), digest(&two));
        assert_ne!(digest(&one), digest(&three));
    }

    #[test]
    fn everything_else_counts_as_it_is() {
        assert_ne!(digest(&("Ringing", 1)), digest(&("Ringing", 2)));
        assert_ne!(digest(&("Ringing", 1)), digest(&("Early", 1)));
    }
}
