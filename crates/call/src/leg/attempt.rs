//! How the steps of a callee's machine (`leg/callee.rs`) become SIP, media, events and news for the
//! dial. What is known of a callee is `leg/callee_leg.rs`.

use media::sdp::{self, Codec, Description, Negotiated};
use sip::{Message, RejectCause};
use verbs::status::{self, CallStatus, LostBecause};

use crate::call::{Call, Context};
use crate::effect::{Effect, Media, SipAction};
use crate::leg::LegId;
use crate::leg::callee::{self, Action, State};
use crate::leg::screening;
use crate::leg::target;
use crate::timer::Timer;
use crate::verb::dial::ring;

/// RFC 3326: tells a phone that it did not miss the call.
const ANSWERED_ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

impl Call {
    /// One step of a callee's machine.
    pub(crate) fn callee_input(&mut self, cx: Context<'_>, id: LegId, input: callee::Input) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let (next, actions) = callee::step(leg.state, input);
        leg.state = next;
        if next == State::Ended && leg.ended_at.is_none() {
            leg.ended_at = Some(cx.now);
        }
        for action in actions {
            self.callee_action(cx, id, *action);
        }
        self.forget_if_over(id);
    }

    fn callee_action(&mut self, cx: Context<'_>, id: LegId, action: Action) {
        match action {
            Action::OpenMedia => {
                if let Some(flow) = self.legs.get(&id).and_then(|leg| leg.flow) {
                    self.effect(Effect::Media(Media::Open(id, flow)));
                }
            }
            Action::Invite => self.invite_callee(cx, id),
            Action::InviteAgain => {
                self.invite_callee_again(id);
                self.update_hearing(cx);
            }
            Action::TryNext => {
                self.try_next_way(id);
                self.update_hearing(cx);
            }
            Action::Cancel => {
                let elsewhere = self.lost_because(id) == Some(LostBecause::AnsweredElsewhere);
                let reason = elsewhere.then_some(ANSWERED_ELSEWHERE);
                self.sip(SipAction::Cancel(id, reason));
            }
            Action::Bye => {
                self.end_subscription(id);
                let headers =
                    self.legs.get_mut(&id).map(|leg| std::mem::take(&mut leg.bye_headers));
                self.sip(SipAction::Bye(id, headers.unwrap_or_default()));
            }
            Action::CloseMedia => self.effect(Effect::Media(Media::Close(id))),
            Action::Rang => self.callee_rang(cx, id),
            Action::Answered => self.callee_is_up(cx, id),
            Action::Declined | Action::Unusable => self.callee_declined(cx, id),
            Action::Gone => self.callee_gone(cx, id),
            Action::Lost => self.callee_lost(cx, id),
        }
    }

    /// A provisional response.
    pub(crate) fn callee_progress(&mut self, cx: Context<'_>, id: LegId, response: &Message) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let status = response.status().unwrap_or(180);
        leg.sip_status = status;
        leg.sip_reason = response.reason().into_owned();
        let answer = read_answer(response, &leg.offered);
        let (flow, own) = (leg.flow, &self.settings.own_addresses);
        let answer = answer.and_then(|answer| target::allowed(answer, flow, own, cx.ports).ok());
        let described = answer.is_some();
        if described {
            leg.negotiated = answer;
            leg.early_at.get_or_insert(cx.now);
            leg.status = CallStatus::EarlyMedia;
        } else {
            leg.status = CallStatus::Ringing;
        }
        self.note_progress(cx, id, described);
        self.callee_input(cx, id, callee::Input::Progress);
        if described {
            self.early_media_changed(id);
        }
    }

    /// The first 2xx; the endpoint has acknowledged it.
    pub(crate) fn callee_answered(&mut self, cx: Context<'_>, id: LegId, response: &Message) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        // why: also where it crosses our CANCEL; its record tells the truth.
        leg.sip_status = response.status().unwrap_or(200);
        leg.sip_reason = response.reason().into_owned();
        let answer = read_answer(response, &leg.offered);
        let (flow, own) = (leg.flow, &self.settings.own_addresses);
        let answer = answer.map(|answer| target::allowed(answer, flow, own, cx.ports));
        let allowed = answer.as_ref().and_then(|answer| answer.as_ref().ok());
        if let Some(negotiated) = allowed {
            leg.negotiated = Some(*negotiated);
        } else if !response.body().is_empty() {
            leg.negotiated = None;
        }
        // RFC 3261 §13.2.1: an answer in a 183 may stand for the one of the 200.
        if leg.negotiated.is_some() {
            self.callee_input(cx, id, callee::Input::Answered);
        } else {
            let why = answer.and_then(Result::err);
            let unusable = "the 200 holds no usable answer to our offer";
            self.lose(id, 488, why.as_deref().unwrap_or(unusable));
            self.callee_input(cx, id, callee::Input::AnsweredUnusable);
        }
    }

    /// The endpoint holds nothing of it any more.
    pub(crate) fn callee_released(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.in_endpoint = false;
        }
        self.forget_if_over(id);
    }

    /// Notes why a leg failed on our side of the network.
    pub(crate) fn lose(&mut self, id: LegId, status: u16, why: &str) {
        self.note_failure(id, status, why, LostBecause::Unreachable);
    }

    /// The INVITE did not leave: its carrier carries as much as it may.
    pub(crate) fn carrier_full(&mut self, cx: Context<'_>, id: LegId, why: &str) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.in_endpoint = false;
        }
        self.alert("no-carrier", why.to_owned());
        self.note_failure(id, 503, why, LostBecause::OverLimit);
        self.callee_input(cx, id, callee::Input::Rejected);
    }

    /// Notes the peer's final response, or that none came.
    pub(crate) fn lose_by_peer(
        &mut self,
        id: LegId,
        status: u16,
        reason: &str,
        cause: RejectCause,
    ) {
        let because = match cause {
            RejectCause::Timeout | RejectCause::Transport => LostBecause::Unreachable,
            RejectCause::Peer => match status {
                486 | 600 => LostBecause::Busy,
                603 => LostBecause::Declined,
                _ => LostBecause::Rejected,
            },
        };
        self.note_failure(id, status, reason, because);
    }

    fn note_failure(&mut self, id: LegId, status: u16, reason: &str, because: LostBecause) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.sip_status = status;
        reason.clone_into(&mut leg.sip_reason);
        leg.lost_because.get_or_insert(because);
    }

    /// It ended the dialog; headers of its BYE go into its last event.
    pub(crate) fn note_hangup(&mut self, id: LegId, request: Option<&Message>) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.hung_up = true;
            leg.peer_bye_headers = request.map(crate::info::extra_headers).unwrap_or_default();
        }
    }

    /// Ends a callee for this reason; a leg that was already stopped keeps its first reason.
    pub(crate) fn stop_callee(&mut self, cx: Context<'_>, id: LegId, because: LostBecause) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.lost_because.get_or_insert(because);
        }
        self.note_stopped(id);
        self.callee_input(cx, id, callee::Input::Stop);
    }

    /// Tells the media where the callee receives.
    pub(crate) fn set_callee_remote(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        let (Some(negotiated), Some(flow)) = (leg.negotiated, leg.flow) else { return };
        let has_tones = self.has_tones(id);
        let remote = media::Remote { negotiated, signalling_source: flow.remote.ip(), has_tones };
        self.effect(Effect::Media(Media::SetRemote(id, Box::new(remote))));
    }

    fn lost_because(&self, id: LegId) -> Option<LostBecause> {
        self.legs.get(&id).and_then(|leg| leg.lost_because)
    }

    fn invite_callee(&mut self, cx: Context<'_>, id: LegId) {
        let codecs = self.codecs_for(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(local) = leg.local.next() else { return };
        let body = sdp::offer(&local, &codecs);
        leg.offered = codecs;
        leg.in_endpoint = true;
        leg.attempted_at = Some(cx.now);
        leg.status = CallStatus::Trying;
        leg.sip_status = 100;
        "Trying".clone_into(&mut leg.sip_reason);
        let carrier = self.legs.get(&id).and_then(|leg| leg.route.carrier.clone());
        let Some(invite) = self.build_invite(id, body) else {
            return self.not_an_address(cx, id);
        };
        self.sip(SipAction::Invite { leg: id, invite: Box::new(invite), carrier });
        self.note_trying(cx, id);
        self.watch_progress(cx, id);
        let patience = self.dial.as_ref().and_then(|dial| dial.verb.progress_timeout);
        if let Some(patience) = patience {
            self.timers.arm(Timer::NoProgress(id), cx.now + patience);
        }
        // why: the event is sent when the switch has told the SIP Call-ID, which it carries.
    }

    /// The INVITE cannot be written: user and host of its From make no SIP URI.
    fn not_an_address(&mut self, cx: Context<'_>, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.in_endpoint = false;
        }
        self.lose(id, 400, "the From that was asked for is no SIP address");
        self.callee_input(cx, id, callee::Input::Rejected);
    }

    /// The INVITE is on its way under this Call-ID.
    pub(crate) fn callee_called(&mut self, id: LegId, sip_call_id: String) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.sip_call_id = Some(sip_call_id);
        }
        // why: a second address is the same call to the application.
        if self.legs.get(&id).is_some_and(|leg| !leg.told()) {
            self.callee_event(id);
            self.name_leg(id);
        }
    }

    fn callee_rang(&mut self, cx: Context<'_>, id: LegId) {
        self.has_progressed(id);
        self.callee_event(id);
        self.tell_progress(id);
        self.update_hearing(cx);
    }

    fn callee_is_up(&mut self, cx: Context<'_>, id: LegId) {
        self.has_progressed(id);
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.answered_at = Some(cx.now);
            leg.status = CallStatus::InProgress;
            leg.sip_status = 200;
            "OK".clone_into(&mut leg.sip_reason);
        }
        self.callee_event(id);
        self.note_answered(cx, id);
        match self.confirm_hook(id) {
            Some(hook) => self.begin_screening(cx, id, hook),
            None => self.dial_input(cx, ring::Input::Answered(id)),
        }
        self.tell_progress(id);
        self.update_hearing(cx);
    }

    fn callee_declined(&mut self, cx: Context<'_>, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.status = status::of_sip(leg.sip_status).into();
        }
        if self.legs.get(&id).is_some_and(|leg| leg.told()) {
            self.callee_event(id);
        }
        self.note_ended(cx, id);
        self.has_progressed(id);
        self.tell_progress(id);
        if !self.crank_back(cx, id) {
            self.dial_lost(cx);
        }
        self.update_hearing(cx);
    }

    fn callee_gone(&mut self, cx: Context<'_>, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.status = CallStatus::Completed;
            leg.sip_status = 200;
            "OK".clone_into(&mut leg.sip_reason);
        }
        self.callee_event(id);
        if self.is_screened(id) {
            // why: it hung up, unless we stopped it, and then that is why.
            self.note_declined(id);
            self.screening_input(cx, id, screening::Input::Gone);
        }
        self.note_ended(cx, id);
        self.tell_progress(id);
        if self.dial.as_ref().is_some_and(|dial| dial.state == ring::State::Bridged(id)) {
            self.dial_input(cx, ring::Input::WinnerGone);
        } else {
            self.dial_lost(cx);
            self.update_hearing(cx);
        }
    }

    /// Nobody waits any more for it to ring.
    fn has_progressed(&mut self, id: LegId) {
        self.timers.disarm(Timer::Progress(id));
        self.timers.disarm(Timer::NoProgress(id));
    }

    /// A leg that we stopped is over, or never began.
    fn callee_lost(&mut self, cx: Context<'_>, id: LegId) {
        // why: between two addresses there is no INVITE whose final response could be told.
        if let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.sip_status < 200) {
            leg.sip_status = 487;
            "Request Terminated".clone_into(&mut leg.sip_reason);
        }
        if self.legs.get(&id).is_some_and(|leg| leg.told()) {
            self.note_ended(cx, id);
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.ended_at.get_or_insert(cx.now);
                leg.status = CallStatus::NoAnswer;
                leg.sip_status = 487;
                "Request Terminated".clone_into(&mut leg.sip_reason);
            }
            self.callee_event(id);
        }
        self.tell_progress(id);
    }

    fn forget_if_over(&mut self, id: LegId) {
        if self.legs.get(&id).is_some_and(|leg| leg.over())
            && let Some(leg) = self.legs.remove(&id)
        {
            self.forget_name(*leg);
        }
    }
}

/// The answer that a response holds, if it is one.
fn read_answer(response: &Message, offered: &[Codec]) -> Option<Negotiated> {
    if response.body().is_empty() {
        return None;
    }
    let answer = Description::parse(response.body()).ok()?;
    sdp::accept(&answer, offered).ok()
}
