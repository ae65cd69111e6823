//! What must hold of the SIP messages: INVITE, its answers, CANCEL, ACK and BYE of each leg, and
//! the one winner of a dial.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use call::{CallKey, LegId};

use super::crossings::Crossing;
use super::{Awaited, Judge};
use crate::glimpse::{Glimpse, Start};

/// One INVITE of the switch.
#[derive(Clone, Debug)]
pub(super) struct Called {
    /// How many were called before it.
    pub(super) number: usize,
    to: SocketAddr,
    pub(super) leg: (CallKey, LegId),
    /// Of the latest INVITE: a challenge is answered with another.
    cseq: u32,
    /// A provisional response to it came.
    heard: bool,
    /// Its final failure.
    failed: Option<u16>,
    cancelled: bool,
    /// Those who answered, by the tag of To.
    answered: BTreeMap<String, Dialog>,
    /// It answered, and is the caller of a call that a program began.
    pub(super) is_caller: bool,
    /// Named in a result, as lost for this reason.
    pub(super) lost_because: Option<String>,
    pub(super) call_sid: Option<String>,
}

/// A dialog with a peer, once it has answered or was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dialog {
    pub(super) acked: bool,
    pub(super) bye_said: bool,
    bye_heard: bool,
    /// The peer says to an INVITE of ours that it knows of no such dialog (RFC 3261 §12.2.1.2).
    pub(super) denied: bool,
    /// Of the peer's latest re-INVITE or UPDATE.
    pub(super) offered: u32,
    /// Of its latest that is over: a response other than 2xx, or the ACK of that, has come.
    pub(super) settled: u32,
}

impl Dialog {
    /// Somebody has hung up.
    pub(super) fn over(&self) -> bool {
        self.bye_said || self.bye_heard
    }
}

impl Called {
    /// It has been heard, and neither it nor we have ended that.
    pub(super) fn rings(&self) -> bool {
        self.heard && self.failed.is_none() && !self.cancelled && self.answered.is_empty()
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.to
    }

    /// It answered, and may be over.
    pub(super) fn is_answered(&self) -> bool {
        !self.answered.is_empty()
    }

    /// Nobody who answered is still there.
    pub(super) fn over(&self) -> bool {
        self.answered.values().all(Dialog::over)
    }

    /// It answered and hung up.
    pub(super) fn left(&self) -> bool {
        self.answered.values().any(|dialog| dialog.bye_heard)
    }
}

/// One INVITE to the switch.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    pub(super) leg: Option<(CallKey, LegId)>,
    from: Option<SocketAddr>,
    /// Of its INVITE.
    cseq: u32,
    /// The final response.
    status: Option<u16>,
    pub(super) dialog: Dialog,
    pub(super) call_sid: Option<String>,
}

impl Caller {
    /// Where it is.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.from
    }
}

impl Judge {
    pub(super) fn heard(&mut self, from: SocketAddr, message: &[u8]) -> Result<(), String> {
        let Some(seen) = Glimpse::of(message) else { return Ok(()) };
        match seen.start {
            Start::Response(status) if seen.method == "INVITE" => {
                self.pointed(&seen, status);
                self.denied(&seen, status);
                self.answer(&seen, status);
            }
            Start::Response(status) if seen.method == "NOTIFY" => {
                self.notify_answered(&seen, status);
            }
            Start::Request("INVITE") if seen.to_tag.is_empty() => {
                let caller = self.callers.entry(seen.call_id.to_owned()).or_default();
                caller.from = Some(from);
                caller.cseq = seen.cseq;
            }
            Start::Request("INVITE" | "UPDATE") => {
                self.blocks_path(&seen);
                self.offered(&seen, message);
            }
            Start::Request("REFER") => self.refer_comes(&seen, message),
            Start::Request("CANCEL") => self.caller_cancels(&seen),
            Start::Request("ACK") => self.acknowledged(&seen, message),
            Start::Request("BYE") => self.bye_comes(&seen),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn said(&mut self, to: SocketAddr, message: &[u8]) -> Result<(), String> {
        let Some(seen) = Glimpse::of(message) else { return Ok(()) };
        self.requests(to, &seen);
        match seen.start {
            Start::Response(status @ 200..) if matches!(seen.method, "INVITE" | "UPDATE") => {
                if status < 300 {
                    self.points(&seen, false, message);
                }
                self.offer_answered(&seen, status);
                if seen.method == "INVITE" { self.caller_gets(&seen, status) } else { Ok(()) }
            }
            Start::Response(status @ 200..) if seen.method == "REFER" => {
                self.refer_gets(&seen, status)
            }
            Start::Request("NOTIFY") => self.notifies(&seen, message),
            Start::Request("INVITE") if seen.to_tag.is_empty() => self.invites(to, &seen),
            Start::Request("INVITE") => {
                self.points(&seen, true, message);
                Ok(())
            }
            Start::Request("CANCEL") => self.cancels(&seen),
            Start::Request("ACK") => {
                let called = self.called.get_mut(seen.call_id);
                let dialog = called.and_then(|called| called.answered.get_mut(seen.to_tag));
                if let Some(dialog) = dialog {
                    dialog.acked = true;
                }
                Ok(())
            }
            Start::Request("BYE") => self.hangs_up(to, &seen),
            _ => Ok(()),
        }
    }

    /// The switch sends an INVITE, perhaps again.
    fn invites(&mut self, to: SocketAddr, seen: &Glimpse<'_>) -> Result<(), String> {
        if let Some(called) = self.called.get_mut(seen.call_id) {
            if seen.cseq == called.cseq {
                return Ok(());
            }
            // RFC 3261 §22.2: the answer to a challenge.
            called.cseq = seen.cseq;
            called.heard = false;
            let leg = called.leg;
            let refused = called.failed.take();
            if !matches!(refused, Some(401 | 407)) {
                return Err(format!("{to} is called again, and has not asked who calls"));
            }
            self.meter.count(Crossing::ChallengeAnswered);
            return self.may_ring(to, leg);
        }
        let Some(Awaited::Port(key, leg)) = self.awaited.take() else {
            return Err(format!("{to} gets an INVITE, and no port was opened for it"));
        };
        let called = Called {
            number: self.called.len(),
            to,
            leg: (key, leg),
            cseq: seen.cseq,
            heard: false,
            failed: None,
            cancelled: false,
            answered: BTreeMap::new(),
            is_caller: false,
            lost_because: None,
            call_sid: None,
        };
        self.called.insert(seen.call_id.to_owned(), called);
        self.may_ring(to, (key, leg))
    }

    /// Nobody is rung once the winner is fixed, or the caller is gone.
    fn may_ring(&mut self, to: SocketAddr, (key, leg): (CallKey, LegId)) -> Result<(), String> {
        let call = self.call(key);
        match call.winner {
            Some(winner) => Err(format!("{leg} at {to} is rung after {winner} has won")),
            None if call.over => Err(format!("{leg} at {to} is rung, and the caller is gone")),
            None => Ok(()),
        }
    }

    /// A response to an INVITE of the switch arrives.
    fn answer(&mut self, seen: &Glimpse<'_>, status: u16) {
        let Some(called) = self.called.get_mut(seen.call_id) else { return };
        if seen.cseq != called.cseq {
            return;
        }
        if status < 200 {
            called.heard = true;
        } else if status >= 300 {
            let first = called.failed.replace(status).is_none();
            let (key, cancelled) = (called.leg.0, called.cancelled);
            let onward = self.calls.get(&key).is_some_and(|call| call.onward);
            if first && onward && !cancelled {
                self.meter.count(Crossing::TransferTargetFails);
            }
            if first && cancelled {
                match status {
                    487 => {}
                    401 | 407 => self.meter.count(Crossing::ChallengeCrossesCancel),
                    _ => self.meter.count(Crossing::RefusalCrossesCancel),
                }
            }
        } else if called.answered.contains_key(seen.to_tag) {
            self.meter.count(Crossing::AnswerRepeated);
        } else {
            called.answered.insert(seen.to_tag.to_owned(), Dialog::default());
            let called = called.clone();
            self.note_answer(&called);
        }
    }

    /// A re-INVITE of the switch may find nobody.
    fn denied(&mut self, seen: &Glimpse<'_>, status: u16) {
        if !matches!(status, 408 | 481) {
            return;
        }
        let dialog = self.confirmed(seen.call_id, seen.to_tag);
        dialog.into_iter().for_each(|dialog| dialog.denied = true);
    }

    /// What the first 200 of a callee crosses.
    fn note_answer(&mut self, called: &Called) {
        let (key, leg) = called.leg;
        let call = self.calls.entry(key).or_default();
        let lost = |because: &str| called.lost_because.as_deref() == Some(because);
        let crossings = [
            (Crossing::AnswerCrossesCancel, called.cancelled),
            (Crossing::SecondAnswer, call.winner.is_some_and(|winner| winner != leg)),
            (Crossing::AnswerAfterCallerCancelled, call.cancelled),
            (Crossing::AnswerAfterCallerHungUp, call.hung_up),
            (Crossing::AnswerAfterRingTimeout, lost("ring-timeout")),
            (
                Crossing::AnswerAfterProgressTimeout,
                called.cancelled && call.winner.is_none() && called.lost_because.is_none(),
            ),
        ];
        let happened = crossings.into_iter().filter(|(_, happened)| *happened);
        happened.for_each(|(crossing, _)| self.meter.count(crossing));
    }

    fn cancels(&mut self, seen: &Glimpse<'_>) -> Result<(), String> {
        let Some(called) = self.called.get_mut(seen.call_id) else {
            return Err(format!("a CANCEL for {}, which was never called", seen.call_id));
        };
        let (again, to, (key, leg)) = (called.cancelled, called.to, called.leg);
        called.cancelled = true;
        // RFC 3261 §9.1: not before a provisional response, and to no purpose after the final one.
        if !called.heard {
            return Err(format!("{to} gets CANCEL before any provisional response"));
        }
        if !again && (called.failed.is_some() || !called.answered.is_empty()) {
            return Err(format!("{to} gets CANCEL after its final response"));
        }
        if !again {
            self.is_its_own_end(seen.call_id, Some(key), to)?;
        }
        let call = self.call(key);
        call.gave_up |= !again && call.winner.is_none();
        if call.winner == Some(leg) {
            return Err(format!("{to} has won and gets CANCEL"));
        }
        Ok(())
    }

    fn hangs_up(&mut self, to: SocketAddr, seen: &Glimpse<'_>) -> Result<(), String> {
        if let Some(caller) = self.callers.get_mut(seen.call_id) {
            let again = std::mem::replace(&mut caller.dialog.bye_said, true);
            let key = caller.leg.map(|(key, _)| key);
            return match caller.status {
                Some(200..300) if again => Ok(()),
                Some(200..300) => self.may_end(seen, key, to),
                status => Err(format!("the caller gets BYE, its INVITE was answered {status:?}")),
            };
        }
        let Some(called) = self.called.get_mut(seen.call_id) else {
            return Err(format!("a BYE for {}, which was never called", seen.call_id));
        };
        let unwanted = !called.cancelled && !called.heard;
        let Some(dialog) = called.answered.get_mut(seen.to_tag) else {
            return Err(format!("{to} gets BYE, and has not answered"));
        };
        let again = std::mem::replace(&mut dialog.bye_said, true);
        let (key, leg) = called.leg;
        if !again && unwanted && !called.is_caller && self.call(key).winner != Some(leg) {
            self.meter.count(Crossing::AnswerBeforeCancelMayLeave);
        }
        if again { Ok(()) } else { self.may_end(seen, Some(key), to) }
    }

    /// Somebody is hung up by us, for the first time.
    fn may_end(
        &self,
        seen: &Glimpse<'_>,
        key: Option<CallKey>,
        to: SocketAddr,
    ) -> Result<(), String> {
        self.is_its_own_end(seen.call_id, key, to)?;
        self.was_told_the_end(seen.call_id, seen.to_tag)
    }

    /// The dialog with this peer, early ones included; none once its INVITE was refused.
    pub(super) fn dialog(&self, call_id: &str, tag: &str) -> Option<Dialog> {
        if let Some(caller) = self.callers.get(call_id) {
            return caller.status.is_none_or(|status| status < 300).then_some(caller.dialog);
        }
        let called = self.called.get(call_id)?;
        let early = called.failed.is_none() && !called.cancelled && called.answered.is_empty();
        called.answered.get(tag).copied().or(early.then(Dialog::default))
    }

    /// The same, where it is to be changed.
    pub(super) fn confirmed(&mut self, call_id: &str, tag: &str) -> Option<&mut Dialog> {
        if let Some(caller) = self.callers.get_mut(call_id) {
            return Some(&mut caller.dialog);
        }
        self.called.get_mut(call_id)?.answered.get_mut(tag)
    }

    /// The leg of an answered INVITE is of another call from now on, as its caller or not; its
    /// `call_sid`.
    pub(super) fn relabel(
        &mut self,
        from: (CallKey, LegId),
        to: (CallKey, LegId),
        as_caller: bool,
    ) -> Option<String> {
        let of_leg = |called: &&mut Called| called.leg == from && !called.answered.is_empty();
        let latest = self.called.values_mut().filter(of_leg).max_by_key(|called| called.number);
        if let Some(called) = latest {
            called.leg = to;
            called.is_caller = as_caller;
            return called.call_sid.clone();
        }
        let caller = self.callers.values_mut().find(|caller| caller.leg == Some(from))?;
        caller.leg = Some(to);
        caller.call_sid.clone()
    }

    fn bye_comes(&mut self, seen: &Glimpse<'_>) {
        let leg = self.leg_of(seen.call_id).map(|(key, _)| key);
        let (crossing, key) = if let Some(caller) = self.callers.get_mut(seen.call_id) {
            if std::mem::replace(&mut caller.dialog.bye_heard, true) {
                return;
            }
            let bye_said = caller.dialog.bye_said;
            if caller.status == Some(200) && !caller.dialog.acked && !bye_said {
                self.meter.count(Crossing::ByeBeforeAck);
            }
            (bye_said.then_some(Crossing::CallerByeCrossesOurs), leg)
        } else {
            let Some(called) = self.called.get_mut(seen.call_id) else { return };
            // why: a BYE may overtake the 200 that made its dialog.
            let dialog = called.answered.entry(seen.from_tag.to_owned()).or_default();
            if std::mem::replace(&mut dialog.bye_heard, true) {
                return;
            }
            let key = called.is_caller.then_some(called.leg.0);
            (dialog.bye_said.then_some(Crossing::CalleeByeCrossesOurs), key)
        };
        self.left(seen.call_id, leg, crossing.is_some());
        crossing.into_iter().for_each(|crossing| self.meter.count(crossing));
        if let Some(key) = key {
            self.caller_leaves(key);
            self.call(key).hung_up = true;
        }
    }

    fn caller_cancels(&mut self, seen: &Glimpse<'_>) {
        let Some(caller) = self.callers.get(seen.call_id) else { return };
        let Some((key, _)) = caller.leg else { return };
        match caller.status {
            Some(200..300) => return self.meter.count(Crossing::CancelCrossesOurAnswer),
            Some(487) => return,
            Some(_) => return self.meter.count(Crossing::CancelCrossesOurFailure),
            None => {}
        }
        if !self.call(key).cancelled {
            self.caller_leaves(key);
            self.call(key).cancelled = true;
        }
    }

    /// What the end of the caller crosses.
    fn caller_leaves(&mut self, key: CallKey) {
        let screening = self.is_anybody_screened(key);
        let call = self.calls.entry(key).or_default();
        if call.over {
            return;
        }
        if screening {
            self.meter.count(Crossing::CallerGoneWhileScreening);
        }
        if call.opening {
            self.meter.count(Crossing::CallerGoneWhilePortOpens);
        }
        if !call.asking.is_empty() {
            self.meter.count(Crossing::CallerGoneWhileAsking);
        }
        if call.onward && call.winner.is_none() && !call.unreported.is_empty() {
            self.meter.count(Crossing::TransferredPartyLeaves);
        }
    }

    /// The caller gets a final response.
    fn caller_gets(&mut self, seen: &Glimpse<'_>, status: u16) -> Result<(), String> {
        let caller = self.callers.get_mut(seen.call_id);
        // why: a re-INVITE has final responses of its own.
        let Some(caller) = caller.filter(|caller| caller.cseq == seen.cseq) else { return Ok(()) };
        match caller.status.replace(status) {
            Some(before) if before != status => {
                Err(format!("the caller gets {status} after {before}"))
            }
            _ => Ok(()),
        }
    }

    /// Caller and callee hear each other: early media of a callee, or the winner.
    pub(super) fn bridged(
        &mut self,
        key: CallKey,
        caller: LegId,
        leg: LegId,
    ) -> Result<(), String> {
        let Some(is_over) = self.is_over((key, leg)) else {
            return match self.calls.get(&key).and_then(|call| call.winner) {
                Some(winner) => Err(format!("{winner} has won, and {leg} is heard")),
                None => Ok(()),
            };
        };
        if is_over {
            return Err(format!("{leg} is connected, and was cancelled or hung up before"));
        }
        let call = self.call(key);
        call.bridge = Some((caller, leg));
        call.last_winner = None;
        match call.winner.replace(leg) {
            Some(before) if before != leg => Err(format!("{before} has won, and {leg} wins too")),
            Some(_) => Ok(()),
            None => {
                if call.onward {
                    self.meter.count(Crossing::TransferTargetAnswers);
                }
                self.sounds.note_bridge(key, caller);
                self.is_accepted(key, leg)
            }
        }
    }

    /// Whether who answered as this leg was given up or is over; `None` where nobody has: a callee
    /// of this call, or somebody who was the caller of another.
    fn is_over(&self, leg: (CallKey, LegId)) -> Option<bool> {
        let of_leg = |called: &&Called| called.leg == leg && !called.answered.is_empty();
        let latest = self.called.values().filter(of_leg).max_by_key(|called| called.number);
        let callee = latest.map(|called| called.cancelled || called.over());
        callee.or_else(|| {
            let caller = self.callers.values().find(|caller| caller.leg == Some(leg))?;
            Some(caller.dialog.over())
        })
    }

    /// Nobody was left ringing, talking or waiting.
    pub(super) fn talk_at_rest(&mut self) -> Result<(), String> {
        for called in self.called.values() {
            let (to, leg) = (called.to, called.leg.1);
            if called.heard
                && called.failed.is_none()
                && !called.cancelled
                && called.answered.is_empty()
            {
                return Err(format!("{leg} at {to} was left ringing"));
            }
            if !called.heard && called.failed.is_none() && called.answered.is_empty() {
                self.meter.count(Crossing::CalleeSilent);
            }
            for dialog in called.answered.values() {
                if !dialog.over() {
                    return Err(format!("{leg} at {to} answered and was never hung up"));
                }
                if !dialog.acked && !dialog.bye_heard {
                    return Err(format!("{leg} at {to} answered and got no ACK"));
                }
            }
        }
        for caller in self.callers.values().filter(|caller| caller.leg.is_some()) {
            let Some(status) = caller.status else {
                return Err("the caller got no final response".to_owned());
            };
            let answered = (200..300).contains(&status);
            if answered && !caller.dialog.over() {
                return Err("the caller was answered and never hung up".to_owned());
            }
            if answered && !caller.dialog.acked {
                self.meter.count(Crossing::AckNeverCame);
            }
        }
        Ok(())
    }
}
