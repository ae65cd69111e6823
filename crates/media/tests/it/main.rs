//! What a peer sees of the media of a call.

mod audio_survives_transcoding;
mod g711_matches_the_recommendation;
mod held_streams;
mod hostile_packets;
mod latching;
mod media_timeout;
mod packets_pass_between_legs;
mod ringback_sounds;
mod rtcp_follows;
mod sdp_agrees_with_another_parser;
mod sdp_answers;
mod sdp_hostile;
mod sdp_offers;
mod sounds_are_read;
mod support;
mod tone_scripts;
