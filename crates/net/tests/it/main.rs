//! The sockets of the switch, on loopback.

mod closing;
mod latching;
mod moving;
mod names;
mod relay;
mod rig;
mod ringback;
mod silence;
mod sounds_and_digits;
mod tcp;
mod udp;
