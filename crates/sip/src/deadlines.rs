//! Every timer that runs, in the order in which they run out.
//!
//! The next deadline is the first element; arming and disarming cost a logarithm.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use crate::{
    endpoint::InviteId,
    invite,
    transaction::{key::ClientKey, table::ServerId, timer},
};

/// Whose timer it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Client(ClientKey, timer::Timer),
    Server(ServerId, timer::Timer),
    Invite(InviteId, invite::timer::Timer),
}

/// The timers that run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    queue: BTreeSet<(Instant, Due)>,
    armed: BTreeMap<Due, Instant>,
}

impl Deadlines {
    /// Starts a timer, in place of one of the same name.
    pub(crate) fn arm(&mut self, due: Due, at: Instant) {
        if let Some(before) = self.armed.insert(due, at) {
            self.queue.remove(&(before, due));
        }
        self.queue.insert((at, due));
    }

    pub(crate) fn disarm(&mut self, due: Due) {
        if let Some(at) = self.armed.remove(&due) {
            self.queue.remove(&(at, due));
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes out the first timer that has run out by `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        let (at, due) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.armed.remove(&due);
        Some(due)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use invite::timer::Timer::{AckWait, GiveUp, Refresh, Success};

    #[allow(clippy::disallowed_methods)] // An origin for virtual time; nothing waits for it.
    fn epoch() -> Instant {
        Instant::now()
    }

    #[test]
    fn timers_run_out_in_order_and_only_once() {
        let (start, id) = (epoch(), InviteId(1));
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::default();
        deadlines.arm(Due::Invite(id, Success), at(3));
        deadlines.arm(Due::Invite(id, AckWait), at(2));
        deadlines.arm(Due::Invite(id, Success), at(1));
        deadlines.arm(Due::Invite(id, GiveUp), at(9));
        deadlines.arm(Due::Invite(id, Refresh), at(1));
        deadlines.disarm(Due::Invite(id, Refresh));
        assert_eq!(deadlines.next(), Some(at(1)));
        assert_eq!(deadlines.pop(at(0)), None);
        assert_eq!(deadlines.pop(at(3)), Some(Due::Invite(id, Success)));
        assert_eq!(deadlines.pop(at(3)), Some(Due::Invite(id, AckWait)));
        assert_eq!(deadlines.pop(at(3)), None);
        assert!(!deadlines.is_empty());
        deadlines.disarm(Due::Invite(id, GiveUp));
        assert!(deadlines.is_empty());
    }
}
