//! A callee as the call knows it: one INVITE of one target; or the caller of another call that came
//! to this one.

use std::collections::VecDeque;
use std::time::Instant;

use media::sdp::{Codec, Negotiated};
use serde_json::Value;
use sip::{Flow, Login, Proof};
use verbs::callback::Direction;
use verbs::status::{CallStatus, LostBecause};

use crate::input::Way;
use crate::leg::callee::State;
use crate::leg::caller_leg::Caller;
use crate::leg::local::Local;
use crate::leg::pointed;
use crate::leg::screening::Screening;
use crate::route::{Attempt, NextHop, Reaches};

/// One callee.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    pub(crate) state: State,
    pub(crate) call_sid: String,
    /// The dial it belongs to.
    pub(crate) dial: u32,
    /// It is a way to the caller of a call that a program began, and no callee.
    pub(crate) places: bool,
    /// Index of its target in the verb.
    pub(crate) target: usize,
    /// Index among the attempts of that target.
    pub(crate) attempt: usize,
    pub(crate) route: Attempt,
    /// Who is called in its place if it fails: turn after turn, those of one together.
    pub(crate) waiting: VecDeque<Vec<Attempt>>,
    pub(crate) flow: Option<Flow>,
    /// The same peer for an INVITE that is too long for a datagram.
    pub(crate) large: Option<Flow>,
    /// Further ways to its next hop, in order.
    pub(crate) ways: VecDeque<Way>,
    pub(crate) local: Local,
    pub(crate) offered: Vec<Codec>,
    pub(crate) negotiated: Option<Negotiated>,
    /// It asked inside its dialog not to be sent to.
    pub(crate) holds: bool,
    /// SIP Call-ID, from the INVITE on.
    pub(crate) sip_call_id: Option<String>,
    /// Inbound only where it was the caller of another call before.
    pub(crate) direction: Direction,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) customer_data: Option<Value>,
    /// Where its audio goes.
    pub(crate) pointed: pointed::State,
    /// A program wants nobody to hear it.
    pub(crate) muted: bool,
    pub(crate) status: CallStatus,
    pub(crate) sip_status: u16,
    pub(crate) sip_reason: String,
    /// Status of the last event, so that a repeated 180 is told once.
    pub(crate) last_event: Option<(CallStatus, u16)>,
    /// Its first description before an answer.
    pub(crate) early_at: Option<Instant>,
    pub(crate) attempted_at: Option<Instant>,
    pub(crate) answered_at: Option<Instant>,
    pub(crate) ended_at: Option<Instant>,
    /// Sent with our BYE.
    pub(crate) bye_headers: Vec<(String, String)>,
    /// Came with its BYE.
    pub(crate) peer_bye_headers: Vec<(String, String)>,
    /// It ended the call itself.
    pub(crate) hung_up: bool,
    /// Why it was stopped or refused.
    pub(crate) lost_because: Option<LostBecause>,
    /// What answers its challenges.
    pub(crate) login: Option<Login>,
    /// The answer to the challenge that came last, until it is sent.
    pub(crate) proofs: Vec<Proof>,
    /// It said where else to call; that is done in its place.
    pub(crate) redirected: bool,
    /// What it must accept before it may win.
    pub(crate) screening: Option<Box<Screening>>,
    /// The INVITE left, and the endpoint has not released it yet.
    pub(crate) in_endpoint: bool,
}

impl Leg {
    /// One that nobody was called for yet.
    pub(crate) fn new(call_sid: String, route: Attempt, local: Local) -> Leg {
        Leg {
            state: State::Resolving,
            call_sid,
            dial: 0,
            places: false,
            target: 0,
            attempt: 0,
            route,
            waiting: VecDeque::new(),
            flow: None,
            large: None,
            ways: VecDeque::new(),
            local,
            offered: Vec::new(),
            negotiated: None,
            holds: false,
            sip_call_id: None,
            direction: Direction::Outbound,
            from: String::new(),
            to: String::new(),
            customer_data: None,
            pointed: pointed::State::Here,
            muted: false,
            status: CallStatus::Trying,
            sip_status: 100,
            sip_reason: "Trying".to_owned(),
            last_event: None,
            early_at: None,
            attempted_at: None,
            answered_at: None,
            ended_at: None,
            bye_headers: Vec::new(),
            peer_bye_headers: Vec::new(),
            hung_up: false,
            lost_because: None,
            login: None,
            proofs: Vec::new(),
            redirected: false,
            screening: None,
            in_endpoint: false,
        }
    }

    /// The caller of a call, on its way to another one.
    pub(crate) fn of_caller(caller: &Caller, call_sid: String) -> Option<Leg> {
        let (flow, origin) = (caller.flow?, &caller.origin);
        let carrier = caller.carrier.clone();
        let reaches = match (origin.placed(), &carrier) {
            (Some(placed), _) => placed.reaches,
            (None, Some(carrier)) => Reaches::Carrier(carrier.send_call_sid),
            (None, None) => Reaches::Device,
        };
        let route = Attempt {
            uri: String::new(),
            next_hop: NextHop::Flow(flow),
            gateway: None,
            reaches,
            carrier,
            diversion: None,
            credentials: None,
            proxy: None,
            user: None,
            redirected_by: None,
        };
        Some(Leg {
            state: State::Up,
            flow: Some(flow),
            negotiated: caller.negotiated,
            holds: caller.holds,
            sip_call_id: Some(origin.sip_call_id().to_owned()),
            direction: origin.direction(),
            from: origin.calling_user().to_owned(),
            to: origin.called_user().to_owned(),
            pointed: caller.pointed,
            muted: caller.muted,
            status: CallStatus::InProgress,
            sip_status: 200,
            sip_reason: "OK".to_owned(),
            last_event: Some((CallStatus::InProgress, 200)),
            attempted_at: caller.attempted_at,
            answered_at: caller.answered_at,
            login: caller.login.clone(),
            in_endpoint: true,
            ..Leg::new(call_sid, route, caller.local.clone())
        })
    }

    /// Name of its carrier.
    pub(crate) fn carrier_name(&self) -> Option<String> {
        self.route.carrier.as_ref().map(|carrier| carrier.name.clone())
    }

    /// Nothing more can come from it.
    pub(crate) fn over(&self) -> bool {
        self.state == State::Ended && !self.in_endpoint
    }

    /// The application was told of it, and is to be told of its end.
    pub(crate) fn told(&self) -> bool {
        self.last_event.is_some()
    }
}
