//! What peers may take of us over TCP, each limit with a name.
//!
//! The sizes of one message are limits of the stream reader, `sip::limits`.

use std::time::Duration;

/// Connections at one time, in and out. One for each phone that registers over TCP, and a file
/// descriptor each.
pub const CONNECTIONS_MAX: usize = 4_096;

/// Connections that one address opened, or made us open by closing its own before the answer; an
/// IPv6 network of 64 bits counts as one. An office behind NAT fits, one attacker does not fill the
/// table.
pub const CONNECTIONS_PER_SOURCE_MAX: usize = 256;

/// A connection that carried nothing for so long may be closed to make room for a new one.
/// RFC 3261 §18: 64*T1, by when a transaction on it has ended.
pub const SPARE_AFTER: Duration = Duration::from_secs(32);

/// A connection that carried nothing, not even a keep-alive, for so long is closed. Longer than
/// the hour for which a registration over TCP is granted.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(3_900);

/// How long connecting may take; a caller is waiting meanwhile.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a message may take from its first byte to its last, and a new connection to its first
/// message.
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a peer may take none of what is written to it, or acknowledge none of it.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a peer whose stream cannot be read has to take the 400 that says so.
pub(super) const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Messages that may wait to be written to one connection. A carrier has all its calls on one, and
/// all of them may end at once.
pub const OUTBOX_MESSAGES_MAX: usize = 4_096;

/// Bytes that may wait to be written to one connection, [`MESSAGE_OVERHEAD`] included.
pub const OUTBOX_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a message that waits is counted for besides its length: its place in the queue, and what
/// was allocated in vain when it was written.
pub const MESSAGE_OVERHEAD: usize = 1_024;

/// Bytes held for all connections together, for each direction: what waits to be written, and,
/// beyond [`READ_FREE`], messages that are not complete. Where more is to be written, the
/// connection with the most goes; where more is read, the one that it came on.
pub const HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of an incomplete message that count for nothing: no usual message is longer, so those who
/// fill [`HELD_BYTES_MAX`] do not keep others from being heard.
pub const READ_FREE: usize = 8 * 1024;

/// What is asked of the kernel for each direction of a connection, which doubles it: its own
/// choice would grow to megabytes for a peer that does not read.
pub const SOCKET_BUFFER: usize = 64 * 1024;

/// After so long without anything the kernel asks whether the peer is still there (RFC 1122
/// §4.2.3.6), ...
pub(super) const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// ... again after so long ...
pub(super) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// ... and so often until it is given up.
pub(super) const KEEPALIVES: u32 = 3;

/// Connections that the kernel may hold ready until they are accepted.
pub(super) const BACKLOG: i32 = 1_024;

/// Messages read, and other news of connections, that may wait for the signalling task. Full, the
/// connections wait, and then their peers.
pub(super) const NEWS_MAX: usize = 256;

/// News taken in one go.
pub(super) const NEWS_BATCH: usize = 64;

/// Bytes read with one system call.
pub(super) const READ_MAX: usize = 8 * 1024;

/// The limits of a [`Tcp`](super::Tcp) that a test may want smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpLimits {
    /// [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// [`CONNECTIONS_PER_SOURCE_MAX`].
    pub per_source: usize,
    /// [`SPARE_AFTER`].
    pub spare_after: Duration,
    /// [`IDLE_TIMEOUT`].
    pub idle_timeout: Duration,
    /// [`CONNECT_TIMEOUT`].
    pub connect_timeout: Duration,
    /// [`MESSAGE_TIMEOUT`].
    pub message_timeout: Duration,
    /// [`WRITE_TIMEOUT`].
    pub write_timeout: Duration,
    /// [`OUTBOX_BYTES_MAX`].
    pub outbox_bytes: usize,
    /// [`HELD_BYTES_MAX`].
    pub held_bytes: usize,
}

impl Default for TcpLimits {
    fn default() -> TcpLimits {
        TcpLimits {
            connections: CONNECTIONS_MAX,
            per_source: CONNECTIONS_PER_SOURCE_MAX,
            spare_after: SPARE_AFTER,
            idle_timeout: IDLE_TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            message_timeout: MESSAGE_TIMEOUT,
            write_timeout: WRITE_TIMEOUT,
            outbox_bytes: OUTBOX_BYTES_MAX,
            held_bytes: HELD_BYTES_MAX,
        }
    }
}
