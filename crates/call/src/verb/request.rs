//! `sip:request`: a request inside the dialog of the party that runs the list. The list waits for
//! the response, or for the end of its time (RFC 3261 §17.1.2.2).

use sip::{InDialog, Method};
use verbs::SipRequest;
use verbs::callback::{RequestOutcome, SipRequestResult};

use crate::call::Call;
use crate::effect::{Asker, SipAction};
use crate::hook::Why;
use crate::leg::{LegId, callee};
use crate::script::{Running, Stage};

/// A request of a list that waits for its response.
#[derive(Clone, Debug)]
pub(crate) struct Requesting {
    /// Tells it from others of its call: the list may have gone on to another.
    number: u64,
    verb: SipRequest,
}

impl Call {
    pub(crate) fn run_request(&mut self, party: LegId, verb: SipRequest) {
        self.requests += 1;
        let number = self.requests;
        let mut request = InDialog {
            headers: verb.headers.clone(),
            ..InDialog::method(Method::named(&verb.method))
        };
        if let Some(body) = &verb.body {
            request.content_type = Some("text/plain".to_owned());
            request.body = body.clone().into_bytes();
        }
        self.run(party, Running::Request(Box::new(Requesting { number, verb })));
        if self.is_answered(party) {
            let asker = Asker::List(number);
            self.sip(SipAction::Request(party, Box::new(request), asker));
        } else {
            self.request_answered(party, number, Err("the call is not answered"));
        }
    }

    /// A party with a confirmed dialog.
    pub(crate) fn is_answered(&self, party: LegId) -> bool {
        if party == self.caller.id {
            return self.caller.state.answered();
        }
        self.legs.get(&party).is_some_and(|leg| leg.state == callee::State::Up)
    }

    /// The status that came for a request of a list, or why none could.
    pub(crate) fn request_answered(
        &mut self,
        party: LegId,
        number: u64,
        outcome: Result<u16, &str>,
    ) {
        let stage = self.script(party).map(|script| &mut script.stage);
        let Some(Stage::Running(Running::Request(requesting))) = stage else { return };
        if requesting.number != number {
            return;
        }
        let SipRequest { id, action_hook, .. } = requesting.verb.clone();
        let is_taken = outcome.is_ok_and(|status| (200..300).contains(&status));
        let result = SipRequestResult {
            result: if is_taken { RequestOutcome::Success } else { RequestOutcome::Failed },
            sip_status: outcome.ok(),
            err: outcome.err().map(str::to_owned),
            verb_id: id,
        };
        self.go_on(party);
        if let Some(hook) = action_hook {
            let payload = self.info_of(party).payload(&result);
            self.ask_for(party, hook, payload, Why::Action);
        }
    }
}
