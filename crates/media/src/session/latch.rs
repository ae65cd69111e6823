//! Which source of packets is believed on one port of a leg, and where packets for it go.
//!
//! A peer behind a NAT names an address in its SDP that is not the one its packets come from.
//! Where that can be so (the SDP address is private, or is not the one it signals from), the
//! first valid packet from the signalling source's address settles the stream on its source; a
//! packet from exactly the SDP address settles it too, as a carrier's media gateway is not where
//! it signals from. In all other cases only the SDP address counts. Nothing unsettles a latch but
//! a new one.
//!
//! Whether a packet is valid is checked before; it is not looked at here.

use std::net::{IpAddr, SocketAddr};

/// Which source is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Latch {
    /// The SDP address, for good.
    Strict {
        /// It.
        sdp: SocketAddr,
    },
    /// Not settled yet.
    Open {
        /// The SDP address.
        sdp: SocketAddr,
        /// The address signalling comes from; any port of it may settle the latch.
        source: IpAddr,
        /// Where packets go until then.
        send_to: SocketAddr,
    },
    /// Settled on the source of a packet.
    Settled {
        /// That source.
        on: SocketAddr,
    },
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// From the believed source.
    Accepted,
    /// The packet that settled it.
    Latched,
    /// From anywhere else.
    Refused,
}

impl Latch {
    /// For a stream whose SDP said `sdp`, signalled from `source`.
    pub(crate) fn new(sdp: SocketAddr, source: IpAddr) -> Latch {
        let same = canonical(sdp.ip()) == canonical(source);
        if same && !is_private(sdp.ip()) {
            Latch::Strict { sdp }
        } else {
            Latch::Open { sdp, source, send_to: sdp }
        }
    }

    /// Like [`Latch::new`] with the same values as the last time: it may settle elsewhere, and
    /// sends where it did until it has.
    pub(crate) fn reopened(self, sdp: SocketAddr, source: IpAddr) -> Latch {
        match (Latch::new(sdp, source), self.destination()) {
            (Latch::Open { .. }, Some(send_to)) => Latch::Open { sdp, source, send_to },
            (latch, _) => latch,
        }
    }

    /// Whether a packet from there is believed as things are, without settling anything.
    pub(crate) fn believes(&self, from: SocketAddr) -> bool {
        match *self {
            Latch::Strict { sdp: on } | Latch::Settled { on } => is_same(from, on),
            Latch::Open { .. } => false,
        }
    }

    /// Judges a valid packet by where it came from.
    pub(crate) fn handle_packet(&mut self, from: SocketAddr) -> Verdict {
        match *self {
            Latch::Strict { sdp: on } | Latch::Settled { on } => {
                if is_same(from, on) {
                    Verdict::Accepted
                } else {
                    Verdict::Refused
                }
            }
            Latch::Open { sdp, source, .. } => {
                if is_same(from, sdp) || canonical(from.ip()) == canonical(source) {
                    *self = Latch::Settled { on: from };
                    Verdict::Latched
                } else {
                    Verdict::Refused
                }
            }
        }
    }

    /// Where packets for the peer go: the believed source, the SDP address until there is one.
    /// `None` if that cannot be sent to.
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        let to = match *self {
            Latch::Strict { sdp } => sdp,
            Latch::Open { send_to, .. } => send_to,
            Latch::Settled { on } => on,
        };
        (!to.ip().is_unspecified() && to.port() != 0).then_some(to)
    }
}

fn is_same(from: SocketAddr, expected: SocketAddr) -> bool {
    from.port() == expected.port() && canonical(from.ip()) == canonical(expected.ip())
}

/// why: a socket of both families shows IPv4 peers as `::ffff:192.0.2.1`.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// An address that means nothing beyond one network, or one host: RFC 1918, RFC 6598, RFC 4193,
/// link-local, loopback, unspecified.
fn is_private(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || is_shared
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum State {
        Strict,
        Open,
        OnSdp,
        OnSource,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum From {
        Sdp,
        SdpOtherPort,
        Source,
        SourceOtherPort,
        Stranger,
    }

    const STATES: [State; 4] = [State::Strict, State::Open, State::OnSdp, State::OnSource];
    const INPUTS: [From; 5] =
        [From::Sdp, From::SdpOtherPort, From::Source, From::SourceOtherPort, From::Stranger];

    const TABLE: &[(State, From, State, Verdict)] = {
        use Verdict::{Accepted, Latched, Refused};
        &[
            (State::Strict, From::Sdp, State::Strict, Accepted),
            (State::Strict, From::SdpOtherPort, State::Strict, Refused),
            (State::Strict, From::Source, State::Strict, Refused),
            (State::Strict, From::SourceOtherPort, State::Strict, Refused),
            (State::Strict, From::Stranger, State::Strict, Refused),
            (State::Open, From::Sdp, State::OnSdp, Latched),
            (State::Open, From::SdpOtherPort, State::Open, Refused),
            (State::Open, From::Source, State::OnSource, Latched),
            (State::Open, From::SourceOtherPort, State::OnSource, Latched),
            (State::Open, From::Stranger, State::Open, Refused),
            (State::OnSdp, From::Sdp, State::OnSdp, Accepted),
            (State::OnSdp, From::SdpOtherPort, State::OnSdp, Refused),
            (State::OnSdp, From::Source, State::OnSdp, Refused),
            (State::OnSdp, From::SourceOtherPort, State::OnSdp, Refused),
            (State::OnSdp, From::Stranger, State::OnSdp, Refused),
            (State::OnSource, From::Sdp, State::OnSource, Refused),
            (State::OnSource, From::SdpOtherPort, State::OnSource, Refused),
            (State::OnSource, From::Source, State::OnSource, Accepted),
            (State::OnSource, From::SourceOtherPort, State::OnSource, Refused),
            (State::OnSource, From::Stranger, State::OnSource, Refused),
        ]
    };

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn sender(from: From) -> SocketAddr {
        address(match from {
            From::Sdp => "192.168.1.5:4000",
            From::SdpOtherPort => "192.168.1.5:4002",
            From::Source => "203.0.113.9:61000",
            From::SourceOtherPort => "203.0.113.9:61002",
            From::Stranger => "198.51.100.66:4000",
        })
    }

    fn latch(state: State) -> Latch {
        let (sdp, source) = (sender(From::Sdp), sender(From::Source));
        match state {
            State::Strict => Latch::Strict { sdp },
            State::Open => Latch::new(sdp, source.ip()),
            State::OnSdp => Latch::Settled { on: sdp },
            State::OnSource => Latch::Settled { on: source },
        }
    }

    fn check(row: &(State, From, State, Verdict)) {
        let (state, from, after, verdict) = *row;
        let mut judged = latch(state);
        assert_eq!(judged.handle_packet(sender(from)), verdict, "{row:?}");
        let expected = match after {
            State::OnSource => Latch::Settled { on: sender(from) },
            after => latch(after),
        };
        let expected = if verdict == Verdict::Refused { latch(state) } else { expected };
        assert_eq!(judged, expected, "{row:?}");
    }

    #[test]
    fn every_row_holds() {
        TABLE.iter().for_each(check);
    }

    #[test]
    fn no_pair_is_missing() {
        for state in STATES {
            for input in INPUTS {
                let rows = TABLE.iter().filter(|row| (row.0, row.1) == (state, input)).count();
                assert_eq!(rows, 1, "{state:?} {input:?}");
            }
        }
    }

    #[test]
    fn only_a_public_sdp_address_that_signals_itself_is_strict() {
        let rows = [
            ("203.0.113.9:4000", "203.0.113.9", true),
            ("203.0.113.9:4000", "::ffff:203.0.113.9", true),
            ("203.0.113.9:4000", "203.0.113.8", false),
            ("10.1.2.3:4000", "10.1.2.3", false),
            ("172.31.0.1:4000", "172.31.0.1", false),
            ("172.32.0.1:4000", "172.32.0.1", true),
            ("192.168.0.1:4000", "192.168.0.1", false),
            ("100.64.0.1:4000", "100.64.0.1", false),
            ("100.128.0.1:4000", "100.128.0.1", true),
            ("169.254.0.1:4000", "169.254.0.1", false),
            ("127.0.0.1:4000", "127.0.0.1", false),
            ("0.0.0.0:4000", "203.0.113.9", false),
            ("[2001:db8::1]:4000", "2001:db8::1", true),
            ("[fd00::1]:4000", "fd00::1", false),
            ("[fe80::1]:4000", "fe80::1", false),
            ("[::1]:4000", "::1", false),
        ];
        for (sdp, source, strict) in rows {
            let latch = Latch::new(address(sdp), source.parse().unwrap());
            assert_eq!(matches!(latch, Latch::Strict { .. }), strict, "{sdp} from {source}");
        }
    }

    #[test]
    fn reopened_it_sends_where_it_did() {
        let (sdp, source) = (sender(From::Sdp), sender(From::Source));
        let reopened = Latch::Settled { on: source }.reopened(sdp, source.ip());
        assert_eq!(reopened.destination(), Some(source));
        assert!(!reopened.believes(source));
        let strict = Latch::Settled { on: source }.reopened(source, source.ip());
        assert_eq!(strict, Latch::Strict { sdp: source });
    }

    #[test]
    fn an_address_that_cannot_be_sent_to_is_no_destination() {
        for sdp in ["0.0.0.0:4000", "[::]:4000", "203.0.113.9:0"] {
            let latch = Latch::new(address(sdp), sender(From::Source).ip());
            assert_eq!(latch.destination(), None, "{sdp}");
        }
    }
}
