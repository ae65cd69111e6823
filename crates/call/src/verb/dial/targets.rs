//! From the targets of a dial to the callees that are called: which are skipped, which cannot be
//! routed, and one leg for each way to reach the rest.

use std::collections::VecDeque;
use std::sync::Arc;

use verbs::Target;
use verbs::status::{CallStatus, LostBecause};

use crate::call::{Call, Context};
use crate::effect::Effect;
use crate::leg::LegId;
use crate::leg::attempt::Leg;
use crate::leg::callee;
use crate::leg::local::Local;
use crate::route::{Attempt, Directory, NextHop, Unroutable, Ways};
use crate::verb::dial::result::AttemptRecord;

/// Legs that one call may have at the same time, its caller included: what a [`LegId`] can name.
pub(crate) const LEGS_MAX: usize = 256;

impl Call {
    /// Calls every target, in order, at once.
    pub(crate) fn call_targets(&mut self, cx: Context<'_>) {
        let Some(dial) = self.dial.as_ref() else { return };
        let targets = dial.verb.target.clone();
        let limit = self.settings.limits.dial_targets;
        let mut called: Vec<&Target> = Vec::new();
        for (index, target) in targets.iter().enumerate() {
            // why: an instant answer cannot happen here, but the caller may have been ended.
            if !self.caller.state.alive() {
                return;
            }
            if called.iter().any(|known| known.same_as(target)) {
                self.skip_target(index, LostBecause::Duplicate);
            } else if called.len() >= limit {
                self.skip_target(index, LostBecause::OverLimit);
            } else {
                called.push(target);
                self.call_target(cx, index, target);
            }
        }
    }

    fn skip_target(&mut self, index: usize, because: LostBecause) {
        let Some(dial) = self.dial.as_mut() else { return };
        if let Some(record) = dial.records.get_mut(index) {
            record.skipped = Some(because);
        }
        let place = dial.place(index);
        let what = match because {
            LostBecause::Duplicate => "the same address stands in target before it".to_owned(),
            _ => format!(
                "expected at most {} targets, got {}",
                self.settings.limits.dial_targets,
                dial.verb.target.len()
            ),
        };
        self.alert("target-skipped", format!("{place}: {what}; it was not called"));
    }

    fn call_target(&mut self, cx: Context<'_>, index: usize, target: &Target) {
        let caller_id = self.caller_id_for(target);
        let settings = Arc::clone(&self.settings);
        let directory = Directory {
            settings: &settings,
            registrar: cx.registrar,
            caller_id: &caller_id,
            inbound: self.caller.carrier.as_ref(),
            calling_device: match &self.caller.carrier {
                None => self.caller.flow.map(|flow| flow.remote),
                Some(_) => None,
            },
            resting: cx.resting,
            now: cx.now,
        };
        match directory.ways(target, &mut self.random) {
            Err(why) => self.target_unroutable(index, why),
            Ok(Ways::AtOnce(attempts)) => {
                for attempt in attempts {
                    self.call_attempt(cx, index, target, attempt);
                }
            }
            Ok(Ways::InTurn(mut attempts)) => {
                let first = attempts.pop_front();
                let dial = self.dial.as_mut();
                if let Some(record) = dial.and_then(|dial| dial.records.get_mut(index)) {
                    record.waiting = attempts;
                }
                if let Some(first) = first {
                    self.call_attempt(cx, index, target, first);
                }
            }
        }
    }

    /// User of From: what the target says, else the dial, else the caller's own.
    fn caller_id_for(&self, target: &Target) -> String {
        let of_target = target.from.as_ref().and_then(|from| from.user.clone());
        let of_dial = self.dial.as_ref().and_then(|dial| dial.verb.caller_id.clone());
        of_target.or(of_dial).unwrap_or_else(|| self.calling_user())
    }

    fn target_unroutable(&mut self, index: usize, why: Unroutable) {
        let Some(dial) = self.dial.as_mut() else { return };
        let place = dial.place(index);
        let alert = why.alert.map(|alert| (alert, format!("{place}: {}", why.reason)));
        if let Some(record) = dial.records.get_mut(index) {
            record.unroutable = Some(why);
        }
        if let Some((alert, message)) = alert {
            self.alert(alert, message);
        }
    }

    /// Calls one way to reach a target.
    pub(crate) fn call_attempt(
        &mut self,
        cx: Context<'_>,
        target: usize,
        verb: &Target,
        route: Attempt,
    ) {
        let Some(id) = self.free_leg() else {
            return self.skip_target(target, LostBecause::OverLimit);
        };
        let leg = self.new_leg(target, verb, route);
        let next_hop = leg.route.next_hop.clone();
        self.legs.insert(id, Box::new(leg));
        match next_hop {
            NextHop::Host { host, port, transport } => {
                self.effect(Effect::Resolve { leg: id, host, port, transport });
            }
            NextHop::Flow(flow) => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.flow = Some(flow);
                }
                self.callee_input(cx, id, callee::Input::Resolved);
            }
        }
    }

    fn new_leg(&mut self, target: usize, verb: &Target, route: Attempt) -> Leg {
        let places = self.dial.as_ref().is_some_and(|dial| dial.places);
        // why: whichever of them answers is the call.
        let call_sid = if places { self.call_sid.clone() } else { self.random.sid() };
        let from = self.caller_id_for(verb);
        let session_id = self.random.next_u64();
        let dial = self.dial.as_mut();
        let customer_data = dial.as_ref().and_then(|dial| dial.verb.tag.clone());
        let record = AttemptRecord::new(call_sid.clone(), &route);
        let attempts = dial.and_then(|dial| dial.records.get_mut(target)).map(|record_of_target| {
            record_of_target.attempts.push(record);
            record_of_target.attempts.len() - 1
        });
        Leg {
            state: callee::State::Resolving,
            call_sid,
            dial: self.dials,
            places,
            target,
            attempt: attempts.unwrap_or_default(),
            flow: None,
            large: None,
            ways: VecDeque::new(),
            local: Local::new(session_id),
            offered: Vec::new(),
            negotiated: None,
            sip_call_id: None,
            from,
            to: verb.address().to_owned(),
            customer_data,
            status: CallStatus::Trying,
            sip_status: 100,
            sip_reason: "Trying".to_owned(),
            last_event: None,
            attempted_at: None,
            answered_at: None,
            ended_at: None,
            bye_headers: Vec::new(),
            peer_bye_headers: Vec::new(),
            hung_up: false,
            lost_because: None,
            login: route.login(),
            proofs: Vec::new(),
            route,
            redirected: false,
            in_endpoint: false,
        }
    }

    fn free_leg(&self) -> Option<LegId> {
        (1..LEGS_MAX)
            .filter_map(|number| u8::try_from(number).ok())
            .map(LegId)
            .find(|id| !self.legs.contains_key(id) && *id != self.caller.id)
    }
}
