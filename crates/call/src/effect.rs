//! What a call wants done by the world outside. SIP first: the switch carries those out itself;
//! the rest leaves as [`Effect`]s for the driver.

use serde_json::Value;
use sip::{Flow, Invite, RequestId, Respond, Transport};
use verbs::Hook;

use crate::leg::LegId;

/// One webhook request of one call; the answer names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HookId(pub u64);

/// A SIP action of a call, carried out on the endpoint by the switch.
#[derive(Debug)]
pub(crate) enum SipAction {
    /// Respond to the caller's INVITE.
    Respond(Respond),
    /// Call this leg.
    Invite(LegId, Box<Invite>),
    /// Give up this leg; the text is the value of the Reason header.
    Cancel(LegId, Option<&'static str>),
    /// End the dialog of this leg.
    Bye(LegId, Vec<(String, String)>),
    /// Answer the re-INVITE of this leg.
    RespondReinvite(LegId, Respond),
    /// Answer another request inside a dialog.
    Reply(RequestId, Respond),
}

/// What the driver carries out for a call.
#[derive(Debug)]
pub enum Effect {
    /// Find the address of the next hop of a leg: [`Input::Resolved`](crate::Input::Resolved) or
    /// [`Input::Unresolved`](crate::Input::Unresolved) follows.
    Resolve {
        /// The leg that waits.
        leg: LegId,
        /// IP literal or name.
        host: String,
        /// Port, 5060 where the address named none.
        port: u16,
        /// How to get there, where that is said: then there is no other way. `None`: over UDP, or
        /// what there is.
        transport: Option<Transport>,
    },
    /// Something to do with the call's audio.
    Media(Media),
    /// Ask the application: [`Input::HookReply`](crate::Input::HookReply) follows.
    Hook {
        /// Named by the answer.
        hook: HookId,
        /// What to send.
        request: HookRequest,
    },
    /// Tell the application of a change of status; nothing follows. In order per call.
    Status(HookRequest),
    /// Something an operator should know.
    Alert(Alert),
    /// The call is over and nothing of it is left.
    Over,
}

/// The call's audio. A leg exists from `Open` to `Close`.
#[derive(Debug)]
pub enum Media {
    /// Open an RTP port for a leg; its peer is signalled over this flow.
    Open(LegId, Flow),
    /// Where a leg's peer receives, and what.
    SetRemote(LegId, Box<media::Remote>),
    /// These two hear each other.
    Bridge(LegId, LegId),
    /// The leg hears the ringback tone of this country.
    Ringback(LegId, String),
    /// The leg hears nothing more.
    Silence(LegId),
    /// Free the port of a leg.
    Close(LegId),
}

/// A webhook request, before its URL is resolved.
#[derive(Clone, Debug)]
pub struct HookRequest {
    /// URL, method and credentials as the application gave them; the URL may be relative.
    pub hook: Hook,
    /// The application's `call_hook`: its origin completes relative URLs, its credentials go to
    /// the same origin alone.
    pub base: Option<Hook>,
    /// The operator named this hook, in the configuration or in an `app_json` of it: it may point
    /// to a private address.
    pub trusted: bool,
    /// The JSON object to send.
    pub payload: Value,
}

/// Something an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// One of the words of the alert list, such as `not-supported`.
    pub alert_type: &'static str,
    /// What, where, expected, got, remedy; names the JSON pointer where there is one.
    pub message: String,
    /// The call it happened in.
    pub call_sid: String,
}
