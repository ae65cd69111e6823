//! Calls in virtual time: a switch, phones, a network and an application, by a seed.

mod events;
mod raw;
mod scene;
mod sent;

mod callee_asks_for_credentials;
mod dial_survives_any_weather;
mod next_address;
