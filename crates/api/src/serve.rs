//! HTTP connections: how many there may be, and for how long each may take what it takes.
//!
//! Whoever can reach the port can open connections and leave them, send a byte at a time, or read
//! no answer. None of that holds more than a bounded number of connections, and none of them for
//! ever. What a request may say is bounded where it is read.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// HTTP connections at one time.
pub const CONNECTIONS_MAX: usize = 512;
/// Of them, those of one address.
pub const CONNECTIONS_PER_SOURCE_MAX: usize = 64;
/// How long the head of a request may take, from the connection or the last answer on.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of the head of a request.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How long a connection may last; the request under way is answered first.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(300);
/// How long that last answer may take.
pub const LAST_ANSWER: Duration = Duration::from_secs(30);

/// How long to wait where no connection can be accepted: the process is out of descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The limits that a test may want smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// [`CONNECTIONS_PER_SOURCE_MAX`].
    pub per_source: usize,
    /// [`HEAD_TIMEOUT`].
    pub head_timeout: Duration,
    /// [`CONNECTION_LIFE`].
    pub life: Duration,
    /// [`LAST_ANSWER`].
    pub last_answer: Duration,
}

impl Default for ServeLimits {
    fn default() -> ServeLimits {
        ServeLimits {
            connections: CONNECTIONS_MAX,
            per_source: CONNECTIONS_PER_SOURCE_MAX,
            head_timeout: HEAD_TIMEOUT,
            life: CONNECTION_LIFE,
            last_answer: LAST_ANSWER,
        }
    }
}

/// The routes, as one connection sees them.
struct Routes {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
}

impl Service<hyper::Request<Incoming>> for Routes {
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Future;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.call(request)
    }
}

/// Serves until `shutdown` ends; requests that are being answered then are finished first.
pub(crate) async fn serve(
    limits: ServeLimits,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    // Each connection holds a sender; it is closed when the last one is gone.
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    let (closed, mut closings) = mpsc::channel::<IpAddr>(limits.connections.max(1));
    let mut open = Open { limits, of_source: BTreeMap::new(), count: 0 };
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            Some(source) = closings.recv() => {
                open.closed(source);
                continue;
            }
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "an HTTP connection could not be accepted");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                    continue;
                }
            },
        };
        let source = peer.ip().to_canonical();
        if !open.admit(source) {
            continue;
        }
        let (router, stopped) = (TowerToHyperService::new(router.clone()), stopped.clone());
        let (alive, closed) = (alive.clone(), closed.clone());
        tokio::spawn(async move {
            converse(limits, stream, Routes { router, peer }, stopped).await;
            // why: an error means that nobody counts any more.
            let _ended = closed.send(source).await;
            drop(alive);
        });
    }
    drop((listener, alive, closings));
    stop.send_replace(true);
    all_gone.recv().await;
    Ok(())
}

/// Connections that are open.
struct Open {
    limits: ServeLimits,
    of_source: BTreeMap<IpAddr, usize>,
    count: usize,
}

impl Open {
    /// Counts one more, if there is room for it.
    fn admit(&mut self, source: IpAddr) -> bool {
        let of_source = self.of_source.get(&source).copied().unwrap_or(0);
        if self.count >= self.limits.connections || of_source >= self.limits.per_source {
            return false;
        }
        self.count += 1;
        self.of_source.insert(source, of_source + 1);
        true
    }

    fn closed(&mut self, source: IpAddr) {
        self.count = self.count.saturating_sub(1);
        let of_source = self.of_source.remove(&source).unwrap_or(0);
        if of_source > 1 {
            self.of_source.insert(source, of_source - 1);
        }
    }
}

/// One connection, from its first request to its end.
async fn converse(
    limits: ServeLimits,
    stream: TcpStream,
    routes: Routes,
    mut stopped: watch::Receiver<bool>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), routes);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return note(ended),
        () = tokio::time::sleep(limits.life) => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = tokio::time::timeout(limits.last_answer, connection).await {
        note(ended);
    }
}

/// A peer that goes away, is too slow or speaks no HTTP is no news to an operator.
fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection failed");
    }
}
