//! Asking a hook over HTTP: one request, one bounded answer.
//!
//! Two connection pools: one for URLs that the operator configured, one for URLs that an
//! application named, whose resolver refuses private addresses. No redirects, no proxy of the
//! environment, no cookies, no compression: what the application sent is what is read.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, Url, redirect};
use tokio::sync::watch;
use verbs::HookMethod;

use crate::error::{Failure, HookError, shown};
use crate::guard::{Guard, Private};
use crate::request::{Request, Secret};
use crate::retry::Retry;
use crate::signature::signature;

/// Longest wait for a complete answer, headers and body together.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest body of an answer, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;
/// jambonz: the User-Agent that applications may look for.
pub const USER_AGENT: &str = "jambonz";

/// Idle connections kept for each host.
const IDLE_PER_HOST_MAX: usize = 32;
/// How long an idle connection is kept; shorter than what servers usually allow, so that a
/// request seldom meets a connection that is being closed.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// What a [`Client`] goes by.
#[derive(Clone, Debug)]
pub struct Config {
    /// Headers and body of an answer must be complete within it; half of it is for connecting.
    /// Each attempt of a hook with retries has it anew.
    pub timeout: Duration,
    /// Longest body of an answer, in bytes.
    pub body_max: usize,
    /// The User-Agent header.
    pub user_agent: String,
    /// `[http] webhook_secret`: key of the `Jambonz-Signature` header, none without it.
    pub webhook_secret: Option<Secret>,
    /// `[http] allow_private`: networks that URLs of applications may point to besides public
    /// addresses.
    pub allow_private: Vec<IpNet>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            timeout: TOTAL_TIMEOUT,
            body_max: BODY_MAX,
            user_agent: USER_AGENT.to_owned(),
            webhook_secret: None,
            allow_private: Vec::new(),
        }
    }
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 200, 202 or 204.
    pub status: u16,
    /// The body, where it is not blank and its Content-Type contains `application/json`.
    pub json: Option<String>,
}

/// The HTTP client of the installation. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Client {
    config: Config,
    /// The key in force, which may change while requests are on their way.
    webhook_secret: watch::Sender<Option<Secret>>,
    guard: Guard,
    trusted: reqwest::Client,
    guarded: reqwest::Client,
}

impl Client {
    /// A client with no connection open. Installs aws-lc-rs as the process's provider of
    /// cryptography unless one is installed.
    ///
    /// Where the system has no root certificates the client is built all the same, with a
    /// warning in the log: http works and every https hook fails.
    ///
    /// # Panics
    /// The User-Agent holds a control character.
    pub fn new(config: Config) -> Client {
        // why: an error means that another one is installed already, which serves as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let guard = Guard::new(&config.allow_private);
        let (trusted, guarded) = (pool(&config, None), pool(&config, Some(&guard)));
        let (webhook_secret, _) = watch::channel(config.webhook_secret.clone());
        Client { config, webhook_secret, guard, trusted, guarded }
    }

    /// Signs every request that is sent from now on with another key, also those of the clones.
    pub fn set_webhook_secret(&self, secret: Option<Secret>) {
        self.webhook_secret.send_replace(secret);
    }

    /// Sends `request` and reads its answer.
    ///
    /// The fragment of the URL may ask for retries, `#rc=3&rp=ct,5xx`: see [`Config::timeout`]
    /// for the time that each attempt has.
    ///
    /// # Errors
    /// No connection, no complete answer in time, a status other than 200, 202 and 204, or a
    /// body that is too long or no text. The error's text is fit for a log and an alert.
    pub async fn ask(&self, request: &Request) -> Result<Reply, HookError> {
        let method = match request.method {
            HookMethod::Post => "POST",
            HookMethod::Get => "GET",
        };
        let url = match Url::parse(&request.url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            Ok(url) => {
                let failure = Failure::Url { got: format!("scheme `{}`", url.scheme()) };
                return Err(HookError { method, url: shown(&url), failure });
            }
            Err(error) => {
                let failure = Failure::Url { got: error.to_string() };
                return Err(HookError { method, url: "(no URL)".to_owned(), failure });
            }
        };
        let retry = Retry::of(&url);
        let mut pauses = retry.pauses();
        loop {
            let failure = match self.attempt(request, url.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            match pauses.next().filter(|_| retry.covers(&failure)) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(HookError { method, url: shown(&url), failure }),
            }
        }
    }

    async fn attempt(&self, request: &Request, url: Url) -> Result<Reply, Failure> {
        // why: one limit around resolving, connecting, headers and body, so that no slow part
        // escapes it.
        let limit = self.config.timeout;
        let answer = tokio::time::timeout(limit, self.exchange(request, url)).await;
        answer.unwrap_or(Err(Failure::Timeout { limit }))
    }

    async fn exchange(&self, request: &Request, mut url: Url) -> Result<Reply, Failure> {
        if !request.trusted {
            self.check_literal(&url)?;
        }
        let pool = if request.trusted { &self.trusted } else { &self.guarded };
        let (outgoing, signed) = match request.method {
            HookMethod::Post => {
                let post = pool.post(url).header(CONTENT_TYPE, "application/json");
                (post.body(request.body.clone()), request.body.clone())
            }
            HookMethod::Get => {
                request.add_query(&mut url);
                let signed = url.query().unwrap_or_default().to_owned();
                (pool.get(url), signed)
            }
        };
        let outgoing = match &request.username {
            Some(user) => outgoing.basic_auth(user, request.password.as_ref().map(|p| &p.0)),
            None => outgoing,
        };
        let secret = self.webhook_secret.borrow().clone();
        let outgoing = match &secret {
            Some(secret) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                outgoing.header("Jambonz-Signature", signature(secret, now.as_secs(), &signed))
            }
            None => outgoing,
        };
        let response = outgoing.send().await.map_err(network_failure)?;
        self.read(response).await
    }

    /// GETs `url`: one request, no redirection, the body not read yet.
    pub(crate) async fn get(
        &self,
        url: Url,
        trusted: bool,
        headers: HeaderMap,
    ) -> Result<Response, Failure> {
        if !trusted {
            self.check_literal(&url)?;
        }
        let pool = if trusted { &self.trusted } else { &self.guarded };
        pool.get(url).headers(headers).send().await.map_err(network_failure)
    }

    /// A host that is an IP literal never reaches the resolver.
    fn check_literal(&self, url: &Url) -> Result<(), Failure> {
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal.map(|address| self.guard.check(address)) {
            Ok(Err(Private(address))) => Err(Failure::Private { address }),
            _ => Ok(()),
        }
    }

    async fn read(&self, mut response: Response) -> Result<Reply, Failure> {
        let status = response.status().as_u16();
        if !matches!(status, 200 | 202 | 204) {
            return Err(Failure::Status { status });
        }
        let json = is_json(response.headers());
        let limit = self.config.body_max;
        let declared = response.content_length();
        if declared.is_some_and(|length| length > limit as u64) {
            return Err(Failure::TooLarge { limit, declared });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(network_failure)? {
            if body.len() + chunk.len() > limit {
                return Err(Failure::TooLarge { limit, declared: None });
            }
            body.extend_from_slice(&chunk);
        }
        if !json {
            return Ok(Reply { status, json: None });
        }
        let text = String::from_utf8(body)
            .map_err(|error| Failure::NotText { offset: error.utf8_error().valid_up_to() })?;
        let json = Some(text).filter(|text| !text.trim().is_empty());
        Ok(Reply { status, json })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().contains("application/json"))
}

fn pool(config: &Config, guard: Option<&Guard>) -> reqwest::Client {
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(&config.user_agent)
            .connect_timeout(config.timeout / 2)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .pool_idle_timeout(IDLE_MAX);
        match guard {
            Some(guard) => builder.dns_resolver(guard.clone()),
            None => builder,
        }
    };
    builder().build().unwrap_or_else(|error| {
        let error = root_cause(&error);
        tracing::warn!(%error, "no root certificates, https hooks will fail; install them");
        let without_roots = builder().tls_certs_only([]).build();
        without_roots.expect("a client without roots has nothing left that can fail to load")
    })
}

pub(crate) fn network_failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(Private(address)) = cause.downcast_ref() {
            return Failure::Private { address: *address };
        }
        source = cause.source();
    }
    Failure::Connection { got: root_cause(&error) }
}

/// The innermost error says most: "connection refused" rather than "error sending request".
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
