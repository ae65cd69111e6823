//! What the HTTP side asks of the running gateway; the binary answers.
//!
//! Two traits: [`Health`] is answered from counters at once, [`Gateway`] through the loop that
//! owns the calls. Nothing here says how either is done.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use verbs::Fault;
use verbs::rest::{CreateCall, Update};

/// An answer that is on its way.
pub type Awaited<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How the gateway is.
pub trait Health: Send + Sync {
    /// Calls that are up, callers only.
    fn live_calls(&self) -> usize;
    /// What is wrong without harm to calls, such as a database that is locked, and the remedy.
    fn degraded(&self) -> Option<String>;
    /// New calls are refused because the process is to end.
    fn draining(&self) -> bool;
}

/// What REST does with calls, and what it must tell.
pub trait Gateway: Health + 'static {
    /// Places a call; answered as soon as its INVITE is on the wire. `warnings` are the unknown
    /// properties of the request, for an alert each.
    fn create_call(
        &self,
        call: Box<CreateCall>,
        warnings: Vec<Fault>,
    ) -> Awaited<'_, Result<Created, Refusal>>;

    /// Changes a call. A refusal is 404 where no such call is known, 422 where its state does not
    /// allow the change.
    fn update_call(
        &self,
        call_sid: String,
        update: Update,
    ) -> Awaited<'_, Result<Updated, Refusal>>;

    /// Live calls and those that ended within the hour, each an object with at least `call_sid`,
    /// `direction`, `from`, `to` and `call_status`.
    fn calls(&self) -> Awaited<'_, Result<Vec<Value>, Refusal>>;

    /// Every user that is registered now.
    fn registrations(&self) -> Awaited<'_, Result<Vec<Registered>, Refusal>>;

    /// Entries of the store changed. Calls that come after this has returned are routed by them,
    /// and requests to applications signed with the account's key.
    ///
    /// # Errors
    /// A sentence: the entries could not be read, calls go by the old ones.
    fn provisioned(&self) -> Awaited<'_, Result<(), String>>;

    /// Counters in the text format of Prometheus.
    fn metrics(&self) -> Awaited<'_, Result<String, Refusal>>;
}

/// A call that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its `call_sid`.
    pub sid: String,
    /// Call-ID of its INVITE.
    pub call_id: String,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status, 400 or more.
    pub status: u16,
    /// For a person; a 404 goes without it.
    pub msg: String,
}

/// One user that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// User part of the address of record.
    pub user: String,
    /// At least one, the preferred one first.
    pub contacts: Vec<Contact>,
}

/// Where a user is reachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// URI of the Contact as registered.
    pub uri: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub protocol: String,
    /// The address that the registration came from, `ip:port`.
    pub proxy: String,
    /// Milliseconds since 1970 at which it ends.
    pub expires_at: i64,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updated {
    /// It is being made.
    Accepted,
    /// The request was sent, and this came back.
    Responded {
        /// Final SIP status.
        status: u16,
        /// Its reason phrase.
        reason: String,
    },
}
