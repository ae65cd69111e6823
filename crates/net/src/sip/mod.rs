//! SIP transports: sockets that carry whole messages, and names turned into addresses.
//!
//! In go [`::sip::Transmit`]s, out come messages with the [`::sip::Flow`] they arrived on, and
//! flows whose remote cannot be reached. What the bytes mean is the `sip` crate's business, and
//! when to send again too. UDP and TCP are what there is.

mod advertised;
mod outbox;
mod resolve;
mod routes;
mod service;
pub mod tcp;
mod udp;

pub use advertised::Advertised;
pub use resolve::{Hop, LOOKUP_TIMEOUT, ResolveError, Resolver};
pub use tcp::{Messages, Tcp, TcpLimits};
pub use udp::{Inbox, Udp};
