//! Attended transfer (RFC 3515 with RFC 3891): a party of two calls asks that its two partners be
//! connected to each other. It names its other dialog, by tags that nobody else knows.
//!
//! The switch finds the other call; one of the partners leaves its call and takes, in the call of
//! the other, the place of who asked. Its dialog, its audio and its `call_sid` stay.

use sip::headers::Replaces;

use crate::call::{Call, Context, Output};
use crate::effect::{Effect, Media};
use crate::leg::callee_leg::Leg;
use crate::leg::{LegId, callee, caller};
use crate::script::{Running, Stage};
use crate::verb::dial::Dial;
use crate::verb::dial::refer::Referral;
use crate::verb::dial::ring::{self, State};

/// Who asked, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) leg: LegId,
    pub(crate) referral: Referral,
    pub(crate) replaces: Replaces,
}

impl Call {
    /// Has the switch look for the other call.
    pub(crate) fn ask_to_join(&mut self, leg: LegId, referral: Referral, replaces: Replaces) {
        self.output(Output::Join(Box::new(Join { leg, referral, replaces })));
    }

    /// The partners can be connected: whoever asked is told so.
    pub(crate) fn accept_join(&mut self, join: &Join) {
        self.accept_refer(join.leg, &join.referral);
        self.notify_end(join.leg, &join.referral, "200 OK");
    }

    /// The caller leaves for another call, with its dialog, its audio and its `call_sid`. What is
    /// left here ends, as if it had hung up.
    pub(crate) fn depart(&mut self, cx: Context<'_>) -> Option<Box<Leg>> {
        if self.caller.state != caller::State::Up {
            return None;
        }
        let leg = Leg::of_caller(&self.caller, self.call_sid.clone())?;
        let leg = Leg { customer_data: self.customer_data.clone(), ..leg };
        self.refuse_open_refer(self.caller.id);
        self.caller_input(cx, caller::Input::Moved);
        Some(Box::new(leg))
    }

    /// A leg of another call takes the place of the callee that is connected, which is hung up.
    pub(crate) fn adopt(&mut self, cx: Context<'_>, id: LegId, mut leg: Box<Leg>) {
        if let Some(dial) = self.dial.as_ref().filter(|dial| dial.is_bridged())
            && let Some(before) = dial.winner
        {
            self.hang_up_on(cx, before);
        }
        self.dials += 1;
        leg.dial = self.dials;
        self.output(Output::Named(leg.call_sid.clone()));
        self.legs.insert(id, leg);
        self.dial = Some(Dial {
            state: State::Bridged(id),
            bridged_at: Some(cx.now),
            winner: Some(id),
            ..Dial::new(cx.now, verbs::Dial::of(Vec::new()))
        });
        self.script.stage = Stage::Running(Running::Dial);
        self.effect(Effect::Media(Media::Bridge(self.caller.id, id)));
        self.go_on_holding(cx, id);
    }

    /// The dial ends as one whose callee hung up, and that callee is hung up.
    fn hang_up_on(&mut self, cx: Context<'_>, callee: LegId) {
        self.dial_input(cx, ring::Input::Detached);
        self.callee_input(cx, callee, callee::Input::Stop);
    }
}
