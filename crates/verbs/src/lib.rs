//! The application language: verbs, targets, callbacks, status words, located errors.
