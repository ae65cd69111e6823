//! What a peer in another process tells, read by a thread and kept in order.

use std::cell::RefCell;
use std::sync::mpsc::{self, Receiver};

use serde_json::Value;

/// See the module.
#[derive(Debug)]
pub(crate) struct Events {
    incoming: Receiver<Value>,
    kept: RefCell<Vec<Value>>,
}

impl Events {
    /// Reads by `next` until it gives none.
    pub(crate) fn read(mut next: impl FnMut() -> Option<Value> + Send + 'static) -> Events {
        let (sender, incoming) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(event) = next() {
                // why: the test has ended, and its peer with it.
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Events { incoming, kept: RefCell::default() }
    }

    /// Everything so far.
    pub(crate) fn all(&self) -> Vec<Value> {
        let mut kept = self.kept.borrow_mut();
        kept.extend(self.incoming.try_iter());
        kept.clone()
    }

    /// Everything so far in which this member is `kind`.
    pub(crate) fn of(&self, member: &str, kind: &str) -> Vec<Value> {
        let mut events = self.all();
        events.retain(|event| event[member] == kind);
        events
    }

    /// A line for each.
    pub(crate) fn story(&self) -> String {
        let lines: Vec<String> = self.all().iter().map(Value::to_string).collect();
        lines.join("\n")
    }
}
