//! The queues of commands, one for each media thread, with an eventfd that wakes it.
//!
//! Neither side ever waits for the other: a full queue gives the command back. All commands about
//! one call go to one thread, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};

use media::LegId;

use super::command::Command;
use super::moving::{Move, MovedLeg};
use crate::sys::EventFd;

/// Commands that may wait for one thread: seconds of work at the highest call rate.
pub const COMMANDS_MAX: usize = 8192;

/// Calls are opened only while fewer than this wait, so that there is always room to close.
pub const OPENINGS_MAX: usize = COMMANDS_MAX / 2;

/// Why a command was not taken. It is given back: an [`Command::Open`] holds sockets.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The thread is behind with its commands. Refuse the call if it is an [`Command::Open`],
    /// try again a little later if it is anything else.
    #[error("the media thread of call {} has too many commands waiting; try again", .0.call())]
    Full(Box<Command>),
    /// The thread has ended.
    #[error("the media thread of call {} has ended", .0.call())]
    Stopped(Box<Command>),
}

/// What waits in a queue: commands, and what threads tell each other of a leg that moves.
#[derive(Debug)]
pub(crate) enum Errand {
    /// A command from outside.
    Carry(Command),
    /// A leg of another thread will come: commands about its call wait for it.
    Expect {
        /// The call that gets it.
        call: u64,
        /// Its number there.
        leg: LegId,
    },
    /// Here it is; `None` if it was not there.
    Arrive {
        /// The call that gets it.
        call: u64,
        /// Its number there.
        leg: LegId,
        /// It.
        moved: Option<Box<MovedLeg>>,
    },
}

/// Why an errand was not taken, with it.
pub(crate) type Refused = Box<TrySendError<Errand>>;

/// Sends commands to the media threads. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    lanes: Arc<[Lane]>,
}

/// The sending end of one thread's queue.
pub(crate) struct Lane {
    commands: SyncSender<Errand>,
    signal: Arc<Signal>,
}

/// The receiving end of one thread's queue.
pub(crate) struct Inlet {
    commands: Receiver<Errand>,
    pub(crate) signal: Arc<Signal>,
}

/// Nothing was sent since the thread last looked.
const QUIET: u8 = 0;
/// Something was sent; the thread finds it when it wakes for another reason.
const RAISED: u8 = 1;
/// Something was sent, and the thread was woken for it.
const WOKEN: u8 = 2;

/// Wakes a thread; shared by both ends.
pub(crate) struct Signal {
    pub(crate) wake: EventFd,
    /// How much the thread has heard of its queue: [`QUIET`], [`RAISED`] or [`WOKEN`].
    heard: AtomicU8,
    stop: AtomicBool,
    /// Commands in the queue.
    queued: AtomicUsize,
}

/// One thread's queue.
pub(crate) fn lane() -> std::io::Result<(Lane, Inlet)> {
    let (sender, receiver) = sync_channel(COMMANDS_MAX);
    let signal = Arc::new(Signal {
        wake: EventFd::new()?,
        heard: AtomicU8::new(QUIET),
        stop: AtomicBool::new(false),
        queued: AtomicUsize::new(0),
    });
    let lane = Lane { commands: sender, signal: Arc::clone(&signal) };
    Ok((lane, Inlet { commands: receiver, signal }))
}

impl Handle {
    pub(crate) fn new(lanes: Vec<Lane>) -> Handle {
        Handle { lanes: lanes.into() }
    }

    /// Hands `command` to the thread of its call, and wakes the thread. Never blocks.
    ///
    /// # Errors
    /// [`SendError`], with the command.
    pub fn send(&self, command: Command) -> Result<(), SendError> {
        self.put(command)?;
        self.wake();
        Ok(())
    }

    /// Hands `command` to the thread of its call without waking it: whoever gives several in a row
    /// ends with [`Handle::wake`]. A thread that wakes for a packet carries it out before that.
    ///
    /// # Errors
    /// [`SendError`], with the command.
    pub fn put(&self, command: Command) -> Result<(), SendError> {
        let command = match command {
            Command::Move(moving) => Command::Move(self.announce(moving)?),
            command => command,
        };
        self.lane(command.call()).put(command)
    }

    /// Tells the thread that a leg goes to, so that later commands about it wait there.
    fn announce(&self, moving: Move) -> Result<Move, SendError> {
        let Move { to_call: call, to_leg: leg, announced, .. } = moving;
        if announced || self.on_one_thread(moving.call, call) {
            return Ok(moving);
        }
        let given_back = || Box::new(Command::Move(moving));
        match self.lane(call).push(Errand::Expect { call, leg }) {
            Ok(()) => Ok(Move { announced: true, ..moving }),
            Err(refused) => Err(match *refused {
                TrySendError::Full(_) => SendError::Full(given_back()),
                TrySendError::Disconnected(_) => SendError::Stopped(given_back()),
            }),
        }
    }

    /// Are these two calls on the same thread?
    pub(crate) fn on_one_thread(&self, one: u64, other: u64) -> bool {
        std::ptr::eq(self.lane(one), self.lane(other))
    }

    /// Hands the thread of `call` an errand of another thread, and wakes it.
    pub(crate) fn tell(&self, call: u64, errand: Errand) -> Result<(), Refused> {
        let lane = self.lane(call);
        lane.push(errand)?;
        lane.signal.wake();
        Ok(())
    }

    fn lane(&self, call: u64) -> &Lane {
        // why: calls are numbered one after the other, so this spreads them evenly.
        &self.lanes[(call % self.lanes.len() as u64) as usize]
    }

    /// Wakes each thread that was given something since it last looked, and was not woken yet.
    pub fn wake(&self) {
        for lane in self.lanes.iter() {
            lane.signal.wake();
        }
    }

    pub(crate) fn stop(&self) {
        for lane in self.lanes.iter() {
            lane.signal.stop.store(true, Ordering::SeqCst);
            lane.signal.raise();
            lane.signal.wake();
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("threads", &self.lanes.len()).finish()
    }
}

impl Lane {
    fn put(&self, command: Command) -> Result<(), SendError> {
        let given_back = |errand| match errand {
            Errand::Carry(command) => Box::new(command),
            other => unreachable!("a command was given, and {other:?} came back"),
        };
        self.push(Errand::Carry(command)).map_err(|refused| match *refused {
            TrySendError::Full(errand) => SendError::Full(given_back(errand)),
            TrySendError::Disconnected(errand) => SendError::Stopped(given_back(errand)),
        })
    }

    fn push(&self, errand: Errand) -> Result<(), Refused> {
        let before = self.signal.queued.fetch_add(1, Ordering::Relaxed);
        let opens = matches!(errand, Errand::Carry(Command::Open { .. }));
        let pushed = if opens && before >= OPENINGS_MAX {
            Err(TrySendError::Full(errand))
        } else {
            self.commands.try_send(errand)
        };
        let pushed = pushed.map_err(Box::new);
        if pushed.is_ok() {
            self.signal.raise();
        } else {
            self.signal.queued.fetch_sub(1, Ordering::Relaxed);
        }
        pushed
    }
}

impl Signal {
    fn raise(&self) {
        self.heard.fetch_max(RAISED, Ordering::SeqCst);
    }

    fn wake(&self) {
        let (from, to) = (RAISED, WOKEN);
        let relaxed = Ordering::Relaxed;
        // why: a full barrier where nothing was sent would be paid on each turn of the caller.
        if self.heard.load(relaxed) == from
            && self.heard.compare_exchange(from, to, Ordering::SeqCst, relaxed).is_ok()
        {
            self.wake.wake();
        }
    }
}

impl Inlet {
    /// Did somebody send commands since the last time? To be asked before the queue is looked
    /// at: later commands wake again.
    pub(crate) fn lower(&self) -> bool {
        // why: asked on every turn, and nearly always in vain.
        self.signal.heard.load(Ordering::SeqCst) != QUIET
            && self.signal.heard.swap(QUIET, Ordering::SeqCst) != QUIET
    }

    /// The next command, or what another thread tells.
    pub(crate) fn take(&self) -> Option<Errand> {
        match self.commands.try_recv() {
            Ok(errand) => {
                self.signal.queued.fetch_sub(1, Ordering::Relaxed);
                Some(errand)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// Shall the thread end?
    pub(crate) fn stopped(&self) -> bool {
        self.signal.stop.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;
    use crate::rtp::port::PortPair;
    use crate::sys::{Epoll, Ready};

    #[test]
    fn a_full_queue_gives_the_command_back_and_takes_it_later() {
        let (lane, inlet) = lane().expect("a descriptor");
        for call in 0..COMMANDS_MAX as u64 {
            lane.put(Command::Close { call }).expect("room");
        }
        let full = lane.put(Command::Close { call: 9 }).expect_err("no room");
        assert!(matches!(&full, SendError::Full(command) if command.call() == 9), "{full}");
        let first = inlet.take();
        assert!(matches!(first, Some(Errand::Carry(Command::Close { call: 0 }))), "{first:?}");
        lane.put(Command::Close { call: 9 }).expect("room again");
    }

    #[test]
    fn opening_is_refused_while_closing_still_has_room() {
        let (lane, _inlet) = lane().expect("a descriptor");
        for call in 0..OPENINGS_MAX as u64 {
            lane.put(Command::Close { call }).expect("room");
        }
        let socket = || std::net::UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
        let pair = PortPair::of(socket(), socket());
        let open = Command::Open { call: 1, leg: LegId(0), pair };
        let refused = lane.put(open).expect_err("too much waits");
        assert!(matches!(refused, SendError::Full(_)), "{refused}");
        lane.put(Command::Close { call: 1 }).expect("room");
    }

    #[test]
    fn several_commands_wake_the_thread_once_and_it_finds_them_unwoken() {
        let (lane, inlet) = lane().expect("a descriptor");
        let epoll = Epoll::new().expect("a descriptor");
        let mut ready = Ready::new(1);
        epoll.add(inlet.signal.wake.as_fd(), 7).expect("a live descriptor");
        let mut woken = || {
            epoll.wait(Some(Duration::ZERO), &mut ready).expect("a look");
            ready.len() == 1
        };
        lane.put(Command::Close { call: 1 }).expect("room");
        lane.put(Command::Close { call: 2 }).expect("room");
        assert!(!woken() && inlet.lower() && !inlet.lower(), "found without a wake");
        lane.signal.wake();
        assert!(!woken(), "what was found already wakes nobody");
        for call in 3..6 {
            lane.put(Command::Close { call }).expect("room");
        }
        lane.signal.wake();
        assert!(woken());
        lane.put(Command::Close { call: 6 }).expect("room");
        lane.signal.wake();
        assert!(!woken() && inlet.lower(), "woken already, and not looked yet");
        lane.put(Command::Close { call: 7 }).expect("room");
        lane.signal.wake();
        assert!(woken() && inlet.lower());
    }

    #[test]
    fn a_stopped_thread_gives_the_command_back() {
        let (lane, inlet) = lane().expect("a descriptor");
        drop(inlet);
        let refused = lane.put(Command::Close { call: 1 }).expect_err("nobody there");
        assert!(matches!(refused, SendError::Stopped(_)), "{refused}");
    }

    #[test]
    fn a_move_that_found_no_room_is_announced_once_however_often_it_is_sent() {
        let (from, out) = lane().expect("a descriptor");
        let (to, inlet) = lane().expect("a descriptor");
        let handle = Handle::new(vec![from, to]);
        for _ in 0..COMMANDS_MAX {
            handle.put(Command::Close { call: 0 }).expect("room");
        }
        let mut command = Command::Move(Move::new(0, LegId(1), 1, LegId(2)));
        for _ in 0..3 {
            let refused = handle.put(command).expect_err("no room where the leg is");
            let SendError::Full(given_back) = refused else { panic!("{refused}") };
            command = *given_back;
        }
        out.take().expect("one of them");
        handle.put(command).expect("room again");
        let announced = inlet.take();
        let expected = matches!(announced, Some(Errand::Expect { call: 1, leg: LegId(2) }));
        assert!(expected && inlet.take().is_none(), "{announced:?}");
    }

    #[test]
    fn a_move_on_one_thread_needs_no_announcement() {
        let (lane, inlet) = lane().expect("a descriptor");
        let handle = Handle::new(vec![lane]);
        handle.put(Command::Move(Move::new(0, LegId(1), 1, LegId(2)))).expect("room");
        let errand = inlet.take();
        assert!(matches!(errand, Some(Errand::Carry(Command::Move(_)))), "{errand:?}");
        assert!(inlet.take().is_none());
    }
}
