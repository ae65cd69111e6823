//! `config`: what holds for the session from here on.

use verbs::{Config, Hook};

use crate::call::Call;
use crate::leg::LegId;

/// What `config` set, for the verbs that follow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// URL of what a party on hold hears.
    pub(crate) on_hold_music: Option<String>,
    /// Asked when a party sends REFER, where the dial names no hook of its own.
    pub(crate) refer_hook: Option<Hook>,
    /// Told of INFO and MESSAGE.
    pub(crate) sip_request_hook: Option<Hook>,
    /// A list that the operator did not write has set some of it: none of it is trusted.
    pub(crate) is_foreign: bool,
}

impl Call {
    /// Runs a config; what it sets while a callee is screened holds for the whole call.
    pub(crate) fn run_config(&mut self, party: LegId, index: usize, config: Config) {
        let is_fixed = self.script(party).is_some_and(|script| script.is_fixed);
        let unsupported = [
            ("synthesizer", config.synthesizer.is_some()),
            ("recognizer", config.recognizer.is_some()),
            ("listen", config.listen.is_some()),
            ("transcribe", config.transcribe.is_some()),
            ("record", config.record.is_some()),
            ("amd", config.amd.is_some()),
            ("bargeIn", config.barge_in.is_some()),
            ("notifyEvents", config.notify_events.is_some()),
            ("boostAudioSignal", config.boost_audio_signal.is_some()),
            ("earlyMedia", config.early_media.is_some()),
        ];
        for (name, _) in unsupported.iter().filter(|(_, given)| *given) {
            self.not_supported(&format!("/{index}/{name}"), &format!("the property {name}"));
        }
        let session = &mut self.session;
        session.is_foreign |= !is_fixed;
        for name in &config.reset {
            match name.as_str() {
                "onHoldMusic" => session.on_hold_music = None,
                "referHook" => session.refer_hook = None,
                "sipRequestWithinDialogHook" => session.sip_request_hook = None,
                _ => {}
            }
        }
        let Config { on_hold_music, refer_hook, sip_request_within_dialog_hook, .. } = config;
        session.on_hold_music = on_hold_music.or(session.on_hold_music.take());
        session.refer_hook = refer_hook.or(session.refer_hook.take());
        session.sip_request_hook =
            sip_request_within_dialog_hook.or(session.sip_request_hook.take());
    }
}
