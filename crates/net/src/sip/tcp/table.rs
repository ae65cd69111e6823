//! The connections that stand, by remote: who may come in, who has to go for it, where a message
//! to a remote is queued.
//!
//! No socket here: a connection is the queue to its task. Dropping an entry ends the task.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use ::sip::Transmit;
use tokio::sync::{mpsc, oneshot};

use super::limits::{MESSAGE_OVERHEAD, OUTBOX_MESSAGES_MAX, TcpLimits};
use super::meter::{Budget, Gauge};

/// Names a connection among those that had the same remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionId(u64);

/// The table's side of a connection.
#[derive(Debug)]
struct Entry {
    id: ConnectionId,
    outbox: mpsc::Sender<Transmit>,
    gauge: Arc<Gauge>,
    /// Whose connection it is, where it is the peer's doing.
    source: Option<IpAddr>,
    /// Dropped with the entry, which the task notices.
    _alive: oneshot::Sender<()>,
}

/// The task's side of a connection.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: ConnectionId,
    pub(super) outbox: mpsc::Receiver<Transmit>,
    pub(super) gauge: Arc<Gauge>,
    pub(super) writing: Budget,
    pub(super) reading: Budget,
    /// Ends when the table no longer wants the connection.
    pub(super) alive: oneshot::Receiver<()>,
}

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotQueued {
    /// There is no connection to that remote.
    NoConnection,
    /// Its peer takes so little that it is given up.
    Full,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    limits: TcpLimits,
    /// What waits to be written.
    writing: Budget,
    /// What was read of messages that are not complete.
    reading: Budget,
    entries: BTreeMap<SocketAddr, Entry>,
    by_source: BTreeMap<IpAddr, usize>,
    next: u64,
}

impl Table {
    pub(super) fn new(limits: TcpLimits) -> Table {
        Table {
            limits,
            writing: Budget::new(limits.held_bytes),
            reading: Budget::new(limits.held_bytes),
            entries: BTreeMap::new(),
            by_source: BTreeMap::new(),
            next: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn held(&self) -> usize {
        self.writing.held() + self.reading.held()
    }

    /// A place for a connection to `remote`. `theirs`: the peer opened it, or made us open it, and
    /// it counts for its source. Where there is no place, the idlest connection that can be spared
    /// goes; `None` where none can.
    pub(super) fn seat(&mut self, now: Instant, remote: SocketAddr, theirs: bool) -> Option<Seat> {
        // why: the kernel gave the remote's port again, so the old connection is dead.
        self.remove(remote);
        let source = theirs.then(|| source_of(remote.ip()));
        if let Some(source) = source
            && self.by_source.get(&source).is_some_and(|count| *count >= self.limits.per_source)
        {
            self.spare(now, |entry| entry.source == Some(source))?;
        }
        if self.entries.len() >= self.limits.connections {
            self.spare(now, |_| true)?;
        }
        if let Some(source) = source {
            *self.by_source.entry(source).or_default() += 1;
        }
        let id = ConnectionId(self.next);
        self.next += 1;
        let (outbox, waiting) = mpsc::channel(OUTBOX_MESSAGES_MAX);
        let (_alive, alive) = oneshot::channel();
        let gauge = Arc::new(Gauge::new());
        let entry = Entry { id, outbox, gauge: Arc::clone(&gauge), source, _alive };
        self.entries.insert(remote, entry);
        let (writing, reading) = (self.writing.clone(), self.reading.clone());
        Some(Seat { id, outbox: waiting, gauge, writing, reading, alive })
    }

    /// Ends the idlest of these connections, if it is idle enough.
    fn spare(&mut self, now: Instant, among: impl Fn(&Entry) -> bool) -> Option<()> {
        let candidates = self.entries.iter().filter(|(_, entry)| among(entry));
        let used = |entry: &Entry| entry.gauge.last_used();
        let (remote, idlest) = candidates.min_by_key(|(_, entry)| used(entry))?;
        let idle = now.saturating_duration_since(used(idlest));
        let remote = *remote;
        (idle >= self.limits.spare_after).then(|| self.remove(remote))
    }

    /// Queues a message; a connection whose queue is full is given up, and if all of them hold too
    /// much, the one that holds the most.
    pub(super) fn queue(
        &mut self,
        remote: SocketAddr,
        transmit: &Transmit,
    ) -> Result<(), NotQueued> {
        let Some(entry) = self.entries.get(&remote) else { return Err(NotQueued::NoConnection) };
        let counts = counted(transmit);
        let fits = entry.gauge.wait(counts) <= self.limits.outbox_bytes;
        let in_all = self.writing.overdraw(counts);
        let sent = if fits {
            entry.outbox.try_send(transmit.clone()).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => NotQueued::Full,
                // why: the task has ended and its news are still on their way.
                mpsc::error::TrySendError::Closed(_) => NotQueued::NoConnection,
            })
        } else {
            Err(NotQueued::Full)
        };
        if sent.is_err() {
            self.remove(remote);
        } else if !in_all {
            self.shed(remote)?;
        }
        sent
    }

    /// All connections hold too much: the one that holds the most goes.
    fn shed(&mut self, sender: SocketAddr) -> Result<(), NotQueued> {
        let most = self.entries.iter().max_by_key(|(_, entry)| entry.gauge.unsent());
        let Some((remote, _)) = most else { return Ok(()) };
        let remote = *remote;
        self.remove(remote);
        if remote == sender { Err(NotQueued::Full) } else { Ok(()) }
    }

    /// The task of this connection has ended; whether no newer one has taken its place.
    pub(super) fn ended(&mut self, remote: SocketAddr, id: ConnectionId) -> bool {
        match self.entries.get(&remote) {
            Some(entry) if entry.id != id => false,
            Some(_) => {
                self.remove(remote);
                true
            }
            None => true,
        }
    }

    fn remove(&mut self, remote: SocketAddr) {
        let Some(entry) = self.entries.remove(&remote) else { return };
        self.writing.give(entry.gauge.let_go());
        let Some(source) = entry.source else { return };
        if let Some(count) = self.by_source.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
    }
}

/// What a message that waits counts.
pub(super) fn counted(transmit: &Transmit) -> usize {
    transmit.bytes.len() + MESSAGE_OVERHEAD
}

/// Whom an address belongs to: over IPv6 a whole network is one customer's.
fn source_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ::sip::{Flow, Transport};

    use super::*;

    const LIMITS: fn() -> TcpLimits = || TcpLimits {
        connections: 4,
        per_source: 2,
        outbox_bytes: 2_000,
        held_bytes: 4_000,
        ..TcpLimits::default()
    };

    fn remote(text: &str) -> SocketAddr {
        text.parse().expect("a literal")
    }

    fn message(length: usize) -> Transmit {
        let address = remote("192.0.2.1:5060");
        let flow = Flow { transport: Transport::Tcp, local: address, remote: address };
        Transmit { flow, bytes: vec![b'x'; length].into(), otherwise: None }
    }

    #[test]
    fn one_source_cannot_take_all_the_places() {
        let mut table = Table::new(LIMITS());
        let now = Instant::now();
        let mut seats = Vec::new();
        for (address, admitted) in [
            ("192.0.2.1:1", true),
            ("192.0.2.1:2", true),
            ("192.0.2.1:3", false),
            ("[2001:db8::1]:1", true),
            ("[2001:db8::2]:1", true),
            ("[2001:db8::3]:1", false),
            ("[2001:db8:0:1::1]:1", false),
        ] {
            let seat = table.seat(now, remote(address), true);
            assert_eq!(seat.is_some(), admitted, "{address}");
            seats.extend(seat);
        }
        assert_eq!(table.len(), 4);
        // Our own connections count among all, not for their remote.
        assert!(table.ended(remote("192.0.2.1:1"), seats[0].id));
        assert!(table.seat(now, remote("192.0.2.1:9"), false).is_some());
        assert!(table.seat(now, remote("192.0.2.1:8"), true).is_none(), "all places are taken");
    }

    #[test]
    fn the_idlest_goes_when_a_place_is_wanted() {
        let limits = TcpLimits { spare_after: Duration::from_secs(32), ..LIMITS() };
        let mut table = Table::new(limits);
        let start = Instant::now();
        let mut seats: Vec<Seat> = (1..=4)
            .map(|n| table.seat(start, remote(&format!("192.0.2.{n}:1")), true).expect("room"))
            .collect();
        std::thread::sleep(Duration::from_millis(5));
        for at in [0, 1, 3] {
            seats[at].gauge.touch();
        }
        assert!(table.seat(start, remote("192.0.2.9:1"), true).is_none(), "nobody is idle");
        let later = start + Duration::from_secs(33);
        let _kept = table.seat(later, remote("192.0.2.9:1"), true).expect("room is made");
        assert!(seats[2].alive.try_recv().is_err(), "the third was told to go");
        assert!(matches!(seats[0].alive.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
        assert_eq!(table.len(), 4);
    }

    #[test]
    fn a_peer_that_does_not_read_is_given_up() {
        let mut table = Table::new(LIMITS());
        let (one, two) = (remote("192.0.2.1:1"), remote("192.0.2.2:1"));
        let seat = table.seat(Instant::now(), one, true).expect("room");
        assert_eq!(table.queue(two, &message(1)), Err(NotQueued::NoConnection));
        assert_eq!(table.queue(one, &message(500)), Ok(()));
        assert_eq!(table.held(), 500 + MESSAGE_OVERHEAD);
        assert_eq!(table.queue(one, &message(500)), Err(NotQueued::Full));
        assert_eq!((table.len(), table.held()), (0, 0));
        assert_eq!(seat.gauge.done(500), 0, "nothing is given back twice");
    }

    #[test]
    fn where_all_hold_too_much_the_one_with_the_most_goes() {
        let mut table = Table::new(LIMITS());
        let [one, two, three] = [1, 2, 3].map(|n| remote(&format!("192.0.2.{n}:1")));
        let _seats =
            [one, two, three].map(|remote| table.seat(Instant::now(), remote, true).expect("room"));
        for (remote, length) in [(one, 200), (two, 900)] {
            assert_eq!(table.queue(remote, &message(length)), Ok(()));
        }
        assert_eq!(table.queue(three, &message(100)), Ok(()), "who holds less is served");
        assert_eq!(table.len(), 2);
        assert_eq!(table.queue(two, &message(1)), Err(NotQueued::NoConnection));
        assert_eq!(table.held(), 300 + 2 * MESSAGE_OVERHEAD);
    }

    #[test]
    fn news_of_an_old_connection_do_not_end_a_new_one() {
        let mut table = Table::new(LIMITS());
        let one = remote("192.0.2.1:1");
        let old = table.seat(Instant::now(), one, true).expect("room");
        let new = table.seat(Instant::now(), one, true).expect("in its place");
        assert!(!table.ended(one, old.id));
        assert_eq!(table.len(), 1);
        assert!(table.ended(one, new.id));
        assert_eq!((table.len(), table.by_source.len()), (0, 0));
    }
}
