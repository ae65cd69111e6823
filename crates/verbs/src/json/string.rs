//! JSON strings (RFC 8259 §7): escapes, surrogate pairs, and the faults of both.

use super::reader::{Reader, Stop};

impl Reader<'_, '_> {
    /// From the opening quote to past the closing one.
    pub(super) fn string(&mut self) -> Result<String, Stop> {
        let open = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ');
            let Some(plain) = plain else {
                let fix = Some("`\"` where the string ends");
                return Err(self.stop(open, "string without end", "`\"`", "no other quote", fix));
            };
            text.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape()?),
                _ => return Err(self.control_character(open)),
            }
        }
    }

    fn control_character(&mut self, open: usize) -> Stop {
        match self.peek() {
            Some('\n' | '\r') => {
                let fix = Some("`\"` where the string ends, or `\\n` in it");
                self.stop(open, "string without end", "`\"` on the same line", "a line break", fix)
            }
            next => {
                let code = next.map_or(0, u32::from);
                let got = format!("U+{code:04X}");
                let fix = if code == 9 { "\\t".to_owned() } else { format!("\\u{code:04x}") };
                let what = "control character in a string";
                self.stop(self.at, what, "an escape", &got, Some(&format!("`{fix}`")))
            }
        }
    }

    /// From a backslash to past its escape.
    fn escape(&mut self) -> Result<char, Stop> {
        let start = self.at;
        self.at += 1;
        let Some(letter) = self.peek() else { return Err(self.no_escape(start)) };
        self.at += letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(start),
            _ => return Err(self.no_escape(start)),
        })
    }

    fn no_escape(&mut self, start: usize) -> Stop {
        let got: String = self.text.get(start..).unwrap_or_default().chars().take(2).collect();
        let expected = "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000";
        let fix = Some("`\\\\` for a backslash");
        let got = super::shown(&got);
        self.stop(start, "unknown escape", expected, &got, fix)
    }

    /// Past `\u`: four digits, and the second half of a surrogate pair.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Stop> {
        let first = self.four_digits(start)?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if first < 0xDC00 && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.four_digits(start)?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).expect("a pair is at most U+10FFFF"));
            }
        }
        let got = format!("\\u{first:04x} alone");
        Err(self.stop(start, "half a surrogate pair", "\\ud83d\\ude00 and the like", &got, None))
    }

    fn four_digits(&mut self, start: usize) -> Result<u32, Stop> {
        let digits = self.rest().get(..4).unwrap_or_default();
        if digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.at += 4;
            return Ok(u32::from_str_radix(digits, 16).expect("four hexadecimal digits"));
        }
        let got = self.got();
        Err(self.stop(start, "unknown escape", "four hexadecimal digits after \\u", &got, None))
    }
}
