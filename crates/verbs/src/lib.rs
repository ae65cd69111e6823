//! The application language: verbs, targets, callbacks, status words, located errors.
//!
//! In: the JSON text of an application. Out: typed verbs, or every fault with line, column and
//! JSON pointer. The other way round, [`callback`] holds what an application is told, and
//! [`status`] the words both use. Pure data: nothing here runs a verb, resolves a URL or knows
//! the time. [`rest`] holds what a program asks of the switch itself, in the same manner.
//!
//! One file of [`verb`] per verb; the name of a property as an application writes it is found
//! there.

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod application;
pub mod callback;
mod fault;
mod fields;
mod headers;
mod hook;
mod json;
pub mod rest;
mod schema;
pub mod status;
mod suggest;
mod values;
pub mod verb;

pub use application::{Application, VERBS_MAX, parse_application};
pub use fault::{FAULTS_MAX, Fault};
pub use headers::Headers;
pub use hook::{Credentials, Hook, HookMethod};
pub use json::{DEPTH_MAX, TEXT_MAX};
pub use schema::schema;
pub use values::SECONDS_MAX;
pub use verb::*;
