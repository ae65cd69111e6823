//! An application: an axum server on a free port that remembers what it was asked.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request as Incoming, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hooks::{Client, Config, Request};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use verbs::{Hook, HookMethod};

/// One request as the application saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ascii header"))
    }
}

pub(crate) struct Application {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Application {
    /// `/json`, `/text`, `/latin1`, `/blank`, `/empty`, `/status/N`, `/slow`, `/drip`, `/huge`,
    /// `/declared`, `/redirect`; everything is recorded.
    pub(crate) async fn start() -> Application {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new().fallback(any(answer)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Application { origin, seen }
    }

    pub(crate) fn hook(&self, path: &str) -> Hook {
        hook(&format!("{}{path}", self.origin))
    }

    pub(crate) fn ask(&self, path: &str) -> Request {
        Request::configured(&self.hook(path), r#"{"call_sid":"1"}"#.to_owned()).expect("a URL")
    }

    pub(crate) async fn seen(&self) -> Vec<Seen> {
        self.seen.lock().await.clone()
    }

    pub(crate) async fn last(&self) -> Seen {
        self.seen().await.pop().expect("was asked")
    }
}

pub(crate) fn hook(url: &str) -> Hook {
    Hook { url: url.to_owned(), method: HookMethod::Post, username: None, password: None }
}

/// A client that gives up after half a second and reads at most 1000 bytes.
pub(crate) fn impatient() -> Client {
    Client::new(Config { timeout: Duration::from_millis(500), body_max: 1000, ..Config::default() })
}

async fn answer(State(seen): State<Arc<Mutex<Vec<Seen>>>>, incoming: Incoming) -> Response {
    let (head, body) = incoming.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let path = head.uri.path().to_owned();
    seen.lock().await.push(Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).expect("text"),
    });
    let json = [("content-type", "application/json; charset=utf-8")];
    if let Some(status) = path.strip_prefix("/status/") {
        let status = axum::http::StatusCode::from_bytes(status.as_bytes()).expect("a status");
        return (status, json, "[]").into_response();
    }
    match path.as_str() {
        "/text" => ([("content-type", "text/html")], "<p>hello</p>").into_response(),
        "/latin1" => (json, b"[\"caf\xe9\"]".to_vec()).into_response(),
        "/blank" => (json, " \n").into_response(),
        "/empty" => axum::http::StatusCode::NO_CONTENT.into_response(),
        "/redirect" => axum::response::Redirect::temporary("/json").into_response(),
        "/declared" => (json, "x".repeat(1001)).into_response(),
        "/huge" => (json, dripping(Duration::ZERO)).into_response(),
        "/drip" => (json, dripping(Duration::from_millis(50))).into_response(),
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            (json, "[]").into_response()
        }
        "/late" => {
            tokio::time::sleep(Duration::from_millis(150)).await;
            (json, "[]").into_response()
        }
        _ => (json, r#"[{"verb":"answer"}]"#).into_response(),
    }
}

/// A chunked body without end and without Content-Length: a byte list each `pause`, small ones
/// when slow, 8 KB when not.
fn dripping(pause: Duration) -> axum::body::Body {
    let size = if pause.is_zero() { 8192 } else { 1 };
    let chunks = futures_util::stream::unfold((), move |()| async move {
        tokio::time::sleep(pause).await;
        Some((Ok::<_, std::io::Error>(vec![b' '; size]), ()))
    });
    axum::body::Body::from_stream(chunks)
}
