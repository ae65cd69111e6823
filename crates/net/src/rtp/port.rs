//! The pool of RTP ports: an even port for RTP and the next one for RTCP (RFC 3550 §11).
//!
//! In goes a range, out come bound pairs of sockets; a pair's number comes back with
//! [`Ports::release`] once its sockets are closed. Ports go round in a shuffled order, so that a
//! stranger cannot guess the next one, and a freed port rests before it serves again, so that late
//! packets of the last call do not land in a new one. Not here: what is done with the sockets.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::seed::Seeds;

/// How long a freed or clashing port stays out of use.
pub const REST: Duration = Duration::from_secs(5);

/// How many pairs that another program holds are tried before an opening is given up.
const CLASHES_MAX: usize = 128;

/// DSCP "expedited forwarding" in the upper six bits (RFC 4594 §4.1: telephony media).
const TOS_EXPEDITED: u32 = 46 << 2;

/// Why no pair of sockets could be had.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    /// Every pair is in a call, resting, or held by another program.
    #[error(
        "no RTP port free in {first}-{last}: of {pairs} pairs {used} are in calls and {resting} \
         rest after use or are held by another program; widen [media] ports or lower [limits] calls"
    )]
    NoneFree {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
        /// Pairs in the range.
        pairs: usize,
        /// Pairs that calls hold.
        used: usize,
        /// Pairs that wait out [`REST`].
        resting: usize,
    },
    /// The system refused for another reason: no descriptor left, an address that is not ours.
    #[error("RTP port {address}: {source}{}", remedy(source))]
    Io {
        /// What was to be bound.
        address: SocketAddr,
        /// The system's word.
        source: io::Error,
    },
}

fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => {
            "; raise the limit of open files (RLIMIT_NOFILE): each leg takes two"
        }
        Some(libc::EADDRNOTAVAIL) => "; [media] address must be an address of this machine",
        Some(libc::EACCES) => "; ports below 1024 need privileges: choose others in [media] ports",
        _ => "",
    }
}

/// Two bound sockets. Dropping them closes them, but only [`Ports::release`] gives the number back.
#[derive(Debug)]
pub struct PortPair {
    port: u16,
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl PortPair {
    /// The even port, for the SDP. RTCP is on the next one.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn rtp(&self) -> BorrowedFd<'_> {
        self.rtp.as_fd()
    }

    pub(crate) fn rtcp(&self) -> BorrowedFd<'_> {
        self.rtcp.as_fd()
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.rtp.local_addr()
    }

    /// A pair of any two sockets, for tests that need no particular port.
    #[cfg(test)]
    pub(crate) fn of(rtp: UdpSocket, rtcp: UdpSocket) -> PortPair {
        let port = rtp.local_addr().map_or(0, |address| address.port());
        PortPair { port, rtp, rtcp }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Free,
    Taken,
    Resting,
}

/// The pool. One owner; opening costs two sockets and no search.
#[derive(Debug)]
pub struct Ports {
    address: IpAddr,
    first: u16,
    last: u16,
    /// By pair number: what is known of it. Guards against a port released twice.
    uses: Vec<Use>,
    /// Pair numbers, the next to serve first.
    free: VecDeque<u16>,
    /// Pair numbers and when they were freed, oldest first.
    resting: VecDeque<(Instant, u16)>,
}

impl Ports {
    /// A pool over `range` on `address` (`0.0.0.0` and `::` mean every interface; `::` carries
    /// IPv4 too). An odd first port is left out; a range without a whole pair is always empty.
    pub fn new(address: IpAddr, range: RangeInclusive<u16>) -> Ports {
        let first = range.start().checked_add(range.start() % 2).unwrap_or(u16::MAX);
        let last = *range.end();
        let ports = usize::from(last) + 1 - usize::from(first).min(usize::from(last) + 1);
        let pairs = u16::try_from(ports / 2).unwrap_or(u16::MAX);
        let mut free: VecDeque<u16> = (0..pairs).collect();
        shuffle(free.make_contiguous(), &mut Seeds::random());
        Ports {
            address,
            first,
            last,
            uses: vec![Use::Free; usize::from(pairs)],
            free,
            resting: VecDeque::with_capacity(usize::from(pairs)),
        }
    }

    /// How many pairs the range holds, used or not.
    pub fn pairs(&self) -> usize {
        self.uses.len()
    }

    /// How many pairs are out in calls.
    pub fn used(&self) -> usize {
        self.uses.len() - self.free.len() - self.resting.len()
    }

    /// Binds the next free pair. A pair that another program holds rests, and the next is taken.
    ///
    /// # Errors
    /// [`PortsError::NoneFree`] when no pair is left, [`PortsError::Io`] for anything else.
    pub fn open(&mut self, now: Instant) -> Result<PortPair, PortsError> {
        self.wake_rested(now);
        for _ in 0..CLASHES_MAX {
            let Some(pair) = self.free.pop_front() else { break };
            let port = self.first + 2 * pair;
            match self.bind_pair(port) {
                Ok(bound) => {
                    self.uses[usize::from(pair)] = Use::Taken;
                    return Ok(bound);
                }
                Err((_, error)) if error.kind() == io::ErrorKind::AddrInUse => {
                    tracing::warn!(port, "RTP port held by another program; taking the next");
                    self.rest(now, pair);
                }
                Err((address, source)) => {
                    self.free.push_back(pair);
                    return Err(PortsError::Io { address, source });
                }
            }
        }
        Err(PortsError::NoneFree {
            first: self.first,
            last: self.last,
            pairs: self.pairs(),
            used: self.used(),
            resting: self.resting.len(),
        })
    }

    /// Takes back the number of a pair whose sockets are closed. It serves again after [`REST`].
    /// A number that is not out is ignored.
    pub fn release(&mut self, now: Instant, port: u16) {
        let Some(offset) = port.checked_sub(self.first) else { return };
        let pair = offset / 2;
        if self.uses.get(usize::from(pair)) == Some(&Use::Taken) && offset % 2 == 0 {
            self.rest(now, pair);
        }
    }

    fn rest(&mut self, now: Instant, pair: u16) {
        self.uses[usize::from(pair)] = Use::Resting;
        self.resting.push_back((now, pair));
    }

    fn wake_rested(&mut self, now: Instant) {
        while let Some(&(since, pair)) = self.resting.front() {
            if now.saturating_duration_since(since) < REST {
                break;
            }
            self.resting.pop_front();
            self.uses[usize::from(pair)] = Use::Free;
            self.free.push_back(pair);
        }
    }

    fn bind_pair(&self, port: u16) -> Result<PortPair, (SocketAddr, io::Error)> {
        let rtp = bind(SocketAddr::new(self.address, port))?;
        let rtcp = bind(SocketAddr::new(self.address, port + 1))?;
        Ok(PortPair { port, rtp, rtcp })
    }
}

fn bind(address: SocketAddr) -> Result<UdpSocket, (SocketAddr, io::Error)> {
    let bound = || -> io::Result<UdpSocket> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        let marked = match address {
            SocketAddr::V4(_) => socket.set_tos_v4(TOS_EXPEDITED),
            SocketAddr::V6(_) => socket.set_tclass_v6(TOS_EXPEDITED),
        };
        if let Err(error) = marked {
            tracing::debug!(%error, "RTP packets stay unmarked");
        }
        socket.bind(&address.into())?;
        Ok(socket.into())
    };
    bound().map_err(|error| (address, error))
}

/// Fisher and Yates.
fn shuffle(items: &mut [u16], seeds: &mut Seeds) {
    for end in (1..items.len()).rev() {
        let choice = usize::try_from(seeds.next_seed() % (end as u64 + 1)).unwrap_or(0);
        items.swap(end, choice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_pair_is_an_even_port_and_the_next() {
        let mut ports = Ports::new(LOOPBACK, 21001..=21008);
        assert_eq!(ports.pairs(), 3);
        let pair = ports.open(Instant::now()).expect("a free pair");
        assert_eq!(pair.port() % 2, 0);
        assert!((21002..=21006).contains(&pair.port()));
        let local = |socket: &UdpSocket| socket.local_addr().expect("bound").port();
        assert_eq!((local(&pair.rtp), local(&pair.rtcp)), (pair.port(), pair.port() + 1));
    }

    #[test]
    fn ports_go_round_in_no_guessable_order() {
        let orders: Vec<VecDeque<u16>> =
            (0..3).map(|_| Ports::new(LOOPBACK, 12000..=31999).free).collect();
        assert_eq!(orders[0].len(), 10_000);
        assert!(orders[0] != orders[1] || orders[1] != orders[2]);
        assert!(orders[0].iter().zip(1..).any(|(pair, position)| *pair != position));
    }

    #[test]
    fn a_freed_port_rests_five_seconds() {
        let mut ports = Ports::new(LOOPBACK, 21100..=21101);
        let start = Instant::now();
        let pair = ports.open(start).expect("a free pair");
        assert_eq!(ports.used(), 1);
        drop(pair);
        ports.release(start, 21100);
        ports.release(start, 21100);
        ports.release(start, 21101);
        ports.release(start, 9);
        assert_eq!(ports.used(), 0);
        let early = ports.open(start + REST - Duration::from_millis(1)).expect_err("it rests");
        assert!(matches!(early, PortsError::NoneFree { used: 0, resting: 1, .. }), "{early}");
        let pair = ports.open(start + REST).expect("rested");
        assert_eq!(pair.port(), 21100);
    }

    #[test]
    fn all_ports_used_is_said_clearly() {
        let mut ports = Ports::new(LOOPBACK, 21200..=21203);
        let now = Instant::now();
        let _calls = [ports.open(now).expect("first"), ports.open(now).expect("second")];
        let error = ports.open(now).expect_err("none left");
        assert_eq!(
            error.to_string(),
            "no RTP port free in 21200-21203: of 2 pairs 2 are in calls and 0 rest after use or \
             are held by another program; widen [media] ports or lower [limits] calls"
        );
    }

    #[test]
    fn a_clash_takes_the_next_pair() {
        for held in [21300, 21301, 21302, 21303] {
            let _stranger = UdpSocket::bind((LOOPBACK, held)).expect("a free port");
            let mut ports = Ports::new(LOOPBACK, 21300..=21303);
            let now = Instant::now();
            let pair = ports.open(now).expect("the pair that nobody holds");
            assert_eq!(pair.port(), if held < 21302 { 21302 } else { 21300 });
            ports.open(now).expect_err("the other pair is held");
            assert_eq!(ports.used(), 1);
        }
    }

    #[test]
    fn an_address_of_another_machine_is_said_clearly() {
        let address = "203.0.113.77".parse().expect("a literal");
        let mut ports = Ports::new(address, 21400..=21401);
        let error = ports.open(Instant::now()).expect_err("not ours").to_string();
        assert!(error.starts_with("RTP port 203.0.113.77:21400: "), "{error}");
        assert!(error.ends_with("[media] address must be an address of this machine"), "{error}");
        assert_eq!(ports.free.len(), 1, "the pair is not lost");
    }

    #[test]
    fn a_range_without_a_pair_is_empty() {
        #[expect(clippy::reversed_empty_ranges, reason = "a configuration may say so")]
        let ranges = [65535..=65535, 21001..=21001, 21000..=21000, 21009..=21000];
        for range in ranges {
            let mut ports = Ports::new(LOOPBACK, range);
            assert_eq!(ports.pairs(), 0);
            ports.open(Instant::now()).expect_err("nothing to open");
        }
    }
}
