//! The addresses of this machine's interfaces.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::checked;

/// Every IPv4 and IPv6 address of every interface that is there now.
///
/// # Errors
/// The system's.
pub(crate) fn own_addresses() -> io::Result<Vec<IpAddr>> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: the pointer is to a local; on success the list is freed below, once.
    checked(unsafe { libc::getifaddrs(&raw mut list) })?;
    let mut addresses = Vec::new();
    let mut entry = list;
    while !entry.is_null() {
        // SAFETY: `entry` is an element of the list, which is not freed before the loop ends.
        let (address, next) = unsafe { ((*entry).ifa_addr, (*entry).ifa_next) };
        addresses.extend(address_of(address));
        entry = next;
    }
    // SAFETY: the list came from getifaddrs, and no pointer into it is kept.
    unsafe { libc::freeifaddrs(list) };
    Ok(addresses)
}

fn address_of(address: *const libc::sockaddr) -> Option<IpAddr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: the system's address says its family, and is as long as that family's is.
    unsafe {
        match i32::from((*address).sa_family) {
            libc::AF_INET => {
                let bits = (*address.cast::<libc::sockaddr_in>()).sin_addr.s_addr;
                Some(IpAddr::from(Ipv4Addr::from(u32::from_be(bits))))
            }
            libc::AF_INET6 => {
                let octets = (*address.cast::<libc::sockaddr_in6>()).sin6_addr.s6_addr;
                Some(IpAddr::from(Ipv6Addr::from(octets)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_one_of_them() {
        let addresses = own_addresses().unwrap();
        assert!(addresses.contains(&IpAddr::from(Ipv4Addr::LOCALHOST)), "{addresses:?}");
    }
}
