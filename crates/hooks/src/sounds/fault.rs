//! Why there is no sound: one enum, one sentence for each, and the alert they raise.
//!
//! The sentence names the URL without its query and without credentials. What a server said is
//! quoted shortly and without control characters.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Failure;

/// `alert_type` of a sound that could not be had, whatever the reason: the one word that jambonz
/// has for it.
pub const SOUND_ALERT: &str = "play-url-notfound";

/// Characters of a header or a decoder's complaint that a message quotes.
const QUOTED_CHARS_MAX: usize = 200;

/// A sound that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SoundFailure {
    /// `alert_type` of the alert to raise: [`SOUND_ALERT`].
    pub alert_type: &'static str,
    /// `sound URL: what; expected …; got …; remedy`. No credentials, no query.
    pub message: String,
}

impl SoundFailure {
    /// `shown` is the URL or path as it may be shown.
    pub(super) fn new(shown: &str, fault: &Fault) -> SoundFailure {
        SoundFailure { alert_type: SOUND_ALERT, message: format!("sound {shown}: {fault}") }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("cannot be fetched; expected {expected}; got {got}; correct the url")]
    Url { expected: &'static str, got: String },
    #[error("the url is too long; expected at most {limit} bytes; got {got}; use a shorter one")]
    UrlTooLong { limit: usize, got: usize },
    #[error(
        "the host is not public; expected a public address or one of [http] allow_private; \
         got {address}; add its network there if the application is to be trusted with it"
    )]
    Private { address: IpAddr },
    #[error(
        "redirected too often; expected at most {limit} redirections; got one more; \
         give the final URL"
    )]
    Redirections { limit: usize },
    #[error(
        "redirected to where a sound is not fetched; expected an http or https URL, and https \
         after https; got {got}; give the final URL"
    )]
    Redirected { got: String },
    #[error("wrong status; expected 200; got {status}; {}", status_remedy(*status))]
    Status { status: u16 },
    #[error("no audio; expected Content-Type audio/wav; got {got}; check what the URL leads to")]
    NotAudio { got: String },
    #[error(
        "compressed; expected no Content-Encoding; got {got}; \
         let the server send the file as it is"
    )]
    Encoded { got: String },
    #[error(
        "too large; expected at most {limit} bytes; got {}; \
         shorten it, or convert it to 8000 Hz and one channel",
        got.map_or_else(|| "more".to_owned(), |length| length.to_string())
    )]
    TooLarge { limit: u64, got: Option<u64> },
    #[error(
        "no answer in time; expected the head of an answer within {} s; got none; \
         check that the server is up",
        limit.as_secs_f64()
    )]
    NoAnswer { limit: Duration },
    #[error(
        "not complete in time; expected the whole of it within {} s; got less; \
         make it shorter, or serve it from somewhere faster",
        limit.as_secs_f64()
    )]
    Slow { limit: Duration },
    #[error(
        "too many sounds are being fetched; expected fewer than {limit} at one time; got one \
         more; look for a server of sounds that is slow"
    )]
    Busy { limit: usize },
    #[error(
        "no connection; expected an HTTP server; got {got}; \
         check that it runs and that the URL reaches it from here"
    )]
    Connection { got: String },
    #[error("cannot be played: {got}")]
    Undecodable { got: String },
    #[error(
        "reading it broke off; expected a sound or a reason; got neither; \
         this is a bug of Switchhook: report it with the file"
    )]
    BrokeOff,
    #[error(
        "files are not open to applications; expected an http or https URL; got file:; \
         name the file's directory in [media] sounds"
    )]
    NoDirectories,
    #[error(
        "not in a directory that is open to applications; expected a file below {}; \
         got another path; move it there, or add its directory to [media] sounds",
        listed(directories)
    )]
    Outside { directories: Vec<PathBuf> },
    #[error("no such file; expected a WAV file; got none; check the path")]
    NoFile,
    #[error("not a file; expected a WAV file; got {got}; correct the path")]
    NotAFile { got: &'static str },
    #[error("cannot be read; expected a readable file; got {got}; check who may read it")]
    Unreadable { got: String },
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        match failure {
            Failure::Private { address } => Fault::Private { address },
            Failure::Connection { got } => Fault::Connection { got },
            other => Fault::Connection { got: other.to_string() },
        }
    }
}

fn status_remedy(status: u16) -> &'static str {
    match status {
        401 | 403 => "let the file be read without a login, or put credentials into the URL",
        404 | 410 => "check the path",
        500..=599 => "look into the log of that server",
        _ => "answer 200 with a WAV file",
    }
}

fn listed(directories: &[PathBuf]) -> String {
    let shown: Vec<String> = directories.iter().map(|path| path.display().to_string()).collect();
    shown.join(" or ")
}

/// `text` as a message may quote it.
pub(super) fn quoted(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { '?' } else { c });
    printable.take(QUOTED_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_says_what_was_expected_and_what_came() {
        let limit = Duration::from_millis(1500);
        let faults = [
            Fault::Url { expected: "a URL", got: "scheme `ws`".to_owned() },
            Fault::UrlTooLong { limit: 1, got: 2 },
            Fault::Private { address: [10, 0, 0, 1].into() },
            Fault::Redirections { limit: 3 },
            Fault::Redirected { got: "http://h/".to_owned() },
            Fault::Status { status: 404 },
            Fault::NotAudio { got: "text/html".to_owned() },
            Fault::Encoded { got: "gzip".to_owned() },
            Fault::TooLarge { limit: 10, got: None },
            Fault::NoAnswer { limit },
            Fault::Slow { limit },
            Fault::Busy { limit: 256 },
            Fault::Connection { got: "connection refused".to_owned() },
            Fault::BrokeOff,
            Fault::NoDirectories,
            Fault::Outside { directories: vec!["/a".into(), "/b".into()] },
            Fault::NoFile,
            Fault::NotAFile { got: "a directory" },
            Fault::Unreadable { got: "permission denied".to_owned() },
        ];
        for fault in faults {
            let message = SoundFailure::new("http://h/x.wav", &fault).message;
            assert!(message.starts_with("sound http://h/x.wav: "), "{message}");
            let places = ["; expected ", "; got "].map(|word| message.find(word).expect(word));
            assert!(places[0] < places[1], "{message}");
            assert!(message.len() > places[1] + "; got ".len(), "{message}");
        }
        let outside = Fault::Outside { directories: vec!["/a".into(), "/b".into()] };
        assert!(outside.to_string().contains("below /a or /b;"), "{outside}");
    }

    #[test]
    fn what_others_said_is_quoted_shortly_and_on_one_line() {
        assert_eq!(quoted("a\r\nb"), "a??b");
        assert_eq!(quoted(&"ä".repeat(1000)).chars().count(), QUOTED_CHARS_MAX);
    }
}
