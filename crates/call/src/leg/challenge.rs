//! A callee that asks who we are: its 401 or 407 is answered with the credentials that the target
//! or the carrier has for it.
//!
//! Which challenge is answered and how often is [`sip::Login`]'s; when the INVITE may go out again
//! is the machine's (`leg/callee.rs`). The credentials are those of one attempt and go to its next
//! hop alone: a redirection drops them.

use sip::{Login, Message, Method, Proof};

use crate::call::Call;
use crate::effect::SipAction;
use crate::leg::LegId;

impl Call {
    /// Prepares the answer to a challenge; false where the response is final.
    pub(crate) fn answer_challenge(&mut self, id: LegId, response: &Message) -> bool {
        if !matches!(response.status(), Some(401 | 407)) {
            return false;
        }
        let cnonce = self.random.hex_128();
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.state.calling()) else {
            return false;
        };
        let Some(login) = leg.login.as_mut() else { return false };
        match login.answer(response, &Method::Invite, &leg.route.uri, &cnonce) {
            Ok(proofs) => leg.proofs = proofs,
            Err(why) => {
                tracing::warn!(call_sid = leg.call_sid, "a callee's challenge: {why}");
                return false;
            }
        }
        true
    }

    /// The same INVITE with the answer. The application hears nothing of it.
    pub(crate) fn invite_callee_again(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        // why: what the refused INVITE brought in a 183 is no part of the next one.
        leg.negotiated = None;
        let proofs = std::mem::take(&mut leg.proofs);
        self.sip(SipAction::InviteAgain(id, proofs));
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.early_at = None;
        }
    }

    /// What a further request to a leg that challenged us carries. RFC 3261 §22.3.
    pub(crate) fn proofs_for(&mut self, id: LegId, method: &Method, uri: &str) -> Vec<Proof> {
        let cnonce = self.random.hex_128();
        let login = self.login_of(id);
        login.map(|login| login.next(method, uri, &cnonce)).unwrap_or_default()
    }

    /// What answers the challenge to a request inside the dialog of a leg; nothing where that is
    /// final. `answered` says that the request had carried an answer.
    pub(crate) fn answer_inside(
        &mut self,
        id: LegId,
        response: &Message,
        method: &Method,
        uri: &str,
        answered: bool,
    ) -> Vec<Proof> {
        let cnonce = self.random.hex_128();
        let Some(login) = self.login_of(id) else { return Vec::new() };
        if !answered {
            login.forget(response);
        }
        let answer = login.answer(response, method, uri, &cnonce);
        answer.unwrap_or_else(|why| {
            tracing::warn!(call_sid = self.sid_of(id), "a challenge inside a call: {why}");
            Vec::new()
        })
    }

    fn login_of(&mut self, id: LegId) -> Option<&mut Login> {
        match id == self.caller.id {
            true => self.caller.login.as_mut(),
            false => self.legs.get_mut(&id).and_then(|leg| leg.login.as_mut()),
        }
    }
}
