//! The timers of a call, all of them.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::leg::LegId;

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Ring timeout of the running dial. Armed when the dial starts, disarmed when a callee wins
    /// or nobody is left; one callee's answer or refusal never stops it. `dial.timeout`, 60 s.
    Ring,
    /// Longest bridged time of the running dial. Armed when a callee wins, disarmed when the
    /// bridge ends. `dial.timeLimit`, none.
    TimeLimit,
    /// Longest time of a call that we placed. Armed when it is answered, disarmed when it is over.
    /// `timeLimit` of the request, none.
    CallLimit,
    /// A carrier's gateway makes no progress. Armed when the INVITE of the leg leaves and another
    /// gateway is left to try, disarmed by any provisional response above 100, an answer or a
    /// failure. `[limits] gateway_progress`, 5 s.
    Progress(LegId),
    /// End of a `pause`. Armed when the verb starts, disarmed when the list is replaced or the call
    /// over.
    /// `pause.length`.
    Pause,
}

/// The armed timers of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    armed: BTreeMap<Timer, Instant>,
}

impl Timers {
    pub(crate) fn arm(&mut self, timer: Timer, at: Instant) {
        self.armed.insert(timer, at);
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.armed.remove(&timer);
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// When the earliest fires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.armed.values().min().copied()
    }

    /// Takes one timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = self.armed.iter().filter(|(_, at)| **at <= now).min_by_key(|(_, at)| **at);
        let timer = due.map(|(timer, _)| *timer)?;
        self.armed.remove(&timer);
        Some(timer)
    }
}
