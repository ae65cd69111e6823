//! One call: its legs, its verb list, its timers and the dial machine; and [`Switch`], which
//! holds the SIP endpoint and all calls as one value without input or output.
//!
//! Pure: datagrams, answers and `now` go in; datagrams, effects and a deadline come out. No
//! socket, clock, randomness, SQL or HTTP. Everything that can race is a table: the caller
//! (`leg/caller.rs`), a callee (`leg/callee.rs`), the dial (`verb/dial/ring.rs`).

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic))]

mod admission;
mod allowance;
mod call;
mod command;
mod detach;
mod effect;
mod hook;
mod inbound;
mod info;
mod input;
mod leg;
mod loops;
mod placing;
mod proxy;
mod random;
mod record;
mod register;
mod route;
mod script;
pub mod settings;
mod strangers;
mod switch;
mod timer;
mod update;
mod verb;

pub use command::{Command, CommandId, Reply};
pub use effect::{Alert, Audio, Effect, HookId, HookRequest, Media, PlayId, Repeat};
pub use input::{HookFailure, Input, PlayEnd, Way};
pub use leg::LegId;
pub use record::LegRecord;
pub use settings::Settings;
pub use strangers::{
    BURST_SECONDS, SILENCE, STRANGERS_MAX, STRANGERS_PER_SECOND, SURPLUS_BYTES,
    SURPLUS_BYTES_PER_SECOND, TurnedAway,
};
pub use switch::{Alive, CallKey, Output, Switch};
pub use timer::Timer;
