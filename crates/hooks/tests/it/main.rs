//! The client against a real server on the loopback interface.

mod answers;
mod application;
mod credentials;
mod failures;
mod order_of_status_events;
mod requests;
mod retries;
