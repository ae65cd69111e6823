//! What must hold of what is told: the events of each leg and their order, its record, and the
//! result of each dial.

use call::{CallKey, LegId, LegRecord};
use serde_json::Value;

use super::Judge;
use super::crossings::Crossing;

/// A target that is called so long after another was called when that one had rung for long enough.
/// No dial of the tests has targets with a delay as long.
const NEXT_CALLED_MS: u64 = 1000;

/// Where the events of a leg stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Trying,
    Ringing,
    Up,
    Over,
}

/// One leg that the application was told of.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) key: CallKey,
    pub(super) is_child: bool,
    stage: Stage,
    recorded: bool,
}

impl Life {
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    pub(super) fn is_up(&self) -> bool {
        self.stage == Stage::Up
    }
}

/// A list of verbs with a dial that tells no result.
pub(super) fn keeps_silent(list: &str) -> bool {
    if !list.contains("\"dial\"") {
        return false;
    }
    let verbs: Vec<Value> = serde_json::from_str(list).unwrap_or_default();
    let dials = verbs.iter().filter_map(|verb| match verb["verb"] == "dial" {
        true => Some(verb),
        false => verb.get("dial"),
    });
    dials.into_iter().any(|dial| dial.get("actionHook").is_none())
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Judge {
    /// The application is told how a leg stands.
    pub(super) fn event(&mut self, key: CallKey, event: &Value) -> Result<(), String> {
        let (sid, status) = (word(event, "call_sid"), word(event, "call_status"));
        let parent = event.get("parent_call_sid").and_then(Value::as_str);
        let stage = match status {
            "trying" => Stage::Trying,
            "ringing" | "early-media" => Stage::Ringing,
            "in-progress" => Stage::Up,
            "completed" | "busy" | "no-answer" | "failed" => Stage::Over,
            _ => return Err(format!("{sid}: {status:?} is no call_status of an event")),
        };
        if let Some(parent) = parent.filter(|parent| !self.lives.contains_key(*parent)) {
            return Err(format!("{sid} is told of before its parent {parent}"));
        }
        let before = self.lives.get(sid).map(|life| life.stage);
        let follows = match (before, stage) {
            (None, Stage::Trying) => true,
            (Some(Stage::Trying | Stage::Ringing), Stage::Ringing | Stage::Up) => true,
            (Some(Stage::Trying | Stage::Ringing), Stage::Over) => status != "completed",
            (Some(Stage::Up), Stage::Over) => status == "completed",
            _ => false,
        };
        if !follows {
            return Err(format!("{sid}: {status} follows {before:?}"));
        }
        let life = Life { key, is_child: parent.is_some(), stage, recorded: false };
        self.lives.insert(sid.to_owned(), life);
        self.note_leg(key, event, stage);
        Ok(())
    }

    /// Which INVITE this leg is.
    fn note_leg(&mut self, key: CallKey, event: &Value, stage: Stage) {
        let (sid, call_id) = (word(event, "call_sid"), word(event, "call_id"));
        let child = event.get("parent_call_sid").is_some();
        if let Some(caller) = self.callers.get_mut(call_id).filter(|_| !child) {
            caller.leg = Some((key, LegId::CALLER));
            caller.call_sid = Some(sid.to_owned());
        }
        if let Some(called) = self.called.get_mut(call_id) {
            called.call_sid = Some(sid.to_owned());
            called.is_caller |= !child && stage == Stage::Up;
        }
        let call = self.call(key);
        if child && stage == Stage::Trying {
            call.unreported.insert(sid.to_owned());
        }
        let of_caller = !child || call.caller_sid.as_deref() == Some(sid);
        call.over |= of_caller && stage == Stage::Over;
    }

    /// The application was told that the leg of this dialog is over.
    pub(super) fn is_told_over(&self, call_id: &str) -> bool {
        let of_caller = self.callers.get(call_id).map(|caller| &caller.call_sid);
        let sid = of_caller.or_else(|| self.called.get(call_id).map(|called| &called.call_sid));
        let life = sid.and_then(|sid| self.lives.get(sid.as_ref()?));
        life.is_some_and(Life::is_over)
    }

    /// A leg is of another call from now on, as its caller or not.
    pub(super) fn lives_on(&mut self, call_sid: &str, key: CallKey, as_caller: bool) {
        if let Some(life) = self.lives.get_mut(call_sid) {
            (life.key, life.is_child) = (key, !as_caller);
        }
    }

    /// What is kept of a leg: in its own order, complete once.
    pub(super) fn record(&mut self, record: &LegRecord) -> Result<(), String> {
        let sid = &record.call_sid;
        let times = [record.attempted_at, record.answered_at, record.ended_at];
        if !times.iter().flatten().is_sorted() {
            return Err(format!("the record of {sid} runs backwards: {record:?}"));
        }
        let Some(life) = self.lives.get_mut(sid) else {
            return Err(format!("a record of {sid}, which was never told of"));
        };
        let up =
            matches!(life.stage, Stage::Up) || word(&record.event, "call_status") == "completed";
        if record.ended_at.is_some() != life.is_over() || record.answered_at.is_some() != up {
            return Err(format!("the record of {sid} is not what was told: {record:?}"));
        }
        life.recorded = true;
        Ok(())
    }

    /// The application is asked with the result of a dial.
    pub(super) fn result(&mut self, key: CallKey, payload: &Value) -> Result<(), String> {
        if payload["dial_status"] != payload["dial_call_status"] {
            return Err(format!("dial_status and dial_call_status differ: {payload}"));
        }
        let targets = payload["dial_targets"].as_array().ok_or("no dial_targets")?;
        for target in targets {
            self.target(key, target)?;
        }
        let won: Vec<&str> = targets
            .iter()
            .filter(|target| target["call_status"] == "completed")
            .map(|target| word(target, "call_sid"))
            .collect();
        let completed = payload["dial_call_status"] == "completed";
        let call = self.call(key);
        let connected = call.winner.take().or(call.last_winner.take());
        call.bridge = None;
        let held = !std::mem::take(&mut call.holders).is_empty();
        call.results += 1;
        // why: a dial without actionHook may have called it before.
        let silent = if call.keeps_silent { None } else { call.unreported.pop_first() };
        if let Some(silent) = silent {
            return Err(format!("the callee {silent} is in no result: {payload}"));
        }
        if held {
            self.meter.count(Crossing::HeldWhenBridgeEnds);
        }
        self.note_order(targets);
        if won.len() != usize::from(completed) || completed != connected.is_some() {
            return Err(format!("{connected:?} was connected, and the result is {payload}"));
        }
        let leg = connected.and_then(|leg| {
            let mut called = self.called.values();
            called.find(|called| {
                called.leg == (key, leg) && called.call_sid.as_deref() == won.first().copied()
            })
        });
        if completed && (leg.is_none() || won.first() != Some(&word(payload, "dial_call_sid"))) {
            return Err(format!("another callee was connected than the result says: {payload}"));
        }
        Ok(())
    }

    /// Targets that were given up for another.
    fn note_order(&mut self, targets: &[Value]) {
        let lost = |target: &&Value, because: &str| target["lost_because"] == because;
        let times = |target: &Value, name: &str| -> Vec<u64> {
            let attempts = target["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
            attempts.iter().filter_map(|attempt| attempt[name].as_u64()).collect()
        };
        for _ in targets.iter().filter(|target| lost(target, "progress-timeout")) {
            self.meter.count(Crossing::NeverRang);
        }
        for early in targets.iter().filter(|target| lost(target, "ring-timeout")) {
            let begun = times(early, "trying_ms").into_iter().max();
            let later = |target: &Value| {
                let first = times(target, "trying_ms").into_iter().min();
                first.zip(begun).is_some_and(|(first, begun)| first >= begun + NEXT_CALLED_MS)
            };
            if targets.iter().any(later) {
                self.meter.count(Crossing::NextTargetCalled);
            }
        }
    }

    /// One target of a result: its attempts in their order, and why it lost.
    fn target(&mut self, key: CallKey, target: &Value) -> Result<(), String> {
        let won = target["call_status"] == "completed";
        let because = target["lost_because"].as_str();
        if won != because.is_none() {
            return Err(format!("a target lost without a reason, or won with one: {target}"));
        }
        let attempts = target["attempts"].as_array().ok_or("no attempts")?;
        for attempt in attempts {
            let at = |name: &str| attempt[name].as_u64();
            let rang = [at("trying_ms"), at("ringing_ms"), at("answered_ms"), at("ended_ms")];
            let heard = [at("trying_ms"), at("early_media_ms"), at("answered_ms"), at("ended_ms")];
            let ordered = [rang, heard].iter().all(|times| times.iter().flatten().is_sorted());
            if !ordered {
                return Err(format!("an attempt runs backwards: {attempt}"));
            }
            let sid = word(attempt, "call_sid");
            self.call(key).unreported.remove(sid);
            let named = |called: &&mut super::Called| called.call_sid.as_deref() == Some(sid);
            for called in self.called.values_mut().filter(named) {
                called.lost_because = because.map(str::to_owned);
            }
        }
        let answered = attempts.iter().any(|attempt| attempt["answered_ms"].is_u64());
        if won && !answered {
            return Err(format!("a target won and never answered: {target}"));
        }
        if attempts.len() > 1 {
            let moved = attempts.iter().any(|attempt| {
                attempt["sip_status"].as_u64().is_some_and(|status| (300..400).contains(&status))
            });
            let crossing =
                if moved { Crossing::RedirectionFollowed } else { Crossing::NextWayTried };
            self.meter.count(crossing);
        }
        Ok(())
    }

    /// Every leg has ended, every callee is in the result of one dial.
    pub(super) fn told_at_rest(&self) -> Result<(), String> {
        for (sid, life) in &self.lives {
            if !life.is_over() || !life.recorded {
                return Err(format!("{sid} has no end, or no record: {life:?}"));
            }
        }
        for call in self.calls.values().filter(|call| !call.keeps_silent) {
            if let Some(silent) = call.unreported.first() {
                return Err(format!("the callee {silent} was called and is in no result"));
            }
        }
        Ok(())
    }
}
