//! What outlives the process: records of calls, the journal of open ones, alerts.
//!
//! Off the call's path: everything goes into the journal's queue, and what the database does with
//! it is seen on /healthz alone.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use call::{Alert, LegRecord, Settings};
use hooks::{Request, StatusQueue};
use serde_json::{Value, json};
use sip::SavedBinding;
use store::{AlertRecord, Entry, Journal, OpenCall, RecentCall, Store, Timestamp};
use verbs::callback::Direction;

use super::registrations;

/// How often the journal hears that the open calls are up: the duration of a call that the process
/// did not survive is short by this at most.
pub(super) const ALIVE_EVERY: Duration = Duration::from_secs(10);

/// Turns what calls say into entries of the journal.
pub(super) struct Keeper {
    journal: Journal,
    /// The same moment on both clocks.
    started: (Instant, SystemTime),
    open: BTreeSet<String>,
    next_alive: Instant,
    account_sid: String,
    service_provider_sid: String,
}

impl Keeper {
    pub(super) fn new(journal: Journal, settings: &Settings) -> Keeper {
        let now = Instant::now();
        Keeper {
            journal,
            started: (now, SystemTime::now()),
            open: BTreeSet::new(),
            next_alive: now + ALIVE_EVERY,
            account_sid: settings.account_sid.clone(),
            service_provider_sid: settings.service_provider_sid.clone(),
        }
    }

    /// This leg was told of already, and is not over.
    pub(super) fn knows(&self, call_sid: &str) -> bool {
        self.open.contains(call_sid)
    }

    /// A leg changed, or is over; `event` is its status event as JSON text.
    pub(super) fn record(&mut self, record: LegRecord, event: String) {
        let entry = if record.ended_at.is_some() {
            self.open.remove(&record.call_sid);
            Entry::CallClosed(Box::new(self.closed(record)))
        } else {
            self.open.insert(record.call_sid.clone());
            Entry::CallOpened(Box::new(self.opened(record, event)))
        };
        self.write(entry);
    }

    pub(super) fn alert(&self, alert: &Alert) {
        self.write(Entry::Alert(Box::new(AlertRecord {
            time: Timestamp::now(),
            account_sid: self.account_sid.clone(),
            service_provider_sid: self.service_provider_sid.clone(),
            alert_type: alert.alert_type.to_owned(),
            message: alert.message.clone(),
            detail: None,
            target_sid: Some(alert.call_sid.clone()),
            url: None,
            status: None,
            vendor: None,
            label: None,
            count: None,
        })));
    }

    /// A user is reachable elsewhere than before.
    pub(super) fn bound(&self, aor: String, bindings: Vec<SavedBinding>) {
        let now = Timestamp::now();
        let rows = bindings.into_iter().map(|binding| registrations::row(&aor, binding, now));
        let bindings = rows.collect();
        self.write(Entry::Bound { aor, bindings });
    }

    /// When [`Keeper::alive`] is due.
    pub(super) fn deadline(&self) -> Instant {
        self.next_alive
    }

    /// Says of each open call that it is up, when that is due.
    pub(super) fn alive(&mut self, now: Instant) {
        if now < self.next_alive {
            return;
        }
        self.next_alive = now + ALIVE_EVERY;
        let at = Timestamp::now();
        for call_sid in &self.open {
            self.write(Entry::CallAlive { call_sid: call_sid.clone(), at });
        }
    }

    /// Writes what is still waiting.
    pub(super) async fn end(self, limit: Duration) {
        if !self.journal.drain(limit).await {
            tracing::error!("call records were still waiting for the database; they are lost");
        }
    }

    fn write(&self, entry: Entry) {
        if self.journal.record(entry).is_err() {
            tracing::error!("the journal is full; an entry is lost");
        }
    }

    /// The moment on the clock of the wall.
    pub(super) fn at(&self, instant: Instant) -> Timestamp {
        let (start, wall) = self.started;
        Timestamp::from(wall + instant.saturating_duration_since(start))
    }

    fn opened(&self, record: LegRecord, event: String) -> OpenCall {
        let now = Timestamp::now();
        OpenCall {
            attempted_at: record.attempted_at.map_or(now, |at| self.at(at)),
            answered_at: record.answered_at.map(|at| self.at(at)),
            at: now,
            last_event: Some(event),
            call_status_hook: record.call_status_hook.as_ref().map(store::Hook::from),
            base_hook: record.base_hook.as_ref().map(store::Hook::from),
            direction: direction(record.direction),
            trunk: Some(record.trunk),
            call_sid: record.call_sid,
            parent_call_sid: record.parent_call_sid,
            account_sid: record.account_sid,
            service_provider_sid: record.service_provider_sid,
            application_sid: record.application_sid,
            from: record.from,
            to: record.to,
            sip_callid: record.sip_callid,
            sip_parent_callid: record.sip_parent_callid,
            host: record.host,
            remote_host: record.remote_host,
            trace_id: record.trace_id,
        }
    }

    fn closed(&self, record: LegRecord) -> RecentCall {
        let now = Timestamp::now();
        let terminated_at = record.ended_at.map_or(now, |at| self.at(at));
        let answered_at = record.answered_at.map(|at| self.at(at));
        let duration = answered_at.map_or(0, |answered| terminated_at.since(answered).as_secs());
        RecentCall {
            answered: answered_at.is_some(),
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            attempted_at: record.attempted_at.map_or(now, |at| self.at(at)),
            answered_at,
            terminated_at,
            termination_reason: record.termination_reason.to_owned(),
            sip_status: record.sip_status,
            direction: direction(record.direction),
            trunk: Some(record.trunk),
            call_sid: record.call_sid,
            account_sid: record.account_sid,
            service_provider_sid: record.service_provider_sid,
            application_sid: record.application_sid,
            from: record.from,
            to: record.to,
            sip_callid: record.sip_callid,
            sip_parent_callid: record.sip_parent_callid,
            host: record.host,
            remote_host: record.remote_host,
            trace_id: record.trace_id,
            recording_url: None,
        }
    }
}

fn direction(of: Direction) -> store::Direction {
    match of {
        Direction::Inbound => store::Direction::Inbound,
        Direction::Outbound => store::Direction::Outbound,
    }
}

/// Calls that an earlier process did not survive: each gets its record, and whoever was told of it
/// is told that it failed.
pub(super) async fn recover(store: &Store, status_queue: &StatusQueue) -> Result<(), String> {
    let calls = store.recover(Timestamp::now()).await.map_err(|error| error.to_string())?;
    if !calls.is_empty() {
        tracing::warn!(calls = calls.len(), "calls of an earlier run were closed");
    }
    for (index, call) in calls.iter().enumerate() {
        // why: live calls are numbered from 1 up; these are numbered from the top down.
        let key = u64::MAX - index as u64;
        if let Some(request) = last_word(call)
            && status_queue.post(key, request).is_err()
        {
            tracing::warn!(call_sid = call.call_sid, "its last status event was dropped");
        }
        status_queue.finish(key);
    }
    Ok(())
}

/// The final status event of a call that the process did not survive.
fn last_word(call: &OpenCall) -> Option<Request> {
    let hook = verbs::Hook::from(call.call_status_hook.as_ref()?);
    let base = call.base_hook.as_ref().map(verbs::Hook::from);
    let mut event: Value = serde_json::from_str(call.last_event.as_deref()?).ok()?;
    event["call_status"] = json!("failed");
    event["sip_status"] = json!(500);
    event["sip_reason"] = json!("Restart");
    event["call_termination_by"] = json!("jambonz");
    let prepared = Request::named_by_application(&hook, base.as_ref(), event.to_string()).ok()?;
    Some(Request { trusted: true, ..prepared })
}
