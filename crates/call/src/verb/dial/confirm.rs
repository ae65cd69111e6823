//! Screening: a callee that answered runs a list of its own before it may win, while the others
//! ring on and the caller hears what it heard.
//!
//! The decision is the machine in `leg/screening.rs`; the verbs run as they do for the caller.

use verbs::Hook;
use verbs::status::LostBecause;

use crate::call::{Call, Context};
use crate::hook::{Why, empty_list};
use crate::leg::screening::{self, Action, Screening};
use crate::leg::{LegId, callee};
use crate::script::{Script, Stage};
use crate::timer::Timer;
use crate::verb::dial::ring;

impl Call {
    /// What screens this callee: the hook of its target, else that of the dial.
    pub(crate) fn confirm_hook(&self, id: LegId) -> Option<Hook> {
        let leg = self.legs.get(&id).filter(|leg| leg.dial == self.dials && !leg.places)?;
        let verb = &self.dial.as_ref()?.verb;
        let of_target = verb.target.get(leg.target).and_then(|target| target.confirm_hook.clone());
        of_target.or_else(|| verb.confirm_hook.clone())
    }

    /// A callee answered that is to be screened.
    pub(crate) fn begin_screening(&mut self, cx: Context<'_>, id: LegId, hook: Hook) {
        let script =
            Script { is_fixed: self.script.is_fixed, ..Script::new(self.script.base.clone()) };
        if let Some(leg) = self.legs.get_mut(&id) {
            let state = screening::State::Asked;
            leg.screening = Some(Box::new(Screening { state, script }));
        }
        self.timers.arm(Timer::Screening(id), cx.now + self.settings.limits.confirm);
        self.set_callee_remote(id);
        let payload = self.info_of(id).to_json();
        self.ask_for(id, hook, payload, Why::Confirm);
    }

    /// The confirmHook answered: `None` where it failed.
    pub(crate) fn confirm_reply(
        &mut self,
        cx: Context<'_>,
        id: LegId,
        reply: Option<Option<String>>,
    ) {
        let input = match reply {
            None => screening::Input::Failed,
            Some(None) => screening::Input::Nothing,
            // why: jambonz takes any answer that is no list of verbs for consent.
            Some(Some(text)) if !text.trim_start().starts_with('[') || empty_list(&text) => {
                screening::Input::Nothing
            }
            Some(Some(text)) => {
                let loaded = self.load(id, &text).is_ok() && self.may_be_screened_by(id);
                if let Some(script) = self.script(id) {
                    script.is_fixed = false;
                }
                if loaded { screening::Input::List } else { screening::Input::Failed }
            }
        };
        self.screening_input(cx, id, input);
    }

    /// Whether all that is left of a callee's list may run before it is connected; says what may
    /// not.
    pub(crate) fn may_be_screened_by(&mut self, id: LegId) -> bool {
        let Some(script) = self.script(id) else { return false };
        let wrong = script.list.iter().find(|next| !next.verb.allowed_in_screening());
        let Some((index, name)) = wrong.map(|next| (next.index, next.verb.name())) else {
            return true;
        };
        self.alert(
            "invalid-app-payload",
            format!(
                "/{index}: {name} in a screening; expected say, play, gather, pause, hangup, tag, \
                 config, dtmf, sip:request, listen or transcribe, got {name}; the callee was \
                 declined"
            ),
        );
        false
    }

    /// One step of a callee's screening.
    pub(crate) fn screening_input(&mut self, cx: Context<'_>, id: LegId, input: screening::Input) {
        let Some(screening) = self.legs.get_mut(&id).and_then(|leg| leg.screening.as_mut()) else {
            return;
        };
        let (next, actions) = screening::step(screening.state, input);
        let decided = next == screening::State::Over && screening.state != next;
        screening.state = next;
        if decided {
            self.timers.disarm(Timer::Screening(id));
            self.interrupt(id);
            if let Some(script) = self.script(id) {
                script.end();
            }
        }
        for action in actions {
            match action {
                Action::Run => {
                    if let Some(script) = self.script(id) {
                        script.stage = Stage::Next;
                    }
                }
                Action::Accept => self.dial_input(cx, ring::Input::Answered(id)),
                Action::Decline => {
                    self.note_declined(id);
                    self.callee_input(cx, id, callee::Input::Stop);
                }
            }
        }
    }

    /// It answered, and was not accepted.
    pub(crate) fn note_declined(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.lost_because.get_or_insert(LostBecause::ScreeningDeclined);
        }
        self.note_stopped(id);
    }

    /// It runs a list, and is not connected to anybody.
    pub(crate) fn is_screened(&self, id: LegId) -> bool {
        let screening = self.legs.get(&id).and_then(|leg| leg.screening.as_ref());
        screening.is_some_and(|screening| screening.state != screening::State::Over)
    }
}
