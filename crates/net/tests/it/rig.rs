//! Media threads with phones around them, all on loopback sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use media::sdp::{Direction, Negotiated, PayloadTypes};
use media::{Codec, LegId, Remote};
use net::rtp::{Command, Config, Event, EventReceiver, PortPair, Ports, Workers};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const CALLER: LegId = LegId(0);
pub(crate) const CALLEE: LegId = LegId(1);

/// A pool of ports that no other test of this binary uses.
pub(crate) fn ports() -> Ports {
    static NEXT: AtomicU16 = AtomicU16::new(24_000);
    let first = NEXT.fetch_add(40, Ordering::Relaxed);
    Ports::new(Ipv4Addr::LOCALHOST.into(), first..=first + 39)
}

pub(crate) struct Rig {
    pub(crate) ports: Ports,
    pub(crate) workers: Workers,
    pub(crate) events: EventReceiver,
}

impl Rig {
    pub(crate) fn new(threads: usize, config: Config) -> Rig {
        let (workers, events) = Workers::start(threads, config).expect("threads and descriptors");
        Rig { ports: ports(), workers, events }
    }

    pub(crate) fn send(&self, command: Command) {
        self.workers.handle().send(command).expect("an idle thread takes commands");
    }

    /// Opens a leg; where its peer is to send to.
    pub(crate) fn open(&mut self, call: u64, leg: LegId) -> u16 {
        let pair: PortPair = self.ports.open(Instant::now()).expect("a free pair");
        let port = pair.port();
        self.send(Command::Open { call, leg, pair });
        port
    }

    /// A phone with a leg of its own, agreed on.
    pub(crate) fn phone(&mut self, call: u64, leg: LegId, codec: Codec) -> Phone {
        let phone = Phone::new(self.open(call, leg), codec);
        self.send(Command::SetRemote { call, leg, remote: phone.remote() });
        phone
    }

    pub(crate) fn event(&mut self) -> Event {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.events.try_recv() {
                Ok(event) => return event,
                Err(_) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => panic!("no event: {error}"),
            }
        }
    }
}

/// A peer: two sockets, and what it negotiated.
pub(crate) struct Phone {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) negotiated: Negotiated,
    /// The switch's address for this leg.
    pub(crate) switch: SocketAddr,
}

impl Phone {
    pub(crate) fn new(port: u16, codec: Codec) -> Phone {
        let socket = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
            socket.set_read_timeout(Some(PATIENCE)).expect("a socket option");
            socket
        };
        let (rtp, rtcp) = (socket(), socket());
        let address = |socket: &UdpSocket| socket.local_addr().expect("a bound socket");
        let mut payload_types = PayloadTypes { telephone_event: Some(101), ..Default::default() };
        payload_types.set(codec, codec.payload_type());
        let negotiated = Negotiated {
            remote_rtp: address(&rtp),
            remote_rtcp: address(&rtcp),
            rtcp_mux: false,
            direction: Direction::SendRecv,
            codec,
            payload_types,
            ptime: Duration::from_millis(20),
        };
        Phone { rtp, rtcp, negotiated, switch: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }

    pub(crate) fn remote(&self) -> Remote {
        let signalling_source = IpAddr::from(Ipv4Addr::LOCALHOST);
        Remote { negotiated: self.negotiated, signalling_source, has_tones: false }
    }

    pub(crate) fn speak(&self, packet: &[u8]) {
        let sent = self.rtp.send_to(packet, self.switch).expect("loopback takes it");
        assert_eq!(sent, packet.len());
    }

    pub(crate) fn hear(&self) -> Vec<u8> {
        self.hear_from().0
    }

    pub(crate) fn hear_from(&self) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 2048];
        let (length, from) = self.rtp.recv_from(&mut buffer).expect("a packet in time");
        (buffer[..length].to_vec(), from)
    }

    /// Nothing has come, and nothing comes within a moment.
    pub(crate) fn hears_nothing(&self) {
        self.rtp.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket option");
        let heard = self.rtp.recv_from(&mut [0; 2048]);
        self.rtp.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        assert!(heard.is_err(), "heard {heard:?}");
    }
}

/// An RTP packet of 20 ms whose samples depend on its number.
pub(crate) fn packet(payload_type: u8, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(0x5117_c400_u32.to_be_bytes());
    packet.extend((0..160_u16).map(|sample| (sample.wrapping_mul(7) ^ sequence) as u8));
    packet
}

/// A bridged call between two phones.
pub(crate) fn bridged(rig: &mut Rig, call: u64, caller: Codec, callee: Codec) -> (Phone, Phone) {
    let phones = (rig.phone(call, CALLER, caller), rig.phone(call, CALLEE, callee));
    rig.send(Command::Bridge { call, x: CALLER, y: CALLEE });
    (phones.0, phones.1)
}
