//! One call on its media thread: the session, the sockets of its legs, and packets between them.
//!
//! Owns the sockets. What happens to a packet is the session's decision; when to wake it is the
//! worker's. Nothing here allocates once the legs are open.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use media::{Forward, LegId, Session, SessionEvent, Socket, TakenLeg};

use super::command::{Event, Reports};
use super::counters::Totals;
use super::moving::MovedLeg;
use super::packet_io::{PACKET_SIZE, PACKETS_MAX, PacketIo};
use super::port::PortPair;
use crate::sys::{Batch, Family, RawAddress, Shipment};

/// Batches taken from one socket before others get their turn: a flood on one port shall not
/// starve the rest.
const ROUNDS_MAX: usize = 4;

/// What the calls of a thread share: the way to the kernel and the buffers.
pub(crate) struct Bench<Io> {
    pub(crate) io: Io,
    pub(crate) tally: Totals,
    batch: Batch,
    shipments: Vec<Shipment>,
}

impl<Io: PacketIo> Bench<Io> {
    pub(crate) fn new(io: Io) -> Bench<Io> {
        Bench {
            io,
            tally: Totals::default(),
            batch: Batch::new(PACKETS_MAX, PACKET_SIZE),
            shipments: Vec::with_capacity(PACKETS_MAX),
        }
    }

    /// Forgets what a call left behind when it panicked.
    pub(crate) fn tidy_up(&mut self) {
        self.shipments.clear();
        self.batch.clear();
    }

    /// Sends the shipments collected so far through `socket`.
    fn ship(&mut self, socket: BorrowedFd<'_>) {
        let sent = self.io.send(socket, &self.batch, &self.shipments);
        self.shipments.clear();
        self.tally.sent += sent.packets;
        self.tally.sent_bytes += sent.bytes;
        self.tally.refused += sent.refused;
    }
}

/// What a call gets a leg of: its sockets, and what it was in the call that it comes from.
pub(crate) struct Arrival {
    pub(crate) pair: PortPair,
    pub(crate) taken: Option<(Instant, Box<TakenLeg>)>,
}

/// One leg's sockets.
struct Leg {
    id: LegId,
    pair: PortPair,
    family: Family,
    /// RTP, RTCP: is the socket on the worker's list of those that had more than their turn?
    unfinished: [bool; 2],
}

impl Leg {
    fn socket(&self, socket: Socket) -> BorrowedFd<'_> {
        match socket {
            Socket::Rtp => self.pair.rtp(),
            Socket::Rtcp => self.pair.rtcp(),
        }
    }
}

/// One call.
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) session: Session,
    legs: Vec<Leg>,
}

impl Call {
    pub(crate) fn new(id: u64, session: Session) -> Call {
        Call { id, session, legs: Vec::with_capacity(2) }
    }

    /// Adds a leg; `keys` name its sockets, RTP first.
    ///
    /// # Errors
    /// The reason, for the log: the leg exists, or its sockets cannot be watched. The call is
    /// then to be closed.
    pub(crate) fn add_leg<Io: PacketIo>(
        &mut self,
        id: LegId,
        arrival: Arrival,
        keys: [u64; 2],
        io: &mut Io,
        reports: &mut Reports,
    ) -> Result<(), String> {
        let Arrival { pair, taken } = arrival;
        let port = pair.port();
        if self.legs.iter().any(|known| known.id == id) {
            drop(pair);
            reports.free(port);
            return Err(format!("leg {} is opened twice", id.0));
        }
        let watch = |io: &mut Io| {
            io.add(pair.rtp(), keys[0])?;
            io.add(pair.rtcp(), keys[1])?;
            pair.local_addr()
        };
        match watch(io) {
            Ok(local) => {
                let family = Family::of(local);
                self.legs.push(Leg { id, pair, family, unfinished: [false; 2] });
                match taken {
                    None => self.session.add_leg(id),
                    Some((now, taken)) => {
                        let put = self.session.put_leg(now, id, taken);
                        debug_assert!(put.is_ok(), "the session has the legs of the call");
                    }
                }
                Ok(())
            }
            Err(error) => {
                drop(pair);
                reports.free(port);
                Err(format!("RTP port {port} cannot be watched: {error}"))
            }
        }
    }

    /// Takes a leg out with its sockets, which are watched no longer; what comes to them waits.
    pub(crate) fn take_leg<Io: PacketIo>(&mut self, id: LegId, io: &mut Io) -> Option<MovedLeg> {
        let index = self.legs.iter().position(|leg| leg.id == id)?;
        let taken = self.session.take_leg(id)?;
        let Leg { pair, .. } = self.legs.swap_remove(index);
        io.remove(pair.rtp());
        io.remove(pair.rtcp());
        Some(MovedLeg { pair, taken })
    }

    /// Closes the sockets of a leg and reports its port.
    pub(crate) fn remove_leg<Io: PacketIo>(
        &mut self,
        id: LegId,
        io: &mut Io,
        reports: &mut Reports,
    ) {
        self.session.remove_leg(id);
        if let Some(index) = self.legs.iter().position(|leg| leg.id == id) {
            close(self.legs.swap_remove(index), io, reports);
        }
    }

    /// Closes all sockets and reports their ports.
    pub(crate) fn close<Io: PacketIo>(self, io: &mut Io, reports: &mut Reports) {
        for leg in self.legs {
            close(leg, io, reports);
        }
    }

    /// How many sockets are open.
    pub(crate) fn sockets(&self) -> usize {
        2 * self.legs.len()
    }

    /// Takes the socket off the worker's list of unfinished ones.
    pub(crate) fn resume(&mut self, leg: LegId, socket: Socket) {
        if let Some(here) = self.legs.iter_mut().find(|known| known.id == leg) {
            here.unfinished[socket as usize] = false;
        }
    }

    /// Takes what waits in a socket and passes it on; shall the worker put it on its list of
    /// unfinished ones, because there is more and it is not there yet?
    pub(crate) fn receive<Io: PacketIo>(
        &mut self,
        now: Instant,
        leg: LegId,
        socket: Socket,
        bench: &mut Bench<Io>,
    ) -> bool {
        for _ in 0..ROUNDS_MAX {
            let Some(here) = self.legs.iter().find(|known| known.id == leg) else { return false };
            // why: the errors of a datagram socket without an error queue are "nothing waits" and
            // an ICMP answer to some datagram sent; the session notices silence by itself.
            let Ok(count) = bench.io.receive(here.socket(socket), &mut bench.batch) else {
                return false;
            };
            bench.tally.received += count as u64;
            self.relay(now, leg, socket, count, bench);
            if count < bench.batch.capacity() {
                return false;
            }
        }
        let here = self.legs.iter_mut().find(|known| known.id == leg);
        here.is_some_and(|here| !std::mem::replace(&mut here.unfinished[socket as usize], true))
    }

    fn relay<Io: PacketIo>(
        &mut self,
        now: Instant,
        leg: LegId,
        socket: Socket,
        count: usize,
        bench: &mut Bench<Io>,
    ) {
        let mut outlet = Outlet::default();
        for slot in 0..count {
            let Some(source) = bench.batch.source(slot) else { continue };
            let packet = bench.batch.datagram_mut(slot);
            bench.tally.received_bytes += packet.len() as u64;
            let forward = match socket {
                Socket::Rtp => self.session.handle_rtp(now, leg, source, packet),
                Socket::Rtcp => self.session.handle_rtcp(now, leg, source, packet),
            };
            if let Some(forward) = forward {
                outlet.take(&self.legs, slot, forward, bench);
            }
        }
        outlet.ship(&self.legs, bench);
    }

    /// Sends what the session generated and reports what it noticed.
    pub(crate) fn settle<Io: PacketIo>(&mut self, bench: &mut Bench<Io>, reports: &mut Reports) {
        let mut outlet = Outlet::default();
        let mut slot = 0;
        bench.batch.clear();
        while let Some(forward) = self.session.poll_transmit(bench.batch.buffer_mut(slot)) {
            outlet.take(&self.legs, slot, forward, bench);
            slot += 1;
            if slot == bench.batch.capacity() {
                outlet.ship(&self.legs, bench);
                slot = 0;
            }
        }
        outlet.ship(&self.legs, bench);
        while let Some(event) = self.session.poll_event() {
            if let Some(event) = self.told(event) {
                reports.push(event);
            }
        }
    }

    /// What the signalling side is told of an event.
    fn told(&self, event: SessionEvent) -> Option<Event> {
        let call = self.id;
        Some(match event {
            SessionEvent::MediaTimeout { leg } => Event::MediaTimeout { call, leg },
            SessionEvent::Digit { leg, digit, duration } => {
                Event::Digit { call, leg, digit, duration }
            }
            SessionEvent::Played { leg, id, end, at_sample } => {
                Event::Played { call, leg, id, end, at_sample }
            }
            SessionEvent::DigitsSent { leg, whole } => Event::DigitsSent { call, leg, whole },
            SessionEvent::Latched { leg, address } => {
                tracing::debug!(call, leg = leg.0, %address, "RTP source settled");
                return None;
            }
        })
    }
}

fn close<Io: PacketIo>(leg: Leg, io: &mut Io, reports: &mut Reports) {
    io.remove(leg.pair.rtp());
    io.remove(leg.pair.rtcp());
    let port = leg.pair.port();
    // why: the port may be opened again as soon as it is reported.
    drop(leg);
    reports.free(port);
}

/// Collects packets that leave through the same socket; the shipments themselves are the bench's.
#[derive(Default)]
struct Outlet {
    from: Option<(LegId, Socket)>,
}

impl Outlet {
    fn take<Io: PacketIo>(
        &mut self,
        legs: &[Leg],
        slot: usize,
        forward: Forward,
        bench: &mut Bench<Io>,
    ) {
        let from = Some((forward.leg, forward.socket));
        if self.from != from {
            self.ship(legs, bench);
            self.from = from;
        }
        let Some(leg) = legs.iter().find(|leg| leg.id == forward.leg) else { return };
        match RawAddress::encode(forward.to, leg.family) {
            Some(to) => bench.shipments.push(Shipment { slot, length: forward.len, to }),
            None => bench.tally.refused += 1,
        }
    }

    fn ship<Io: PacketIo>(&mut self, legs: &[Leg], bench: &mut Bench<Io>) {
        let Some((id, socket)) = self.from.take() else { return };
        if bench.shipments.is_empty() {
            return;
        }
        match legs.iter().find(|leg| leg.id == id) {
            Some(leg) => bench.ship(leg.socket(socket)),
            None => bench.shipments.clear(),
        }
    }
}
