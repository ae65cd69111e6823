//! Refreshes of a session (RFC 4028) that the peer wants to know the sender of.
//!
//! The endpoint refreshes by itself and has no credentials; those of a leg answer for it. Nothing
//! of it is a step of the call, and the application hears nothing.

use std::time::Instant;

use sip::{InviteId, Message, Method};

use super::Switch;

impl Switch {
    /// Repeats a refresh with the answer to its challenge, if the leg has one.
    pub(super) fn prove_refresh(
        &mut self,
        now: Instant,
        id: InviteId,
        method: &Method,
        answered: bool,
        response: &Message,
    ) {
        let Some((key, leg)) = self.leg_of(id) else { return };
        let Some(uri) = self.endpoint.request_uri(id) else { return };
        let Some(live) = self.calls.get_mut(&key) else { return };
        let proofs = live.call.answer_inside(leg, response, method, &uri, answered);
        if !proofs.is_empty() {
            let headers: Vec<(String, String)> = proofs.into_iter().map(Into::into).collect();
            self.endpoint.refresh_again(now, id, &headers);
        }
    }
}
