//! JSON numbers (RFC 8259 §6): the grammar, and what people write instead.

use serde_json::Number;

use super::reader::{Reader, Stop};

impl Reader<'_, '_> {
    /// From the sign or first digit to past the last digit.
    pub(super) fn number(&mut self) -> Result<Number, Stop> {
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        let whole = self.digits();
        if whole == 0 {
            return Err(self.bad_number(start, "a digit", None));
        }
        if whole > 1 && self.text.as_bytes().get(self.at - whole) == Some(&b'0') {
            self.at = start;
            return Err(self.bad_number(start, "no zero before other digits", None));
        }
        if self.peek() == Some('.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.bad_number(start, "a digit after `.`", Some("`.0`")));
            }
        }
        if let Some('e' | 'E') = self.peek() {
            self.at += 1;
            if let Some('+' | '-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.bad_number(start, "a digit after `e`", None));
            }
        }
        let lexeme = self.text.get(start..self.at).unwrap_or_default();
        lexeme.parse().map_err(|_| {
            let expected = "a number that a 64-bit float can hold";
            self.stop(start, "number out of range", expected, lexeme, None)
        })
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn bad_number(&mut self, start: usize, expected: &str, fix: Option<&str>) -> Stop {
        let got: String = self
            .text
            .get(start..)
            .unwrap_or_default()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
            .take(super::SHOWN_MAX)
            .collect();
        self.stop(start, "no number", expected, &format!("`{got}`"), fix)
    }
}
