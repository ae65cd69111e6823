//! Session descriptions and packets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::rtp::{packet, rtcp as control};
use media::sdp::{self, Codec, Description, Direction, Local, Negotiated, PayloadTypes};
use media::{
    Digits, Forward, LegId, Play, PlayId, Remote, Repeat, Session, SessionConfig, SessionEvent,
    Sound, tone,
};

use crate::script::Script;

const LOCAL: Local =
    Local { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 10_000, session_id: 7, version: 1 };

/// A description: read, written, answered; our answer is one that its reader would take.
pub fn sdp(data: &[u8]) {
    let description = match Description::parse(data) {
        Ok(description) => description,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    let written = description.to_bytes();
    let again = Description::parse(&written).expect("what was read reads again");
    assert_eq!(again.to_bytes(), written);
    assert_eq!(again.media, description.media);
    for codecs in [&Codec::ALL[..], &[Codec::Pcma]] {
        if let Ok(negotiated) = sdp::accept(&description, codecs) {
            assert!(codecs.contains(&negotiated.codec));
            check(&negotiated);
        }
    }
    let Ok((bytes, negotiated)) = sdp::answer(&description, &LOCAL) else { return };
    check(&negotiated);
    let answer = Description::parse(&bytes).expect("our answer can be read");
    // RFC 3264 §6: as many streams as the offer, in its order.
    assert_eq!(answer.media.len(), description.media.len());
    assert_eq!(answer.media.iter().filter(|media| media.port != 0).count(), 1);
    let accepted = sdp::accept(&answer, &Codec::ALL).expect("our answer can be accepted");
    assert_eq!(accepted.codec, negotiated.codec);
    assert_eq!(accepted.direction, negotiated.direction.mirrored());
}

fn check(negotiated: &Negotiated) {
    let number = negotiated.payload_types.of(negotiated.codec);
    assert!(number.is_some_and(|number| number <= 127));
    assert!(negotiated.remote_rtp.port() != 0 || negotiated.remote_rtp.ip().is_unspecified());
    assert!(!negotiated.ptime.is_zero());
}

/// Where packets of a peer come from.
fn source(which: u8) -> SocketAddr {
    let last = which % 4;
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)), 4000 + u16::from(which & 4))
}

fn negotiated(script: &mut Script<'_>) -> Negotiated {
    let codec = script.pick(&Codec::ALL);
    let mut payload_types =
        PayloadTypes { telephone_event: script.flag().then_some(101), ..PayloadTypes::default() };
    payload_types
        .set(codec, if script.flag() { codec.payload_type() } else { script.byte() & 127 });
    let directions =
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    let remote_rtp = source(script.byte());
    Negotiated {
        remote_rtp,
        remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port() + 1),
        rtcp_mux: script.flag(),
        direction: script.pick(&directions),
        codec,
        payload_types,
        ptime: Duration::from_millis(u64::from(script.pick(&[20, 10, 60, 1, 255_u8]))),
    }
}

/// One packet as it is, and as a sound file and a tone script; then two sessions of up to four
/// legs to which the bytes are a script: packets, bridges, tones, sounds, digits, moves, changes of
/// the description and time. Each sound and each list of digits ends once.
pub fn rtp(data: &[u8]) {
    if let Ok(packet) = packet::Packet::parse(data) {
        assert!(packet.payload.start <= packet.payload.end && packet.payload.end <= data.len());
        assert!(packet.payload_type <= 127);
    }
    sound(data);
    let mut script = Script::new(data);
    let now = testkit::epoch();
    let inactivity = script.flag().then_some(Duration::from_secs(5));
    let seed = u64::from(script.byte());
    let session = |seed| Session::new(SessionConfig { inactivity }, seed);
    let mut calls = Calls { sessions: [session(seed), session(!seed)], begun: 0, ended: 0 };
    let mut time = Duration::ZERO;
    while !script.is_over() {
        calls.step(now + time, &mut script);
        time += Duration::from_millis(u64::from(script.byte() % 16) * 20);
        for session in &mut calls.sessions {
            session.handle_timeout(now + time);
        }
        calls.drain();
    }
    for session in &mut calls.sessions {
        (0..4).for_each(|leg| session.remove_leg(LegId(leg)));
    }
    calls.drain();
    assert_eq!(calls.begun, calls.ended, "sounds and digits that were begun, and their ends");
}

fn sound(data: &[u8]) {
    let check = |sound: Sound| assert!(sound.duration() <= media::sound::LENGTH_MAX);
    match Sound::from_wav(data) {
        Ok(sound) => check(sound),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Sound::from_tone_stream(text) {
        Ok(sound) => check(sound),
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.at)),
    }
}

struct Calls {
    sessions: [Session; 2],
    /// Sounds and lists of digits.
    begun: usize,
    ended: usize,
}

impl Calls {
    fn step(&mut self, at: Instant, script: &mut Script<'_>) {
        let (leg, peer) = (LegId(script.byte() % 4), LegId(script.byte() % 4));
        let which = script.below(2);
        let session = &mut self.sessions[which];
        match script.below(16) {
            0 => session.add_leg(leg),
            1 => session.remove_leg(leg),
            2 => {
                let negotiated = negotiated(script);
                let signalling_source = source(script.byte()).ip();
                session.set_remote(
                    at,
                    leg,
                    Remote { negotiated, signalling_source, has_tones: which == 1 },
                );
            }
            3 => session.bridge(at, leg, peer),
            4 => session.connect(at, leg, peer),
            5 => session.ringback(at, leg, tone::country("us").expect("a country")),
            6 => session.silence(leg),
            7 => session.mute(leg, script.flag()),
            8 | 9 => {
                let from = source(script.byte());
                let mut bytes = script.bytes().to_vec();
                let sent = session.handle_rtp(at, leg, from, &mut bytes);
                forwarded(sent, leg, bytes.len());
            }
            10 => {
                self.begun += 1;
                session.play(at, leg, play(script));
            }
            11 => session.stop_play(at, leg, script.flag().then_some(PlayId(1))),
            12 => {
                let digits = Digits::parse(script.pick(&["1", "w#", "12w3", "D"]));
                let length = Duration::from_millis(u64::from(script.byte()));
                self.begun += 1;
                session.send_digits(at, leg, digits.expect("digits"), length);
            }
            13 => {
                let taken = session.take_leg(leg);
                if let Some(Err(back)) =
                    taken.map(|taken| self.sessions[1 - which].put_leg(at, peer, taken))
                {
                    self.sessions[which].put_leg(at, leg, back).expect("its place is free");
                }
            }
            _ => {
                let from = source(script.byte());
                let mut bytes = script.bytes().to_vec();
                let sent = session.handle_rtcp(at, leg, from, &mut bytes);
                forwarded(sent, leg, bytes.len());
            }
        }
    }

    fn drain(&mut self) {
        let mut buffer = [0; 1500];
        for session in &mut self.sessions {
            for _ in 0..100 {
                let Some(forward) = session.poll_transmit(&mut buffer) else { break };
                assert!(packet::Packet::parse(&buffer[..forward.len]).is_ok());
            }
            assert!(session.poll_transmit(&mut buffer).is_none(), "packets without end");
            for _ in 0..1000 {
                match session.poll_event() {
                    Some(SessionEvent::Played { .. } | SessionEvent::DigitsSent { .. }) => {
                        self.ended += 1;
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            assert!(session.poll_event().is_none(), "events without end");
        }
    }
}

fn play(script: &mut Script<'_>) -> Play {
    let sound = Sound::from_samples(vec![99; usize::from(script.byte()) * 7]);
    let repeat = script.pick(&[Repeat::Times(1), Repeat::Times(3), Repeat::Forever]);
    let longest = script.flag().then(|| Duration::from_millis(u64::from(script.byte()) * 10));
    let id = PlayId(u64::from(script.byte() % 3));
    Play { id, sound, repeat, from_sample: u64::from(script.byte()) * 9, longest }
}

/// A packet is sent to a place, whole, and not back to whoever sent it.
fn forwarded(sent: Option<Forward>, from: LegId, length: usize) {
    if let Some(forward) = sent {
        assert_eq!(forward.len, length);
        assert_ne!(forward.leg, from, "a packet goes back to its sender");
        assert!(!forward.to.ip().is_unspecified() && forward.to.port() != 0);
    }
}

/// A compound packet: its lengths are what they say.
pub fn rtcp(data: &[u8]) {
    let sound = control::check(data).is_ok();
    assert!(!sound || (data.len() >= 4 && data.len().is_multiple_of(4)));
    assert!(!sound || control::is_rtcp(data));
    let doubled = [data, data].concat();
    assert!(!sound || control::check(&doubled).is_ok(), "twice is as sound as once");
}
