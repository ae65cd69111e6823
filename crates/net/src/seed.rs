//! Unguessable numbers for what a stranger must not foresee: port order, RTP starting values.
//!
//! SplitMix64 over a start drawn from the standard library's hasher keys, which the system's
//! generator fills. Not for keys or passwords.

use std::hash::{BuildHasher, RandomState};

/// A sequence of seeds.
#[derive(Debug)]
pub(crate) struct Seeds {
    state: u64,
}

impl Seeds {
    /// Starts at a random place.
    pub(crate) fn random() -> Seeds {
        Seeds { state: RandomState::new().hash_one("seed") }
    }

    /// The next number.
    pub(crate) fn next_seed(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
