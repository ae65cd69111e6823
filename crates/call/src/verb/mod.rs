//! The verbs of a list, run one after the other; `dial` has a folder of its own.

pub(crate) mod dial;
pub(crate) mod list;
pub(crate) mod run;
