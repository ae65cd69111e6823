//! Which callback is asked with what payload, and what its answer may do to the call.

use serde_json::Value;
use verbs::Hook;

use crate::call::{Call, Context, Runs, Stage};
use crate::effect::{Effect, HookId, HookRequest};
use crate::input::HookFailure;
use crate::leg::caller_leg::Farewell;

/// Why a hook was asked: decides what its answer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// `call_hook`: its list is the first. Without one the caller is refused.
    First,
    /// The `actionHook` of a dial: a list replaces the rest, anything else lets it go on.
    Action,
    /// `redirect`: as `Action`.
    Redirect,
    /// A program sent the call elsewhere; nothing is left of the list before.
    Update,
}

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
            Runs::Application(application) => application.clone(),
        };
        if let Some(text) = &application.app_json {
            self.list_is_fixed = true;
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
        if let Err(fault) = self.load(&list.to_string()) {
            self.alert("invalid-app-payload", fault);
        }
        self.stage = Stage::Next;
    }

    /// Asks a hook; the list waits for the answer while the caller is there.
    pub(crate) fn ask(&mut self, hook: Hook, payload: Value, why: Why) {
        let id = HookId(self.next_hook);
        self.next_hook += 1;
        self.hooks.insert(id, why);
        if self.caller.state.alive() {
            self.stage = Stage::Asking(id);
        }
        // why: who may change a call over REST is the operator.
        let trusted = self.list_is_fixed || matches!(why, Why::First | Why::Update);
        let request = HookRequest { hook, base: self.base_hook(), trusted, payload };
        self.effect(Effect::Hook { hook: id, request });
    }

    /// The origin of the list that runs, for relative URLs and its own credentials.
    pub(crate) fn base_hook(&self) -> Option<Hook> {
        self.base.clone()
    }

    /// The answer of a hook, or that there is none.
    pub(crate) fn hook_reply(
        &mut self,
        cx: Context<'_>,
        id: HookId,
        reply: Result<Option<String>, HookFailure>,
    ) {
        let Some(why) = self.hooks.remove(&id) else { return };
        if let Err(failure) = &reply {
            self.alert(failure.alert_type, failure.message.clone());
        }
        let awaited = matches!(self.stage, Stage::Asking(asked) if asked == id);
        if !awaited {
            // why: the caller left, or new instructions came; an old answer changes nothing.
            return;
        }
        match (why, reply) {
            (Why::First, Ok(Some(text))) => self.first_list(cx, &text),
            // why: an empty first answer is an empty list: nothing to run, the call ends.
            (Why::First, Ok(None)) => self.stage = Stage::Next,
            (Why::First, Err(failure)) => {
                self.end_caller(cx, Farewell::because(NO_APPLICATION, &failure.message));
            }
            (Why::Action | Why::Redirect | Why::Update, Ok(Some(text))) => {
                // A refused list raised its alert and counts as empty.
                if !empty_list(&text) && self.load(&text).is_ok() {
                    // why: what an application answers is not what the operator wrote.
                    self.list_is_fixed = false;
                }
                self.stage = Stage::Next;
            }
            (_, Ok(None) | Err(_)) => self.stage = Stage::Next,
        }
    }

    fn first_list(&mut self, cx: Context<'_>, text: &str) {
        match self.load(text) {
            Ok(()) => self.stage = Stage::Next,
            // why: rejected before the caller is answered.
            Err(fault) => self.end_caller(cx, Farewell::because(NO_APPLICATION, &fault)),
        }
    }
}

/// `[]` leaves the running list as it is.
fn empty_list(text: &str) -> bool {
    text.chars().filter(|c| !c.is_whitespace()).eq("[]".chars())
}
