//! Where a redirection may lead: never to ourselves, never to a place inside that only we can
//! reach, never past a carrier's limits.
//!
//! Owns the rule for addresses. Whether a redirection is followed at all is `redirect.rs`.

use std::net::{IpAddr, SocketAddr};

use crate::call::Call;
use crate::input::Way;
use crate::leg::LegId;
use crate::route::{Attempt, NextHop, SIP_PORT};
use crate::settings::{Carrier, Gateway, GatewayHost};
use sip::Flow;

impl Call {
    /// Of the ways to a leg's next hop those that it may take.
    pub(crate) fn allowed_ways(&self, id: LegId, ways: Vec<Way>) -> Vec<Way> {
        let Some(leg) = self.legs.get(&id).filter(|leg| leg.route.redirected_by.is_some()) else {
            return ways;
        };
        ways.into_iter().filter(|way| self.may_lead(&leg.route, way.flow)).collect()
    }

    /// Whether a redirection by `flow` may lead there, as far as its host tells before it is
    /// looked up.
    pub(super) fn may_lead_to_host(&self, way: &Attempt, flow: Flow) -> bool {
        let NextHop::Host { host, port, .. } = &way.next_hop else { return true };
        if let Some(remote) = socket_of(host, *port) {
            return self.may_lead(way, Flow { remote, ..flow });
        }
        let is_named = |gateway: &Gateway| match &gateway.host {
            GatewayHost::Name(name) => name.eq_ignore_ascii_case(host),
            GatewayHost::Net(_) => false,
        };
        let own = way.carrier.as_ref().map(|carrier| &carrier.name);
        let others = self.settings.carriers.iter().filter(|carrier| Some(&carrier.name) != own);
        !others.flat_map(|carrier| &carrier.gateways).any(is_named)
    }

    /// Whether a way that a redirection named may be taken over this flow.
    fn may_lead(&self, way: &Attempt, flow: Flow) -> bool {
        let Some(by) = way.redirected_by else { return true };
        let (local, remote) = (flow.local, flow.remote);
        let ip = remote.ip().to_canonical();
        let is_own = self.settings.own_addresses.contains(&ip) || local.ip().to_canonical() == ip;
        match &way.carrier {
            // why: a carrier's network may hold our own address too.
            Some(carrier) if is_of(carrier, ip) => !is_own,
            // why: whoever redirects within its own host leads nowhere that it is not itself,
            // unless that is a host which it shares with us or with a carrier's server.
            None if ip == by.to_canonical() => {
                let is_ourselves = is_own && remote.port() == local.port();
                !is_ourselves && !self.is_gateway(remote)
            }
            // why: a carrier may know us by our address alone, and bill what comes from there.
            _ => {
                let of_carrier = self.settings.carriers.iter().any(|carrier| is_of(carrier, ip));
                !is_own && !is_inside(ip) && !of_carrier
            }
        }
    }

    /// A carrier takes our calls there.
    fn is_gateway(&self, place: SocketAddr) -> bool {
        let gateways = self.settings.carriers.iter().flat_map(|carrier| &carrier.gateways);
        gateways.filter(|gateway| gateway.outbound).any(|gateway| is_at(gateway, place))
    }
}

/// Where a host of a URI is, if it is a literal.
pub(super) fn socket_of(host: &str, port: Option<u16>) -> Option<SocketAddr> {
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(SocketAddr::new(ip, port.unwrap_or(SIP_PORT)))
}

/// One of the addresses that the operator wrote down for this carrier.
fn is_of(carrier: &Carrier, address: IpAddr) -> bool {
    carrier.gateways.iter().any(|gateway| match &gateway.host {
        GatewayHost::Net(net) => net.contains(&address),
        GatewayHost::Name(_) => false,
    })
}

/// The gateway is there.
fn is_at(gateway: &Gateway, place: SocketAddr) -> bool {
    let same_port = gateway.port.unwrap_or(SIP_PORT) == place.port();
    match &gateway.host {
        GatewayHost::Net(net) => same_port && net.contains(&place.ip().to_canonical()),
        GatewayHost::Name(_) => false,
    }
}

/// An address that means something else on each network, or nobody.
fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            first == 0
                || first >= 224
                || ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_redirected_inside() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "239.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_inside(inside.parse().expect("an address")), "{inside}");
        }
        for outside in ["198.51.100.7", "8.8.8.8", "100.128.0.1", "2001:db8::1"] {
            assert!(!is_inside(outside.parse().expect("an address")), "{outside}");
        }
    }
}
