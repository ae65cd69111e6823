//! Carrying out what the machines of a session ask for, one action at a time.

use super::{Session, Step, action::Action, callee};
use crate::{
    deadlines::Due,
    endpoint::{EndCause, Event},
    transaction::table::Class,
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
                if let Some(response) = step.message.cloned() {
                    step.report(Event::Answered { id, response });
                }
            }
            Action::DropFork => self.drop_fork(step),
            Action::Rejected(rejection) => self.report_rejection(step, rejection),
            Action::Abandon => self.abandon(step),
            Action::Respond => {
                if let (Some(transaction), Some((class, bytes))) =
                    (step.transaction, step.response.take())
                {
                    step.stack.transactions.respond(step.now, transaction, class, bytes);
                }
            }
            Action::SendReliable => self.send_reliable(step),
            Action::RepeatReliable => self.repeat_reliable(step),
            Action::SendSuccess => self.send_success(step),
            Action::NotAcknowledged => self.not_acknowledged(step),
            Action::RepeatProvisional => self.repeat(step, Class::Provisional),
            Action::RepeatSuccess => self.repeat(step, Class::Success),
            Action::Refuse(status) => {
                if let Some(transaction) = step.transaction {
                    step.stack.answer(step.now, transaction, status, self.tag);
                }
            }
            Action::RefuseNew(status) => {
                if let Some(arrived) = step.arrived {
                    step.stack.answer(step.now, arrived, status, self.tag);
                }
            }
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
            Action::Gone => self.broken(step, EndCause::Gone),
            Action::SendBye => self.send_bye(step),
            Action::Ended(cause) => {
                let request = step.message.filter(|message| callee::is_bye(message)).cloned();
                step.report(Event::Ended { id, cause, request });
            }
            Action::Arm(timer, after) => {
                let due = Due::Invite(id, timer);
                step.stack.transactions.deadlines.arm(due, step.now + after);
            }
            Action::ArmSoon(timer) => {
                let after = self.soon(step.stack);
                let due = Due::Invite(id, timer);
                step.stack.transactions.deadlines.arm(due, step.now + after);
            }
            Action::Disarm(timer) => {
                step.stack.transactions.deadlines.disarm(Due::Invite(id, timer));
            }
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
