//! The few lexical rules that every SIP header shares (RFC 3261 §25.1).
//!
//! Owns tokens, trimming, splitting at separators that stand outside of quotes and angle
//! brackets, and turning received bytes into text. Knows no header by name and never fails:
//! unbalanced quotes and brackets reach to the end of the input.

use std::borrow::Cow;

use crate::limits::EXCERPT_CHARS_MAX;

/// RFC 3261 §25.1: `token`, in bytes.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| TOKEN.get(usize::from(byte)) == Some(&true))
}

// why: a table, because every byte of every header name is looked up.
static TOKEN: [bool; 256] = token_table();

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, bounds included")]
const fn token_table() -> [bool; 256] {
    let punctuation = b"-.!%*_+`'~";
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < punctuation.len() {
        table[punctuation[at] as usize] = true;
        at += 1;
    }
    table
}

/// A byte that would end or corrupt a line of the message it is written into.
pub(crate) fn breaks_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// UTF-8 where it is UTF-8, else every byte as its Latin-1 character; nothing is lost.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// The start of a peer's text, fit for an error message or a log line: short, no controls.
pub(crate) fn excerpt(text: &str) -> String {
    let mut short: String =
        text.chars().take(EXCERPT_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(EXCERPT_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

/// Where `separator` first stands outside of quoted strings and angle brackets.
pub(crate) fn find_top_level(bytes: &[u8], separator: u8) -> Option<usize> {
    let mut inside = Inside::default();
    bytes.iter().position(|&byte| {
        let found = !inside.is_open() && byte == separator;
        inside.pass(byte);
        found
    })
}

/// Whether a quoted string or an angle bracket begins in it and never ends.
pub(crate) fn ends_open(bytes: &[u8]) -> bool {
    let mut inside = Inside::default();
    bytes.iter().for_each(|&byte| inside.pass(byte));
    inside.is_open()
}

/// What the next byte stands in.
#[derive(Default)]
struct Inside {
    quoted: bool,
    bracketed: bool,
    /// After a backslash in quotes.
    escaped: bool,
}

impl Inside {
    fn is_open(&self) -> bool {
        self.quoted || self.bracketed
    }

    fn pass(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if self.quoted {
            self.escaped = byte == b'\\';
            self.quoted = byte != b'"';
        } else if self.bracketed {
            self.bracketed = byte != b'>';
        } else {
            self.quoted = byte == b'"';
            self.bracketed = byte == b'<';
        }
    }
}

/// The parts between top-level separators, trimmed; empty parts are left out.
pub(crate) fn split_bytes(bytes: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        loop {
            let whole = rest?;
            let at = find_top_level(whole, separator);
            let part = whole.get(..at.unwrap_or(whole.len())).unwrap_or_default();
            rest = at.and_then(|at| whole.get(at.saturating_add(1)..));
            let part = part.trim_ascii();
            if !part.is_empty() {
                return Some(part);
            }
        }
    })
}

/// [`split_bytes`] over text.
pub(crate) fn split_text(text: &str, separator: char) -> impl Iterator<Item = &str> {
    // A cut at an ASCII byte leaves both sides valid UTF-8.
    let separator = u8::try_from(separator).unwrap_or(b',');
    split_bytes(text.as_bytes(), separator).filter_map(|part| std::str::from_utf8(part).ok())
}

/// How far `part`, a slice of `whole`, stands into it, in bytes.
pub(crate) fn offset_in(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}

/// A quoted string at the start of `text`: its decoded content and what follows it.
///
/// RFC 3261 §25.1: a backslash takes the next character as it is. `None` where the text does
/// not start with a quote or the string never ends.
pub(crate) fn quoted_string(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut decoded = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return inner.get(at + 1..).map(|rest| (decoded, rest)),
            '\\' => decoded.push(characters.next()?.1),
            _ => decoded.push(character),
        }
    }
    None
}

/// `text` as a quoted string with what needs it escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_inside_quotes_and_brackets_do_not_split() {
        let parts: Vec<&str> =
            split_text(r#""Doe, \"J, ane" <sip:a,b@c>;x="1,2" , <sip:d@e>,,tel:1"#, ',').collect();
        assert_eq!(parts, [r#""Doe, \"J, ane" <sip:a,b@c>;x="1,2""#, "<sip:d@e>", "tel:1"]);
    }

    #[test]
    fn an_open_quote_or_bracket_reaches_to_the_end() {
        assert_eq!(split_text("a, \"b, c", ',').collect::<Vec<_>>(), ["a", "\"b, c"]);
        assert_eq!(split_text("a, <b, c", ',').collect::<Vec<_>>(), ["a", "<b, c"]);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_read_as_latin1() {
        assert_eq!(text(b"J\xfcrgen"), "Jürgen");
        assert_eq!(text("Jürgen".as_bytes()), "Jürgen");
    }

    #[test]
    fn quoting_and_reading_back_gives_the_same_text() {
        for plain in ["", "Bob", r#"a "b" \ c"#, "ü,<>;"] {
            let quoted = quote(plain) + " rest";
            assert_eq!(quoted_string(&quoted), Some((plain.to_owned(), " rest")));
        }
        assert_eq!(quoted_string("\"open"), None);
        assert_eq!(quoted_string("\"open\\"), None);
    }

    #[test]
    fn an_excerpt_is_short_and_printable() {
        let long = excerpt(&"x\r\n".repeat(100));
        assert!(long.ends_with('…') && long.starts_with("x\\r\\n"));
        assert!(long.chars().all(|character| !character.is_control()));
    }
}
