//! Carrying out what the machines of a session ask for, one action at a time.

use std::time::Duration;

use super::{Session, Step, action::Action, callee};
use crate::{
    deadlines::Due,
    endpoint::Event,
    transaction::table::{Class, ServerId},
};

impl Session {
    pub(super) fn perform(&mut self, step: &mut Step<'_>, action: Action) {
        let id = self.id;
        match action {
            Action::Progress => self.progress(step),
            Action::SendCancel => self.send_cancel(step),
            Action::SendAgain => self.send_again(step),
            Action::Ack => self.confirm_fork(step),
            Action::Answered => {
                if let Some(response) = step.message {
                    step.report(Event::Answered { id, response: response.clone() });
                    self.agreed_by_peer(step, response);
                }
            }
            Action::DropFork => self.drop_fork(step),
            Action::Rejected(rejection) => self.report_rejection(step, rejection),
            Action::Abandon => self.abandon(step),
            Action::Respond => respond(step),
            Action::SendReliable => self.send_reliable(step),
            Action::RepeatReliable => self.repeat_reliable(step),
            Action::SendSuccess => self.send_success(step),
            Action::SendHeldSuccess => self.send_held_success(step),
            Action::NotAcknowledged => self.not_acknowledged(step),
            Action::RepeatProvisional => self.repeat(step, Class::Provisional),
            Action::RepeatSuccess => self.repeat(step, Class::Success),
            Action::Refuse(status) => self.refuse(step, step.transaction, status),
            Action::RefuseNew(status) => self.refuse(step, step.arrived, status),
            Action::Cancelled => {
                if let Some(request) = step.message.cloned() {
                    step.report(Event::Cancelled { id, request });
                }
            }
            Action::Acked => self.acked(step),
            Action::Reinvite => {
                if let Some(request) = step.message.cloned() {
                    step.report(Event::Reinvite { id, request });
                }
            }
            Action::Lost => self.lost(step),
            Action::SendReinvite => self.send_reinvite(step),
            Action::AckReinvite => self.ack_reinvite(step),
            Action::CancelReinvite => self.cancel_reinvite(step),
            Action::AbandonReinvite => self.abandon_reinvite(step),
            Action::Modified => self.modified(step),
            Action::NotModified(rejection) => self.not_modified(step, rejection),
            Action::Broken(cause) => self.broken(step, cause),
            Action::RefreshSession => self.refresh_session(step),
            Action::SendBye => self.send_bye(step),
            Action::Ended(cause) => {
                let request = step.message.filter(|message| callee::is_bye(message)).cloned();
                step.report(Event::Ended { id, cause, request });
            }
            Action::Arm(timer, after) => arm(step, Due::Invite(id, timer), after),
            Action::ArmSoon(timer) => {
                let after = self.soon(step.stack);
                arm(step, Due::Invite(id, timer), after);
            }
            Action::Disarm(timer) => {
                step.stack.transactions.deadlines.disarm(Due::Invite(id, timer));
            }
        }
    }

    fn refuse(&self, step: &mut Step<'_>, transaction: Option<ServerId>, status: u16) {
        if let Some(transaction) = transaction {
            step.stack.answer(step.now, transaction, status, self.tag);
        }
    }

    fn repeat(&mut self, step: &mut Step<'_>, class: Class) {
        if let Some(transaction) = step.transaction {
            step.stack.transactions.repeat(step.now, transaction, class);
        }
    }

    fn acked(&mut self, step: &mut Step<'_>) {
        if let Some(transaction) = step.transaction {
            step.stack.transactions.settled(transaction);
        }
        if let Some(request) = step.message.cloned() {
            step.report(Event::Acked { id: self.id, request });
        }
    }
}

/// Sends the core's response.
fn respond(step: &mut Step<'_>) {
    if let (Some(transaction), Some((class, bytes))) = (step.transaction, step.response.take()) {
        step.stack.transactions.respond(step.now, transaction, class, bytes);
    }
}

fn arm(step: &mut Step<'_>, due: Due, after: Duration) {
    step.stack.transactions.deadlines.arm(due, step.now + after);
}
