//! Datagrams in batches: `recvmmsg` into fixed buffers, `sendmmsg` out of the same buffers.
//!
//! A [`Batch`] owns its buffers and the kernel's headers for them; they are laid out once, and a
//! call touches only the headers that the last one used. A [`Sender`] writes slots of a batch out
//! again without copying them. Nothing here allocates after construction.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::address::{CAPACITY, RawAddress};
use super::{checked, send_to};

/// A fixed number of receive buffers of one size.
pub(crate) struct Batch {
    size: usize,
    bytes: Vec<u8>,
    addresses: Vec<RawAddress>,
    headers: Vec<libc::mmsghdr>,
    /// Kept only so that the headers' pointers stay valid.
    _vectors: Vec<libc::iovec>,
    filled: usize,
}

// SAFETY: the raw pointers in `headers` and `_vectors` point into the vectors of the same value,
// which are never resized and move along with it; nothing else uses them.
unsafe impl Send for Batch {}
// SAFETY: a shared reference only reads bytes and addresses; the pointers are used by `&mut` alone.
unsafe impl Sync for Batch {}

impl Batch {
    /// Room for `count` datagrams of at most `size` bytes; of longer ones the kernel cuts the rest.
    pub(crate) fn new(count: usize, size: usize) -> Batch {
        let mut bytes = vec![0; count * size];
        let mut addresses = vec![RawAddress::empty(); count];
        let mut vectors: Vec<libc::iovec> = bytes
            .chunks_exact_mut(size)
            .map(|chunk| libc::iovec { iov_base: chunk.as_mut_ptr().cast(), iov_len: size })
            .collect();
        let headers = vectors
            .iter_mut()
            .zip(&mut addresses)
            .map(|(vector, address)| libc::mmsghdr {
                msg_hdr: header(vector, ptr::from_mut(address), CAPACITY),
                msg_len: 0,
            })
            .collect();
        Batch { size, bytes, addresses, headers, _vectors: vectors, filled: 0 }
    }

    /// How many datagrams fit.
    pub(crate) fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// Takes the datagrams that wait in `socket`, at most [`Batch::capacity`], without blocking.
    /// What the batch held before is gone. Fewer than the capacity means: none is left waiting.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        for header in &mut self.headers[..self.filled] {
            header.msg_hdr.msg_namelen = CAPACITY;
        }
        self.filled = 0;
        // SAFETY: the headers point at live buffers of the stated lengths (laid out in `new`), and
        // the count is that of the headers; the kernel writes nowhere else.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                self.headers.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        self.filled = usize::try_from(checked(received)?).unwrap_or(0);
        Ok(self.filled)
    }

    /// Whom datagram `index` of the last [`Batch::receive`] came from; `None` for one that was
    /// cut because it is longer than its buffer, so that nobody takes it for whole.
    pub(crate) fn source(&self, index: usize) -> Option<SocketAddr> {
        if self.headers[index].msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        self.addresses.get(index)?.decode()
    }

    /// Datagram `index` of the last [`Batch::receive`].
    pub(crate) fn datagram(&self, index: usize) -> &[u8] {
        let start = index * self.size;
        &self.bytes[start..start + self.length(index)]
    }

    /// The same, to be rewritten in place.
    pub(crate) fn datagram_mut(&mut self, index: usize) -> &mut [u8] {
        let start = index * self.size;
        let length = self.length(index);
        &mut self.bytes[start..start + length]
    }

    /// The whole buffer of slot `index`, for a datagram that is made rather than received.
    pub(crate) fn buffer_mut(&mut self, index: usize) -> &mut [u8] {
        let start = index * self.size;
        &mut self.bytes[start..start + self.size]
    }

    /// Forgets the datagrams received, so that slots can be filled by [`Batch::buffer_mut`].
    pub(crate) fn clear(&mut self) {
        for header in &mut self.headers[..self.filled] {
            header.msg_hdr.msg_namelen = CAPACITY;
        }
        self.filled = 0;
    }

    fn length(&self, index: usize) -> usize {
        (self.headers[index].msg_len as usize).min(self.size)
    }
}

/// One datagram to send: the first `length` bytes of a slot of a [`Batch`].
#[derive(Clone, Copy)]
pub(crate) struct Shipment {
    /// Index of the slot.
    pub(crate) slot: usize,
    /// How many of its bytes.
    pub(crate) length: usize,
    /// Where to, written for the socket's family.
    pub(crate) to: RawAddress,
}

/// What a [`Sender::send`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Datagrams that the kernel took.
    pub(crate) packets: u64,
    /// Their bytes, without UDP and IP headers.
    pub(crate) bytes: u64,
    /// Datagrams that it refused: a full queue, no route, a firewall. They are gone.
    pub(crate) refused: u64,
}

/// The kernel's headers for sending slots of a batch.
pub(crate) struct Sender {
    headers: Vec<libc::mmsghdr>,
    vectors: Vec<libc::iovec>,
}

// SAFETY: the pointers in `headers` and `vectors` are written anew before each use, except those
// from the headers to the vectors of the same value, which are never resized and move with it.
unsafe impl Send for Sender {}

impl Sender {
    /// Room to send `count` datagrams with one call.
    pub(crate) fn new(count: usize) -> Sender {
        let mut vectors = vec![libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; count];
        let headers = vectors
            .iter_mut()
            .map(|vector| libc::mmsghdr { msg_hdr: header(vector, ptr::null_mut(), 0), msg_len: 0 })
            .collect();
        Sender { headers, vectors }
    }

    /// Sends `shipments` of `batch` through `socket`, in order, without blocking.
    ///
    /// One that the kernel refuses is dropped and the next is tried: late audio is worth nothing.
    pub(crate) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        batch: &Batch,
        shipments: &[Shipment],
    ) -> Sent {
        let mut sent = Sent::default();
        if let [shipment] = shipments {
            // why: a call in progress wakes its socket for one packet at a time, and `sendto` is
            // cheaper than a `sendmmsg` of one.
            let bytes = &batch.buffer(shipment.slot)[..shipment.length];
            match send_to(socket, bytes, &shipment.to) {
                Ok(length) => sent.count(length),
                Err(_) => sent.refused = 1,
            }
            return sent;
        }
        for chunk in shipments.chunks(self.headers.len()) {
            self.send_chunk(socket, batch, chunk, &mut sent);
        }
        sent
    }

    fn send_chunk(
        &mut self,
        socket: BorrowedFd<'_>,
        batch: &Batch,
        chunk: &[Shipment],
        sent: &mut Sent,
    ) {
        for ((header, vector), shipment) in
            self.headers.iter_mut().zip(&mut self.vectors).zip(chunk)
        {
            let bytes = &batch.buffer(shipment.slot)[..shipment.length];
            vector.iov_base = bytes.as_ptr().cast_mut().cast();
            vector.iov_len = bytes.len();
            header.msg_hdr.msg_name = shipment.to.as_ptr().cast_mut().cast();
            header.msg_hdr.msg_namelen = shipment.to.length();
        }
        let mut rest = &mut self.headers[..chunk.len()];
        while !rest.is_empty() {
            // SAFETY: `rest` are valid headers: their vectors and names, just written, point into
            // `batch` and `chunk`, both borrowed for the whole call; the kernel only reads them.
            let result = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    rest.as_mut_ptr(),
                    rest.len() as libc::c_uint,
                    libc::MSG_DONTWAIT as _,
                )
            };
            let taken = match checked(result) {
                Ok(taken) => usize::try_from(taken).unwrap_or(0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            rest[..taken].iter().for_each(|header| sent.count(header.msg_len as usize));
            let refused = usize::from(taken == 0);
            sent.refused += refused as u64;
            rest = &mut rest[taken + refused..];
        }
    }
}

impl Sent {
    fn count(&mut self, length: usize) {
        self.packets += 1;
        self.bytes += length as u64;
    }
}

impl Batch {
    fn buffer(&self, index: usize) -> &[u8] {
        let start = index * self.size;
        &self.bytes[start..start + self.size]
    }
}

fn header(
    vector: *mut libc::iovec,
    name: *mut RawAddress,
    name_length: libc::socklen_t,
) -> libc::msghdr {
    // SAFETY: a msghdr is integers and pointers, for which all zeroes (null) is a valid value.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = name.cast();
    header.msg_namelen = name_length;
    header.msg_iov = vector;
    header.msg_iovlen = 1;
    header
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::super::Family;
    use super::*;

    fn socket() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
        socket.set_nonblocking(true).expect("a socket option");
        socket
    }

    fn address(socket: &UdpSocket) -> SocketAddr {
        socket.local_addr().expect("a bound socket")
    }

    #[test]
    fn a_batch_takes_what_waits_and_sends_it_on() {
        let (peer, relay, sink) = (socket(), socket(), socket());
        for text in ["one", "three", "fourteen bytes"] {
            peer.send_to(text.as_bytes(), address(&relay)).expect("loopback takes it");
        }
        let mut batch = Batch::new(8, 2048);
        let mut sender = Sender::new(2);
        assert_eq!(batch.receive(relay.as_fd()).expect("three wait"), 3);
        assert_eq!(batch.datagram(1), b"three");
        assert_eq!(batch.source(1), Some(address(&peer)));
        batch.datagram_mut(2)[0] = b'F';

        let to = RawAddress::encode(address(&sink), Family::V4).expect("same family");
        let shipments =
            [(0, 3), (1, 5), (2, 14)].map(|(slot, length)| Shipment { slot, length, to });
        let sent = sender.send(relay.as_fd(), &batch, &shipments);
        assert_eq!(sent, Sent { packets: 3, bytes: 22, refused: 0 });
        assert_eq!(batch.receive(sink.as_fd()).expect("three wait"), 3);
        assert_eq!(batch.datagram(2), b"Fourteen bytes");
        assert_eq!(batch.source(0), Some(address(&relay)));
        let error = batch.receive(sink.as_fd()).expect_err("none left");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_datagram_that_cannot_go_does_not_hold_up_the_next() {
        let (relay, sink) = (socket(), socket());
        let batch = Batch::new(1, 64);
        let to = |text: &str| {
            RawAddress::encode(text.parse().expect("a literal"), Family::V4).expect("same family")
        };
        let nowhere = Shipment { slot: 0, length: 4, to: to("127.0.0.1:0") };
        let good = Shipment { slot: 0, length: 4, to: to(&address(&sink).to_string()) };
        let sent = Sender::new(4).send(relay.as_fd(), &batch, &[nowhere, good, nowhere, good]);
        assert_eq!(sent, Sent { packets: 2, bytes: 8, refused: 2 });
    }

    #[test]
    fn a_datagram_longer_than_its_buffer_has_no_source() {
        let (peer, relay) = (socket(), socket());
        peer.send_to(&[7; 100], address(&relay)).expect("loopback takes it");
        let mut batch = Batch::new(2, 64);
        assert_eq!(batch.receive(relay.as_fd()).expect("one waits"), 1);
        assert_eq!((batch.datagram(0), batch.source(0)), (&[7; 64][..], None));
        peer.send_to(&[7; 64], address(&relay)).expect("loopback takes it");
        assert_eq!(batch.receive(relay.as_fd()).expect("one waits"), 1);
        assert_eq!(batch.source(0), Some(address(&peer)), "the next one is whole");
    }
}
