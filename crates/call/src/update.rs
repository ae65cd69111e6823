//! What a program changes of a call that is up: it ends a leg, or sends the caller to another
//! hook. In any state, the moment at which the command comes decides; what was under way before
//! (a dial, a pause, a question to a hook) is over for the list, and its late answer is forgotten.

use media::Decibels;
use serde_json::Value;
use sip::{InDialog, Method};
use verbs::rest::{CallEnd, MuteStatus, SipRequestOrder, Update};
use verbs::status::LostBecause;
use verbs::{Hook, Play};

use crate::call::{Call, Context, Output, Runs};
use crate::command::{CommandId, Reply};
use crate::effect::{Asker, Effect, Media, SipAction};
use crate::hook::Why;
use crate::leg::callee_leg::Leg;
use crate::leg::caller_leg::Farewell;
use crate::leg::{LegId, callee, caller};
use crate::script::Stage;
use crate::timer::Timer;
use crate::verb::dial::ring;
use crate::verb::play::Playlist;

impl Call {
    /// Carries out a change of the leg with this `call_sid`; `None` where the reply comes later.
    pub(crate) fn update(
        &mut self,
        cx: Context<'_>,
        call_sid: &str,
        update: &Update,
        command: CommandId,
    ) -> Option<Reply> {
        match update {
            Update::Whispering { change, plays } => {
                let changed = self.change(cx, call_sid, change, command);
                match changed {
                    Some(refused @ Reply::Refused { .. }) => Some(refused),
                    changed => {
                        let whisper = Update::Whisper(plays.clone());
                        let whispered = self.change(cx, call_sid, &whisper, command);
                        changed.and(whispered)
                    }
                }
            }
            update => self.change(cx, call_sid, update, command),
        }
    }

    fn change(
        &mut self,
        cx: Context<'_>,
        call_sid: &str,
        update: &Update,
        command: CommandId,
    ) -> Option<Reply> {
        match update {
            Update::SipRequest(order) => self.request_inside(call_sid, order, command).err(),
            _ if call_sid == self.call_sid => Some(self.update_caller(cx, update)),
            _ => Some(self.update_callee(cx, call_sid, update)),
        }
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
            Update::CallHook { call_hook, call_status_hook, child_call_hook } => {
                if let Err(refusal) = self.send_callee_elsewhere(cx, child_call_hook.as_ref()) {
                    return refusal;
                }
                if let Some(call_hook) = call_hook {
                    self.send_elsewhere(cx, call_hook, call_status_hook.as_ref());
                }
            }
            Update::Tag(tag) => self.customer_data = Some(Value::Object(tag.clone())),
            Update::NotYet { property } => return not_yet(property),
            change if answered => return self.update_audio(cx, self.caller.id, change),
            _ => return Reply::refused(422, "the call is not answered"),
        }
        Reply::Accepted
    }

    /// What is heard or said by a leg that is up.
    fn update_audio(&mut self, cx: Context<'_>, party: LegId, update: &Update) -> Reply {
        let lets_be = match update {
            Update::Mute(status) => *status == MuteStatus::Unmute,
            Update::Boost(decibels) => Decibels::new(*decibels).is_zero(),
            _ => false,
        };
        if !lets_be && self.bridged_with(party).is_some() {
            self.need_audio(cx);
        }
        match update {
            Update::Mute(status) => self.mute(party, *status == MuteStatus::Mute),
            Update::Dtmf { digits, duration } => {
                self.effect(Effect::Media(Media::SendKeys(party, digits.clone(), *duration)));
            }
            Update::Boost(decibels) => {
                let level = Decibels::new(*decibels);
                if party == self.caller.id {
                    self.caller.boosted = !level.is_zero();
                }
                self.effect(Effect::Media(Media::Boost(party, level)));
            }
            Update::Whisper(plays) => return self.whisper(party, plays),
            Update::CallStatus(_)
            | Update::CallHook { .. }
            | Update::SipRequest(_)
            | Update::Tag(_)
            | Update::Whispering { .. }
            | Update::NotYet { .. } => {}
        }
        Reply::Accepted
    }

    /// Plays to a party of a bridge; the other one hears nothing of it, nor the party.
    fn whisper(&mut self, party: LegId, plays: &[Play]) -> Reply {
        if self.bridged_with(party).is_none() {
            return Reply::refused(422, "whisper: the leg is connected to nobody");
        }
        let playlists = plays.iter().map(Playlist::new);
        let Some(dial) = self.dial.as_mut() else { return Reply::Accepted };
        let whispers = dial.whispers.entry(party).or_default();
        let idle = whispers.is_empty();
        whispers.extend(playlists);
        if idle {
            self.whisper_on(party);
        }
        Reply::Accepted
    }

    /// Sends a request inside the dialog of a leg; what comes back is the reply.
    fn request_inside(
        &mut self,
        call_sid: &str,
        order: &SipRequestOrder,
        command: CommandId,
    ) -> Result<(), Reply> {
        let party = if call_sid == self.call_sid {
            Some(self.caller.id)
        } else {
            let named = |leg: &Leg| leg.call_sid == call_sid;
            self.legs.iter().find(|(_, leg)| named(leg)).map(|(id, _)| *id)
        };
        let party = party.filter(|party| self.is_answered(*party));
        let Some(party) = party else {
            return Err(Reply::refused(422, "sip_request: the leg is not up"));
        };
        let method = Method::named(&order.method);
        let request = InDialog {
            headers: order.headers.clone(),
            content_type: order
                .content
                .as_ref()
                .map(|_| order.content_type.clone().unwrap_or_else(|| "text/plain".to_owned())),
            body: order.content.clone().unwrap_or_default().into_bytes(),
            ..InDialog::method(method)
        };
        self.sip(SipAction::Request(party, Box::new(request), Asker::Command(command)));
        Ok(())
    }

    /// The callee that is connected runs what another hook answers, as a call of its own.
    fn send_callee_elsewhere(&mut self, cx: Context<'_>, hook: Option<&Hook>) -> Result<(), Reply> {
        let Some(hook) = hook else { return Ok(()) };
        let Some(callee) = self.bridged_with(self.caller.id) else {
            return Err(Reply::refused(422, "child_call_hook: no callee is connected"));
        };
        self.detach(cx, callee, Runs::Hook(hook.clone()), None);
        Ok(())
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
            Update::CallHook { call_hook: Some(hook), child_call_hook: None, .. } => {
                if self.bridged_with(id).is_none() {
                    return Reply::refused(422, "call_hook: the callee is connected to nobody");
                }
                self.detach(cx, id, Runs::Hook(hook.clone()), None);
                Reply::Accepted
            }
            Update::CallHook { .. } => Reply::refused(
                422,
                "child_call_hook: a callee has no callees; use the call_sid of its parent",
            ),
            Update::Tag(tag) => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.customer_data = Some(Value::Object(tag.clone()));
                }
                Reply::Accepted
            }
            Update::NotYet { property } => not_yet(property),
            change if state == callee::State::Up => self.update_audio(cx, id, change),
            _ => Reply::refused(422, "the call is not answered"),
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
