//! Socket options and calls that neither the standard library nor socket2 offers.

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, BorrowedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::address::{Family, RawAddress};
use super::{checked, checked_length};

/// Sends one datagram without blocking; the length taken.
pub(crate) fn send_to(socket: BorrowedFd<'_>, bytes: &[u8], to: &RawAddress) -> io::Result<usize> {
    // SAFETY: the kernel reads `bytes` and `to.length()` bytes of `to`, both borrowed for the call.
    let result = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            to.as_ptr(),
            to.length(),
        )
    };
    checked_length(result)
}

/// Asks the kernel to keep the ICMP errors of `socket` with the address each is about, and to
/// fragment datagrams longer than the path rather than to fail them.
pub(crate) fn report_icmp_errors(socket: BorrowedFd<'_>, family: Family) -> io::Result<()> {
    if family == Family::V6 {
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)?;
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)?;
    }
    // why: an IPv6 socket that carries IPv4 as mapped addresses takes these too.
    set(socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1)?;
    set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT)
}

fn set(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the kernel reads one int from `value`, which lives for the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(&value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    checked(result).map(drop)
}

/// Registers `socket` with the tokio runtime of the calling task, for input and errors.
pub(crate) fn register(socket: UdpSocket) -> io::Result<AsyncFd<UdpSocket>> {
    let interest = Interest::READABLE | Interest::ERROR;
    // SAFETY: a `UdpSocket` owns its descriptor and gives the same one until it is dropped, which
    // only the `AsyncFd` that takes it can do.
    let registered = unsafe { AsyncFd::register_with_interest(socket, interest) };
    registered.map_err(io::Error::from)
}
