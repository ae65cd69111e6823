//! The bridge: what happens when a winner is connected, and while it lasts.

use media::Decibels;

use crate::call::{Call, Context};
use crate::effect::{Audio, Effect, Media, Repeat};
use crate::leg::caller;

/// Length of a key of `sendDigits`.
const KEY: std::time::Duration = std::time::Duration::from_millis(200);

/// What is heard before the time limit where the dial names nothing else: three short beeps.
const WARNING_TONE: &str = "tone_stream://L=3;%(200,100,1400)";

impl Call {
    /// Before the callees are called: an answer to the caller unless it waits for the bridge.
    pub(crate) fn prepare_caller(&mut self, cx: Context<'_>) {
        if self.dial.as_ref().is_some_and(|dial| !dial.verb.answer_on_bridge) {
            self.caller_input(cx, caller::Input::Answer);
        }
    }

    /// The race is won: the caller is answered where it was not, and both hear each other.
    pub(crate) fn connect_winner(&mut self, cx: Context<'_>) {
        self.stop_music();
        let Some(dial) = self.dial.as_mut() else { return };
        dial.bridged_at = Some(cx.now);
        let Some(winner) = dial.winner else { return };
        let digits = dial.verb.send_digits.clone();
        let boost = Decibels::new(dial.verb.boost_audio_signal);
        self.set_callee_remote(winner);
        self.caller_input(cx, caller::Input::Answer);
        if !boost.is_zero() {
            self.effect(Effect::Media(Media::Boost(winner, boost)));
        }
        self.effect(Effect::Media(Media::Bridge(self.caller.id, winner)));
        self.go_on_holding(cx, winner);
        if let Some(digits) = digits {
            self.effect(Effect::Media(Media::SendKeys(winner, digits, KEY)));
        }
        self.transfer_ended(cx, 200, "OK");
    }

    /// Both parties are told that the time limit is near.
    pub(crate) fn warn_of_limit(&mut self) {
        let Some(dial) = self.dial.as_ref() else { return };
        let Some(winner) = dial.winner else { return };
        let given = dial.verb.time_limit_warning.as_ref().and_then(|w| w.play.clone());
        let url = given.unwrap_or_else(|| WARNING_TONE.to_owned());
        for party in [self.caller.id, winner] {
            let audio =
                Audio { url: url.clone(), repeat: Repeat::Times(1), from_sample: 0, longest: None };
            let (trusted, base) = (self.script.is_fixed, self.script.base.clone());
            self.play(party, audio, trusted, base);
        }
    }

    /// Properties of the running dial that parse and do not run yet, each said once.
    pub(crate) fn say_what_does_not_run(&mut self) {
        let Some(dial) = self.dial.as_ref() else { return };
        let mut unsupported: Vec<String> = Vec::new();
        let verb = &dial.verb;
        let place = format!("/{}", dial.index);
        let of_dial: [(&str, bool); 6] = [
            ("amd", verb.amd.is_some()),
            ("dub", !verb.dub.is_empty()),
            ("exitMediaPath", verb.exit_media_path),
            ("listen", verb.listen.is_some()),
            ("srtpEncryption", verb.srtp_encryption.is_some()),
            ("transcribe", verb.transcribe.is_some()),
        ];
        for (name, _) in of_dial.iter().filter(|(_, given)| *given) {
            unsupported.push(format!("{place}/{name}"));
        }
        for (index, target) in verb.target.iter().enumerate() {
            if target.srtp.is_some() {
                unsupported.push(format!("{place}/target/{index}/srtp"));
            }
        }
        for pointer in unsupported {
            let name = pointer.rsplit('/').next().unwrap_or_default().to_owned();
            self.not_supported(&pointer, &format!("the property {name}"));
        }
    }
}
