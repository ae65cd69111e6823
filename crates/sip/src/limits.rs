//! What a peer may make us hold, each with a name.
//!
//! Owns the numbers that bound the reading and writing of one message. Limits of the state
//! machines (transactions, bindings, nonces) stand beside those machines. Nothing here is
//! configurable: a sound message stays an order of magnitude below each of them.

/// Longest message read or written, in bytes: what one UDP datagram can hold.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

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
