//! The calls that REST lists: those that are up, and those that ended within the hour.
//!
//! In: each change of a leg, as its status event told it. Out: the same as flat objects. Bounded:
//! of the ended ones the oldest go first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::LegRecord;
use serde_json::{Map, Value};

/// How long an ended leg is listed.
const LISTED_FOR: Duration = Duration::from_secs(3600);

/// Ended legs that are listed at most; about a kilobyte each.
const ENDED_MAX: usize = 20_000;

/// See the module.
#[derive(Debug)]
pub(super) struct CallList {
    service_provider_sid: String,
    /// By `call_sid`, the last status event of each. As text, because that takes less room than
    /// its parts and is there already, and is taken apart only for whoever asks.
    legs: BTreeMap<String, Arc<str>>,
    /// Ended legs, the oldest first.
    ended: VecDeque<(Instant, String)>,
}

impl CallList {
    /// An empty one.
    pub(super) fn new(service_provider_sid: String) -> CallList {
        CallList { service_provider_sid, legs: BTreeMap::new(), ended: VecDeque::new() }
    }

    /// A leg began, changed or ended; `event` is its status event as JSON text.
    pub(super) fn take(&mut self, now: Instant, record: &LegRecord, event: &str) {
        self.legs.insert(record.call_sid.clone(), event.into());
        if record.ended_at.is_some() {
            self.ended.push_back((now, record.call_sid.clone()));
        }
        self.forget(now);
    }

    /// All of them as they are now.
    pub(super) fn listed(&mut self, now: Instant) -> Listed {
        self.forget(now);
        let service_provider_sid = self.service_provider_sid.clone();
        Listed { service_provider_sid, events: self.legs.values().cloned().collect() }
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, call_sid)) = self.ended.front() {
            let old = now.saturating_duration_since(*at) >= LISTED_FOR;
            if !old && self.ended.len() <= ENDED_MAX {
                return;
            }
            self.legs.remove(call_sid);
            self.ended.pop_front();
        }
    }
}

/// What a program is given: made of the list at one moment, worked out by whoever asked, so that
/// the loop that calls need does not do it.
#[derive(Debug)]
pub(super) struct Listed {
    service_provider_sid: String,
    events: Vec<Arc<str>>,
}

impl Listed {
    /// The legs as flat objects, by `call_sid`: a program gets scalars here, what is nested it was
    /// told by hooks.
    pub(super) fn flat(self) -> Vec<Value> {
        let flat = |event: &Arc<str>| -> Option<Value> {
            let mut leg: Map<String, Value> = serde_json::from_str(event).ok()?;
            leg.retain(|_, value| !value.is_null() && !value.is_object());
            leg.insert("service_provider_sid".to_owned(), self.service_provider_sid.clone().into());
            Some(Value::Object(leg))
        };
        self.events.iter().filter_map(flat).collect()
    }
}
