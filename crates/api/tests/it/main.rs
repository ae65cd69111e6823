//! The routes over a real connection, with a real store. The loop that owns the calls is played
//! by a recorder; what it does with calls is tested where it is.

mod accounts;
mod calls;
mod connections;
mod entries;
mod entries_refused;
mod past;
mod registered_users;
mod rig;
mod routes;
mod tokens;
