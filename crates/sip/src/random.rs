//! Tags, branches and Call-IDs that nobody can guess and a test can repeat.
//!
//! SHA-256 in counter mode over the seed: whoever sees any number of outputs cannot compute the
//! next one without the seed. The seed comes from outside; nothing here draws entropy.

use sha2::{Digest, Sha256};

/// A stream of bytes determined by its seed.
#[derive(Clone)]
pub(crate) struct Generator {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Generator {
    pub(crate) fn new(seed: [u8; 32]) -> Generator {
        Generator { seed, counter: 0, block: [0; 32], used: 32 }
    }

    /// 64 bits, for what may be guessed.
    pub(crate) fn next_u64(&mut self) -> u64 {
        if self.used >= self.block.len() {
            self.block = self.digest(b"stream", &self.counter.to_le_bytes());
            self.counter += 1;
            self.used = 0;
        }
        let mut bytes = [0; 8];
        let fresh = self.block.get(self.used..).and_then(|rest| rest.get(..8));
        bytes.copy_from_slice(fresh.expect("a block is a whole number of eight-byte pieces"));
        self.used += 8;
        u64::from_le_bytes(bytes)
    }

    /// 128 bits, for a tag, a branch or a Call-ID.
    pub(crate) fn next_u128(&mut self) -> u128 {
        u128::from(self.next_u64()) << 64 | u128::from(self.next_u64())
    }

    /// The same tag for the same text, so that a response made without a transaction has the To
    /// tag of the response before it (RFC 3261 §8.2.7).
    pub(crate) fn tag_for(&self, text: &str) -> Tag {
        let digest = self.digest(b"tag", text.as_bytes());
        digest.iter().take(16).fold(0, |tag, byte| tag << 8 | Tag::from(*byte))
    }

    fn digest(&self, purpose: &[u8], input: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(purpose);
        hash.update(input);
        hash.finalize().into()
    }
}

/// Never shows the seed.
impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator").finish_non_exhaustive()
    }
}

/// A tag of ours. RFC 3261 §19.3 asks for 32 random bits; with 128 nobody who has not seen a
/// dialog can name it, and so nobody else can end it.
pub(crate) type Tag = u128;

/// A tag as it is written.
pub(crate) fn tag_text(tag: Tag) -> String {
    format!("{tag:032x}")
}

/// A tag of ours read back; `None` for one that we cannot have written.
pub(crate) fn parse_tag(text: &str) -> Option<Tag> {
    let ours = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    ours.then(|| Tag::from_str_radix(text, 16).ok()).flatten()
}

/// A seed of 64 bits as one of 256, for tests.
pub(crate) fn widened(seed: u64) -> [u8; 32] {
    let mut wide = [0; 32];
    wide.iter_mut().zip(seed.to_le_bytes()).for_each(|(to, from)| *to = from);
    wide
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_seed_alone_determines_the_stream() {
        let draw = |seed| {
            let mut generator = Generator::new(widened(seed));
            (0..100).map(|_| generator.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1).into_iter().collect::<BTreeSet<_>>().len(), 100);
    }

    #[test]
    fn tags_read_back_and_foreign_ones_are_told_apart() {
        for tag in [0, 1, 0xdead_beef, Tag::MAX] {
            assert_eq!(parse_tag(&tag_text(tag)), Some(tag));
        }
        for foreign in ["", "1", &format!("+{:031}", 1), &"DEADBEEF".repeat(4), &"0".repeat(33)] {
            assert_eq!(parse_tag(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_tag_made_for_a_text_is_the_same_each_time() {
        let generator = Generator::new(widened(7));
        assert_eq!(generator.tag_for("a"), generator.tag_for("a"));
        assert_ne!(generator.tag_for("a"), generator.tag_for("b"));
    }
}
