//! The behaviour of the SIP stack, seen through its public interface.

mod answer;
mod by_hand;
mod cancel;
mod challenged_invite;
mod dialog_named;
mod forking_proxy;
mod hangup;
mod hostile_bytes;
mod hostile_sequences;
mod link;
mod message_from_the_wild;
mod message_written;
mod our_reinvite;
mod over_a_connection;
mod random_calls;
mod refresh_is_challenged;
mod refusals;
mod registration;
mod reinvite;
mod reliable_provisional;
mod request_within_dialog;
mod session_timer;
mod stream_cut_anywhere;
mod texts;
mod torture;
mod update;
