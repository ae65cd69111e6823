//! Rust source without its comments and literals, so that a check on code is not misled by
//! prose. Lines stay where they are.

/// `source` with each comment, string and character literal replaced by spaces.
pub(crate) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let opaque = opaque_length(rest, code.chars().next_back());
        if opaque == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..opaque].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[opaque..];
        }
    }
    code
}

/// Identifiers and keywords of blanked code, each with its line number from 1.
pub(crate) fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(index, line)| {
        line.split(|c: char| !is_identifier(c))
            .filter(|word| !word.is_empty())
            .map(move |word| (index + 1, word))
    })
}

/// True for what an identifier is made of.
pub(crate) fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the comment or literal that `rest` begins with, else 0.
fn opaque_length(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_length(rest);
    }
    if rest.starts_with('"') {
        return quoted_length(rest, 1, '"');
    }
    if rest.starts_with('\'') {
        return character_length(rest);
    }
    if before.is_some_and(is_identifier) { 0 } else { raw_string_length(rest) }
}

fn block_comment_length(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Length up to and with the closing `quote`, looking from `start`; a backslash hides one.
fn quoted_length(rest: &str, start: usize, quote: char) -> usize {
    let mut hidden = false;
    for (at, c) in rest[start..].char_indices() {
        match c {
            _ if hidden => hidden = false,
            '\\' => hidden = true,
            c if c == quote => return start + at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal, not a lifetime: `'x'` or `'\n'` but not `'static`.
fn character_length(rest: &str) -> usize {
    let mut after = rest[1..].chars();
    match (after.next(), after.next()) {
        (Some('\\'), _) | (_, Some('\'')) => quoted_length(rest, 1, '\''),
        _ => 0,
    }
}

/// `r"…"`, `r#"…"#` and the same with `b` or `c` before.
fn raw_string_length(rest: &str) -> usize {
    let prefix = ["br", "cr", "r"].into_iter().find(|prefix| rest.starts_with(prefix));
    let Some(prefix) = prefix else { return 0 };
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !after[hashes..].starts_with('"') {
        return 0;
    }
    let start = prefix.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    rest[start..].find(&close).map_or(rest.len(), |at| start + at + close.len())
}

#[test]
fn comments_and_literals_are_blanked_and_lines_kept() {
    let source = "let a = \"x // \\\" y\"; // z\n/* b /* c */\n d */ let e = 'f'; 'g: loop {}\n";
    let code = code_only(source);
    assert_eq!(code.lines().count(), 3);
    assert_eq!(code.split_whitespace().collect::<String>(), "leta=;lete=;'g:loop{}");
}

#[test]
fn raw_strings_and_escaped_quotes_end_where_they_end() {
    let code = code_only("f(r#\"a \"b\" \\\"#, '\\'', br\"c\\\", b\"d\", r#type, '\"', x)");
    assert_eq!(code.split_whitespace().collect::<String>(), "f(,,,b,r#type,,x)");
}

#[test]
fn identifiers_come_with_their_lines() {
    let found: Vec<_> = identifiers("fn a_b()\n{ c::d }").collect();
    assert_eq!(found, [(1, "fn"), (1, "a_b"), (2, "c"), (2, "d")]);
}
