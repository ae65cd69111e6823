//! A server that knows where else to call, and nothing more (RFC 3261 §8.3).

use std::net::SocketAddr;

use bytes::Bytes;
use sip::{Builder, Message, Method};

/// Answers each INVITE with a redirection, keeps nothing, and says nothing to anything else.
#[derive(Clone, Debug)]
pub struct Redirector {
    /// Contacts, as name-addrs, the preferred first.
    pub contacts: Vec<String>,
}

impl Redirector {
    /// What it answers to this message, if it does.
    pub fn answer(&self, from: SocketAddr, message: &Bytes) -> Option<Bytes> {
        let request = Message::parse(message).ok()?;
        if !request.is(&Method::Invite) {
            return None;
        }
        let moved = Builder::response_to(&request, 302, None)
            .source(from)
            .to_tag("moved")
            .header("Contact", self.contacts.join(", "));
        Some(moved.build().ok()?.to_bytes())
    }
}
