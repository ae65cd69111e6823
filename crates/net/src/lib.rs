//! Sockets: SIP over UDP, RTP ports, media threads.
