//! `play`: audio for one party, one URL after the other; and every other audio that a call asks
//! for by URL. The driver fetches and decodes; here is what is wanted and what follows.

use std::time::Duration;

use verbs::callback::{PlayReason, PlayResult};
use verbs::{Hook, Loop, Play};

use crate::call::{Call, Context};
use crate::effect::{Audio, Effect, Media, PlayId, Repeat};
use crate::hook::Why;
use crate::input::PlayEnd;
use crate::leg::{LegId, caller};
use crate::script::{Running, Stage};

/// Audio that is shorter is none: one packet.
const SHORTEST: Duration = Duration::from_millis(20);

/// What is left of the audio of one verb.
#[derive(Clone, Debug)]
pub(crate) struct Playlist {
    urls: Vec<String>,
    /// Place of the next of them.
    next: usize,
    /// Rounds after this one; `None` = without end.
    rounds: Option<u32>,
    from_sample: u64,
    longest: Option<Duration>,
    action_hook: Option<Hook>,
    verb_id: Option<String>,
    /// What sounds, or is being fetched.
    pub(crate) playing: Option<PlayId>,
    played: Duration,
    /// Something of it could not be had.
    failed: bool,
    /// All of it could be had, and lasted.
    is_repeated: bool,
}

impl Playlist {
    /// All that a `play` asks for.
    pub(crate) fn new(play: &Play) -> Playlist {
        Playlist {
            urls: play.url.clone(),
            next: 0,
            rounds: match play.repeat {
                Loop::Times(times) => Some(times.max(1) - 1),
                Loop::Forever => None,
            },
            from_sample: play.seek_offset.unwrap_or_default(),
            longest: play.timeout_secs,
            action_hook: play.action_hook.clone(),
            verb_id: play.id.clone(),
            playing: None,
            played: Duration::ZERO,
            failed: false,
            is_repeated: true,
        }
    }

    /// The next audio, if any is left.
    pub(crate) fn next(&mut self) -> Option<Audio> {
        let left = self.longest.map(|longest| longest.saturating_sub(self.played));
        if left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        // why: an endless loop over what cannot be fetched would never pause.
        if self.next >= self.urls.len() && self.is_repeated {
            match &mut self.rounds {
                Some(0) => return None,
                Some(rounds) => *rounds -= 1,
                None => {}
            }
            self.next = 0;
        }
        let url = self.urls.get(self.next)?.clone();
        self.next += 1;
        // why: one URL is repeated without a gap by whoever plays it.
        let single = self.urls.len() == 1;
        let repeat = match (single, self.rounds) {
            (true, Some(rounds)) => Repeat::Times(rounds + 1),
            (true, None) => Repeat::Forever,
            (false, _) => Repeat::Times(1),
        };
        if single {
            self.rounds = Some(0);
        }
        let from_sample = std::mem::take(&mut self.from_sample);
        Some(Audio { url, repeat, from_sample, longest: left })
    }
}

impl Playlist {
    /// What sounded has ended; whether it took any time.
    pub(crate) fn note(&mut self, end: &PlayEnd) -> bool {
        match end {
            PlayEnd::Finished(time) => {
                self.played += *time;
                // why: over and over, what lasts no time would never let anything else run.
                self.is_repeated &= *time >= SHORTEST;
                *time >= SHORTEST
            }
            PlayEnd::Failed(_) => {
                self.failed = true;
                self.is_repeated = false;
                false
            }
        }
    }
}

impl Call {
    /// Starts a play for a party.
    pub(crate) fn run_play(&mut self, cx: Context<'_>, party: LegId, play: &Play) {
        self.let_hear(cx, party, play.early_media);
        self.run(party, Running::Play(Box::new(Playlist::new(play))));
        self.play_on(party);
    }

    /// A party is about to hear something: a caller that rings is answered, unless the verb is
    /// content with early media.
    pub(crate) fn let_hear(&mut self, cx: Context<'_>, party: LegId, early: bool) {
        if party != self.caller.id {
            return;
        }
        let early = early && self.caller.can_hear_early();
        let input = if early { caller::Input::EarlyMedia } else { caller::Input::Answer };
        self.caller_input(cx, input);
    }

    /// The next audio of a party's play, or its end.
    fn play_on(&mut self, party: LegId) {
        let next = self.playlist(party).and_then(Playlist::next);
        if let Some(next) = next {
            let id = self.play_next(party, next, party);
            if let Some(playlist) = self.playlist(party) {
                playlist.playing = Some(id);
            }
            return;
        }
        let Some(playlist) = self.playlist(party) else { return };
        let hook = playlist.action_hook.clone();
        let reason =
            if playlist.failed { PlayReason::PlayFailed } else { PlayReason::PlayCompleted };
        let played = PlayResult {
            reason,
            playback_seconds: playlist.played.as_secs(),
            playback_milliseconds: u64::try_from(playlist.played.as_millis()).unwrap_or(u64::MAX),
            playback_last_offset_pos: u64::try_from(playlist.played.as_millis() * 8)
                .unwrap_or(u64::MAX),
            verb_id: playlist.verb_id.clone(),
        };
        self.go_on(party);
        if let Some(hook) = hook {
            let payload = self.info_of(party).payload(&played);
            self.ask_for(party, hook, payload, Why::Action);
        }
    }

    /// Asks for audio that the list of a party names, for `to`.
    pub(crate) fn play_next(&mut self, party: LegId, audio: Audio, to: LegId) -> PlayId {
        let script = self.script(party);
        let (trusted, base) =
            script.map_or((false, None), |script| (script.is_fixed, script.base.clone()));
        self.play(to, audio, trusted, base)
    }

    /// Asks for audio; [`Input::Played`](crate::Input::Played) follows, once.
    pub(crate) fn play(
        &mut self,
        to: LegId,
        audio: Audio,
        trusted: bool,
        base: Option<Hook>,
    ) -> PlayId {
        let id = PlayId(self.next_play);
        self.next_play += 1;
        self.effect(Effect::Media(Media::Play {
            to,
            play: id,
            audio: Box::new(audio),
            base: base.map(Box::new),
            trusted,
        }));
        id
    }

    /// This audio is not wanted any more; nothing is heard of it again.
    pub(crate) fn stop_playing(&mut self, to: LegId, play: PlayId) {
        self.effect(Effect::Media(Media::StopPlay(to, play)));
    }

    /// Audio has ended, or could not be had.
    pub(crate) fn played(&mut self, cx: Context<'_>, to: LegId, id: PlayId, end: &PlayEnd) {
        if let PlayEnd::Failed(failure) = end {
            self.alert(failure.alert_type, failure.message.clone());
        }
        if self.is_prompt(to, id) {
            return self.prompt_on(cx, to);
        }
        if let Some(playlist) = self.playlist(to).filter(|playlist| playlist.playing == Some(id)) {
            playlist.note(end);
            return self.play_on(to);
        }
        if !self.whispered(to, id, end) && !self.hold_played(cx, to, id, end) {
            self.dial_played(cx, to, id, end);
        }
    }

    fn playlist(&mut self, party: LegId) -> Option<&mut Playlist> {
        match &mut self.script(party)?.stage {
            Stage::Running(Running::Play(playlist)) => Some(playlist),
            _ => None,
        }
    }

    /// Stops what the script of a party plays, because the script ends or is replaced.
    pub(crate) fn silence_script(&mut self, party: LegId) {
        let playing = match self.script(party).map(|script| &script.stage) {
            Some(Stage::Running(Running::Play(playlist))) => playlist.playing,
            Some(Stage::Running(Running::Gather(gathering))) => {
                gathering.prompt.as_ref().and_then(|prompt| prompt.playing)
            }
            _ => None,
        };
        if let Some(id) = playing {
            self.stop_playing(party, id);
        }
    }
}
