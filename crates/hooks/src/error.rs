//! Why a hook gave no answer: one enum, one sentence for each, and the alert each one raises.
//!
//! The sentence names the request without its query and without credentials, because alerts and
//! logs are read by more people than may know either.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

/// A request that brought no usable answer. Its text is `POST http://…: what; expected …; got …`
/// followed by what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{method} {url}: {failure}")]
pub struct HookError {
    /// `POST` or `GET`.
    pub method: &'static str,
    /// The URL without user, password, query and fragment.
    pub url: String,
    /// What went wrong.
    pub failure: Failure,
}

/// What went wrong with a hook.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Failure {
    /// The URL cannot be asked at all.
    #[error(
        "cannot be asked; expected an absolute http or https URL; got {got}; correct the hook's url"
    )]
    Url {
        /// The scheme, or what the URL parser said.
        got: String,
    },
    /// An application named a host that is not public and not in `[http] allow_private`.
    #[error(
        "the host is not public; expected a public address or one of [http] allow_private; \
         got {address}; add its network there if the application is to be trusted with it"
    )]
    Private {
        /// The address the host stands for.
        address: IpAddr,
    },
    /// No complete answer in time, headers and body together.
    #[error(
        "no answer in time; expected a complete answer within {} s; got none; \
         answer at once and do slow work afterwards",
        limit.as_secs_f64()
    )]
    Timeout {
        /// [`crate::Config::timeout`].
        limit: Duration,
    },
    /// The name did not resolve, nobody listens, TLS failed, or the connection broke.
    #[error(
        "no connection; expected an HTTP server; got {got}; \
         check that the application runs and that the URL reaches it from here"
    )]
    Connection {
        /// What the network said.
        got: String,
    },
    /// A status other than 200, 202 and 204.
    #[error("wrong status; expected 200, 202 or 204; got {status}; {}", status_remedy(*status))]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The body is longer than [`crate::Config::body_max`].
    #[error(
        "the answer is too long; expected at most {limit} bytes; got {}; send a shorter list",
        declared.map_or_else(|| "more".to_owned(), |length| length.to_string())
    )]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
        /// Content-Length, where the server gave one.
        declared: Option<u64>,
    },
    /// The body is no UTF-8.
    #[error(
        "the answer is no text; expected JSON in UTF-8; got a wrong byte at offset {offset}; \
         encode the answer as UTF-8"
    )]
    NotText {
        /// Offset of the first wrong byte.
        offset: usize,
    },
}

fn status_remedy(status: u16) -> &'static str {
    match status {
        300..=399 => "redirects are not followed, give the final URL",
        401 | 403 => "check username and password of the hook",
        404 => "check the path of the hook's url",
        405 => "check the method of the hook",
        500..=599 => "the application failed, look into its log",
        _ => "answer 200 with a JSON list of verbs",
    }
}

impl HookError {
    /// The `alert_type` of the alert that this failure raises.
    pub fn alert_type(&self) -> &'static str {
        match self.failure {
            Failure::Timeout { .. } | Failure::Connection { .. } => "webhook-connection-failure",
            Failure::Status { status: 401 | 403 } => "webhook-auth-failure",
            Failure::Status { status: 404 } => "webhook-url-notfound",
            _ => "webhook-failure",
        }
    }
}

/// `url` as it may be shown: without user, password, query and fragment.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}
