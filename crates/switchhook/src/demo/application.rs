//! The application of the demonstration: answers the list of verbs, keeps what the actionHook is
//! told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::APPLICATION_COLUMN;
use super::phone::Line;

/// A running application.
pub(super) struct Application {
    /// Where it is.
    pub(super) address: SocketAddr,
    told: watch::Receiver<Option<Value>>,
    stop: CancellationToken,
}

struct Shared {
    list: &'static str,
    lines: mpsc::UnboundedSender<Line>,
    told: watch::Sender<Option<Value>>,
}

impl Application {
    pub(super) async fn start(
        list: &'static str,
        lines: mpsc::UnboundedSender<Line>,
    ) -> Result<Application, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let (told_sender, told) = watch::channel(None);
        let shared = Arc::new(Shared { list, lines, told: told_sender });
        let router = Router::new()
            .route("/incoming", post(incoming))
            .route("/dial-done", post(dial_done))
            .with_state(shared);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let served = axum::serve(listener, router).with_graceful_shutdown(stopped);
        tokio::spawn(served.into_future());
        Ok(Application { address, told, stop })
    }

    /// What the actionHook was told, once it was.
    pub(super) async fn result(&self, longest: Duration) -> Option<Value> {
        let mut told = self.told.clone();
        let waited = tokio::time::timeout(longest, told.wait_for(Option::is_some)).await;
        waited.ok()?.ok()?.clone()
    }

    pub(super) fn end(&self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn line(&self, label: &str, to_switch: bool) {
        let (at, label) = (Instant::now(), label.to_owned());
        // why: an error means that the story is told already.
        let _told = self.lines.send(Line { at, column: APPLICATION_COLUMN, to_switch, label });
    }
}

async fn incoming(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    shared.line("POST /incoming", false);
    shared.line("[dial …]", true);
    ([(header::CONTENT_TYPE, "application/json")], shared.list)
}

async fn dial_done(State(shared): State<Arc<Shared>>, body: String) -> impl IntoResponse {
    shared.line("POST /dial-done", false);
    shared.line("204", true);
    let told = serde_json::from_str(&body).unwrap_or(Value::Null);
    let _told = shared.told.send(Some(told));
    StatusCode::NO_CONTENT
}
