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
    /// End of a `pause` of this party. Armed when the verb starts, disarmed when the list is
    /// replaced or the party gone.
    /// `pause.length`.
    Pause(LegId),
    /// Longest wait for the next key of a `gather` of this party. Armed when its prompt has ended,
    /// and by each key; disarmed when the input is complete, the list replaced or the party gone.
    /// `gather.timeout`, 15 s; `gather.interDigitTimeout`, 8 s.
    Gather(LegId),
    /// Longest screening of this callee. Armed when it answers, disarmed when it is accepted,
    /// declined or gone. `[limits] confirm`, 60 s.
    Screening(LegId),
    /// A callee does not ring. Armed when the INVITE of the leg leaves, disarmed by any provisional
    /// response above 100, an answer or a failure. `dial.progressTimeout`, none.
    NoProgress(LegId),
    /// A target has rung for so long. Armed when it is called, disarmed when a callee wins or the
    /// dial is over. `target.timeout`; 20 s for each target of a `hunt`, else none.
    Target(u16),
    /// The target waits to be called. Armed when its group begins, disarmed when the race is over.
    /// `target.delay`, none.
    Delay(u16),
    /// End of a `pause` for the party that this one holds. Armed when the verb starts, disarmed
    /// when the hold ends. `pause.length`.
    Hold(LegId),
    /// The audio of a bridge leaves the switch. Armed when both parties are there and nothing
    /// waits, disarmed when the dial is over. 200 ms.
    MediaPath,
    /// The warning before the time limit. Armed when a callee wins, disarmed when the bridge ends.
    /// `dial.timeLimitWarning.before`, none.
    Warning,
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

    /// Nobody else is called: no target waits, and none is watched.
    pub(crate) fn disarm_targets(&mut self) {
        self.armed.retain(|timer, _| {
            !matches!(timer, Timer::Target(_) | Timer::Delay(_) | Timer::NoProgress(_))
        });
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
