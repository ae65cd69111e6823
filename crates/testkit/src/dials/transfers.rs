//! Who refers whom in a random dial, what its hook answers, and how phones that hold say so. Half
//! of all dials have nothing of it.

use std::time::Duration;

use call::settings::ReferPolicy;
use serde_json::{Value, json};

use super::manner::{CONFIRM, SOUNDS, Talk};
use super::plan::{self, CALLER, DONE};
use crate::application::Answer;
use crate::random::Random;
use crate::script::{Callee, Offer, Outcome, Refer, ReferTo};
use crate::world::SWITCH;

/// The hook of a REFER.
pub(super) const REFER: &str = "/refer";

/// A user of the switch, who is callee 4.
pub(super) const USER: &str = "jane";

/// What a seed decides of transfers.
#[derive(Clone, Debug)]
pub struct Transfers {
    /// What the switch does with a REFER for which no hook is asked.
    pub policy: ReferPolicy,
    /// Callee 4 is registered as a user.
    pub has_user: bool,
    /// What the hooks of REFERs answer, in order; the last repeats.
    pub answers: Vec<Answer>,
    /// How long the application thinks about one.
    pub thinks: Duration,
    /// What each phone sends, callees first.
    pub refers: Vec<Vec<Refer>>,
    /// Which phones hold by UPDATE.
    pub updates: Vec<bool>,
    /// A program calls callee 1 then, so that it is in two calls.
    pub second_call: Option<Duration>,
    /// The caller is in no hurry.
    pub patient: bool,
}

impl Default for Transfers {
    fn default() -> Transfers {
        Transfers {
            policy: ReferPolicy::Refuse,
            has_user: false,
            answers: Vec::new(),
            thinks: Duration::ZERO,
            refers: Vec::new(),
            updates: Vec::new(),
            second_call: None,
            patient: false,
        }
    }
}

fn s(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// What a hook answers: nothing, a list for the other party, or that it may not.
fn answer(random: &mut Random, screens: bool) -> Answer {
    let list = match random.below(10) {
        0..=1 => return Answer::Empty,
        2 => return Answer::Status(*random.pick(&[403, 404, 500, 603])),
        3 => return Answer::Fails,
        4 => json!([{ "verb": "hangup" }]),
        5 => json!([{ "verb": "play", "url": SOUNDS[0].0 }, { "verb": "pause", "length": 1 }]),
        _ => json!([dial(random, screens)]),
    };
    Answer::List(list.to_string())
}

/// The dial of a party that is transferred.
fn dial(random: &mut Random, screens: bool) -> Value {
    let number = u8::try_from(random.below(4) + 1).unwrap_or(1);
    let mut dial = json!({
        "verb": "dial", "actionHook": DONE, "timeout": *random.pick(&[2, 4, 6]),
        "target": [plan::sip_target(number, true)]
    });
    if random.chance(40) {
        dial["referHook"] = json!(REFER);
    }
    if screens {
        dial["confirmHook"] = json!(CONFIRM);
    }
    dial
}

/// Where a REFER points, of a phone at this place.
fn refer_to(random: &mut Random) -> ReferTo {
    let number = u8::try_from(random.below(4) + 1).unwrap_or(1);
    let switch = SWITCH.ip();
    ReferTo::Address(match random.below(12) {
        0..=2 => format!("<sip:b{number}@{}>", plan::callee_address(number)),
        3..=6 => format!("<sip:{USER}@{switch}>"),
        7 => format!("\"The office\" <sip:+4915112345678@{switch};user=phone>"),
        8 => "<tel:+4915112345678>".to_owned(),
        9 => format!("<sip:nobody@{switch}>"),
        10 => format!("<sip:b1@{switch}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>"),
        _ => return ReferTo::OtherCall(format!("sip:b@{switch}")),
    })
}

fn refer(random: &mut Random, two_calls: bool, after: Duration) -> Refer {
    let to = match two_calls && random.chance(60) {
        true => ReferTo::OtherCall(format!("sip:b@{}", SWITCH.ip())),
        false => refer_to(random),
    };
    let mut headers = Vec::new();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    if random.chance(50) {
        add("Referred-By", format!("<sip:b@{}>", CALLER.ip()));
    }
    if random.chance(20) {
        add("Refer-Sub", "false".to_owned());
    }
    if random.chance(3) {
        // RFC 3515 §2.4.2: there must be one.
        add("Refer-To", "<sip:another@example.com>".to_owned());
    }
    let is_early = random.chance(15);
    Refer { after, is_early, to, headers, leaves: random.chance(50) }
}

/// What one phone sends; `moment` is when others send theirs, and `own` when it does other things.
fn refers(random: &mut Random, two_calls: bool, moment: Duration, own: &[Duration]) -> Vec<Refer> {
    if random.chance(35) {
        return Vec::new();
    }
    let mut refers = Vec::new();
    for _ in 0..=random.below(3) / 2 {
        let after = match random.below(10) {
            0..=2 => moment,
            3..=5 if !own.is_empty() => *random.pick(own),
            _ => random.time(s(0.0)..s(4.0)),
        };
        refers.push(refer(random, two_calls, after));
    }
    if random.chance(10) {
        refers.extend(refers.last().cloned());
    }
    refers
}

/// Some of those who hold do it as others do.
fn vary_offers(random: &mut Random, talk: &mut Talk) {
    for (_, offer) in &mut talk.offers {
        *offer = match *offer {
            Offer::Holds | Offer::Rests if random.chance(30) => Offer::Blanks,
            Offer::Talks if random.chance(40) => Offer::Asks,
            other => other,
        };
    }
}

/// Gives a dial a hook for REFERs, and the user as a target.
fn vary(random: &mut Random, has_user: bool, hooked: u64, dial: &mut Value) {
    if random.chance(hooked) {
        dial["referHook"] = json!(REFER);
    }
    let first = dial["target"].as_array_mut().and_then(|targets| targets.first_mut());
    if let Some(target) = first.filter(|_| has_user && random.chance(30)) {
        *target = json!({ "type": "user", "name": USER });
    }
}

impl Transfers {
    /// What this seed means for these phones, of which the last is the caller's, and for what they
    /// do in a call; the dials of `lists` are changed. With `screens` all dials screen.
    pub(super) fn of(
        seed: u64,
        callees: &mut [Callee],
        talks: &mut [Talk],
        lists: Vec<&mut Value>,
        screens: bool,
    ) -> Transfers {
        let random = &mut Random::new(seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0x12EF);
        talks.iter_mut().for_each(|talk| vary_offers(random, talk));
        let updates = talks.iter().map(|_| random.chance(40)).collect();
        if random.chance(50) {
            return Transfers { updates, ..Transfers::default() };
        }
        let second_call = random.chance(25).then(|| random.time(s(0.0)..s(2.0)));
        let policy = match second_call {
            Some(_) => ReferPolicy::Transfer,
            None => *random.pick(&[ReferPolicy::Refuse, ReferPolicy::Transfer]),
        };
        let has_user = random.chance(70);
        let hooked = if second_call.is_some() { 10 } else { *random.pick(&[0, 60, 100]) };
        let patient = random.chance(60);
        for list in lists {
            let dials = list.as_array_mut().into_iter().flatten();
            for dial in dials.filter(|verb| verb["verb"] == "dial") {
                vary(random, has_user, hooked, dial);
            }
            if random.chance(10)
                && let Some(verbs) = list.as_array_mut()
            {
                verbs.insert(0, json!({ "verb": "config", "referHook": REFER }));
            }
        }
        for callee in callees.iter_mut() {
            // why: a callee may become the caller of a call, and somebody must hang up in the end.
            let hangs_up = random.time(s(0.0)..s(6.0));
            callee.hangs_up.get_or_insert(hangs_up);
            if patient && random.chance(60) {
                // why: of a call that is never answered nobody is transferred.
                callee.outcome = Outcome::Answers(random.time(s(0.0)..s(2.0)));
            }
        }
        let moment = random.time(s(0.0)..s(3.0));
        let mut own: Vec<Vec<Duration>> = Vec::new();
        for place in 0..=callees.len() {
            let hangs_up = callees.get(place).and_then(|callee| callee.hangs_up);
            let talk = talks.get(place).into_iter();
            let offers = talk.clone().flat_map(|talk| talk.offers.iter().map(|(at, _)| *at));
            let keys = talk.flat_map(|talk| talk.keys.iter().map(|(at, _)| *at));
            own.push(hangs_up.into_iter().chain(offers).chain(keys).collect());
        }
        let slow = if random.chance(25) { 5.0 } else { 0.5 };
        let two_calls = |place: usize| place == 0 && second_call.is_some();
        Transfers {
            policy,
            has_user,
            answers: (0..=random.below(3)).map(|_| answer(random, screens)).collect(),
            thinks: random.time(s(0.0)..s(slow)),
            refers: (0..)
                .zip(own)
                .map(|(place, own)| refers(random, two_calls(place), moment, &own))
                .collect(),
            updates,
            second_call,
            patient,
        }
    }
}
