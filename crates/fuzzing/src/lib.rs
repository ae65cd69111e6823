//! What each fuzz target does with its bytes.
//!
//! In: any bytes. Out: nothing, or a panic that says which promise was broken. The bodies are
//! plain functions, so that `fuzz/fuzz_targets` (libFuzzer, nightly) and the replay of the corpora
//! in this crate's test (stable, part of `make test`) run the same code.
//!
//! A text goes to its reader as it is. The targets of state machines take their bytes as a
//! [`Script`]: what arrives, how much time passes, what the core wishes.

#![forbid(unsafe_code)]

#[cfg(feature = "configuration")]
mod configuration;
mod endpoint;
mod json;
mod media;
mod message;
mod peer;
mod script;
mod switch;

#[cfg(feature = "configuration")]
pub use configuration::configuration;
pub use endpoint::endpoint;
pub use json::{application, rest_body};
pub use media::{rtcp, rtp, sdp};
pub use message::{auth, message, name_addr, stream, uri};
pub use script::Script;
pub use switch::switch;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Of its file in `fuzz/fuzz_targets` and its directory in `fuzz/corpus`.
    pub name: &'static str,
    /// What it does with one input.
    pub run: fn(&[u8]),
}

/// Every target, by name.
pub const TARGETS: &[Target] = &[
    Target { name: "application", run: application },
    Target { name: "auth", run: auth },
    #[cfg(feature = "configuration")]
    Target { name: "configuration", run: configuration },
    Target { name: "endpoint", run: endpoint },
    Target { name: "message", run: message },
    Target { name: "name_addr", run: name_addr },
    Target { name: "rest_body", run: rest_body },
    Target { name: "rtcp", run: rtcp },
    Target { name: "rtp", run: rtp },
    Target { name: "sdp", run: sdp },
    Target { name: "stream", run: stream },
    Target { name: "switch", run: switch },
    Target { name: "uri", run: uri },
];
