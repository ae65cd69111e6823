//! The binary against real peers over loopback: sipp as caller and callees, RTP sockets that send
//! and recognise tones, baresip and PJSUA2 as phones, applications that answer webhooks.
//!
//! What a call does in every order of events is tested in `call`; here is what only the whole
//! program can show: sockets, processes, signals, files, and messages that another stack wrote.

mod support;

mod applications_of_others;
mod audio_between_the_phones;
mod audio_past_the_switch;
mod baresip_phones;
mod both_families;
mod callers_refused;
mod calls_end;
mod calls_over_rest;
mod calls_over_tcp;
mod carriers;
mod configuration_and_signals;
mod control;
mod credentials_of_hooks;
mod database_fails;
mod demonstration;
mod hold;
mod hostile_connections;
mod hostile_media;
mod hostile_messages;
mod keys;
mod killed_hard;
mod many_calls;
mod media_is_guarded;
mod music;
mod phones_over_tcp;
mod pjsua_phones;
mod provisionals;
mod provisioning_over_rest;
mod redirections;
mod registered_users;
mod replaced;
mod requests_within_a_call;
mod ringing;
mod screening;
mod session_refresh;
mod status_events_get_lost;
mod torture_cases_of_a_parser;
mod torture_messages;
mod transfer;
mod unfinished_handshakes;
mod webhooks;
