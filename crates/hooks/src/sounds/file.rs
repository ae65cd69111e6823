//! Sounds in files of this machine: which path may be read, and whether it has changed.
//!
//! A path that an application named must lie below one of the open directories, before and after
//! links are followed. It is looked at in that order, so that an answer never tells whether a
//! file elsewhere exists. Everything here blocks; the caller has a thread for it.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::fault::Fault;

/// What a file is told apart from an earlier state of itself by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: SystemTime,
    length: u64,
}

/// What was found at a path.
#[derive(Debug)]
pub(super) enum Found {
    /// The stamp is the one that was known.
    Unchanged,
    /// The content, and its stamp.
    Content(Vec<u8>, Stamp),
}

/// Reads `path`, unless it is as `known` says. With `open_to_applications`, only below one of
/// these directories.
pub(super) fn read(
    path: &Path,
    open_to_applications: Option<&[PathBuf]>,
    known: Option<&Stamp>,
    limit: u64,
) -> Result<Found, Fault> {
    let path = match open_to_applications {
        Some(directories) => below(path, directories)?,
        None => path.to_owned(),
    };
    // why: before it is opened, because opening a pipe waits for somebody to write.
    check(&path.metadata().map_err(unreadable)?, limit)?;
    let mut file = File::open(&path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let stamp = check(&metadata, limit)?;
    if known == Some(&stamp) {
        return Ok(Found::Unchanged);
    }
    let mut content = Vec::new();
    file.by_ref().take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > limit {
        return Err(Fault::TooLarge { limit, got: None });
    }
    Ok(Found::Content(content, stamp))
}

fn check(metadata: &Metadata, limit: u64) -> Result<Stamp, Fault> {
    if metadata.is_dir() {
        return Err(Fault::NotAFile { got: "a directory" });
    }
    if !metadata.is_file() {
        return Err(Fault::NotAFile { got: "a pipe, a socket or a device" });
    }
    let length = metadata.len();
    if length > limit {
        return Err(Fault::TooLarge { limit, got: Some(length) });
    }
    Ok(Stamp { modified: metadata.modified().map_err(unreadable)?, length })
}

/// `path` without links, if it lies below one of `directories`.
fn below(path: &Path, directories: &[PathBuf]) -> Result<PathBuf, Fault> {
    if directories.is_empty() {
        return Err(Fault::NoDirectories);
    }
    let outside = || Fault::Outside { directories: directories.to_vec() };
    // why: at each read, because a directory may be a link that a deployment turns elsewhere.
    let real: Vec<PathBuf> =
        directories.iter().filter_map(|directory| directory.canonicalize().ok()).collect();
    let climbs = path.components().any(|part| part == Component::ParentDir);
    if climbs || !directories.iter().chain(&real).any(|directory| path.starts_with(directory)) {
        return Err(outside());
    }
    let path = path.canonicalize().map_err(unreadable)?;
    if real.iter().any(|directory| path.starts_with(directory)) { Ok(path) } else { Err(outside()) }
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err wants")]
fn unreadable(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Fault::NoFile,
        kind => Fault::Unreadable { got: kind.to_string() },
    }
}
