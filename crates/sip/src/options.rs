//! The answer to OPTIONS (RFC 3261 §11.2): what is implemented, with nothing kept of it.

use crate::{
    endpoint::Respond,
    stack::{ALLOW, supported},
};

/// 200 with what this endpoint can do.
pub(crate) fn answer() -> Respond {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Respond {
        status: 200,
        headers: vec![
            header("Allow", ALLOW),
            header("Accept", "application/sdp"),
            header("Supported", &supported()),
        ],
        ..Respond::default()
    }
}
