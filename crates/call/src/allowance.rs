//! So many a second: a bucket that fills at a rate.

use std::time::{Duration, Instant};

/// What may still be taken. Full at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowance {
    left: f64,
    refilled: Option<Instant>,
}

impl Allowance {
    /// Takes one of `rate` a second, if there is one left; a second's worth may be taken at once.
    pub(crate) fn take(&mut self, now: Instant, rate: u32) -> bool {
        self.take_of(now, rate, rate)
    }

    /// Takes one of `rate` a second, if there is one left; `most` may be taken at once.
    pub(crate) fn take_of(&mut self, now: Instant, rate: u32, most: u32) -> bool {
        self.take_many(now, rate, most, 1)
    }

    /// Takes `count` of `rate` a second, all or none; `most` may be taken at once.
    pub(crate) fn take_many(&mut self, now: Instant, rate: u32, most: u32, count: u32) -> bool {
        let most = f64::from(most);
        self.left = match self.refilled {
            None => most,
            Some(at) => {
                let since: Duration = now.saturating_duration_since(at);
                (self.left + since.as_secs_f64() * f64::from(rate)).min(most)
            }
        };
        self.refilled = Some(now);
        let count = f64::from(count);
        let taken = self.left >= count;
        if taken {
            self.left -= count;
        }
        taken
    }
}
