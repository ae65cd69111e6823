//! `[media] sounds` and `hold_music`: directories and files beside the configuration.

use std::path::PathBuf;

use switchhook::config::{Config, LoadError, load};

use crate::reading::{SHORTEST, lines};

/// A directory of that name with a configuration, a file `hold.wav` and a directory `prompts`.
fn read(name: &str, media: &str) -> (PathBuf, Result<Config, Vec<String>>) {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(directory.join("prompts")).expect("a directory");
    std::fs::write(directory.join("hold.wav"), "RIFF").expect("written");
    let path = directory.join("switchhook.toml");
    std::fs::write(&path, format!("{SHORTEST}[media]\n{media}")).expect("written");
    let config = match load(&path, []) {
        Ok(loaded) => Ok(loaded.config),
        Err(LoadError::Faulty { faults, .. }) => {
            let prefix = format!("{}/", directory.display());
            Err(lines(&faults).iter().map(|line| line.replace(&prefix, "")).collect())
        }
        Err(error) => panic!("{error:?}"),
    };
    (directory, config)
}

#[test]
fn paths_are_relative_to_the_configuration() {
    let (directory, config) =
        read("sounds_relative", "sounds = [\"prompts\", \".\"]\nhold_music = \"hold.wav\"\n");
    let config = config.expect("no fault");
    assert!(directory.is_absolute());
    assert_eq!(config.media.sounds, [directory.join("prompts"), directory.clone()]);
    let music = directory.join("hold.wav");
    assert_eq!(config.settings.hold_music.as_deref(), music.to_str());
    let url = format!("file://{}", music.display());
    let (_, config) = read("sounds_relative", &format!("hold_music = \"{url}\"\n"));
    assert_eq!(config.expect("no fault").settings.hold_music.as_deref(), music.to_str());
}

#[test]
fn what_is_not_there_is_a_fault_at_the_start() {
    let directory = "expected a directory, its path relative to this file, got";
    let sound = "expected an http or https URL, or the path of a WAV file relative to this file, \
                 got";
    let (_, config) =
        read("sounds_missing", "sounds = [\"none\", \"hold.wav\", 5]\nhold_music = \"none.wav\"\n");
    assert_eq!(
        config.expect_err("faults"),
        [
            format!(
                "switchhook.toml:4:11: /media/sounds/0: the directory cannot be read: \
                 No such file or directory (os error 2); {directory} \"none\""
            ),
            format!(
                "switchhook.toml:4:19: /media/sounds/1: not a directory; {directory} \"hold.wav\""
            ),
            "switchhook.toml:4:31: /media/sounds/2: wrong type; expected a text in quotes, \
             got the integer 5"
                .to_owned(),
            format!(
                "switchhook.toml:5:14: /media/hold_music: the file cannot be read: \
                 No such file or directory (os error 2); {sound} \"none.wav\""
            ),
        ]
    );
    for (written, what) in [("prompts", "not a file"), ("ws://h/a.wav", "not a sound")] {
        let (_, config) = read("sounds_missing", &format!("hold_music = \"{written}\"\n"));
        let expected =
            format!("switchhook.toml:4:14: /media/hold_music: {what}; {sound} \"{written}\"");
        assert_eq!(config.expect_err("a fault"), [expected]);
    }
}

#[test]
fn hold_music_has_no_credentials_in_its_url() {
    let (_, config) = read("sounds_secret", "hold_music = \"http://u:hidden@h/a.wav\"\n");
    assert_eq!(
        config.expect_err("a fault"),
        ["switchhook.toml:4:14: /media/hold_music: credentials in the URL; \
          expected a URL that needs none, got a text that is not shown"]
    );
}
