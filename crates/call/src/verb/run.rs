//! Runs the next verb of a party's list. A verb is done at once or leaves the script in
//! [`Stage::Running`](crate::script::Stage) or [`Stage::Asking`](crate::script::Stage); what ends
//! it sets [`Stage::Next`](crate::script::Stage).

use serde_json::Value;
use verbs::{Dtmf, Hangup, Pause, Redirect, SipDecline, Tag, Verb};

use crate::call::{Call, Context};
use crate::effect::{Effect, Media};
use crate::hook::Why;
use crate::leg::caller_leg::Farewell;
use crate::leg::{LegId, caller, screening};
use crate::script::{Numbered, Running, Stage};
use crate::settings::Decline;
use crate::timer::Timer;

impl Call {
    /// Takes one verb off the list of a party and starts it; at the end of the list the caller is
    /// ended, and a callee is accepted.
    pub(crate) fn run_next(&mut self, cx: Context<'_>, party: LegId) {
        let next = self.script(party).and_then(|script| script.list.pop_front());
        let of_caller = party == self.caller.id;
        match next {
            None if of_caller => self.list_ended(cx),
            None => self.screening_input(cx, party, screening::Input::Ended),
            Some(Numbered { index, verb }) if of_caller => self.run_of_caller(cx, index, verb),
            Some(Numbered { index, verb }) => self.run_of_callee(cx, party, index, verb),
        }
    }

    fn run_of_caller(&mut self, cx: Context<'_>, index: usize, verb: Verb) {
        match verb {
            Verb::Answer(_) => self.caller_input(cx, caller::Input::Answer),
            Verb::Dial(dial) => self.run_dial(cx, index, *dial),
            Verb::Hangup(hangup) => self.run_hangup(cx, hangup),
            Verb::Redirect(redirect) => self.run_redirect(redirect),
            Verb::SipDecline(decline) => self.run_decline(cx, index, decline),
            Verb::Tag(tag) => self.customer_data = Some(Value::Object(tag.data)),
            other => self.run_of_either(cx, self.caller.id, index, other),
        }
    }

    fn run_of_callee(&mut self, cx: Context<'_>, party: LegId, index: usize, verb: Verb) {
        match verb {
            Verb::Hangup(Hangup { headers, .. }) => {
                if let Some(leg) = self.legs.get_mut(&party) {
                    leg.bye_headers = headers;
                }
                self.screening_input(cx, party, screening::Input::Declined);
            }
            Verb::Tag(Tag { data, .. }) => {
                if let Some(leg) = self.legs.get_mut(&party) {
                    leg.customer_data = Some(Value::Object(data));
                }
            }
            other => self.run_of_either(cx, party, index, other),
        }
    }

    /// Verbs that mean the same for each party.
    fn run_of_either(&mut self, cx: Context<'_>, party: LegId, index: usize, verb: Verb) {
        match verb {
            Verb::Pause(pause) => self.run_pause(cx, party, &pause),
            Verb::Play(play) => self.run_play(cx, party, &play),
            Verb::Gather(gather) => self.run_gather(cx, party, index, *gather),
            Verb::Dtmf(dtmf) => self.run_dtmf(cx, party, dtmf),
            Verb::Config(config) => self.run_config(party, index, *config),
            Verb::SipRequest(request) => self.run_request(party, request),
            other => {
                self.not_supported(&format!("/{index}"), &format!("the verb {}", other.name()));
            }
        }
    }

    /// Something that parses and does not run yet: said, never passed over in silence.
    pub(crate) fn not_supported(&mut self, pointer: &str, what: &str) {
        self.alert(
            "not-supported",
            format!("{pointer}: {what} is not supported by this version and was left out"),
        );
    }

    fn run_hangup(&mut self, cx: Context<'_>, hangup: Hangup) {
        // why: an unanswered caller is declined.
        let Hangup { status, reason, headers, .. } = hangup;
        let status = status.unwrap_or(603);
        self.end_caller(cx, Farewell { reason, headers, ..Farewell::status(status) });
    }

    fn run_pause(&mut self, cx: Context<'_>, party: LegId, pause: &Pause) {
        self.timers.arm(Timer::Pause(party), cx.now + pause.length);
        self.run(party, Running::Pause);
    }

    fn run_dtmf(&mut self, cx: Context<'_>, party: LegId, dtmf: Dtmf) {
        self.let_hear(cx, party, false);
        self.run(party, Running::Dtmf);
        self.effect(Effect::Media(Media::SendKeys(party, dtmf.dtmf, dtmf.duration)));
    }

    /// Our keys are sent.
    pub(crate) fn keys_sent(&mut self, cx: Context<'_>, party: LegId) {
        self.digits_sent(cx, party);
        let sending = |stage: &Stage| matches!(stage, Stage::Running(Running::Dtmf));
        if self.script(party).is_some_and(|script| sending(&script.stage)) {
            self.go_on(party);
        }
    }

    fn run_redirect(&mut self, redirect: Redirect) {
        let payload = self.base_payload();
        self.ask(redirect.action_hook, payload, Why::Redirect);
    }

    fn run_decline(&mut self, cx: Context<'_>, index: usize, decline: SipDecline) {
        if self.caller.state.answered() {
            let what = "sip:decline of a call that is already answered";
            return self.alert("invalid-app-payload", format!("/{index}: {what} was left out"));
        }
        let SipDecline { status, reason, headers, .. } = decline;
        self.end_caller(cx, Farewell { reason, headers, ..Farewell::status(status) });
    }

    /// The list is run: BYE to an answered caller, once it has heard of the transfer that it asked
    /// for; to any other how its last dial failed.
    fn list_ended(&mut self, cx: Context<'_>) {
        if self.transfers.contains_key(&self.caller.id) {
            return self.run(self.caller.id, Running::Transfer);
        }
        let always = self.application.as_ref().is_some_and(|a| a.decline == Decline::Always603);
        let farewell = match self.last_failure.take() {
            // RFC 3261 §22: a challenge to us is none that the caller could answer.
            Some((401 | 407, _)) if !always => Farewell::status(403),
            Some((status, reason)) if !always && status >= 400 => {
                Farewell { reason: Some(reason), ..Farewell::status(status) }
            }
            _ => Farewell::status(603),
        };
        self.end_caller(cx, farewell);
    }
}
