//! What the tests need to talk to a running switch: an application that answers its webhooks,
//! phones made of sipp and RTP sockets, and the process itself.
//!
//! Every test has loopback addresses, ports and a directory of its own, so that all of them run
//! at the same time. Nothing here knows what a test expects.

pub(crate) mod application;
pub(crate) mod audio;
pub(crate) mod baresip;
pub(crate) mod corpus;
pub(crate) mod events;
pub(crate) mod ladder;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod pair;
pub(crate) mod phone;
pub(crate) mod pjsua;
pub(crate) mod program;
pub(crate) mod recording;
pub(crate) mod rest_client;
pub(crate) mod scene;
pub(crate) mod sipp;
pub(crate) mod source;
pub(crate) mod steps;
pub(crate) mod switch;
pub(crate) mod talk;
pub(crate) mod tone;

use std::time::{Duration, Instant};

/// Longest wait for anything that ought to happen at once; a busy machine takes its time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Asks again and again until there is an answer, and fails with `what` when none comes.
pub(crate) fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, look)
}

/// The same with a longest wait of its own.
pub(crate) fn wait_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let until = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what}: not within {patience:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
