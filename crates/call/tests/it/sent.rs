//! What the switch sent, as messages with their times in seconds.

use std::net::SocketAddr;

use sip::{Message, Method};
use testkit::{SWITCH, World};

/// One message of the switch.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Seconds of virtual time.
    pub(crate) at: f64,
    pub(crate) message: Message,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.message.header_text(name).map(|value| value.into_owned())
    }

    pub(crate) fn body(&self) -> String {
        String::from_utf8_lossy(self.message.body()).into_owned()
    }
}

/// Everything it sent to this address, repetitions included.
pub(crate) fn sent_to(world: &World, to: SocketAddr) -> Vec<Sent> {
    let ours = world.wire.iter().filter(|(_, sent)| sent.from == SWITCH && sent.to == to);
    ours.map(|(at, sent)| Sent {
        at: at.duration_since(world.start).as_secs_f64(),
        message: Message::parse(&sent.bytes).unwrap(),
    })
    .collect()
}

/// Its requests of this method to this address.
pub(crate) fn requests_to(world: &World, to: SocketAddr, method: &Method) -> Vec<Sent> {
    let mut sent = sent_to(world, to);
    sent.retain(|sent| sent.message.is(method));
    sent
}

/// The one request of this method to this address.
#[track_caller]
pub(crate) fn request_to(world: &World, to: SocketAddr, method: &Method) -> Sent {
    let mut sent = requests_to(world, to, method);
    assert_eq!(sent.len(), 1, "{method:?} to {to}");
    sent.remove(0)
}

/// Its responses of this status to this address.
pub(crate) fn responses_to(world: &World, to: SocketAddr, status: u16) -> Vec<Sent> {
    let mut sent = sent_to(world, to);
    sent.retain(|sent| sent.message.status() == Some(status));
    sent
}

/// The last response of this status to this address.
#[track_caller]
pub(crate) fn response_to(world: &World, to: SocketAddr, status: u16) -> Sent {
    let sent = responses_to(world, to, status).pop();
    sent.unwrap_or_else(|| panic!("no {status} to {to}: {:?}", statuses_to(world, to)))
}

/// Statuses of its responses to INVITEs from this address, in order, repetitions included.
pub(crate) fn statuses_to(world: &World, to: SocketAddr) -> Vec<u16> {
    let sent = sent_to(world, to);
    let to_invite = sent
        .iter()
        .filter(|sent| sent.message.cseq().is_ok_and(|(_, method)| method == Method::Invite));
    to_invite.filter_map(|sent| sent.message.status()).collect()
}

/// Methods of its requests to this address, in order, repetitions included.
pub(crate) fn methods_to(world: &World, to: SocketAddr) -> Vec<String> {
    let sent = sent_to(world, to);
    sent.iter()
        .filter_map(|sent| sent.message.method())
        .map(|method| method.as_str().to_owned())
        .collect()
}
