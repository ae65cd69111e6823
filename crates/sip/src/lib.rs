//! The SIP stack without input or output: messages, transactions, dialogs.
//!
//! Owns the protocol of RFC 3261 and its kin as pure state machines: bytes, `now` and a seed go
//! in; bytes, events and a deadline come out. No socket, clock, randomness or thread, and no
//! SDP: a body is bytes. [`Message`] is one message, received or made; the rest is built on it.

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic))]

pub mod auth;
mod deadlines;
mod dialog;
pub mod endpoint;
pub mod framing;
pub mod headers;
mod hop;
mod invite;
mod lex;
pub mod limits;
pub mod message;
pub mod method;
mod options;
pub mod parse;
mod random;
pub mod recent;
pub mod redacted;
pub mod registrar;
mod stack;
mod transaction;
pub mod uri;
pub mod write;

pub use auth::challenge::{Challenger, Verdict};
pub use auth::login::{Login, Proof, Unanswered};
pub use auth::standing::Standing;
pub use endpoint::{
    Config, Counts, DialogId, DialogState, EndCause, Endpoint, Event, Flow, InDialog, Invite,
    InviteId, RejectCause, RequestId, Respond, SentId, Transmit, Transport,
};
pub use headers::{HeaderError, HeaderErrorKind, NameAddr, Params, Replaces, Via};
pub use message::Message;
pub use method::Method;
pub use parse::{ParseError, ParseErrorKind};
pub use registrar::{Binding, Registrar, RegistrarConfig, SavedBinding};
pub use uri::{Scheme, Uri};
pub use write::{BuildError, Builder, default_reason};
