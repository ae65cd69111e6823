//! What each route answers, and that the server ends when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

#[derive(Default)]
struct Gateway {
    draining: AtomicBool,
    degraded: AtomicBool,
}

impl api::Health for Gateway {
    fn live_calls(&self) -> usize {
        3
    }

    fn degraded(&self) -> Option<String> {
        let degraded = self.degraded.load(Ordering::Relaxed);
        degraded.then(|| "the disk is full; make room".to_owned())
    }

    fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

async fn ask(address: std::net::SocketAddr, method: &str, path: &str) -> Answer {
    let mut socket = TcpStream::connect(address).await.expect("a server");
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    socket.read_to_string(&mut text).await.expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

#[tokio::test]
async fn every_route_answers() {
    let gateway = Arc::new(Gateway::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { stopped.await.unwrap_or_default() };
    let server = tokio::spawn(api::serve(listener, gateway.clone(), shutdown));

    let health = ask(address, "GET", "/healthz").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ok");
    assert_eq!(health.json()["live_calls"], 3);

    let ready = ask(address, "GET", "/readyz").await;
    assert_eq!((ready.status, &ready.json()["status"]), (200, &Value::from("ready")));
    gateway.draining.store(true, Ordering::Relaxed);
    let ready = ask(address, "GET", "/readyz").await;
    assert_eq!((ready.status, &ready.json()["status"]), (503, &Value::from("draining")));
    assert_eq!(ask(address, "GET", "/healthz").await.status, 200);

    gateway.degraded.store(true, Ordering::Relaxed);
    let health = ask(address, "GET", "/healthz").await.json();
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["degraded"], "the disk is full; make room");

    let schema = ask(address, "GET", "/v1/schema").await;
    assert_eq!(schema.status, 200);
    assert!(schema.head.contains("content-type: application/schema+json"), "{}", schema.head);
    assert_eq!(schema.json(), verbs::schema());

    let about = ask(address, "GET", "/").await;
    assert!(about.head.contains("content-type: text/plain"), "{}", about.head);
    assert!(about.body.starts_with("Switchhook "), "{}", about.body);

    let nothing = ask(address, "GET", "/v1/Calls").await;
    assert_eq!(nothing.status, 404);
    assert_eq!(nothing.json()["msg"], "there is nothing at /v1/Calls; see / for what there is");
    let wrong = ask(address, "POST", "/healthz").await;
    assert_eq!(wrong.status, 405);
    assert_eq!(wrong.json()["msg"], "/healthz does not take POST; expected GET");

    stop.send(()).expect("the server runs");
    server.await.expect("no panic").expect("a clean end");
}
