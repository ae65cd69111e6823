//! Which of our addresses a remote sees, where the socket is bound to all of them.
//!
//! The kernel is asked (a connected datagram socket sends nothing) and its answer kept for a
//! while, because every message needs it and interfaces seldom change.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How long an answer holds: an interface that changed its address is noticed after that.
const ROUTE_LIFETIME: Duration = Duration::from_secs(30);

/// Remotes remembered. Beyond it the table starts again, which costs one question each.
const ROUTES_MAX: usize = 4096;

/// Any port will do: nothing is sent.
const DISCARD_PORT: u16 = 9;

/// Answers by remote.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    known: BTreeMap<IpAddr, (IpAddr, Instant)>,
}

impl Routes {
    /// The address of the interface toward `remote`.
    pub(crate) fn local_towards(&mut self, remote: IpAddr, now: Instant) -> io::Result<IpAddr> {
        self.lookup(remote, now, ask_kernel)
    }

    fn lookup(
        &mut self,
        remote: IpAddr,
        now: Instant,
        ask: impl FnOnce(IpAddr) -> io::Result<IpAddr>,
    ) -> io::Result<IpAddr> {
        if let Some(&(local, since)) = self.known.get(&remote)
            && now.saturating_duration_since(since) < ROUTE_LIFETIME
        {
            return Ok(local);
        }
        let local = ask(remote)?;
        if self.known.len() >= ROUTES_MAX {
            self.known.clear();
        }
        self.known.insert(remote, (local, now));
        Ok(local)
    }
}

fn ask_kernel(remote: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(SocketAddr::new(remote, DISCARD_PORT))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_knows_the_way_to_loopback() {
        let local = Routes::default()
            .local_towards(Ipv4Addr::LOCALHOST.into(), Instant::now())
            .expect("loopback is always there");
        assert_eq!(local, IpAddr::from(Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn an_answer_is_kept_for_a_while_and_then_asked_again() {
        let mut routes = Routes::default();
        let remote = IpAddr::from([192, 0, 2, 1]);
        let answers = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        let start = Instant::now();
        let mut ask = |after, answer| {
            routes.lookup(remote, start + after, |_| Ok(answer)).expect("an answer")
        };
        assert_eq!(ask(Duration::ZERO, answers[0]), answers[0]);
        assert_eq!(ask(ROUTE_LIFETIME - Duration::from_secs(1), answers[1]), answers[0]);
        assert_eq!(ask(ROUTE_LIFETIME, answers[1]), answers[1]);
    }

    #[test]
    fn many_remotes_do_not_fill_the_memory() {
        let mut routes = Routes::default();
        let start = Instant::now();
        for number in 0..2 * u32::try_from(ROUTES_MAX).expect("small") {
            let remote = IpAddr::from(number.to_be_bytes());
            routes.lookup(remote, start, Ok).expect("an answer");
        }
        assert!(routes.known.len() <= ROUTES_MAX);
    }
}
