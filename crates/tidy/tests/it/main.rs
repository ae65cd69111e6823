//! The checks of the style, run on this checkout.
//!
//! A check is a function from texts to a list of faults, each naming file, line and remedy; one
//! test runs it on the tree, another feeds it a bad snippet and expects the fault. Exemptions
//! are tables with a reason. What a compiler lint can say (function length, debug macros) is
//! left to `[workspace.lints]`; words of the style that need judgement are left to reviewers.

mod clippy_bans;
mod code;
mod documents;
mod floors;
mod foreign_names;
mod names;
mod purity;
mod shared_state;
mod size;
mod test_layout;
mod tree;
mod words;
