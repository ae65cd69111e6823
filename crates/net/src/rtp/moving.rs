//! Legs that move from one call to another with their sockets, also to another thread.
//!
//! [`Handle`] tells the thread that gets the leg before the one that has it, so commands about the
//! new call that are sent after the [`Move`] wait there until the leg has come, or until it is
//! known that there is none. What comes to the sockets meanwhile waits in them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::TrySendError;
use std::time::Instant;

use media::{LegId, TakenLeg};

use super::call::Arrival;
use super::command::{Command, Event};
use super::lane::{Errand, Handle};
use super::packet_io::PacketIo;
use super::port::PortPair;
use super::worker::Worker;

/// Commands about one call that wait for a leg. A leg takes a turn of two threads to come; with
/// more commands than this the call fails.
const WAITING_MAX: usize = 256;

/// A leg is to move to another call, which begins with it if it is not there: with its port, its
/// peer, and the sound that is played and the digits that are sent to it. Nobody hears it where it
/// was, and it hears nothing where it comes.
///
/// Commands about the new call that are sent after this one wait for it. Where no such leg is,
/// nothing moves, and they are carried out without it. Its events come from the call that it was
/// in when they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub(super) call: u64,
    pub(super) leg: LegId,
    pub(super) to_call: u64,
    pub(super) to_leg: LegId,
    /// The thread of `to_call` knows.
    pub(super) announced: bool,
}

impl Move {
    /// `leg` of `call` becomes `to_leg` of `to_call`, which must not have one of that number: it
    /// would fail as with [`Command::Open`].
    ///
    /// A [`Command::Move`] that comes back as [`SendError::Full`](super::SendError::Full) must be
    /// sent again, as it came: `to_call` may wait for it already.
    pub fn new(call: u64, leg: LegId, to_call: u64, to_leg: LegId) -> Move {
        Move { call, leg, to_call, to_leg, announced: false }
    }
}

/// A leg on its way.
#[derive(Debug)]
pub(crate) struct MovedLeg {
    pub(crate) pair: PortPair,
    pub(crate) taken: Box<TakenLeg>,
}

/// What a call that waits for a leg is to get, in the order in which it was sent.
#[derive(Debug)]
enum Awaited {
    /// The leg; what is behind it waits until it has come.
    Leg(LegId),
    /// A command.
    Command(Command),
}

/// What a thread knows of legs that come and go.
pub(crate) struct Moves {
    handle: Handle,
    /// By call; never empty, and a leg is first of each.
    waiting: BTreeMap<u64, VecDeque<Awaited>>,
    /// What found no room in the queue of another thread, with the call it is for.
    leaving: VecDeque<(u64, Errand)>,
}

impl Moves {
    pub(crate) fn new(handle: Handle) -> Moves {
        Moves { handle, waiting: BTreeMap::new(), leaving: VecDeque::new() }
    }

    /// A leg of another thread will come.
    pub(crate) fn expect(&mut self, call: u64, leg: LegId) {
        self.waiting.entry(call).or_default().push_back(Awaited::Leg(leg));
    }

    /// The leg has come; no if nobody waits for it any more.
    fn is_there(&mut self, call: u64, leg: LegId) -> bool {
        let Some(waiting) = self.waiting.get_mut(&call) else { return false };
        let is_it = |awaited: &Awaited| matches!(awaited, Awaited::Leg(known) if *known == leg);
        let index = waiting.iter().position(is_it);
        index.and_then(|index| waiting.remove(index)).is_some()
    }

    /// The next command of a call that waits for no leg any more.
    fn next_command(&mut self, call: u64) -> Option<Command> {
        let waiting = self.waiting.get_mut(&call)?;
        if matches!(waiting.front(), Some(Awaited::Leg(_))) {
            return None;
        }
        let Some(Awaited::Command(command)) = waiting.pop_front() else {
            self.waiting.remove(&call);
            return None;
        };
        Some(command)
    }
}

impl<Io: PacketIo> Worker<Io> {
    /// The command, unless it waits for a leg now.
    pub(super) fn wait_for_legs(&mut self, command: Command) -> Option<Command> {
        let call = command.call();
        if matches!(command, Command::Close { .. }) {
            self.forget_waiting(call);
            return Some(command);
        }
        if !self.moves.waiting.contains_key(&call) {
            return Some(command);
        }
        let command = match command {
            // why: commands about where the leg goes to wait for it as if it came from afar.
            Command::Move(moving) if !moving.announced && moving.to_call != call => {
                self.moves.expect(moving.to_call, moving.to_leg);
                Command::Move(Move { announced: true, ..moving })
            }
            command => command,
        };
        let waiting = self.moves.waiting.entry(call).or_default();
        waiting.push_back(Awaited::Command(command));
        if waiting.len() > WAITING_MAX {
            let reason = format!("more than {WAITING_MAX} commands wait for a leg that moves");
            match self.calls.get(&call) {
                Some(&slot) => self.fail(slot, reason),
                None => {
                    self.forget_waiting(call);
                    self.reports.push(Event::Failed { call, reason });
                }
            }
        }
        None
    }

    /// The call waits for nothing more; what waited is not carried out.
    pub(super) fn forget_waiting(&mut self, call: u64) {
        for awaited in self.moves.waiting.remove(&call).into_iter().flatten() {
            match awaited {
                Awaited::Command(Command::Open { pair, .. }) => self.close_pair(pair),
                Awaited::Command(Command::Move(moving)) if moving.announced => {
                    self.send_off(moving, None);
                }
                Awaited::Command(_) | Awaited::Leg(_) => {}
            }
        }
    }

    /// Sends a leg where it is to go.
    pub(super) fn depart(&mut self, now: Instant, moving: Move) {
        let Move { call, leg, to_call, to_leg, .. } = moving;
        let moved = self.take_leg(call, leg).map(Box::new);
        if moved.is_none() {
            tracing::warn!(call, leg = leg.0, to_call, "no such leg to move");
        }
        if moving.announced {
            self.send_off(moving, moved);
        } else if let Some(moved) = moved {
            self.put_in(now, (to_call, to_leg), *moved);
        }
    }

    fn send_off(&mut self, moving: Move, moved: Option<Box<MovedLeg>>) {
        let Move { to_call: call, to_leg: leg, .. } = moving;
        self.moves.leaving.push_back((call, Errand::Arrive { call, leg, moved }));
        self.flush_moves();
    }

    /// Hands over what there is room for; does anything still wait?
    pub(super) fn flush_moves(&mut self) -> bool {
        while let Some((call, errand)) = self.moves.leaving.pop_front() {
            let Err(refused) = self.moves.handle.tell(call, errand) else { continue };
            match *refused {
                TrySendError::Full(errand) => {
                    self.moves.leaving.push_front((call, errand));
                    return true;
                }
                // why: threads end together; this one only has its ports left to report.
                TrySendError::Disconnected(errand) => self.let_go(errand),
            }
        }
        false
    }

    /// A leg of another thread has come, or there is none. Then what waited is carried out.
    pub(super) fn arrive(
        &mut self,
        now: Instant,
        (call, leg): (u64, LegId),
        moved: Option<Box<MovedLeg>>,
    ) {
        // why: the call was closed, or failed, while the leg was on its way.
        if !self.moves.is_there(call, leg) {
            return self.let_go(Errand::Arrive { call, leg, moved });
        }
        if let Some(moved) = moved {
            self.put_in(now, (call, leg), *moved);
        }
        while let Some(command) = self.moves.next_command(call) {
            self.carry_out(now, command);
        }
    }

    fn put_in(&mut self, now: Instant, (call, leg): (u64, LegId), moved: MovedLeg) {
        let MovedLeg { pair, taken } = moved;
        self.open(call, leg, Arrival { pair, taken: Some((now, taken)) });
    }

    fn let_go(&mut self, errand: Errand) {
        if let Errand::Arrive { moved: Some(moved), .. } = errand {
            self.close_pair(moved.pair);
        }
    }

    fn close_pair(&mut self, pair: PortPair) {
        let port = pair.port();
        // why: the port may be opened again as soon as it is reported.
        drop(pair);
        self.reports.free(port);
    }

    /// The thread ends: whatever is on its way is closed.
    pub(super) fn end_moves(&mut self) {
        let calls: Vec<u64> = self.moves.waiting.keys().copied().collect();
        calls.into_iter().for_each(|call| self.forget_waiting(call));
        while let Some((_, errand)) = self.moves.leaving.pop_front() {
            self.let_go(errand);
        }
    }
}
