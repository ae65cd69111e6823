//! How long a sound counts as fresh, and what asks for news of it afterwards (RFC 9111, RFC 9110
//! §13), as far as a player needs it: no-store, no-cache, max-age, Age, ETag, Last-Modified.
//!
//! Not read: Expires, Vary (each request says the same) and s-maxage (nobody shares this cache).

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{
    AGE, CACHE_CONTROL, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};

/// Longest time a sound counts as fresh, whatever its server says.
pub const FRESH_MAX: Duration = Duration::from_secs(24 * 3600);

/// Longest ETag or Last-Modified that is kept, in bytes; a longer one is as good as none.
pub const VALIDATOR_BYTES_MAX: usize = 256;

/// What an answer says about being kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// It is not kept at all.
    Not,
    /// It is fresh for so long.
    For(Duration),
    /// Nothing.
    Unsaid,
}

/// What `headers` say about being kept.
pub(super) fn keep(headers: &HeaderMap) -> Keep {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives = values.flat_map(|value| value.split(',')).map(str::trim);
    let mut said = Keep::Unsaid;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let is = |word: &str| name.trim().eq_ignore_ascii_case(word);
        if is("no-store") {
            return Keep::Not;
        }
        let lifetime = if is("no-cache") {
            Duration::ZERO
        } else if is("max-age") {
            // RFC 9111 §4.2.1: what cannot be read is stale.
            seconds(value.trim().trim_matches('"')).saturating_sub(age(headers))
        } else {
            continue;
        };
        said = match said {
            Keep::For(shorter) if shorter <= lifetime => said,
            _ => Keep::For(lifetime.min(FRESH_MAX)),
        };
    }
    said
}

fn age(headers: &HeaderMap) -> Duration {
    let age = headers.get(AGE).and_then(|value| value.to_str().ok());
    age.map_or(Duration::ZERO, |age| seconds(age.trim()))
}

/// Delta seconds; nothing that can be read is zero, too many are very many (RFC 9111 §1.2.2).
fn seconds(text: &str) -> Duration {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Duration::ZERO;
    }
    Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX)))
}

fn validator(headers: &HeaderMap, name: HeaderName) -> Option<HeaderValue> {
    headers.get(name).filter(|value| value.len() <= VALIDATOR_BYTES_MAX).cloned()
}

/// What a server may be asked: whether the sound is still the one that it sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validators {
    /// The URL that sent it, at the end of all redirections.
    url: Url,
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    /// What its answer said; an answer that it has not changed may say it anew.
    pub(super) keep: Keep,
}

impl Validators {
    pub(super) fn of(url: &Url, headers: &HeaderMap) -> Validators {
        Validators {
            url: url.clone(),
            etag: validator(headers, ETAG),
            last_modified: validator(headers, LAST_MODIFIED),
            keep: keep(headers),
        }
    }

    /// There is something to ask with.
    pub(super) fn can_ask(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }

    /// The headers that ask `url`; none where another one sent the sound.
    pub(super) fn question(&self, url: &Url) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if *url != self.url {
            return headers;
        }
        if let Some(etag) = &self.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        if let Some(date) = &self.last_modified {
            headers.insert(IF_MODIFIED_SINCE, date.clone());
        }
        headers
    }

    /// These after an answer that the sound has not changed (RFC 9111 §4.3.4).
    pub(super) fn renewed(mut self, headers: &HeaderMap) -> Validators {
        self.etag = validator(headers, ETAG).or(self.etag);
        self.last_modified = validator(headers, LAST_MODIFIED).or(self.last_modified);
        match keep(headers) {
            Keep::Unsaid => {}
            said => self.keep = said,
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(*name, value.parse().expect("a header"));
        }
        headers
    }

    #[test]
    fn what_an_answer_says_about_being_kept() {
        let lasting = |seconds| Keep::For(Duration::from_secs(seconds));
        let rows: [(&[&str], Keep); 12] = [
            (&[], Keep::Unsaid),
            (&["public, must-revalidate"], Keep::Unsaid),
            (&["max-age=90"], lasting(90)),
            (&["public, Max-Age = \"90\""], lasting(90)),
            (&["max-age=90", "no-store"], Keep::Not),
            (&["no-cache, max-age=90"], lasting(0)),
            (&["max-age=90, max-age=60"], lasting(60)),
            (&["max-age=-1"], lasting(0)),
            (&["max-age"], lasting(0)),
            (&["max-age=99999999999999999999999"], Keep::For(FRESH_MAX)),
            (&["s-maxage=5, x-max-age=4"], Keep::Unsaid),
            (&["NO-STORE"], Keep::Not),
        ];
        for (values, expected) in rows {
            let values: Vec<_> = values.iter().map(|value| ("cache-control", *value)).collect();
            assert_eq!(keep(&headers(&values)), expected, "{values:?}");
        }
        let old = headers(&[("cache-control", "max-age=90"), ("age", "60")]);
        assert_eq!(keep(&old), lasting(30));
    }

    #[test]
    fn only_the_url_that_sent_it_is_asked_for_news() {
        let url = |text| Url::parse(text).expect("a URL");
        let sent =
            headers(&[("etag", "\"1\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]);
        let validators = Validators::of(&url("http://h/a"), &sent);
        assert!(validators.can_ask());
        let question = validators.question(&url("http://h/a"));
        assert_eq!(question.get(IF_NONE_MATCH).expect("asked"), "\"1\"");
        assert!(question.contains_key(IF_MODIFIED_SINCE));
        assert!(validators.question(&url("http://h/b")).is_empty());
        assert!(!Validators::of(&url("http://h/a"), &HeaderMap::new()).can_ask());
    }

    #[test]
    fn what_has_not_changed_keeps_what_was_said_unless_it_is_said_anew() {
        let url = Url::parse("http://h/a").expect("a URL");
        let sent = headers(&[("etag", "\"1\""), ("cache-control", "max-age=5")]);
        let before = Validators::of(&url, &sent);
        assert_eq!(before.clone().renewed(&HeaderMap::new()), before);
        let anew = before.renewed(&headers(&[("cache-control", "no-store"), ("etag", "\"2\"")]));
        assert_eq!(anew.keep, Keep::Not);
        assert_eq!(anew.question(&url).get(IF_NONE_MATCH).expect("asked"), "\"2\"");
    }
}
