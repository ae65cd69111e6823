//! A transfer under way: the other party of whoever sent REFER runs a list, and who sent it is told
//! what comes of that, by NOTIFY (RFC 3515 §2.4.5).
//!
//! The other party of a callee is the caller, whose list is replaced; the other party of the
//! caller is the callee, which goes on as a call of its own. Where that list begins with a dial,
//! its outcome is that of the transfer, and who asked for it stays until then, hearing nothing: a
//! NOTIFY after its BYE would be one too late. Any other list is a transfer that has succeeded.

use sip::{InDialog, Method, Respond};
use verbs::Verb;

use crate::call::{Call, Context, Output, Runs};
use crate::effect::{Asker, Effect, Media, SipAction};
use crate::leg::{LegId, callee};
use crate::script::{Running, Stage};
use crate::switch::CallKey;
use crate::verb::dial::refer::Referral;
use crate::verb::dial::ring;

/// Seconds that a subscription to a transfer may last (RFC 3515 §2.4.4): longer than any dial
/// rings.
const SUBSCRIBED: u32 = 3600;

/// Who sent a call where it is, and waits to hear what comes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Referrer {
    /// The call that it is in, where that is another one.
    pub(crate) call: Option<CallKey>,
    pub(crate) leg: LegId,
}

impl Call {
    /// 202, and that it is being tried.
    pub(crate) fn accept_refer(&mut self, leg: LegId, referral: &Referral) {
        let unsubscribed = [("Refer-Sub".to_owned(), "false".to_owned())];
        let headers = if referral.is_subscribed { Vec::new() } else { unsubscribed.to_vec() };
        let accepted = Respond { headers, ..Respond::status(202) };
        self.sip(SipAction::Reply(referral.request, accepted));
        self.notify(leg, referral, "100 Trying", &format!("active;expires={SUBSCRIBED}"));
    }

    /// The other party of `leg` runs this list, which was read as these verbs.
    pub(crate) fn begin_transfer(
        &mut self,
        cx: Context<'_>,
        leg: LegId,
        referral: Referral,
        list: String,
        verbs: &[Verb],
    ) {
        let other = self.bridged_with(leg);
        // why: while the hook was asked, another may have taken the place of the other party.
        let is_same = |other: &LegId| referral.about == Some(self.sid_of(*other));
        let Some(other) = other.filter(is_same) else {
            return self.notify_end(leg, &referral, "200 OK");
        };
        let waits = referral.is_subscribed && begins_with_dial(verbs);
        if waits {
            self.transfers.insert(leg, referral);
        } else {
            self.notify_end(leg, &referral, "200 OK");
        }
        if other != self.caller.id {
            return self.detach(cx, other, Runs::List(list), waits.then_some(leg));
        }
        self.caller.origin.spend_hop();
        if waits {
            self.dial_input(cx, ring::Input::Detached);
            self.effect(Effect::Media(Media::Silence(leg)));
            self.referrer = Some(Referrer { call: None, leg });
        } else {
            self.dial_input(cx, ring::Input::Replaced);
        }
        self.run_list(&list);
    }

    /// The dial that this call was sent to has an outcome.
    pub(crate) fn transfer_ended(&mut self, cx: Context<'_>, status: u16, reason: &str) {
        let Some(Referrer { call, leg }) = self.referrer.take() else { return };
        match call {
            None => self.tell_referrer(cx, leg, status, reason),
            Some(key) => {
                self.output(Output::Transferred(key, leg, status, reason.to_owned()));
            }
        }
    }

    /// A leg hears what came of the transfer that it asked for, and has nothing more to wait for.
    pub(crate) fn tell_referrer(&mut self, cx: Context<'_>, leg: LegId, status: u16, reason: &str) {
        let Some(referral) = self.transfers.remove(&leg) else { return };
        self.notify_end(leg, &referral, &format!("{status} {reason}"));
        self.waits_no_more(cx, leg);
    }

    /// A leg says that it knows of no subscription, or says nothing: it is told no more of its
    /// transfer (RFC 6665 §4.2.2), which goes on.
    pub(crate) fn unsubscribed(&mut self, cx: Context<'_>, leg: LegId) {
        let Some(referral) = self.transfers.get_mut(&leg) else { return };
        if std::mem::take(&mut referral.is_subscribed) {
            self.waits_no_more(cx, leg);
        }
    }

    /// A leg has stayed only to hear what comes of its transfer.
    fn waits_no_more(&mut self, cx: Context<'_>, leg: LegId) {
        if leg != self.caller.id {
            self.callee_input(cx, leg, callee::Input::Stop);
        } else if matches!(self.script.stage, Stage::Running(Running::Transfer)) {
            self.go_on(leg);
        }
    }

    /// How the transfer ended, as the status line of a response.
    pub(crate) fn notify_end(&mut self, leg: LegId, referral: &Referral, line: &str) {
        self.notify(leg, referral, line, "terminated;reason=noresource");
    }

    fn notify(&mut self, leg: LegId, referral: &Referral, line: &str, state: &str) {
        if referral.is_subscribed && self.is_there(leg) {
            self.send_notify(leg, referral, line, state);
        }
    }

    /// A leg is about to be hung up: what it waits to hear of it will not hear (RFC 6665 §4.4.1: a
    /// subscription ends by a NOTIFY).
    pub(crate) fn end_subscription(&mut self, leg: LegId) {
        if let Some(referral) = self.transfers.remove(&leg).filter(|of| of.is_subscribed) {
            self.send_notify(leg, &referral, "487 Request Terminated", "terminated;reason=giveup");
        }
    }

    fn send_notify(&mut self, leg: LegId, referral: &Referral, line: &str, state: &str) {
        let header = |name: &str, value: String| (name.to_owned(), value);
        let notify = InDialog {
            headers: vec![
                header("Event", format!("refer;id={}", referral.cseq)),
                header("Subscription-State", state.to_owned()),
            ],
            content_type: Some("message/sipfrag;version=2.0".to_owned()),
            body: format!("SIP/2.0 {line}\r\n").into_bytes(),
            ..InDialog::method(Method::Notify)
        };
        self.sip(SipAction::Request(leg, Box::new(notify), Asker::Subscription));
    }
}

/// Nothing that takes time comes before its first dial.
fn begins_with_dial(verbs: &[Verb]) -> bool {
    let at_once = |verb: &&Verb| matches!(verb, Verb::Answer(_) | Verb::Config(_) | Verb::Tag(_));
    matches!(verbs.iter().find(|verb| !at_once(verb)), Some(Verb::Dial(_)))
}
