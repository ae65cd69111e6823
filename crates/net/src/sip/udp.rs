//! SIP over UDP: one bound socket, datagrams in batches.
//!
//! Owns the socket and the messages that a full socket did not take. Reports remotes that ICMP
//! calls unreachable, so that a call fails over at once instead of after 32 seconds. Does not look
//! into the bytes. A socket bound to `::` carries IPv4 too.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::sip::{Flow, Transmit, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::advertised::{Advertised, unbound};
use super::outbox::Outbox;
use crate::sys::{self, Batch, Family, RawAddress};

/// Datagrams taken with one system call.
const BATCH: usize = 32;
/// No UDP datagram is longer.
const DATAGRAM_MAX: usize = 65_535;
/// What is asked of the kernel for each direction; it grants what `net.core.?mem_max` allows.
/// A second of a busy machine's messages, so that a pause of the program loses none.
const SOCKET_BUFFER: usize = 4 << 20;
/// When a full socket is tried again.
const RETRY: Duration = Duration::from_millis(1);
/// ICMP errors taken between two batches, so that a flood of them cannot keep messages waiting.
const ERRORS_MAX: usize = 256;
/// Errors of earlier datagrams that the kernel may report in place of the result of this call.
const STALE_ERRORS_MAX: usize = 16;

/// A UDP socket for SIP.
pub struct Udp {
    socket: AsyncFd<UdpSocket>,
    family: Family,
    advertised: Advertised,
    outbox: Mutex<Outbox>,
}

/// What one [`Udp::receive`] brought: reusable, two megabytes of address space.
pub struct Inbox {
    batch: Batch,
    /// By slot of the batch; `None` for a datagram that can be nobody's message.
    flows: Vec<Option<Flow>>,
    failed: Vec<Flow>,
}

impl Inbox {
    /// An empty one.
    pub fn new() -> Inbox {
        Inbox {
            batch: Batch::new(BATCH, DATAGRAM_MAX),
            flows: Vec::with_capacity(BATCH),
            failed: Vec::new(),
        }
    }

    /// The datagrams in the order of arrival, each with the flow to answer on.
    pub fn datagrams(&self) -> impl Iterator<Item = (Flow, &[u8])> {
        let slots = self.flows.iter().enumerate();
        slots.filter_map(|(slot, flow)| flow.map(|flow| (flow, self.batch.datagram(slot))))
    }

    /// Flows whose remote cannot be reached, once for each report.
    pub fn failed(&self) -> &[Flow] {
        &self.failed
    }

    fn clear(&mut self) {
        self.flows.clear();
        self.failed.clear();
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Inbox::new()
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flows = (&self.flows, &self.failed);
        f.debug_struct("Inbox").field("flows", &flows.0).field("failed", &flows.1).finish()
    }
}

impl fmt::Debug for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Udp").field("advertised", &self.advertised).finish_non_exhaustive()
    }
}

impl Udp {
    /// Binds `address`. `external`, where given, is what flows advertise to remotes of its family.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The system's, its text naming the address and what to change.
    pub fn bind(address: SocketAddr, external: Option<IpAddr>) -> io::Result<Udp> {
        let explain = |error: io::Error| unbound("udp", address, &error);
        let socket = open(address).map_err(explain)?;
        let local = socket.local_addr().map_err(explain)?;
        Ok(Udp {
            socket: sys::register(socket).map_err(explain)?,
            family: Family::of(local),
            advertised: Advertised::new(Transport::Udp, local, external),
            outbox: Mutex::new(Outbox::default()),
        })
    }

    /// The bound address; the port is the real one even if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.advertised.local()
    }

    /// The flow to `remote`, its `local` being what that remote should answer to: the external
    /// address if there is one, else the bound one, else that of the interface toward `remote`.
    pub fn flow_to(&self, remote: SocketAddr) -> Flow {
        self.advertised.flow_to(remote)
    }

    /// Sends one message. When the socket is full it is kept and sent by [`Udp::receive`].
    ///
    /// # Errors
    /// `WouldBlock`: so many are kept already that this one is dropped; SIP repeats it. Anything
    /// else: the remote cannot be reached.
    pub fn send(&self, transmit: &Transmit) -> io::Result<()> {
        lock(&self.outbox).send(transmit, |transmit| self.put(transmit))
    }

    /// Waits until there are datagrams or unreachable remotes, and replaces what `inbox` held.
    /// Sends what a full socket left waiting. May be dropped at any time without losing anything.
    ///
    /// # Errors
    /// Only what leaves the socket useless.
    pub async fn receive(&self, inbox: &mut Inbox) -> io::Result<()> {
        inbox.clear();
        let mut told_of_errors = false;
        loop {
            let waiting = self.flush(&mut inbox.failed);
            if !inbox.failed.is_empty() {
                return Ok(());
            }
            let ready = self.socket.ready(Interest::READABLE | Interest::ERROR);
            let mut guard = if waiting {
                match tokio::time::timeout(RETRY, ready).await {
                    Ok(guard) => guard?,
                    Err(_) => continue,
                }
            } else {
                ready.await?
            };
            // why: the error queue is nearly always empty, and a look at it is a system call.
            let errors = told_of_errors || guard.ready().is_error();
            let errors_left = errors && self.take_errors(&mut inbox.failed);
            let taken = self.take_datagrams(inbox)?;
            told_of_errors = taken == Taken::Error;
            if taken == Taken::All && !errors_left {
                guard.clear_ready();
            }
            if !inbox.flows.is_empty() || !inbox.failed.is_empty() {
                return Ok(());
            }
        }
    }

    /// Is anything still waiting for a full socket?
    fn flush(&self, failed: &mut Vec<Flow>) -> bool {
        let mut outbox = lock(&self.outbox);
        outbox.flush(|transmit| self.put(transmit), failed);
        !outbox.is_empty()
    }

    fn put(&self, transmit: &Transmit) -> io::Result<()> {
        let to = RawAddress::encode(transmit.flow.remote, self.family)
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut attempts = 0;
        loop {
            match sys::send_to(self.descriptor(), &transmit.bytes, &to) {
                // why: an ICMP error about an earlier datagram is handed to whatever call comes
                // next, once; the error queue still tells whom it was about.
                Err(error) if attempts < STALE_ERRORS_MAX && is_stale(&error) => attempts += 1,
                result => return result.map(drop),
            }
        }
    }

    /// Takes the error queue; are there more?
    fn take_errors(&self, failed: &mut Vec<Flow>) -> bool {
        for _ in 0..ERRORS_MAX {
            match sys::take_unreachable(self.descriptor()) {
                Ok(Some(remote)) => failed.push(self.flow_to(remote)),
                Ok(None) => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Fills the inbox.
    fn take_datagrams(&self, inbox: &mut Inbox) -> io::Result<Taken> {
        inbox.flows.clear();
        let mut attempts = 0;
        let received = loop {
            match inbox.batch.receive(self.descriptor()) {
                Ok(received) => break received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Taken::All),
                Err(error) if attempts < STALE_ERRORS_MAX && is_stale(&error) => attempts += 1,
                Err(error) if is_stale(&error) => return Ok(Taken::Error),
                Err(error) => return Err(error),
            }
        };
        for slot in 0..received {
            let source = inbox.batch.source(slot).filter(|source| source.port() != 0);
            let source = source.filter(|_| !inbox.batch.datagram(slot).is_empty());
            inbox.flows.push(source.map(|source| self.flow_to(source)));
        }
        Ok(if received < inbox.batch.capacity() { Taken::All } else { Taken::Some })
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

/// What became of a look at the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// The socket is empty.
    All,
    /// There may be more.
    Some,
    /// An error of an earlier datagram stands in the way; the error queue tells of it.
    Error,
}

/// Errors that belong to an earlier datagram when the socket is not connected.
fn is_stale(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EINTR
                | libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENOPROTOOPT
                | libc::EPROTO
                | libc::EMSGSIZE
                | libc::EACCES
        )
    )
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    if let Err(error) = sys::report_icmp_errors(socket.as_fd(), Family::of(address)) {
        tracing::warn!(%address, %error, "unreachable remotes will be noticed by timeout only");
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// The queue stays whole whatever panicked: each change to it is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
