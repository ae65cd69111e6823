//! Loopback addresses that no other test uses, and ports on them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU8, Ordering};

/// Networks given out by this process.
static NEXT: AtomicU8 = AtomicU8::new(1);

/// A network of 254 loopback addresses: one test, one network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    second: u8,
    third: u8,
}

impl Network {
    pub(crate) fn new() -> Network {
        // why: two runs of the tests at the same time are two processes with different numbers.
        let second = u8::try_from(std::process::id() % 200).expect("below 200") + 50;
        Network { second, third: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The address that ends so.
    pub(crate) fn ip(self, host: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, self.second, self.third, host))
    }

    /// A name for files of this network.
    pub(crate) fn name(self) -> String {
        format!("{}-{}", std::process::id(), self.third)
    }
}

/// A UDP port that nobody uses.
pub(crate) fn free_port(ip: IpAddr) -> u16 {
    let socket = UdpSocket::bind((ip, 0)).expect("loopback has a free port");
    socket.local_addr().expect("a bound socket has an address").port()
}

/// A TCP port that nobody listens on.
pub(crate) fn free_tcp_port(ip: IpAddr) -> u16 {
    let socket = TcpListener::bind((ip, 0)).expect("loopback has a free port");
    socket.local_addr().expect("a bound socket has an address").port()
}

/// Whether some process receives UDP on exactly this address.
pub(crate) fn is_bound(address: SocketAddr) -> bool {
    let IpAddr::V4(ip) = address.ip() else { return false };
    // proc(5): the address as a number in the byte order of the machine, in hexadecimal.
    let number = u32::from_ne_bytes(ip.octets());
    let wanted = format!("{number:08X}:{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    table.lines().any(|line| line.split_whitespace().nth(1) == Some(wanted.as_str()))
}
