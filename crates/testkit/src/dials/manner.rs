//! How a dial is run: who is screened and by what, who is called when, what is heard meanwhile,
//! who presses keys and who holds. Half of all dials have nothing of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::plan::DONE;
use crate::application::Answer;
use crate::random::Random;
use crate::script::Offer;

/// Hooks that screen: of dials, and of targets.
pub(super) const CONFIRM: &str = "/confirm";
pub(super) const CONFIRM_TARGET: &str = "/confirm-target";
/// What a `gather` asks.
const KEY: &str = "/key";
const HOLD: &str = "/hold";
const DTMF: &str = "/dtmf";
const PROGRESS: &str = "/progress";

/// Audio that can be had, and how long it is.
pub(super) const SOUNDS: [(&str, Duration); 3] = [
    ("http://sounds.test/note.wav", Duration::from_millis(700)),
    ("http://sounds.test/music.wav", Duration::from_secs(2)),
    ("tone_stream://L=3;%(200,100,1400)", Duration::from_millis(900)),
];

/// Audio that cannot.
const NO_SOUND: &str = "http://sounds.test/none.wav";

/// What a seed decides of the manner of its dials.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// What the application answers to hooks besides that of a new call and those of results, in
    /// order; the last of a URL repeats.
    pub answers: Vec<(String, Answer)>,
    /// How long it thinks about whether a callee may be connected.
    pub confirming: Duration,
    /// Every dial screens every callee.
    pub screens_everybody: bool,
    /// What each phone does in a call, callees first.
    pub talks: Vec<Talk>,
    /// The operator has music for those who are held.
    pub hold_music: bool,
    /// How long audio takes to be fetched.
    pub fetching: Duration,
    /// How long it takes to hear that audio has ended.
    pub sound_lag: Duration,
}

/// What a phone does in a call, since it was answered.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// How it changes the session.
    pub offers: Vec<(Duration, Offer)>,
    /// What it presses.
    pub keys: Vec<(Duration, char)>,
}

fn s(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn sound(random: &mut Random) -> &'static str {
    if random.chance(25) { NO_SOUND } else { SOUNDS[usize::from(random.chance(50))].0 }
}

/// What a confirmHook answers.
fn confirms(random: &mut Random) -> Answer {
    let pause = json!({ "verb": "pause", "length": random.below(4) });
    let play = json!({ "verb": "play", "url": sound(random) });
    let gather = json!({
        "verb": "gather", "numDigits": 1, "timeout": 1 + random.below(2), "actionHook": KEY,
        "play": play
    });
    let hangup = json!({ "verb": "hangup" });
    let dial = json!({ "verb": "dial", "actionHook": DONE, "target": [] });
    let request = json!({ "verb": "sip:request", "method": "INFO", "actionHook": KEY });
    let list = match random.below(16) {
        0 => return Answer::Empty,
        1 => json!([]),
        2..=4 => json!([pause]),
        5..=6 => json!([play, pause]),
        7..=9 => json!([gather, hangup]),
        10 => json!([pause, hangup]),
        11 => json!([pause, dial]),
        12 => return if random.chance(50) { Answer::Fails } else { Answer::Status(500) },
        13..=14 => json!([request, hangup]),
        _ => json!([{ "verb": "pause", "length": 60 }]),
    };
    Answer::List(list.to_string())
}

/// What the hook of a `gather` or a `sip:request` answers.
fn decides(random: &mut Random) -> Answer {
    let dial = json!({ "verb": "dial", "actionHook": DONE, "target": [] });
    match random.below(4) {
        0 => Answer::Empty,
        1 => Answer::List(json!([{ "verb": "hangup" }]).to_string()),
        2 => Answer::List(json!([{ "verb": "pause", "length": 1 }, dial]).to_string()),
        _ => Answer::List(json!([{ "verb": "pause", "length": 1 }]).to_string()),
    }
}

fn talk(random: &mut Random) -> Talk {
    let mut talk = Talk::default();
    if random.chance(30) {
        let at = random.time(s(0.0)..s(4.0));
        let holds = *random.pick(&[Offer::Holds, Offer::Rests]);
        talk.offers.push((at, holds));
        if random.chance(60) {
            talk.offers.push((at + random.time(s(0.0)..s(3.0)), Offer::Talks));
        }
    }
    if random.chance(60) {
        for _ in 0..=random.below(4) {
            talk.keys.push((random.time(s(0.0)..s(4.0)), *random.pick(&['1', '2', '3', '*'])));
        }
    }
    talk
}

impl Manner {
    /// What this seed means for so many phones, the caller's included; the dials of `lists` are
    /// changed.
    pub(super) fn of(seed: u64, phones: usize, lists: Vec<&mut Value>) -> Manner {
        let random = &mut Random::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5C4E);
        let mut manner = Manner { fetching: s(0.01), ..Manner::default() };
        if random.chance(50) {
            return manner;
        }
        let screens = random.chance(60);
        manner.screens_everybody = screens;
        for list in lists {
            let dials = list.as_array_mut().into_iter().flatten();
            for dial in dials.filter(|verb| verb["verb"] == "dial") {
                vary(random, dial, screens);
            }
        }
        let answers = |random: &mut Random, url: &str, answer: fn(&mut Random) -> Answer| {
            (0..=random.below(3)).map(|_| (url.to_owned(), answer(random))).collect::<Vec<_>>()
        };
        for (url, answer) in [
            (CONFIRM, confirms as fn(&mut Random) -> Answer),
            (CONFIRM_TARGET, confirms),
            (KEY, decides),
        ] {
            manner.answers.extend(answers(random, url, answer));
        }
        let held = json!([{ "verb": "play", "url": sound(random) }, { "verb": "pause" }]);
        manner.answers.push((HOLD.to_owned(), Answer::List(held.to_string())));
        let longest = if random.chance(20) { 5.0 } else { 0.5 };
        manner.confirming = random.time(s(0.0)..s(longest));
        manner.talks = (0..phones).map(|_| talk(random)).collect();
        manner.hold_music = random.chance(50);
        manner.fetching = random.time(s(0.0)..s(0.5));
        manner.sound_lag = random.time(s(0.0)..s(0.4));
        manner
    }
}

/// Gives a dial some of what it may have.
fn vary(random: &mut Random, dial: &mut Value, screens: bool) {
    if screens {
        dial["confirmHook"] = json!(CONFIRM);
    }
    if random.chance(60) {
        dial["earlyMedia"] = json!(*random.pick(&["auto", "first", "priority", "none"]));
    }
    if random.chance(25) {
        dial["dialMusic"] = json!(sound(random));
    }
    if random.chance(20) {
        dial["ringback"] = json!(*random.pick(&["none", "de", SOUNDS[0].0, NO_SOUND]));
    }
    if random.chance(if screens { 10 } else { 30 }) {
        dial["strategy"] = json!("hunt");
    }
    if random.chance(20) {
        dial["progressTimeout"] = json!(1);
    }
    if random.chance(25) {
        dial["progressHook"] = json!(PROGRESS);
    }
    if random.chance(40) {
        dial["dtmfHook"] = json!(DTMF);
        dial["dtmfCapture"] = json!({ "childCall": ["1", "*2"], "parentCall": ["3", "33"] });
    }
    if random.chance(50) {
        dial["onHoldHook"] = json!(HOLD);
    }
    if dial.get("timeLimit").is_some() && random.chance(60) {
        dial["timeLimitWarning"] = json!({ "before": 1 });
        if random.chance(30) {
            dial["timeLimitWarning"]["play"] = json!(sound(random));
        }
    }
    let targets = dial["target"].as_array_mut();
    targets.into_iter().flatten().for_each(|target| vary_target(random, target));
}

/// The same for one of its targets.
fn vary_target(random: &mut Random, target: &mut Value) {
    if random.chance(25) {
        target["timeout"] = json!(1 + random.below(4));
    }
    if random.chance(15) {
        target["priority"] = json!(random.below(3));
    }
    if random.chance(10) {
        target["delay"] = json!(random.below(3));
    }
    if random.chance(10) {
        target["confirmHook"] = json!(CONFIRM_TARGET);
    }
}
