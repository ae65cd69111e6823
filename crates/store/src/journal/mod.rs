//! The journal: what calls leave behind, written off their path.
//!
//! [`Journal::record`] puts an entry into a bounded queue and returns. One task takes what has
//! gathered and writes it in one transaction, tries again for as long as the database fails, and
//! says through [`Journal::health`] what is wrong and what to do. An entry leaves the queue when
//! it is on the disk. A call never waits for any of this.

mod queue;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

pub use queue::{Full, QUEUE_MAX, RESERVED};
pub use write::IN_MEMORY_MAX;

use crate::error::{ErrorKind, StoreError};
use crate::open::Store;
use crate::open_call::OpenCall;
use crate::recent::{AlertRecord, RecentCall};
use crate::registration::Registration;
use crate::timestamp::Timestamp;
use queue::{Numbered, Queue};

/// Entries of one transaction.
pub const BATCH_MAX: usize = 512;
/// How long the first entry of a batch waits for others. What a crash of the process can lose.
pub const GATHER: Duration = Duration::from_millis(50);
/// Wait after the first failed write; each further one doubles it.
pub const RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest wait between two attempts.
pub const RETRY_MAX: Duration = Duration::from_secs(5);
/// A write that takes longer is called a failure of the disk, though it may still end well.
pub const WRITE_MAX: Duration = Duration::from_secs(10);

/// One thing to write. Entries of one call are written in the order in which they were recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A call has begun, or something about it has changed: all of it as it is now.
    CallOpened(Box<OpenCall>),
    /// A call is up at that moment. Of these, the oldest go first when the queue is full.
    CallAlive {
        /// The call.
        call_sid: String,
        /// The moment.
        at: Timestamp,
    },
    /// A call is over: its record, in the place of the open call.
    CallClosed(Box<RecentCall>),
    /// Something to tell the operator.
    Alert(Box<AlertRecord>),
    /// What an address of record is bound to now, in the place of all that it was bound to;
    /// nothing where it has unregistered.
    Bound {
        /// `user@realm`.
        aor: String,
        /// Its bindings.
        bindings: Vec<Registration>,
    },
}

/// How the journal does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What is wrong and what to do about it; `None` while all is well.
    pub degraded: Option<String>,
    /// Entries that are not on the disk yet.
    pub waiting: usize,
    /// Entries that were not written and never will be, since the start: there was no room, or
    /// the database refused that one for itself.
    pub lost: u64,
}

/// The way in. A cheap copy; with the last one the task writes what is left, once, and ends.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    /// Closed when the last copy is dropped.
    _open: mpsc::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    /// why a lock: any task may record, and room must be found at once, without waiting. It is
    /// held for a few instructions and never across a write.
    state: Mutex<State>,
    /// There is something to write.
    more: Notify,
    /// Somebody waits for the end: do not sleep.
    hurry: Notify,
    /// Nothing waits.
    idle: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// Entries taken out of the queue that are not on the disk yet.
    writing: usize,
    /// Since when a write has been under way.
    since: Option<Instant>,
    /// Why the last write failed.
    failure: Option<StoreError>,
    lost: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.queue.len() + self.writing
    }
}

impl Journal {
    /// Starts the task that writes to `store`, on the runtime of tokio it is called in.
    pub fn start(store: Store) -> Journal {
        let state = State { queue: Queue::new(), writing: 0, since: None, failure: None, lost: 0 };
        let (open, closed) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            more: Notify::new(),
            hurry: Notify::new(),
            idle: Notify::new(),
        });
        let writer = Writer { store, run: Uuid::new_v4(), shared: Arc::clone(&shared), closed };
        tokio::spawn(writer.run());
        Journal { shared, _open: open }
    }

    /// Takes an entry to be written soon. Never waits.
    ///
    /// # Errors
    /// The queue is full of entries that matter as much, and this one is lost.
    pub fn record(&self, entry: Entry) -> Result<(), Full> {
        let mut state = self.shared.state();
        // What is being written still takes its room: it may have to be written again.
        let writing = state.writing;
        let pushed = state.queue.push(entry, writing);
        state.lost += u64::from(pushed.is_err());
        drop(state);
        self.shared.more.notify_one();
        pushed
    }

    /// How it does now.
    pub fn health(&self) -> Health {
        let state = self.shared.state();
        let waiting = state.waiting();
        let degraded = match (&state.failure, state.since) {
            (Some(failure), _) => Some(format!("{failure}; {waiting} entries wait")),
            (None, Some(since)) if since.elapsed() > WRITE_MAX => {
                let seconds = since.elapsed().as_secs();
                let remedy = ErrorKind::Disk.remedy();
                Some(format!("store: one write has taken {seconds} s so far; remedy: {remedy}"))
            }
            _ if waiting >= QUEUE_MAX => {
                let remedy = "a faster disk, or fewer calls a second";
                Some(format!("store: {waiting} entries wait, all there is room for; {remedy}"))
            }
            _ => None,
        };
        Health { degraded, waiting, lost: state.lost }
    }

    /// Waits until everything recorded so far is on the disk, at most for `limit`; says whether
    /// it is. A failing database is tried again every [`RETRY_MIN`] meanwhile.
    pub async fn drain(&self, limit: Duration) -> bool {
        let drained = async {
            loop {
                let idle = self.shared.idle.notified();
                tokio::pin!(idle);
                idle.as_mut().enable();
                if self.shared.state().waiting() == 0 {
                    return;
                }
                self.shared.hurry.notify_one();
                let _ = timeout(RETRY_MIN, idle).await;
            }
        };
        timeout(limit, drained).await.is_ok()
    }
}

/// The task behind the queue.
struct Writer {
    store: Store,
    run: Uuid,
    shared: Arc<Shared>,
    closed: mpsc::Receiver<()>,
}

impl Writer {
    async fn run(mut self) {
        loop {
            let batch = {
                let mut state = self.shared.state();
                let batch = state.queue.take(BATCH_MAX);
                state.writing = batch.len();
                batch
            };
            if !batch.is_empty() {
                if !self.write(&batch).await {
                    return;
                }
                continue;
            }
            self.shared.idle.notify_waiters();
            tokio::select! {
                () = self.shared.more.notified() => {}
                _ = self.closed.recv() => if self.shared.state().queue.len() == 0 { return },
            }
            tokio::select! {
                () = sleep(GATHER) => {}
                () = self.shared.hurry.notified() => {}
                _ = self.closed.recv() => {}
            }
        }
    }

    /// Writes the batch, however long it takes; false when nobody is left who waits for it.
    async fn write(&mut self, batch: &[Numbered]) -> bool {
        let mut rest = batch;
        let mut step = rest.len();
        let mut pause = RETRY_MIN;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(step.min(rest.len()));
            self.shared.state().since = Some(Instant::now());
            let written = self.store.write(self.run, now).await;
            self.shared.state().since = None;
            match written {
                Ok(()) => {
                    self.settle(now.len(), false);
                    (rest, pause) = (later, RETRY_MIN);
                }
                // why: one bad entry must not keep the others from the disk, so that each is
                // tried alone.
                Err(error) if is_fault_of_entry(&error) && step > 1 => step = 1,
                Err(error) if is_fault_of_entry(&error) => {
                    tracing::error!(%error, "an entry of the journal is lost");
                    self.settle(now.len(), true);
                    rest = later;
                }
                Err(error) => {
                    if !self.wait(error, pause, rest.len()).await {
                        return false;
                    }
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        }
        true
    }

    /// So many entries of the batch are done with.
    fn settle(&self, entries: usize, lost: bool) {
        let mut state = self.shared.state();
        state.writing -= entries;
        state.lost += if lost { entries as u64 } else { 0 };
        if state.failure.take().is_some() {
            tracing::info!(waiting = state.waiting(), "the store takes entries again");
        }
    }

    /// Waits before the next attempt; false when nobody is left who waits for it.
    async fn wait(&mut self, error: StoreError, pause: Duration, entries: usize) -> bool {
        if self.closed.is_closed() {
            let lost = entries + self.shared.state().queue.len();
            tracing::error!(%error, lost, "the journal ends with entries that are not written");
            return false;
        }
        let failure = Some(error);
        let is_new = {
            let mut state = self.shared.state();
            let is_new = state.failure != failure;
            state.failure.clone_from(&failure);
            is_new
        };
        if let (Some(error), true) = (failure, is_new) {
            tracing::error!(%error, "the store does not take entries; calls go on");
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = self.shared.hurry.notified() => {}
            _ = self.closed.recv() => {}
        }
        true
    }
}

/// The same entry would fail on a healthy database.
fn is_fault_of_entry(error: &StoreError) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Taken | ErrorKind::Missing)
}

#[cfg(test)]
mod tests;
