//! The sockets of the switch, on loopback.

mod closing;
mod latching;
mod names;
mod relay;
mod rig;
mod ringback;
mod silence;
mod tcp;
mod udp;
