//! Sounds of HTTP servers: redirections, what is accepted, how much is read.
//!
//! A redirection is followed like a URL that the server named: each one passes the guard again,
//! and what was trusted is so no longer once another origin has had a say. The time for the whole
//! is the caller's business, the time to each head is kept here.

use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Response, Url};

use super::fault::{Fault, quoted};
use super::freshness::Validators;
use crate::client::{Client, network_failure};
use crate::error::shown;

/// Redirections that are followed for one sound.
pub const REDIRECTIONS_MAX: usize = 3;

/// How an answer is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Time to the head of each answer.
    pub(super) head_timeout: Duration,
    /// Bytes of the body.
    pub(super) size: u64,
}

/// What a server said.
#[derive(Debug)]
pub(super) enum Got {
    /// The sound that it sent before is still the one.
    Unchanged(Validators),
    /// This.
    Content(Vec<u8>, Validators),
}

/// A sound that was had, and what follows from how it was had.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) got: Got,
    /// A redirection led to it.
    pub(super) redirected: bool,
}

/// Fetches `url`, or learns that what was `known` has not changed.
pub(super) async fn fetch(
    client: &Client,
    url: &Url,
    mut trusted: bool,
    known: Option<&Validators>,
    bounds: Bounds,
) -> Result<Fetched, Fault> {
    let mut url = url.clone();
    for redirections in 0..=REDIRECTIONS_MAX {
        let question = known.map_or_else(HeaderMap::new, |known| known.question(&url));
        let answer = client.get(url.clone(), trusted, question.clone());
        let limit = bounds.head_timeout;
        let answer = tokio::time::timeout(limit, answer).await;
        let response = answer.map_err(|_| Fault::NoAnswer { limit })??;
        let redirected = redirections > 0;
        match (response.status().as_u16(), known) {
            (200, _) => {
                let validators = Validators::of(&url, response.headers());
                let content = content(response, bounds.size).await?;
                return Ok(Fetched { got: Got::Content(content, validators), redirected });
            }
            (304, Some(known)) if !question.is_empty() => {
                let got = Got::Unchanged(known.clone().renewed(response.headers()));
                return Ok(Fetched { got, redirected });
            }
            (301 | 302 | 303 | 307 | 308, _) => {
                let next = next(&url, response.headers())?;
                trusted = trusted && next.origin() == url.origin();
                url = next;
            }
            (status, _) => return Err(Fault::Status { status }),
        }
    }
    Err(Fault::Redirections { limit: REDIRECTIONS_MAX })
}

/// Where a redirection leads.
fn next(url: &Url, headers: &HeaderMap) -> Result<Url, Fault> {
    let refused = |got: &str| Fault::Redirected { got: got.to_owned() };
    let location = headers.get(LOCATION).ok_or_else(|| refused("no Location"))?;
    let location = location.to_str().map_err(|_| refused("a Location that is no text"))?;
    let next = url.join(location).map_err(|error| refused(&error.to_string()))?;
    match (url.scheme(), next.scheme()) {
        ("http", "http" | "https") | ("https", "https") => Ok(next),
        _ => Err(refused(&quoted(&shown(&next)))),
    }
}

/// The body of an answer that may be a sound.
async fn content(mut response: Response, limit: u64) -> Result<Vec<u8>, Fault> {
    let header = |name: HeaderName| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.trim().to_ascii_lowercase())
    };
    if let Some(got) = header(CONTENT_TYPE).filter(|kind| is_no_audio(kind)) {
        return Err(Fault::NotAudio { got: quoted(&got) });
    }
    if let Some(got) = header(CONTENT_ENCODING).filter(|encoding| encoding != "identity") {
        return Err(Fault::Encoded { got: quoted(&got) });
    }
    let declared = response.content_length();
    if declared.is_some_and(|length| length > limit) {
        return Err(Fault::TooLarge { limit, got: declared });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(network_failure)? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(Fault::TooLarge { limit, got: None });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What servers send in place of a file that is not there. Anything else may be a sound with a
/// wrong type, which the content itself tells.
fn is_no_audio(content_type: &str) -> bool {
    ["text/", "application/json", "application/xml", "application/xhtml", "image/", "multipart/"]
        .iter()
        .any(|prefix| content_type.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirection_keeps_to_http_and_never_leaves_https() {
        let rows = [
            ("http://h/a/b", "c", Ok("http://h/a/c")),
            ("http://h/a", "https://i/c", Ok("https://i/c")),
            ("https://h/a", "//i/c", Ok("https://i/c")),
            ("https://h/a", "http://h/c?token=secret", Err("got http://h/c;")),
            ("http://h/a", "file:///etc/passwd", Err("got file:///etc/passwd;")),
            ("http://h/a", "http://", Err("got empty host;")),
        ];
        for (from, location, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().expect("a header"));
            let to = next(&Url::parse(from).expect("a URL"), &headers);
            match (to, expected) {
                (Ok(to), Ok(expected)) => assert_eq!(to.as_str(), expected),
                (Err(fault), Err(expected)) => {
                    let text = fault.to_string();
                    assert!(text.contains(expected) && !text.contains("secret"), "{text}");
                }
                (to, _) => panic!("{from} {location}: {to:?}"),
            }
        }
    }
}
