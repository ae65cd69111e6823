//! Every order of events of a small dial, to a depth: the exhaustive counterpart of
//! [`dials`](crate::dials).
//!
//! From the moment at which the callees have been called (`opening.rs`), whatever can happen next
//! does, in every order: through the real switch, judged after each step (`scene.rs`, with the
//! parties of `party.rs`). States that cannot be told apart are walked on from once (`digest.rs`
//! says what that leaves out). From each, those of the last depth excepted, the call is brought to
//! rest in two ways, everybody polite and everybody gone, and then nothing may be left
//! (`search.rs`).

mod digest;
mod opening;
mod party;
mod scene;
mod search;

pub use opening::Opening;
pub use scene::Step;
pub use search::{Depth, Walk, walk};
