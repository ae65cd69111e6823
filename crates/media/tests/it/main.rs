//! What a peer sees of the media of a call.

mod audio_survives_transcoding;
mod digits_are_heard;
mod digits_are_sent;
mod g711_matches_the_recommendation;
mod held_streams;
mod hostile_packets;
mod latching;
mod legs_change_sessions;
mod levels;
mod media_timeout;
mod muted_legs;
mod packets_pass_between_legs;
mod ringback_sounds;
mod rtcp_follows;
mod sdp_agrees_with_another_parser;
mod sdp_answers;
mod sdp_hostile;
mod sdp_offers;
mod sounds_are_played;
mod sounds_are_read;
mod support;
mod tone_scripts;
