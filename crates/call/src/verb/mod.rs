//! The verbs of a list, run one after the other; `dial` has a folder of its own.

pub(crate) mod config;
pub(crate) mod dial;
pub(crate) mod gather;
pub(crate) mod list;
pub(crate) mod play;
pub(crate) mod request;
pub(crate) mod run;
