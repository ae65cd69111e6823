//! Where audio may be sent. A session description names any address; one that would turn the
//! switch against itself, its host or everybody in a network is refused like a codec that nobody
//! has (488).
//!
//! Private addresses are allowed: behind NAT they are what phones name, and the media side follows
//! to where packets really come from.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use media::sdp::Negotiated;
use sip::Flow;

use crate::leg::LegId;
use crate::switch::CallKey;

/// The ports on which this switch receives audio, of all calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnPorts {
    /// RTP port, and the address under which it is advertised; RTCP is on the port after it.
    open: BTreeMap<u16, IpAddr>,
    of_leg: BTreeMap<(CallKey, LegId), u16>,
}

impl OwnPorts {
    /// The RTP port of a leg is open.
    pub(crate) fn opened(&mut self, call: CallKey, leg: LegId, address: SocketAddr) {
        self.open.insert(address.port(), address.ip());
        self.of_leg.insert((call, leg), address.port());
    }

    /// The leg is of another call now.
    pub(crate) fn moved(&mut self, from: (CallKey, LegId), to: (CallKey, LegId)) {
        if let Some(port) = self.of_leg.remove(&from) {
            self.of_leg.insert(to, port);
        }
    }

    /// The leg needs its port no more.
    pub(crate) fn closed(&mut self, call: CallKey, leg: LegId) {
        if let Some(port) = self.of_leg.remove(&(call, leg)) {
            self.open.remove(&port);
        }
    }

    /// All legs of the call are gone.
    pub(crate) fn all_closed(&mut self, call: CallKey) {
        let of_call = (call, LegId::CALLER)..=(call, LegId(u8::MAX));
        let legs: Vec<LegId> = self.of_leg.range(of_call).map(|((_, leg), _)| *leg).collect();
        for leg in legs {
            self.closed(call, leg);
        }
    }

    /// The address under which audio is received on this port, RTP or RTCP.
    fn address(&self, port: u16) -> Option<IpAddr> {
        let of_rtp = || self.open.get(&port.checked_sub(1)?);
        self.open.get(&port).or_else(of_rtp).copied()
    }
}

/// What was agreed with a peer that signals over `flow`, or why nothing may be sent there. `own`
/// are the addresses of this machine.
pub(crate) fn allowed(
    negotiated: Negotiated,
    flow: Option<Flow>,
    own: &[IpAddr],
    ports: &OwnPorts,
) -> Result<Negotiated, String> {
    let Some(flow) = flow else { return Ok(negotiated) };
    for target in [negotiated.remote_rtp, negotiated.remote_rtcp] {
        if let Some(why) = refusal(target, flow, own, ports) {
            return Err(format!("audio cannot be sent to {target}: {why}"));
        }
    }
    Ok(negotiated)
}

/// Whether who signals over `sender` can be told to send straight to what was agreed with another
/// party, which signals over `receiver`; or why it would not get there. An address of a private
/// network means something only to whoever is in it.
pub(crate) fn reaches(sender: Flow, agreed: Negotiated, receiver: Flow) -> Result<(), String> {
    let ip = agreed.remote_rtp.ip().to_canonical();
    if ip.is_ipv4() != sender.remote.ip().to_canonical().is_ipv4() {
        return Err(format!("{ip} is no address of the other party's family"));
    }
    if !is_private(ip) {
        return Ok(());
    }
    if !is_private(receiver.remote.ip().to_canonical()) {
        return Err(format!("{ip} is behind the network address translation of its party"));
    }
    if !is_private(sender.remote.ip().to_canonical()) {
        return Err(format!("{ip} is of a private network that the other party is not in"));
    }
    Ok(())
}

/// RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.6, and the host itself.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && second & 0xC0 == 64;
            ip.is_private() || ip.is_link_local() || ip.is_loopback() || is_shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

fn refusal(
    target: SocketAddr,
    flow: Flow,
    own: &[IpAddr],
    ports: &OwnPorts,
) -> Option<&'static str> {
    let ip = target.ip().to_canonical();
    // RFC 3264 §8.4: nothing is sent there; the peer is on hold.
    if ip.is_unspecified() {
        return None;
    }
    if ip.is_multicast() || ip == IpAddr::from([255; 4]) {
        return Some("it is no address of one host");
    }
    let is_own = |ip: IpAddr| {
        let ip = ip.to_canonical();
        flow.local.ip().to_canonical() == ip || own.contains(&ip)
    };
    // why: what listens on loopback trusts who can reach it, and the peer cannot.
    let is_near = |ip: IpAddr| ip.to_canonical().is_loopback() || is_own(ip);
    if ip.is_loopback() && !is_near(flow.remote.ip()) {
        return Some("it is the loopback of the switch");
    }
    // why: a call of ours that comes back to us, round by a number of ours, is a call like others.
    if is_ourselves(flow) {
        return None;
    }
    // why: two parties that name each other's ports would make one packet go round for ever.
    let of_audio = ports.address(target.port());
    let is_ours = is_own(ip) && (of_audio.is_some() || target.port() == flow.local.port())
        || of_audio.is_some_and(|own| own.to_canonical() == ip);
    is_ours.then_some("it is a port of the switch itself")
}

/// Whether it is this switch that signals over `flow`, from the socket at which it listens.
fn is_ourselves(flow: Flow) -> bool {
    let (local, remote) = (flow.local, flow.remote);
    let same_host = local.ip().to_canonical() == remote.ip().to_canonical();
    same_host && (local.port() == remote.port() || flow.transport.is_reliable())
}

#[cfg(test)]
mod tests {
    use media::sdp::{Codec, Direction, PayloadTypes};
    use sip::Transport;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn negotiated(rtp: &str, rtcp: &str) -> Negotiated {
        Negotiated {
            remote_rtp: address(rtp),
            remote_rtcp: address(rtcp),
            rtcp_mux: false,
            direction: Direction::SendRecv,
            codec: Codec::Pcmu,
            payload_types: PayloadTypes::default(),
            ptime: media::sdp::DEFAULT_PTIME,
        }
    }

    /// What the switch is called outside.
    const OWN: [IpAddr; 1] = [IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1))];

    fn is_allowed(rtp: &str, signals_from: &str, ports: &OwnPorts) -> bool {
        let (local, remote) = (address("10.0.0.1:5060"), address(signals_from));
        let flow = Flow { transport: Transport::Udp, local, remote };
        let rtcp = SocketAddr::new(address(rtp).ip(), address(rtp).port().saturating_add(1));
        let wish = negotiated(rtp, &rtcp.to_string());
        allowed(wish, Some(flow), &OWN, ports).is_ok()
    }

    #[test]
    fn audio_goes_to_one_host_that_is_not_the_switch() {
        let mut ports = OwnPorts::default();
        ports.opened(CallKey(1), LegId::CALLER, address("10.0.0.1:20000"));
        for (target, signals_from, good) in [
            ("198.51.100.7:4000", "198.51.100.7:5060", true),
            ("192.168.1.5:4000", "198.51.100.7:5060", true),
            ("0.0.0.0:4000", "198.51.100.7:5060", true),
            ("[2001:db8::7]:4000", "198.51.100.7:5060", true),
            ("224.0.0.1:4000", "198.51.100.7:5060", false),
            ("239.255.255.250:1900", "198.51.100.7:5060", false),
            ("[ff02::1]:4000", "198.51.100.7:5060", false),
            ("[::ffff:224.0.0.1]:4000", "198.51.100.7:5060", false),
            ("255.255.255.255:4000", "198.51.100.7:5060", false),
            ("127.0.0.1:4000", "198.51.100.7:5060", false),
            ("[::1]:4000", "198.51.100.7:5060", false),
            ("127.0.0.1:4000", "127.0.0.1:5070", true),
            ("127.0.0.1:4000", "203.0.113.1:5070", true),
            ("10.0.0.1:20000", "198.51.100.7:5060", false),
            ("10.0.0.1:20001", "198.51.100.7:5060", false),
            ("203.0.113.1:20000", "198.51.100.7:5060", false),
            ("10.0.0.1:19999", "198.51.100.7:5060", false),
            ("10.0.0.1:5060", "198.51.100.7:5060", false),
            ("10.0.0.1:20000", "10.0.0.1:5070", false),
            ("10.0.0.1:20000", "10.0.0.1:5060", true),
            ("10.0.0.1:20002", "198.51.100.7:5060", true),
            ("198.51.100.7:20000", "198.51.100.7:5060", true),
        ] {
            assert_eq!(is_allowed(target, signals_from, &ports), good, "{target} {signals_from}");
        }
    }

    #[test]
    fn an_address_of_a_private_network_is_for_who_is_in_it() {
        let flow = |remote: &str| {
            let (local, remote) = (address("203.0.113.1:5060"), address(remote));
            Flow { transport: Transport::Udp, local, remote }
        };
        for (target, of, sender, good) in [
            ("198.51.100.7:4000", "198.51.100.7:5060", "192.0.2.9:5060", true),
            ("198.51.100.7:4000", "10.1.1.1:5060", "192.0.2.9:5060", true),
            ("198.51.100.7:4000", "198.51.100.7:5060", "10.1.1.1:5060", true),
            ("10.1.1.2:4000", "10.1.1.1:5060", "192.168.7.7:5060", true),
            ("192.168.1.5:4000", "198.51.100.7:5060", "192.0.2.9:5060", false),
            ("192.168.1.5:4000", "198.51.100.7:5060", "192.168.1.6:5060", false),
            ("10.1.1.2:4000", "10.1.1.1:5060", "192.0.2.9:5060", false),
            ("100.64.0.1:4000", "198.51.100.7:5060", "192.0.2.9:5060", false),
            ("100.128.0.1:4000", "198.51.100.7:5060", "192.0.2.9:5060", true),
            ("169.254.1.1:4000", "198.51.100.7:5060", "192.0.2.9:5060", false),
            ("[fd00::7]:4000", "[2001:db8::7]:5060", "[2001:db8::8]:5060", false),
            ("[fe80::7]:4000", "[2001:db8::7]:5060", "[2001:db8::8]:5060", false),
            ("[2001:db8::7]:4000", "[2001:db8::7]:5060", "[2001:db8::8]:5060", true),
            ("[2001:db8::7]:4000", "[2001:db8::7]:5060", "192.0.2.9:5060", false),
            ("[::ffff:198.51.100.7]:4000", "198.51.100.7:5060", "192.0.2.9:5060", true),
        ] {
            let wish = negotiated(target, target);
            let got = reaches(flow(sender), wish, flow(of));
            assert_eq!(got.is_ok(), good, "{target} {of} {sender}: {got:?}");
        }
    }

    #[test]
    fn a_port_is_ours_for_as_long_as_its_leg_has_it() {
        let mut ports = OwnPorts::default();
        let is_ours = |ports: &OwnPorts| !is_allowed("10.0.0.1:20000", "198.51.100.7:5060", ports);
        for close in [OwnPorts::all_closed, |ports: &mut OwnPorts, call| {
            ports.closed(call, LegId(3));
        }] {
            ports.opened(CallKey(1), LegId(3), address("10.0.0.1:20000"));
            close(&mut ports, CallKey(2));
            assert!(is_ours(&ports));
            close(&mut ports, CallKey(1));
            assert!(!is_ours(&ports) && ports.of_leg.is_empty());
        }
    }
}
