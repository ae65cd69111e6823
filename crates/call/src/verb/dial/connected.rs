//! What the caller hears: ringing, early media, the winner.

use verbs::Ringback;

use crate::call::{Call, Context};
use crate::effect::{Effect, Media};
use crate::leg::LegId;
use crate::leg::caller;
use crate::verb::dial::ring;

impl Call {
    /// Before the callees are called: an answer to the caller unless it waits for the bridge, and
    /// never silence for a caller that plays what we send.
    pub(crate) fn prepare_caller(&mut self, cx: Context<'_>) {
        let Some(dial) = self.dial.as_ref() else { return };
        if !dial.verb.answer_on_bridge {
            self.caller_input(cx, caller::Input::Answer);
        }
        if self.caller.state.hears_us() {
            self.play_ringback();
        }
    }

    /// The callee whose early media the caller heard is lost while others ring: the tone instead.
    pub(crate) fn early_media_lost(&mut self, id: LegId) {
        let Some(dial) = self.dial.as_mut() else { return };
        if dial.state == ring::State::Ringing && dial.heard == Some(id) {
            dial.heard = None;
            self.play_ringback();
        }
    }

    fn play_ringback(&mut self) {
        let asked = self.dial.as_ref().and_then(|dial| dial.verb.ringback.as_ref());
        let country = match asked {
            None => self.settings.ringback.clone(),
            Some(Ringback::Country(country)) => country.clone(),
            Some(Ringback::None) => return,
            // why: said as an alert when the dial started; the default tone beats silence.
            Some(Ringback::Url(_)) => self.settings.ringback.clone(),
        };
        self.effect(Effect::Media(Media::Ringback(self.caller.id, country)));
    }

    /// A callee made progress: early media of a single callee reaches the caller; otherwise the
    /// caller's own phone rings, or it hears the tone that already plays.
    pub(crate) fn let_caller_hear(&mut self, cx: Context<'_>, id: LegId) {
        let Some(dial) = self.dial.as_ref() else { return };
        let single = dial.verb.target.len() == 1;
        let ours = self.legs.get(&id).is_some_and(|leg| leg.dial == self.dials);
        if dial.state != ring::State::Ringing || !ours {
            return;
        }
        let has_media = self.legs.get(&id).is_some_and(|leg| leg.negotiated.is_some());
        let may = dial.heard.is_none_or(|heard| heard == id);
        if single && has_media && may && self.caller.can_hear_early() {
            let first = dial.heard.is_none();
            self.set_callee_remote(id);
            if first {
                self.caller_input(cx, caller::Input::EarlyMedia);
                self.effect(Effect::Media(Media::Bridge(self.caller.id, id)));
            }
            if let Some(dial) = self.dial.as_mut() {
                dial.heard = Some(id);
            }
        } else {
            self.caller_input(cx, caller::Input::Ring);
        }
    }

    /// The race is won: the caller is answered where it was not, and both hear each other.
    pub(crate) fn connect_winner(&mut self, cx: Context<'_>) {
        let Some(dial) = self.dial.as_mut() else { return };
        dial.bridged_at = Some(cx.now);
        let Some(winner) = dial.winner else { return };
        self.set_callee_remote(winner);
        self.caller_input(cx, caller::Input::Answer);
        self.effect(Effect::Media(Media::Bridge(self.caller.id, winner)));
    }

    /// Properties of the running dial that parse and do not run yet, each said once.
    pub(crate) fn say_what_does_not_run(&mut self) {
        let Some(dial) = self.dial.as_ref() else { return };
        let mut unsupported: Vec<String> = Vec::new();
        let verb = &dial.verb;
        let place = format!("/{}", dial.index);
        let of_dial: [(&str, bool); 19] = [
            ("amd", verb.amd.is_some()),
            ("boostAudioSignal", verb.boost_audio_signal != 0.0),
            ("dialMusic", verb.dial_music.is_some()),
            ("dtmfCapture", verb.dtmf_capture != verbs::DtmfCapture::default()),
            ("dtmfHook", verb.dtmf_hook.is_some()),
            ("dub", !verb.dub.is_empty()),
            ("earlyMedia", verb.early_media != verbs::EarlyMedia::Auto),
            ("exitMediaPath", verb.exit_media_path),
            ("listen", verb.listen.is_some()),
            ("onHoldHook", verb.on_hold_hook.is_some()),
            ("progressHook", verb.progress_hook.is_some()),
            ("progressTimeout", verb.progress_timeout.is_some()),
            ("proxy", verb.proxy.is_some()),
            ("referHook", verb.refer_hook.is_some()),
            ("ringback", matches!(verb.ringback, Some(Ringback::Url(_)))),
            ("sendDigits", verb.send_digits.is_some()),
            ("srtpEncryption", verb.srtp_encryption.is_some()),
            ("strategy", verb.strategy != verbs::Strategy::Simring),
            ("timeLimitWarning", verb.time_limit_warning.is_some()),
        ];
        let transcribe = [("transcribe", verb.transcribe.is_some())];
        for (name, _) in of_dial.iter().chain(&transcribe).filter(|(_, given)| *given) {
            unsupported.push(format!("{place}/{name}"));
        }
        for (index, target) in verb.target.iter().enumerate() {
            let of_target: [(&str, bool); 7] = [
                ("callerId", target.caller_id.is_some()),
                ("codecs", !target.codecs.is_empty()),
                ("delay", !target.delay.is_zero()),
                ("priority", target.priority != 0),
                ("proxy", target.proxy.is_some()),
                ("srtp", target.srtp.is_some()),
                ("timeout", target.timeout.is_some()),
            ];
            for (name, _) in of_target.iter().filter(|(_, given)| *given) {
                unsupported.push(format!("{place}/target/{index}/{name}"));
            }
        }
        for pointer in unsupported {
            let name = pointer.rsplit('/').next().unwrap_or_default().to_owned();
            self.not_supported(&pointer, &format!("the property {name}"));
        }
    }
}
