//! The error queue of a UDP socket: which remote an ICMP error is about.
//!
//! An unconnected socket learns from a plain errno only that *somebody* could not be reached; the
//! queue (`IP_RECVERR`, `IPV6_RECVERR`) keeps the destination of the datagram that failed.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::address::{CAPACITY, RawAddress};
use super::checked_length;

/// Room for one control message: `sock_extended_err` and the address of the reporting router.
const CONTROL_MAX: usize = 256;

/// ICMP type of "time exceeded" (RFC 792, and RFC 4443 for IPv6).
const TIME_EXCEEDED: u8 = 11;
/// The same in ICMPv6.
const TIME_EXCEEDED_V6: u8 = 3;

/// Aligned as control messages want it.
#[repr(C, align(8))]
struct Control([u8; CONTROL_MAX]);

/// Takes the next error off the queue of `socket`: the remote that cannot be reached, or `None`
/// for an error that is no reason to give the remote up. `WouldBlock` when the queue is empty.
///
/// RFC 3261 §18.4: unreachable host, network, port or protocol fails the transaction; an exceeded
/// time to live does not. A too long datagram does not either: the next one is fragmented.
pub(crate) fn take_unreachable(socket: BorrowedFd<'_>) -> io::Result<Option<SocketAddr>> {
    let mut remote = RawAddress::empty();
    let mut control = Control([0; CONTROL_MAX]);
    let mut payload = [0_u8; 1];
    let mut vector = libc::iovec { iov_base: payload.as_mut_ptr().cast(), iov_len: 1 };
    // SAFETY: a msghdr is integers and pointers, for which all zeroes (null) is a valid value.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_name = ptr::from_mut(&mut remote).cast();
    header.msg_namelen = CAPACITY;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = CONTROL_MAX as _;
    // SAFETY: every pointer of the header leads to a live local of the stated length.
    let result = unsafe {
        libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT)
    };
    checked_length(result)?;
    let fatal = extended_error(&header).is_some_and(|error| is_fatal(&error));
    Ok(if fatal { remote.decode() } else { None })
}

fn is_fatal(error: &libc::sock_extended_err) -> bool {
    let too_long = error.ee_errno == libc::EMSGSIZE as u32;
    let expired = match error.ee_origin {
        libc::SO_EE_ORIGIN_ICMP => error.ee_type == TIME_EXCEEDED,
        libc::SO_EE_ORIGIN_ICMP6 => error.ee_type == TIME_EXCEEDED_V6,
        _ => true,
    };
    !too_long && !expired
}

/// The first control message of the wanted kind in what `recvmsg` filled in.
fn extended_error(header: &libc::msghdr) -> Option<libc::sock_extended_err> {
    // SAFETY: `header` was filled in by recvmsg and its control buffer is alive in the caller.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !message.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give null or a whole header inside the buffer.
        let found = unsafe { *message };
        let wanted = matches!(
            (found.cmsg_level, found.cmsg_type),
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
        );
        let room = size_of::<libc::cmsghdr>() + size_of::<libc::sock_extended_err>();
        if wanted && found.cmsg_len as usize >= room {
            // SAFETY: the message is long enough (checked) for one sock_extended_err, which is
            // made of integers; it is read without assuming alignment.
            return Some(unsafe { ptr::read_unaligned(libc::CMSG_DATA(message).cast()) });
        }
        // SAFETY: as for CMSG_FIRSTHDR.
        message = unsafe { libc::CMSG_NXTHDR(header, message) };
    }
    None
}
