//! The one door between a media thread and the kernel, so that another way through can follow.
//!
//! [`Sockets`] is epoll with batched datagrams. A completion-based way (io_uring) would hand out
//! its finished receptions in `receive` and submit its sendings in `wait`.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::sys::{Batch, Epoll, Ready, Sender, Sent, Shipment};

/// Datagrams taken from one socket with one call. A peer sends one in 20 ms; more than a few wait
/// only after a pause.
pub(crate) const PACKETS_MAX: usize = 32;

/// The longest datagram relayed: more than any Ethernet carries. Longer ones are dropped.
pub(crate) const PACKET_SIZE: usize = 2048;

/// Keys that one wait may bring; more wait for the next.
const READY_MAX: usize = 512;

/// How a media thread waits, receives and sends. Nothing here may block but `wait`.
pub(crate) trait PacketIo {
    /// Watches `socket`; `key` is ready whenever something new arrives.
    fn add(&mut self, socket: BorrowedFd<'_>, key: u64) -> io::Result<()>;

    /// Watches `socket` no longer; it is about to be closed.
    fn remove(&mut self, socket: BorrowedFd<'_>);

    /// Sleeps until a key is ready or `timeout` (`None`: for ever) is over; how many are ready.
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize>;

    /// Key `index` of the last wait.
    fn ready(&self, index: usize) -> u64;

    /// Takes waiting datagrams; fewer than the batch holds means that none is left.
    fn receive(&mut self, socket: BorrowedFd<'_>, batch: &mut Batch) -> io::Result<usize>;

    /// Sends slots of `batch`; what the kernel refuses is dropped.
    fn send(&mut self, socket: BorrowedFd<'_>, batch: &Batch, shipments: &[Shipment]) -> Sent;
}

/// epoll, `recvmmsg`, `sendmmsg`.
pub(crate) struct Sockets {
    epoll: Epoll,
    ready: Ready,
    sender: Sender,
}

impl Sockets {
    pub(crate) fn new() -> io::Result<Sockets> {
        Ok(Sockets {
            epoll: Epoll::new()?,
            ready: Ready::new(READY_MAX),
            sender: Sender::new(PACKETS_MAX),
        })
    }
}

impl PacketIo for Sockets {
    fn add(&mut self, socket: BorrowedFd<'_>, key: u64) -> io::Result<()> {
        self.epoll.add(socket, key)
    }

    fn remove(&mut self, socket: BorrowedFd<'_>) {
        if let Err(error) = self.epoll.remove(socket) {
            tracing::debug!(%error, "socket was not watched");
        }
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        self.epoll.wait(timeout, &mut self.ready)?;
        Ok(self.ready.len())
    }

    fn ready(&self, index: usize) -> u64 {
        self.ready.key(index)
    }

    fn receive(&mut self, socket: BorrowedFd<'_>, batch: &mut Batch) -> io::Result<usize> {
        batch.receive(socket)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, batch: &Batch, shipments: &[Shipment]) -> Sent {
        self.sender.send(socket, batch, shipments)
    }
}
