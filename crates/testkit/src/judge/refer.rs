//! What must hold of REFER (RFC 3515): each gets one final response, 202 only where its hook or the
//! operator allows it; a refused one changes nothing; whoever sent it and wants to know is told
//! that it is tried and how it ended, once, and nothing in a dialog that is over. What a transfer
//! does to the other party is seen by the rest of the judge, for it is a dial as any other.
//!
//! How a transfer ends, and when that is told, is not judged: at once or when the new leg has
//! answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use call::{CallKey, Effect, HookFailure, HookId, HookRequest, LegId};

use super::Judge;
use super::crossings::Crossing;
use crate::glimpse::{self, Glimpse, Start};

/// A REFER: the SIP Call-ID, the tag of who sent it, and the number of its CSeq.
type Named = (String, String, u32);

/// What the judge was told, and every REFER that came.
#[derive(Clone, Debug, Default)]
pub(super) struct Referring {
    /// The operator lets the switch transfer where no hook is asked.
    transfers: bool,
    refers: BTreeMap<Named, Refer>,
}

/// Who said what to a REFER.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// No hook was asked.
    Unasked,
    /// This one is being asked, about this party.
    Asked((CallKey, HookId), Option<String>),
    Allowed,
    Refused,
}

/// How much of a REFER whoever sent it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Tried,
    Ended,
}

#[derive(Clone, Debug)]
struct Refer {
    leg: Option<(CallKey, LegId)>,
    wants_to_know: bool,
    verdict: Verdict,
    /// Its final response.
    status: Option<u16>,
    told: Told,
    /// The latest NOTIFY of it, and whether that was answered.
    notify: Option<(u32, bool)>,
    /// The peer knows of no subscription (any more).
    is_unknown: bool,
}

/// What the switch did since it was last told something.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// The REFER that came.
    came: Option<Named>,
    /// The one whose hook answered, and the party that the hook was told of.
    answered: Option<(Named, Option<String>)>,
    /// The one that was accepted.
    accepted: Option<Named>,
    /// One was refused.
    refused: bool,
    /// One, perhaps another, got 202.
    allowed: bool,
    /// Something that is more than an answer.
    acted: Option<String>,
    /// Who hung up: the SIP Call-ID, its call, and whether it was let go before.
    left: Option<(String, Option<CallKey>, bool)>,
}

impl Judge {
    /// The same judge, who knows that the switch may transfer where no hook is asked.
    #[must_use]
    pub fn transferring(mut self, transfers: bool) -> Judge {
        self.referring.transfers = transfers;
        self
    }

    pub(super) fn refers_state(&self) -> &impl std::fmt::Debug {
        &self.referring.refers
    }

    /// A party sends REFER.
    pub(super) fn refer_comes(&mut self, seen: &Glimpse<'_>, message: &[u8]) {
        let named = (seen.call_id.to_owned(), seen.from_tag.to_owned(), seen.cseq);
        if let Some(refer) = self.referring.refers.get(&named) {
            // why: to a stranger 481 is said and nothing kept, so that it comes anew where the
            // answer that makes its dialog came in between.
            if refer.status == Some(481) && refer.verdict == Verdict::Unasked {
                self.step.came = Some(named);
            }
            return;
        }
        let leg = self.leg_of(seen.call_id);
        self.note_refer(seen, leg);
        let unsubscribed = glimpse::header(message, "Refer-Sub") == Some("false");
        let refer = Refer {
            leg,
            wants_to_know: !unsubscribed,
            verdict: Verdict::Unasked,
            status: None,
            told: Told::Nothing,
            notify: None,
            is_unknown: false,
        };
        self.referring.refers.insert(named.clone(), refer);
        self.step.came = Some(named);
    }

    /// What a REFER crosses.
    fn note_refer(&mut self, seen: &Glimpse<'_>, leg: Option<(CallKey, LegId)>) {
        let dialog = self.dialog(seen.call_id, seen.from_tag);
        if dialog.is_some_and(|dialog| dialog.bye_said) {
            self.meter.count(Crossing::ReferCrossesBye);
        }
        if dialog.is_some_and(|dialog| dialog.offered > dialog.settled) {
            self.meter.count(Crossing::ReferBesideOffer);
        }
        let Some((key, leg)) = leg else { return };
        let waiting = |refer: &&Refer| refer.status.is_none();
        let of_call = |refer: &&Refer| refer.leg.is_some_and(|(of, _)| of == key);
        let others = self.referring.refers.values().filter(waiting).filter(of_call);
        let same = |refer: &Refer| refer.leg == Some((key, leg));
        let (own, other): (Vec<&Refer>, Vec<&Refer>) = others.partition(|refer| same(refer));
        let (again, crosses) = (!own.is_empty(), !other.is_empty());
        let call = self.calls.entry(key).or_default();
        let bridged = call.bridge.is_some_and(|(one, two)| leg == one || leg == two);
        let ringing = !bridged && call.results == 0 && !call.over;
        for (crossing, happened) in [
            (Crossing::ReferAgain, again),
            (Crossing::ReferCrossesRefer, crosses),
            (Crossing::ReferWhileHeld, bridged && !call.holders.is_empty()),
            (Crossing::ReferWhileRinging, ringing),
        ] {
            if happened {
                self.meter.count(crossing);
            }
        }
    }

    /// A hook is asked; whether it is that of the REFER which came.
    pub(super) fn refer_hook_asked(
        &mut self,
        key: CallKey,
        hook: HookId,
        request: &HookRequest,
    ) -> Result<bool, String> {
        let Some(details) = request.payload.get("refer_details") else { return Ok(false) };
        let refer = self.step.came.as_ref().and_then(|named| self.referring.refers.get_mut(named));
        let Some(refer) = refer.filter(|refer| refer.verdict == Verdict::Unasked) else {
            return Err("a referHook is asked, and no REFER came".to_owned());
        };
        let about = details["referred_call_sid"].as_str().map(str::to_owned);
        refer.verdict = Verdict::Asked((key, hook), about);
        Ok(true)
    }

    /// The switch wants this done, which is more than an answer.
    pub(super) fn acts(&mut self, effect: &Effect) {
        if !matches!(effect, Effect::Alert(_)) {
            self.step.acted.get_or_insert_with(|| format!("{effect:?}"));
        }
    }

    /// A hook answers; perhaps that of a REFER.
    pub(super) fn refer_hook_answers(
        &mut self,
        key: CallKey,
        hook: HookId,
        reply: &Result<Option<String>, HookFailure>,
    ) {
        let asked =
            |refer: &Refer| matches!(&refer.verdict, Verdict::Asked(of, _) if *of == (key, hook));
        let found = self.referring.refers.iter_mut().find(|(_, refer)| asked(refer));
        let Some((named, refer)) = found else { return };
        let Verdict::Asked(_, about) = &refer.verdict else { return };
        self.step.answered = Some((named.clone(), about.clone()));
        refer.verdict = if reply.is_ok() { Verdict::Allowed } else { Verdict::Refused };
        let leg = refer.leg;
        let call = self.calls.entry(key).or_default();
        let bridge = call.bridge.filter(|(one, two)| {
            leg.is_some_and(|(of, leg)| of == key && (leg == *one || leg == *two))
        });
        let list = matches!(reply, Ok(Some(list)) if list.starts_with('[') && list != "[]");
        let crossing = match reply {
            Err(failure) if failure.status.is_some() => Crossing::ReferHookRefuses,
            Err(_) => Crossing::ReferHookFails,
            Ok(_) if bridge.is_none() => Crossing::ReferHookAnswersTooLate,
            Ok(_) if !list => Crossing::ReferHookChangesNothing,
            Ok(_) => {
                if let Some((caller, _)) = bridge {
                    self.sends_on(key, leg.is_some_and(|(_, leg)| leg == caller));
                }
                return;
            }
        };
        self.meter.count(crossing);
    }

    /// The other party of who referred is sent on: the caller in its call, or the callee alone.
    fn sends_on(&mut self, key: CallKey, by_caller: bool) {
        if !by_caller {
            self.call(key).onward = true;
            self.meter.count(Crossing::CallerSentOn);
        }
    }

    /// A REFER gets a final response.
    pub(super) fn refer_gets(&mut self, seen: &Glimpse<'_>, status: u16) -> Result<(), String> {
        let named = (seen.call_id.to_owned(), seen.from_tag.to_owned(), seen.cseq);
        let dialog = self.dialog(seen.call_id, seen.from_tag);
        let gone = dialog.is_none_or(|dialog| dialog.over());
        // why: a BYE of ours may wait for the ACK of our 200.
        let is_late = gone || (status == 481 && self.is_told_over(seen.call_id));
        let transfers = self.referring.transfers;
        let Some(refer) = self.referring.refers.get_mut(&named) else {
            return Err(format!("{status} for a REFER that never came"));
        };
        match refer.status.replace(status) {
            // why: nothing is kept of who is a stranger so far. It came before the answer that
            // makes its dialog, and comes a second time, after that.
            None | Some(481) => {}
            Some(before) if before != status => {
                return Err(format!("a REFER gets {status} after {before}"));
            }
            Some(_) => return Ok(()),
        }
        if status >= 300 {
            self.step.refused = true;
            return match refer.verdict {
                Verdict::Allowed if !is_late => {
                    Err(format!("a REFER gets {status}, and its hook allowed it"))
                }
                _ => Ok(()),
            };
        }
        self.step.allowed = true;
        let (leg, verdict) = (refer.leg, refer.verdict.clone());
        if status != 202 {
            return Err(format!("a REFER gets {status}, which is no answer to it"));
        }
        if refer.wants_to_know && !gone {
            self.step.accepted = Some(named);
        } else if !refer.wants_to_know {
            self.meter.count(Crossing::NobodyIsToldOfRefer);
        }
        match verdict {
            Verdict::Allowed => Ok(()),
            Verdict::Asked(..) => Err("a REFER gets 202, and its hook is being asked".to_owned()),
            Verdict::Refused => Err("a REFER gets 202, and its hook refused it".to_owned()),
            Verdict::Unasked if !transfers => {
                Err("a REFER gets 202, and nobody allowed it".to_owned())
            }
            Verdict::Unasked => {
                self.transferred_by_switch(leg);
                Ok(())
            }
        }
    }

    /// Nobody was asked: the dial that follows has neither actionHook nor confirmHook.
    fn transferred_by_switch(&mut self, leg: Option<(CallKey, LegId)>) {
        let Some((key, leg)) = leg else { return };
        let call = self.call(key);
        let by_caller = call.bridge.is_some_and(|(caller, _)| caller == leg);
        if by_caller {
            call.heir_is_transferred = true;
        } else {
            call.keeps_silent = true;
            call.unscreened = true;
        }
        self.sends_on(key, by_caller);
    }

    /// The switch tells how a REFER goes.
    pub(super) fn notifies(&mut self, seen: &Glimpse<'_>, message: &[u8]) -> Result<(), String> {
        let event = glimpse::header(message, "Event").unwrap_or_default();
        let Some(id) = event.strip_prefix("refer;id=") else { return Ok(()) };
        let cseq = id.parse().map_err(|_| format!("a NOTIFY of {event:?}"))?;
        let over = self.dialog(seen.call_id, seen.to_tag).is_none_or(|dialog| dialog.over());
        let named = (seen.call_id.to_owned(), seen.to_tag.to_owned(), cseq);
        let Some(refer) = self.referring.refers.get_mut(&named) else {
            return Err(format!("a NOTIFY of REFER {id}, which never came"));
        };
        if refer.notify.is_some_and(|(latest, _)| seen.cseq <= latest) {
            // why: nobody answered it, so it is sent again.
            return Ok(());
        }
        refer.notify = Some((seen.cseq, false));
        let state = glimpse::header(message, "Subscription-State").unwrap_or_default();
        let line = String::from_utf8_lossy(glimpse::body(message)).into_owned();
        let status = line.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let ends = state.starts_with("terminated");
        let wrong = match (refer.told, ends, status.unwrap_or(0)) {
            _ if refer.status != Some(202) => "before its 202",
            _ if !refer.wants_to_know => "for who does not want it",
            _ if refer.is_unknown => "after the peer said that it knows of none",
            _ if over => "in a dialog that is over",
            (Told::Ended, ..) => "after its end",
            (Told::Nothing, false, 100) | (Told::Tried, false, 100..200) => {
                refer.told = Told::Tried;
                return Ok(());
            }
            (Told::Nothing, ..) => "of another state before that it is tried",
            (Told::Tried, true, 200..700) => {
                refer.told = Told::Ended;
                return Ok(());
            }
            (Told::Tried, ..) => "whose status and state do not fit",
        };
        Err(format!("a NOTIFY of REFER {id} {wrong}: {state:?}, {:?}", line.trim_end()))
    }

    /// A NOTIFY of the switch is answered.
    pub(super) fn notify_answered(&mut self, seen: &Glimpse<'_>, status: u16) {
        for (named, refer) in &mut self.referring.refers {
            if named.0 != seen.call_id || named.1 != seen.to_tag || status < 200 {
                continue;
            }
            if let Some((cseq, answered)) = refer.notify.as_mut()
                && *cseq == seen.cseq
            {
                *answered = true;
            }
            let is_gone = matches!(status, 408 | 481) && refer.notify.is_some();
            if is_gone && !std::mem::replace(&mut refer.is_unknown, true) {
                self.meter.count(Crossing::NotifyCrossesBye);
            }
        }
    }

    /// Whoever hung up was let go before; the others of its call, or of another, talk on.
    pub(super) fn left(&mut self, call_id: &str, key: Option<CallKey>, let_go: bool) {
        self.step.left = Some((call_id.to_owned(), key, let_go));
        let of_dialog = |(named, _): &(&Named, &Refer)| named.0 == call_id;
        let refers = || self.referring.refers.iter().filter(of_dialog);
        let accepted = refers().any(|(_, refer)| refer.status == Some(202));
        let asking = refers().any(|(_, refer)| refer.status.is_none());
        if accepted {
            self.meter.count(Crossing::ReferrerLeaves);
        }
        if asking {
            self.meter.count(Crossing::ReferrerLeavesWhileAsking);
        }
    }

    /// Somebody gets its first BYE or CANCEL: not because a stranger to its call hung up, unless it
    /// waited to hear of a transfer.
    pub(super) fn is_its_own_end(
        &self,
        call_id: &str,
        key: Option<CallKey>,
        to: SocketAddr,
    ) -> Result<(), String> {
        match &self.step.left {
            Some((left, of, let_go))
                if left != call_id && (*let_go || *of != key) && !self.has_referred(call_id) =>
            {
                Err(format!("{to} is given up, for somebody hung up who is not its party"))
            }
            _ => Ok(()),
        }
    }

    /// A REFER of this dialog was accepted.
    fn has_referred(&self, call_id: &str) -> bool {
        let mut refers = self.referring.refers.iter();
        refers.any(|(named, refer)| named.0 == call_id && refer.status == Some(202))
    }

    /// Whoever is hung up by us has heard how its REFER ended. A NOTIFY that nobody answered says
    /// that it is not there any more, and so does 481 to an INVITE of ours.
    pub(super) fn was_told_the_end(&self, call_id: &str, tag: &str) -> Result<(), String> {
        let untold = self.referring.refers.iter().find(|(named, refer)| {
            let waits = refer.notify.is_some_and(|(_, answered)| !answered);
            (named.0.as_str(), named.1.as_str()) == (call_id, tag)
                && refer.wants_to_know
                && refer.status == Some(202)
                && refer.told == Told::Tried
                && !refer.is_unknown
                && !waits
        });
        let untold = untold.filter(|_| !self.dialog(call_id, tag).is_some_and(|it| it.denied));
        match untold {
            Some((named, _)) => {
                Err(format!("who sent REFER {} is hung up, and was not told its end", named.2))
            }
            None => Ok(()),
        }
    }

    /// A leg goes on as a call of its own: it must be the one that the hook was asked about.
    pub(super) fn is_about(&self, call_sid: &str) -> Result<(), String> {
        match &self.step.answered {
            Some((_, Some(about))) if about != call_sid => {
                Err(format!("{call_sid} is transferred, and the REFER was about {about}"))
            }
            _ => Ok(()),
        }
    }

    /// The switch sends a request, which is more than an answer.
    pub(super) fn requests(&mut self, to: SocketAddr, seen: &Glimpse<'_>) {
        if let Start::Request(method) = seen.start
            && method != "ACK"
        {
            self.step.acted.get_or_insert_with(|| format!("{to} gets {method}"));
        }
    }

    /// The switch has done all that follows from what it was last told.
    pub(super) fn refers_settled(&mut self) -> Result<(), String> {
        let step = std::mem::take(&mut self.step);
        if let Some(acted) = step.acted.filter(|_| step.refused && !step.allowed) {
            return Err(format!("a REFER is refused, and {acted}"));
        }
        let told = |named: &Named| self.referring.refers.get(named).map(|refer| refer.told);
        match step.accepted {
            Some(named) if told(&named) == Some(Told::Nothing) => {
                Err(format!("REFER {} is accepted, and no NOTIFY says that it is tried", named.2))
            }
            _ => Ok(()),
        }
    }

    /// No REFER was left waiting.
    pub(super) fn refers_at_rest(&self) -> Result<(), String> {
        let waits = |(_, refer): &(&Named, &Refer)| refer.status.is_none();
        match self.referring.refers.iter().find(waits) {
            Some((named, refer)) => {
                Err(format!("REFER {} of {} got no final response: {refer:?}", named.2, named.0))
            }
            None => Ok(()),
        }
    }
}
