//! The next hop of a message: the flow it takes and, over a connection, where to turn when that
//! connection is gone.
//!
//! Owns the two rules for it: a response goes back to where its request came from (RFC 3261
//! §18.2.2), a request in a dialog goes to the first route or the remote target. Connections are
//! opened and closed elsewhere.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::{
    endpoint::{Flow, Transmit},
    message::Message,
    uri::Uri,
};

/// Default port of SIP over UDP and TCP.
const SIP_PORT: u16 = 5060;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) flow: Flow,
    /// As [`Transmit::otherwise`].
    pub(crate) otherwise: Option<SocketAddr>,
}

impl Hop {
    /// The way back of the responses to `request`, which came by `flow`.
    ///
    /// RFC 3261 §18.2.2: over the connection of the request; if that is closed, to the address
    /// that the request came from, at the port of sent-by.
    pub(crate) fn back(request: &Message, flow: Flow) -> Hop {
        let port = || Some(request.top_via().ok()?.port.unwrap_or(SIP_PORT));
        let reliable = flow.transport.is_reliable();
        let port = if reliable { port() } else { None };
        let otherwise = port.map(|port| SocketAddr::new(flow.remote.ip(), port));
        Hop { flow, otherwise }
    }

    /// The way to `target` for who is known to be reached by `flow`.
    ///
    /// Without connections it leads to the target if that is an address which can be good, else
    /// by the flow. A connection that stands is better than any address: the peer may be behind
    /// NAT, or the Contact a guess of its own. The address is for when it no longer stands.
    pub(crate) fn towards(target: Option<&Uri>, flow: Flow) -> Hop {
        let address = target.and_then(|uri| reachable(uri, flow));
        if flow.transport.is_reliable() {
            return Hop { flow, otherwise: address };
        }
        Hop { flow: Flow { remote: address.unwrap_or(flow.remote), ..flow }, otherwise: None }
    }

    pub(crate) fn transmit(self, bytes: Bytes) -> Transmit {
        let Hop { flow, otherwise } = self;
        Transmit { flow, bytes, otherwise }
    }
}

/// The address in a URI if a peer that is reached by `flow` can also be reached there.
pub(crate) fn reachable(uri: &Uri, flow: Flow) -> Option<SocketAddr> {
    let ip = uri.host_ip()?;
    // why: behind NAT a phone names an address of its own network. It is only good where the
    // phone reached us from such a network too.
    let good = ip.is_ipv4() == flow.remote.is_ipv4() && reach(ip) >= reach(flow.remote.ip());
    good.then(|| SocketAddr::new(ip, uri.port.unwrap_or(SIP_PORT)))
}

/// From how far away an address can be reached: this host, this network, everywhere.
fn reach(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() || ip.is_unspecified() => 0,
        IpAddr::V4(ip) => {
            // RFC 6598: 100.64.0.0/10 is behind a carrier's NAT.
            let [first, second, ..] = ip.octets();
            let carrier = first == 100 && second & 0xc0 == 64;
            if ip.is_private() || ip.is_link_local() || carrier { 1 } else { 2 }
        }
        IpAddr::V6(ip) if ip.is_loopback() || ip.is_unspecified() => 0,
        IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => 1,
        IpAddr::V6(_) => 2,
    }
}
