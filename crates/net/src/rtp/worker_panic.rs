//! A fault in one call ends that call alone: shown with a way to the kernel that panics on a
//! certain packet, in the middle of the call's turn.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::sdp::{Direction, Negotiated, PayloadTypes};
use media::{Codec, LegId, Remote};
use tokio::sync::mpsc;

use super::command::Reports;
use super::counters::Counters;
use super::lane::{Handle, lane};
use super::packet_io::{PacketIo, Sockets};
use super::worker::{Config, Worker};
use super::{Command, Event, PortPair};
use crate::sys::{Batch, Sent, Shipment};

const FATAL: &[u8] = b"fatal";
const PATIENCE: Duration = Duration::from_secs(10);

struct Panicking(Sockets);

impl PacketIo for Panicking {
    fn add(&mut self, socket: BorrowedFd<'_>, key: u64) -> io::Result<()> {
        self.0.add(socket, key)
    }

    fn remove(&mut self, socket: BorrowedFd<'_>) {
        self.0.remove(socket);
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        self.0.wait(timeout)
    }

    fn ready(&self, index: usize) -> u64 {
        self.0.ready(index)
    }

    fn receive(&mut self, socket: BorrowedFd<'_>, batch: &mut Batch) -> io::Result<usize> {
        self.0.receive(socket, batch)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, batch: &Batch, shipments: &[Shipment]) -> Sent {
        let fatal = |shipment: &Shipment| batch.datagram(shipment.slot).ends_with(FATAL);
        assert!(!shipments.iter().any(fatal), "the packet says {FATAL:?}");
        self.0.send(socket, batch, shipments)
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    socket
}

fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("a bound socket")
}

/// A call of two legs; the peers' sockets and where each sends to.
fn bridged(handle: &Handle, call: u64) -> [(UdpSocket, SocketAddr); 2] {
    let peers = [0, 1].map(|number| {
        let (peer, rtp, leg) = (socket(), socket(), LegId(number));
        let switch = address(&rtp);
        let pair = PortPair::of(rtp, socket());
        let negotiated = Negotiated {
            remote_rtp: address(&peer),
            remote_rtcp: address(&peer),
            rtcp_mux: false,
            direction: Direction::SendRecv,
            codec: Codec::Pcmu,
            payload_types: PayloadTypes { pcmu: Some(0), ..PayloadTypes::default() },
            ptime: Duration::from_millis(20),
        };
        let remote = Remote {
            negotiated,
            signalling_source: IpAddr::from(Ipv4Addr::LOCALHOST),
            has_tones: false,
        };
        handle.send(Command::Open { call, leg, pair }).expect("room");
        handle.send(Command::SetRemote { call, leg, remote }).expect("room");
        (peer, switch)
    });
    handle.send(Command::Bridge { call, x: LegId(0), y: LegId(1) }).expect("room");
    peers
}

fn packet(end: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4];
    packet.extend([0xff; 160]);
    packet.extend(end);
    packet
}

fn speak(from: &(UdpSocket, SocketAddr), to: &(UdpSocket, SocketAddr)) {
    from.0.send_to(&packet(b"fine"), from.1).expect("loopback takes it");
    let length = to.0.recv(&mut [0; 2048]).expect("the packet");
    assert_eq!(length, packet(b"fine").len());
}

#[test]
fn a_panic_ends_one_call_and_the_others_live_on() {
    let (lane, inlet) = lane().expect("a descriptor");
    let (sender, mut events) = mpsc::channel(16);
    let sockets = Panicking(Sockets::new().expect("a descriptor"));
    let (reports, counters) = (Reports::new(sender), Arc::new(Counters::default()));
    let handle = Handle::new(vec![lane]);
    let queues = (handle.clone(), inlet);
    let worker = Worker::new(Config::default(), queues, reports, counters, sockets);
    let worker = worker.expect("a live descriptor");
    let thread = std::thread::spawn(|| worker.run());

    let (doomed, other) = (bridged(&handle, 1), bridged(&handle, 2));
    speak(&doomed[0], &doomed[1]);
    speak(&other[0], &other[1]);
    doomed[0].0.send_to(&packet(FATAL), doomed[0].1).expect("loopback takes it");

    let deadline = Instant::now() + PATIENCE;
    let mut heard = Vec::new();
    while heard.len() < 2 && Instant::now() < deadline {
        match events.try_recv() {
            Ok(event) => heard.push(event),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    let [Event::Failed { call: 1, reason }, Event::PortsFreed(ports)] = &heard[..] else {
        panic!("call 1 fails and its ports come back, got {heard:?}");
    };
    assert!(reason.starts_with("panic: the packet says"), "{reason}");
    assert_eq!(ports.len(), 2);
    UdpSocket::bind(doomed[0].1).expect("the port of the failed call is closed");

    speak(&other[0], &other[1]);
    speak(&other[1], &other[0]);
    let again = bridged(&handle, 1);
    speak(&again[1], &again[0]);

    handle.stop();
    thread.join().expect("the thread itself never panicked");
}
