//! How a gateway ends: no new calls, live ones end by themselves up to a limit, then all of them
//! at once.

use std::time::{Duration, Instant};

use call::Switch;

/// After everything was ended by BYE, so long for the answers: longer than the retransmissions of
/// a peer that is gone need to tell, RFC 3261 §17.1.2.2 (64 T1), would keep the operator waiting.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a running gateway can be told.
#[derive(Clone, Copy, Debug)]
pub enum Control {
    /// Drain; told again, end every call at once.
    End,
}

/// How far the end is.
#[derive(Debug, Default)]
pub(super) enum Drain {
    /// Not begun.
    #[default]
    No,
    /// Live calls end by themselves until then.
    Waiting(Instant),
    /// Every call was ended; what is left of them may finish until then.
    Ending(Instant),
}

impl Drain {
    pub(super) fn begin_or_hurry(&mut self, now: Instant, limit: Duration, switch: &mut Switch) {
        *self = match self {
            Drain::No => {
                switch.drain();
                Drain::Waiting(now + limit)
            }
            Drain::Waiting(_) | Drain::Ending(_) => {
                switch.end_all(now);
                Drain::Ending(now + FAREWELL)
            }
        };
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Drain::No => None,
            Drain::Waiting(at) | Drain::Ending(at) => Some(*at),
        }
    }

    /// The process may end. At the limit of the wait every call is ended first.
    pub(super) fn is_done(&mut self, now: Instant, switch: &Switch) -> bool {
        match self {
            Drain::No => false,
            Drain::Waiting(_) => switch.is_quiet(),
            Drain::Ending(at) => switch.is_quiet() || now >= *at,
        }
    }

    /// The limit of the wait has come.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        matches!(self, Drain::Waiting(at) if now >= *at)
    }
}
