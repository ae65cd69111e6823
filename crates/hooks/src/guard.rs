//! Where a URL that an application names may point: public addresses, and the networks of
//! `[http] allow_private`.
//!
//! why: a list of verbs comes from outside and may be made by whoever can talk to the
//! application; without this a hook could read the metadata service of a cloud or the console
//! of a router. The address is checked where it is resolved, so the one that was checked is the
//! one that is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A resolved address that may not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not public")]
pub(crate) struct Private(pub(crate) IpAddr);

/// The rule, as a resolver of names for the client that asks URLs of applications.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    allow_private: Arc<[IpNet]>,
}

impl Guard {
    pub(crate) fn new(allow_private: &[IpNet]) -> Guard {
        Guard { allow_private: allow_private.into() }
    }

    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Private> {
        let address = address.to_canonical();
        if is_public(address) || self.allow_private.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        Err(Private(address))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let mut allowed: Vec<SocketAddr> = Vec::new();
            let mut refused = None;
            for address in tokio::net::lookup_host((name.as_str(), 0)).await? {
                match guard.check(address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(private) => refused = Some(private),
                }
            }
            match refused {
                Some(private) if allowed.is_empty() => Err(private.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Reachable over the public internet by the address registries of IANA (RFC 6890 and its
/// updates): neither private, loopback, link-local, shared, documentation, multicast nor reserved.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(first == 0
        || first >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // RFC 4291 §2.4: global unicast is what IANA hands out of 2000::/3. Of it, 2001::/23 is for
    // protocols, 2002::/16 hides an IPv4 address, 2001:db8::/32 and 3fff::/20 are documentation.
    (first & 0xe000) == 0x2000
        && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
        && first != 0x2002
        && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        let public = ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2a00:1450::1", "::ffff:8.8.8.8"];
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn allowed_networks_are_let_through() {
        let guard = Guard::new(&["10.0.0.0/8".parse().unwrap()]);
        assert!(guard.check("10.9.9.9".parse().unwrap()).is_ok());
        assert!(guard.check("::ffff:10.9.9.9".parse().unwrap()).is_ok());
        assert!(guard.check("192.168.0.1".parse().unwrap()).is_err());
    }
}
