//! Audio that calls ask for by URL: fetched beside the loop, handed to the media threads, and
//! forgotten where nobody wants it any more.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use call::{Audio, CallKey, HookFailure, Input, LegId, PlayEnd, PlayId, Repeat};
use hooks::sounds::{Limits, SOUND_ALERT, SoundFailure, SoundUrl, Sounds, SoundsConfig};
use media::Sound;
use net::rtp::Command;
use tokio::sync::mpsc;
use verbs::Hook;

use super::Gateway;
use crate::config::Config;

/// Sounds that were fetched and wait for the loop. why so few: who fetches waits for room.
const FETCHED_MAX: usize = 256;

/// Begins audio that is made, and not fetched.
const TONE_STREAM: &str = "tone_stream://";

/// What [`Gateway`] keeps of sounds.
#[derive(Debug)]
pub(super) struct Player {
    sounds: Sounds<Sound>,
    /// Where relative paths of the operator's lists begin.
    directory: PathBuf,
    /// What is being fetched, or since when it sounds.
    wanted: BTreeMap<(CallKey, PlayId), (LegId, Option<Instant>)>,
    fetched: mpsc::Receiver<Fetched>,
    tell: mpsc::Sender<Fetched>,
}

/// A sound that a call asked for, or why there is none.
#[derive(Debug)]
pub(super) struct Fetched {
    key: CallKey,
    play: PlayId,
    audio: Audio,
    sound: Result<Sound, SoundFailure>,
}

impl Player {
    pub(super) fn new(config: &Config, client: hooks::Client) -> Player {
        let sounds = SoundsConfig {
            decode: |bytes| Sound::from_wav(bytes).map_err(|error| error.to_string()),
            weight: Sound::bytes,
            directories: config.media.sounds.clone(),
            limits: Limits::default(),
        };
        let (tell, fetched) = mpsc::channel(FETCHED_MAX);
        Player {
            sounds: Sounds::new(client, sounds),
            directory: config.path.parent().map(PathBuf::from).unwrap_or_default(),
            wanted: BTreeMap::new(),
            fetched,
            tell,
        }
    }

    /// The next sound that is there.
    pub(super) async fn fetched(&mut self) -> Option<Fetched> {
        self.fetched.recv().await
    }

    /// Nobody wants anything of this call any more.
    pub(super) fn forget(&mut self, key: CallKey) {
        self.wanted.retain(|(of, _), _| *of != key);
    }

    /// Nobody wants anything for this leg any more.
    fn forget_leg(&mut self, key: CallKey, leg: LegId) {
        self.wanted.retain(|(of, _), (to, _)| *of != key || *to != leg);
    }
}

impl Gateway {
    /// Fetches audio for a leg, and plays it.
    pub(super) fn play(
        &mut self,
        (key, to): (CallKey, LegId),
        play: PlayId,
        audio: Audio,
        base: Option<&Hook>,
        trusted: bool,
    ) {
        self.player.wanted.insert((key, play), (to, None));
        if audio.url.starts_with(TONE_STREAM) {
            let sound = Sound::from_tone_stream(&audio.url).map_err(|error| SoundFailure {
                alert_type: SOUND_ALERT,
                message: format!("{}: {error}", audio.url),
            });
            return self.sound_fetched(Fetched { key, play, audio, sound });
        }
        let url = match trusted {
            true => SoundUrl::configured(&audio.url, &self.player.directory),
            false => SoundUrl::named_by_application(&audio.url, base),
        };
        let url = match url {
            Ok(url) => url,
            Err(failure) => {
                return self.sound_fetched(Fetched { key, play, audio, sound: Err(failure) });
            }
        };
        let (sounds, tell) = (self.player.sounds.clone(), self.player.tell.clone());
        tokio::spawn(async move {
            let sound = sounds.fetch(&url).await;
            // why: an error means that the loop has ended and nobody waits any more.
            let _ended = tell.send(Fetched { key, play, audio, sound }).await;
        });
    }

    /// A sound is there, or is known not to be: it is played if it is still wanted.
    pub(super) fn sound_fetched(&mut self, fetched: Fetched) {
        let Fetched { key, play, audio, sound } = fetched;
        let Some((to, since)) = self.player.wanted.get_mut(&(key, play)) else { return };
        let to = *to;
        match sound {
            Ok(sound) => {
                *since = Some(Instant::now());
                let repeat = match audio.repeat {
                    Repeat::Times(times) => media::Repeat::Times(times),
                    Repeat::Forever => media::Repeat::Forever,
                };
                let (from_sample, longest) = (audio.from_sample, audio.longest);
                let id = media::PlayId(play.0);
                let play = media::Play { id, sound, repeat, from_sample, longest };
                self.send_media(Command::Play { call: key.0, to: to.into(), play });
            }
            Err(failure) => {
                self.player.wanted.remove(&(key, play));
                let SoundFailure { alert_type, message } = failure;
                let failure = HookFailure { alert_type, message, status: None };
                self.take(key, Input::Played(to, play, PlayEnd::Failed(failure)));
            }
        }
    }

    /// A sound is not wanted any more.
    pub(super) fn stop_play(&mut self, key: CallKey, leg: LegId, play: PlayId) {
        // why: one that is still being fetched is forgotten when it comes.
        if let Some((_, Some(_))) = self.player.wanted.remove(&(key, play)) {
            let id = Some(media::PlayId(play.0));
            self.send_media(Command::StopPlay { call: key.0, leg: leg.into(), id });
        }
    }

    /// A leg is closed: what was to be played to it is not wanted any more.
    pub(super) fn nothing_to_play(&mut self, key: CallKey, leg: LegId) {
        self.player.forget_leg(key, leg);
    }

    /// A media thread says that a sound is played no more.
    pub(super) fn sound_ended(&mut self, key: CallKey, leg: LegId, play: PlayId) {
        // why: what was stopped is not in the table any more, and its end is nobody's news.
        if let Some((_, Some(since))) = self.player.wanted.remove(&(key, play)) {
            self.take(key, Input::Played(leg, play, PlayEnd::Finished(since.elapsed())));
        }
    }
}
