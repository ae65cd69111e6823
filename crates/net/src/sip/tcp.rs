//! SIP over TCP: a listener, the connections of peers and our own, messages cut out of streams.
//!
//! Owned by the signalling task: [`Tcp::send`] queues a message for the connection to its remote,
//! opening one where there is none, [`Tcp::receive`] brings whole messages and the flows whose
//! connection is gone. Each connection is a task of its own (`connection.rs`) behind a bounded
//! queue; who may have one is decided in `table.rs`, how much of everything in `limits.rs`.
//! A listener on `::` takes IPv4 too. Does not look into a message; TLS is not here.

mod connection;
pub mod limits;
mod meter;
mod table;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::sip::{Flow, Transmit, Transport};
use bytes::Bytes;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::advertised::{Advertised, unbound};
use connection::{Beginning, Connection, News};
use limits::{BACKLOG, NEWS_BATCH, NEWS_MAX, SOCKET_BUFFER};
use table::{NotQueued, Seat, Table};

pub use limits::TcpLimits;

/// After an error of accepting, such as too many open files, so long until the next attempt.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Refused connections are told of at most so often.
const REFUSED_EVERY: Duration = Duration::from_secs(10);

/// SIP over TCP; see the module.
pub struct Tcp {
    advertised: Arc<Advertised>,
    limits: TcpLimits,
    table: Table,
    news: mpsc::Receiver<News>,
    sender: mpsc::Sender<News>,
    batch: Vec<News>,
    acceptor: JoinHandle<()>,
    refused: u64,
    refused_told: Option<Instant>,
}

/// What one [`Tcp::receive`] brought.
#[derive(Debug, Default)]
pub struct Messages {
    /// Whole messages in the order of arrival, each with the flow to answer on.
    pub messages: Vec<(Flow, Bytes)>,
    /// Flows whose connection is gone, or could not be made; what was queued for them is lost.
    pub failed: Vec<Flow>,
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp")
            .field("advertised", &self.advertised)
            .field("connections", &self.table.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        // The connections end by themselves, their places being gone.
        self.acceptor.abort();
    }
}

impl Tcp {
    /// Listens on `address`. `external`, where given, is what flows advertise to remotes of its
    /// family.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The system's, its text naming the address and what to change.
    pub fn bind(
        address: SocketAddr,
        external: Option<IpAddr>,
        limits: TcpLimits,
    ) -> io::Result<Tcp> {
        let explain = |error: io::Error| unbound("tcp", address, &error);
        let listener = listen(address).map_err(explain)?;
        let local = listener.local_addr().map_err(explain)?;
        let (sender, news) = mpsc::channel(NEWS_MAX);
        Ok(Tcp {
            advertised: Arc::new(Advertised::new(Transport::Tcp, local, external)),
            limits,
            table: Table::new(limits),
            news,
            acceptor: tokio::spawn(accept(listener, sender.clone())),
            sender,
            batch: Vec::with_capacity(NEWS_BATCH),
            refused: 0,
            refused_told: None,
        })
    }

    /// The address of the listener; the port is the real one even if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.advertised.local()
    }

    /// What makes flows; for tasks that do not own the connections.
    pub fn advertised(&self) -> Arc<Advertised> {
        Arc::clone(&self.advertised)
    }

    /// Connections at this moment, those under way included.
    pub fn connections(&self) -> usize {
        self.table.len()
    }

    /// Bytes held for all connections: incomplete messages, and what waits to be written.
    pub fn held_bytes(&self) -> usize {
        self.table.held()
    }

    /// Queues one message for the connection to its remote. Without one it is queued for that to
    /// [`Transmit::otherwise`], else a connection is opened: to that address, or to the remote
    /// where there is none. Whether it could be sent is told by [`Tcp::receive`].
    ///
    /// # Errors
    /// The peer took too little of what was sent before, and the connection is given up; or there
    /// is no place for another connection.
    pub fn send(&mut self, transmit: &Transmit) -> io::Result<()> {
        let flow = transmit.flow;
        let other = transmit.otherwise.filter(|address| *address != flow.remote);
        let mut queued = self.table.queue(flow.remote, transmit);
        if let (Err(NotQueued::NoConnection), Some(other)) = (queued, other) {
            queued = self.table.queue(other, transmit);
        }
        if queued == Err(NotQueued::NoConnection) {
            let remote = other.unwrap_or(flow.remote);
            let local = self.advertised.local().ip();
            let from =
                Some(local).filter(|ip| !ip.is_unspecified() && ip.is_ipv4() == remote.is_ipv4());
            // why: a peer that closes its connections before it is answered could else make us
            // fill the table with our own.
            let theirs = other.is_some();
            let Some(seat) = self.table.seat(Instant::now(), remote, theirs) else {
                let text = format!("tcp to {remote}: no room for another connection");
                return Err(io::Error::other(text));
            };
            self.start(seat, remote, Beginning::Connect(from));
            queued = self.table.queue(remote, transmit);
        }
        queued.map_err(|_| {
            let text = format!("tcp to {}: the peer takes too little", flow.remote);
            io::Error::new(io::ErrorKind::BrokenPipe, text)
        })
    }

    /// Waits until there are messages or failed flows, and replaces what `arrived` held. May be
    /// dropped at any time without losing anything.
    pub async fn receive(&mut self, arrived: &mut Messages) {
        arrived.messages.clear();
        arrived.failed.clear();
        while arrived.messages.is_empty() && arrived.failed.is_empty() {
            self.news.recv_many(&mut self.batch, NEWS_BATCH).await;
            let mut batch = std::mem::take(&mut self.batch);
            for news in batch.drain(..) {
                self.take(news, arrived);
            }
            self.batch = batch;
        }
    }

    fn take(&mut self, news: News, arrived: &mut Messages) {
        match news {
            News::Accepted(stream, remote) => self.admit(stream, remote),
            News::Message(flow, bytes) => arrived.messages.push((flow, bytes)),
            News::Ended { id, remote, unsent, why } => {
                tracing::debug!(%remote, why, "a SIP connection is over");
                if self.table.ended(remote, id) {
                    arrived.failed.push(self.advertised.flow_to(remote));
                }
                let elsewhere = unsent.into_iter().filter(|flow| flow.remote != remote);
                arrived.failed.extend(elsewhere);
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, remote: SocketAddr) {
        let now = Instant::now();
        match self.table.seat(now, remote, true) {
            Some(seat) => self.start(seat, remote, Beginning::Accepted(stream)),
            None => {
                drop(stream);
                self.refused += 1;
                let due = |told: Instant| now.saturating_duration_since(told) >= REFUSED_EVERY;
                if self.refused_told.is_none_or(due) {
                    self.refused_told = Some(now);
                    let (refused, connections) = (self.refused, self.table.len());
                    tracing::warn!(refused, connections, %remote, "no room for SIP connections");
                }
            }
        }
    }

    fn start(&self, seat: Seat, remote: SocketAddr, beginning: Beginning) {
        let connection = Connection {
            seat,
            remote,
            advertised: Arc::clone(&self.advertised),
            limits: self.limits,
            news: self.sender.clone(),
        };
        tokio::spawn(connection.run(beginning));
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    // Connections inherit them.
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: TcpListener, news: mpsc::Sender<News>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                if news.send(News::Accepted(stream, remote)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a SIP connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
