//! Which URL a hook means, and whether two URLs are of one origin.

use reqwest::Url;

/// A hook whose URL means nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("hook `{hook}`: {what}; expected {expected}")]
pub struct UrlError {
    /// The hook as it was written.
    pub hook: String,
    /// What is wrong with it.
    pub what: String,
    /// What would have been right.
    pub expected: &'static str,
}

/// The URL that `hook` means to an application asked at `base`.
///
/// An absolute URL (http, https, ws, wss) stays what it is. `/path` and a bare `name` are taken
/// on scheme, host and port of `base`, whose own path plays no part; `//host` is a path too, so
/// that a relative hook never leaves the origin. `base` may be empty where nothing relative is
/// expected.
///
/// # Errors
/// `hook` is empty, has a scheme that is none of the four, or is no URL; or it is relative and
/// `base` is no absolute URL.
pub fn resolve_url(base: &str, hook: &str) -> Result<String, UrlError> {
    let fault = |what: String, expected| UrlError { hook: hook.to_owned(), what, expected };
    if hook.trim().is_empty() {
        return Err(fault("empty URL".to_owned(), "a URL, a /path or a name"));
    }
    if hook.contains("://") && !hook.starts_with(['/', '?']) {
        return match Url::parse(hook) {
            Ok(url) if matches!(url.scheme(), "http" | "https" | "ws" | "wss") => Ok(url.into()),
            Ok(url) => Err(fault(format!("scheme `{}`", url.scheme()), "http, https, ws or wss")),
            Err(error) => Err(fault(error.to_string(), "an absolute http or https URL")),
        };
    }
    let origin = Url::parse(base)
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| {
            let what = "relative URL without an origin".to_owned();
            fault(what, "an absolute URL, or an application with a call_hook")
        })?
        .origin()
        .ascii_serialization();
    let slash = if hook.starts_with('/') { "" } else { "/" };
    let url = Url::parse(&format!("{origin}{slash}{hook}"))
        .map_err(|error| fault(error.to_string(), "a URL, a /path or a name"))?;
    Ok(url.into())
}

/// Both are absolute URLs with the same scheme, host and port.
pub fn same_origin(first: &str, second: &str) -> bool {
    let (Ok(first), Ok(second)) = (Url::parse(first), Url::parse(second)) else { return false };
    first.has_host() && first.origin() == second.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_means_one_url() {
        let base = "https://app.example.com:8443/incoming?tenant=1";
        let rows = [
            ("/dial", "https://app.example.com:8443/dial"),
            ("dial", "https://app.example.com:8443/dial"),
            ("dial?leg=1", "https://app.example.com:8443/dial?leg=1"),
            ("?again", "https://app.example.com:8443/?again"),
            ("//evil.example.com/x", "https://app.example.com:8443//evil.example.com/x"),
            ("/next?to=http://x", "https://app.example.com:8443/next?to=http://x"),
            ("http://other.example.com/x", "http://other.example.com/x"),
            ("wss://other.example.com/x", "wss://other.example.com/x"),
        ];
        for (hook, url) in rows {
            assert_eq!(resolve_url(base, hook).as_deref(), Ok(url), "{hook}");
        }
    }

    #[test]
    fn a_hook_without_meaning_says_why() {
        let rows = [
            ("", "/dial", "hook `/dial`: relative URL without an origin; expected an absolute URL"),
            ("http://h/", "", "hook ``: empty URL"),
            ("http://h/", "file:///etc/passwd", "hook `file:///etc/passwd`: scheme `file`"),
            ("http://h/", "http://", "hook `http://`: empty host"),
        ];
        for (base, hook, text) in rows {
            let error = resolve_url(base, hook).expect_err(hook).to_string();
            assert!(error.starts_with(text), "{error}");
        }
    }

    #[test]
    fn origin_is_scheme_host_and_port() {
        assert!(same_origin("http://h/a", "http://h:80/b?c"));
        assert!(!same_origin("http://h/a", "https://h/a"));
        assert!(!same_origin("http://h/a", "http://h:81/a"));
        assert!(!same_origin("/a", "/a"));
    }
}
