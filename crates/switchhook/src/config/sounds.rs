//! `[media] sounds` and `hold_music`: where sounds may lie, and the one that the operator names.
//!
//! What a file holds is not looked at here; that it is there is, so that no call is the first to
//! miss it.

use std::io;
use std::path::{Path, PathBuf};

use hooks::sounds::SoundUrl;

use super::application::has_credentials;
use super::reader::Entry;

const DIRECTORY: &str = "a directory, its path relative to this file";
const SOUND: &str = "an http or https URL, or the path of a WAV file relative to this file";

/// The directories below which applications may name files, as absolute paths.
pub(super) fn directories(entry: &Entry<'_>, directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in entry.elements() {
        let Some(text) = entry.text() else { continue };
        let path = directory.join(text);
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                found.extend(absolute(&entry, &path, DIRECTORY));
            }
            Ok(_) => entry.fault("not a directory", DIRECTORY),
            Err(error) => unreadable(&entry, "directory", &error, DIRECTORY),
        }
    }
    found
}

/// A URL as it was written, or the absolute path of a file.
pub(super) fn hold_music(entry: &Entry<'_>, directory: &Path) -> Option<String> {
    let written = entry.text()?;
    if has_credentials(written) {
        // why: a URL is shown in logs and alerts, a password is not.
        entry.redacted().fault("credentials in the URL", "a URL that needs none");
        return None;
    }
    let Ok(url) = SoundUrl::configured(written, directory) else {
        entry.fault("not a sound", SOUND);
        return None;
    };
    match url.path().map(|path| (path, path.metadata())) {
        None => Some(written.to_owned()),
        Some((path, Ok(metadata))) if metadata.is_file() => {
            let path = absolute(entry, path, SOUND)?;
            let text = path.into_os_string().into_string();
            text.map_err(|_| entry.fault("the path is no text", SOUND)).ok()
        }
        Some((_, Ok(_))) => {
            entry.fault("not a file", SOUND);
            None
        }
        Some((_, Err(error))) => {
            unreadable(entry, "file", &error, SOUND);
            None
        }
    }
}

fn absolute(entry: &Entry<'_>, path: &Path, expected: &str) -> Option<PathBuf> {
    let absolute = std::path::absolute(path);
    absolute.map_err(|error| unreadable(entry, "path", &error, expected)).ok()
}

fn unreadable(entry: &Entry<'_>, what: &str, error: &io::Error, expected: &str) {
    entry.fault(&format!("the {what} cannot be read: {error}"), expected);
}
