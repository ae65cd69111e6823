//! The behaviour of the SIP stack, seen through its public interface.

mod answer;
mod cancel;
mod hangup;
mod hostile_bytes;
mod link;
mod message_from_the_wild;
mod message_written;
mod registration;
mod texts;
mod torture;
