//! A caller and a callee made of sipp and audio, connected by a dial, that do step by step what a
//! test says.

use media::Codec;
use serde_json::{Value, json};

use super::phone::Phone;
use super::scene::{CALLEE, CALLER, Scene, dial};
use super::sipp::Run;
use super::steps::Steps;
use super::switch::Switch;
use super::wait_for;

/// What each says.
pub(crate) const OF_CALLER: f64 = 700.0;
pub(crate) const OF_CALLEE: f64 = 1100.0;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) caller: Phone,
    pub(crate) callee: Phone,
    pub(crate) caller_runs: Run,
    pub(crate) callee_runs: Run,
}

/// A caller that hangs up when it is let go on.
pub(crate) fn caller() -> Steps {
    Steps::of_caller().is_answered().waits().hangs_up()
}

/// A callee that rings, answers, and waits for the end.
pub(crate) fn callee() -> Steps {
    Steps::of_callee().rings().answers().is_hung_up()
}

impl Pair {
    /// Both are there. `more` adds properties to the dial, which waits for the callee.
    pub(crate) fn connected(
        scene: &Scene,
        switch: &Switch,
        (caller, callee): (Steps, Steps),
        more: &Value,
    ) -> Pair {
        let caller = scene.phone(CALLER).with("steps", caller);
        let callee = scene.phone(CALLEE).with("steps", callee);
        let mut more = more.clone();
        more["answerOnBridge"] = json!(true);
        scene.app.runs("/incoming", &dial(&[&callee], &more));
        let callee_runs = callee.plays("callee_by_steps", switch);
        let caller_runs = caller.plays("caller_by_steps", switch);
        caller_runs.receives("200");
        callee_runs.receives("ACK");
        Pair { caller, callee, caller_runs, callee_runs }
    }

    /// The same, and each is heard by the other.
    pub(crate) fn talking(
        scene: &Scene,
        switch: &Switch,
        steps: (Steps, Steps),
        more: &Value,
    ) -> Pair {
        let pair = Pair::connected(scene, switch, steps, more);
        pair.caller.audio.says(pair.caller_runs.audio_of_switch(), Codec::Pcmu, OF_CALLER);
        pair.callee.audio.says(pair.callee_runs.audio_of_switch(), Codec::Pcmu, OF_CALLEE);
        pair.both_hear();
        pair
    }

    /// Waits until each hears the other and nothing else.
    pub(crate) fn both_hear(&self) {
        self.callee.audio.hears(Codec::Pcmu, OF_CALLER);
        self.caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    }

    /// A step of the caller, which waits at its end, lets it hang up.
    pub(crate) fn ends(self) {
        self.caller_runs.proceeds();
        self.caller_runs.finishes();
        self.callee_runs.finishes();
    }
}

/// `call_sid` of the caller.
pub(crate) fn parent(scene: &Scene) -> String {
    sid(&scene.app.is_asked("/incoming").json)
}

/// `call_sid` of the callee.
pub(crate) fn child(scene: &Scene) -> String {
    let event = wait_for("an event of the callee", || {
        let mut events = scene.app.requests("/status").into_iter();
        events.find(|event| event.json["direction"] == "outbound")
    });
    sid(&event.json)
}

fn sid(payload: &Value) -> String {
    payload["call_sid"].as_str().unwrap_or_default().to_owned()
}
