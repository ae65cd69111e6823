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
    // proc(5): the address as numbers in the byte order of the machine, in hexadecimal.
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let numbers = octets.chunks_exact(4).map(|four| {
        let four = four.try_into().expect("four bytes");
        format!("{:08X}", u32::from_ne_bytes(four))
    });
    let wanted = format!("{}:{:04X}", numbers.collect::<String>(), address.port());
    let table = if address.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    let table = std::fs::read_to_string(table).unwrap_or_default();
    table.lines().any(|line| line.split_whitespace().nth(1) == Some(wanted.as_str()))
}
