//! The addresses of a callee's next hop, tried one after the other (RFC 3263 §4.3).
//!
//! Owns what counts as the failure of an address and not of the callee, and what a leg keeps when
//! it goes on to the next one: its call_sid, its place in the dial and its status. Where the
//! addresses come from is the driver's; when the next may be tried is the machine's
//! (`leg/callee.rs`).

use sip::RejectCause;

use crate::call::{Call, Context};
use crate::input::Way;
use crate::leg::LegId;
use crate::leg::callee;

/// Ways to one next hop that are tried at most.
const WAYS_MAX: usize = 8;

impl Call {
    /// The next hop was looked up.
    pub(crate) fn callee_resolved(&mut self, cx: Context<'_>, id: LegId, ways: Vec<Way>) {
        let mut ways = self.allowed_ways(id, ways).into_iter().take(WAYS_MAX);
        let Some(first) = ways.next() else {
            self.lose(id, 503, "the next hop has no address");
            return self.callee_input(cx, id, callee::Input::Unresolved);
        };
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.flow = Some(first.flow);
            leg.large = first.large;
            leg.ways = ways.collect();
        }
        self.callee_input(cx, id, callee::Input::Resolved);
    }

    /// Whether this failure is the address's alone, and another one is left.
    pub(crate) fn tries_elsewhere(&self, id: LegId, status: u16, cause: RejectCause) -> bool {
        // RFC 3263 §4.3: a 503, the network's word, or not a single response.
        let of_address = matches!(
            (cause, status),
            (RejectCause::Peer | RejectCause::Transport, 503) | (RejectCause::Timeout, 408)
        );
        let left = |leg: &crate::leg::callee_leg::Leg| leg.state.calling() && !leg.ways.is_empty();
        of_address && self.legs.get(&id).is_some_and(|leg| left(leg))
    }

    /// Goes on to the next address: an INVITE of its own, and an attempt of its own in the report.
    pub(crate) fn try_next_way(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let next = leg.ways.pop_front();
        leg.flow = next.map(|way| way.flow);
        leg.large = next.and_then(|way| way.large);
        leg.negotiated = None;
        leg.proofs.clear();
        leg.login = leg.route.login();
        self.note_next_attempt(id);
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.early_at = None;
        }
    }
}
