//! What the HTTP side asks of the gateway: counters at once, the rest through its loop.

use std::sync::atomic::Ordering;

use api::{Awaited, Created, Health as _, Refusal, Registered};
use serde_json::Value;
use verbs::Fault;
use verbs::rest::{CreateCall, Update};

use super::State;

impl api::Health for State {
    fn live_calls(&self) -> usize {
        self.live_calls.load(Ordering::Relaxed)
    }

    fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    fn degraded(&self) -> Option<String> {
        self.journal.health().degraded
    }
}

/// What this version answers to a program that wants to place or change a call.
fn no_calls() -> Refusal {
    let msg = "calls cannot be placed or changed over REST in this version";
    Refusal { status: 503, msg: msg.to_owned() }
}

impl api::Gateway for State {
    fn create_call(
        &self,
        _call: Box<CreateCall>,
        _warnings: Vec<Fault>,
    ) -> Awaited<'_, Result<Created, Refusal>> {
        Box::pin(async { Err(no_calls()) })
    }

    fn update_call(&self, _call_sid: String, _update: Update) -> Awaited<'_, Result<(), Refusal>> {
        Box::pin(async { Err(no_calls()) })
    }

    fn calls(&self) -> Awaited<'_, Result<Vec<Value>, Refusal>> {
        Box::pin(async { Err(no_calls()) })
    }

    fn registrations(&self) -> Awaited<'_, Result<Vec<Registered>, Refusal>> {
        let msg = "registrations cannot be read over REST in this version";
        Box::pin(async { Err(Refusal { status: 503, msg: msg.to_owned() }) })
    }

    fn provisioned(&self) -> Awaited<'_, Result<(), String>> {
        Box::pin(self.provisioner.reload())
    }

    fn metrics(&self) -> Awaited<'_, String> {
        let gauges = [
            ("live_calls", "Calls that are up, callers only.", self.live_calls() as u64),
            ("draining", "1 while no new calls are taken.", u64::from(self.draining())),
            ("degraded", "1 while something is wrong.", u64::from(self.degraded().is_some())),
        ];
        let text = gauges.map(|(name, help, value)| {
            let name = format!("switchhook_{name}");
            format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n")
        });
        Box::pin(async move { text.concat() })
    }
}
