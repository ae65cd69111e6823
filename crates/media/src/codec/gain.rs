//! Louder or softer G.711, octet for octet.
//!
//! A [`Gain`] is made once, of a level in dB, and holds for each law which octet stands for which:
//! on the way of a packet nothing is computed. What would be louder than the law can say stays at
//! the loudest. How much may be asked for is decided by who asks.

use std::fmt;

use super::{Codec, g711};

/// A change of level, in tenths of a dB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decibels(i16);

impl Decibels {
    /// This many dB, rounded to a tenth.
    pub fn new(decibels: f64) -> Decibels {
        Decibels((decibels * 10.0).round() as i16)
    }

    /// Nothing changes.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// What a sample is multiplied by.
    fn factor(self) -> f64 {
        10f64.powf(f64::from(self.0) / 200.0)
    }
}

/// In dB, with its sign.
impl fmt::Display for Decibels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.1} dB", f64::from(self.0) / 10.0)
    }
}

/// The octets of both laws at another level.
#[derive(Clone, PartialEq, Eq)]
pub struct Gain {
    level: Decibels,
    pcmu: [u8; 256],
    pcma: [u8; 256],
}

impl fmt::Debug for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gain({})", self.level)
    }
}

impl Gain {
    /// The tables of this level: half a kilobyte.
    pub fn new(level: Decibels) -> Gain {
        let factor = level.factor();
        let table = |codec| {
            std::array::from_fn(|code| {
                let sample = f64::from(g711::decode(codec, code as u8)) * factor;
                // A float too large for the sample becomes the largest.
                g711::encode(codec, sample.round() as i16)
            })
        };
        Gain { level, pcmu: table(Codec::Pcmu), pcma: table(Codec::Pcma) }
    }

    /// Rewrites a payload of this law.
    pub fn apply(&self, codec: Codec, payload: &mut [u8]) {
        let table = match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        };
        g711::rewrite(table, payload);
    }
}
