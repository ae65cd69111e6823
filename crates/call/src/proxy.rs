//! The next hop of an INVITE where the application names one: it goes there with a Route, and its
//! Request-URI stays (RFC 3261 §8.1.2, §16.12). Later requests follow the dialog's route set.
//!
//! Where a name leads, and whether one may be sent there, is decided as for any address.

use crate::route::{Attempt, NextHop, Reaches, Unroutable, read_uri, transport_of};

/// A next hop that an application names.
pub(crate) struct Proxy {
    next_hop: NextHop,
    route: String,
}

impl Proxy {
    /// Reads what an application wrote.
    ///
    /// # Errors
    /// It is no SIP URI, or wants a transport that is not supported.
    pub(crate) fn read(text: &str) -> Result<Proxy, Unroutable> {
        let uri = read_uri(text, "proxy")?;
        let transport = transport_of(&uri)?;
        // RFC 3261 §16.12: a strict router would take its own URI for the target.
        let loose = if uri.params.has("lr") { "" } else { ";lr" };
        Ok(Proxy {
            next_hop: NextHop::Host { host: uri.host.clone(), port: uri.port, transport },
            route: format!("<{text}{loose}>"),
        })
    }

    /// The same way, by this next hop.
    pub(crate) fn before(&self, way: Attempt) -> Attempt {
        let of_carrier = way.carrier.is_some();
        Attempt {
            next_hop: self.next_hop.clone(),
            proxy: Some(self.route.clone()),
            // why: the operator gave them for the carrier's gateways, and whoever stands before
            // those is the application's choice. What it gave itself it may show there.
            credentials: way.credentials.filter(|_| !of_carrier),
            // why: who is behind a foreign next hop has proved nothing to us.
            reaches: match way.reaches {
                Reaches::Device => Reaches::Address,
                reaches => reaches,
            },
            ..way
        }
    }
}
