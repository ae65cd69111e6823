//! Keys that the parties of a bridge press: which sequences an application wants to hear of, and
//! what it is told.

use std::time::{Duration, Instant};

use verbs::callback::DtmfPressed;

use crate::call::{Call, Context};
use crate::effect::{Effect, Media};
use crate::leg::LegId;

/// Two keys further apart are of two sequences.
const APART: Duration = Duration::from_secs(3);

/// Keys that are remembered of a party; no sequence is longer.
const KEYS_MAX: usize = 32;

/// What both parties pressed last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    caller: Pressed,
    callee: Pressed,
}

/// The keys of one party, and when the last of them came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pressed {
    keys: String,
    last: Option<Instant>,
}

impl Pressed {
    /// One more key: the first of `sequences` that it completes. Nothing is forgotten by that, so
    /// sequences may overlap.
    fn press(&mut self, now: Instant, key: char, sequences: &[String]) -> Option<String> {
        if self.last.is_none_or(|last| now.duration_since(last) > APART) {
            self.keys.clear();
        }
        self.last = Some(now);
        if self.keys.len() >= KEYS_MAX {
            self.keys.remove(0);
        }
        self.keys.push(key);
        let complete = |sequence: &&String| {
            !sequence.is_empty() && self.keys.ends_with(sequence.to_ascii_uppercase().as_str())
        };
        sequences.iter().find(complete).cloned()
    }
}

impl Call {
    /// A key that came as audio. It goes on to the other party as such, unless it was an event and
    /// that one has agreed on none: then it is sent the tones. What is listened for in the audio
    /// is in it anyway.
    pub(crate) fn key_heard(&mut self, cx: Context<'_>, party: LegId, key: char, length: Duration) {
        let has_events = |leg: LegId| {
            self.agreed(leg).is_some_and(|agreed| agreed.payload_types.telephone_event.is_some())
        };
        let other = self.bridged_with(party).filter(|_| self.is_heard(party));
        let other = other.filter(|other| !self.has_tones(party) && !has_events(*other));
        self.key_pressed(cx, party, key);
        if let Some(other) = other {
            self.effect(Effect::Media(Media::SendKeys(other, key.to_string(), length)));
        }
    }

    /// The carrier of a party is one whose keys are tones.
    pub(crate) fn has_tones(&self, party: LegId) -> bool {
        let carrier = match self.legs.get(&party).filter(|_| party != self.caller.id) {
            Some(leg) => leg.route.carrier.as_ref(),
            None => self.caller.carrier.as_ref(),
        };
        carrier.is_some_and(|carrier| carrier.has_tones)
    }

    /// A party pressed a key.
    fn key_pressed(&mut self, cx: Context<'_>, party: LegId, key: char) {
        if self.gather_key(cx, party, key) {
            return;
        }
        let caller = self.caller.id;
        let Some(dial) = self.dial.as_mut() else { return };
        let Some(winner) = dial.winner.filter(|_| dial.is_bridged()) else { return };
        let Some(hook) = dial.verb.dtmf_hook.clone() else { return };
        let capture = &dial.verb.dtmf_capture;
        let (pressed, sequences) = match party {
            _ if party == caller => (&mut dial.keys.caller, &capture.parent_call),
            _ if party == winner => (&mut dial.keys.callee, &capture.child_call),
            _ => return,
        };
        if let Some(dtmf) = pressed.press(cx.now, key, sequences) {
            let payload = self.info_of(party).payload(&DtmfPressed { dtmf });
            self.tell_hook(hook, payload);
        }
    }

    /// A key that came in a SIP message and not as audio: the other party is sent it as its own
    /// stream has it.
    pub(crate) fn key_signalled(
        &mut self,
        cx: Context<'_>,
        party: LegId,
        key: char,
        length: Duration,
    ) {
        // why: who is not heard is not heard by its keys.
        let other = self.bridged_with(party).filter(|_| self.is_heard(party));
        self.key_pressed(cx, party, key);
        if let Some(other) = other {
            self.need_audio(cx);
            self.effect(Effect::Media(Media::SendKeys(other, key.to_string(), length)));
        }
    }

    /// Who is connected to this party.
    pub(crate) fn bridged_with(&self, party: LegId) -> Option<LegId> {
        let dial = self.dial.as_ref().filter(|dial| dial.is_bridged())?;
        let winner = dial.winner?;
        if party == self.caller.id {
            Some(winner)
        } else {
            (party == winner).then_some(self.caller.id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // The one clock of these tests.
    fn reported(keys: &[(u64, char)], sequences: &[&str]) -> Vec<String> {
        let start = Instant::now();
        let sequences: Vec<String> = sequences.iter().map(|s| (*s).to_owned()).collect();
        let mut pressed = Pressed::default();
        let press = |(at, key): &(u64, char)| {
            pressed.press(start + Duration::from_millis(*at), *key, &sequences)
        };
        keys.iter().filter_map(press).collect()
    }

    #[test]
    fn a_sequence_is_the_end_of_what_was_pressed() {
        assert_eq!(reported(&[(0, '1'), (1, '2'), (2, '*'), (3, '2')], &["*2"]), ["*2"]);
    }

    #[test]
    fn a_pause_of_more_than_three_seconds_begins_anew() {
        assert!(reported(&[(0, '*'), (3001, '2')], &["*2"]).is_empty());
        assert_eq!(reported(&[(0, '*'), (3000, '2')], &["*2"]), ["*2"]);
    }

    #[test]
    fn sequences_may_overlap() {
        assert_eq!(reported(&[(0, '1'), (1, '1')], &["1", "11"]), ["1", "1"]);
        assert_eq!(reported(&[(0, '1'), (1, '1'), (2, '1')], &["11"]), ["11", "11"]);
    }

    #[test]
    fn letters_are_keys_in_either_case() {
        assert_eq!(reported(&[(0, 'A'), (1, '#')], &["a#"]), ["a#"]);
    }

    #[test]
    fn what_was_pressed_long_ago_is_forgotten() {
        let many: Vec<(u64, char)> = (0..100).map(|n| (n, '7')).collect();
        assert_eq!(reported(&many, &["8"]).len(), 0);
        assert_eq!(reported(&many, &["77"]).len(), 99);
    }
}
