//! `exitMediaPath`: the two parties of a bridge send their audio to each other, and the switch
//! keeps the signalling alone.
//!
//! Owns what keeps the audio here and whether the two can hear each other directly, how the steps
//! of `media_path.rs` and `leg/pointed.rs` become re-INVITEs, and who is brought back: whoever
//! sends elsewhere without a bridge that wants it, in whatever call it is by then. The ports stay
//! open all the while, so that audio which still arrives is passed on as before.

use std::time::Duration;

use media::Decibels;
use media::sdp::{self, Description, Direction, Negotiated};
use sip::{Flow, Message, Respond};

use crate::call::{Call, Context};
use crate::effect::SipAction;
use crate::leg::caller_leg::{CODECS, Farewell};
use crate::leg::pointed;
use crate::leg::reinvite::described;
use crate::leg::{LegId, callee, caller, target};
use crate::timer::Timer;
use crate::verb::dial::media_path::{self, Action, Input};

/// How long after the last answer both parties are left alone. why: an INVITE that overtakes the
/// ACK before it is refused, and a phone plays its first audio in peace.
const LEAVE_AFTER: Duration = Duration::from_millis(200);

/// Why the properties of a dial keep its audio here.
fn needs_audio_here(dial: &verbs::Dial) -> Option<&'static str> {
    let captures = &dial.dtmf_capture;
    let hears_keys = !captures.parent_call.is_empty() || !captures.child_call.is_empty();
    let reasons = [
        (dial.anchor_media, "anchorMedia wants it here"),
        (dial.dtmf_hook.is_some() && hears_keys, "dtmfCapture listens to its keys"),
        (!Decibels::new(dial.boost_audio_signal).is_zero(), "boostAudioSignal changes it"),
        (dial.time_limit_warning.is_some(), "timeLimitWarning is played into it"),
    ];
    reasons.into_iter().find(|(given, _)| *given).map(|(_, why)| why)
}

/// Why two parties cannot agree on audio without us.
fn differ(one: &Negotiated, other: &Negotiated) -> Option<String> {
    if [one, other].iter().any(|party| party.direction != Direction::SendRecv) {
        return Some("a party is on hold".to_owned());
    }
    let number = |party: &Negotiated| party.payload_types.of(party.codec);
    if one.codec != other.codec || number(one) != number(other) {
        let (one, other) = (one.codec.name(), other.codec.name());
        return Some(format!("the caller has {one} and the callee {other}"));
    }
    None
}

/// A party means the same by its description as when that was passed on.
fn is_same(one: &Negotiated, other: &Negotiated) -> bool {
    differ(one, other).is_none()
        && one.remote_rtp == other.remote_rtp
        && one.payload_types.telephone_event == other.payload_types.telephone_event
}

impl Call {
    /// A dial begins: whether its audio shall leave, as far as its properties tell.
    pub(crate) fn plan_media_path(&mut self) {
        let Some(dial) = self.dial.as_mut().filter(|dial| dial.verb.exit_media_path) else {
            return;
        };
        dial.path = media_path::State::Wanted;
        if let Some(why) = needs_audio_here(&dial.verb) {
            self.audio_stays(why);
        }
    }

    /// The audio stays here for good, against what the dial asks for.
    fn audio_stays(&mut self, why: &str) {
        let Some(dial) = self.dial.as_mut() else { return };
        dial.path = media_path::step(dial.path, Input::Needed).0;
        let place = dial.index;
        self.alert("not-supported", format!("/{place}/exitMediaPath: the audio stays: {why}"));
    }

    /// Both parties of a bridge whose audio shall leave, once both are there for good.
    fn may_leave(&self) -> Option<(LegId, LegId)> {
        let dial = self.dial.as_ref()?;
        let winner = dial.winner.filter(|_| dial.is_bridged())?;
        let is_wanted = dial.path == media_path::State::Wanted && !dial.sends_digits;
        let leg = self.legs.get(&winner)?;
        let is_up = self.caller.state == caller::State::Up && leg.state == callee::State::Up;
        let is_here = |state| state == pointed::State::Here;
        let settled = is_here(self.caller.pointed) && is_here(leg.pointed);
        (is_wanted && is_up && settled).then_some((self.caller.id, winner))
    }

    /// Something has happened for which the audio may have waited.
    pub(crate) fn leave_soon(&mut self, cx: Context<'_>) {
        if self.may_leave().is_some() {
            self.timers.arm(Timer::MediaPath, cx.now + LEAVE_AFTER);
        }
    }

    /// The digits that a callee is sent when it answers are sent.
    pub(crate) fn digits_sent(&mut self, cx: Context<'_>, party: LegId) {
        if let Some(dial) = self.dial.as_mut().filter(|dial| dial.winner == Some(party)) {
            dial.sends_digits = false;
        }
        self.leave_soon(cx);
    }

    /// Audio that nothing keeps here leaves.
    pub(crate) fn leave_media_path(&mut self, cx: Context<'_>) {
        let Some((caller, callee)) = self.may_leave() else { return };
        match self.keeps_apart(cx, caller, callee) {
            Some(why) => self.audio_stays(&why),
            None => self.path_input(cx, Input::Due),
        }
    }

    /// Why these two cannot send to each other now.
    fn keeps_apart(&self, cx: Context<'_>, caller: LegId, callee: LegId) -> Option<String> {
        let dial = self.dial.as_ref()?;
        let is_muted = self.caller.muted || self.legs.get(&callee).is_some_and(|leg| leg.muted);
        if is_muted {
            return Some("a party is muted".to_owned());
        }
        if self.caller.boosted {
            return Some("boostAudioSignal of the caller changes it".to_owned());
        }
        if !dial.whispers.is_empty() {
            return Some("a party is played to".to_owned());
        }
        let (Some(one), Some(other)) = (self.agreed(caller), self.agreed(callee)) else {
            return Some("a party has agreed on nothing".to_owned());
        };
        if !dial.holds.is_empty() {
            return Some("a party is on hold".to_owned());
        }
        let between = |receiver, sender| self.reaches(cx, sender, receiver).err();
        differ(&one, &other).or_else(|| between(caller, callee)).or_else(|| between(callee, caller))
    }

    /// Whether one party may be told to send where the other receives.
    fn reaches(&self, cx: Context<'_>, sender: LegId, receiver: LegId) -> Result<(), String> {
        let there = self.agreed(receiver).zip(self.flow_of(receiver));
        let (Some((agreed, from)), Some(flow)) = (there, self.flow_of(sender)) else {
            return Ok(());
        };
        target::reaches(flow, agreed, from)?;
        target::allowed(agreed, Some(flow), &self.settings.own_addresses, cx.ports).map(|_| ())
    }

    pub(crate) fn agreed(&self, id: LegId) -> Option<Negotiated> {
        if id == self.caller.id {
            return self.caller.negotiated;
        }
        self.legs.get(&id).and_then(|leg| leg.negotiated)
    }

    fn flow_of(&self, id: LegId) -> Option<Flow> {
        if id == self.caller.id {
            return self.caller.flow;
        }
        self.legs.get(&id).and_then(|leg| leg.flow)
    }

    fn pointed_mut(&mut self, id: LegId) -> Option<&mut pointed::State> {
        if id == self.caller.id {
            return Some(&mut self.caller.pointed);
        }
        self.legs.get_mut(&id).map(|leg| &mut leg.pointed)
    }

    /// Whether what a leg sends arrives here, if it sends at all.
    pub(crate) fn sends_here(&self, id: LegId) -> bool {
        let of_leg = || self.legs.get(&id).map(|leg| leg.pointed);
        let state = if id == self.caller.id { Some(self.caller.pointed) } else { of_leg() };
        state.is_none_or(pointed::State::sends_here)
    }

    /// One step of where the audio of the bridge goes.
    fn path_input(&mut self, cx: Context<'_>, input: Input) {
        let Some(dial) = self.dial.as_mut() else { return };
        let winner = dial.winner;
        let (next, actions) = media_path::step(dial.path, input);
        dial.path = next;
        for action in actions {
            let party = match action {
                Action::PointCallee => winner,
                Action::PointCaller => Some(self.caller.id),
            };
            if let Some(party) = party {
                self.pointed_input(cx, party, pointed::Input::Leave);
            }
        }
    }

    /// One step of where a party is told to send.
    fn pointed_input(&mut self, cx: Context<'_>, id: LegId, input: pointed::Input) {
        let Some(state) = self.pointed_mut(id) else { return };
        let (next, actions) = pointed::step(*state, input);
        *state = next;
        let is_caller = id == self.caller.id;
        for action in actions {
            match action {
                pointed::Action::OfferTheirs => self.offer_theirs(cx, id),
                pointed::Action::OfferOurs => self.offer_ours(cx, id),
                pointed::Action::Left if is_caller => self.path_input(cx, Input::CallerLeft),
                pointed::Action::Left => self.path_input(cx, Input::CalleeLeft),
                pointed::Action::Stayed if is_caller => self.path_input(cx, Input::CallerStayed),
                pointed::Action::Stayed => self.path_input(cx, Input::CalleeStayed),
                pointed::Action::Lost => self.hang_up_lost(cx, id),
            }
        }
        self.leave_soon(cx);
    }

    fn offer_theirs(&mut self, cx: Context<'_>, id: LegId) {
        let other = self.bridged_with(id).and_then(|other| self.agreed(other));
        match (other, self.next_local(id)) {
            (Some(other), Some(local)) => {
                self.sip(SipAction::Reinvite(id, sdp::offer_of(&local, &other)));
            }
            _ => self.pointed_input(cx, id, pointed::Input::Refused),
        }
    }

    fn offer_ours(&mut self, cx: Context<'_>, id: LegId) {
        match (self.agreed(id), self.next_local(id)) {
            (Some(agreed), Some(local)) => {
                self.sip(SipAction::Reinvite(id, sdp::offer_again(&local, &agreed)));
            }
            _ => self.pointed_input(cx, id, pointed::Input::Refused),
        }
    }

    /// A party that does not take its audio back hears nobody, and nobody hears it.
    fn hang_up_lost(&mut self, cx: Context<'_>, id: LegId) {
        let why = "the audio cannot be brought back to the switch";
        if id == self.caller.id {
            return self.end_caller(cx, Farewell::because(488, why));
        }
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.bye_headers = vec![("X-Reason".to_owned(), why.to_owned())];
        }
        self.callee_input(cx, id, callee::Input::Stop);
    }

    /// A party took our re-INVITE.
    pub(crate) fn modified(&mut self, cx: Context<'_>, id: LegId, response: &Message) {
        let answer = Description::parse(response.body()).ok();
        let answer = answer.and_then(|answer| sdp::accept(&answer, &CODECS).ok());
        let agreed = answer.and_then(|answer| self.allowed(cx, id, answer).ok());
        let before = self.agreed(id);
        if let Some(agreed) = agreed {
            self.renegotiated(id, agreed);
        }
        let is_leaving = self.pointed_mut(id).is_some_and(|it| *it == pointed::State::Leaving);
        if is_leaving && !self.suits(cx, id, before, agreed) {
            let who = if id == self.caller.id { "caller" } else { "callee" };
            self.audio_stays(&format!("the answer of the {who} does not suit the other party"));
        }
        self.pointed_input(cx, id, pointed::Input::Accepted);
        self.note_hold(cx, id, None);
    }

    /// Whether a party that was told to send to the other one can be sent to by it: the caller
    /// where the callee was told, the callee as the caller is about to be told.
    fn suits(
        &self,
        cx: Context<'_>,
        id: LegId,
        before: Option<Negotiated>,
        agreed: Option<Negotiated>,
    ) -> bool {
        let Some(other) = self.bridged_with(id) else { return false };
        let (Some(agreed), Some(of_other)) = (agreed, self.agreed(other)) else { return false };
        let event = |party: &Negotiated| party.payload_types.telephone_event;
        let same_events = event(&agreed) == event(&of_other);
        if id == self.caller.id {
            return same_events
                && before.is_some_and(|before| {
                    // why: the event numbers are those of the callee now.
                    differ(&before, &agreed).is_none() && before.remote_rtp == agreed.remote_rtp
                });
        }
        let has_fewer_events = event(&agreed).is_none();
        differ(&of_other, &agreed).is_none()
            && (same_events || has_fewer_events)
            && self.reaches(cx, other, id).is_ok()
    }

    /// A party did not take our re-INVITE.
    pub(crate) fn not_modified(&mut self, cx: Context<'_>, id: LegId, status: u16) {
        if self.pointed_mut(id).is_some_and(|state| *state == pointed::State::Leaving) {
            let who = if id == self.caller.id { "caller" } else { "callee" };
            self.audio_stays(&format!("the {who} does not take its re-INVITE ({status})"));
        }
        self.pointed_input(cx, id, pointed::Input::Refused);
    }

    /// A party has our description, by an offer of its own or one that it asked for.
    pub(crate) fn offered(&mut self, cx: Context<'_>, id: LegId) {
        if self.bridged_with(id).is_some() {
            self.path_input(cx, Input::Changed);
        }
        self.pointed_input(cx, id, pointed::Input::Offered);
    }

    /// The answer to an offer that changes nothing, as a refresh of the session makes, while the
    /// audio goes past us: it goes on doing so (RFC 4028 §7.4).
    pub(crate) fn refreshed_away(&mut self, id: LegId, request: &Message) -> Option<Respond> {
        let is_away = self.dial.as_ref().is_some_and(|it| it.path == media_path::State::Away);
        let (agreed, other) = (self.agreed(id)?, self.agreed(self.bridged_with(id)?)?);
        let offer = Description::parse(request.body()).ok().filter(|_| is_away)?;
        let local = self.next_local(id)?;
        let (description, offered) = sdp::answer_for(&offer, &local, other.remote_rtp).ok()?;
        is_same(&agreed, &offered).then(|| described(description))
    }

    /// Something of ours is to be heard, or a party not to be: the audio comes back.
    pub(crate) fn need_audio(&mut self, cx: Context<'_>) {
        self.path_input(cx, Input::Needed);
    }

    /// Whoever sends elsewhere, and has no bridge any more that wants it, is brought back.
    pub(crate) fn bring_back(&mut self, cx: Context<'_>) {
        let bridge = self.dial.as_ref().filter(|dial| dial.is_bridged());
        let (path, winner) = bridge.map(|dial| (dial.path, dial.winner)).unwrap_or_default();
        let strays = |state| matches!(state, pointed::State::Leaving | pointed::State::Away);
        let mut back: Vec<LegId> = Vec::new();
        if self.caller.state == caller::State::Up
            && strays(self.caller.pointed)
            && !path.takes_caller()
        {
            back.push(self.caller.id);
        }
        for (id, leg) in &self.legs {
            let is_wanted = winner == Some(*id) && path.takes_callee();
            if leg.state == callee::State::Up && strays(leg.pointed) && !is_wanted {
                back.push(*id);
            }
        }
        for id in back {
            self.pointed_input(cx, id, pointed::Input::Return);
        }
    }
}
