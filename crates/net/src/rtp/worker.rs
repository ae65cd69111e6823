//! One media thread: its calls, its timers, its share of the sockets.
//!
//! Sleeps in one place, and then: commands, packets of the sockets that are ready, deadlines. The
//! thread owns its calls alone; nothing on the way of a packet locks or allocates. A call that
//! panics is closed and reported, the others go on.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{LegId, Session, SessionConfig, Socket};

use super::call::{Arrival, Bench, Call};
use super::command::{Command, Event, Reports};
use super::counters::Counters;
use super::lane::{Errand, Handle, Inlet};
use super::moving::{MovedLeg, Moves};
use super::packet_io::PacketIo;
use super::timers::Timers;
use crate::seed::Seeds;

/// Commands carried out between two looks at the sockets.
const COMMANDS_PER_TURN: usize = 64;

/// When events that found no room are tried again.
const EVENTS_RETRY: Duration = Duration::from_millis(5);

/// What all threads are told at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// After this long without RTP from a peer that should send, [`Event::MediaTimeout`]; `None`:
    /// never.
    pub inactivity: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Config { inactivity: Some(Duration::from_mins(1)) }
    }
}

/// The key of the eventfd; no socket has it.
const COMMANDS: u64 = u64::MAX;

/// Which socket is ready: the call's slot, whose call that was (slots are used again), which leg,
/// which of its sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    slot: u32,
    generation: u16,
    leg: LegId,
    socket: Socket,
}

impl Key {
    fn pack(self) -> u64 {
        let rtcp = u64::from(self.socket == Socket::Rtcp);
        u64::from(self.slot)
            | u64::from(self.generation) << 32
            | u64::from(self.leg.0) << 48
            | rtcp << 56
    }

    #[expect(clippy::cast_possible_truncation, reason = "takes apart what `pack` put together")]
    fn unpack(key: u64) -> Key {
        Key {
            slot: key as u32,
            generation: (key >> 32) as u16,
            leg: LegId((key >> 48) as u8),
            socket: if key >> 56 & 1 == 1 { Socket::Rtcp } else { Socket::Rtp },
        }
    }
}

/// A place for a call.
#[derive(Default)]
struct Slot {
    generation: u16,
    call: Option<Box<Call>>,
}

/// The thread's state.
pub(crate) struct Worker<Io> {
    config: Config,
    inlet: Inlet,
    pub(super) reports: Reports,
    counters: Arc<Counters>,
    seeds: Seeds,
    bench: Bench<Io>,
    slots: Vec<Slot>,
    vacant: Vec<usize>,
    /// Slots by call; for commands only.
    pub(super) calls: BTreeMap<u64, usize>,
    pub(super) moves: Moves,
    timers: Timers,
    /// Sockets of all calls.
    sockets: usize,
    /// Sockets that had more than their turn allowed, each once.
    unfinished: Vec<u64>,
    /// The same, being worked on.
    resumed: Vec<u64>,
    /// More commands wait than one turn carries out.
    commands_left: bool,
}

impl<Io: PacketIo> Worker<Io> {
    pub(crate) fn new(
        config: Config,
        (handle, inlet): (Handle, Inlet),
        reports: Reports,
        counters: Arc<Counters>,
        mut io: Io,
    ) -> io::Result<Worker<Io>> {
        io.add(inlet.signal.wake.as_fd(), COMMANDS)?;
        Ok(Worker {
            config,
            inlet,
            reports,
            counters,
            seeds: Seeds::random(),
            bench: Bench::new(io),
            slots: Vec::new(),
            vacant: Vec::new(),
            calls: BTreeMap::new(),
            moves: Moves::new(handle),
            timers: Timers::default(),
            sockets: 0,
            unfinished: Vec::new(),
            resumed: Vec::new(),
            commands_left: false,
        })
    }

    /// Works until told to stop; then closes every call.
    pub(crate) fn run(mut self) {
        while !self.inlet.stopped() {
            if let Err(error) = self.turn() {
                tracing::error!(%error, "media thread cannot wait for packets; it ends");
                break;
            }
        }
        // why: a call whose opening still waits has ports to report, too.
        while let Some(errand) = self.inlet.take() {
            self.take_errand(Instant::now(), errand);
        }
        self.end_moves();
        while let Some((_, slot)) = self.calls.pop_first() {
            self.close(slot);
        }
        self.reports.flush();
    }

    /// One round: sleep, commands, packets, deadlines.
    fn turn(&mut self) -> io::Result<()> {
        let waiting = self.flush_moves() | self.reports.flush();
        let timeout = self.timeout(Instant::now(), waiting);
        let ready = self.bench.io.wait(timeout)?;

        let now = Instant::now();
        self.bench.tally.wakeups += 1;
        std::mem::swap(&mut self.unfinished, &mut self.resumed);
        // why: commands go first, so that a packet sent after a command finds it carried out.
        if self.inlet.lower() || self.commands_left {
            self.take_commands(now);
        }
        while let Some(key) = self.resumed.pop() {
            let key = Key::unpack(key);
            if let Some(call) = self.call_of(key) {
                call.resume(key.leg, key.socket);
                self.serve(now, key);
            }
        }
        for index in 0..ready {
            match self.bench.io.ready(index) {
                COMMANDS => {}
                key => self.serve(now, Key::unpack(key)),
            }
        }
        // why: a call that is due again at once waits for the next turn, not for ever in this one.
        for _ in 0..self.slots.len() {
            let Some(slot) = self.timers.pop_due(now) else { break };
            self.wake(now, slot);
        }
        self.counters.add(&mut self.bench.tally);
        Ok(())
    }

    fn timeout(&self, now: Instant, events_wait: bool) -> Option<Duration> {
        if self.commands_left || !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let deadline = self.timers.next().map(|next| next.saturating_duration_since(now));
        match deadline {
            Some(left) if events_wait => Some(left.min(EVENTS_RETRY)),
            None if events_wait => Some(EVENTS_RETRY),
            left => left,
        }
    }

    /// The call whose socket is meant, unless it was closed in the meantime.
    fn call_of(&mut self, key: Key) -> Option<&mut Call> {
        let place = self.slots.get_mut(key.slot as usize)?;
        let call = place.call.as_deref_mut()?;
        (place.generation == key.generation).then_some(call)
    }

    fn serve(&mut self, now: Instant, key: Key) {
        if self.call_of(key).is_none() {
            return;
        }
        let more = self.with_call(key.slot as usize, |call, bench, _| {
            call.receive(now, key.leg, key.socket, bench)
        });
        if more == Some(true) {
            self.unfinished.push(key.pack());
        }
    }

    fn wake(&mut self, now: Instant, slot: usize) {
        self.with_call(slot, |call, _, _| {
            // why: packets move a deadline later without telling the timers.
            if call.session.poll_timeout().is_some_and(|deadline| deadline <= now) {
                call.session.handle_timeout(now);
            }
        });
    }

    /// Does something with a call, then sends and reports what came of it and sets its deadline.
    /// If it panics the call is closed. `None`: no such call, or no longer.
    fn with_call<T>(
        &mut self,
        slot: usize,
        action: impl FnOnce(&mut Call, &mut Bench<Io>, &mut Reports) -> T,
    ) -> Option<T> {
        let call = self.slots.get_mut(slot)?.call.as_deref_mut()?;
        let (bench, reports) = (&mut self.bench, &mut self.reports);
        // why: nothing of a call is looked at after it panicked but its sockets, and the bench is
        // tidied, so no broken promise can be seen.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let result = action(call, bench, reports);
            call.settle(bench, reports);
            (result, call.session.poll_timeout())
        }));
        match outcome {
            Ok((result, deadline)) => {
                self.timers.hasten(slot, deadline);
                Some(result)
            }
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(ToString::to_string);
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                let text = text.unwrap_or_else(|| "of unknown kind".to_owned());
                self.bench.tidy_up();
                self.fail(slot, format!("panic: {text}"));
                None
            }
        }
    }

    pub(super) fn fail(&mut self, slot: usize, reason: String) {
        let Some(call) = self.slots[slot].call.as_ref().map(|call| call.id) else { return };
        tracing::error!(call, reason, "media of a call ended");
        self.calls.remove(&call);
        self.close(slot);
        self.forget_waiting(call);
        self.reports.push(Event::Failed { call, reason });
    }

    fn take_commands(&mut self, now: Instant) {
        self.commands_left = false;
        for _ in 0..COMMANDS_PER_TURN {
            match self.inlet.take() {
                Some(errand) => self.take_errand(now, errand),
                None => return,
            }
        }
        self.commands_left = true;
    }

    fn take_errand(&mut self, now: Instant, errand: Errand) {
        match errand {
            Errand::Carry(command) => {
                if let Some(command) = self.wait_for_legs(command) {
                    self.carry_out(now, command);
                }
            }
            Errand::Expect { call, leg } => self.moves.expect(call, leg),
            Errand::Arrive { call, leg, moved } => self.arrive(now, (call, leg), moved),
        }
    }

    /// Carries out a command that has nothing to wait for.
    pub(super) fn carry_out(&mut self, now: Instant, command: Command) {
        let id = command.call();
        let command = match command {
            Command::Open { leg, pair, .. } => {
                return self.open(id, leg, Arrival { pair, taken: None });
            }
            Command::Move(moving) => return self.depart(now, moving),
            command => command,
        };
        // why: a command may cross the report that the call's media failed.
        let Some(&slot) = self.calls.get(&id) else { return };
        if let Command::Close { .. } = command {
            self.calls.remove(&id);
            return self.close(slot);
        }
        let sockets = self.sockets_of(slot);
        self.with_call(slot, |call, bench, reports| match command {
            Command::SetRemote { leg, remote, .. } => call.session.set_remote(now, leg, remote),
            Command::Bridge { x, y, .. } => call.session.bridge(now, x, y),
            Command::Connect { from, to, .. } => call.session.connect(now, from, to),
            Command::Ringback { to, tone, .. } => call.session.ringback(now, to, tone),
            Command::Silence { to, .. } => call.session.silence(to),
            Command::Play { to, play, .. } => call.session.play(now, to, play),
            Command::StopPlay { leg, id, .. } => call.session.stop_play(now, leg, id),
            Command::SendDigits { to, digits, length, .. } => {
                call.session.send_digits(now, to, digits, length);
            }
            Command::Mute { leg, muted, .. } => call.session.mute(leg, muted),
            Command::Boost { leg, gain, .. } => call.session.boost(leg, gain),
            Command::CloseLeg { leg, .. } => call.remove_leg(leg, &mut bench.io, reports),
            Command::Open { .. } | Command::Move(_) | Command::Close { .. } => {}
        });
        self.sockets -= sockets - self.sockets_of(slot);
    }

    /// Takes a leg with its sockets out of a call.
    pub(super) fn take_leg(&mut self, call: u64, leg: LegId) -> Option<MovedLeg> {
        let &slot = self.calls.get(&call)?;
        let sockets = self.sockets_of(slot);
        let moved = self.with_call(slot, |call, bench, _| call.take_leg(leg, &mut bench.io));
        let moved = moved.flatten();
        // why: a call that panicked has given its sockets back itself.
        if moved.is_some() {
            self.sockets -= sockets - self.sockets_of(slot);
        }
        moved
    }

    /// Gives a call a leg, and makes the call with its first.
    pub(super) fn open(&mut self, id: u64, leg: LegId, arrival: Arrival) {
        let slot = match self.calls.get(&id) {
            Some(&slot) => slot,
            None => self.admit(id),
        };
        let generation = self.slots[slot].generation;
        let key = |socket| {
            let slot = u32::try_from(slot).unwrap_or(u32::MAX);
            Key { slot, generation, leg, socket }.pack()
        };
        let keys = [key(Socket::Rtp), key(Socket::Rtcp)];
        let before = self.sockets_of(slot);
        let opened = self.with_call(slot, |call, bench, reports| {
            call.add_leg(leg, arrival, keys, &mut bench.io, reports)
        });
        self.sockets += self.sockets_of(slot) - before;
        if let Some(Err(reason)) = opened {
            self.fail(slot, reason);
        }
        // why: each socket is at most once on each list, so packets never make them grow.
        self.unfinished.reserve(self.sockets.saturating_sub(self.unfinished.len()));
        self.resumed.reserve(self.sockets.saturating_sub(self.resumed.len()));
    }

    fn sockets_of(&self, slot: usize) -> usize {
        self.slots[slot].call.as_ref().map_or(0, |call| call.sockets())
    }

    fn admit(&mut self, id: u64) -> usize {
        let config = SessionConfig { inactivity: self.config.inactivity };
        let session = Session::new(config, self.seeds.next_seed());
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[slot].call = Some(Box::new(Call::new(id, session)));
        self.timers.grow(self.slots.len());
        self.vacant.reserve(self.slots.len());
        self.calls.insert(id, slot);
        slot
    }

    fn close(&mut self, slot: usize) {
        self.sockets -= self.sockets_of(slot);
        let place = &mut self.slots[slot];
        let Some(call) = place.call.take() else { return };
        place.generation = place.generation.wrapping_add(1);
        self.timers.clear(slot);
        self.vacant.push(slot);
        call.close(&mut self.bench.io, &mut self.reports);
    }
}
