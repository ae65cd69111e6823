//! Socket addresses in the kernel's form.
//!
//! One fixed form of 28 bytes holds IPv4 and IPv6, so that arrays of them need no allocation. An
//! IPv6 socket bound to `::` also carries IPv4, as mapped addresses: they are mapped on the way in
//! and unmapped on the way out, so that the rest of the program sees one form of each address.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Which kind of socket an address is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// `AF_INET`.
    V4,
    /// `AF_INET6`: IPv4 destinations are written as mapped addresses.
    V6,
}

impl Family {
    /// The family of a socket bound to `address`.
    pub(crate) fn of(address: SocketAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// Room for a `sockaddr_in` or a `sockaddr_in6`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) union RawAddress {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// Bytes that the kernel may write into a [`RawAddress`].
#[expect(clippy::cast_possible_truncation, reason = "28")]
pub(crate) const CAPACITY: libc::socklen_t = size_of::<RawAddress>() as libc::socklen_t;

impl RawAddress {
    /// An address of no family.
    pub(crate) const fn empty() -> RawAddress {
        RawAddress {
            v6: libc::sockaddr_in6 {
                sin6_family: 0,
                sin6_port: 0,
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
                sin6_scope_id: 0,
            },
        }
    }

    /// `address` as a socket of `family` takes it; `None` for IPv6 on an IPv4 socket.
    pub(crate) fn encode(address: SocketAddr, family: Family) -> Option<RawAddress> {
        match (address, family) {
            (SocketAddr::V4(v4), Family::V4) => Some(Self::from_v4(v4)),
            (SocketAddr::V4(v4), Family::V6) => {
                let mapped = v4.ip().to_ipv6_mapped();
                Some(Self::from_v6(SocketAddrV6::new(mapped, v4.port(), 0, 0)))
            }
            (SocketAddr::V6(v6), Family::V6) => Some(Self::from_v6(v6)),
            (SocketAddr::V6(_), Family::V4) => None,
        }
    }

    fn from_v4(address: SocketAddrV4) -> RawAddress {
        let mut raw = Self::empty();
        raw.v4 = libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: address.port().to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
            sin_zero: [0; 8],
        };
        raw
    }

    fn from_v6(address: SocketAddrV6) -> RawAddress {
        RawAddress {
            v6: libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            },
        }
    }

    /// The address that the kernel wrote, IPv4 always in its own form; `None` if it wrote none.
    pub(crate) fn decode(&self) -> Option<SocketAddr> {
        // SAFETY: `family` is the first field of every variant and every bit pattern is a number.
        let family = libc::c_int::from(unsafe { self.family });
        match family {
            libc::AF_INET => {
                // SAFETY: all 28 bytes are initialised and the fields are plain integers.
                let v4 = unsafe { self.v4 };
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddr::from((ip, u16::from_be(v4.sin_port))))
            }
            libc::AF_INET6 => {
                // SAFETY: all 28 bytes are initialised and the fields are plain integers.
                let v6 = unsafe { self.v6 };
                let (ip, port) = (Ipv6Addr::from(v6.sin6_addr.s6_addr), u16::from_be(v6.sin6_port));
                Some(match ip.to_ipv4_mapped() {
                    Some(v4) => SocketAddr::from((v4, port)),
                    None => SocketAddr::V6(SocketAddrV6::new(
                        ip,
                        port,
                        v6.sin6_flowinfo,
                        v6.sin6_scope_id,
                    )),
                })
            }
            _ => None,
        }
    }

    /// How many of the bytes count for the address's family.
    pub(crate) fn length(&self) -> libc::socklen_t {
        // SAFETY: `family` is the first field of every variant and every bit pattern is a number.
        let family = libc::c_int::from(unsafe { self.family });
        if family == libc::AF_INET {
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        } else {
            CAPACITY
        }
    }

    /// The pointer that `msghdr` and `sendto` want.
    pub(crate) fn as_ptr(&self) -> *const libc::sockaddr {
        std::ptr::from_ref(self).cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_kernel_form() {
        let rows = [
            ("192.0.2.7:5060", Family::V4, Some("192.0.2.7:5060")),
            ("192.0.2.7:5060", Family::V6, Some("192.0.2.7:5060")),
            ("[2001:db8::7]:12000", Family::V6, Some("[2001:db8::7]:12000")),
            ("[2001:db8::7]:12000", Family::V4, None),
        ];
        for (address, family, expected) in rows {
            let address: SocketAddr = address.parse().expect("a literal");
            let got = RawAddress::encode(address, family).and_then(|raw| raw.decode());
            assert_eq!(got, expected.map(|text| text.parse().expect("a literal")), "{address}");
        }
    }

    #[test]
    fn an_address_that_was_never_written_is_none() {
        assert_eq!(RawAddress::empty().decode(), None);
    }
}
