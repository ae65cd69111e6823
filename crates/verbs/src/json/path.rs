//! The way from the root of a text to a value, kept as a chain on the stack.
//!
//! why: a pointer is wanted only where something is wrong, so walking a good list allocates none.

/// A place in a JSON text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// The whole text.
    pub(crate) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// The member `key` of the object here.
    pub(crate) fn key(&'p self, key: &'p str) -> Path<'p> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    /// The element `index` of the array here.
    pub(crate) fn index(&'p self, index: usize) -> Path<'p> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// RFC 6901 §3: `/0/target/1/number`, with `~` and `/` of keys escaped; `-` for the root,
    /// which RFC 6901 writes as nothing at all. Control characters of a key are written as JSON
    /// would, so that a pointer is one line, and a very long key is cut.
    pub(crate) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(path) = at {
            match path.step {
                Step::Root => {}
                Step::Key(key) => steps.push(escaped(key)),
                Step::Index(index) => steps.push(index.to_string()),
            }
            at = path.parent;
        }
        if steps.is_empty() {
            return "-".to_owned();
        }
        steps.iter().rev().flat_map(|step| ["/", step]).collect()
    }
}

/// Longest key in a pointer, in characters.
const KEY_MAX: usize = 100;

fn escaped(key: &str) -> String {
    let mut text = String::with_capacity(key.len().min(KEY_MAX));
    for (count, character) in key.chars().enumerate() {
        match character {
            _ if count == KEY_MAX => {
                text.push('…');
                break;
            }
            '~' => text.push_str("~0"),
            '/' => text.push_str("~1"),
            control if control.is_control() => {
                text.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => text.push(plain),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn pointers_escape_tilde_and_slash() {
        assert_eq!(Path::ROOT.pointer(), "-");
        let list = Path::ROOT.index(3);
        let object = list.key("a/b~c");
        assert_eq!(object.pointer(), "/3/a~1b~0c");
        assert_eq!(object.key("").pointer(), "/3/a~1b~0c/");
    }

    #[test]
    fn pointers_are_one_line_of_bounded_length() {
        assert_eq!(Path::ROOT.key("a\r\nb\0").pointer(), "/a\\u000d\\u000ab\\u0000");
        assert_eq!(Path::ROOT.key(&"ä".repeat(500)).pointer().chars().count(), 102);
    }
}
