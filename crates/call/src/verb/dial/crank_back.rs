//! Who is called next where the way before did not carry the call, a carrier's next gateway or the
//! next contact of a redirection: which failures allow it, and when a gateway has been silent for
//! too long.
//!
//! A person who refused is never rung again another way, so only failures that a network makes
//! count.

use std::time::Duration;

use sip::Message;
use verbs::status::LostBecause;

use crate::call::{Call, Context, Output};
use crate::leg::LegId;
use crate::leg::callee;
use crate::leg::callee_leg::Leg;
use crate::route::Attempt;
use crate::timer::Timer;
use crate::verb::dial::ring;

/// Longest that a gateway is left alone because its 503 asked for it.
const REST_MAX: Duration = Duration::from_secs(3600);

/// Another gateway may do better: it refused us, not the callee; it timed out; it is broken.
/// Everything else is the callee's word, or would be the same elsewhere.
fn may_crank_back(status: u16) -> bool {
    matches!(status, 403 | 407 | 408 | 500..=599)
}

impl Call {
    /// The INVITE of a leg left: its gateway must make progress in time, if there is another.
    pub(crate) fn watch_progress(&mut self, cx: Context<'_>, id: LegId) {
        // why: a gateway is a machine, which is there at once; a telephone may have to wake up.
        let may_wait = |leg: &Leg| leg.route.carrier.is_some() && !leg.waiting.is_empty();
        if self.legs.get(&id).is_some_and(|leg| may_wait(leg)) {
            let at = cx.now + self.settings.limits.gateway_progress;
            self.timers.arm(Timer::Progress(id), at);
        }
    }

    /// The gateway of this leg was silent for too long: the next one, while this is given up.
    pub(crate) fn progress_timeout(&mut self, cx: Context<'_>, id: LegId) {
        let silent = self.legs.get(&id).is_some_and(|leg| leg.state == callee::State::Calling);
        if silent {
            self.stop_callee(cx, id, LostBecause::ProgressTimeout);
            if !self.next_turn(cx, id) {
                self.dial_lost(cx);
            }
        }
    }

    /// After a failure of this leg: calls who waits to be called in its place, if the failure
    /// allows it, or the leg said where else to call.
    pub(crate) fn crank_back(&mut self, cx: Context<'_>, id: LegId) -> bool {
        let goes_on = |leg: &Leg| leg.redirected || may_crank_back(leg.sip_status);
        let allowed = self.legs.get(&id).is_some_and(|leg| goes_on(leg));
        allowed && self.next_turn(cx, id)
    }

    /// Calls whoever waits to be called in the place of this leg; false where nobody does.
    fn next_turn(&mut self, cx: Context<'_>, id: LegId) -> bool {
        let number = self.dials;
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.dial == number) else {
            return false;
        };
        let (target, mut waiting) = (leg.target, std::mem::take(&mut leg.waiting));
        let Some(dial) = self.dial.as_ref().filter(|dial| dial.state == ring::State::Ringing)
        else {
            return false;
        };
        let (Some(record), Some(verb)) = (dial.records.get(target), dial.verb.target.get(target))
        else {
            return false;
        };
        let is_new = |way: &Attempt| way.gateway.is_some() || !record.tried(way);
        let mut turn = Vec::new();
        while turn.is_empty() {
            let Some(next) = waiting.pop_front() else { return false };
            turn = next;
            // why: another contact may have led there since.
            turn.retain(is_new);
        }
        let verb = verb.clone();
        self.call_at_once(cx, target, &verb, turn, waiting)
    }

    /// A 503 with Retry-After: nobody is sent to this gateway for so long.
    pub(crate) fn rest_gateway(&mut self, cx: Context<'_>, id: LegId, response: Option<&Message>) {
        let asked = response
            .filter(|response| response.status() == Some(503))
            .and_then(|response| response.header_text("Retry-After").map(|text| text.into_owned()));
        let Some(seconds) = asked.as_deref().and_then(seconds) else { return };
        let until = cx.now + Duration::from_secs(seconds).min(REST_MAX);
        if let Some(gateway) = self.legs.get(&id).and_then(|leg| gateway_of(leg)) {
            self.output(Output::Rest { gateway, until });
        }
    }
}

/// The gateway that speaks for itself: not where a proxy stands before it.
fn gateway_of(leg: &Leg) -> Option<String> {
    leg.route.gateway.clone().filter(|_| leg.route.proxy.is_none())
}

/// RFC 3261 §20.33: digits, then perhaps a comment or parameters.
fn seconds(text: &str) -> Option<u64> {
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_by_a_person_is_final() {
        for status in [302, 401, 404, 480, 484, 486, 487, 488, 600, 603, 604, 606] {
            assert!(!may_crank_back(status), "{status}");
        }
        for status in [403, 407, 408, 500, 502, 503, 504, 580] {
            assert!(may_crank_back(status), "{status}");
        }
    }

    #[test]
    fn retry_after_may_carry_a_comment() {
        assert_eq!(seconds("120 (in maintenance)"), Some(120));
        assert_eq!(seconds("18;duration=3600"), Some(18));
        assert_eq!(seconds("soon"), None);
    }
}
