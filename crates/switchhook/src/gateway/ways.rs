//! The way to an address: over which of the transports that are there.
//!
//! Cheap to clone, for the tasks that resolve names and own no socket.

use std::net::SocketAddr;
use std::sync::Arc;

use call::{Input, LegId};
use net::sip::{Advertised, Udp};
use sip::{Flow, Transport};

/// What there is.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    pub(super) udp: Option<Arc<Udp>>,
    pub(super) tcp: Option<Arc<Advertised>>,
}

/// A way, and the one of an INVITE that is too long for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) flow: Flow,
    pub(super) large: Option<Flow>,
}

impl Ways {
    /// The way to `remote`. `transport` is the one that was asked for; without it UDP is taken
    /// if it is there, with TCP for long messages.
    ///
    /// # Errors
    /// The transport is not there; the text says what to configure.
    pub(super) fn to(
        &self,
        remote: SocketAddr,
        transport: Option<Transport>,
    ) -> Result<Way, String> {
        let udp = self.udp.as_ref().map(|udp| udp.flow_to(remote));
        let tcp = self.tcp.as_ref().map(|tcp| tcp.flow_to(remote));
        let (flow, large) = match transport {
            None if udp.is_some() => (udp, tcp),
            None => (tcp, None),
            Some(Transport::Udp) => (udp, None),
            Some(Transport::Tcp) => (tcp, None),
            Some(_) => (None, None),
        };
        let missing = || {
            let word = transport.map_or("udp", Transport::uri_parameter);
            format!("SIP over {word} is not configured; expected {word} in [sip]")
        };
        flow.map(|flow| Way { flow, large }).ok_or_else(missing)
    }

    /// What a leg that waits for its address hears.
    pub(super) fn resolved(
        &self,
        leg: LegId,
        remote: SocketAddr,
        transport: Option<Transport>,
    ) -> Input {
        match self.to(remote, transport) {
            Ok(Way { flow, large }) => Input::Resolved { leg, flow, large },
            Err(why) => Input::Unresolved(leg, why),
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
        let remote: SocketAddr = "127.0.0.1:5060".parse().expect("a literal");
        let udp = Arc::new(Udp::bind(any, None).expect("a free port"));
        let tcp = Tcp::bind(any, None, TcpLimits::default()).expect("a free port").advertised();
        let over = |way: Result<Way, String>| {
            way.map(|way| (way.flow.transport, way.large.map(|large| large.transport)))
        };
        let (u, t) = (Transport::Udp, Transport::Tcp);
        let both = Ways { udp: Some(udp), tcp: Some(tcp) };
        assert_eq!(over(both.to(remote, None)), Ok((u, Some(t))));
        assert_eq!(over(both.to(remote, Some(u))), Ok((u, None)));
        assert_eq!(over(both.to(remote, Some(t))), Ok((t, None)));
        let udp_alone = Ways { tcp: None, ..both.clone() };
        assert_eq!(over(udp_alone.to(remote, None)), Ok((u, None)));
        let error = over(udp_alone.to(remote, Some(t))).expect_err("no TCP");
        assert_eq!(error, "SIP over tcp is not configured; expected tcp in [sip]");
        let tcp_alone = Ways { udp: None, ..both };
        assert_eq!(over(tcp_alone.to(remote, None)), Ok((t, None)));
        assert!(tcp_alone.to(remote, Some(u)).is_err());
    }
}
