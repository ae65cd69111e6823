//! What a peer may make us hold, each with a name.
//!
//! Owns the numbers that bound the reading and writing of one message. Limits of the state
//! machines (transactions, bindings, nonces) stand beside those machines. Nothing here is
//! configurable: a sound message stays an order of magnitude below each of them.

/// Longest message read or written, in bytes: what one UDP datagram can hold. A stream could carry
/// more; nobody needs it.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

/// RFC 3261 §18.1.1: a request longer than this, in bytes, is sent over a reliable transport where
/// the peer has one, because UDP would cut it into fragments.
pub const DATAGRAM_BYTES_MAX: usize = 1_300;

/// Longest header block of a message in a stream, start line and empty line included, in bytes.
pub const STREAM_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Longest body of a message in a stream, in bytes: with the longest header block it makes
/// [`MESSAGE_BYTES_MAX`].
pub const STREAM_BODY_BYTES_MAX: usize = MESSAGE_BYTES_MAX - STREAM_HEAD_BYTES_MAX;

/// Most header lines of one message, after unfolding.
pub const HEADERS_MAX: usize = 256;

/// Longest start line or header line in bytes, after unfolding and without its line end.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// Most parameters of one URI, one name-addr or one Via.
pub const PARAMS_MAX: usize = 64;

/// Most values that a typed list accessor returns (a route set, the Vias).
pub const LIST_VALUES_MAX: usize = 64;

/// Longest excerpt of the peer's text quoted in an error, in characters.
pub const EXCERPT_CHARS_MAX: usize = 48;
