//! A carrier's redirection: the contacts of its 3xx, called in the place of its gateway
//! (RFC 3261 §8.1.3.4).
//!
//! Off unless the operator allows it for the carrier, because whoever redirects chooses whom we
//! call and what that costs. A contact is called without our credentials, over the same carrier's
//! limits, within the same ring timeout; it may lead to the carrier's own gateways and to public
//! addresses, never inside.

use std::net::IpAddr;
use std::sync::Arc;

use sip::{Message, NameAddr, Scheme};

use crate::call::Call;
use crate::input::Way;
use crate::leg::LegId;
use crate::route::{Attempt, NextHop, transport_of};
use crate::settings::{Carrier, GatewayHost};

/// Redirections that are followed for one target.
const REDIRECTIONS_MAX: u8 = 4;

/// Contacts of one redirection that are called at most, one after the other.
const CONTACTS_MAX: usize = 8;

impl Call {
    /// The contacts of a 3xx become the next ways to call its target, before the gateways that
    /// still wait.
    pub(crate) fn note_redirection(&mut self, id: LegId, response: Option<&Message>) {
        let moved = response.filter(|response| matches!(response.status(), Some(300..=302)));
        let (Some(response), Some(leg)) = (moved, self.legs.get_mut(&id)) else { return };
        let allowed = leg.route.carrier.as_ref().is_some_and(|carrier| carrier.follow_redirects);
        let dial = self.dial.as_mut().filter(|_| allowed && leg.dial == self.dials);
        let Some(record) = dial.and_then(|dial| dial.records.get_mut(leg.target)) else { return };
        if record.redirections >= REDIRECTIONS_MAX {
            return;
        }
        let ways: Vec<Attempt> = contacts(response)
            .iter()
            .filter_map(|contact| way(contact, &leg.route))
            .filter(|way| !record.tried(&way.uri))
            .take(CONTACTS_MAX)
            .collect();
        if ways.is_empty() {
            return;
        }
        record.redirections += 1;
        record.stands_no_more(leg.attempt);
        leg.redirected = true;
        for way in ways.into_iter().rev() {
            record.waiting.push_front(way);
        }
    }

    /// Of the ways to a leg's next hop those that it may take.
    pub(crate) fn allowed_ways(&self, id: LegId, ways: Vec<Way>) -> Vec<Way> {
        let route = self.legs.get(&id).map(|leg| &leg.route);
        let Some(Attempt { redirected: true, carrier: Some(carrier), .. }) = route else {
            return ways;
        };
        let own = &self.settings.own_addresses;
        let may = |way: &Way| {
            let ip = way.flow.remote.ip();
            // why: a carrier's network may hold our own address too.
            !own.contains(&ip.to_canonical()) && (is_of(carrier, ip) || !is_inside(ip))
        };
        ways.into_iter().filter(may).collect()
    }
}

/// The contacts of a response, the preferred first (RFC 3261 §20.10).
fn contacts(response: &Message) -> Vec<NameAddr> {
    let values = response.header_values("Contact");
    let read = |value: &[u8]| NameAddr::parse(&String::from_utf8_lossy(value)).ok();
    let mut contacts: Vec<NameAddr> = values.filter_map(read).collect();
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.preference()));
    contacts
}

/// How to call a contact: as the gateway was called, but for the address.
fn way(contact: &NameAddr, gateway: &Attempt) -> Option<Attempt> {
    let mut uri = contact.uri.clone();
    let transport = transport_of(&uri).ok()?;
    if uri.scheme != Scheme::Sip {
        return None;
    }
    // RFC 3261 §19.1.5: what else a URI asks for would be the redirecting side's, not ours.
    uri.headers = None;
    uri.params.remove("method");
    Some(Attempt {
        uri: uri.to_string(),
        next_hop: NextHop::Host { host: uri.host.clone(), port: uri.port, transport },
        gateway: None,
        credentials: None,
        // why: the next hop was named for the gateway; where else a carrier may lead is asked of
        // the address that is sent to.
        proxy: None,
        redirected: true,
        ..gateway.clone()
    })
}

/// One of the addresses that the operator wrote down for this carrier.
fn is_of(carrier: &Arc<Carrier>, address: IpAddr) -> bool {
    carrier.gateways.iter().any(|gateway| match &gateway.host {
        GatewayHost::Net(net) => net.contains(&address),
        GatewayHost::Name(_) => false,
    })
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
