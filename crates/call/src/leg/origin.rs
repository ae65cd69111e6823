//! Where the caller of a call came from: it sent an INVITE, or a program asked for it and we sent
//! one. Owns what is known of it from that and never changes; its state is `leg/caller.rs`.

use std::borrow::Cow;

use sip::{Message, Uri};
use verbs::callback::{Defaults, Direction};

use crate::command::CommandId;
use crate::route::Reaches;

/// Hops of a request that begins here (RFC 3261 §8.1.1.6).
pub(crate) const HOPS: u8 = 70;

/// How a call began.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// An INVITE came in.
    Arrived(Box<Arrived>),
    /// A program asked for it.
    Placed(Box<Placed>),
}

/// A call that came in, and what its INVITE says, read once: every event tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    request: Message,
    calling_user: String,
    called_user: String,
    caller_name: Option<String>,
    sip_call_id: String,
    /// Max-Forwards of the INVITEs that it makes.
    hops: u8,
}

/// A call that a program asked for, or a leg that became a call of its own.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Inbound only where it came to us in another call, as its caller.
    pub(crate) direction: Direction,
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
    /// The call that it was a callee of, before it became one of its own.
    pub(crate) parent_call_sid: Option<String>,
    /// Max-Forwards of its INVITEs.
    pub(crate) hops: u8,
}

impl Origin {
    /// Of this INVITE that came in.
    pub(crate) fn arrived(request: Message) -> Origin {
        let user = |uri: &Uri| uri.user_decoded().map(Cow::into_owned);
        let from = request.from().ok();
        let calling = from.as_ref().and_then(|from| user(&from.uri));
        Origin::Arrived(Box::new(Arrived {
            calling_user: calling
                .filter(|user| !user.is_empty())
                .unwrap_or_else(|| "anonymous".to_owned()),
            called_user: request.uri().ok().as_ref().and_then(user).unwrap_or_default(),
            caller_name: from.and_then(|from| from.display),
            sip_call_id: request.call_id().map(Cow::into_owned).unwrap_or_default(),
            hops: request.max_forwards().ok().flatten().unwrap_or(HOPS).saturating_sub(1),
            request,
        }))
    }

    /// The INVITE, where one came in.
    pub(crate) fn request(&self) -> Option<&Message> {
        match self {
            Origin::Arrived(arrived) => Some(&arrived.request),
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
            Origin::Placed(placed) => placed.direction,
        }
    }

    /// Max-Forwards of an INVITE that this call sends. RFC 3261 §16.6: one less than came in, so
    /// that a loop through applications ends.
    pub(crate) fn hops_left(&self) -> u8 {
        match self {
            Origin::Arrived(arrived) => arrived.hops,
            Origin::Placed(placed) => placed.hops,
        }
    }

    /// A transfer made another call of this one. why: transfers that go round must end, too.
    pub(crate) fn spend_hop(&mut self) {
        let hops = match self {
            Origin::Arrived(arrived) => &mut arrived.hops,
            Origin::Placed(placed) => &mut placed.hops,
        };
        *hops = hops.saturating_sub(1);
    }

    /// User who calls, as received or as asked for.
    pub(crate) fn calling_user(&self) -> &str {
        match self {
            Origin::Arrived(arrived) => &arrived.calling_user,
            Origin::Placed(placed) => &placed.from,
        }
    }

    /// User who is called, as received or as asked for.
    pub(crate) fn called_user(&self) -> &str {
        match self {
            Origin::Arrived(arrived) => &arrived.called_user,
            Origin::Placed(placed) => &placed.to,
        }
    }

    /// SIP Call-ID.
    pub(crate) fn sip_call_id(&self) -> &str {
        match self {
            Origin::Arrived(arrived) => &arrived.sip_call_id,
            Origin::Placed(placed) => &placed.sip_call_id,
        }
    }

    /// Display name of From.
    pub(crate) fn caller_name(&self) -> Option<&str> {
        match self {
            Origin::Arrived(arrived) => arrived.caller_name.as_deref(),
            Origin::Placed(placed) => placed.caller_name.as_deref(),
        }
    }
}
