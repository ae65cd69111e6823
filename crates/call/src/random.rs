//! Identifiers from injected randomness.

/// A seeded generator (SplitMix64, Steele, Lea and Flood 2014): one per call, so that a call is a
/// function of its inputs and its seed. Not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// A generator of which the secret cannot be told.
    pub(crate) fn from_secret(secret: &[u8; 32]) -> Random {
        let folded = secret.chunks(8).fold(0_u64, |state, chunk| {
            let word = chunk.iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
            Random::new(state ^ word).next_u64()
        });
        Random::new(folded)
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn next_u128(&mut self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }

    /// A call_sid: a version 4 UUID (RFC 9562 §5.4).
    pub(crate) fn sid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.next_u128().to_be_bytes()).into_uuid().to_string()
    }

    /// 32 hexadecimal digits, as trace ids have them.
    pub(crate) fn hex_128(&mut self) -> String {
        format!("{:032x}", self.next_u128())
    }
}
