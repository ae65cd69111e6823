//! What the signalling side tells a media thread, and what it hears back.
//!
//! Commands go through the queues of `lane`; events come back through one bounded channel for all
//! threads. A thread never waits for room in it: an event that finds none is kept for later.

use std::collections::VecDeque;
use std::time::Duration;

use media::{Digits, Gain, LegId, Play, PlayEnd, PlayId, Remote, Tone};
use tokio::sync::mpsc;

use super::moving::Move;
use super::port::PortPair;

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
    /// How loud a leg hears whichever it hears: [`media::Session::boost`].
    Boost {
        /// The call.
        call: u64,
        /// Who hears.
        leg: LegId,
        /// `None`: as it is said.
        gain: Option<Box<Gain>>,
    },
    /// Moves a leg with its sockets to another call: [`Move`].
    Move(Move),
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
            | Command::Boost { call, .. }
            | Command::CloseLeg { call, .. }
            | Command::Close { call } => call,
            Command::Move(Move { call, .. }) => call,
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
    use super::*;

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
