//! What the caller hears while callees are called, decided anew whenever something changes: music
//! of the dial, early media of a callee, a tone, or its own phone ringing. Never silence, unless
//! the dial asks for it.

use media::tone;
use verbs::{EarlyMedia, Ringback};

use crate::call::{Call, Context};
use crate::effect::{Audio, Effect, Media, PlayId, Repeat};
use crate::input::PlayEnd;
use crate::leg::callee_leg::Leg;
use crate::leg::{LegId, callee, caller};
use crate::verb::dial::Dial;
use crate::verb::dial::ring;

/// What the media of the caller was told last, beneath what is played over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Beneath {
    /// Nothing.
    #[default]
    Nothing,
    /// The tone of a country.
    Tone,
    /// A callee that has not answered.
    Early(LegId),
}

/// Audio over everything else that the caller hears.
#[derive(Clone, Debug)]
pub(crate) struct Music {
    url: String,
    play: PlayId,
}

impl Dial {
    /// Music that is wanted and can be had.
    fn music(&self) -> Option<&str> {
        self.verb.dial_music.as_deref().filter(|url| !self.unplayable.iter().any(|u| u == url))
    }

    /// Audio in the place of the tone.
    fn ringback_url(&self) -> Option<&str> {
        match &self.verb.ringback {
            Some(Ringback::Url(url)) if !self.unplayable.contains(url) => Some(url),
            _ => None,
        }
    }
}

impl Call {
    /// Lets the caller hear what it should now.
    pub(crate) fn update_hearing(&mut self, cx: Context<'_>) {
        let Some(dial) = self.dial.as_ref() else { return };
        if !dial.state.races() || dial.places || !self.caller.state.alive() {
            return;
        }
        let music = dial.music().map(str::to_owned);
        let can = self.caller.can_hear_early();
        let early = if music.is_some() { None } else { self.early_callee(dial) };
        let early = early.filter(|_| can || self.caller.state.hears_us());
        if (music.is_some() && can) || early.is_some() {
            self.caller_input(cx, caller::Input::EarlyMedia);
        }
        let hears_us = self.caller.state.hears_us();
        let Some(dial) = self.dial.as_ref() else { return };
        let silent = dial.verb.ringback == Some(Ringback::None);
        let beneath = match early {
            Some(leg) => Beneath::Early(leg),
            None if hears_us && !silent => Beneath::Tone,
            None => Beneath::Nothing,
        };
        let instead = dial.ringback_url().filter(|_| early.is_none()).map(str::to_owned);
        self.let_hear_beneath(beneath);
        self.let_hear_music(music.or(instead).filter(|_| hears_us));
        if !hears_us && self.somebody_rings() {
            self.caller_input(cx, caller::Input::Ring);
        }
    }

    /// The callee whose early media the caller may hear.
    fn early_callee(&self, dial: &Dial) -> Option<LegId> {
        let single = dial.verb.target.len() == 1;
        let legs = self.legs.iter().map(|(id, leg)| (*id, &**leg));
        let sends = |(id, leg): &(LegId, &Leg)| {
            leg.dial == self.dials
                && leg.state == callee::State::Early
                && leg.early_at.is_some()
                && leg.negotiated.is_some()
                && (single || dial.verb.early_media != EarlyMedia::Auto)
                // why: what a callee hears of its screening is not for the caller.
                && (dial.verb.early_media != EarlyMedia::Auto || self.confirm_hook(*id).is_none())
        };
        let heard = match dial.beneath {
            Beneath::Early(leg) => Some(leg),
            _ => None,
        };
        let candidates = legs.filter(sends);
        let best = match dial.verb.early_media {
            EarlyMedia::None => None,
            EarlyMedia::Auto | EarlyMedia::First => {
                candidates.min_by_key(|(id, leg)| (heard != Some(*id), leg.early_at, *id))
            }
            EarlyMedia::Priority => candidates.min_by_key(|(id, leg)| {
                let target = dial.verb.target.get(leg.target);
                let priority = target.map_or(u32::MAX, |target| target.priority);
                (priority, leg.target, heard != Some(*id), *id)
            }),
        };
        best.map(|(id, _)| id)
    }

    fn somebody_rings(&self) -> bool {
        let rings = |leg: &Leg| leg.dial == self.dials && leg.state == callee::State::Early;
        self.legs.values().any(|leg| rings(leg))
    }

    fn let_hear_beneath(&mut self, beneath: Beneath) {
        let Some(dial) = self.dial.as_mut() else { return };
        let before = std::mem::replace(&mut dial.beneath, beneath);
        if before == beneath {
            return;
        }
        let is_there = |leg: &Leg| matches!(leg.state, callee::State::Early | callee::State::Up);
        if let Beneath::Early(leg) = before
            && self.legs.get(&leg).is_some_and(|leg| is_there(leg))
        {
            // why: it heard the caller as well, and is screened now, or may be later.
            self.effect(Effect::Media(Media::Silence(leg)));
        }
        match beneath {
            Beneath::Nothing => self.effect(Effect::Media(Media::Silence(self.caller.id))),
            Beneath::Tone => self.ring_back(),
            Beneath::Early(leg) => {
                self.set_callee_remote(leg);
                self.effect(Effect::Media(Media::Bridge(self.caller.id, leg)));
            }
        }
    }

    fn ring_back(&mut self) {
        let Some(dial) = self.dial.as_ref() else { return };
        let country = match &dial.verb.ringback {
            Some(Ringback::Country(country)) => Some((dial.index, country.clone())),
            // why: beneath a URL too: it may take its time, or never come.
            None | Some(Ringback::None | Ringback::Url(_)) => None,
        };
        let is_known = |(_, country): &(usize, String)| tone::country(country).is_some();
        let known = country.as_ref().filter(|country| is_known(country));
        let heard = known.map_or_else(|| self.settings.ringback.clone(), |(_, it)| it.clone());
        if let (Some((index, unknown)), None) = (&country, known) {
            let countries: Vec<&str> = tone::countries().collect();
            let what = format!(
                "/{index}/ringback: no tone is known for {unknown:?}; expected one of {}; \
                 the caller hears that of {heard}",
                countries.join(", ")
            );
            self.alert("invalid-app-payload", what);
        }
        self.effect(Effect::Media(Media::Ringback(self.caller.id, heard)));
    }

    fn let_hear_music(&mut self, wanted: Option<String>) {
        let playing = self.dial.as_ref().and_then(|dial| dial.music.as_ref());
        if playing.map(|music| &music.url) == wanted.as_ref() {
            return;
        }
        self.stop_music();
        let Some(url) = wanted else { return };
        let audio =
            Audio { url: url.clone(), repeat: Repeat::Forever, from_sample: 0, longest: None };
        let play = self.play_next(self.caller.id, audio, self.caller.id);
        if let Some(dial) = self.dial.as_mut() {
            dial.music = Some(Music { url, play });
        }
    }

    /// The caller hears no music any more.
    pub(crate) fn stop_music(&mut self) {
        if let Some(music) = self.dial.as_mut().and_then(|dial| dial.music.take()) {
            self.stop_playing(self.caller.id, music.play);
        }
    }

    /// Audio of the dial has ended by itself, or could not be had: what it stood for is heard
    /// instead.
    pub(crate) fn dial_played(&mut self, cx: Context<'_>, to: LegId, id: PlayId, end: &PlayEnd) {
        let Some(dial) = self.dial.as_mut() else { return };
        if to != self.caller.id || dial.music.as_ref().is_none_or(|music| music.play != id) {
            return;
        }
        let music = dial.music.take();
        if let (Some(music), PlayEnd::Failed(_)) = (music, end) {
            dial.unplayable.push(music.url);
        }
        self.update_hearing(cx);
    }

    /// A callee sent a description before its answer, perhaps a new one.
    pub(crate) fn early_media_changed(&mut self, id: LegId) {
        let heard = self.dial.as_ref().map(|dial| (dial.state, dial.beneath));
        if let Some((ring::State::Ringing, Beneath::Early(leg))) = heard
            && leg == id
        {
            self.set_callee_remote(id);
        }
    }
}
