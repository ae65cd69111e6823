//! What must hold of screening: nobody is connected before its confirmHook was answered well, or
//! after it was not; nobody hears a callee, or is heard by it, while it is screened.
//!
//! Which hooks screen the judge is told ([`Judge::screened_by`]). What a list leads to it reads
//! roughly: a list that hangs up, and asks nobody before, accepts nobody.

use std::collections::{BTreeMap, BTreeSet};

use call::{CallKey, HookFailure, HookId, LegId};
use serde_json::Value;

use super::Judge;
use super::crossings::Crossing;

/// What may stand in the list of a callee that is not connected yet.
const ALLOWED: [&str; 11] = [
    "say",
    "play",
    "gather",
    "pause",
    "hangup",
    "tag",
    "config",
    "dtmf",
    "sip:request",
    "listen",
    "transcribe",
];

/// What the judge was told of an application.
#[derive(Clone, Debug, Default)]
pub(super) struct Confirming {
    /// The hooks that screen, as the requests name them.
    urls: BTreeSet<String>,
    /// Each dial screens all of its callees.
    everybody: bool,
    /// Those that are being asked.
    pub(super) asked: BTreeMap<(CallKey, HookId), LegId>,
    /// Screenings that ended since the switch was last told something, and whether undecided.
    ended: Vec<(CallKey, LegId, bool)>,
}

/// A callee that answered and is not connected yet.
#[derive(Clone, Debug)]
pub(super) struct Screening {
    /// What is asked for it.
    awaits: Option<HookId>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its confirmHook is being asked.
    Asked,
    /// A list runs.
    Runs {
        /// Its end may be consent.
        may_win: bool,
        /// It hangs up, unless another list takes its place before.
        hangs_up: bool,
    },
    /// It was accepted.
    Accepted,
    /// It was declined.
    Declined,
}

impl State {
    /// Of a callee that runs this list.
    fn running(list: &[Value]) -> State {
        let verbs: Vec<&str> = list.iter().filter_map(|verb| verb["verb"].as_str()).collect();
        if verbs.iter().any(|verb| !ALLOWED.contains(verb)) {
            return State::Declined;
        }
        let place = |name: &str| verbs.iter().position(|verb| *verb == name);
        let asks = list.iter().position(|verb| verb.get("actionHook").is_some());
        let hangs_up = place("hangup");
        let may_win = hangs_up.is_none_or(|end| asks.is_some_and(|asks| asks < end));
        State::Runs { may_win, hangs_up: hangs_up.is_some() }
    }

    /// After the answer of its confirmHook.
    fn confirmed(reply: &Result<Option<String>, HookFailure>) -> State {
        let text = match reply {
            Err(_) => return State::Declined,
            Ok(None) => return State::Accepted,
            Ok(Some(text)) => text.trim(),
        };
        match serde_json::from_str::<Vec<Value>>(text) {
            _ if !text.starts_with('[') => State::Accepted,
            Ok(list) if list.is_empty() => State::Accepted,
            Ok(list) => State::running(&list),
            Err(_) => State::Declined,
        }
    }

    /// After the answer of a hook that its list asked.
    fn answered(self, reply: &Result<Option<String>, HookFailure>) -> State {
        let list = match reply {
            Ok(Some(text)) => serde_json::from_str::<Vec<Value>>(text).unwrap_or_default(),
            Ok(None) | Err(_) => Vec::new(),
        };
        match self {
            State::Runs { hangs_up, .. } if list.is_empty() => {
                State::Runs { may_win: !hangs_up, hangs_up }
            }
            State::Runs { .. } => State::running(&list),
            other => other,
        }
    }

    fn is_undecided(self) -> bool {
        matches!(self, State::Asked | State::Runs { .. })
    }
}

impl Judge {
    /// The same judge, who knows that these hooks screen callees; with `everybody` all callees of
    /// all dials.
    #[must_use]
    pub fn screened_by(mut self, urls: &[String], everybody: bool) -> Judge {
        self.confirming.urls.extend(urls.iter().cloned());
        self.confirming.everybody = everybody;
        self
    }

    /// A hook is asked; whether a confirmHook.
    pub(super) fn hook_asked(&mut self, key: CallKey, hook: HookId, url: &str, payload: &Value) {
        let sid = payload["call_sid"].as_str();
        let of_sid = self.called.values().filter(|called| called.call_sid.as_deref() == sid);
        let latest = of_sid.filter(|_| sid.is_some()).max_by_key(|called| called.number);
        let Some((_, leg)) = latest.map(|called| called.leg) else { return };
        if !self.confirming.urls.contains(url) {
            // why: of the hooks that are asked meanwhile only those of verbs have a reason, and
            // they alone can change its list.
            if let Some(screening) = self.screenings.get_mut(&(key, leg))
                && payload.get("reason").is_some()
            {
                screening.awaits = Some(hook);
            }
            return;
        }
        if self.is_anybody_screened(key) {
            self.meter.count(Crossing::ScreenedSideBySide);
        }
        if self.sounds.connected((key, leg)).is_some() {
            self.meter.count(Crossing::EarlyMediaGivesWay);
        }
        self.confirming.asked.insert((key, hook), leg);
        let screening = Screening { awaits: Some(hook), state: State::Asked };
        self.screenings.insert((key, leg), screening);
    }

    /// A hook answers.
    pub(super) fn hook_answers(
        &mut self,
        key: CallKey,
        hook: HookId,
        reply: &Result<Option<String>, HookFailure>,
    ) {
        let confirms = self.confirming.asked.remove(&(key, hook)).is_some();
        let waits = |(of, screening): &(&(CallKey, LegId), &mut Screening)| {
            of.0 == key && screening.awaits == Some(hook)
        };
        let Some((_, screening)) = self.screenings.iter_mut().find(waits) else {
            if confirms {
                self.meter.count(Crossing::ConfirmAnswersTooLate);
            }
            return;
        };
        screening.awaits = None;
        screening.state = match screening.state {
            State::Asked => State::confirmed(reply),
            state => state.answered(reply),
        };
        if confirms && reply.is_err() {
            self.meter.count(Crossing::ConfirmFails);
        }
    }

    /// Somebody of this call is screened.
    pub(super) fn is_anybody_screened(&self, key: CallKey) -> bool {
        let mut screenings = self.screenings.iter();
        screenings.any(|((of, _), screening)| *of == key && screening.state.is_undecided())
    }

    /// A callee that answered is connected.
    pub(super) fn is_accepted(&mut self, key: CallKey, leg: LegId) -> Result<(), String> {
        let Some(screening) = self.screenings.remove(&(key, leg)) else {
            let unscreened = self.call(key).unscreened || self.joined.contains(&(key, leg));
            return match self.confirming.everybody && !unscreened {
                true => Err(format!("{leg} is connected, and its confirmHook was not asked")),
                false => Ok(()),
            };
        };
        // why: the others are given up before the winner is connected.
        if self.confirming.ended.iter().any(|(of, _, undecided)| *of == key && *undecided) {
            self.meter.count(Crossing::AcceptedWhileAnotherIsScreened);
        }
        match screening.state {
            State::Accepted | State::Runs { may_win: true, .. } => Ok(()),
            state => Err(format!("{leg} is connected, and its screening is {state:?}")),
        }
    }

    /// The port of a leg is closed, which may have been screened.
    pub(super) fn screening_ends(&mut self, key: CallKey, leg: LegId) {
        if let Some(screening) = self.screenings.remove(&(key, leg)) {
            self.confirming.ended.push((key, leg, screening.state.is_undecided()));
        }
    }

    /// What the end of a screening crossed.
    fn screening_ended(&mut self, key: CallKey, leg: LegId, undecided: bool) {
        let call = self.calls.entry(key).or_default();
        if call.winner.is_some() || call.over || call.cancelled || call.hung_up {
            return;
        }
        let hung_up = self.called.values().any(|called| called.leg == (key, leg) && called.left());
        if hung_up && undecided {
            self.meter.count(Crossing::CalleeGoneWhileScreened);
        }
        if self.called.values().any(|called| called.leg.0 == key && called.rings()) {
            self.meter.count(Crossing::DeclinedWhileOthersRing);
        }
    }

    /// How screenings stand, once the switch has done all that it wants to.
    pub(super) fn screenings_settled(&mut self) -> Result<(), String> {
        for (key, leg, undecided) in std::mem::take(&mut self.confirming.ended) {
            self.screening_ended(key, leg, undecided);
        }
        for ((key, leg), screening) in &self.screenings {
            match screening.state {
                State::Accepted => return Err(format!("{leg} is accepted and not connected")),
                State::Declined => return Err(format!("{leg} is declined and not hung up")),
                State::Asked | State::Runs { .. } => {
                    if let Some(other) = self.sounds.connected((*key, *leg)) {
                        return Err(format!("{leg} is screened, and {other} hears it"));
                    }
                }
            }
        }
        let keys: Vec<CallKey> = self.calls.keys().copied().collect();
        for key in keys {
            let cancelled = std::mem::take(&mut self.call(key).gave_up);
            if cancelled && self.is_anybody_screened(key) && self.call(key).winner.is_none() {
                self.meter.count(Crossing::ScreenedWhenRingTimeEnds);
            }
        }
        Ok(())
    }
}
