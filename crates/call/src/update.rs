//! What a program changes of a call that is up: it ends a leg, or sends the caller to another
//! hook. In any state, the moment at which the command comes decides; what was under way before
//! (a dial, a pause, a question to a hook) is over for the list, and its late answer is forgotten.

use verbs::Hook;
use verbs::rest::{CallEnd, Update};
use verbs::status::LostBecause;

use crate::call::{Call, Context, Output, Runs};
use crate::command::Reply;
use crate::hook::Why;
use crate::leg::attempt::Leg;
use crate::leg::caller_leg::Farewell;
use crate::leg::{LegId, callee, caller};
use crate::script::Stage;
use crate::timer::Timer;
use crate::verb::dial::ring;

impl Call {
    /// Carries out a change of the leg with this `call_sid`.
    pub(crate) fn update(&mut self, cx: Context<'_>, call_sid: &str, update: &Update) -> Reply {
        let reply = if call_sid == self.call_sid {
            self.update_caller(cx, update)
        } else {
            self.update_callee(cx, call_sid, update)
        };
        self.settle(cx);
        reply
    }

    fn update_caller(&mut self, cx: Context<'_>, update: &Update) -> Reply {
        if !self.caller.state.alive() {
            return Reply::refused(404, "the call has ended");
        }
        let answered = self.caller.state.answered();
        match update {
            Update::CallStatus(CallEnd::NoAnswer) if answered => {
                return Reply::refused(422, "call_status no-answer: the call is answered");
            }
            // why: a caller that came in is told that we are unavailable, as jambonz tells it.
            Update::CallStatus(CallEnd::NoAnswer) => {
                self.end_caller(cx, Farewell::unanswered(503));
            }
            Update::CallStatus(CallEnd::Completed) => {
                self.end_caller(cx, Farewell::unanswered(487));
            }
            Update::CallHook { call_hook, call_status_hook } => {
                self.send_elsewhere(cx, call_hook, call_status_hook.as_ref());
            }
            Update::NotYet { property } => return not_yet(property),
        }
        Reply::Accepted
    }

    /// The caller runs what another hook answers, from now on.
    fn send_elsewhere(&mut self, cx: Context<'_>, call_hook: &Hook, status_hook: Option<&Hook>) {
        // why: the actionHook of a dial that ends by this is the old list's, and so is its origin.
        self.interrupt(self.caller.id);
        self.script.list.clear();
        let placing = self.caller.state == caller::State::Placing;
        if !placing {
            self.dial_input(cx, ring::Input::Replaced);
        }
        if call_hook.url.contains("://") {
            self.script.base = Some(call_hook.clone());
        }
        if let Some(hook) = status_hook {
            self.status_hook = Some(hook.clone());
            self.status_base.clone_from(&self.script.base);
        }
        if placing || matches!(self.script.stage, Stage::Opening) {
            // why: nothing runs yet; this hook is the first that is asked.
            self.runs = Runs::Hook(call_hook.clone());
        } else {
            let payload = self.base_payload();
            self.ask(call_hook.clone(), payload, Why::Update);
        }
    }

    fn update_callee(&mut self, cx: Context<'_>, call_sid: &str, update: &Update) -> Reply {
        let named = self.legs.iter().find(|(_, leg)| leg.call_sid == call_sid);
        let Some((id, state)) = named.map(|(id, leg)| (*id, leg.state)) else {
            return Reply::refused(404, "the call has ended");
        };
        match update {
            _ if state == callee::State::Ended => Reply::refused(404, "the call has ended"),
            Update::CallStatus(CallEnd::NoAnswer) if state == callee::State::Up => {
                Reply::refused(422, "call_status no-answer: the call is answered")
            }
            Update::CallStatus(_) => {
                self.end_callee(cx, id, state);
                Reply::Accepted
            }
            Update::CallHook { .. } => Reply::refused(
                422,
                "call_hook of a callee of a dial is not supported by this version; use the \
                 call_sid of its parent",
            ),
            Update::NotYet { property } => not_yet(property),
        }
    }

    /// Ends one callee alone: where it was connected, the dial ends and the list goes on; where it
    /// rings, others go on ringing.
    fn end_callee(&mut self, cx: Context<'_>, id: LegId, state: callee::State) {
        match state {
            callee::State::Up => self.callee_input(cx, id, callee::Input::Stop),
            // why: it is on its way out.
            callee::State::Cancelling | callee::State::Abandoned => {}
            _ => {
                self.timers.disarm(Timer::Progress(id));
                self.note_given_up(id, 487);
                self.stop_callee(cx, id, LostBecause::Replaced);
                self.dial_lost(cx);
            }
        }
    }

    /// From now on a command can name this callee.
    pub(crate) fn name_leg(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get(&id).filter(|leg| !leg.places) {
            let sid = leg.call_sid.clone();
            self.output(Output::Named(sid));
        }
    }

    /// Nothing is left of this leg.
    pub(crate) fn forget_name(&mut self, leg: Leg) {
        // why: the ways to a caller have the name of the call, which goes with the call.
        if !leg.places {
            self.output(Output::Forgotten(leg.call_sid));
        }
    }
}

fn not_yet(property: &str) -> Reply {
    Reply::refused(422, format!("{property} is not supported by this version"))
}
