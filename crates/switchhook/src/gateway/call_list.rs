//! The calls that REST lists: those that are up, and those that ended within the hour.
//!
//! In: each change of a leg, as its status event told it. Out: the same as flat objects. Bounded:
//! of the ended ones the oldest go first.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use call::LegRecord;
use serde_json::{Map, Value};

/// How long an ended leg is listed.
const LISTED_FOR: Duration = Duration::from_secs(3600);

/// Ended legs that are listed at most.
const ENDED_MAX: usize = 20_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct CallList {
    legs: BTreeMap<String, Map<String, Value>>,
    /// Ended legs, the oldest first.
    ended: VecDeque<(Instant, String)>,
}

impl CallList {
    /// A leg began, changed or ended.
    pub(super) fn take(&mut self, now: Instant, record: &LegRecord) {
        let fields = record.event.as_object().into_iter().flatten();
        // why: a program gets scalars here; what is nested it was told by hooks.
        let flat = fields.filter(|(_, value)| !value.is_null() && !value.is_object());
        let mut leg: Map<String, Value> =
            flat.map(|(name, value)| (name.clone(), value.clone())).collect();
        leg.insert("service_provider_sid".to_owned(), record.service_provider_sid.clone().into());
        self.legs.insert(record.call_sid.clone(), leg);
        if record.ended_at.is_some() {
            self.ended.push_back((now, record.call_sid.clone()));
        }
        self.forget(now);
    }

    /// All of them, by `call_sid`.
    pub(super) fn list(&mut self, now: Instant) -> Vec<Value> {
        self.forget(now);
        self.legs.values().cloned().map(Value::Object).collect()
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
