//! The seeded generator behind the SSRC, first sequence number and first timestamp of streams
//! that are generated here. RFC 3550 §5.1 wants them hard to guess, so the owner seeds it from
//! the operating system; a test seeds it with a number and gets the same call again.
//!
//! It is SplitMix64 (Steele, Lea, Flood 2014): one word of state, every seed is good.

/// A sequence of 64-bit words that is a function of the seed.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    pub(crate) fn next_u16(&mut self) -> u16 {
        (self.next_u64() >> 48) as u16
    }
}
