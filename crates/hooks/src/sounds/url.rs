//! Which sound a text means, and how far it is trusted.
//!
//! Two questions are decided here, once: may it be any file, and may its host be private. Both
//! follow from who wrote the text, so they are part of what the sound is kept under. Fetches
//! nothing.

use std::path::{Path, PathBuf};

use reqwest::Url;
use verbs::Hook;

use super::fault::{Fault, SoundFailure, quoted};
use crate::error::shown;
use crate::resolve::{resolve_url, same_origin};

/// Longest URL or path of a sound, in bytes.
pub const URL_BYTES_MAX: usize = 8192;

const EXPECTED: &str = "an http or https URL, or file:///PATH";

/// What cannot be shown, because it is no URL and may hold anything.
const UNSHOWN: &str = "(no URL)";

/// Where a sound comes from. Equal ones are the same sound, kept once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Http {
        url: Url,
        /// Its host may be private.
        trusted: bool,
    },
    File {
        path: PathBuf,
        /// It need not lie below one of the directories that are open to applications.
        anywhere: bool,
    },
}

impl Source {
    /// Bytes of memory, about.
    pub(super) fn weight(&self) -> usize {
        match self {
            Source::Http { url, .. } => url.as_str().len(),
            Source::File { path, .. } => path.as_os_str().len(),
        }
    }
}

/// A sound that somebody named. `Debug` and [`SoundUrl::shown`] have no credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct SoundUrl {
    pub(super) source: Source,
    shown: String,
}

impl std::fmt::Debug for SoundUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SoundUrl").field(&self.shown).finish()
    }
}

impl SoundUrl {
    /// A sound that the operator named, in the configuration or in a list of verbs beside it: any
    /// http or https URL, `file:///PATH`, or a path, which is relative to `directory`.
    ///
    /// # Errors
    /// It is empty, too long, or a URL of another kind.
    pub fn configured(written: &str, directory: &Path) -> Result<SoundUrl, SoundFailure> {
        check_length(written)?;
        if let Some(path) = file_path(written)? {
            return Ok(SoundUrl::file(path, true));
        }
        if !written.contains("://") {
            return Ok(SoundUrl::file(directory.join(written), true));
        }
        SoundUrl::http(written, |_| true)
    }

    /// A sound that an application named, where `application` is the configured hook the
    /// application is asked at: an http or https URL, a relative one on the origin of that hook,
    /// or `file:///PATH` below a directory that is open to applications.
    ///
    /// Only the origin of the hook is trusted with a private address.
    ///
    /// # Errors
    /// It is empty, too long, a URL of another kind, or relative without an application hook.
    pub fn named_by_application(
        written: &str,
        application: Option<&Hook>,
    ) -> Result<SoundUrl, SoundFailure> {
        check_length(written)?;
        if let Some(path) = file_path(written)? {
            return Ok(SoundUrl::file(path, false));
        }
        let base = application.map_or("", |application| application.url.as_str());
        let url = resolve_url(base, written).map_err(|error| {
            let fault = Fault::Url { expected: error.expected, got: quoted(&error.what) };
            SoundFailure::new(UNSHOWN, &fault)
        })?;
        SoundUrl::http(&url, |url| same_origin(base, url.as_str()))
    }

    /// The file that it names, if it names one.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File { path, .. } => Some(path),
            Source::Http { .. } => None,
        }
    }

    /// Without user, password, query and fragment.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    fn file(path: PathBuf, anywhere: bool) -> SoundUrl {
        let shown = quoted(&path.display().to_string());
        SoundUrl { source: Source::File { path, anywhere }, shown }
    }

    fn http(text: &str, trusted: impl Fn(&Url) -> bool) -> Result<SoundUrl, SoundFailure> {
        let refused =
            |got| Err(SoundFailure::new(UNSHOWN, &Fault::Url { expected: EXPECTED, got }));
        let mut url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            Ok(url) => return refused(format!("scheme `{}`", quoted(url.scheme()))),
            Err(error) => return refused(error.to_string()),
        };
        // why: it is never sent, so two that differ in it alone are the same sound.
        url.set_fragment(None);
        let (trusted, shown) = (trusted(&url), quoted(&shown(&url)));
        Ok(SoundUrl { source: Source::Http { url, trusted }, shown })
    }
}

fn check_length(written: &str) -> Result<(), SoundFailure> {
    let (limit, got) = (URL_BYTES_MAX, written.len());
    if got > limit {
        return Err(SoundFailure::new(UNSHOWN, &Fault::UrlTooLong { limit, got }));
    }
    if written.trim().is_empty() {
        let fault = Fault::Url { expected: EXPECTED, got: "nothing".to_owned() };
        return Err(SoundFailure::new(UNSHOWN, &fault));
    }
    Ok(())
}

/// The path of a `file:` URL (RFC 8089 §2), nothing of any other text.
fn file_path(written: &str) -> Result<Option<PathBuf>, SoundFailure> {
    let is_file = written.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    if !is_file {
        return Ok(None);
    }
    let path = Url::parse(written).ok().and_then(|url| url.to_file_path().ok());
    path.map(Some).ok_or_else(|| {
        let got = "a file: URL with another host, or without a path".to_owned();
        SoundFailure::new(UNSHOWN, &Fault::Url { expected: "file:///PATH", got })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(url: &str, trusted: bool) -> Source {
        Source::Http { url: Url::parse(url).expect("a URL"), trusted }
    }

    fn file(path: &str, anywhere: bool) -> Source {
        Source::File { path: path.into(), anywhere }
    }

    #[test]
    fn what_the_operator_wrote_is_trusted() {
        let rows = [
            ("http://10.0.0.1/a.wav#x", http("http://10.0.0.1/a.wav", true)),
            ("HTTPS://h/a.wav", http("https://h/a.wav", true)),
            ("file:///var/a%20b.wav", file("/var/a b.wav", true)),
            ("FILE://localhost/a.wav", file("/a.wav", true)),
            ("/var/a.wav", file("/var/a.wav", true)),
            ("sounds/a.wav", file("/etc/switchhook/sounds/a.wav", true)),
        ];
        for (written, source) in rows {
            let url = SoundUrl::configured(written, Path::new("/etc/switchhook")).expect(written);
            assert_eq!(url.source, source, "{written}");
        }
    }

    #[test]
    fn what_an_application_wrote_is_trusted_at_its_own_origin_alone() {
        let hook = Hook::post("http://10.0.0.1:9000/incoming?tenant=1");
        let rows = [
            ("/a.wav", http("http://10.0.0.1:9000/a.wav", true)),
            ("a.wav", http("http://10.0.0.1:9000/a.wav", true)),
            ("http://10.0.0.1:9000/a.wav", http("http://10.0.0.1:9000/a.wav", true)),
            ("http://10.0.0.1:9001/a.wav", http("http://10.0.0.1:9001/a.wav", false)),
            ("https://10.0.0.1:9000/a.wav", http("https://10.0.0.1:9000/a.wav", false)),
            (
                "//evil.example.com/a.wav",
                http("http://10.0.0.1:9000//evil.example.com/a.wav", true),
            ),
            ("file:///var/a.wav", file("/var/a.wav", false)),
            ("file:///var/../etc/passwd", file("/etc/passwd", false)),
        ];
        for (written, source) in rows {
            let url = SoundUrl::named_by_application(written, Some(&hook)).expect(written);
            assert_eq!(url.source, source, "{written}");
        }
    }

    #[test]
    fn what_is_no_sound_says_why() {
        let long = format!("http://h/{}", "x".repeat(URL_BYTES_MAX));
        let rows = [
            ("", "got nothing"),
            (" ", "got nothing"),
            ("ws://u:secret@h/a.wav", "got scheme `ws`"),
            ("http://u:secret@:80/", "got empty host"),
            ("file://server/a.wav", "got a file: URL with another host"),
            (long.as_str(), "expected at most 8192 bytes; got 8201"),
        ];
        for (written, text) in rows {
            for failure in [
                SoundUrl::configured(written, Path::new("/")).expect_err(written),
                SoundUrl::named_by_application(written, None).expect_err(written),
            ] {
                assert!(failure.message.contains(text), "{failure}");
                assert!(!failure.message.contains("secret"), "{failure}");
            }
        }
        let relative = SoundUrl::named_by_application("a.wav", None).expect_err("no origin");
        assert!(relative.message.contains("relative URL without an origin"), "{relative}");
    }

    #[test]
    fn credentials_and_queries_are_never_shown() {
        let written = "https://user:secret@h:8443/a.wav?token=secret#secret";
        let url = SoundUrl::named_by_application(written, None).expect("a URL");
        assert_eq!(url.shown(), "https://h:8443/a.wav");
        assert!(!format!("{url:?}").contains("secret"));
    }
}
