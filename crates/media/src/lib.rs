//! Session descriptions, RTP and audio without input or output.
