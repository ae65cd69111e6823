//! Messages that a full socket did not take, waiting for their turn.
//!
//! Pure: how a message is put on the wire comes in as a function. Order is kept: while anything
//! waits, new messages line up behind it. Bounded: beyond [`WAITING_MAX`] a message is refused.

use std::collections::VecDeque;
use std::io;

use ::sip::{Flow, Transmit};

/// Messages that may wait. More than a second's worth on a machine that sends thousands a second;
/// SIP repeats what is lost, so older ones are better dropped than kept.
pub(crate) const WAITING_MAX: usize = 4096;

/// The queue of one socket.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Transmit>,
}

impl Outbox {
    /// Sends `transmit`, or keeps it when the socket is full.
    pub(crate) fn send(
        &mut self,
        transmit: &Transmit,
        put: impl Fn(&Transmit) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.waiting.is_empty() {
            match put(transmit) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
        if self.waiting.len() >= WAITING_MAX {
            return Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                format!("udp to {}: {WAITING_MAX} messages already wait", transmit.flow.remote),
            ));
        }
        self.waiting.push_back(transmit.clone());
        Ok(())
    }

    /// Sends what waits, as far as the socket takes it. Flows whose message failed for another
    /// reason are added to `failed`.
    pub(crate) fn flush(
        &mut self,
        put: impl Fn(&Transmit) -> io::Result<()>,
        failed: &mut Vec<Flow>,
    ) {
        while let Some(transmit) = self.waiting.front() {
            match put(transmit) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => failed.push(transmit.flow),
                Ok(()) => {}
            }
            self.waiting.pop_front();
        }
    }

    /// Does anything wait?
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::net::SocketAddr;

    use ::sip::Transport;

    use super::*;

    fn message(port: u16, text: &'static str) -> Transmit {
        let address = |port| SocketAddr::from(([192, 0, 2, 1], port));
        let flow = Flow { transport: Transport::Udp, local: address(5060), remote: address(port) };
        Transmit { flow, bytes: text.as_bytes().into(), otherwise: None }
    }

    fn full(_: &Transmit) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    #[test]
    fn what_a_full_socket_refused_goes_out_later_in_order() {
        let mut outbox = Outbox::default();
        let wire = RefCell::new(Vec::new());
        let put = |transmit: &Transmit| {
            wire.borrow_mut().push(transmit.bytes.clone());
            Ok(())
        };
        outbox.send(&message(1, "one"), full).expect("kept");
        outbox.send(&message(1, "two"), put).expect("kept behind the first");
        assert!(wire.borrow().is_empty());
        let mut failed = Vec::new();
        outbox.flush(put, &mut failed);
        outbox.send(&message(1, "three"), put).expect("sent");
        assert_eq!(*wire.borrow(), ["one", "two", "three"].map(str::as_bytes));
        assert!(failed.is_empty() && outbox.is_empty());
    }

    #[test]
    fn a_kept_message_that_fails_names_its_flow_and_lets_the_next_go() {
        let mut outbox = Outbox::default();
        let (bad, good) = (message(1, "bad"), message(2, "good"));
        outbox.send(&bad, full).expect("kept");
        outbox.send(&good, full).expect("kept");
        let put = |transmit: &Transmit| match transmit.flow.remote.port() {
            1 => Err(io::ErrorKind::NetworkUnreachable.into()),
            _ => Ok(()),
        };
        let mut failed = Vec::new();
        outbox.flush(put, &mut failed);
        assert_eq!(failed, [bad.flow]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut outbox = Outbox::default();
        for _ in 0..WAITING_MAX {
            outbox.send(&message(1, "more"), full).expect("kept");
        }
        let error = outbox.send(&message(1, "too much"), full).expect_err("no room");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(error.to_string(), "udp to 192.0.2.1:1: 4096 messages already wait");
    }
}
