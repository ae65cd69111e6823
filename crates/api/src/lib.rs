//! The HTTP side: health, readiness and the schema of the application language.
//!
//! Owns the routes and their answers. What it must know of the running gateway it asks through
//! [`Health`], which the binary implements; it reaches no call, no socket and no configuration.
//! None of these routes needs a token.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What `/` says.
const ABOUT: &str = concat!(
    "Switchhook ",
    env!("CARGO_PKG_VERSION"),
    ", a telephone switch driven by webhooks.\n\n",
    "/healthz    200 while the process lives\n",
    "/readyz     200 while it takes new calls, 503 while it drains\n",
    "/v1/schema  JSON Schema of the application language\n",
);

/// What the routes ask of the running gateway.
pub trait Health: Send + Sync {
    /// Calls that are up, callers only.
    fn live_calls(&self) -> usize;
    /// What is wrong without harm to calls, such as a database that is locked, and the remedy.
    fn degraded(&self) -> Option<String>;
    /// New calls are refused because the process is to end.
    fn draining(&self) -> bool;
}

/// The routes, for a server of one's own; [`serve`] is the usual way.
pub fn router(health: Arc<dyn Health>) -> Router {
    // why: the schema is the same for the life of the process and takes a while to build.
    let schema: Arc<str> = verbs::schema().to_string().into();
    Router::new()
        .route("/", get(about))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/v1/schema", get(async move || schema_of(&schema)))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .with_state(health)
}

/// Serves the routes on `listener` until `shutdown` ends; requests that are being answered then
/// are finished first.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    health: Arc<dyn Health>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(health)).with_graceful_shutdown(shutdown).await
}

async fn about() -> &'static str {
    ABOUT
}

async fn healthz(State(health): State<Arc<dyn Health>>) -> Json<Value> {
    let word = if health.degraded().is_some() { "degraded" } else { "ok" };
    Json(report(word, health.as_ref()))
}

async fn readyz(State(health): State<Arc<dyn Health>>) -> (StatusCode, Json<Value>) {
    let (status, word) = if health.draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else {
        (StatusCode::OK, "ready")
    };
    (status, Json(report(word, health.as_ref())))
}

fn report(status: &str, health: &dyn Health) -> Value {
    let mut report = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "live_calls": health.live_calls(),
        "draining": health.draining(),
    });
    if let Some(why) = health.degraded() {
        report["degraded"] = json!(why);
    }
    report
}

fn schema_of(schema: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/schema+json")], schema.to_owned()).into_response()
}

async fn not_found(uri: Uri) -> (StatusCode, Json<Value>) {
    let msg = format!("there is nothing at {}; see / for what there is", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({ "msg": msg })))
}

async fn not_allowed(method: Method, uri: Uri) -> (StatusCode, Json<Value>) {
    let msg = format!("{} does not take {method}; expected GET", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "msg": msg })))
}
