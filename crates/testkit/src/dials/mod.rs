//! The random dial of a seed: who is called how, what everybody does, what programs ask for, how
//! bad the network is; played in virtual time before a [`Judge`](crate::Judge).
//!
//! [`Plan::of`] is what a seed means (`plan.rs`), [`play`] plays it and says what broke
//! (`play.rs`). The same seed is the same dial to the last byte. Nothing here asks for a winner or
//! a status: a dial may end in any way, as long as everything holds that must always hold.

mod act;
mod draw;
mod manner;
mod moved;
mod plan;
mod play;
mod tally;
mod transfers;

pub use act::Act;
pub use draw::draw;
pub use manner::{Manner, Talk};
pub use plan::Plan;
pub use play::{Played, play};
pub use tally::Tally;
pub use transfers::Transfers;
