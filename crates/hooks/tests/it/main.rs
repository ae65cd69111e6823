//! The client against a real server on the loopback interface.

mod answers;
mod application;
mod credentials;
mod failures;
mod order_of_status_events;
mod requests;
mod retries;
mod sound_server;
mod sounds_are_kept;
mod sounds_in_files;
mod sounds_over_http;
