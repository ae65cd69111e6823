//! The system calls that the standard library does not offer: datagrams in batches, the error
//! queue of a socket, epoll and eventfd.
//!
//! Every `unsafe` block of this crate is in this module, each around one libc call. In go borrowed
//! file descriptors and buffers owned by the caller; out come `io::Result`s and plain addresses.
//! Nothing here knows SIP or RTP, and nothing here keeps a socket open.
#![allow(unsafe_code, reason = "libc is the only door to recvmmsg, sendmmsg, epoll and eventfd")]

mod address;
mod batch;
mod epoll;
mod error_queue;
mod interfaces;
mod limit;
mod socket;

pub(crate) use address::{Family, RawAddress};
pub(crate) use batch::{Batch, Sender, Sent, Shipment};
pub(crate) use epoll::{Epoll, EventFd, Ready};
pub(crate) use error_queue::take_unreachable;
pub(crate) use interfaces::own_addresses;
pub(crate) use limit::raise_open_files;
pub(crate) use socket::{register, report_icmp_errors, send_to};

use std::io;

/// Turns the -1 of a system call into the error that `errno` names.
fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The same for the calls that return a length.
fn checked_length(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
