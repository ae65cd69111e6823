//! SIP transports: sockets that carry whole messages, and names turned into addresses.
//!
//! In go [`::sip::Transmit`]s, out come datagrams with the [`::sip::Flow`] they arrived on, and
//! flows whose remote cannot be reached. What the bytes mean is the `sip` crate's business, and
//! when to send again too. UDP is what there is.

mod outbox;
mod resolve;
mod routes;
mod service;
mod udp;

pub use resolve::{Hop, LOOKUP_TIMEOUT, ResolveError, Resolver};
pub use udp::{Inbox, Udp};
