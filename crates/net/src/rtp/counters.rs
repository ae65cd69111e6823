//! What a media thread has carried, for metrics.
//!
//! Each thread writes its own counters, once for each batch; anybody reads them at any time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Sums over a thread's life, or over several threads'.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Datagrams received.
    pub received: u64,
    /// Their bytes, without UDP and IP headers.
    pub received_bytes: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Their bytes, without UDP and IP headers.
    pub sent_bytes: u64,
    /// Datagrams that the kernel would not send.
    pub refused: u64,
    /// Events of the kernel about sockets with something to read, or of another thread.
    pub wakeups: u64,
}

/// The counters of one thread, alone on their cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counters {
    received: AtomicU64,
    received_bytes: AtomicU64,
    sent: AtomicU64,
    sent_bytes: AtomicU64,
    refused: AtomicU64,
    wakeups: AtomicU64,
}

impl Counters {
    /// Adds `tally` and sets it to zero. For the one thread that owns these counters.
    pub(crate) fn add(&self, tally: &mut Totals) {
        // why: with one writer a load and a store do, and cost less than a locked addition.
        let add = |counter: &AtomicU64, more: u64| {
            counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
        };
        let tally = std::mem::take(tally);
        add(&self.received, tally.received);
        add(&self.received_bytes, tally.received_bytes);
        add(&self.sent, tally.sent);
        add(&self.sent_bytes, tally.sent_bytes);
        add(&self.refused, tally.refused);
        add(&self.wakeups, tally.wakeups);
    }

    /// What was counted so far.
    pub(crate) fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            received: read(&self.received),
            received_bytes: read(&self.received_bytes),
            sent: read(&self.sent),
            sent_bytes: read(&self.sent_bytes),
            refused: read(&self.refused),
            wakeups: read(&self.wakeups),
        }
    }
}

impl std::ops::Add for Totals {
    type Output = Totals;

    fn add(self, more: Totals) -> Totals {
        Totals {
            received: self.received + more.received,
            received_bytes: self.received_bytes + more.received_bytes,
            sent: self.sent + more.sent,
            sent_bytes: self.sent_bytes + more.sent_bytes,
            refused: self.refused + more.refused,
            wakeups: self.wakeups + more.wakeups,
        }
    }
}
