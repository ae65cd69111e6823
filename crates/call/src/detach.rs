//! A callee goes on as a call of its own, with a list of its own: its leg leaves one call and
//! becomes the caller of another. Dialog, audio, `call_sid` and what the application knows of it
//! stay.
//!
//! The call lets it go ([`Call::detach`]), the switch makes the new call, and that takes over.

use std::sync::Arc;

use verbs::Hook;
use verbs::callback::Defaults;
use verbs::status::CallStatus;

use crate::call::{Call, Context, Output, Runs};
use crate::leg::callee_leg::Leg;
use crate::leg::origin::{Origin, Placed};
use crate::leg::{LegId, caller};
use crate::random::Random;
use crate::settings::{Application, Settings};
use crate::verb::dial::ring;

/// A leg on its way from one call to another, with what it takes along.
#[derive(Clone, Debug)]
pub(crate) struct Detached {
    pub(crate) id: LegId,
    leg: Box<Leg>,
    runs: Runs,
    settings: Arc<Settings>,
    application: Option<Arc<Application>>,
    base: Option<Hook>,
    status_hook: Option<Hook>,
    status_base: Option<Hook>,
    trace_id: String,
    parent_call_sid: String,
    hops: u8,
    /// Who of the call that let it go is to hear what comes of it.
    pub(crate) referrer: Option<LegId>,
}

impl Call {
    /// Lets the callee that is connected go, as a call of its own that runs this; the dial ends as
    /// one whose callee hung up. `referrer` is to hear what comes of the first dial of the list.
    pub(crate) fn detach(
        &mut self,
        cx: Context<'_>,
        id: LegId,
        runs: Runs,
        referrer: Option<LegId>,
    ) {
        let Some(leg) = self.let_go(cx, id) else { return };
        self.output(Output::Detached(Box::new(Detached {
            id,
            leg,
            runs,
            settings: Arc::clone(&self.settings),
            application: self.application.clone(),
            base: self.script.base.clone(),
            status_hook: self.status_hook.clone(),
            status_base: self.status_base.clone(),
            trace_id: self.trace_id.clone(),
            parent_call_sid: self.call_sid.clone(),
            hops: self.caller.origin.hops_left().saturating_sub(1),
            referrer,
        })));
    }

    /// Lets the callee that is connected go to another call; the dial ends as above.
    pub(crate) fn let_go(&mut self, cx: Context<'_>, id: LegId) -> Option<Box<Leg>> {
        self.dial_input(cx, ring::Input::Detached);
        self.refuse_open_refer(id);
        self.legs.remove(&id)
    }

    /// The call of a leg that was let go.
    pub(crate) fn detached(detached: Detached, random: Random) -> (Call, Runs) {
        let Detached { id, leg, runs, settings, parent_call_sid, hops, .. } = detached;
        let origin = Origin::Placed(Box::new(Placed {
            direction: leg.direction,
            from: leg.from.clone(),
            to: leg.to.clone(),
            caller_name: None,
            time_limit: None,
            env_vars: None,
            defaults: Defaults::default(),
            command: None,
            sip_call_id: leg.sip_call_id.clone().unwrap_or_default(),
            reaches: leg.route.reaches,
            parent_call_sid: Some(parent_call_sid),
            hops,
        }));
        let carrier = leg.route.carrier.clone();
        let mut call = Call::new(origin, leg.flow, carrier, runs.clone(), settings, random);
        call.application = detached.application;
        call.script.base = detached.base;
        call.status_hook = detached.status_hook;
        call.status_base = detached.status_base;
        call.trace_id = detached.trace_id;
        call.call_sid.clone_from(&leg.call_sid);
        call.customer_data.clone_from(&leg.customer_data);
        let caller = &mut call.caller;
        caller.id = id;
        caller.login = leg.login;
        caller.local = leg.local;
        caller.negotiated = leg.negotiated;
        caller.holds = leg.holds;
        caller.pointed = leg.pointed;
        caller.muted = leg.muted;
        caller.attempted_at = leg.attempted_at;
        caller.answered_at = leg.answered_at;
        caller.released = false;
        caller.told = true;
        call.caller_status(CallStatus::InProgress, 200, None);
        (call, runs)
    }

    /// A leg that was let go by another call begins its list.
    pub(crate) fn take_over(&mut self, cx: Context<'_>, runs: Runs) {
        self.caller_input(cx, caller::Input::Connected);
        match runs {
            Runs::List(text) => self.run_list(&text),
            Runs::Nothing => {}
            runs => {
                self.runs = runs;
                self.ask_first(cx);
            }
        }
    }
}
