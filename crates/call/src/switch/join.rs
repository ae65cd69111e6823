//! What a transfer does to two calls: they become one, or one hears of the other.
//!
//! Of the two partners one stays where it is the caller of its call, and the other comes to it,
//! callee or caller; where both are callees, one becomes a call of its own first.

use std::time::Instant;

use super::{CallKey, Output, Switch};
use crate::call::{Call, Runs};
use crate::effect::{Effect, Media};
use crate::leg::{LegId, caller};

use crate::verb::dial::join::Join;

/// A party of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Partner {
    key: CallKey,
    leg: LegId,
    is_caller: bool,
}

impl Switch {
    /// Connects the partners of a party that is in two calls.
    pub(super) fn join(&mut self, now: Instant, key: CallKey, join: &Join) {
        let refuse = |switch: &mut Switch, status| {
            switch.step(now, key, |call, _| call.refuse_refer(&join.referral, status));
        };
        let sip::headers::Replaces { call_id, to_tag, from_tag, .. } = &join.replaces;
        let Some((invite, state)) = self.endpoint.dialog(call_id, to_tag, from_tag) else {
            // RFC 3891 §3.
            return refuse(self, 481);
        };
        let other = self.leg_of(invite).filter(|_| state == sip::DialogState::Confirmed);
        let stays = self.partner(key, join.leg);
        let comes = other.and_then(|(key, leg)| self.partner(key, leg));
        let (Some(one), Some(two)) = (stays, comes) else { return refuse(self, 501) };
        if one.key == two.key {
            return refuse(self, 501);
        }
        self.step(now, key, |call, _| call.accept_join(join));
        self.connect(now, one, two);
    }

    /// Connects parties of two calls.
    fn connect(&mut self, now: Instant, one: Partner, two: Partner) {
        let (stays, comes) = if one.is_caller { (one, two) } else { (two, one) };
        let host = match stays.is_caller {
            true => Some(stays.key),
            false => self.on_its_own(now, stays),
        };
        if let Some(host) = host {
            self.move_to(now, comes, host);
        }
    }

    /// A leg hears what came of a transfer that it asked for.
    pub(super) fn tell_referrer(
        &mut self,
        now: Instant,
        (key, leg): (CallKey, LegId),
        status: u16,
        reason: &str,
    ) {
        self.step(now, key, |call, cx| {
            call.tell_referrer(cx, leg, status, reason);
        });
    }

    /// Who is connected to this leg.
    pub(super) fn partner(&self, key: CallKey, leg: LegId) -> Option<Partner> {
        let call = self.call(key)?;
        let partner = call.bridged_with(leg)?;
        Some(Partner { key, leg: partner, is_caller: partner == call.caller.id })
    }

    /// Whether a party may go to another call now.
    pub(super) fn may_move(&self, partner: Partner) -> bool {
        let Partner { key, is_caller, .. } = partner;
        let is_up = |call: &Call| call.caller.state == caller::State::Up;
        !is_caller || self.call(key).is_some_and(is_up)
    }

    /// A callee becomes a call of its own, that runs nothing yet.
    fn on_its_own(&mut self, now: Instant, partner: Partner) -> Option<CallKey> {
        let invite = self.invite_of(partner.key, partner.leg)?;
        self.step(now, partner.key, |call, cx| call.detach(cx, partner.leg, Runs::Nothing, None));
        self.leg_of(invite).map(|(key, _)| key)
    }

    /// A party takes, in another call, the place of the callee that is connected there.
    pub(super) fn move_to(&mut self, now: Instant, partner: Partner, host: CallKey) {
        let Some(invite) = self.invite_of(partner.key, partner.leg) else { return };
        let mut leg = None;
        self.step(now, partner.key, |call, cx| {
            leg = match partner.is_caller {
                true => call.depart(cx),
                false => call.let_go(cx, partner.leg),
            };
        });
        let (Some(leg), Some(id)) = (leg, self.call(host).and_then(|call| call.free_leg())) else {
            return;
        };
        self.relabel(invite, (partner.key, partner.leg), (host, id));
        let adopt = Effect::Media(Media::Adopt(id, (partner.key, partner.leg)));
        self.push(Output::Call(host, adopt));
        self.step(now, host, |call, cx| call.adopt(cx, id, leg));
    }
}
