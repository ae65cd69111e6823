//! INVITE with Replaces (RFC 3891): a new caller takes the place of a leg that is connected.
//!
//! The caller is a call of its own, which runs nothing; once it can be answered, whoever is
//! connected to the leg comes to it, as in an attended transfer by REFER (`switch/join.rs`), and
//! the leg is hung up. Who may do so is decided in `inbound.rs`: whoever may call at all, and
//! knows the tags of the dialog.

use std::sync::Arc;
use std::time::Instant;

use sip::headers::Replaces;
use sip::{DialogState, Message};
use verbs::Hook;

use super::join::Partner;
use super::{CallKey, Switch};
use crate::call::{Call, Context};
use crate::leg::caller_leg::Farewell;
use crate::leg::{LegId, callee, caller};
use crate::settings::Application;

/// A dialog that is to be replaced, and the application that its leg belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Replaced {
    pub(crate) replaces: Replaces,
    application: Option<Arc<Application>>,
    base: Option<Hook>,
    status_hook: Option<Hook>,
    status_base: Option<Hook>,
    trace_id: String,
}

/// A leg that can be replaced.
#[derive(Clone, Copy, Debug)]
struct Place {
    key: CallKey,
    leg: LegId,
    partner: Partner,
}

/// Why a dialog cannot be replaced: a final status, and what stands in X-Reason.
pub(crate) type Refused = (u16, String);

impl Replaced {
    /// The new caller belongs to the application of the leg that it replaces.
    pub(crate) fn pass_on(&self, call: &mut Call) {
        call.application.clone_from(&self.application);
        call.script.base.clone_from(&self.base);
        call.status_hook.clone_from(&self.status_hook);
        call.status_base.clone_from(&self.status_base);
        call.trace_id.clone_from(&self.trace_id);
    }
}

impl Call {
    /// Answers the caller that takes the place of another.
    fn answer_in_place(&mut self, cx: Context<'_>) {
        self.caller_input(cx, caller::Input::Answer);
    }

    /// Another party has taken the place of this one, whose partner is gone: nothing more runs
    /// for it.
    fn give_place(&mut self, cx: Context<'_>, leg: LegId) {
        if leg == self.caller.id {
            self.end_caller(cx, Farewell::status(480));
        } else {
            self.callee_input(cx, leg, callee::Input::Stop);
        }
    }
}

impl Switch {
    /// The dialog that an INVITE with Replaces names.
    ///
    /// # Errors
    /// RFC 3891 §3: what is wrong with the header, or with the dialog.
    pub(crate) fn replaced(&self, request: &Message) -> Result<Replaced, Refused> {
        if request.header_all("Replaces").count() != 1 {
            return Err((400, "expected one Replaces, got several".to_owned()));
        }
        let text = request.header_text("Replaces").unwrap_or_default();
        let replaces = Replaces::parse(&text).map_err(|fault| (400, fault.to_string()))?;
        let place = self.place(&replaces)?;
        let Some(call) = self.call(place.key) else { return Err(not_there()) };
        Ok(Replaced {
            replaces,
            application: call.application.clone(),
            base: call.script.base.clone(),
            status_hook: call.status_hook.clone(),
            status_base: call.status_base.clone(),
            trace_id: call.trace_id.clone(),
        })
    }

    fn place(&self, replaces: &Replaces) -> Result<Place, Refused> {
        let Replaces { call_id, to_tag, from_tag, early_only } = replaces;
        let refused = |status, why: &str| Err((status, why.to_owned()));
        let Some((invite, state)) = self.endpoint.dialog(call_id, to_tag, from_tag) else {
            return Err(not_there());
        };
        if state == DialogState::Ended {
            return refused(603, "the dialog that Replaces names is over");
        }
        let Some((key, leg)) = self.leg_of(invite) else { return Err(not_there()) };
        match (state, early_only) {
            // RFC 3891 §3: only whoever sent the INVITE can give an early dialog away.
            (DialogState::Early, _) if self.called_us(key, leg) => Err(not_there()),
            (DialogState::Early, _) => refused(480, "whoever is replaced must have answered"),
            (_, true) => refused(486, "the dialog that Replaces names is no longer early"),
            (_, false) => match self.partner(key, leg) {
                Some(partner) if self.may_move(partner) => Ok(Place { key, leg, partner }),
                Some(_) => refused(480, "whoever is connected has not acknowledged its answer"),
                None => refused(480, "nobody is connected to whoever is replaced"),
            },
        }
    }

    /// Whether the INVITE of this leg came in.
    fn called_us(&self, key: CallKey, leg: LegId) -> bool {
        let call = self.call(key);
        call.is_some_and(|call| call.caller.id == leg && call.caller.origin.request().is_some())
    }

    /// The caller of `host` can be answered, and takes its place, if that is still there.
    pub(super) fn take_place(&mut self, now: Instant, host: CallKey, replaces: &Replaces) {
        let Place { key, leg, partner } = match self.place(replaces) {
            Ok(place) => place,
            Err((status, why)) => {
                return self.step(now, host, |call, cx| {
                    call.end_caller(cx, Farewell::because(status, &why));
                });
            }
        };
        self.step(now, host, Call::answer_in_place);
        // why: nothing of the list of whoever is replaced runs when its dial is over.
        self.step(now, key, |call, _| call.script.end());
        self.move_to(now, partner, host);
        self.step(now, key, |call, cx| call.give_place(cx, leg));
    }
}

/// RFC 3891 §3.
fn not_there() -> Refused {
    (481, "no dialog of the name in Replaces".to_owned())
}
