//! Whether a new call may come in at all: draining, calls at the same time, calls a second.

use std::collections::BTreeMap;
use std::time::Instant;

use sip::{InviteId, Respond};

use crate::allowance::Allowance;
use crate::settings::{Carrier, Limits};

/// Seconds a caller is asked to wait before it tries again.
const RETRY_AFTER: &str = "5";

/// The gate for new calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    draining: bool,
    allowance: Allowance,
}

impl Admission {
    pub(crate) fn new() -> Admission {
        Admission::default()
    }

    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    /// Takes one call in, or says why not.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        live: usize,
        limits: &Limits,
    ) -> Result<(), &'static str> {
        if self.draining {
            return Err("this switch is being shut down");
        }
        if live >= limits.calls {
            return Err("the limit of calls at the same time is reached");
        }
        if !self.allowance.take(now, limits.calls_per_second) {
            return Err("the limit of calls a second is reached");
        }
        Ok(())
    }
}

/// What each carrier carries, in both directions.
#[derive(Clone, Debug, Default)]
pub(crate) struct CarrierLoad {
    allowances: BTreeMap<String, Allowance>,
    /// Which carrier each of its calls is on.
    calls: BTreeMap<InviteId, String>,
    counts: BTreeMap<String, u32>,
}

impl CarrierLoad {
    /// Whether this carrier may have one call more; else which limit it is at.
    pub(crate) fn admit(&mut self, now: Instant, carrier: &Carrier) -> Result<(), String> {
        let name = &carrier.name;
        let count = self.counts.get(name).copied().unwrap_or(0);
        if carrier.max_calls.is_some_and(|most| count >= most) {
            return Err(format!("carrier {name} has all the calls that max_calls allows"));
        }
        if let Some(rate) = carrier.max_cps
            && !self.allowances.entry(name.clone()).or_default().take(now, rate)
        {
            return Err(format!("carrier {name} has all the calls a second that max_cps allows"));
        }
        Ok(())
    }

    /// The call of this INVITE is on that carrier.
    pub(crate) fn took(&mut self, id: InviteId, carrier: &Carrier) {
        if self.calls.insert(id, carrier.name.clone()).is_none() {
            *self.counts.entry(carrier.name.clone()).or_default() += 1;
        }
    }

    /// The call of this INVITE is over; said again, nothing changes.
    pub(crate) fn ended(&mut self, id: InviteId) {
        let Some(name) = self.calls.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&name) {
            *count = count.saturating_sub(1);
        }
    }
}

/// 503 with Retry-After, and why.
pub(crate) fn refusal(why: &str) -> Respond {
    let headers = vec![
        ("Retry-After".to_owned(), RETRY_AFTER.to_owned()),
        ("X-Reason".to_owned(), why.to_owned()),
    ];
    Respond { headers, ..Respond::status(503) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[allow(clippy::disallowed_methods)]
    fn epoch() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_second_holds_its_calls_and_the_next_one_too() {
        let limits = Limits { calls_per_second: 3, ..Limits::default() };
        let mut admission = Admission::new();
        let start = epoch();
        let admitted = |admission: &mut Admission, at| {
            (0..10).filter(|_| admission.admit(at, 0, &limits).is_ok()).count()
        };
        assert_eq!(admitted(&mut admission, start), 3);
        assert_eq!(admitted(&mut admission, start + Duration::from_secs(1)), 3);
        assert_eq!(admitted(&mut admission, start + Duration::from_secs(9)), 3);
    }

    #[test]
    fn over_the_limit_of_calls_the_caller_is_told_when_to_try_again() {
        let limits = Limits { calls: 2, ..Limits::default() };
        let why = Admission::new().admit(epoch(), 2, &limits).expect_err("the third call");
        let refused = refusal(why);
        assert_eq!(refused.status, 503);
        assert!(refused.headers.iter().any(|(name, _)| name == "Retry-After"));
    }
}
