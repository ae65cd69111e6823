//! The media threads: starting them, reaching them, ending them.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, available_parallelism};

use tokio::sync::mpsc;

use super::command::{EVENTS_MAX, EventReceiver, Reports};
use super::counters::{Counters, Totals};
use super::lane::{Handle, lane};
use super::packet_io::Sockets;
use super::worker::{Config, Worker};

/// The running threads. Dropping it ends them and closes every call's media.
#[derive(Debug)]
pub struct Workers {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
    counters: Vec<Arc<Counters>>,
}

impl Workers {
    /// As many threads as the machine has cores, but for one that signalling keeps.
    pub fn default_count() -> usize {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        cores.saturating_sub(1).max(1)
    }

    /// Starts `count` threads, at least one.
    ///
    /// # Errors
    /// The system's: no thread or no descriptor to be had.
    pub fn start(count: usize, config: Config) -> io::Result<(Workers, EventReceiver)> {
        let (sender, receiver) = mpsc::channel(EVENTS_MAX);
        let lanes: Vec<_> = (0..count.max(1)).map(|_| lane()).collect::<io::Result<_>>()?;
        let (lanes, inlets): (Vec<_>, Vec<_>) = lanes.into_iter().unzip();
        let handle = Handle::new(lanes);
        let mut workers = Vec::new();
        let mut counters = Vec::new();
        for inlet in inlets {
            let counted = Arc::new(Counters::default());
            let reports = Reports::new(sender.clone());
            let sockets = Sockets::new()?;
            let queues = (handle.clone(), inlet);
            workers.push(Worker::new(config, queues, reports, Arc::clone(&counted), sockets)?);
            counters.push(counted);
        }
        let mut started = Workers { handle, threads: Vec::new(), counters };
        for (number, worker) in workers.into_iter().enumerate() {
            let thread = Builder::new().name(format!("media-{number}"));
            // why: if this fails, dropping `started` ends those that run already.
            started.threads.push(thread.spawn(|| worker.run())?);
        }
        Ok((started, receiver))
    }

    /// The way to send commands.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// What each thread has carried so far.
    pub fn totals(&self) -> Vec<Totals> {
        self.counters.iter().map(|counters| counters.totals()).collect()
    }

    /// Ends the threads, closing every call's media, and waits for them.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.handle.stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media thread had panicked");
            }
        }
    }
}
