//! The end of a session by BYE, of either peer (RFC 3261 §15).

use std::time::Instant;

use super::{Session, Side, Step, accept, change, connect, expiry, modify};
use crate::{
    dialog::Dialog,
    message::Message,
    method::Method,
    stack::Stack,
    transaction::{
        key::{ClientKey, ClientMethod},
        table::Purpose,
    },
};

impl Session {
    /// The dialog that the session lives in once it is confirmed.
    pub(super) fn current(&mut self) -> Option<&mut Dialog> {
        match &mut self.side {
            Side::Caller(caller) => caller.winner(),
            Side::Callee(callee) => Some(&mut callee.dialog),
        }
    }

    /// The core hangs up.
    pub(crate) fn bye(&mut self, stack: &mut Stack, now: Instant, headers: &[(String, String)]) {
        self.bye_headers = headers.to_vec();
        let step = &mut Step::new(stack, now);
        match self.side {
            Side::Caller(_) => self.feed_connect(step, connect::Input::Bye),
            Side::Callee(_) => self.feed_accept(step, accept::Input::Bye),
        }
    }

    /// Whether a BYE with this tag is for the session.
    pub(crate) fn expects_bye(&mut self, remote_tag: &str) -> bool {
        match &mut self.side {
            Side::Caller(caller) => caller.bye_input(remote_tag).is_some(),
            Side::Callee(callee) => callee.dialog.remote_tag() == remote_tag,
        }
    }

    /// The peer hangs up; its BYE is answered.
    pub(crate) fn handle_bye(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        request: &Message,
        remote_tag: &str,
    ) {
        let step = &mut Step::with(stack, now, request);
        let input = match &mut self.side {
            Side::Caller(caller) => caller.bye_input(remote_tag).flatten(),
            Side::Callee(_) => {
                self.dialog_over(step);
                self.feed_accept(step, accept::Input::PeerBye);
                return;
            }
        };
        if let Some(input) = input {
            self.dialog_over(step);
            self.feed_connect(step, input);
        }
    }

    /// Nothing in the dialog goes on any more.
    fn dialog_over(&mut self, step: &mut Step<'_>) {
        self.feed_modify(step, modify::Input::Over);
        self.feed_change(step, change::Input::Over);
        self.feed_expiry(step, expiry::Input::Over);
        self.change.forget();
    }

    /// Our BYE has its response, or never will.
    pub(crate) fn bye_done(&mut self, stack: &mut Stack, now: Instant) {
        self.feed_bye_done(&mut Step::new(stack, now));
    }

    fn feed_bye_done(&mut self, step: &mut Step<'_>) {
        match self.side {
            Side::Caller(_) => self.feed_connect(step, connect::Input::ByeDone),
            Side::Callee(_) => self.feed_accept(step, accept::Input::ByeDone),
        }
    }

    /// The ACK of a re-INVITE's 2xx never came. RFC 3261 §14.2: the dialog ends as if the first
    /// 2xx had not been acknowledged.
    pub(super) fn lost(&mut self, step: &mut Step<'_>) {
        match self.side {
            Side::Caller(_) => self.feed_connect(step, connect::Input::NoAck),
            Side::Callee(_) => self.feed_accept(step, accept::Input::NoAck),
        }
    }

    pub(super) fn send_bye(&mut self, step: &mut Step<'_>) {
        self.dialog_over(step);
        let headers = std::mem::take(&mut self.bye_headers);
        let branch = step.stack.generator.next_u128();
        let agent = step.stack.agent.clone();
        let Some(dialog) = self.current() else { return };
        let plain = dialog.request(&Method::Bye, branch).header("User-Agent", agent);
        let mut builder = plain.clone();
        for (name, value) in &headers {
            builder = builder.header(name, value);
        }
        // why: headers that cannot be written must not keep the BYE back.
        let written = builder.build().or_else(|_| plain.build());
        let hop = dialog.next_hop();
        match written {
            Ok(bye) => {
                let key = ClientKey::new(branch, ClientMethod::Other);
                self.pending += 1;
                let owner = (self.id, Purpose::Bye);
                step.stack.transactions.request(step.now, key, hop, bye, owner);
            }
            Err(_) => self.feed_bye_done(step),
        }
    }
}
