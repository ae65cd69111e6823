//! What the signalling side tells a media thread, what it hears back, and the queues between.
//!
//! Commands go through one bounded queue for each thread, with an eventfd that wakes it; events
//! come back through one bounded channel for all. Neither side ever waits for the other: a full
//! queue gives the command back, a full channel keeps the event for later. All commands about one
//! call go to one thread, in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use media::{Digits, LegId, Play, PlayEnd, PlayId, Remote, Tone};
use tokio::sync::mpsc;

use super::port::PortPair;
use crate::sys::EventFd;

/// Commands that may wait for one thread: seconds of work at the highest call rate.
pub const COMMANDS_MAX: usize = 8192;

/// Calls are opened only while fewer than this wait, so that there is always room to close.
pub const OPENINGS_MAX: usize = COMMANDS_MAX / 2;

/// Events that may wait for the signalling side in the channel.
pub const EVENTS_MAX: usize = 4096;

/// Room for events of one thread from the start: those of one turn, so that a digit that a packet
/// ends allocates nothing here.
const EVENTS_EXPECTED: usize = 64;

/// Events of one thread that wait for room in the channel. Beyond it something is badly wrong with
/// the receiver, and events are dropped with an error in the log.
const EVENTS_WAITING_MAX: usize = 1 << 17;

/// What a media thread is to do. Calls and legs are numbered by the sender.
#[derive(Debug)]
pub enum Command {
    /// Opens a leg on `pair`, and the call with its first leg.
    Open {
        /// The call.
        call: u64,
        /// A leg that the call does not have yet.
        leg: LegId,
        /// Its sockets; [`Event::PortsFreed`] names the port when they are closed.
        pair: PortPair,
    },
    /// What was agreed with the leg's peer; after a re-INVITE again.
    SetRemote {
        /// The call.
        call: u64,
        /// The leg.
        leg: LegId,
        /// The peer.
        remote: Remote,
    },
    /// Two legs hear each other.
    Bridge {
        /// The call.
        call: u64,
        /// One leg.
        x: LegId,
        /// The leg it talks to.
        y: LegId,
    },
    /// `to` hears `from`, not the other way round.
    Connect {
        /// The call.
        call: u64,
        /// Who speaks.
        from: LegId,
        /// Who hears.
        to: LegId,
    },
    /// `to` hears a generated tone.
    Ringback {
        /// The call.
        call: u64,
        /// Who hears.
        to: LegId,
        /// Which tone.
        tone: &'static Tone,
    },
    /// `to` hears nothing more.
    Silence {
        /// The call.
        call: u64,
        /// Who heard.
        to: LegId,
    },
    /// A sound is played to a leg, over what it hears: [`media::Session::play`].
    Play {
        /// The call.
        call: u64,
        /// Who hears it.
        to: LegId,
        /// What; [`Event::Played`] names it.
        play: Play,
    },
    /// Ends the sound that is played to a leg, if it is this one.
    StopPlay {
        /// The call.
        call: u64,
        /// Who hears it.
        leg: LegId,
        /// Which sound; `None`: whichever it is.
        id: Option<PlayId>,
    },
    /// Digits are sent to a leg: [`media::Session::send_digits`].
    SendDigits {
        /// The call.
        call: u64,
        /// Whom to.
        to: LegId,
        /// Which; [`Event::DigitsSent`] follows.
        digits: Digits,
        /// Length of each.
        length: Duration,
    },
    /// Nobody hears a leg while it is muted; its digits are still reported.
    Mute {
        /// The call.
        call: u64,
        /// Who is not heard.
        leg: LegId,
        /// From now on, or no longer.
        muted: bool,
    },
    /// Closes one leg's sockets; the others go on.
    CloseLeg {
        /// The call.
        call: u64,
        /// The leg.
        leg: LegId,
    },
    /// Closes everything of the call.
    Close {
        /// The call.
        call: u64,
    },
}

impl Command {
    /// The call that the command is about.
    pub fn call(&self) -> u64 {
        match *self {
            Command::Open { call, .. }
            | Command::SetRemote { call, .. }
            | Command::Bridge { call, .. }
            | Command::Connect { call, .. }
            | Command::Ringback { call, .. }
            | Command::Silence { call, .. }
            | Command::Play { call, .. }
            | Command::StopPlay { call, .. }
            | Command::SendDigits { call, .. }
            | Command::Mute { call, .. }
            | Command::CloseLeg { call, .. }
            | Command::Close { call } => call,
        }
    }
}

/// What a media thread reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Nothing came from a peer that should send, for as long as the configuration allows. The
    /// media go on: ending the call is the call's decision.
    MediaTimeout {
        /// The call.
        call: u64,
        /// The silent leg.
        leg: LegId,
    },
    /// The peer of a leg pressed a digit; once for each press.
    Digit {
        /// The call.
        call: u64,
        /// The leg.
        leg: LegId,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long it was pressed.
        duration: Duration,
    },
    /// A sound is played no more: once for each [`Command::Play`], unless the whole call is closed
    /// or fails first.
    Played {
        /// The call.
        call: u64,
        /// The leg.
        leg: LegId,
        /// Which sound.
        id: PlayId,
        /// Why.
        end: PlayEnd,
        /// Where it was: [`Play::from_sample`] of one that goes on there.
        at_sample: u64,
    },
    /// Digits were sent: once for each [`Command::SendDigits`], unless the whole call is closed or
    /// fails first.
    DigitsSent {
        /// The call.
        call: u64,
        /// The leg.
        leg: LegId,
        /// No if the leg is gone, or if too many waited already.
        whole: bool,
    },
    /// The call's media ended by a fault of ours or of the system. Its sockets are closed, further
    /// commands about it are ignored.
    Failed {
        /// The call.
        call: u64,
        /// What happened, for the log.
        reason: String,
    },
    /// The sockets of these ports are closed: hand them to [`super::Ports::release`].
    PortsFreed(Vec<u16>),
}

/// Where the events of all threads come out. It ends when every thread has.
pub type EventReceiver = mpsc::Receiver<Event>;

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

/// Sends commands to the media threads. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    lanes: Arc<[Lane]>,
}

/// The sending end of one thread's queue.
pub(crate) struct Lane {
    commands: SyncSender<Command>,
    signal: Arc<Signal>,
}

/// The receiving end of one thread's queue.
pub(crate) struct Inlet {
    commands: Receiver<Command>,
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
        // why: calls are numbered one after the other, so this spreads them evenly.
        let lane = &self.lanes[(command.call() % self.lanes.len() as u64) as usize];
        lane.put(command)
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
        let before = self.signal.queued.fetch_add(1, Ordering::Relaxed);
        let given_back = |command| {
            self.signal.queued.fetch_sub(1, Ordering::Relaxed);
            Box::new(command)
        };
        if matches!(command, Command::Open { .. }) && before >= OPENINGS_MAX {
            return Err(SendError::Full(given_back(command)));
        }
        match self.commands.try_send(command) {
            Ok(()) => {
                self.signal.raise();
                Ok(())
            }
            Err(TrySendError::Full(command)) => Err(SendError::Full(given_back(command))),
            Err(TrySendError::Disconnected(command)) => {
                Err(SendError::Stopped(given_back(command)))
            }
        }
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

    /// The next command.
    pub(crate) fn take(&self) -> Option<Command> {
        match self.commands.try_recv() {
            Ok(command) => {
                self.signal.queued.fetch_sub(1, Ordering::Relaxed);
                Some(command)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// Shall the thread end?
    pub(crate) fn stopped(&self) -> bool {
        self.signal.stop.load(Ordering::SeqCst)
    }
}

/// The sending end of the event channel, with what waits for room in it.
pub(crate) struct Reports {
    sender: mpsc::Sender<Event>,
    waiting: VecDeque<Event>,
    freed: Vec<u16>,
}

impl Reports {
    pub(crate) fn new(sender: mpsc::Sender<Event>) -> Reports {
        Reports { sender, waiting: VecDeque::with_capacity(EVENTS_EXPECTED), freed: Vec::new() }
    }

    /// Reports `event`, now or as soon as there is room.
    pub(crate) fn push(&mut self, event: Event) {
        if self.waiting.len() < EVENTS_WAITING_MAX {
            self.waiting.push_back(event);
        } else {
            tracing::error!(?event, "media event dropped: nobody takes them");
        }
    }

    /// Reports that the sockets of `port` are closed, together with others of this moment.
    pub(crate) fn free(&mut self, port: u16) {
        self.freed.push(port);
    }

    /// Hands over what there is room for; does anything still wait?
    pub(crate) fn flush(&mut self) -> bool {
        while let Some(event) = self.waiting.pop_front() {
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    return true;
                }
                // why: without a receiver the program is ending.
                Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
        }
        if !self.freed.is_empty() {
            match self.sender.try_reserve() {
                Ok(room) => room.send(Event::PortsFreed(std::mem::take(&mut self.freed))),
                Err(mpsc::error::TrySendError::Full(())) => return true,
                Err(mpsc::error::TrySendError::Closed(())) => self.freed.clear(),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;
    use crate::sys::{Epoll, Ready};

    #[test]
    fn a_full_queue_gives_the_command_back_and_takes_it_later() {
        let (lane, inlet) = lane().expect("a descriptor");
        for call in 0..COMMANDS_MAX as u64 {
            lane.put(Command::Close { call }).expect("room");
        }
        let full = lane.put(Command::Close { call: 9 }).expect_err("no room");
        assert!(matches!(&full, SendError::Full(command) if command.call() == 9), "{full}");
        assert_eq!(inlet.take().map(|command| command.call()), Some(0));
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
    fn events_that_find_no_room_are_kept_in_order() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut reports = Reports::new(sender);
        let timeout = |call| Event::MediaTimeout { call, leg: LegId(0) };
        reports.push(timeout(1));
        reports.push(timeout(2));
        reports.free(12000);
        reports.free(12002);
        let mut heard = Vec::new();
        while reports.flush() {
            heard.push(receiver.try_recv().expect("one fits"));
        }
        heard.push(receiver.try_recv().expect("the last"));
        assert_eq!(heard, [timeout(1), timeout(2), Event::PortsFreed(vec![12000, 12002])]);
        assert!(receiver.try_recv().is_err());
    }
}
