//! Runs the next verb of the list. A verb is done at once or leaves the call in
//! [`Stage::Running`] or [`Stage::Asking`]; what ends it sets [`Stage::Next`].

use serde_json::Value;
use verbs::{Hangup, Pause, Redirect, SipDecline, Verb};

use crate::call::{Call, Context, Numbered, Stage};
use crate::hook::Why;
use crate::leg::caller;
use crate::leg::caller_leg::Farewell;
use crate::settings::Decline;
use crate::timer::Timer;

impl Call {
    /// Takes one verb off the list and starts it; at the end of the list ends the call.
    pub(crate) fn run_next(&mut self, cx: Context<'_>) {
        let Some(Numbered { index, verb }) = self.list.pop_front() else {
            return self.list_ended(cx);
        };
        match verb {
            Verb::Answer(_) => self.caller_input(cx, caller::Input::Answer),
            Verb::Dial(dial) => self.run_dial(cx, index, *dial),
            Verb::Hangup(hangup) => self.run_hangup(cx, hangup),
            Verb::Pause(pause) => self.run_pause(cx, &pause),
            Verb::Redirect(redirect) => self.run_redirect(redirect),
            Verb::SipDecline(decline) => self.run_decline(cx, index, decline),
            Verb::Tag(tag) => self.customer_data = Some(Value::Object(tag.data)),
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
        let farewell = Farewell { headers: hangup.headers, ..Farewell::status(603) };
        self.end_caller(cx, farewell);
    }

    fn run_pause(&mut self, cx: Context<'_>, pause: &Pause) {
        self.timers.arm(Timer::Pause, cx.now + pause.length);
        self.stage = Stage::Running;
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

    /// The list is run: BYE to an answered caller; to any other how its last dial failed.
    fn list_ended(&mut self, cx: Context<'_>) {
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
