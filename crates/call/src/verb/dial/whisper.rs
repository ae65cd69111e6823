//! Whisper: audio that a program plays to one party of a bridge. Meanwhile the other party hears
//! nothing of this one; several wait for each other.

use crate::call::Call;
use crate::effect::{Effect, Media, PlayId};
use crate::input::PlayEnd;
use crate::leg::LegId;
use crate::verb::dial::Dial;
use crate::verb::play::Playlist;

impl Call {
    /// The next audio for a party; at the end it is heard again.
    pub(crate) fn whisper_on(&mut self, party: LegId) {
        loop {
            let Some(waiting) = self.dial.as_mut().and_then(|d| d.whispers.get_mut(&party)) else {
                return;
            };
            let Some(first) = waiting.front_mut() else {
                if let Some(dial) = self.dial.as_mut() {
                    dial.whispers.remove(&party);
                }
                return self.let_be_heard(party);
            };
            let Some(next) = first.next() else {
                waiting.pop_front();
                continue;
            };
            // why: a URL is the operator's word; a path is the application's, as everywhere else.
            let trusted = self.script.is_fixed || next.url.contains("://");
            let base = self.script.base.clone();
            self.effect(Effect::Media(Media::Mute(party, true)));
            let play = self.play(party, next, trusted, base);
            let waiting = self.dial.as_mut().and_then(|dial| dial.whispers.get_mut(&party));
            if let Some(playlist) = waiting.and_then(|waiting| waiting.front_mut()) {
                playlist.playing = Some(play);
            }
            return;
        }
    }

    /// Audio for a party has ended; false where it is other audio.
    pub(crate) fn whispered(&mut self, party: LegId, id: PlayId, end: &PlayEnd) -> bool {
        let waiting = self.dial.as_mut().and_then(|dial| dial.whispers.get_mut(&party));
        let playing = waiting.and_then(|waiting| waiting.front_mut());
        let Some(playlist) = playing.filter(|playlist| playlist.playing == Some(id)) else {
            return false;
        };
        playlist.note(end);
        self.whisper_on(party);
        true
    }

    /// The bridge ends: nobody is whispered to any more.
    pub(crate) fn end_whispers(&mut self) {
        let Some(dial) = self.dial.as_mut() else { return };
        let whispers = std::mem::take(&mut dial.whispers);
        for (party, waiting) in whispers {
            let playing = waiting.front().and_then(|playlist: &Playlist| playlist.playing);
            if let Some(play) = playing {
                self.stop_playing(party, play);
            }
            self.let_be_heard(party);
        }
    }

    /// A program mutes a leg, or lets it be heard again: after a whisper, where one is under way.
    pub(crate) fn mute(&mut self, party: LegId, muted: bool) {
        if party == self.caller.id {
            self.caller.muted = muted;
        } else if let Some(leg) = self.legs.get_mut(&party) {
            leg.muted = muted;
        }
        if !self.dial.as_ref().is_some_and(|dial| dial.whispers.contains_key(&party)) {
            self.let_be_heard(party);
        }
    }

    /// Nothing of ours keeps a leg from being heard, unless a program does.
    fn let_be_heard(&mut self, party: LegId) {
        self.effect(Effect::Media(Media::Mute(party, self.is_muted(party))));
    }

    fn is_muted(&self, party: LegId) -> bool {
        match self.legs.get(&party).filter(|_| party != self.caller.id) {
            Some(leg) => leg.muted,
            None => self.caller.muted,
        }
    }

    /// A party is neither muted nor whispered to.
    pub(crate) fn is_heard(&self, party: LegId) -> bool {
        let is_whispered_to = |dial: &Dial| dial.whispers.contains_key(&party);
        !self.is_muted(party) && !self.dial.as_ref().is_some_and(is_whispered_to)
    }
}
