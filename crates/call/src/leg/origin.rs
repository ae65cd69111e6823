//! Where the caller of a call came from: it sent an INVITE, or a program asked for it and we sent
//! one. Owns what is known of it from that and never changes; its state is `leg/caller.rs`.

use sip::Message;
use verbs::callback::{Defaults, Direction};

use crate::command::CommandId;
use crate::route::Reaches;

/// Hops of a request that begins here (RFC 3261 §8.1.1.6).
const HOPS: u8 = 70;

/// How a call began.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// This INVITE came in.
    Arrived(Box<Message>),
    /// A program asked for it.
    Placed(Box<Placed>),
}

/// A call that a program asked for.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Who calls.
    pub(crate) from: String,
    /// Who is called, as it was written.
    pub(crate) to: String,
    /// Display name of From.
    pub(crate) caller_name: Option<String>,
    /// Longest time from the answer on.
    pub(crate) time_limit: Option<std::time::Duration>,
    /// Values for the application.
    pub(crate) env_vars: Option<serde_json::Map<String, serde_json::Value>>,
    /// Voices of the request.
    pub(crate) defaults: Defaults,
    /// Waits for the INVITE to leave.
    pub(crate) command: Option<CommandId>,
    /// SIP Call-ID of the INVITE that stands for the call: the last one, the one that was answered.
    pub(crate) sip_call_id: String,
    /// Whom that INVITE reaches.
    pub(crate) reaches: Reaches,
}

impl Origin {
    /// The INVITE, where one came in.
    pub(crate) fn request(&self) -> Option<&Message> {
        match self {
            Origin::Arrived(request) => Some(request),
            Origin::Placed(_) => None,
        }
    }

    /// What a program asked for.
    pub(crate) fn placed(&self) -> Option<&Placed> {
        match self {
            Origin::Arrived(_) => None,
            Origin::Placed(placed) => Some(placed),
        }
    }

    /// The same, to be changed.
    pub(crate) fn placed_mut(&mut self) -> Option<&mut Placed> {
        match self {
            Origin::Arrived(_) => None,
            Origin::Placed(placed) => Some(placed),
        }
    }

    /// Who began the call.
    pub(crate) fn direction(&self) -> Direction {
        match self {
            Origin::Arrived(_) => Direction::Inbound,
            Origin::Placed(_) => Direction::Outbound,
        }
    }

    /// Max-Forwards of an INVITE that this call sends. RFC 3261 §16.6: one less than came in, so
    /// that a loop through applications ends.
    pub(crate) fn hops_left(&self) -> u8 {
        match self {
            Origin::Arrived(request) => {
                request.max_forwards().ok().flatten().unwrap_or(HOPS).saturating_sub(1)
            }
            Origin::Placed(_) => HOPS,
        }
    }

    /// User who calls, as received or as asked for.
    pub(crate) fn calling_user(&self) -> String {
        match self {
            Origin::Arrived(request) => {
                let from = request.from().ok();
                let user = from.and_then(|from| from.uri.user_decoded().map(|u| u.into_owned()));
                user.filter(|user| !user.is_empty()).unwrap_or_else(|| "anonymous".to_owned())
            }
            Origin::Placed(placed) => placed.from.clone(),
        }
    }

    /// User who is called, as received or as asked for.
    pub(crate) fn called_user(&self) -> String {
        match self {
            Origin::Arrived(request) => {
                let uri = request.uri().ok();
                let user = uri.and_then(|uri| uri.user_decoded().map(|user| user.into_owned()));
                user.unwrap_or_default()
            }
            Origin::Placed(placed) => placed.to.clone(),
        }
    }

    /// SIP Call-ID.
    pub(crate) fn sip_call_id(&self) -> String {
        match self {
            Origin::Arrived(request) => {
                request.call_id().map(|id| id.into_owned()).unwrap_or_default()
            }
            Origin::Placed(placed) => placed.sip_call_id.clone(),
        }
    }

    /// Display name of From.
    pub(crate) fn caller_name(&self) -> Option<String> {
        match self {
            Origin::Arrived(request) => request.from().ok().and_then(|from| from.display),
            Origin::Placed(placed) => placed.caller_name.clone(),
        }
    }
}
