//! The limits of fetching sounds. Each is a constant with a name; [`Limits`] carries them, so that
//! a test need not wait for them.

use std::time::Duration;

/// Bytes of one file or body.
pub const FILE_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// Time to the head of an answer, for each redirection anew.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the whole: waiting for its turn, redirections, body and decoding.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of decoded sounds that are kept, all together.
pub const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Sounds that are kept.
pub const KEPT_MAX: usize = 1024;
/// Sounds that are fetched over HTTP at one time; others wait for their turn. With
/// [`FILE_BYTES_MAX`] it bounds the memory of what is under way.
pub const FETCHES_MAX: usize = 16;
/// Files that are read at one time; others wait for their turn. A count of its own, so that slow
/// servers do not hold up files.
pub const READS_MAX: usize = 4;
/// Sounds that are under way or wait for their turn; another one fails at once.
pub const UNDER_WAY_MAX: usize = 256;
/// How long a sound is fresh whose server says nothing about it.
pub const FRESH: Duration = Duration::from_secs(60);
/// How long a failure is the answer to everybody who asks for the same sound.
pub const FAILURE_KEPT: Duration = Duration::from_secs(1);

/// What [`super::Sounds`] keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// [`FILE_BYTES_MAX`].
    pub file_bytes: u64,
    /// [`HEAD_TIMEOUT`].
    pub head_timeout: Duration,
    /// [`TOTAL_TIMEOUT`].
    pub total_timeout: Duration,
    /// [`KEPT_BYTES_MAX`].
    pub kept_bytes: usize,
    /// [`KEPT_MAX`].
    pub kept: usize,
    /// [`FETCHES_MAX`].
    pub fetches: usize,
    /// [`READS_MAX`].
    pub reads: usize,
    /// [`UNDER_WAY_MAX`].
    pub under_way: usize,
    /// [`FRESH`].
    pub fresh: Duration,
    /// [`FAILURE_KEPT`].
    pub failure_kept: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            file_bytes: FILE_BYTES_MAX,
            head_timeout: HEAD_TIMEOUT,
            total_timeout: TOTAL_TIMEOUT,
            kept_bytes: KEPT_BYTES_MAX,
            kept: KEPT_MAX,
            fetches: FETCHES_MAX,
            reads: READS_MAX,
            under_way: UNDER_WAY_MAX,
            fresh: FRESH,
            failure_kept: FAILURE_KEPT,
        }
    }
}
