//! What can happen to a call.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{Event, Flow};

use crate::effect::{HookId, PlayId};
use crate::leg::LegId;

/// One thing that happened to one call.
#[derive(Clone, Debug)]
pub enum Input {
    /// The SIP endpoint says something about a leg.
    Sip(LegId, Event),
    /// [`Effect::Resolve`](crate::Effect::Resolve) found the next hop: the ways to reach it, the
    /// first to be tried first. None at all is as [`Input::Unresolved`].
    Resolved(LegId, Vec<Way>),
    /// [`Effect::Resolve`](crate::Effect::Resolve) found no address; the text says why.
    Unresolved(LegId, String),
    /// [`Media::Open`](crate::Media::Open) is done: RTP of this leg is received at this address,
    /// which is also what its session description advertises.
    MediaOpened(LegId, SocketAddr),
    /// No RTP port is free; the text says so.
    MediaRefused(LegId, String),
    /// The INVITE of this leg was not sent: its carrier is at a limit; the text says which.
    CarrierFull(LegId, String),
    /// A peer that should send RTP has not for the configured time.
    MediaTimeout(LegId),
    /// [`Effect::Hook`](crate::Effect::Hook) was answered: the JSON text of the answer, `None`
    /// where it had none.
    HookReply(HookId, Result<Option<String>, HookFailure>),
    /// [`Media::Play`](crate::Media::Play) has ended, or never began.
    Played(LegId, PlayId, PlayEnd),
    /// The peer of a leg pressed this key (`0`-`9`, `*`, `#`, `A`-`D`) for so long, once for each
    /// press: an event of RFC 4733.
    Key(LegId, char, Duration),
    /// [`Media::SendKeys`](crate::Media::SendKeys) is done.
    KeysSent(LegId),
    /// The operator ends the call.
    End,
}

/// A way to a next hop: an address, and how to get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where the INVITE goes.
    pub flow: Flow,
    /// Where it goes first if it is too long for a datagram, as [`sip::Invite::large`]: the same
    /// address over TCP, where nothing was said about the transport and TCP is there.
    pub large: Option<Flow>,
}

/// How audio ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayEnd {
    /// It was played for so long.
    Finished(Duration),
    /// It could not be had.
    Failed(HookFailure),
}

/// A webhook that could not be asked, or answered something that is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFailure {
    /// `alert_type` of the alert to raise, such as `webhook-failure`.
    pub alert_type: &'static str,
    /// What, where, expected, got, remedy. No credentials.
    pub message: String,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
}
