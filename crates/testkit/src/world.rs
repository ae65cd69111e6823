//! A switch, the phones around it, the network between them and its application, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{
    Alert, Audio, CallKey, Command, CommandId, Effect, HookFailure, Input, LegId, LegRecord, Media,
    Output, PlayEnd, PlayId, Repeat, Reply, Settings, Switch, Way,
};
use sip::framing::{Frame, Framer};
use sip::{Flow, SavedBinding, Transport};

use crate::application::{Answer, Application};
use crate::judge::{Fact, Judge};
use crate::link::{Datagram, Link, Weather};
use crate::phone::Phone;
use crate::random::Random;
use crate::redirector::Redirector;

/// What a world is made of.
#[derive(Debug)]
pub struct WorldConfig {
    /// Every chance in it.
    pub seed: u64,
    /// The network.
    pub weather: Weather,
    /// The switch's settings.
    pub settings: Settings,
    /// The application behind the hooks.
    pub application: Application,
}

/// Something the media side was told, with the call it was told for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaFact {
    /// These legs of this call hear each other.
    Bridged(CallKey, LegId, LegId),
    /// This leg hears a tone.
    Ringback(CallKey, LegId, String),
    /// This leg hears nothing more.
    Silence(CallKey, LegId),
    /// This leg hears this audio, over what it hears besides.
    Plays(CallKey, LegId, PlayId, String),
    /// It does no more.
    Stops(CallKey, LegId, PlayId),
    /// The peer of this leg is sent these keys.
    Keys(CallKey, LegId, String),
    /// Nobody hears this leg, or everybody does again.
    Muted(CallKey, LegId, bool),
    /// This leg hears the other one so much louder.
    Boosted(CallKey, LegId, media::Decibels),
    /// This leg is of this call now, and was of that one.
    Adopted(CallKey, LegId, CallKey),
    /// The peer of this leg receives here; in this direction, as we see it.
    Remote(CallKey, LegId, SocketAddr, media::sdp::Direction),
}

/// See the module.
#[derive(Debug)]
pub struct World {
    /// Virtual time.
    pub now: Instant,
    /// When it began.
    pub start: Instant,
    /// The system under test.
    pub switch: Switch,
    /// The phones, by address.
    pub phones: BTreeMap<SocketAddr, Phone>,
    /// The application.
    pub application: Application,
    /// Every leg with each change of its status.
    pub records: Vec<LegRecord>,
    /// Alerts that the switch raised.
    pub alerts: Vec<Alert>,
    /// What became of each command.
    pub replies: BTreeMap<CommandId, Reply>,
    /// What the switch last said of the bindings of each address of record.
    pub bound: BTreeMap<String, Vec<SavedBinding>>,
    /// What the media side was told.
    pub media: Vec<MediaFact>,
    /// Where those receive audio who hear each other, in the order in which they began to.
    pub bridges: Vec<(IpAddr, IpAddr)>,
    /// RTP ports that are open.
    pub open_ports: BTreeSet<(CallKey, LegId)>,
    /// Where the peer of each leg receives audio.
    receivers: BTreeMap<(CallKey, LegId), IpAddr>,
    /// Legs in whose audio keys are listened for.
    pub listens: BTreeSet<(CallKey, LegId)>,
    /// What the names of its network mean, in order.
    pub names: BTreeMap<String, Vec<SocketAddr>>,
    /// How long each audio is that can be had, by its URL.
    pub sounds: BTreeMap<String, Duration>,
    /// Audio that the operator named, and no application.
    pub trusted: BTreeSet<(CallKey, PlayId)>,
    /// How long audio takes to be fetched.
    pub fetching: Duration,
    /// How long it takes to hear that audio has ended: by then it may have been stopped.
    pub sound_lag: Duration,
    /// RTP ports that may be open at the same time.
    pub ports_max: usize,
    /// How long an RTP port takes to open.
    pub opening: Duration,
    /// How long a name server takes to answer.
    pub lookup: Duration,
    /// The same for one host, where it is not as long.
    pub lookups: BTreeMap<String, Duration>,
    /// Every datagram that left, before the network touched it.
    pub wire: Vec<(Instant, Datagram)>,
    /// Places in `wire` of those that the network lost.
    pub lost: BTreeSet<usize>,
    /// Servers that send every INVITE elsewhere, by address.
    pub redirectors: BTreeMap<SocketAddr, Redirector>,
    /// Addresses where nobody is any more.
    pub vanished: BTreeSet<SocketAddr>,
    /// Sees all that passes the boundary of the switch.
    pub judge: Judge,
    /// What everybody speaks.
    transport: Transport,
    /// What has arrived of each stream, by its ends.
    streams: BTreeMap<(SocketAddr, SocketAddr), Framer>,
    random: Random,
    link: Link,
    inputs: BTreeMap<(Instant, u64), (CallKey, Input)>,
    sequence: u64,
    commands: u64,
}

/// How long a key of a phone sounds.
const KEY: Duration = Duration::from_millis(100);

/// How long a key takes from a phone to the signalling of the switch, over RTP that is not played.
const KEY_HEARD: Duration = Duration::from_millis(10);

/// Where the switch is.
pub const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);

impl World {
    /// A world at rest.
    pub fn new(config: WorldConfig) -> World {
        let now = crate::epoch();
        let mut random = Random::new(config.seed);
        let settings = Arc::new(config.settings);
        World {
            now,
            start: now,
            switch: Switch::new(settings, sip::Config::default(), secret(&mut random)),
            phones: BTreeMap::new(),
            application: config.application,
            records: Vec::new(),
            alerts: Vec::new(),
            replies: BTreeMap::new(),
            bound: BTreeMap::new(),
            media: Vec::new(),
            bridges: Vec::new(),
            open_ports: BTreeSet::new(),
            receivers: BTreeMap::new(),
            listens: BTreeSet::new(),
            names: BTreeMap::new(),
            sounds: BTreeMap::new(),
            trusted: BTreeSet::new(),
            fetching: Duration::from_millis(10),
            sound_lag: Duration::ZERO,
            ports_max: usize::MAX,
            opening: Duration::ZERO,
            lookup: Duration::from_millis(1),
            lookups: BTreeMap::new(),
            wire: Vec::new(),
            lost: BTreeSet::new(),
            redirectors: BTreeMap::new(),
            vanished: BTreeSet::new(),
            judge: Judge::default(),
            transport: Transport::Udp,
            streams: BTreeMap::new(),
            random,
            link: Link::new(config.weather),
            inputs: BTreeMap::new(),
            sequence: 0,
            commands: 0,
        }
    }

    /// The same world, where everybody speaks this; before anybody is put into it.
    pub fn over(mut self, transport: Transport) -> World {
        self.transport = transport;
        self
    }

    /// Puts a phone into it.
    pub fn add(&mut self, mut phone: Phone) {
        phone.transport = self.transport;
        self.phones.insert(phone.address, phone);
    }

    /// The phone of that name.
    ///
    /// # Panics
    /// Where there is none.
    pub fn phone(&self, name: &str) -> &Phone {
        let found = self.phones.values().find(|phone| phone.name == name);
        found.unwrap_or_else(|| panic!("no phone is named {name}"))
    }

    /// The phone of that name, also where it is a line of an exchange.
    pub fn line(&self, name: &str) -> Option<&Phone> {
        let lines = self.phones.values().flat_map(Phone::lines);
        self.phones.values().chain(lines).find(|phone| phone.name == name)
    }

    /// Lets the phone of that name do something.
    ///
    /// # Panics
    /// Where there is none.
    pub fn with_phone<T>(&mut self, name: &str, act: impl FnOnce(&mut Phone, Instant) -> T) -> T {
        let now = self.now;
        let found = self.phones.values_mut().find(|phone| phone.name == name);
        let done = act(found.unwrap_or_else(|| panic!("no phone is named {name}")), now);
        self.flush();
        done
    }

    /// Lets that phone make its call.
    pub fn call(&mut self, name: &str) {
        self.with_phone(name, |phone, now| phone.call(now, SWITCH));
    }

    /// Sends the switch this text, from an address where no phone needs to be.
    pub fn say(&mut self, from: SocketAddr, text: &str) {
        self.send(from, SWITCH, bytes::Bytes::copy_from_slice(text.as_bytes()));
    }

    /// Nothing can be sent to this address: the switch is told so, as the network does.
    pub fn transport_error(&mut self, remote: SocketAddr) {
        self.judge.see(Fact::Woken);
        self.switch.handle_transport_error(self.now, self.flow(remote));
        self.flush();
    }

    /// Does something to the switch, as its operator does.
    pub fn with_switch(&mut self, act: impl FnOnce(&mut Switch, Instant)) {
        self.judge.see(Fact::Woken);
        act(&mut self.switch, self.now);
        self.flush();
    }

    /// Gives the switch a command; its reply comes into `replies` under the id.
    pub fn command(&mut self, command: Command) -> CommandId {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.judge.see(Fact::Commanded(id, &command));
        self.switch.handle_command(self.now, id, command);
        self.flush();
        id
    }

    /// Lets an input reach the switch now.
    pub fn input(&mut self, key: CallKey, input: Input) {
        self.judge.see(Fact::Told(key, &input));
        self.switch.handle_input(self.now, key, input);
        self.flush();
    }

    /// The phone of the call with this SIP Call-ID presses a key: its media side says so, if the
    /// switch has a leg for it.
    pub fn press(&mut self, call_id: &str, key: char) {
        if let Some((call, leg)) = self.judge.leg_of(call_id) {
            self.later(KEY_HEARD, call, Input::Key(leg, key, KEY));
        }
    }

    /// Whoever is at this address is gone without a word, and what is sent there is lost.
    pub fn vanish(&mut self, address: SocketAddr) {
        self.vanished.insert(address);
    }

    /// The switch is told that no audio comes any more from whoever receives its own there, as
    /// its media side tells it.
    pub fn media_stops(&mut self, at: IpAddr) {
        let silent = self.receivers.iter().filter(|(_, receives)| **receives == at);
        let silent: Vec<(CallKey, LegId)> = silent.map(|(leg, _)| *leg).collect();
        for (key, leg) in silent {
            self.input(key, Input::MediaTimeout(leg));
        }
    }

    /// Runs for so long.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    /// Runs until nothing is under way and no timer is armed, at most for so long; false where
    /// something still is.
    pub fn run_until_quiet(&mut self, most: Duration) -> bool {
        let end = self.now + most;
        while let Some(next) = self.next() {
            if next > end {
                return false;
            }
            self.now = self.now.max(next);
            self.step();
        }
        true
    }

    fn next(&self) -> Option<Instant> {
        let there = self.phones.values().filter(|phone| !self.vanished.contains(&phone.address));
        let phones = there.filter_map(Phone::poll_timeout).min();
        let input = self.inputs.first_key_value().map(|((at, _), _)| *at);
        [self.link.next(), self.switch.poll_timeout(), phones, input].into_iter().flatten().min()
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(datagram) = self.link.arrive(now) {
            for datagram in self.whole(datagram) {
                let flow = self.flow(datagram.from);
                if datagram.to == SWITCH {
                    self.judge.see(Fact::Heard(datagram.from, &datagram.bytes));
                    self.switch.handle_datagram(now, flow, &datagram.bytes);
                } else if let Some(phone) = self.phones.get_mut(&datagram.to) {
                    phone.handle_datagram(now, datagram.from, &datagram.bytes);
                } else if let Some(redirector) = self.redirectors.get(&datagram.to)
                    && let Some(answer) = redirector.answer(datagram.from, &datagram.bytes)
                {
                    self.send(datagram.to, datagram.from, answer);
                }
                self.flush();
            }
        }
        while let Some((&(at, number), _)) = self.inputs.first_key_value() {
            if at > now {
                break;
            }
            if let Some((key, input)) = self.inputs.remove(&(at, number)) {
                self.input(key, input);
            }
        }
        if self.switch.poll_timeout().is_some_and(|at| at <= now) {
            self.judge.see(Fact::Woken);
            self.switch.handle_timeout(now);
        }
        for phone in self.phones.values_mut() {
            let there = !self.vanished.contains(&phone.address);
            if there && phone.poll_timeout().is_some_and(|at| at <= now) {
                phone.handle_timeout(now);
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(output) = self.switch.poll() {
            match output {
                Output::Transmit(transmit) => {
                    self.judge.see(Fact::Said(transmit.flow.remote, &transmit.bytes));
                    self.send(SWITCH, transmit.flow.remote, transmit.bytes);
                }
                Output::Call(key, effect) => {
                    self.judge.see(Fact::Wanted(key, &effect));
                    self.carry_out(key, effect);
                }
                Output::Reply(id, reply) => {
                    self.judge.see(Fact::Replied(id, &reply));
                    let before = self.replies.insert(id, reply);
                    assert!(before.is_none(), "{id:?} was answered before: {before:?}");
                }
                Output::Bound { aor, bindings } => {
                    self.bound.insert(aor, bindings);
                }
            }
        }
        let mut sent = Vec::new();
        let mut pressed = Vec::new();
        for phone in self.phones.values_mut() {
            while let Some(transmit) = phone.poll_transmit() {
                sent.push((phone.address, transmit));
            }
            pressed.extend(std::iter::from_fn(|| phone.poll_key()));
        }
        for (call_id, key) in pressed {
            self.press(&call_id, key);
        }
        for (from, transmit) in sent {
            self.send(from, transmit.flow.remote, transmit.bytes);
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: bytes::Bytes) {
        let datagram = Datagram { from, to, bytes };
        let cut_off = self.vanished.contains(&from) || self.vanished.contains(&to);
        if cut_off {
            // why: it left all the same.
        } else if self.transport.is_reliable() {
            self.link.stream(self.now, &mut self.random, &datagram);
        } else if !self.link.send(self.now, &mut self.random, &datagram) {
            self.lost.insert(self.wire.len());
        }
        self.wire.push((self.now, datagram));
    }

    /// The messages that have arrived with this: itself, or those that this piece completes.
    fn whole(&mut self, arrived: Datagram) -> Vec<Datagram> {
        if !self.transport.is_reliable() {
            return vec![arrived];
        }
        let Datagram { from, to, bytes } = arrived;
        let framer = self.streams.entry((from, to)).or_default();
        framer.push(&bytes);
        let mut whole = Vec::new();
        while let Some(frame) = framer.next_frame().expect("a sound stream") {
            if let Frame::Message(bytes) = frame {
                whole.push(Datagram { from, to, bytes });
            }
        }
        whole
    }

    pub(crate) fn flow(&self, remote: SocketAddr) -> Flow {
        Flow { transport: self.transport, local: SWITCH, remote }
    }

    fn later(&mut self, after: Duration, key: CallKey, input: Input) {
        self.sequence += 1;
        self.inputs.insert((self.now + after, self.sequence), (key, input));
    }

    fn carry_out(&mut self, key: CallKey, effect: Effect) {
        match effect {
            Effect::Resolve { leg, host, port, transport } => {
                let way = |address| Way { flow: self.flow(address), large: None };
                let input = match (host.parse::<IpAddr>(), self.names.get(&host)) {
                    _ if transport.is_some_and(|asked| asked != self.transport) => {
                        Input::Unresolved(leg, "nobody speaks that transport".to_owned())
                    }
                    (Ok(ip), _) => {
                        let address = SocketAddr::new(ip, port.unwrap_or(5060));
                        Input::Resolved(leg, vec![way(address)])
                    }
                    (_, Some(known)) => {
                        Input::Resolved(leg, known.iter().copied().map(way).collect())
                    }
                    _ => Input::Unresolved(leg, format!("{host}: no such host")),
                };
                let takes = self.lookups.get(&host).copied().unwrap_or(self.lookup);
                self.later(takes, key, input);
            }
            Effect::Media(media) => self.media(key, media),
            Effect::Hook { hook, request } => {
                let reply = match self.application.ask(self.now, &request) {
                    Answer::List(text) => Ok(Some(text)),
                    Answer::Empty => Ok(None),
                    Answer::Fails => Err(HookFailure {
                        alert_type: "webhook-connection-failure",
                        message: format!("POST {}: no answer", request.hook.url),
                        status: None,
                    }),
                    Answer::Status(status) => Err(HookFailure {
                        alert_type: "webhook-failure",
                        message: format!("POST {}: wrong status; got {status}", request.hook.url),
                        status: Some(status),
                    }),
                };
                let thinks = self.application.thinking(&request.hook.url);
                self.later(thinks, key, Input::HookReply(hook, reply));
            }
            Effect::Status(request) => self.application.told.push(request.payload),
            Effect::Alert(alert) => self.alerts.push(alert),
            Effect::Record(record) => self.records.push(*record),
            Effect::Over => {}
        }
    }

    fn play(&mut self, key: CallKey, to: LegId, play: PlayId, audio: &Audio) {
        self.media.push(MediaFact::Plays(key, to, play, audio.url.clone()));
        let Some(length) = self.sounds.get(&audio.url).copied() else {
            let failure = HookFailure {
                alert_type: "file-not-found",
                message: format!("GET {}: expected audio, got status 404", audio.url),
                status: Some(404),
            };
            let input = Input::Played(to, play, PlayEnd::Failed(failure));
            return self.later(self.fetching, key, input);
        };
        let whole = match audio.repeat {
            Repeat::Times(times) => Some(length * times),
            Repeat::Forever => None,
        };
        let longest = whole.into_iter().chain(audio.longest).min();
        if let Some(time) = longest {
            let input = Input::Played(to, play, PlayEnd::Finished(time));
            self.later(self.fetching + time, key, input);
        }
    }

    fn media(&mut self, key: CallKey, media: Media) {
        match media {
            Media::Open(leg, _) if self.open_ports.len() >= self.ports_max => {
                let why = "no RTP port is free".to_owned();
                self.later(self.opening, key, Input::MediaRefused(leg, why));
            }
            Media::Open(leg, flow) => {
                let opened = self.open_ports.insert((key, leg));
                assert!(opened, "{leg} of {key:?} opened its port twice");
                let port = 20_000 + 2 * u16::from(leg.0);
                let address = SocketAddr::new(flow.local.ip(), port);
                self.later(self.opening, key, Input::MediaOpened(leg, address));
            }
            Media::Close(leg) => {
                let closed = self.open_ports.remove(&(key, leg));
                assert!(closed, "{leg} of {key:?} closed a port that is not open");
                self.receivers.remove(&(key, leg));
                self.inputs.retain(|_, (of, input)| *of != key || !is_audio_of(input, leg));
            }
            Media::Bridge(one, two) => {
                let receiver = |leg| self.receivers.get(&(key, leg)).copied();
                self.bridges.extend(receiver(one).zip(receiver(two)));
                self.media.push(MediaFact::Bridged(key, one, two));
            }
            Media::Ringback(leg, country) => {
                self.media.push(MediaFact::Ringback(key, leg, country));
            }
            Media::Silence(leg) => self.media.push(MediaFact::Silence(key, leg)),
            Media::Play { to, play, audio, trusted, .. } => {
                if trusted {
                    self.trusted.insert((key, play));
                }
                self.play(key, to, play, &audio);
            }
            Media::StopPlay(leg, play) => {
                // why: what has ended already is under way.
                let from = self.now + self.sound_lag;
                let stopped =
                    |input: &Input| matches!(input, Input::Played(_, id, _) if *id == play);
                self.inputs
                    .retain(|(at, _), (of, input)| *of != key || !stopped(input) || *at < from);
                self.media.push(MediaFact::Stops(key, leg, play));
            }
            Media::SendKeys(leg, keys, length) => {
                let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
                self.later(length * count, key, Input::KeysSent(leg));
                self.media.push(MediaFact::Keys(key, leg, keys));
            }
            Media::Adopt(leg, from) => {
                let moved = self.open_ports.remove(&from);
                assert!(moved, "{from:?} has no port to take along");
                self.open_ports.insert((key, leg));
                let receives = self.receivers.remove(&from);
                self.receivers.extend(receives.map(|at| ((key, leg), at)));
                self.inputs.retain(|_, (of, input)| *of != from.0 || !is_audio_of(input, from.1));
                self.media.push(MediaFact::Adopted(key, leg, from.0));
            }
            Media::Mute(leg, muted) => self.media.push(MediaFact::Muted(key, leg, muted)),
            Media::Boost(leg, level) => self.media.push(MediaFact::Boosted(key, leg, level)),
            Media::SetRemote(leg, remote) => {
                let (to, direction) = (remote.negotiated.remote_rtp, remote.negotiated.direction);
                self.receivers.insert((key, leg), to.ip());
                if remote.has_tones {
                    self.listens.insert((key, leg));
                }
                self.media.push(MediaFact::Remote(key, leg, to, direction));
            }
        }
    }
}

/// Something of the audio that this leg hears or is sent.
fn is_audio_of(input: &Input, leg: LegId) -> bool {
    matches!(input, Input::Played(of, ..) | Input::KeysSent(of) if *of == leg)
}

fn secret(random: &mut Random) -> [u8; 32] {
    let mut secret = [0; 32];
    for chunk in secret.chunks_mut(8) {
        chunk.copy_from_slice(&random.number().to_le_bytes());
    }
    secret
}
