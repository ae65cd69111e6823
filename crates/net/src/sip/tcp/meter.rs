//! Counters that a connection's task and the owner of the table both read: bytes held for all
//! connections, bytes and last use of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Bytes held for all connections together, in one direction.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    held: Arc<AtomicUsize>,
    max: usize,
}

impl Budget {
    pub(super) fn new(max: usize) -> Budget {
        Budget { held: Arc::default(), max }
    }

    /// Takes so many bytes, whether there are that many or not; whether there were.
    pub(super) fn overdraw(&self, bytes: usize) -> bool {
        self.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.max
    }

    /// Takes so many bytes, if there are that many.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let fits = self.overdraw(bytes);
        if !fits {
            self.give(bytes);
        }
        fits
    }

    pub(super) fn give(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

/// What the table knows of a connection without asking its task.
#[derive(Debug)]
pub(super) struct Gauge {
    start: Instant,
    /// What waits to be written, as it counts.
    unsent: AtomicUsize,
    /// Milliseconds from `start`.
    used: AtomicU64,
}

impl Gauge {
    pub(super) fn new() -> Gauge {
        Gauge { start: Instant::now(), unsent: AtomicUsize::new(0), used: AtomicU64::new(0) }
    }

    /// So much more waits; how much that makes.
    pub(super) fn wait(&self, bytes: usize) -> usize {
        self.unsent.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// So much no longer waits; what of it had not been let go before.
    pub(super) fn done(&self, bytes: usize) -> usize {
        let less = |unsent: usize| Some(unsent.saturating_sub(bytes));
        let before = self.unsent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        before.unwrap_or_default().min(bytes)
    }

    /// Nothing waits any more; what did.
    pub(super) fn let_go(&self) -> usize {
        self.unsent.swap(0, Ordering::Relaxed)
    }

    pub(super) fn unsent(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Something whole was read or written.
    pub(super) fn touch(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used.store(millis, Ordering::Relaxed);
    }

    pub(super) fn last_used(&self) -> Instant {
        self.start + Duration::from_millis(self.used.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_no_more_than_it_has() {
        let budget = Budget::new(10);
        assert!(budget.take(4) && budget.clone().take(6));
        assert!(!budget.take(1));
        budget.give(6);
        assert!(!budget.take(usize::MAX));
        assert!(budget.take(6));
        assert_eq!(budget.held(), 10);
    }
}
