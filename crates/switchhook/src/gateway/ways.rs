//! The ways to a host: its addresses, over those of the transports that are there.
//!
//! Cheap to clone, for the tasks that resolve names and own no socket.

use std::net::SocketAddr;
use std::sync::Arc;

use call::Way;
use net::sip::{Advertised, Hop, Resolver, Udp};
use sip::{Flow, Transport};

/// What there is.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    pub(super) udp: Option<Arc<Udp>>,
    pub(super) tcp: Option<Arc<Advertised>>,
}

impl Ways {
    /// Names for these sockets.
    pub(super) fn resolver(&self) -> Resolver {
        let udp = self.udp.as_ref().map(|udp| udp.local_addr());
        let tcp = self.tcp.as_ref().map(|tcp| tcp.local());
        let ipv6 = udp.into_iter().chain(tcp).any(|address| address.is_ipv6());
        let udp = udp.map(|_| Transport::Udp);
        let tcp = tcp.map(|_| Transport::Tcp);
        Resolver::system(ipv6, udp.into_iter().chain(tcp).collect())
    }

    /// Looks a host up. `transport` is the one that was asked for; without it the DNS may choose,
    /// else it is UDP where that is there.
    ///
    /// # Errors
    /// There is no such host, or the transport is not there; the text says what to do.
    pub(super) async fn resolve(
        &self,
        resolver: &Resolver,
        host: &str,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> Result<Vec<Way>, String> {
        if let Some(asked) = transport.filter(|asked| !self.speaks(*asked)) {
            let word = asked.uri_parameter();
            return Err(format!("SIP over {word} is not configured; expected {word} in [sip]"));
        }
        let hops = resolver.resolve(host, port, transport).await;
        let hops = hops.map_err(|error| error.to_string())?;
        Ok(hops.into_iter().filter_map(|hop| self.way(hop, transport)).collect())
    }

    /// What our addresses look like to somebody far away.
    pub(super) fn reached_at(&self, somewhere: SocketAddr) -> Option<SocketAddr> {
        let known = [Transport::Udp, Transport::Tcp].into_iter();
        let flow = known.filter_map(|transport| self.flow(transport, somewhere)).next();
        flow.map(|flow| flow.local)
    }

    fn speaks(&self, transport: Transport) -> bool {
        match transport {
            Transport::Udp => self.udp.is_some(),
            Transport::Tcp => self.tcp.is_some(),
            _ => false,
        }
    }

    fn way(&self, hop: Hop, asked: Option<Transport>) -> Option<Way> {
        let flow = self.flow(hop.transport, hop.address)?;
        // RFC 3261 §18.1.1, unless somebody asked for UDP.
        let large = match (asked, hop.transport) {
            (None, Transport::Udp) => self.flow(Transport::Tcp, hop.address),
            _ => None,
        };
        Some(Way { flow, large })
    }

    fn flow(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        match transport {
            Transport::Udp => self.udp.as_ref().map(|udp| udp.flow_to(remote)),
            Transport::Tcp => self.tcp.as_ref().map(|tcp| tcp.flow_to(remote)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use net::sip::{Tcp, TcpLimits};

    use super::*;

    #[tokio::test]
    async fn what_is_asked_for_is_taken_or_refused() {
        let any: SocketAddr = "127.0.0.1:0".parse().expect("a literal");
        let udp = Arc::new(Udp::bind(any, None).expect("a free port"));
        let tcp = Tcp::bind(any, None, TcpLimits::default()).expect("a free port").advertised();
        let over = async |ways: &Ways, transport| {
            let found = ways.resolve(&ways.resolver(), "127.0.0.1", None, transport).await?;
            let over = found.into_iter().map(|way| {
                assert_eq!(way.flow.remote.to_string(), "127.0.0.1:5060");
                (way.flow.transport, way.large.map(|large| large.transport))
            });
            Ok::<Vec<_>, String>(over.collect())
        };
        let (u, t) = (Transport::Udp, Transport::Tcp);
        let both = Ways { udp: Some(udp), tcp: Some(tcp) };
        assert_eq!(over(&both, None).await, Ok(vec![(u, Some(t))]));
        assert_eq!(over(&both, Some(u)).await, Ok(vec![(u, None)]));
        assert_eq!(over(&both, Some(t)).await, Ok(vec![(t, None)]));
        let udp_alone = Ways { tcp: None, ..both.clone() };
        assert_eq!(over(&udp_alone, None).await, Ok(vec![(u, None)]));
        let error = over(&udp_alone, Some(t)).await.expect_err("no TCP");
        assert_eq!(error, "SIP over tcp is not configured; expected tcp in [sip]");
        let tcp_alone = Ways { udp: None, ..both };
        assert_eq!(over(&tcp_alone, None).await, Ok(vec![(t, None)]));
        assert!(over(&tcp_alone, Some(u)).await.is_err());
    }
}
