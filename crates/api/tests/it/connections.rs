//! Connections that are opened and left, that send slowly, or that are too many.

use std::time::{Duration, Instant};

use api::{HEAD_BYTES_MAX, ServeLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::Rig;

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

/// Longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(20);

fn limits() -> ServeLimits {
    ServeLimits {
        connections: 6,
        per_source: 4,
        head_timeout: Duration::from_millis(300),
        life: Duration::from_secs(60),
        last_answer: Duration::from_secs(1),
    }
}

async fn connect(rig: &Rig) -> TcpStream {
    TcpStream::connect(rig.address).await.expect("a server")
}

/// All that comes until the server closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // why: a reset is a close, too.
    let _ended = tokio::time::timeout(PATIENCE, read).await.expect("it is closed");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_head_that_never_ends_closes_its_connection() {
    let rig = Rig::start_within(limits()).await;
    for head in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: x\r\n"] {
        let (mut stream, begun) = (connect(&rig).await, Instant::now());
        stream.write_all(head.as_bytes()).await.expect("taken");
        let answer = until_closed(&mut stream).await;
        assert!(!answer.contains(" 200 "), "{head:?}: {answer}");
        assert!(begun.elapsed() >= limits().head_timeout, "{head:?}");
    }
}

#[tokio::test]
async fn a_byte_now_and_then_is_no_head() {
    let rig = Rig::start_within(limits()).await;
    let (mut stream, begun) = (connect(&rig).await, Instant::now());
    for byte in REQUEST {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!until_closed(&mut stream).await.contains(" 200 "));
    assert!(begun.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_connection_that_was_used_is_closed_when_it_is_left() {
    let rig = Rig::start_within(limits()).await;
    let mut stream = connect(&rig).await;
    stream.write_all(REQUEST).await.expect("taken");
    let answer = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let rig = Rig::start_within(ServeLimits { head_timeout: PATIENCE, ..limits() }).await;
    let mut open = Vec::new();
    for _ in 0..limits().per_source {
        let mut stream = connect(&rig).await;
        stream.write_all(REQUEST).await.expect("taken");
        let mut start = [0; 15];
        stream.read_exact(&mut start).await.expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 200 OK");
        open.push(stream);
    }
    let mut further = connect(&rig).await;
    let _refused = further.write_all(REQUEST).await;
    assert_eq!(until_closed(&mut further).await, "");
    drop(open);
    // Their places are free as soon as the server has seen that they are gone.
    let begun = Instant::now();
    loop {
        let mut next = connect(&rig).await;
        let _refused = next.write_all(REQUEST).await;
        let mut start = [0; 15];
        if next.read_exact(&mut start).await.is_ok() {
            break assert_eq!(&start, b"HTTP/1.1 200 OK");
        }
        assert!(begun.elapsed() < PATIENCE, "no place became free");
    }
}

#[tokio::test]
async fn a_connection_does_not_last_for_ever() {
    let life = Duration::from_millis(500);
    let rig = Rig::start_within(ServeLimits { head_timeout: PATIENCE, life, ..limits() }).await;
    let (mut stream, begun) = (connect(&rig).await, Instant::now());
    stream.write_all(REQUEST).await.expect("taken");
    assert!(until_closed(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    assert!((life..PATIENCE).contains(&begun.elapsed()));
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let rig = Rig::start_within(limits()).await;
    let mut stream = connect(&rig).await;
    let long = "x".repeat(2 * HEAD_BYTES_MAX);
    let _refused = stream.write_all(format!("GET /{long} HTTP/1.1\r\n\r\n").as_bytes()).await;
    let answer = until_closed(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(rig.raw("GET", "/healthz", &[], "").await.status, 200);
}
