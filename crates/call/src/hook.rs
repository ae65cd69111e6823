//! Which callback is asked with what payload, and what its answer may do to the call.

use serde_json::Value;
use verbs::Hook;

use crate::call::{Call, Context, Output, Runs};
use crate::effect::{Effect, HookId, HookRequest};
use crate::input::HookFailure;
use crate::leg::LegId;
use crate::leg::caller_leg::Farewell;
use crate::leg::screening;
use crate::script::Stage;

/// Why a hook was asked: decides what its answer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// `call_hook`: its list is the first. Without one the caller is refused.
    First,
    /// The `actionHook` of a verb: a list replaces the rest, anything else lets it go on.
    Action,
    /// `redirect`: as `Action`.
    Redirect,
    /// A program sent the call elsewhere; nothing is left of the list before.
    Update,
    /// `confirmHook`: its list is what the callee is screened by.
    Confirm,
    /// `onHoldHook`: its list is what the party hears that this one holds.
    Hold(LegId),
    /// `referHook`: whether this leg may refer the other party, and what that one runs.
    Refer(LegId),
    /// `sipRequestWithinDialogHook`: its list takes the place of the caller's.
    Inside,
    /// `dtmfHook`, `progressHook`: told, and whatever it answers changes nothing.
    Told,
}

/// A hook whose answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    why: Why,
    /// Whose list its answer may change.
    party: LegId,
}

/// Questions of one call that may wait while its lists go on: a peer that presses keys or sends
/// messages without end has no more of them asked at a time.
const ASIDES_MAX: usize = 128;

/// Status for a caller whose application could not be asked, or answered no list of verbs.
const NO_APPLICATION: u16 = 480;

impl Call {
    /// Begins the application: its fixed list, or the answer of its `call_hook`.
    pub(crate) fn ask_first(&mut self, cx: Context<'_>) {
        let application = match &self.runs {
            Runs::User(user) => return self.dial_user(&user.clone()),
            Runs::Hook(hook) => {
                let (hook, payload) = (hook.clone(), self.first_payload());
                return self.ask(hook, payload, Why::First);
            }
            Runs::List(text) => return self.run_list(&text.clone()),
            Runs::Nothing => return,
            Runs::InPlaceOf(replaced) => {
                let replaces = Box::new(replaced.replaces.clone());
                return self.output(Output::TakePlace(replaces));
            }
            Runs::Application(application) => application.clone(),
        };
        if let Some(text) = &application.app_json {
            self.script.is_fixed = true;
            self.first_list(cx, text);
        } else if let Some(hook) = application.call_hook.clone() {
            let payload = self.first_payload();
            self.ask(hook, payload, Why::First);
        } else {
            let why = "the application has neither call_hook nor app_json";
            self.end_caller(cx, Farewell::because(NO_APPLICATION, why));
        }
    }

    /// One registered user calls another: the list that this means.
    fn dial_user(&mut self, user: &str) {
        let list = serde_json::json!([
            { "verb": "dial", "answerOnBridge": true, "target": [{ "type": "user", "name": user }] }
        ]);
        self.run_list(&list.to_string());
    }

    /// Runs this list in the place of any other. A list with faults raised its alert, and is
    /// empty.
    pub(crate) fn run_list(&mut self, text: &str) {
        self.script.list.clear();
        if self.load(self.caller.id, text).is_ok() {
            self.script.is_fixed = false;
        }
        self.go_on(self.caller.id);
    }

    /// Asks a hook for the caller; its list waits for the answer while it is there.
    pub(crate) fn ask(&mut self, hook: Hook, payload: Value, why: Why) {
        self.ask_for(self.caller.id, hook, payload, why);
    }

    /// Asks a hook for a party, whose list waits for the answer while it is there.
    pub(crate) fn ask_for(&mut self, party: LegId, hook: Hook, payload: Value, why: Why) {
        let id = self.question(party, why);
        let there = party != self.caller.id || self.caller.state.alive();
        let Some(script) = self.script(party) else { return };
        // why: who may change a call over REST is the operator.
        let trusted = script.is_fixed || matches!(why, Why::First | Why::Update);
        let base = script.base.clone();
        if there {
            script.stage = Stage::Asking(id);
        }
        self.effect(Effect::Hook {
            hook: id,
            request: HookRequest { hook, base, trusted, payload },
        });
    }

    /// Tells a hook of something; nobody waits for what it answers.
    pub(crate) fn tell_hook(&mut self, hook: Hook, payload: Value) {
        self.ask_aside(hook, payload, Why::Told);
    }

    /// Asks a hook while the list goes on; false where too many questions wait, and the hook is
    /// not asked.
    pub(crate) fn ask_aside(&mut self, hook: Hook, payload: Value, why: Why) -> bool {
        if !self.has_room_aside(&hook, why) {
            return false;
        }
        let id = self.question(self.caller.id, why);
        let of_session = matches!(why, Why::Inside | Why::Refer(_));
        let trusted = self.script.is_fixed && !(of_session && self.session.is_foreign);
        let base = self.script.base.clone();
        self.effect(Effect::Hook {
            hook: id,
            request: HookRequest { hook, base, trusted, payload },
        });
        true
    }

    /// Whether one more question may wait. An alert says once that it may not, until none waits.
    fn has_room_aside(&mut self, hook: &Hook, why: Why) -> bool {
        let is_aside = |why| matches!(why, Why::Told | Why::Inside | Why::Hold(_));
        let waiting = self.hooks.values().filter(|asked| is_aside(asked.why)).count();
        // why: REFER waits for its answer, one of each leg.
        if !is_aside(why) || waiting < ASIDES_MAX {
            self.is_flooded &= waiting > 0;
            return true;
        }
        if !std::mem::replace(&mut self.is_flooded, true) {
            let what = format!(
                "{}: not asked: {ASIDES_MAX} questions of this call wait for an answer already; \
                 answer faster, or ask for fewer keys and messages",
                hook.url
            );
            self.alert("webhook-failure", what);
        }
        false
    }

    fn question(&mut self, party: LegId, why: Why) -> HookId {
        let id = HookId(self.next_hook);
        self.next_hook += 1;
        self.hooks.insert(id, Asked { why, party });
        id
    }

    /// The answer of a hook, or that there is none.
    pub(crate) fn hook_reply(
        &mut self,
        cx: Context<'_>,
        id: HookId,
        reply: Result<Option<String>, HookFailure>,
    ) {
        let Some(Asked { why, party }) = self.hooks.remove(&id) else { return };
        if let Err(failure) = &reply {
            self.alert(failure.alert_type, failure.message.clone());
        }
        match why {
            Why::Hold(holder) => return self.hold_reply(cx, holder, reply.ok().flatten()),
            Why::Refer(leg) => return self.refer_reply(cx, leg, reply),
            Why::Inside => return self.inside_reply(cx, reply.ok().flatten()),
            _ => {}
        }
        let awaited = self.script(party).is_some_and(|script| script.awaits(id));
        if !awaited {
            // why: the party left, or new instructions came; an old answer changes nothing.
            return;
        }
        match (why, reply) {
            (Why::First, Ok(Some(text))) => self.first_list(cx, &text),
            // why: an empty first answer is an empty list: nothing to run, the call ends.
            (Why::First, Ok(None)) => self.go_on(party),
            (Why::First, Err(failure)) => {
                self.end_caller(cx, Farewell::because(NO_APPLICATION, &failure.message));
            }
            (Why::Confirm, reply) => self.confirm_reply(cx, party, reply.ok()),
            (Why::Action | Why::Redirect | Why::Update, Ok(Some(text))) => {
                self.replace_list(cx, party, &text);
            }
            (_, Ok(_) | Err(_)) => self.go_on(party),
        }
    }

    /// What a hook answered takes the place of what is left of a party's list. A refused list
    /// raised its alert and counts as empty.
    fn replace_list(&mut self, cx: Context<'_>, party: LegId, text: &str) {
        if empty_list(text) {
            return self.go_on(party);
        }
        let loaded = self.load(party, text);
        if loaded.is_ok() {
            // why: what an application answers is not what the operator wrote.
            if let Some(script) = self.script(party) {
                script.is_fixed = false;
            }
        }
        if party != self.caller.id && !self.may_be_screened_by(party) {
            return self.screening_input(cx, party, screening::Input::Failed);
        }
        self.go_on(party);
    }

    fn first_list(&mut self, cx: Context<'_>, text: &str) {
        match self.load(self.caller.id, text) {
            Ok(()) => self.script.stage = Stage::Next,
            // why: rejected before the caller is answered.
            Err(fault) => self.end_caller(cx, Farewell::because(NO_APPLICATION, &fault)),
        }
    }
}

/// `[]` leaves the running list as it is.
pub(crate) fn empty_list(text: &str) -> bool {
    text.chars().filter(|c| !c.is_whitespace()).eq("[]".chars())
}
