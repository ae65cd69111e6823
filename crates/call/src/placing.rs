//! A call that a program began, until it is answered: the switch calls the caller itself.
//!
//! The ways to reach it are raced like the callees of a dial (`verb/dial/`), by the same machines;
//! the program hears of them as of one call. Whichever answers becomes the caller, and from then
//! on nothing tells this call from one that came in and was answered. Here is what differs: the
//! reply to the command, the status events, the outcome.

use verbs::callback::TerminatedBy;
use verbs::status::{self, CallStatus, LostBecause};

use crate::call::{Call, Context, Output};
use crate::command::Reply;
use crate::leg::callee_leg::Leg;
use crate::leg::{LegId, caller};
use crate::timer::Timer;
use crate::verb::dial::result::End;
use crate::verb::dial::{Dial, ring};

impl Call {
    /// Begins a call that a program asked for.
    pub(crate) fn place(&mut self, cx: Context<'_>, dial: verbs::Dial) {
        self.start_dial(cx, 0, dial, true);
    }

    /// Something changed on one of the ways to the caller: the program hears of the call, not of
    /// the ways, and of the same status once.
    pub(crate) fn placing_event(&mut self, id: LegId) {
        let racing = |dial: &Dial| dial.places && dial.state == ring::State::Ringing;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let heard =
            matches!(leg.status, CallStatus::Trying | CallStatus::Ringing | CallStatus::EarlyMedia);
        if !heard || !self.dial.as_ref().is_some_and(racing) {
            return;
        }
        let event = (leg.status, leg.sip_status);
        leg.last_event = Some(event);
        let is_news = match self.caller.told {
            // why: a further gateway or contact is the same call.
            true => {
                leg.status != CallStatus::Trying
                    && event != (self.caller.status, self.caller.sip_status)
            }
            false => true,
        };
        if !is_news {
            return;
        }
        let reason = leg.sip_reason.clone();
        self.caller.attempted_at = self.caller.attempted_at.or(leg.attempted_at);
        self.stand_for_caller(id);
        self.caller_status(event.0, event.1, Some(reason));
        if !self.caller.told {
            self.caller.told = true;
            self.order_is_placed();
        }
        self.caller_event();
    }

    /// This way to the caller is the one that payloads and records tell of.
    fn stand_for_caller(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        self.caller.flow = leg.flow;
        self.caller.carrier.clone_from(&leg.route.carrier);
        if let Some(placed) = self.caller.origin.placed_mut() {
            placed.sip_call_id = leg.sip_call_id.clone().unwrap_or_default();
            placed.reaches = leg.route.reaches;
        }
    }

    /// The INVITE is on the wire.
    fn order_is_placed(&mut self) {
        let call_sid = self.call_sid.clone();
        let Some(placed) = self.caller.origin.placed_mut() else { return };
        let call_id = placed.sip_call_id.clone();
        if let Some(command) = placed.command.take() {
            self.output(Output::Reply(command, Reply::Created { call_sid, call_id }));
        }
    }

    /// No INVITE went out, and none will; nothing to say where one did.
    pub(crate) fn refuse_order(&mut self, why: &str) {
        self.refuse_order_with(480, why.to_owned());
    }

    fn refuse_order_with(&mut self, status: u16, msg: String) {
        let placed = self.caller.origin.placed_mut();
        if let Some(command) = placed.and_then(|placed| placed.command.take()) {
            self.output(Output::Reply(command, Reply::Refused { status, msg }));
        }
    }

    /// The race has a winner, which becomes the caller: its dialog, its media, its leg id.
    pub(crate) fn become_caller(&mut self, cx: Context<'_>) {
        let winner = self.dial.take().and_then(|dial| dial.winner);
        let Some(id) = winner else { return };
        self.stand_for_caller(id);
        let Some(leg) = self.legs.remove(&id) else { return };
        let Leg { local, negotiated, login, sip_status, sip_reason, .. } = *leg;
        let caller = &mut self.caller;
        caller.id = id;
        caller.local = local;
        caller.negotiated = negotiated;
        caller.login = login;
        caller.answered_at = Some(cx.now);
        caller.released = false;
        self.caller_status(CallStatus::InProgress, sip_status, Some(sip_reason));
        self.caller_input(cx, caller::Input::Connected);
        self.set_caller_remote();
        self.caller_event();
        if let Some(limit) = self.caller.origin.placed().and_then(|placed| placed.time_limit) {
            self.timers.arm(Timer::CallLimit, cx.now + limit);
        }
        self.ask_first(cx);
    }

    /// Nobody answered.
    pub(crate) fn placing_failed(&mut self, cx: Context<'_>, dial: &Dial, end: End) {
        // why: where the caller was ended, that is what ended the race.
        if !self.caller.state.alive() {
            return;
        }
        let (status, reason) = dial.failure(end);
        let unroutable = dial.records.iter().find_map(|record| record.unroutable.as_ref());
        let no_such_trunk = unroutable.is_some_and(|why| why.because == LostBecause::NoSuchTrunk);
        // why: before an INVITE is out, a 400 is our own word about what was asked for.
        if no_such_trunk || (status == 400 && unroutable.is_some()) {
            self.refuse_order_with(400, format!("missing or invalid to property: {reason}"));
        } else if status == 400 {
            self.refuse_order_with(400, reason.clone());
        } else {
            self.refuse_order_with(480, format!("nobody can be called: {reason}"));
        }
        if end == End::NoAnswer {
            self.caller.terminated_by = Some(TerminatedBy::Us);
        }
        self.caller_status(status::of_created_call(status), status, Some(reason));
        self.caller_input(cx, caller::Input::Left);
    }
}
