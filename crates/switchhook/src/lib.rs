//! The `switchhook` command: configuration, wiring, loops.
//!
//! A library so that tests reach the parts; the binary is [`cli::main`] and nothing else. An
//! `if` about telephony belongs in `call`, not here.

pub mod check;
pub mod cli;
pub mod config;
pub mod demo;
pub mod gateway;
pub mod provision;
pub mod serve;
pub mod simulate;
