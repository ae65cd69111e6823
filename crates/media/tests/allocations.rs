//! A packet costs no allocation, whatever becomes of it.
//!
//! A binary of its own, because it replaces the allocator: every other test would be counted too.

#![allow(unsafe_code, reason = "an allocator cannot be written without it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::sdp::{Codec, Direction, Negotiated, PayloadTypes};
use media::{
    Digits, LegId, Play, PlayId, Remote, Repeat, Session, SessionConfig, SessionEvent, Sound, tone,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CALLER: LegId = LegId(0);
const CALLEE: LegId = LegId(1);

#[allow(clippy::disallowed_methods, reason = "the epoch of the virtual clock")]
fn epoch() -> Instant {
    Instant::now()
}

fn remote(rtp: &str, codec: Codec) -> Remote {
    let remote_rtp: SocketAddr = rtp.parse().unwrap();
    let mut payload_types = PayloadTypes { telephone_event: Some(101), ..Default::default() };
    payload_types.set(codec, codec.payload_type());
    let negotiated = Negotiated {
        remote_rtp,
        remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port() + 1),
        rtcp_mux: false,
        direction: Direction::SendRecv,
        codec,
        payload_types,
        ptime: Duration::from_millis(20),
    };
    Remote { negotiated, signalling_source: remote_rtp.ip(), has_tones: true }
}

fn session(now: Instant) -> Session {
    let config = SessionConfig { inactivity: Some(Duration::from_secs(30)) };
    let mut session = Session::new(config, 1);
    for (leg, rtp, codec) in
        [(CALLER, "192.168.0.10:4000", Codec::Pcma), (CALLEE, "192.168.0.20:5000", Codec::Pcmu)]
    {
        session.add_leg(leg);
        session.set_remote(now, leg, remote(rtp, codec));
    }
    session
}

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn the_allocator_counts() {
    assert!(allocations_of(|| drop(std::hint::black_box(vec![1_u8; 100]))) >= 1);
}

#[test]
fn relayed_packets_cost_none() {
    let mut now = epoch();
    let mut session = session(now);
    session.bridge(now, CALLER, CALLEE);
    let caller: SocketAddr = "192.168.0.10:4000".parse().unwrap();
    let caller_rtcp: SocketAddr = "192.168.0.10:4001".parse().unwrap();
    let stranger: SocketAddr = "203.0.113.66:4000".parse().unwrap();
    let header = media::rtp::packet::header(false, 8, 1, 160, 7);
    let mut packet = [0; 172];
    let mut report = [0x80, 201, 0, 1, 0, 0, 0, 7];
    let mut forwarded = 0;
    let allocations = allocations_of(|| {
        for _ in 0..10_000 {
            now += Duration::from_millis(20);
            packet[..12].copy_from_slice(&header);
            forwarded += u32::from(session.handle_rtp(now, CALLER, caller, &mut packet).is_some());
            let back = session.handle_rtcp(now, CALLER, caller_rtcp, &mut report);
            forwarded += u32::from(back.is_some());
            assert!(session.handle_rtp(now, CALLER, stranger, &mut packet).is_none());
            assert!(session.handle_rtp(now, CALLER, caller, &mut packet[..5]).is_none());
            assert!(session.handle_rtcp(now, CALLER, caller_rtcp, &mut packet[..5]).is_none());
            session.handle_timeout(now);
            assert!(session.poll_timeout().is_some());
            while session.poll_event().is_some() {}
        }
    });
    assert_eq!((forwarded, allocations), (20_000, 0));
}

#[test]
fn generated_packets_cost_none() {
    let mut now = epoch();
    let mut session = session(now);
    session.ringback(now, CALLER, tone::country("us").unwrap());
    let mut buffer = [0; 1500];
    let mut sent = 0;
    let allocations = allocations_of(|| {
        for _ in 0..1000 {
            while session.poll_transmit(&mut buffer).is_some() {
                sent += 1;
            }
            now = session.poll_timeout().unwrap();
            session.handle_timeout(now);
        }
    });
    assert_eq!((sent, allocations), (1000, 0));
}

/// Polls all, moves to the next deadline and lets it pass; what was sent and what was told.
fn turn(session: &mut Session, now: &mut Instant, told: &mut [u32; 3]) -> u32 {
    let mut buffer = [0; 1500];
    let mut sent = 0;
    while session.poll_transmit(&mut buffer).is_some() {
        sent += 1;
    }
    while let Some(event) = session.poll_event() {
        match event {
            SessionEvent::Played { .. } => told[0] += 1,
            SessionEvent::DigitsSent { .. } => told[1] += 1,
            SessionEvent::Digit { .. } => told[2] += 1,
            SessionEvent::Latched { .. } | SessionEvent::MediaTimeout { .. } => {}
        }
    }
    *now = session.poll_timeout().unwrap();
    session.handle_timeout(*now);
    sent
}

#[test]
fn sounds_that_are_played_and_digits_that_are_sent_cost_none() {
    let mut now = epoch();
    let mut session = session(now);
    session.ringback(now, CALLER, tone::country("us").unwrap());
    let sound = Sound::from_samples(vec![1; 8000]);
    for leg in [CALLER, CALLEE] {
        let (id, sound) = (PlayId(1), sound.clone());
        let play = Play { id, sound, repeat: Repeat::Times(3), from_sample: 0, longest: None };
        session.play(now, leg, play);
        for _ in 0..3 {
            let digits = Digits::parse("12w3").unwrap();
            session.send_digits(now, leg, digits, Duration::from_millis(100));
        }
    }
    let (mut sent, mut told) = (0, [0; 3]);
    let allocations = allocations_of(|| {
        for _ in 0..1000 {
            sent += turn(&mut session, &mut now, &mut told);
        }
    });
    assert_eq!((allocations, told), (0, [2, 6, 0]));
    assert!(sent > 300, "{sent}");
}

#[test]
fn digits_that_are_heard_cost_none() {
    let mut now = epoch();
    let mut session = session(now);
    session.bridge(now, CALLER, CALLEE);
    let caller: SocketAddr = "192.168.0.10:4000".parse().unwrap();
    let mut told = [0; 3];
    let allocations = allocations_of(|| {
        for press in 0..=200_u32 {
            for packet in 0..12_u8 {
                now += Duration::from_millis(20);
                let header = media::rtp::packet::header(packet == 0, 101, 1, press * 4000, 7);
                let mut bytes = [0; 16];
                bytes[..12].copy_from_slice(&header);
                // why: of every other press the end is lost.
                let end = if packet >= 10 && press % 2 == 0 { 0x80 } else { 0 };
                bytes[12..].copy_from_slice(&[5, end, 0, packet]);
                assert!(session.handle_rtp(now, CALLER, caller, &mut bytes).is_some());
                session.handle_timeout(now);
            }
            turn(&mut session, &mut now, &mut told);
        }
    });
    assert_eq!((allocations, told), (0, [0, 0, 201]));
}
