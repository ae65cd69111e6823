//! The part of the style that a test can check.
//!
//! The crate is empty on purpose: the checks are its integration test, `tests/it`, so that they
//! run with `cargo test` and cost nothing anywhere else. Each check is a function from texts to
//! faults, with a test beside it that feeds it something bad and sees it fail.
