//! What one packet costs on its way through a session, and one offer with its answer.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use media::rtp::packet;
use media::sdp::{self, Codec, Description, Direction, Local, Negotiated, PayloadTypes};
use media::{LegId, Play, PlayId, Remote, Repeat, Session, SessionConfig, Sound};

const CALLER: LegId = LegId(0);
const CALLEE: LegId = LegId(1);

#[allow(clippy::disallowed_methods, reason = "the epoch of the virtual clock")]
fn epoch() -> Instant {
    Instant::now()
}

fn rtp(last: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, last)), 4000)
}

fn remote(remote_rtp: SocketAddr, codec: Codec) -> Remote {
    let mut payload_types = PayloadTypes { telephone_event: Some(101), ..Default::default() };
    payload_types.set(codec, codec.payload_type());
    let negotiated = Negotiated {
        remote_rtp,
        remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port() + 1),
        rtcp_mux: false,
        direction: Direction::SendRecv,
        codec,
        payload_types,
        ptime: sdp::DEFAULT_PTIME,
    };
    Remote { negotiated, signalling_source: remote_rtp.ip(), has_tones: false }
}

/// Two legs that hear each other; the caller speaks µ-law.
fn bridged(now: Instant, callee: Codec) -> Session {
    let mut session = Session::new(SessionConfig::default(), 42);
    for (leg, last, codec) in [(CALLER, 1, Codec::Pcmu), (CALLEE, 2, callee)] {
        session.add_leg(leg);
        session.set_remote(now, leg, remote(rtp(last), codec));
    }
    session.bridge(now, CALLER, CALLEE);
    session
}

fn packets(criterion: &mut Criterion) {
    let now = epoch();
    let header = packet::header(false, 0, 1000, 160_000, 0xdead_beef);
    let mut sound = [0x55; packet::HEADER + 160];
    sound[..packet::HEADER].copy_from_slice(&header);
    let mut group = criterion.benchmark_group("a packet of 20 ms");
    for (name, callee) in [("relayed", Codec::Pcmu), ("transcoded", Codec::Pcma)] {
        let mut session = bridged(now, callee);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut bytes = black_box(sound);
                let sent = session.handle_rtp(now, CALLER, rtp(1), &mut bytes);
                assert!(sent.is_some());
                bytes
            });
        });
    }
    group.bench_function("played", |bencher| {
        let mut session = bridged(now, Codec::Pcmu);
        let (id, sound) = (PlayId(1), Sound::from_samples((0..8000).collect()));
        let play = Play { id, sound, repeat: Repeat::Forever, from_sample: 0, longest: None };
        session.play(now, CALLER, play);
        let (mut at, mut bytes) = (now, [0; 1500]);
        bencher.iter(|| {
            at += sdp::DEFAULT_PTIME;
            session.handle_timeout(at);
            assert!(session.poll_transmit(&mut bytes).is_some());
            bytes
        });
    });
    group.finish();
}

fn descriptions(criterion: &mut Criterion) {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let local = Local { address, port: 10_000, session_id: 7, version: 1 };
    criterion.bench_function("an offer, read and answered", |bencher| {
        let offer = sdp::offer(&local, &Codec::ALL);
        bencher.iter(|| {
            let offer = Description::parse(black_box(&offer)).expect("it is sound");
            sdp::answer(&offer, &local).expect("it can be answered")
        });
    });
}

criterion_group!(benches, packets, descriptions);
criterion_main!(benches);
