//! The `switchhook` command.

fn main() {}
