//! Whisper: audio that a program plays to one party of a bridge. Meanwhile the other party hears
//! nothing of this one; several wait for each other.

use crate::call::Call;
use crate::effect::{Effect, Media, PlayId};
use crate::input::PlayEnd;
use crate::leg::LegId;
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
                return self.effect(Effect::Media(Media::Mute(party, false)));
            };
            let Some(next) = first.next() else {
                waiting.pop_front();
                continue;
            };
            // why: the operator asks for it.
            let base = self.script.base.clone();
            self.effect(Effect::Media(Media::Mute(party, true)));
            let play = self.play(party, next, true, base);
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
            self.effect(Effect::Media(Media::Mute(party, false)));
        }
    }
}
