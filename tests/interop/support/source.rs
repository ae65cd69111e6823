//! A UDP socket that sends whatever a test likes and reads what comes back: for messages that no
//! SIP stack would write.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sip::{Message, Method};

use super::PATIENCE;

/// Largest datagram.
const DATAGRAM_MAX: usize = 65_535;

/// OPTIONS asked by this process, so that no two are alike.
static ASKED: AtomicU64 = AtomicU64::new(0);

/// See the module.
#[derive(Debug)]
pub(crate) struct Source {
    socket: UdpSocket,
    switch: SocketAddr,
}

impl Source {
    /// A socket there that talks to the switch.
    pub(crate) fn open(ip: IpAddr, switch: SocketAddr) -> Source {
        let socket = UdpSocket::bind((ip, 0)).expect("loopback has a free port");
        Source { socket, switch }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket has an address")
    }

    /// Sends these bytes as they are.
    pub(crate) fn sends(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.switch).expect("loopback takes datagrams");
    }

    /// The next datagram that comes within this time.
    pub(crate) fn receives(&self, within: Duration) -> Option<Vec<u8>> {
        let mut buffer = vec![0; DATAGRAM_MAX];
        self.socket.set_read_timeout(Some(within)).expect("a time above zero");
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        buffer.truncate(length);
        Some(buffer)
    }

    /// The next SIP message that comes within this time.
    pub(crate) fn hears(&self, within: Duration) -> Option<Message> {
        let datagram = self.receives(within)?;
        let text = String::from_utf8_lossy(&datagram);
        Some(Message::parse(&datagram).unwrap_or_else(|fault| panic!("{fault}: {text}")))
    }

    /// Asks OPTIONS, waits for the answer, which must be 200, and gives all that came before it.
    pub(crate) fn asks(&self) -> Vec<Message> {
        self.asks_within(PATIENCE).expect("OPTIONS is answered")
    }

    /// Sends an INVITE, gives its final answer, and acknowledges that.
    pub(crate) fn calls(&self, invite: &str) -> Message {
        self.sends(invite.as_bytes());
        let mut heard = std::iter::from_fn(|| self.hears(PATIENCE));
        let answer = heard.find(|answer| answer.status() >= Some(200));
        let answer = answer.unwrap_or_else(|| panic!("no final answer to\n{invite}"));
        self.acknowledges(invite.as_bytes(), &answer);
        answer
    }

    /// The same; `None` where no answer comes within this time.
    pub(crate) fn asks_within(&self, time: Duration) -> Option<Vec<Message>> {
        let call_id = format!("still-there-{}", ASKED.fetch_add(1, Ordering::Relaxed));
        self.sends(options(self.address(), self.switch, &call_id).as_bytes());
        let until = Instant::now() + time;
        let mut before = Vec::new();
        loop {
            let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
            let message = self.hears(left?)?;
            if message.header_text("Call-ID").as_deref() == Some(call_id.as_str()) {
                assert_eq!(message.status(), Some(200), "OPTIONS: {message:?}");
                return Some(before);
            }
            before.push(message);
        }
    }

    /// Acknowledges a final answer to an INVITE, so that it is not repeated.
    pub(crate) fn acknowledges(&self, invite: &[u8], answer: &Message) {
        let Ok(invite) = Message::parse(invite) else { return };
        let is_final = answer.status() >= Some(300);
        if !is_final || !invite.is(&Method::Invite) {
            return;
        }
        let uri = invite.request_uri().unwrap_or_default().into_owned();
        let [via, from, call_id] = ["Via", "From", "Call-ID"]
            .map(|name| invite.header_text(name).unwrap_or_default().into_owned());
        let to = answer.header_text("To").unwrap_or_default().into_owned();
        let number = invite.cseq().map(|(number, _)| number).unwrap_or_default();
        self.sends(
            format!(
                "ACK {uri} SIP/2.0\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}\r\n\
                 Call-ID: {call_id}\r\nCSeq: {number} ACK\r\nMax-Forwards: 70\r\n\
                 Content-Length: 0\r\n\r\n"
            )
            .as_bytes(),
        );
    }
}

/// A sound INVITE with these header lines more, each with its end, and this session description.
pub(crate) fn invite(
    from: SocketAddr,
    to: SocketAddr,
    call_id: &str,
    lines: &str,
    body: &str,
) -> String {
    format!(
        "INVITE sip:4930123@{to} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {from};rport;branch=z9hG4bK{call_id}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:tester@{from}>;tag=1\r\nTo: <sip:4930123@{to}>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:tester@{from}>\r\n\
         {lines}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A sound OPTIONS.
pub(crate) fn options(from: SocketAddr, to: SocketAddr, call_id: &str) -> String {
    format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};rport;branch=z9hG4bK{call_id}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:tester@{from}>;tag=1\r\nTo: <sip:{to}>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}
