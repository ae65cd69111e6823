//! The caller as the call knows it: its media, what it was told last; and how the steps of its
//! machine (`leg/caller.rs`) become responses. Where it came from is `leg/origin.rs`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use media::sdp::{self, Codec, Description, Negotiated};
use sip::{Flow, Login, Message, Respond};
use verbs::callback::TerminatedBy;
use verbs::status::CallStatus;

use crate::call::{Call, Context};
use crate::effect::{Effect, Media, SipAction};
use crate::leg::LegId;
use crate::leg::caller::{self, Action, State};
use crate::leg::local::Local;
use crate::leg::origin::Origin;
use crate::leg::pointed;
use crate::leg::target;
use crate::settings::Carrier;
use crate::timer::Timer;
use crate::verb::dial::ring;

/// What we offer where the choice is ours, the preferred first.
pub(crate) const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

/// The leg that runs the verbs.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// [`LegId::CALLER`] if it came in, else the callee that answered and became the caller.
    pub(crate) id: LegId,
    pub(crate) state: State,
    pub(crate) origin: Origin,
    /// Of the INVITE that stands for it; `None` while we have not sent one.
    pub(crate) flow: Option<Flow>,
    pub(crate) carrier: Option<Arc<Carrier>>,
    /// What answers its challenges, where we called it.
    pub(crate) login: Option<Login>,
    pub(crate) local: Local,
    /// Its offer; `None` where the INVITE had none and ours goes out in the 200.
    offer: Option<Description>,
    /// What every 183 and the 200 carry.
    description: Vec<u8>,
    /// What was agreed; `None` until the ACK answers where the offer was ours.
    pub(crate) negotiated: Option<Negotiated>,
    /// It asked inside its dialog not to be sent to.
    pub(crate) holds: bool,
    /// Where its audio goes.
    pub(crate) pointed: pointed::State,
    /// A program wants nobody to hear it.
    pub(crate) muted: bool,
    /// A program wants it to hear others louder or softer.
    pub(crate) boosted: bool,
    pub(crate) attempted_at: Option<Instant>,
    pub(crate) answered_at: Option<Instant>,
    /// Our 200 waits for a PRACK: the caller has none yet.
    pub(crate) answer_waits: bool,
    pub(crate) status: CallStatus,
    pub(crate) sip_status: u16,
    pub(crate) sip_reason: String,
    pub(crate) terminated_by: Option<TerminatedBy>,
    pub(crate) bye_headers: Vec<(String, String)>,
    farewell: Farewell,
    pub(crate) ended_at: Option<Instant>,
    /// A port was asked for and has not been opened or refused.
    opening: bool,
    /// The endpoint has nothing left of it.
    pub(crate) released: bool,
    /// The application was told of it, and is to be told of its end.
    pub(crate) told: bool,
}

/// How we end the caller: the final response before the answer, BYE after it.
#[derive(Clone, Debug)]
pub(crate) struct Farewell {
    pub(crate) status: u16,
    pub(crate) reason: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    /// Word for an unanswered call that ends so.
    pub(crate) word: CallStatus,
}

impl Farewell {
    /// With the standard reason phrase.
    pub(crate) fn status(status: u16) -> Farewell {
        Farewell { status, reason: None, headers: Vec::new(), word: CallStatus::Failed }
    }

    /// A program ended the call before it was answered.
    pub(crate) fn unanswered(status: u16) -> Farewell {
        Farewell { word: CallStatus::NoAnswer, ..Farewell::status(status) }
    }

    /// With an X-Reason header that says why.
    pub(crate) fn because(status: u16, why: &str) -> Farewell {
        let headers = vec![("X-Reason".to_owned(), header_safe(why))];
        Farewell { headers, ..Farewell::status(status) }
    }

    /// We are out of something.
    pub(crate) fn unavailable(why: &str) -> Farewell {
        let mut farewell = Farewell::because(503, why);
        farewell.headers.push(("Retry-After".to_owned(), "5".to_owned()));
        farewell
    }
}

/// Whether a session description may be sent back. RFC 3261 §20.1: it may where nothing is said.
fn accepts_sdp(request: &Message) -> bool {
    request.header("Accept").is_none()
        || request.header_values("Accept").any(|range| {
            let range = range.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            let takes = |known: &[u8]| range.eq_ignore_ascii_case(known);
            takes(b"application/sdp") || takes(b"application/*") || takes(b"*/*")
        })
}

/// A header value in one line, bounded.
fn header_safe(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

impl Caller {
    pub(crate) fn new(
        origin: Origin,
        flow: Option<Flow>,
        carrier: Option<Arc<Carrier>>,
        session_id: u64,
    ) -> Caller {
        let placed = origin.request().is_none();
        Caller {
            id: LegId::CALLER,
            state: if placed { State::Placing } else { State::Received },
            origin,
            flow,
            carrier,
            login: None,
            local: Local::new(session_id),
            offer: None,
            description: Vec::new(),
            negotiated: None,
            holds: false,
            pointed: pointed::State::Here,
            muted: false,
            boosted: false,
            attempted_at: None,
            answered_at: None,
            answer_waits: false,
            status: CallStatus::Trying,
            sip_status: 100,
            sip_reason: "Trying".to_owned(),
            terminated_by: None,
            bye_headers: Vec::new(),
            farewell: Farewell::status(480),
            ended_at: None,
            opening: false,
            // why: nothing of a leg that we place is the caller's before it answers.
            released: placed,
            told: false,
        }
    }

    /// Gone, and nothing of it is awaited.
    pub(crate) fn over(&self) -> bool {
        self.state == State::Gone && self.released && !self.opening
    }

    /// Reads the offer of the INVITE.
    pub(crate) fn read_offer(&mut self) -> Result<(), Farewell> {
        let Some(request) = self.origin.request().filter(|request| !request.body().is_empty())
        else {
            return Ok(());
        };
        let kind = request.header_text("Content-Type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/sdp") {
            let mut farewell =
                Farewell::because(415, &format!("expected application/sdp, got {kind}"));
            farewell.headers.push(("Accept".to_owned(), "application/sdp".to_owned()));
            return Err(farewell);
        }
        let offer = Description::parse(request.body());
        self.offer = Some(offer.map_err(|fault| Farewell::because(488, &fault.to_string()))?);
        if !accepts_sdp(request) {
            let why = "expected Accept to allow application/sdp, which every answer holds";
            return Err(Farewell::because(406, why));
        }
        Ok(())
    }

    /// The port is open: writes our description, the answer to its offer or an offer of our own.
    fn describe(
        &mut self,
        address: SocketAddr,
        may_be_sent_to: impl FnOnce(Negotiated) -> Result<Negotiated, String>,
    ) -> Result<(), Farewell> {
        self.local.open(address);
        let Some(local) = self.local.next() else { return Ok(()) };
        match &self.offer {
            None => self.description = sdp::offer(&local, &CODECS),
            Some(offer) => {
                let (description, negotiated) = sdp::answer(offer, &local)
                    .map_err(|fault| Farewell::because(488, &fault.to_string()))?;
                let negotiated =
                    may_be_sent_to(negotiated).map_err(|why| Farewell::because(488, &why))?;
                self.description = description;
                self.negotiated = Some(negotiated);
            }
        }
        Ok(())
    }

    /// What a callee is offered: the caller's codec first, so that packets can pass untouched.
    pub(crate) fn codecs(&self) -> Vec<Codec> {
        let mut codecs = CODECS.to_vec();
        if let Some(negotiated) = &self.negotiated {
            codecs.sort_by_key(|codec| *codec != negotiated.codec);
        }
        codecs
    }

    /// Early media can reach it: it made the offer, so that our 183 is an answer.
    pub(crate) fn can_hear_early(&self) -> bool {
        self.negotiated.is_some()
    }
}

impl Call {
    /// One step of the caller's machine.
    pub(crate) fn caller_input(&mut self, cx: Context<'_>, input: caller::Input) {
        let (next, actions) = caller::step(self.caller.state, input);
        self.caller.state = next;
        for action in actions {
            match action {
                Action::OpenMedia => self.open_caller_media(),
                Action::Ring180 => self.respond(180, false),
                Action::Early183 => self.respond(183, true),
                Action::Answer => self.caller_answered(cx),
                Action::Reject => self.caller_rejected(),
                Action::Bye => {
                    self.end_subscription(self.caller.id);
                    if self.caller.answer_waits {
                        // RFC 3262 §3: without a 200 the endpoint refuses its INVITE.
                        self.caller_status(self.caller.farewell.word, 480, None);
                    }
                    let headers = self.caller.farewell.headers.clone();
                    self.sip(SipAction::Bye(self.caller.id, headers));
                }
                Action::CloseMedia => self.effect(Effect::Media(Media::Close(self.caller.id))),
                Action::Gone => self.caller_gone(cx),
                Action::Departed => self.caller_departed(cx),
            }
        }
    }

    fn open_caller_media(&mut self) {
        if let Some(flow) = self.caller.flow {
            self.caller.opening = true;
            self.effect(Effect::Media(Media::Open(self.caller.id, flow)));
        }
    }

    /// Ends the caller, whatever it is doing.
    pub(crate) fn end_caller(&mut self, cx: Context<'_>, farewell: Farewell) {
        if self.caller.state.alive() {
            self.caller.farewell = farewell;
            self.caller.terminated_by = Some(TerminatedBy::Us);
            self.caller_input(cx, caller::Input::End);
        }
    }

    /// The RTP port of the caller is open: now the application can be asked.
    pub(crate) fn caller_media_opened(&mut self, cx: Context<'_>, address: SocketAddr) {
        self.caller.opening = false;
        self.caller_input(cx, caller::Input::Opened);
        if self.caller.state != State::Ready {
            return;
        }
        let (flow, own) = (self.caller.flow, &self.settings.own_addresses);
        let allowed = |negotiated| target::allowed(negotiated, flow, own, cx.ports);
        if let Err(farewell) = self.caller.describe(address, allowed) {
            return self.end_caller(cx, farewell);
        }
        self.set_caller_remote();
        self.ask_first(cx);
    }

    /// The caller's port was refused.
    pub(crate) fn caller_media_refused(&mut self, cx: Context<'_>, why: &str) {
        self.caller.opening = false;
        self.end_caller(cx, Farewell::unavailable(why));
    }

    /// The caller sent CANCEL or BYE, or (`peer` is false) never acknowledged our answer.
    pub(crate) fn caller_left(&mut self, cx: Context<'_>, request: Option<&Message>, peer: bool) {
        if !self.caller.state.alive() {
            return;
        }
        self.caller.terminated_by =
            Some(if peer { TerminatedBy::Caller } else { TerminatedBy::Us });
        self.caller.bye_headers = request.map(crate::info::extra_headers).unwrap_or_default();
        let unanswered = !self.caller.state.answered() || self.caller.answer_waits;
        if unanswered && !self.caller.status.is_final() {
            self.caller_status(CallStatus::NoAnswer, 487, None);
        }
        self.caller_input(cx, caller::Input::Left);
    }

    /// Our 200 has waited for a PRACK and is sent.
    pub(crate) fn caller_accepted(&mut self, cx: Context<'_>) {
        if std::mem::take(&mut self.caller.answer_waits) && self.caller.state.alive() {
            self.caller.answered_at = Some(cx.now);
            self.caller_event();
        }
    }

    /// The ACK of our 200; it answers where the offer was ours.
    pub(crate) fn caller_acked(&mut self, cx: Context<'_>, request: &Message) {
        if self.caller.negotiated.is_some() {
            self.reinvite_acked(cx, self.caller.id, request);
        } else {
            let answer = Description::parse(request.body()).ok();
            let negotiated = answer.and_then(|answer| sdp::accept(&answer, &CODECS).ok());
            let flow = self.caller.flow;
            let negotiated = negotiated.and_then(|negotiated| {
                target::allowed(negotiated, flow, &self.settings.own_addresses, cx.ports).ok()
            });
            let Some(negotiated) = negotiated else {
                let why = "the ACK holds no usable answer to the offer of our 200";
                return self.end_caller(cx, Farewell::because(488, why));
            };
            self.caller.negotiated = Some(negotiated);
            self.set_caller_remote();
        }
        self.caller_input(cx, caller::Input::Acked);
        self.leave_soon(cx);
    }

    /// Tells the media where the caller receives.
    pub(crate) fn set_caller_remote(&mut self) {
        let (Some(negotiated), Some(flow)) = (self.caller.negotiated, self.caller.flow) else {
            return;
        };
        let has_tones = self.has_tones(self.caller.id);
        let remote = media::Remote { negotiated, signalling_source: flow.remote.ip(), has_tones };
        self.effect(Effect::Media(Media::SetRemote(self.caller.id, Box::new(remote))));
    }

    /// Notes the caller's status, for payloads and the status event that follows.
    pub(crate) fn caller_status(&mut self, status: CallStatus, code: u16, reason: Option<String>) {
        self.caller.status = status;
        self.caller.sip_status = code;
        self.caller.sip_reason = reason.unwrap_or_else(|| sip::default_reason(code).to_owned());
    }

    fn respond(&mut self, status: u16, described: bool) {
        let mut response = Respond { headers: self.caller_headers(), ..Respond::status(status) };
        if described {
            response.content_type = Some("application/sdp".to_owned());
            response.body.clone_from(&self.caller.description);
        }
        self.sip(SipAction::Respond(response));
    }

    fn caller_answered(&mut self, cx: Context<'_>) {
        self.respond(200, true);
        // why: from now on it should be heard; its media timeout counts from here.
        self.set_caller_remote();
        self.caller.answered_at = Some(cx.now);
        self.caller_status(CallStatus::InProgress, 200, None);
        self.tell_once_answered();
    }

    fn caller_rejected(&mut self) {
        let Farewell { status, reason, mut headers, word } = self.caller.farewell.clone();
        headers.extend(self.caller_headers());
        self.sip(SipAction::Respond(Respond {
            reason: reason.clone(),
            headers,
            ..Respond::status(status)
        }));
        self.caller_status(word, status, reason);
    }

    /// `X-Call-Sid` lets a device control its own call over REST; a carrier is told it only where
    /// the operator says so.
    fn caller_headers(&self) -> Vec<(String, String)> {
        match &self.caller.carrier {
            Some(carrier) if !carrier.send_call_sid => Vec::new(),
            _ => vec![("X-Call-Sid".to_owned(), self.call_sid.clone())],
        }
    }

    fn caller_gone(&mut self, cx: Context<'_>) {
        self.caller.ended_at = Some(cx.now);
        if self.caller.answer_waits {
            self.caller.answered_at = None;
        }
        if self.caller.answered_at.is_some() {
            self.caller_status(CallStatus::Completed, 200, None);
        } else if !self.caller.status.is_final() {
            // why: it had no INVITE of its own; the one that we sent is given up.
            self.caller_status(CallStatus::NoAnswer, 487, None);
        }
        self.end_script(cx);
        self.refuse_order("the call was ended before its INVITE went out");
        self.caller_event();
    }

    /// The caller goes on as a leg of another call, which tells of it from now on.
    fn caller_departed(&mut self, cx: Context<'_>) {
        self.caller.ended_at = Some(cx.now);
        self.caller.released = true;
        self.caller.told = false;
        self.end_script(cx);
    }

    /// Nobody is there to run anything for.
    fn end_script(&mut self, cx: Context<'_>) {
        self.interrupt(self.caller.id);
        self.script.end();
        self.timers.disarm(Timer::CallLimit);
        self.dial_input(cx, ring::Input::CallerGone);
        self.script.end();
    }
}
