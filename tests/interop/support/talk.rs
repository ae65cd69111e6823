//! A call whose two parties hear each other, for tests of what others do meanwhile.

use media::Codec;
use serde_json::json;
use std::net::SocketAddr;

use super::phone::Phone;
use super::scene::{CALLEE, CALLER, Scene, dial};
use super::sipp::Run;
use super::switch::Switch;
use super::wait_for;

/// What each says.
pub(crate) const OF_CALLER: f64 = 700.0;
pub(crate) const OF_CALLEE: f64 = 1100.0;

/// See the module.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) caller: Phone,
    pub(crate) callee: Phone,
    caller_runs: Run,
    callee_runs: Run,
    /// Where the switch hears the caller.
    pub(crate) from_caller: SocketAddr,
    /// Where the switch hears the callee.
    pub(crate) from_callee: SocketAddr,
}

impl Talk {
    /// Both are there and heard. The caller hangs up after so many milliseconds.
    pub(crate) fn begin(scene: &Scene, switch: &Switch, milliseconds: usize) -> Talk {
        let caller = scene.phone(CALLER).with("talk", milliseconds);
        let callee = scene.phone(CALLEE);
        scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
        let callee_runs = callee.plays("callee_answers", switch);
        let caller_runs = caller.plays("caller_hangs_up", switch);
        caller_runs.receives("200");
        let (from_caller, from_callee) =
            (caller_runs.audio_of_switch(), callee_runs.audio_of_switch());
        let talk = Talk { caller, callee, caller_runs, callee_runs, from_caller, from_callee };
        talk.caller.audio.says(from_caller, Codec::Pcmu, OF_CALLER);
        talk.callee.audio.says(from_callee, Codec::Pcmu, OF_CALLEE);
        talk.both_hear();
        talk
    }

    /// Waits until each hears the other and nobody else.
    pub(crate) fn both_hear(&self) {
        self.callee.audio.hears(Codec::Pcmu, OF_CALLER);
        self.caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    }

    /// Does something meanwhile; fails where more than this share of the audio is lost.
    pub(crate) fn loses_less_than<T>(&self, share: f64, meanwhile: impl FnOnce() -> T) -> T {
        let audios = [&self.caller.audio, &self.callee.audio];
        let before = audios.map(|audio| audio.heard().len());
        let done = meanwhile();
        // What was sent meanwhile has arrived when as much again has.
        for audio in audios {
            let now = audio.heard().len();
            wait_for("more audio", || (audio.heard().len() > now + 25).then_some(()));
        }
        self.both_hear();
        for (audio, before) in audios.into_iter().zip(before) {
            let lost = audio.lost_since(before);
            assert!(lost < share, "{lost} of the audio was lost");
        }
        done
    }

    /// Waits until the caller has hung up.
    pub(crate) fn ends(self) {
        self.caller_runs.finishes();
        self.callee_runs.finishes();
    }
}
