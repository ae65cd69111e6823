//! What the HTTP side asks of the gateway: counters at once, the rest through its loop.

use std::sync::atomic::Ordering;

use api::{Awaited, Created, Refusal, Registered, Updated};
use call::{Alert, Command};
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

impl api::Gateway for State {
    fn create_call(
        &self,
        call: Box<CreateCall>,
        warnings: Vec<Fault>,
    ) -> Awaited<'_, Result<Created, Refusal>> {
        Box::pin(async move {
            let created = self.desk.create(Command::Create(call)).await?;
            for warning in warnings {
                self.desk.alert(Alert {
                    alert_type: "unknown-property",
                    message: format!("createCall: {warning}"),
                    call_sid: created.sid.clone(),
                });
            }
            Ok(created)
        })
    }

    fn update_call(
        &self,
        call_sid: String,
        update: Update,
    ) -> Awaited<'_, Result<Updated, Refusal>> {
        Box::pin(self.desk.update(call_sid, update))
    }

    fn calls(&self) -> Awaited<'_, Result<Vec<Value>, Refusal>> {
        Box::pin(self.desk.calls())
    }

    fn registrations(&self) -> Awaited<'_, Result<Vec<Registered>, Refusal>> {
        Box::pin(self.desk.registrations())
    }

    fn provisioned(&self) -> Awaited<'_, Result<(), String>> {
        Box::pin(self.provisioner.reload())
    }

    fn metrics(&self) -> Awaited<'_, Result<String, Refusal>> {
        Box::pin(self.desk.metrics())
    }
}
