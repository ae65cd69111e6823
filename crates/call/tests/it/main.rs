//! Calls in virtual time: a switch, phones, a network and an application, by a seed.

mod scene;

mod dial_survives_any_weather;
mod next_gateway;
