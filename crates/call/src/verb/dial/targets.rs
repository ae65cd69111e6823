//! From the targets of a dial to the callees that are called: which are skipped, which cannot be
//! routed, and one leg for each way to reach the rest.

use std::collections::VecDeque;
use std::sync::Arc;

use media::sdp::Codec;
use verbs::Target;
use verbs::status::LostBecause;

use crate::call::{Call, Context};
use crate::effect::Effect;
use crate::leg::LegId;
use crate::leg::callee;
use crate::leg::callee_leg::Leg;
use crate::leg::local::Local;
use crate::route::{Attempt, Directory, NextHop, Unroutable, Ways};
use crate::verb::dial::order;
use crate::verb::dial::result::AttemptRecord;

/// Legs that one call may have at the same time, its caller included: what a [`LegId`] can name.
pub(crate) const LEGS_MAX: usize = 256;

impl Call {
    /// Calls those targets that are called at once, and puts the others in order.
    pub(crate) fn call_targets(&mut self, cx: Context<'_>) {
        let Some(dial) = self.dial.as_ref() else { return };
        let targets = dial.verb.target.clone();
        let limit = self.settings.limits.dial_targets;
        let mut called: Vec<usize> = Vec::new();
        for (index, target) in targets.iter().enumerate() {
            let known = |known: &usize| targets.get(*known).is_some_and(|k| k.same_as(target));
            if called.iter().any(known) {
                self.skip_target(index, LostBecause::Duplicate);
            } else if called.len() >= limit {
                self.skip_target(index, LostBecause::OverLimit);
            } else {
                called.push(index);
            }
        }
        if let Some(dial) = self.dial.as_mut() {
            dial.groups = order::groups(&dial.verb, &called);
        }
        self.call_next_group(cx);
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
        self.tell_of_target(index);
    }

    /// Calls a target, by all its ways at once or by the first of them.
    pub(crate) fn call_target(&mut self, cx: Context<'_>, index: usize, target: &Target) {
        if !target.codecs.is_empty() && known_codecs(target).is_empty() {
            return self.target_unroutable(index, no_codec(target));
        }
        match self.ways_to(cx, target) {
            Err(why) => self.target_unroutable(index, why),
            Ok(Ways::AtOnce(ways)) => {
                self.call_at_once(cx, index, target, ways, VecDeque::new());
            }
            Ok(Ways::InTurn(mut ways)) => {
                let first = ways.pop_front().into_iter().collect();
                let waiting = ways.into_iter().map(|way| vec![way]).collect();
                self.call_at_once(cx, index, target, first, waiting);
            }
        }
    }

    /// The ways to call a target, from what is known now.
    pub(crate) fn ways_to(&mut self, cx: Context<'_>, target: &Target) -> Result<Ways, Unroutable> {
        let caller_id = self.caller_id_for(target);
        let settings = Arc::clone(&self.settings);
        let proxy = self.dial.as_ref().and_then(|dial| dial.verb.proxy.clone());
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
            proxy: proxy.as_deref(),
            now: cx.now,
        };
        directory.ways(target, &mut self.random)
    }

    /// User of From: what the target says, else the dial, else the caller's own.
    fn caller_id_for(&self, target: &Target) -> String {
        let of_target = target.from.as_ref().and_then(|from| from.user.clone());
        let of_target = of_target.or_else(|| target.caller_id.clone());
        let of_dial = self.dial.as_ref().and_then(|dial| dial.verb.caller_id.clone());
        of_target.or(of_dial).unwrap_or_else(|| self.calling_user())
    }

    /// What a callee is offered: what its target names, in that order; else all that we have, the
    /// caller's first.
    pub(crate) fn codecs_for(&self, id: LegId) -> Vec<Codec> {
        let ours = self.caller.codecs();
        let target = self.legs.get(&id).map(|leg| leg.target);
        let verb = self.dial.as_ref().zip(target).and_then(|(dial, t)| dial.verb.target.get(t));
        match verb.filter(|target| !target.codecs.is_empty()) {
            Some(target) => known_codecs(target),
            None => ours,
        }
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
        self.tell_of_target(index);
    }

    /// Calls these ways to reach a target; in the place of the first, if it fails, those that wait.
    /// False where nobody could be called.
    pub(crate) fn call_at_once(
        &mut self,
        cx: Context<'_>,
        target: usize,
        verb: &Target,
        ways: Vec<Attempt>,
        mut waiting: VecDeque<Vec<Attempt>>,
    ) -> bool {
        let mut called = false;
        for way in ways {
            let Some(id) = self.free_leg() else {
                self.skip_target(target, LostBecause::OverLimit);
                break;
            };
            let mut leg = self.new_leg(target, verb, way);
            leg.waiting = std::mem::take(&mut waiting);
            self.call_leg(cx, id, leg);
            called = true;
        }
        called
    }

    fn call_leg(&mut self, cx: Context<'_>, id: LegId, leg: Leg) {
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
            dial: self.dials,
            places,
            target,
            attempt: attempts.unwrap_or_default(),
            from,
            to: verb.address().to_owned(),
            customer_data,
            login: route.login(),
            ..Leg::new(call_sid, route, Local::new(session_id))
        }
    }

    /// A number that no leg has.
    pub(crate) fn free_leg(&self) -> Option<LegId> {
        (1..LEGS_MAX)
            .filter_map(|number| u8::try_from(number).ok())
            .map(LegId)
            .find(|id| !self.legs.contains_key(id) && *id != self.caller.id)
    }
}

/// Those codecs of a target that are known here, in its order.
fn known_codecs(target: &Target) -> Vec<Codec> {
    let known = |name: &String| {
        Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    };
    let mut codecs: Vec<Codec> = Vec::new();
    for codec in target.codecs.iter().filter_map(known) {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    codecs
}

fn no_codec(target: &Target) -> Unroutable {
    Unroutable {
        status: 488,
        reason: format!(
            "no codec to offer; expected PCMU or PCMA in codecs, got {}",
            target.codecs.join(", ")
        ),
        because: LostBecause::Rejected,
        alert: Some("not-supported"),
    }
}
