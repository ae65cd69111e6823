//! What a call wants done by the world outside. SIP first: the switch carries those out itself;
//! the rest leaves as [`Effect`]s for the driver.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sip::{Flow, InDialog, Invite, Proof, RequestId, Respond, Transport};
use verbs::Hook;

use crate::command::CommandId;
use crate::leg::LegId;
use crate::record::LegRecord;
use crate::settings::Carrier;
use crate::switch::CallKey;

/// One webhook request of one call; the answer names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HookId(pub u64);

/// A SIP action of a call, carried out on the endpoint by the switch.
#[derive(Clone, Debug)]
pub(crate) enum SipAction {
    /// Respond to the caller's INVITE.
    Respond(Respond),
    /// Call this leg, over this carrier if it is one that is limited.
    Invite { leg: LegId, invite: Box<Invite>, carrier: Option<Arc<Carrier>> },
    /// Call this leg again, which asked who we are.
    InviteAgain(LegId, Vec<Proof>),
    /// Give up this leg; the text is the value of the Reason header.
    Cancel(LegId, Option<&'static str>),
    /// End the dialog of this leg.
    Bye(LegId, Vec<(String, String)>),
    /// Answer the re-INVITE of this leg.
    RespondReinvite(LegId, Respond),
    /// Send this leg a re-INVITE with this session description.
    Reinvite(LegId, Vec<u8>),
    /// Answer another request inside a dialog.
    Reply(RequestId, Respond),
    /// Send a request inside the dialog of this leg.
    Request(LegId, Box<InDialog>, Asker),
}

/// Who is told what comes of a request inside a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A program.
    Command(CommandId),
    /// The list of the party, by the number of its request.
    List(u64),
    /// The subscription to a transfer, whose NOTIFY it is.
    Subscription,
}

/// Audio that a call asked for; what becomes of it names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlayId(pub u64);

/// How often audio is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// So often, at least once.
    Times(u32),
    /// Until it is stopped.
    Forever,
}

/// Audio to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Where it is: `http(s)://`, `file://`, a path, a URL relative to the origin of the
    /// application, or `tone_stream://`.
    pub url: String,
    /// How often.
    pub repeat: Repeat,
    /// Where to begin, in samples at 8 kHz.
    pub from_sample: u64,
    /// After so long it has ended, whatever is left.
    pub longest: Option<Duration>,
}

/// What the driver carries out for a call.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Find the addresses of the next hop of a leg (RFC 3263):
    /// [`Input::Resolved`](crate::Input::Resolved) or
    /// [`Input::Unresolved`](crate::Input::Unresolved) follows.
    Resolve {
        /// The leg that waits.
        leg: LegId,
        /// IP literal or name.
        host: String,
        /// Port; where the address named none, the DNS may name one.
        port: Option<u16>,
        /// How to get there, where the address says it: then there is no other way. Else the DNS
        /// may say it (RFC 3263 §4.1).
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
    /// How a leg stands, with each change; the last time its record is complete.
    Record(Box<LegRecord>),
    /// Something an operator should know.
    Alert(Alert),
    /// The call is over and nothing of it is left.
    Over,
}

/// The call's audio. A leg exists from `Open` to `Close`.
#[derive(Clone, Debug)]
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
    /// The leg hears this audio, over whatever else it hears, from when it has been fetched until
    /// it ends: [`Input::Played`](crate::Input::Played) follows, unless it is stopped first.
    Play {
        /// Who hears it.
        to: LegId,
        /// Named by what follows.
        play: PlayId,
        /// What to play.
        audio: Box<Audio>,
        /// Completes a relative URL.
        base: Option<Box<Hook>>,
        /// The operator named it: it may be any file, and at a private address.
        trusted: bool,
    },
    /// This audio is not wanted any more, fetched or not.
    StopPlay(LegId, PlayId),
    /// Send these keys to the peer of the leg, each so long; `w` and `W` are pauses of half a
    /// second and of a second. [`Input::KeysSent`](crate::Input::KeysSent) follows.
    SendKeys(LegId, String, Duration),
    /// Nobody hears this leg, nor its keys, while this is true.
    Mute(LegId, bool),
    /// The leg hears whichever leg it hears so much louder, until it moves to another call.
    Boost(LegId, media::Decibels),
    /// This leg was another call's, under that number there, and is of this one from now on: its
    /// port, what was agreed, and nothing of what it hears.
    Adopt(LegId, (CallKey, LegId)),
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
