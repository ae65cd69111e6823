//! RTP: ports, and the threads that carry packets between them.
//!
//! [`Ports`] hands out bound pairs of sockets; a [`Command::Open`] gives a pair to a media thread,
//! which owns it from then on and reports the port when it is closed. What is done with a packet
//! is decided by [`media::Session`], one for each call, on the thread of the call. SDP is not here.

mod call;
mod command;
mod counters;
mod lane;
mod moving;
mod packet_io;
mod port;
mod timers;
mod worker;
#[cfg(test)]
mod worker_panic;
mod workers;

pub use command::{Command, EVENTS_MAX, Event, EventReceiver};
pub use counters::Totals;
pub use lane::{COMMANDS_MAX, Handle, OPENINGS_MAX, SendError};
pub use moving::Move;
pub use port::{PortPair, Ports, PortsError, REST};
pub use worker::Config;
pub use workers::Workers;
