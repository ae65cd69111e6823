//! The store on real files: what it keeps, what it refuses, what it survives.

mod declared;
mod entities;
mod failing_database;
mod journal;
mod killed_hard;
mod opening;
mod recent;
mod scratch;
mod secrets_stay_hidden;
