//! What survives a restart: what operators provisioned, the journal of open calls, the records
//! of calls that are over, alerts, registrations, secrets that were made.
//!
//! In: the URL of the configuration, entries of the journal, entries over REST. Out: the same
//! read back. It decides nothing about calls and starts no server. No call waits for it: what a
//! call leaves behind goes through [`Journal`], whose queue is bounded and whose failures are
//! told by its health. Secrets are in no error and in no `Debug`.
//!
//! One SQLite file with a write-ahead log; a process that is killed at any moment leaves it
//! whole. The directory `migrations` has the schema.

#![forbid(unsafe_code)]

mod account;
mod declare;
mod entity;
mod error;
mod hook;
mod journal;
mod open;
mod open_call;
mod page;
mod recent;
mod registration;
mod row;
mod secret;
mod timestamp;

pub use account::{Account, DeclaredKeys};
pub use declare::{Declared, DeclaredAccount};
pub use entity::{Application, Client, Decline, Entity, PhoneNumber, SipGateway, VoipCarrier};
pub use error::{ErrorKind, StoreError};
pub use hook::{Extra, Hook};
pub use journal::{
    BATCH_MAX, Entry, Full, GATHER, Health, IN_MEMORY_MAX, Journal, QUEUE_MAX, RESERVED, RETRY_MAX,
    RETRY_MIN, WRITE_MAX,
};
pub use open::{BUSY_TIMEOUT, CONNECTIONS, POOL_TIMEOUT, Store};
pub use open_call::{OpenCall, RESTART};
pub use page::{PAGE_SIZE_MAX, Page, PageRequest};
pub use recent::{AlertRecord, AlertsFilter, Direction, Period, RecentCall, RecentCallsFilter};
pub use registration::Registration;
pub use secret::Secret;
pub use timestamp::{NotATime, Timestamp};
