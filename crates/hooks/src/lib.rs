//! Webhooks: requests to applications, answers bounded in time and size.
//!
//! Owns the HTTP client, the rules of which URL a hook means, which credentials go with it and
//! where it may point, the ordered delivery of status events, and the fetching of sounds that verbs
//! name. It does not know what a call
//! is: a payload goes in as JSON text, an answer comes out as JSON text, and what either means
//! belongs to `call` and `verbs`. A request is tried again only where its URL asks for it.

mod client;
mod error;
mod guard;
mod request;
mod resolve;
mod retry;
mod signature;
pub mod sounds;
mod status_queue;

pub use client::{BODY_MAX, Client, Config, Reply, TOTAL_TIMEOUT, USER_AGENT};
pub use error::{Failure, HookError};
pub use guard::is_public;
pub use request::{Request, Secret};
pub use resolve::{UrlError, resolve_url, same_origin};
pub use status_queue::{EVENTS_PER_CALL_MAX, Full, StatusQueue};
