//! Whether a new call may come in at all: draining, calls at the same time, calls a second.

use std::time::{Duration, Instant};

use sip::Respond;

use crate::settings::Limits;

/// Seconds a caller is asked to wait before it tries again.
const RETRY_AFTER: &str = "5";

/// The gate for new calls.
#[derive(Debug)]
pub(crate) struct Admission {
    draining: bool,
    /// Calls that may come in now: refilled at `calls_per_second`, never above one second's worth.
    allowance: f64,
    refilled: Option<Instant>,
}

impl Admission {
    pub(crate) fn new() -> Admission {
        Admission { draining: false, allowance: 0.0, refilled: None }
    }

    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    /// Takes one call in, or says with which response it is refused.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        live: usize,
        limits: &Limits,
    ) -> Result<(), Respond> {
        if self.draining {
            return Err(refusal("this switch is being shut down"));
        }
        if live >= limits.calls {
            return Err(refusal("the limit of calls at the same time is reached"));
        }
        let rate = f64::from(limits.calls_per_second);
        let since = self.refilled.map_or(Duration::from_secs(1), |at| now.duration_since(at));
        self.refilled = Some(now);
        self.allowance = (self.allowance + since.as_secs_f64() * rate).min(rate);
        if self.allowance < 1.0 {
            return Err(refusal("the limit of calls a second is reached"));
        }
        self.allowance -= 1.0;
        Ok(())
    }
}

fn refusal(why: &str) -> Respond {
    let headers = vec![
        ("Retry-After".to_owned(), RETRY_AFTER.to_owned()),
        ("X-Reason".to_owned(), why.to_owned()),
    ];
    Respond { headers, ..Respond::status(503) }
}

#[cfg(test)]
mod tests {
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
        let refused = Admission::new().admit(epoch(), 2, &limits).expect_err("the third call");
        assert_eq!(refused.status, 503);
        assert!(refused.headers.iter().any(|(name, _)| name == "Retry-After"));
    }
}
