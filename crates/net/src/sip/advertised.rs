//! Which of our addresses a remote should answer to: what Via, Contact and SDP advertise.
//!
//! The external address if there is one, else the bound one, else that of the interface toward
//! the remote. Also the words for a bind that failed.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ::sip::{Flow, Transport};

use super::routes::Routes;

/// The addresses of one transport.
pub struct Advertised {
    transport: Transport,
    local: SocketAddr,
    external: Option<IpAddr>,
    routes: Mutex<Routes>,
}

impl fmt::Debug for Advertised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Advertised { transport, local, external, .. } = self;
        f.debug_struct("Advertised")
            .field("transport", transport)
            .field("local", local)
            .field("external", external)
            .finish_non_exhaustive()
    }
}

impl Advertised {
    pub(super) fn new(
        transport: Transport,
        local: SocketAddr,
        external: Option<IpAddr>,
    ) -> Advertised {
        Advertised { transport, local, external, routes: Mutex::new(Routes::default()) }
    }

    /// The bound address.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The flow to `remote`, its `local` being what that remote should answer to.
    pub fn flow_to(&self, remote: SocketAddr) -> Flow {
        // why: with no way to `remote` the sending fails anyway, and says so.
        let ask = |ip| {
            // The table stays whole whatever panicked: each change to it is one step.
            let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
            routes.local_towards(ip, Instant::now()).unwrap_or_else(|_| self.local.ip())
        };
        self.flow(remote, ask)
    }

    /// As [`Advertised::flow_to`], where it is known at which of our addresses `remote` is.
    pub(super) fn flow_at(&self, remote: SocketAddr, here: IpAddr) -> Flow {
        self.flow(remote, |_| here.to_canonical())
    }

    fn flow(&self, remote: SocketAddr, interface: impl FnOnce(IpAddr) -> IpAddr) -> Flow {
        let ip = remote.ip().to_canonical();
        let external = self.external.filter(|external| external.is_ipv4() == ip.is_ipv4());
        let advertised = match external {
            Some(external) => external,
            None if !self.local.ip().is_unspecified() => self.local.ip(),
            None => interface(ip),
        };
        let local = SocketAddr::new(advertised, self.local.port());
        Flow { transport: self.transport, local, remote }
    }
}

/// An error of binding, for the operator: what could not be had, and the remedy. `key` is that
/// of `[sip]`.
pub(super) fn unbound(key: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    let what = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "address already in use; another program (or another Switchhook) holds this port: \
             stop it or choose another port in [sip] {key}"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "not an address of this machine; choose one that is, or 0.0.0.0 for all, in \
             [sip] {key}"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "not permitted; ports below 1024 need privileges: choose another port in [sip] {key}"
        ),
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("{key} {address}: {what}"))
}
