//! epoll and eventfd: how a media thread sleeps, and how another thread wakes it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::{checked, checked_length};

/// One epoll instance; sockets are watched edge by edge.
pub(crate) struct Epoll {
    fd: OwnedFd,
}

/// Room for the keys that one [`Epoll::wait`] finds ready.
pub(crate) struct Ready {
    events: Vec<libc::epoll_event>,
    count: usize,
}

impl Ready {
    /// Room for `count` keys per wait; more stay for the next.
    pub(crate) fn new(count: usize) -> Ready {
        Ready { events: vec![libc::epoll_event { events: 0, u64: 0 }; count], count: 0 }
    }

    /// How many keys the last wait found.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Key `index` of the last wait.
    pub(crate) fn key(&self, index: usize) -> u64 {
        self.events[index].u64
    }
}

impl Epoll {
    /// A new instance, watching nothing.
    pub(crate) fn new() -> io::Result<Epoll> {
        // SAFETY: no pointer is passed.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel just gave us this descriptor and nobody else holds it.
        Ok(Epoll { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Watches `socket` for input: `key` comes back once each time something new arrives.
    pub(crate) fn add(&self, socket: BorrowedFd<'_>, key: u64) -> io::Result<()> {
        let mut event =
            libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: key };
        self.control(libc::EPOLL_CTL_ADD, socket, &mut event)
    }

    /// Watches `socket` no longer.
    pub(crate) fn remove(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        self.control(libc::EPOLL_CTL_DEL, socket, &mut event)
    }

    fn control(
        &self,
        operation: libc::c_int,
        socket: BorrowedFd<'_>,
        event: &mut libc::epoll_event,
    ) -> io::Result<()> {
        // SAFETY: both descriptors are open, and the kernel only reads the event during the call.
        let result =
            unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), operation, socket.as_raw_fd(), event) };
        checked(result).map(drop)
    }

    /// Sleeps until something is ready or `timeout` (`None`: for ever) is over.
    ///
    /// Rounded up to the millisecond, so that nobody wakes before a deadline and spins. A signal
    /// ends the wait with no key.
    pub(crate) fn wait(&self, timeout: Option<Duration>, ready: &mut Ready) -> io::Result<()> {
        let milliseconds = timeout.map_or(-1, |timeout| {
            let rounded = timeout.as_nanos().div_ceil(1_000_000);
            libc::c_int::try_from(rounded).unwrap_or(libc::c_int::MAX)
        });
        ready.count = 0;
        let room = libc::c_int::try_from(ready.events.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the kernel writes at most `room` events, which is no more than there are.
        let found = unsafe {
            libc::epoll_wait(self.fd.as_raw_fd(), ready.events.as_mut_ptr(), room, milliseconds)
        };
        match checked(found) {
            Ok(found) => ready.count = usize::try_from(found).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// A counter in the kernel that wakes an epoll when another thread writes to it.
pub(crate) struct EventFd {
    fd: OwnedFd,
}

impl EventFd {
    /// A new counter at zero.
    pub(crate) fn new() -> io::Result<EventFd> {
        // SAFETY: no pointer is passed.
        let fd = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the kernel just gave us this descriptor and nobody else holds it.
        Ok(EventFd { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Wakes whoever watches. A counter that is full already wakes, so no error matters.
    pub(crate) fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the kernel reads the eight bytes of `one`.
        let result = unsafe { libc::write(self.fd.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        drop(checked_length(result));
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_ends_the_wait_once() {
        let epoll = Epoll::new().expect("a descriptor");
        let signal = EventFd::new().expect("a descriptor");
        let mut ready = Ready::new(4);
        epoll.add(signal.as_fd(), 42).expect("a live descriptor");
        signal.wake();
        signal.wake();
        epoll.wait(Some(Duration::from_secs(5)), &mut ready).expect("a wake");
        assert_eq!((ready.len(), ready.key(0)), (1, 42));
        epoll.wait(Some(Duration::ZERO), &mut ready).expect("nothing new");
        assert_eq!(ready.len(), 0);
        signal.wake();
        epoll.wait(Some(Duration::ZERO), &mut ready).expect("a new edge");
        assert_eq!(ready.len(), 1);
    }
}
