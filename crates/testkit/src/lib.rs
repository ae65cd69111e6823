//! Virtual time, a seeded lossy link, phones and an application to test against.
