//! Our parser against the oracles.

mod corpus_messages_agree;
mod known_differences;
mod random_messages_agree;
mod sound_message;
