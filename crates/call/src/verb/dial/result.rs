//! How a dial ended: the truth of every target while it runs, the one outcome at its end, and the
//! payload that tells the application, exactly once.

use std::time::{Duration, Instant};

use verbs::Target;
use verbs::callback::{Attempt as AttemptReport, DialProgress, DialResult, DialTarget};
use verbs::status::{self, DialStatus, LostBecause, Outcome, TargetStatus};

use crate::call::{Call, Context};
use crate::effect::{Effect, Media};
use crate::hook::Why;
use crate::leg::callee_leg::Leg;
use crate::leg::{LegId, callee};
use crate::route::{Attempt, Unroutable};
use crate::script::Stage;
use crate::timer::Timer;
use crate::verb::dial::Dial;
use crate::verb::dial::ring::State;

/// How the race ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nobody is left to answer.
    Failed,
    /// Time or the caller ran out.
    NoAnswer,
    /// A callee was connected, and is gone.
    Completed,
}

/// What became of one target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) skipped: Option<LostBecause>,
    pub(crate) unroutable: Option<Unroutable>,
    pub(crate) attempts: Vec<AttemptRecord>,
    /// Redirections that were followed.
    pub(crate) redirections: u8,
    /// What a progressHook was told last.
    told: Option<DialTarget>,
}

/// What became of one INVITE of a target.
#[derive(Clone, Debug)]
pub(crate) struct AttemptRecord {
    call_sid: String,
    uri: String,
    gateway: Option<String>,
    user: Option<String>,
    trying: Option<Instant>,
    ringing: Option<Instant>,
    early_media: Option<Instant>,
    answered: Option<Instant>,
    ended: Option<Instant>,
    sip_status: Option<u16>,
    sip_reason: Option<String>,
    lost_because: Option<LostBecause>,
    sip_call_id: Option<String>,
    /// The next hop had another address, which stands for the target from then on.
    fruitless: bool,
}

impl Record {
    /// Whoever is reached this way was called already: the same URI, or the same user of ours.
    pub(crate) fn tried(&self, way: &Attempt) -> bool {
        let same_user = |attempt: &AttemptRecord| way.user.is_some() && attempt.user == way.user;
        self.attempts.iter().any(|attempt| attempt.uri == way.uri || same_user(attempt))
    }

    /// What became of this attempt is not what became of the target: others take its place.
    pub(crate) fn stands_no_more(&mut self, attempt: usize) {
        if let Some(attempt) = self.attempts.get_mut(attempt) {
            attempt.fruitless = true;
        }
    }

    /// The failure that stands for this target: of several contacts the best, as of several
    /// targets.
    fn failure(&self) -> Option<Failure<'_>> {
        if let Some(why) = &self.unroutable {
            return Some((None, why.status, &why.reason));
        }
        let attempts = self.attempts.iter().filter(|attempt| !attempt.fruitless);
        best_of(attempts.filter_map(AttemptRecord::failure).collect())
    }

    /// The attempt that stands for this target: the winner, else one that we stopped, else the
    /// one whose failure counts.
    fn standing(&self, winner: Option<&str>) -> Option<&AttemptRecord> {
        let won = |attempt: &&AttemptRecord| winner == Some(attempt.call_sid.as_str());
        let stopped = |attempt: &&AttemptRecord| attempt.lost_because.is_some_and(was_stopped);
        let failure = self.failure().map(|(at, status, _)| (at, status));
        let failed = |attempt: &&AttemptRecord| {
            failure.is_some() && attempt.failure().map(|(at, status, _)| (at, status)) == failure
        };
        // why: what another address of the same next hop took over stands for nothing.
        let attempts = || self.attempts.iter().filter(|attempt| !attempt.fruitless);
        attempts()
            .find(won)
            .or_else(|| attempts().find(stopped))
            .or_else(|| attempts().find(failed))
            .or(self.attempts.first())
    }

    fn report(
        &self,
        index: usize,
        target: &Target,
        dial: &Dial,
        winner: Option<&str>,
    ) -> DialTarget {
        let standing = self.standing(winner);
        let won = winner.is_some() && standing.map(|attempt| attempt.call_sid.as_str()) == winner;
        let lost = self
            .skipped
            .or(self.unroutable.as_ref().map(|why| why.because))
            .or_else(|| standing.and_then(|attempt| attempt.lost_because));
        let stopped = lost.is_some_and(was_stopped);
        let failure = match (stopped, standing) {
            (true, Some(attempt)) => attempt.failure(),
            _ => self.failure(),
        };
        let call_status = match (won, self.skipped, failure) {
            (true, ..) => TargetStatus::Completed,
            (_, Some(_), _) => TargetStatus::Skipped,
            _ if stopped => TargetStatus::NoAnswer,
            (_, _, Some((_, status, _))) => of_failure(status).into(),
            (_, _, None) => TargetStatus::NoAnswer,
        };
        let (sip_status, sip_reason) = match (won, self.skipped, failure) {
            (true, ..) => (Some(200), Some("OK".to_owned())),
            (_, Some(_), _) => (None, None),
            (_, _, Some((_, status, reason))) => (Some(status), Some(reason.to_owned())),
            (_, _, None) if stopped => (Some(487), Some("Request Terminated".to_owned())),
            (_, _, None) => (None, None),
        };
        DialTarget {
            index,
            kind: target.kind(),
            address: target.address().to_owned(),
            trunk: target.trunk().map(str::to_owned),
            call_sid: standing.map(|attempt| attempt.call_sid.clone()),
            call_status,
            sip_status,
            sip_reason,
            lost_because: if won { None } else { lost },
            attempts: self.attempts.iter().map(|attempt| attempt.report(dial.started)).collect(),
        }
    }
}

/// We ended it; its own final response says nothing about it.
fn was_stopped(because: LostBecause) -> bool {
    matches!(
        because,
        LostBecause::AnsweredElsewhere
            | LostBecause::RingTimeout
            | LostBecause::CallerGone
            | LostBecause::Replaced
    )
}

/// One failure: when, its status, its reason phrase.
type Failure<'a> = (Option<Instant>, u16, &'a str);

/// Status of who was not connected: an answer that came to nothing is none.
fn of_failure(status: u16) -> DialStatus {
    if status < 300 { DialStatus::NoAnswer } else { status::of_sip(status) }
}

fn outcome_of_failure(sip_status: u16) -> Outcome {
    Outcome { status: of_failure(sip_status), sip_status }
}

/// The failure that stands for several.
fn best_of<'a>(mut failures: Vec<Failure<'a>>) -> Option<Failure<'a>> {
    failures.sort_by_key(|(at, ..)| *at);
    let outcomes: Vec<Outcome> =
        failures.iter().map(|(_, status, _)| outcome_of_failure(*status)).collect();
    failures.get(status::best(&outcomes)?).copied()
}

impl AttemptRecord {
    pub(crate) fn new(call_sid: String, route: &Attempt) -> AttemptRecord {
        AttemptRecord {
            call_sid,
            uri: route.uri.clone(),
            gateway: route.gateway.clone(),
            user: route.user.clone(),
            trying: None,
            ringing: None,
            early_media: None,
            answered: None,
            ended: None,
            sip_status: None,
            sip_reason: None,
            lost_because: None,
            sip_call_id: None,
            fruitless: false,
        }
    }

    /// The same call once more, from the beginning.
    fn next(&self) -> AttemptRecord {
        AttemptRecord {
            trying: None,
            ringing: None,
            early_media: None,
            ended: None,
            sip_status: None,
            sip_reason: None,
            sip_call_id: None,
            fruitless: false,
            ..self.clone()
        }
    }

    /// Its final status, once it has one; that of a failure, unless it was connected.
    fn failure(&self) -> Option<Failure<'_>> {
        let (status, reason) = (self.sip_status?, self.sip_reason.as_deref()?);
        match self.answered {
            // why: a 2xx that crossed our CANCEL was no answer, and outranks no failure.
            None if status < 300 => Some((self.ended, 487, sip::default_reason(487))),
            _ => Some((self.ended, status, reason)),
        }
    }

    fn report(&self, started: Instant) -> AttemptReport {
        let since = |at: Option<Instant>| at.map(|at| millis(at.duration_since(started)));
        AttemptReport {
            call_sid: self.call_sid.clone(),
            uri: self.uri.clone(),
            gateway: self.gateway.clone(),
            trying_ms: since(self.trying),
            ringing_ms: since(self.ringing),
            early_media_ms: since(self.early_media),
            answered_ms: since(self.answered),
            ended_ms: since(self.ended),
            sip_status: self.sip_status,
            sip_reason: self.sip_reason.clone(),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds as `duration` gives them, rounded.
pub(crate) fn seconds(time: Duration) -> u64 {
    (time + Duration::from_millis(500)).as_secs()
}

impl Call {
    /// The record of a leg, while its dial is the running one.
    fn record(&mut self, id: LegId) -> Option<(&mut AttemptRecord, &Leg)> {
        let leg = self.legs.get(&id)?;
        if leg.dial != self.dials {
            return None;
        }
        let record = self.dial.as_mut()?.records.get_mut(leg.target)?;
        Some((record.attempts.get_mut(leg.attempt)?, leg))
    }

    pub(crate) fn note_trying(&mut self, cx: Context<'_>, id: LegId) {
        if let Some((record, _)) = self.record(id) {
            record.trying = Some(cx.now);
        }
    }

    /// A provisional response, with a session description or without.
    pub(crate) fn note_progress(&mut self, cx: Context<'_>, id: LegId, described: bool) {
        if let Some((record, leg)) = self.record(id) {
            record.sip_call_id.clone_from(&leg.sip_call_id);
            if described {
                record.early_media.get_or_insert(cx.now);
            } else {
                record.ringing.get_or_insert(cx.now);
            }
        }
    }

    pub(crate) fn note_answered(&mut self, cx: Context<'_>, id: LegId) {
        if let Some((record, leg)) = self.record(id) {
            record.sip_call_id.clone_from(&leg.sip_call_id);
            record.answered = Some(cx.now);
            record.sip_status = Some(200);
            record.sip_reason = Some("OK".to_owned());
        }
    }

    pub(crate) fn note_ended(&mut self, cx: Context<'_>, id: LegId) {
        if let Some((record, leg)) = self.record(id) {
            record.sip_call_id.clone_from(&leg.sip_call_id);
            record.ended = Some(cx.now);
            record.lost_because = leg.lost_because;
            // why: who never rang is no less unreachable for the 487 of our CANCEL.
            let silent = leg.lost_because == Some(LostBecause::ProgressTimeout);
            if leg.answered_at.is_none() && !(silent && record.sip_status.is_some()) {
                record.sip_status = Some(leg.sip_status);
                record.sip_reason = Some(leg.sip_reason.clone());
            }
        }
    }

    /// The leg failed at this address, and goes on to the next.
    pub(crate) fn note_fruitless(&mut self, cx: Context<'_>, id: LegId, status: u16, reason: &str) {
        if let Some((record, leg)) = self.record(id) {
            record.sip_call_id.clone_from(&leg.sip_call_id);
            record.ended = Some(cx.now);
            record.sip_status = Some(status);
            record.sip_reason = Some(reason.to_owned());
            record.fruitless = true;
        }
    }

    /// From now on the leg is another attempt of its target.
    pub(crate) fn note_next_attempt(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.dial == self.dials) else {
            return;
        };
        let records = self.dial.as_mut().map(|dial| &mut dial.records);
        let Some(record) = records.and_then(|records| records.get_mut(leg.target)) else { return };
        let Some(next) = record.attempts.get(leg.attempt).map(AttemptRecord::next) else { return };
        record.attempts.push(next);
        leg.attempt = record.attempts.len() - 1;
    }

    /// A leg was stopped: whatever it will still say, this is why it lost.
    pub(crate) fn note_stopped(&mut self, id: LegId) {
        if let Some((record, leg)) = self.record(id) {
            record.lost_because = leg.lost_because;
        }
    }

    /// This leg is given up: that is how its target failed.
    pub(crate) fn note_given_up(&mut self, id: LegId, status: u16) {
        if let Some((record, _)) = self.record(id) {
            record.sip_status = Some(status);
            record.sip_reason = Some(sip::default_reason(status).to_owned());
        }
    }

    /// Tells the progressHook how the target of a leg stands, if that has changed.
    pub(crate) fn tell_progress(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get(&id).filter(|leg| leg.dial == self.dials) {
            self.tell_of_target(leg.target);
        }
    }

    /// The same, of a target that may have no leg.
    pub(crate) fn tell_of_target(&mut self, index: usize) {
        let running = self.running(index);
        let Some(dial) = self.dial.as_mut() else { return };
        let Some(hook) = dial.verb.progress_hook.clone() else { return };
        let won_by = dial.winner.and_then(|id| self.legs.get(&id)).map(|leg| &*leg.call_sid);
        let (Some(target), Some(record)) = (dial.verb.target.get(index), dial.records.get(index))
        else {
            return;
        };
        let mut entry = record.report(index, target, dial, won_by);
        if let Some(running) = running {
            entry.call_status = running;
        }
        let verb_id = dial.verb.id.clone();
        let Some(record) = dial.records.get_mut(index) else { return };
        if record.told.as_ref() == Some(&entry) {
            return;
        }
        record.told = Some(entry.clone());
        let payload =
            self.info_of(self.caller.id).payload(&DialProgress { dial_target: entry, verb_id });
        self.tell_hook(hook, payload);
    }

    /// How far the furthest leg of a target is; `None` where none is left.
    fn running(&self, target: usize) -> Option<TargetStatus> {
        let of_target = |leg: &&Leg| leg.dial == self.dials && leg.target == target;
        let stage = |leg: &Leg| match leg.state {
            callee::State::Up => Some(TargetStatus::InProgress),
            callee::State::Early if leg.early_at.is_some() => Some(TargetStatus::EarlyMedia),
            callee::State::Early => Some(TargetStatus::Ringing),
            callee::State::Resolving | callee::State::Opening | callee::State::Calling => {
                Some(TargetStatus::Trying)
            }
            callee::State::Cancelling | callee::State::Abandoned | callee::State::Ended => None,
        };
        let rank = |status: &TargetStatus| match status {
            TargetStatus::InProgress => 3,
            TargetStatus::EarlyMedia => 2,
            TargetStatus::Ringing => 1,
            _ => 0,
        };
        let legs = self.legs.values().map(|leg| &**leg);
        legs.filter(of_target).filter_map(stage).max_by_key(rank)
    }

    /// The outcome is known: asks the actionHook, once, and lets the list go on.
    pub(crate) fn finish_dial(&mut self, cx: Context<'_>, end: End) {
        self.timers.disarm(Timer::MediaPath);
        self.end_whispers();
        self.end_holds();
        self.stop_music();
        let Some(dial) = self.dial.take() else { return };
        if dial.places {
            return self.placing_failed(cx, &dial, end);
        }
        let mut outcome = outcome(&dial, end);
        let winner = dial.winner.and_then(|id| self.legs.get(&id));
        if let (End::Completed, Some(leg)) = (end, winner) {
            outcome.dial_call_sid = Some(leg.call_sid.clone());
            outcome.dial_sbc_callid.clone_from(&leg.sip_call_id);
        }
        let bridged = dial.bridged_at.map(|at| cx.now.duration_since(at));
        outcome.dial_call_duration = bridged.map_or(0, seconds);
        let won_by = winner.map(|leg| leg.call_sid.as_str());
        let targets = dial.records.iter().zip(&dial.verb.target).enumerate();
        outcome.dial_targets = targets
            .map(|(index, (record, target))| record.report(index, target, &dial, won_by))
            .collect();
        if end != End::Completed {
            let (status, reason) = dial.failure(end);
            self.transfer_ended(cx, status, &reason);
            self.last_failure = Some((status, reason));
        } else {
            self.last_failure = None;
        }
        self.effect(Effect::Media(Media::Silence(self.caller.id)));
        if self.caller.state.alive() {
            self.script.stage = Stage::Next;
        }
        let default_hook = self.application.as_ref().is_some_and(|a| a.default_hooks);
        let hook =
            dial.verb.action_hook.or_else(|| default_hook.then(|| verbs::Hook::post("dial")));
        if let Some(hook) = hook {
            let payload = self.dial_payload(&outcome);
            self.ask(hook, payload, Why::Action);
        }
    }
}

impl Dial {
    /// Somebody answered, and did not accept.
    fn was_declined(&self) -> bool {
        let declined =
            |attempt: &AttemptRecord| attempt.lost_because == Some(LostBecause::ScreeningDeclined);
        self.records.iter().flat_map(|record| &record.attempts).any(declined)
    }

    /// Two parties are connected by it.
    pub(crate) fn is_bridged(&self) -> bool {
        matches!(self.state, State::Bridged(_))
    }

    /// The failure of a dial that had no winner: final SIP status and reason phrase.
    pub(crate) fn failure(&self, end: End) -> (u16, String) {
        let status = outcome(self, end).dial_sip_status;
        let reason = outcome_reason(self, status);
        (status, reason.unwrap_or_else(|| sip::default_reason(status).to_owned()))
    }
}

/// The reason phrase that came with this status.
fn outcome_reason(dial: &Dial, status: u16) -> Option<String> {
    let failures = dial.records.iter().filter_map(Record::failure);
    failures.filter(|(_, code, _)| *code == status).map(|(.., reason)| reason.to_owned()).next()
}

/// Status of the whole dial and the leg that stands for it.
fn outcome(dial: &Dial, end: End) -> DialResult {
    let first_called = dial.records.iter().flat_map(|record| &record.attempts);
    let first_called =
        first_called.filter(|attempt| attempt.trying.is_some()).min_by_key(|a| a.trying);
    let (status, sip_status, chosen) = match end {
        End::Completed => (DialStatus::Completed, 200, None),
        // A ring timeout and a caller that left are no-answer/487, whatever the
        // callees said before.
        End::NoAnswer => (DialStatus::NoAnswer, 487, first_called),
        End::Failed => {
            let failures = dial.records.iter().filter_map(Record::failure);
            let sip_status = best_of(failures.collect()).map_or(480, |(_, status, _)| status);
            let chosen = dial
                .records
                .iter()
                .filter(|record| {
                    record.failure().is_some_and(|(_, status, _)| status == sip_status)
                })
                .flat_map(|record| &record.attempts)
                .find(|attempt| {
                    attempt.trying.is_some()
                        && attempt.failure().is_some_and(|(_, status, _)| status == sip_status)
                        && !attempt.fruitless
                });
            (of_failure(sip_status), sip_status, chosen)
        }
    };
    DialResult {
        status,
        dial_sip_status: sip_status,
        dial_call_sid: chosen.map(|attempt| attempt.call_sid.clone()),
        dial_sbc_callid: chosen.and_then(|attempt| attempt.sip_call_id.clone()),
        dial_call_duration: 0,
        dial_declined: end != End::Completed && dial.was_declined(),
        amd_type: None,
        dial_targets: Vec::new(),
        verb_id: dial.verb.id.clone(),
    }
}
