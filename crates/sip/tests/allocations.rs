//! How much memory traffic one message may cause.
//!
//! why a binary of its own: the counting allocator is global to a test binary, and tests that
//! run beside it would be counted too.
#![allow(unsafe_code, reason = "a global allocator cannot be written without it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sip::Message;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is handed to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let result = work();
    (ALLOCATIONS.with(Cell::get) - before, result)
}

/// An INVITE as carriers send them: 1,234 bytes, eighteen lines and SDP; what the benchmarks read.
const INVITE: &str = include_str!("carrier_invite.sip");

#[test]
fn a_carrier_invite_is_read_with_four_allocations_at_most() {
    let datagram = INVITE.replace('\n', "\r\n");
    assert_eq!(datagram.len(), 1_234, "the length that docs/benchmarks.md speaks of");
    let (allocations, message) = allocations_of(|| Message::parse(datagram.as_bytes()));
    assert!(allocations <= 4, "{allocations} allocations");
    assert!(message.unwrap().body().starts_with(b"v=0\r\n"));
}

#[test]
fn looking_headers_up_allocates_nothing() {
    let datagram = INVITE.replace('\n', "\r\n");
    let message = Message::parse(datagram.as_bytes()).unwrap();
    let (allocations, found) = allocations_of(|| {
        message.header("via").is_some()
            && message.header("X-Trunk-Group").is_some()
            && message.header_text("Call-ID").is_some()
            && message.header("No-Such-Header").is_none()
            && message.header_values("Allow").count() > 5
            && message.headers().count() > 15
    });
    assert!(found);
    assert_eq!(allocations, 0);
}

#[test]
fn a_copy_of_a_message_shares_its_bytes() {
    let datagram = INVITE.replace('\n', "\r\n");
    let message = Message::parse(datagram.as_bytes()).unwrap();
    let copy = message.clone();
    let (allocations, second) = allocations_of(|| copy.clone());
    assert_eq!(allocations, 0);
    assert_eq!(second.as_bytes().as_ptr(), message.as_bytes().as_ptr());
}
