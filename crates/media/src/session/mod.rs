//! The media of one call: its legs, who hears whom, and every packet's way.
//!
//! In go packets with the leg and the address they came from, and time. Out come the same
//! packets, rewritten in place, with where to send them ([`Forward`]); generated packets from
//! [`Session::poll_transmit`]; [`SessionEvent`]s; and the next deadline. After any call, poll
//! until there is nothing left. Packets cost no allocation.
//!
//! The sockets, and why legs are joined, are not known here. A leg is heard by at most one other.

mod counters;
mod generate;
mod hearing;
mod latch;
mod leg;
mod playing;
mod press;
mod relay;
mod sending;
mod source;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

pub use self::counters::{Counters, Dropped, Traffic};
pub use self::playing::{Play, PlayEnd, PlayId};
pub use self::sending::DIGIT_LISTS_MAX;
pub use self::source::GENERATED_PACKET;

use self::generate::Events;
use self::leg::{Hears, Leg};
use self::press::{DIGITS_BURST_MAX, Pressed};
use self::source::Source;
use crate::codec::gain::Gain;
use crate::digits::Digits;
use crate::random::Random;
use crate::sdp::Negotiated;
use crate::timer::{Deadline, Timer};
use crate::tone::Tone;

/// A leg of a call, as the owner numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u8);

/// What is the same for all legs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionConfig {
    /// After this long without a valid packet from a peer that should send,
    /// [`SessionEvent::MediaTimeout`]; `None` = never.
    pub inactivity: Option<Duration>,
}

/// The far end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// What its SDP and ours agreed on.
    pub negotiated: Negotiated,
    /// Where its SIP messages come from.
    pub signalling_source: IpAddr,
    /// It sends digits as tones in its audio, and they are to be heard there as well.
    pub has_tones: bool,
}

/// Which of a leg's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// The even port; RTCP too where both share it.
    Rtp,
    /// The port after it.
    Rtcp,
}

/// A packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The leg whose socket sends it.
    pub leg: LegId,
    /// Which of its sockets.
    pub socket: Socket,
    /// Where to.
    pub to: SocketAddr,
    /// Octets of the buffer.
    pub len: usize,
}

/// What the owner should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The stream of a leg settled on the source of its first packet; once a `set_remote`, and
    /// only where the SDP address was not the only one that counts.
    Latched {
        /// The leg.
        leg: LegId,
        /// Where its packets come from, and packets for it go from now on.
        address: SocketAddr,
    },
    /// A peer that should send has not for as long as [`SessionConfig::inactivity`]; not again
    /// before it has sent something, or a `set_remote`.
    MediaTimeout {
        /// The leg.
        leg: LegId,
    },
    /// The peer pressed a digit and released it (RFC 4733): once for each press, whatever is
    /// lost, repeated or late of its packets, whoever hears them.
    Digit {
        /// The leg.
        leg: LegId,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long it was pressed.
        duration: Duration,
    },
    /// A sound is played no more; once for each [`Session::play`].
    Played {
        /// The leg.
        leg: LegId,
        /// Which sound.
        id: PlayId,
        /// Why.
        end: PlayEnd,
        /// Where it was: [`Play::from_sample`] of one that goes on there.
        at_sample: u64,
    },
    /// A list of digits was sent; once for each [`Session::send_digits`].
    DigitsSent {
        /// The leg.
        leg: LegId,
        /// No if its leg is gone, or if more than [`DIGIT_LISTS_MAX`] waited there already.
        whole: bool,
    },
}

/// A leg on its way from one session to another, with everything but who hears whom.
#[derive(Debug)]
pub struct TakenLeg(Leg);

/// One call's media.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    random: Random,
    legs: Vec<Leg>,
    events: Events,
}

impl Session {
    /// A call without legs. `seed` is all the chance in it; take it from the operating system.
    pub fn new(config: SessionConfig, seed: u64) -> Session {
        let random = Random::new(seed);
        Session { config, random, legs: Vec::with_capacity(2), events: Events::new() }
    }

    /// A leg that is not set up and hears nothing; nothing if it is there already.
    pub fn add_leg(&mut self, leg: LegId) {
        if self.leg(leg).is_none() {
            let source = Source::new(&mut self.random);
            self.legs.push(Leg::new(leg, source));
            self.make_room();
        }
    }

    /// Forgets a leg; whoever heard it hears nothing. What was played or sent to it is reported
    /// as stopped.
    pub fn remove_leg(&mut self, leg: LegId) {
        self.unhear(leg, None);
        if let Some(leg) = find(&mut self.legs, leg) {
            leg.end_all(&mut self.events);
        }
        self.legs.retain(|known| known.id != leg);
    }

    /// Takes a leg out, for another session: the agreement with its peer, the sources that are
    /// believed, its counters, the stream that is generated for it, a sound that is played and
    /// digits that are sent. Whoever heard it hears nothing, and it hears nothing where it comes.
    pub fn take_leg(&mut self, leg: LegId) -> Option<Box<TakenLeg>> {
        let index = self.legs.iter().position(|known| known.id == leg)?;
        self.unhear(leg, None);
        let mut taken = self.legs.remove(index);
        taken.hears = Hears::Nothing;
        taken.gain = None;
        Some(Box::new(TakenLeg(taken)))
    }

    /// Puts in a leg of another session under the number `leg`.
    ///
    /// # Errors
    /// The leg, if one of that number is there.
    pub fn put_leg(
        &mut self,
        now: Instant,
        leg: LegId,
        taken: Box<TakenLeg>,
    ) -> Result<(), Box<TakenLeg>> {
        if self.leg(leg).is_some() {
            return Err(taken);
        }
        let TakenLeg(mut moved) = *taken;
        moved.id = leg;
        moved.mark_next = true;
        moved.pace(now);
        self.legs.push(moved);
        self.make_room();
        Ok(())
    }

    /// Sets a leg up, or changes it after a new offer and answer. Its source may settle anew; if
    /// the SDP address is the one it had, packets go where they went until then.
    pub fn set_remote(&mut self, now: Instant, leg: LegId, remote: Remote) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.set_remote(now, remote);
        }
    }

    /// Two legs hear each other, and nobody else hears either.
    pub fn bridge(&mut self, now: Instant, x: LegId, y: LegId) {
        self.connect(now, x, y);
        self.connect(now, y, x);
    }

    /// `to` hears `from`, and nobody else does. What `from` hears stays.
    pub fn connect(&mut self, now: Instant, from: LegId, to: LegId) {
        if from == to || self.leg(from).is_none() {
            return;
        }
        let Some(listener) = self.leg_mut(to) else { return };
        if !matches!(listener.hears, Hears::Leg(heard) if heard == from) {
            listener.hears = Hears::Leg(from);
            listener.mark_next = true;
            listener.pace(now);
        }
        self.unhear(from, Some(to));
    }

    /// `to` hears a tone, until `bridge`, `connect` or `silence`; one that it hears goes on.
    pub fn ringback(&mut self, now: Instant, to: LegId, tone: &'static Tone) {
        if let Some(listener) = self.leg_mut(to) {
            listener.ringback(now, tone);
        }
    }

    /// `to` hears nothing more, but a sound that is played to it.
    pub fn silence(&mut self, to: LegId) {
        if let Some(listener) = self.leg_mut(to) {
            listener.hears = Hears::Nothing;
            if !listener.is_covered() {
                listener.source.stop();
            }
        }
    }

    /// Plays a sound to a leg, over whatever it hears: until the sound is over nothing of that is
    /// sent, and then it goes on. A sound that is played there already ends.
    ///
    /// It takes its time also while the leg is not set up, or may not be sent to. Without such a
    /// leg it is [`PlayEnd::Stopped`] at once.
    pub fn play(&mut self, now: Instant, to: LegId, play: Play) {
        match find(&mut self.legs, to) {
            Some(leg) => leg.play(now, play, &mut self.events),
            None => self.events.push_back(SessionEvent::Played {
                leg: to,
                id: play.id,
                end: PlayEnd::Stopped,
                at_sample: play.from_sample,
            }),
        }
        self.make_room();
    }

    /// Ends the sound that is played to a leg; nothing if `id` names another.
    pub fn stop_play(&mut self, now: Instant, leg: LegId, id: Option<PlayId>) {
        if let Some(leg) = find(&mut self.legs, leg) {
            leg.stop_play(now, id, &mut self.events);
        }
    }

    /// Sends digits to a leg, over whatever else it is sent and after those that are being sent:
    /// as telephone-events, or as tones where it takes none. Each digit lasts `length`, at least
    /// [`DIGIT_LENGTH_MIN`](crate::digits::DIGIT_LENGTH_MIN) and at most
    /// [`DIGIT_LENGTH_MAX`](crate::digits::DIGIT_LENGTH_MAX), and is followed by 100 ms of pause.
    ///
    /// They take their time also while the leg is not set up, or may not be sent to, and are lost
    /// then.
    pub fn send_digits(&mut self, now: Instant, to: LegId, digits: Digits, length: Duration) {
        match find(&mut self.legs, to) {
            Some(leg) => leg.send_digits(now, digits, length, &mut self.events),
            None => self.events.push_back(SessionEvent::DigitsSent { leg: to, whole: false }),
        }
        self.make_room();
    }

    /// While a leg is muted nobody hears it or is passed its digits. They are reported all the
    /// same.
    pub fn mute(&mut self, leg: LegId, muted: bool) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.muted = muted;
        }
        if let Some(listener) = self.listener_mut(leg) {
            listener.mark_next = true;
        }
    }

    /// How loud a leg hears whichever leg it hears, from now on; `None`: as it is said. Digits,
    /// tones and sounds stay as they are.
    pub fn boost(&mut self, leg: LegId, gain: Option<Box<Gain>>) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.gain = gain;
        }
    }

    /// What a leg has received, sent and dropped.
    pub fn counters(&self, leg: LegId) -> Option<&Counters> {
        self.leg(leg).map(|leg| &leg.counters)
    }

    /// Counts the generated packets that are due, peers that fell silent, and digits whose end
    /// was lost.
    pub fn handle_timeout(&mut self, now: Instant) {
        for leg in &mut self.legs {
            if let Some(pressed) = leg.presses.handle_timeout(now) {
                report(&mut self.events, leg.id, pressed);
            }
            leg.handle_frames(now, &mut self.events);
            let Some(stream) = &mut leg.stream else { continue };
            let limit = self.config.inactivity;
            let until = stream.silent_since.zip(limit).and_then(|(since, l)| since.checked_add(l));
            if until.is_some_and(|until| until <= now) {
                stream.silent_since = None;
                leg.timed_out = true;
            }
        }
    }

    /// When to call [`Session::handle_timeout`]; later packets may move it back.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_deadline().map(|deadline| deadline.at)
    }

    /// The same, with the reason.
    pub fn next_deadline(&self) -> Option<Deadline> {
        self.legs.iter().flat_map(|leg| self.deadlines(leg)).min_by_key(|deadline| deadline.at)
    }

    /// Writes the next generated packet into `buffer`, which must hold [`GENERATED_PACKET`]
    /// octets; `None` if none is due.
    pub fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Forward> {
        let buffer = buffer.get_mut(..GENERATED_PACKET)?;
        for leg in &mut self.legs {
            let Some(to) = leg.stream.as_ref().and_then(|stream| stream.rtp_destination()) else {
                continue;
            };
            while leg.begin_frame(&mut self.events) {
                if let Some(len) = leg.write_frame(buffer) {
                    leg.counters.sent.count(len);
                    return Some(Forward { leg: leg.id, socket: Socket::Rtp, to, len });
                }
            }
        }
        None
    }

    /// The next event. Those of one leg come in the order in which they happened, but
    /// [`SessionEvent::Latched`] and [`SessionEvent::MediaTimeout`] before the others, and at
    /// most one of each.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        for leg in &mut self.legs {
            if let Some(address) = leg.latched.take() {
                return Some(SessionEvent::Latched { leg: leg.id, address });
            }
            if std::mem::take(&mut leg.timed_out) {
                return Some(SessionEvent::MediaTimeout { leg: leg.id });
            }
        }
        self.events.pop_front()
    }

    fn deadlines(&self, leg: &Leg) -> impl Iterator<Item = Deadline> {
        let since = leg.stream.as_ref().and_then(|stream| stream.silent_since);
        let silent = since.zip(self.config.inactivity).and_then(|(since, l)| since.checked_add(l));
        let inactivity = silent.map(|at| Deadline { at, timer: Timer::Inactivity(leg.id) });
        let packet = leg.source.next().map(|at| Deadline { at, timer: Timer::Packet(leg.id) });
        let press = leg.presses.next().map(|at| Deadline { at, timer: Timer::Press(leg.id) });
        [inactivity, packet, press].into_iter().flatten()
    }

    /// Nobody hears `speaker` any more, but for `except`.
    fn unhear(&mut self, speaker: LegId, except: Option<LegId>) {
        for leg in &mut self.legs {
            if matches!(leg.hears, Hears::Leg(heard) if heard == speaker) && Some(leg.id) != except
            {
                leg.hears = Hears::Nothing;
            }
        }
    }

    /// Makes room for every event that can come of packets and time, so that those allocate
    /// nothing.
    fn make_room(&mut self) {
        let ends: usize = self.legs.iter().map(|leg| 1 + leg.sending.lists()).sum();
        self.events.reserve(ends + DIGITS_BURST_MAX as usize);
    }

    fn leg(&self, id: LegId) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.id == id)
    }

    fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        find(&mut self.legs, id)
    }
}

fn find(legs: &mut [Leg], id: LegId) -> Option<&mut Leg> {
    legs.iter_mut().find(|leg| leg.id == id)
}

/// Reports a digit, unless too many wait to be taken.
fn report(events: &mut Events, leg: LegId, pressed: Pressed) {
    if events.len() < DIGITS_BURST_MAX as usize {
        let Pressed { digit, duration } = pressed;
        events.push_back(SessionEvent::Digit { leg, digit, duration });
    }
}
