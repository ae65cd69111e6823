//! What needs no token: what there is, whether it lives, whether it takes calls, counters, the
//! schema of the application language.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::Api;
use crate::fault::Reply;
use crate::gateway::Gateway;

/// What `/` says.
const ABOUT: &str = concat!(
    "Switchhook ",
    env!("CARGO_PKG_VERSION"),
    ", a telephone switch driven by webhooks.\n\n",
    "/healthz    200 while the process lives\n",
    "/readyz     200 while it takes new calls, 503 while it drains\n",
    "/metrics    counters, for Prometheus\n",
    "/v1/schema  JSON Schema of the application language\n",
    "/v1         REST, with the admin token as bearer\n",
);

/// The exposition format of Prometheus, version 0.0.4.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) async fn about() -> &'static str {
    ABOUT
}

pub(crate) async fn health() -> &'static str {
    "OK"
}

pub(crate) async fn healthz(State(api): State<Arc<Api>>) -> Json<Value> {
    let gateway = api.config.gateway.as_ref();
    let word = if gateway.degraded().is_some() { "degraded" } else { "ok" };
    Json(report(word, gateway))
}

pub(crate) async fn readyz(State(api): State<Arc<Api>>) -> (StatusCode, Json<Value>) {
    let gateway = api.config.gateway.as_ref();
    let (status, word) = if gateway.draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else {
        (StatusCode::OK, "ready")
    };
    (status, Json(report(word, gateway)))
}

pub(crate) async fn metrics(State(api): State<Arc<Api>>) -> Reply {
    let text = api.config.gateway.metrics().await?;
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

pub(crate) fn schema_of(schema: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/schema+json")], schema.to_owned()).into_response()
}

fn report(status: &str, gateway: &dyn Gateway) -> Value {
    let mut report = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "live_calls": gateway.live_calls(),
        "draining": gateway.draining(),
    });
    if let Some(why) = gateway.degraded() {
        report["degraded"] = json!(why);
    }
    report
}
