//! Sounds in files: which may be read, by whom, and that a change is noticed.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use futures_util::future::join_all;
use hooks::Config;
use hooks::sounds::{Limits, SoundUrl, Sounds};

use crate::sound_server::{Decoded, MOST_AT_ONCE, content, failure, named, sounds_of};

/// An empty directory of that name, with `open/a.wav` and `closed/a.wav` in it.
fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).expect("removed");
    }
    for part in ["open", "closed"] {
        std::fs::create_dir_all(directory.join(part)).expect("a directory");
        std::fs::write(directory.join(part).join("a.wav"), format!("RIFF {part}"))
            .expect("written");
    }
    directory.canonicalize().expect("it is there")
}

fn sounds(directories: &[PathBuf]) -> Sounds<Decoded> {
    let limits = Limits { failure_kept: std::time::Duration::ZERO, ..Limits::default() };
    sounds_of(Config::default(), directories.to_vec(), limits)
}

/// The path as an application names it, its last part as it is written.
fn file_url(directory: &Path, rest: &str) -> SoundUrl {
    named(&format!("file://{}/{rest}", directory.display()))
}

#[tokio::test]
async fn the_operator_may_name_any_file() {
    let directory = scratch("operator_any_file");
    let sounds = sounds(&[]);
    for written in [
        "closed/a.wav".to_owned(),
        "open/../closed/a.wav".to_owned(),
        format!("{}/closed/a.wav", directory.display()),
        format!("file://{}/closed/a.wav", directory.display()),
    ] {
        let url = SoundUrl::configured(&written, &directory).expect("a path");
        assert_eq!(content(&sounds, &url).await.as_slice(), b"RIFF closed", "{written}");
    }
}

#[tokio::test]
async fn an_application_may_name_files_below_the_open_directories() {
    let directory = scratch("open_directories");
    let open = directory.join("open");
    std::fs::create_dir(open.join("deep er")).expect("a directory");
    std::fs::write(open.join("deep er/b.wav"), "RIFF deep").expect("written");
    symlink(open.join("a.wav"), open.join("link.wav")).expect("a link");
    symlink(&open, directory.join("current")).expect("a link");
    let sounds = sounds(&[PathBuf::from("/nowhere"), directory.join("current")]);
    for (base, rest, expected) in [
        ("open", "a.wav", "RIFF open"),
        ("open", "deep%20er/b.wav", "RIFF deep"),
        ("open", "link.wav", "RIFF open"),
        ("current", "a.wav", "RIFF open"),
    ] {
        let url = file_url(&directory.join(base), rest);
        assert_eq!(content(&sounds, &url).await.as_slice(), expected.as_bytes(), "{base} {rest}");
    }
}

#[tokio::test]
async fn an_application_gets_out_of_the_open_directories_by_no_way() {
    let directory = scratch("no_way_out");
    let open = directory.join("open");
    symlink(directory.join("closed"), open.join("away")).expect("a link");
    symlink(directory.join("closed/a.wav"), open.join("away.wav")).expect("a link");
    std::fs::create_dir(directory.join("openly")).expect("a directory");
    std::fs::write(directory.join("openly/a.wav"), "RIFF").expect("written");
    let sounds = sounds(std::slice::from_ref(&open));
    let outside = format!("expected a file below {};", open.display());
    for (base, rest) in [
        ("closed", "a.wav"),
        ("closed", "none.wav"),
        ("openly", "a.wav"),
        ("open", "../closed/a.wav"),
        ("open", "%2e%2e/closed/a.wav"),
        ("open", "..%2Fclosed%2Fa.wav"),
        ("open", "..%2Fclosed%2Fnone.wav"),
        ("open", "away/a.wav"),
        ("open", "away.wav"),
    ] {
        let text = failure(&sounds, &file_url(&directory.join(base), rest)).await;
        assert!(text.contains(&outside), "{base} {rest}: {text}");
    }
    let text = failure(&sounds, &named("file:///etc/passwd")).await;
    assert!(text.starts_with("sound /etc/passwd: not in a directory that is open"), "{text}");
}

#[tokio::test]
async fn without_an_open_directory_an_application_reads_no_file() {
    let directory = scratch("no_directory");
    let sounds = sounds(&[]);
    // Not even one that the operator's list has just read.
    let operators = SoundUrl::configured("open/a.wav", &directory).expect("a path");
    content(&sounds, &operators).await;
    let text = failure(&sounds, &file_url(&directory, "open/a.wav")).await;
    assert!(text.contains("name the file's directory in [media] sounds"), "{text}");
}

#[tokio::test]
async fn a_file_is_read_again_only_when_it_has_changed() {
    let directory = scratch("changed_file");
    let sounds = sounds(&[]);
    let url = SoundUrl::configured("open/a.wav", &directory).expect("a path");
    let first = content(&sounds, &url).await;
    let again = content(&sounds, &url).await;
    assert!(Arc::ptr_eq(&first, &again));
    std::fs::write(directory.join("open/a.wav"), "RIFF longer than before").expect("written");
    assert_eq!(content(&sounds, &url).await.as_slice(), b"RIFF longer than before");
    std::fs::remove_file(directory.join("open/a.wav")).expect("removed");
    let text = failure(&sounds, &url).await;
    assert!(text.contains("/open/a.wav: no such file; expected a WAV file; got none"), "{text}");
}

#[tokio::test]
async fn files_are_read_and_decoded_in_turns() {
    let directory = scratch("in_turns");
    let limits = Limits { reads: 1, ..Limits::default() };
    let sounds = sounds_of(Config::default(), Vec::new(), limits);
    let urls: Vec<SoundUrl> = (0..5)
        .map(|number| {
            let name = format!("{number}.wav");
            std::fs::write(directory.join(&name), "RIFF slow").expect("written");
            SoundUrl::configured(&name, &directory).expect("a path")
        })
        .collect();
    join_all(urls.iter().map(|url| content(&sounds, url))).await;
    assert_eq!(MOST_AT_ONCE.load(SeqCst), 1);
}

#[tokio::test]
async fn what_is_no_sound_file_is_refused_with_its_reason() {
    let directory = scratch("no_sound_file");
    std::fs::write(directory.join("text.wav"), "hello").expect("written");
    std::fs::write(directory.join("large.wav"), "RIFF and so on").expect("written");
    let limits = Limits { file_bytes: 13, ..Limits::default() };
    let sounds = sounds_of(Config::default(), Vec::new(), limits);
    for (written, expected) in [
        ("open", "not a file; expected a WAV file; got a directory"),
        ("/dev/zero", "got a pipe, a socket or a device"),
        ("none.wav", "no such file"),
        ("open/a.wav/b.wav", "no such file"),
        ("text.wav", "cannot be played: no WAV file; expected RIFF at byte 0"),
        ("large.wav", "too large; expected at most 13 bytes; got 14"),
    ] {
        let url = SoundUrl::configured(written, &directory).expect("a path");
        let text = failure(&sounds, &url).await;
        assert!(text.contains(expected), "{written}: {text}");
    }
}
