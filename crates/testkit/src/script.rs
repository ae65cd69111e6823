//! What a phone is going to do: the scripts that [`Phone`](crate::Phone) plays. Nothing runs here.
//!
//! Times count from the INVITE that a called phone gets, or from that of the calling one, unless a
//! field says otherwise. What a phone saw is in `phone.rs`.

use std::time::Duration;

use sip::auth::digest::Algorithm;

/// What a phone does.
#[derive(Clone, Debug)]
pub enum Script {
    /// Waits for calls.
    Callee(Callee),
    /// Calls, once, when it is told to.
    Caller(Caller),
    /// Waits for calls as several phones behind a proxy, all of which ring and of which several
    /// may answer.
    Forks(Vec<Callee>),
}

/// What a called phone does with each INVITE. Times count from the INVITE.
#[derive(Clone, Debug)]
pub struct Callee {
    /// 180 at this time.
    pub rings: Option<Duration>,
    /// 183 with a session description at this time.
    pub early_media: Option<Duration>,
    /// How it ends.
    pub outcome: Outcome,
    /// BYE so long after its answer was acknowledged.
    pub hangs_up: Option<Duration>,
}

/// How a called phone ends the ringing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 200 at this time.
    Answers(Duration),
    /// This failure at this time.
    Refuses(u16, Duration),
    /// Nothing: it rings until it is cancelled, or for three minutes.
    Waits,
}

/// What a calling phone does. Times count from its INVITE, `hangs_up` from the answer.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Request-URI.
    pub calls: String,
    /// From, as a name-addr.
    pub from: String,
    /// Headers of its INVITE.
    pub headers: Vec<(String, String)>,
    /// Max-Forwards of its INVITE.
    pub max_forwards: u8,
    /// CANCEL at this time, if it is not answered by then; BYE where the answer crosses it.
    pub cancels: Option<Duration>,
    /// BYE so long after the answer.
    pub hangs_up: Option<Duration>,
}

/// What a phone does to the session of a call that is up, by re-INVITE or UPDATE (RFC 3264 §8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offer {
    /// It holds the peer, and sends what that one is to hear: `sendonly`.
    Holds,
    /// It holds the peer, and sends nothing: `inactive`.
    Rests,
    /// It holds the peer as phones did before there were directions: `c=0.0.0.0`.
    Blanks,
    /// It talks again: `sendrecv`.
    Talks,
    /// It talks again, and lets the peer make the offer: a re-INVITE without a description, whose
    /// ACK has the answer.
    Asks,
}

/// A REFER that a phone sends in each of its calls (RFC 3515).
#[derive(Clone, Debug)]
pub struct Refer {
    /// So long after the call was answered, or its own answer acknowledged.
    pub after: Duration,
    /// So long after the INVITE instead: it does not wait for the answer.
    pub is_early: bool,
    /// Where the other party is sent.
    pub to: ReferTo,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// It hangs up when it hears that this, or another REFER of its, has succeeded.
    pub leaves: bool,
}

/// Where a [`Refer`] points.
#[derive(Clone, Debug)]
pub enum ReferTo {
    /// The value of Refer-To.
    Address(String),
    /// This URI, in the place of the phone's other call (RFC 3891). Without one no REFER is sent.
    OtherCall(String),
}

/// What a called phone wants to know of each caller before it plays its script.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// 401 or 407.
    pub status: u16,
    /// The only user that it lets in.
    pub username: &'static str,
    /// Its password.
    pub password: &'static str,
    /// What it offers, in this order.
    pub algorithms: Vec<Algorithm>,
    /// The nonce of its first challenge is stale when it comes back.
    pub forgets: bool,
}
