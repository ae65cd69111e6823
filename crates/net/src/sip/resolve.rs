//! Host names to addresses, by the system's resolver (A and AAAA).
//!
//! In goes what a SIP URI or a gateway of the configuration names, out come addresses in the order
//! of preference. Not here: NAPTR and SRV (RFC 3263 §4.1 and §4.2), and caching.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::sync::Semaphore;

/// How long a lookup may take; a caller is waiting meanwhile.
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Lookups at one time. Each holds a thread until the system's resolver gives up, which may be
/// long after [`LOOKUP_TIMEOUT`]; further ones wait for their turn within their own time.
const LOOKUPS_MAX: usize = 64;

static LOOKUPS: Semaphore = Semaphore::const_new(LOOKUPS_MAX);

/// Why a host has no address.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The resolver answered: no such name, or no server to ask.
    #[error("host {host}: {source}; check the name, or the machine's DNS settings")]
    Failed {
        /// What was asked.
        host: String,
        /// The system's word.
        source: io::Error,
    },
    /// The name exists, without an address.
    #[error("host {host}: has no IPv4 or IPv6 address")]
    NoAddress {
        /// What was asked.
        host: String,
    },
    /// No answer within [`LOOKUP_TIMEOUT`].
    #[error("host {host}: no answer from DNS within {} s", LOOKUP_TIMEOUT.as_secs())]
    Timeout {
        /// What was asked.
        host: String,
    },
}

/// The addresses of `host` with `port`. An address literal, IPv6 with or without brackets, is
/// answered at once; a name is looked up. Never empty.
///
/// # Errors
/// [`ResolveError`], after [`LOOKUP_TIMEOUT`] at the latest.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    if let Some(address) = literal(host) {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let lookup = async {
        let _turn = LOOKUPS.acquire().await;
        let found = tokio::net::lookup_host((host, port)).await?;
        Ok::<Vec<SocketAddr>, io::Error>(found.collect())
    };
    let host = || host.to_owned();
    match tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await {
        Err(_) => Err(ResolveError::Timeout { host: host() }),
        Ok(Err(source)) => Err(ResolveError::Failed { host: host(), source }),
        Ok(Ok(found)) if found.is_empty() => Err(ResolveError::NoAddress { host: host() }),
        Ok(Ok(found)) => Ok(without_repeats(found)),
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// The resolver names an address once for each kind of socket.
fn without_repeats(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut kept: Vec<SocketAddr> = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !kept.contains(&address) {
            kept.push(address);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn addresses(host: &str) -> Vec<String> {
        let found = resolve(host, 5060).await.expect("an address");
        found.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_literal_needs_no_lookup() {
        assert_eq!(addresses("192.0.2.7").await, ["192.0.2.7:5060"]);
        assert_eq!(addresses("[2001:db8::7]").await, ["[2001:db8::7]:5060"]);
        assert_eq!(addresses("2001:db8::7").await, ["[2001:db8::7]:5060"]);
    }

    #[tokio::test]
    async fn a_name_is_looked_up() {
        let found = addresses("localhost").await;
        assert!(found.contains(&"127.0.0.1:5060".to_owned()), "{found:?}");
        let mut once = found.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), found.len());
    }

    #[tokio::test]
    async fn a_name_that_cannot_exist_is_an_error_that_names_it() {
        let error = resolve("no such host.invalid", 5060).await.expect_err("cannot exist");
        assert!(error.to_string().starts_with("host no such host.invalid: "), "{error}");
    }
}
