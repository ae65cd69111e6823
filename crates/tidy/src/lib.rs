//! The part of the style that a test can check.
