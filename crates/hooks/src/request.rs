//! What is asked of an application: where, how, with which credentials, and the payload.
//!
//! Decides the three things that depend on who named the URL: what a relative hook resolves on,
//! whose credentials go along, and whether the host may be private. Sends nothing.

use std::fmt;

use reqwest::Url;
use serde_json::Value;
use verbs::{Hook, HookMethod};

use crate::resolve::{UrlError, resolve_url, same_origin};

/// Text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// One request to an application.
#[derive(Clone, Debug)]
pub struct Request {
    /// Absolute http or https URL. A fragment is kept here and never sent.
    pub url: String,
    /// POST sends `body` as it is, GET sends its members as a query.
    pub method: HookMethod,
    /// User of basic authentication.
    pub username: Option<String>,
    /// Password of basic authentication, empty when only a user is given.
    pub password: Option<Secret>,
    /// The payload, a JSON object as text.
    pub body: String,
    /// The URL was given by the operator, so it may point to a private address.
    pub trusted: bool,
}

impl Request {
    /// A request to a hook of the configuration file: trusted, with its own credentials.
    ///
    /// # Errors
    /// The URL is relative or none.
    pub fn configured(hook: &Hook, body: String) -> Result<Request, UrlError> {
        Request::named_by_application(hook, Some(hook), body)
    }

    /// A request to a hook that an application named, where `application` is the configured hook
    /// the application is asked at. A relative URL is resolved on the origin of that one.
    ///
    /// The hook's own credentials go first; the application's go along only to its own origin,
    /// and only that origin is trusted with a private address.
    ///
    /// # Errors
    /// The URL is relative without an application hook, or no URL.
    pub fn named_by_application(
        hook: &Hook,
        application: Option<&Hook>,
        body: String,
    ) -> Result<Request, UrlError> {
        let base = application.map_or("", |application| application.url.as_str());
        let url = resolve_url(base, &hook.url)?;
        let home = application.filter(|application| same_origin(&application.url, &url));
        let owner = if hook.username.is_some() { Some(hook) } else { home };
        Ok(Request {
            method: hook.method,
            username: owner.and_then(|owner| owner.username.clone()),
            password: owner.and_then(|owner| owner.password.clone()).map(Secret),
            trusted: home.is_some(),
            url,
            body,
        })
    }

    /// The text that a GET adds to the query: each member of the payload but `sip`, nested
    /// values as JSON text, `null` left out.
    pub(crate) fn add_query(&self, url: &mut Url) {
        let Ok(Value::Object(members)) = serde_json::from_str(&self.body) else { return };
        let given = members.iter().filter(|(name, value)| *name != "sip" && !value.is_null());
        let mut query = url.query_pairs_mut();
        for (name, value) in given {
            match value {
                Value::String(text) => query.append_pair(name, text),
                value => query.append_pair(name, &value.to_string()),
            };
        }
    }
}
