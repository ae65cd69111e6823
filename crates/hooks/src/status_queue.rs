//! Status events, delivered in order for each call and never waited for.
//!
//! Each call with events has one bounded queue and one task that posts them one after another.
//! The answer of a status hook is ignored; a failure is logged and the next event goes out all
//! the same. Calls do not wait for each other: a slow application delays its own events only.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::client::Client;
use crate::request::Request;

/// Events of one call that may wait. A call of a simultaneous ring to ten targets makes about
/// fifty; with a hook that takes its full ten seconds, older events are of no use to anybody.
pub const EVENTS_PER_CALL_MAX: usize = 128;

/// An event that was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "status event dropped: {EVENTS_PER_CALL_MAX} events of this call wait already; \
     expected a status hook that answers; check its URL and its speed"
)]
pub struct Full;

/// The queues of all calls.
#[derive(Debug)]
pub struct StatusQueue {
    client: Client,
    /// why a lock: calls post from their own tasks. It is held for one map operation and never
    /// across an await.
    calls: Mutex<BTreeMap<u64, mpsc::Sender<Request>>>,
    tasks: TaskTracker,
}

impl StatusQueue {
    /// No queue yet.
    pub fn new(client: Client) -> StatusQueue {
        StatusQueue { client, calls: Mutex::default(), tasks: TaskTracker::new() }
    }

    /// Puts an event behind those of the same `call`. Returns at once. Must run on a tokio
    /// runtime; an event after [`StatusQueue::finish`] opens the call anew.
    ///
    /// # Errors
    /// [`EVENTS_PER_CALL_MAX`] events wait already; this one is dropped.
    pub fn post(&self, call: u64, request: Request) -> Result<(), Full> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = calls.entry(call).or_insert_with(|| {
            let (queue, events) = mpsc::channel(EVENTS_PER_CALL_MAX);
            self.tasks.spawn(deliver(self.client.clone(), call, events));
            queue
        });
        queue.try_send(request).map_err(|_| Full)
    }

    /// No more events of `call` will come. Those that wait are still delivered.
    pub fn finish(&self, call: u64) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
    }

    /// Finishes every call and waits until all events are delivered, at most `timeout`. True if
    /// they were.
    pub async fn drain(&self, timeout: Duration) -> bool {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.tasks.close();
        tokio::time::timeout(timeout, self.tasks.wait()).await.is_ok()
    }

    /// Calls whose events are not all delivered, and calls that are not finished.
    pub fn open_calls(&self) -> usize {
        self.tasks.len()
    }
}

async fn deliver(client: Client, call: u64, mut events: mpsc::Receiver<Request>) {
    while let Some(request) = events.recv().await {
        if let Err(error) = client.ask(&request).await {
            tracing::warn!(call, alert = error.alert_type(), "status event lost: {error}");
        }
    }
}
