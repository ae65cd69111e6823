//! The way of a packet through a media thread allocates nothing.
//!
//! A binary of its own: its allocator counts for the whole process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use media::{Codec, Decibels, Gain, Play, PlayId, Repeat, Sound, tone};
use net::rtp::{Command, Config};

#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "it/rig.rs"]
mod rig;

use rig::{CALLER, Phone, Rig, bridged, packet};

/// Counts every request for memory.
struct Counting;

static REQUESTS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is passed on to the system's allocator unchanged.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Packets each way for every call, `burst` at a time, all of them heard.
fn talk(calls: &[(Phone, Phone)], spoken: &mut [u8], burst: usize) {
    let mut heard = [0; 2048];
    for (caller, callee) in calls {
        for (from, to) in [(caller, callee), (callee, caller)] {
            spoken[1] = from.negotiated.codec.payload_type();
            for _ in 0..burst {
                from.rtp.send_to(spoken, from.switch).expect("loopback takes it");
            }
            for _ in 0..burst {
                to.rtp.recv(&mut heard).expect("a packet in time");
            }
        }
    }
}

#[test]
fn relaying_and_generating_packets_allocates_nothing() {
    let mut rig = Rig::new(1, Config::default());
    let calls: Vec<(Phone, Phone)> =
        (0..4).map(|call| bridged(&mut rig, call, Codec::Pcmu, Codec::Pcma)).collect();
    let gain = Some(Box::new(Gain::new(Decibels::new(6.0))));
    rig.send(Command::Boost { call: 0, leg: CALLER, gain });
    let waiting = rig.phone(9, CALLER, Codec::Pcmu);
    let us = tone::country("us").expect("a known country");
    rig.send(Command::Ringback { call: 9, to: CALLER, tone: us });
    let listening = rig.phone(10, CALLER, Codec::Pcma);
    let (id, sound) = (PlayId(1), Sound::from_samples(vec![100; 8000]));
    let play = Play { id, sound, repeat: Repeat::Forever, from_sample: 0, longest: None };
    rig.send(Command::Play { call: 10, to: CALLER, play });
    listening.hear();
    let mut spoken = packet(0, 1);
    talk(&calls, &mut spoken, 3);
    waiting.hear();

    let mut heard = [0; 2048];
    let before = REQUESTS.load(Ordering::SeqCst);
    for round in 0..200 {
        talk(&calls, &mut spoken, 1 + round % 5);
    }
    for _ in 0..30 {
        waiting.rtp.recv(&mut heard).expect("the tone goes on");
        listening.rtp.recv(&mut heard).expect("the sound goes on");
    }
    let after = REQUESTS.load(Ordering::SeqCst);
    assert_eq!(after - before, 0, "requests for memory while 4800 packets went through");
    assert!(rig.workers.totals()[0].sent > 4800);
}
