//! What the machines of an INVITE session ask for. The session carries it out.

use std::time::Duration;

use super::timer::Timer;
use crate::endpoint::EndCause;

/// One thing to do, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Report the provisional response.
    Progress,
    /// Send CANCEL with the INVITE's branch.
    SendCancel,
    /// Send the refused INVITE again, with what the core adds.
    SendAgain,
    /// Build the dialog of this 2xx and acknowledge it.
    Ack,
    /// Report the 2xx.
    Answered,
    /// Acknowledge the 2xx of a fork nobody wants and end its dialog.
    DropFork,
    /// Report that our INVITE failed.
    Rejected(Rejection),
    /// Destroy the INVITE's client transaction.
    Abandon,
    /// Send the core's response.
    Respond,
    /// Send the first reliable provisional of the queue.
    SendReliable,
    /// Send the reliable provisional that waits for its PRACK again.
    RepeatReliable,
    /// Send the 2xx that the core has given.
    SendSuccess,
    /// The same, and report it: it has waited.
    SendHeldSuccess,
    /// A reliable provisional never got its PRACK: the INVITE has to end.
    NotAcknowledged,
    /// Send the last provisional again.
    RepeatProvisional,
    /// Send the 2xx again.
    RepeatSuccess,
    /// Answer the pending INVITE with this status.
    Refuse(u16),
    /// Answer the INVITE that has just come with this status; the pending one stays.
    RefuseNew(u16),
    /// Report that the peer took its INVITE back.
    Cancelled,
    /// Report the ACK.
    Acked,
    /// Report the re-INVITE.
    Reinvite,
    /// The ACK of a re-INVITE's 2xx never came: the session has to end.
    Lost,
    /// Send our re-INVITE.
    SendReinvite,
    /// Acknowledge the 2xx of our re-INVITE.
    AckReinvite,
    /// Send CANCEL with the branch of our re-INVITE.
    CancelReinvite,
    /// Destroy the client transaction of our re-INVITE.
    AbandonReinvite,
    /// Our re-INVITE has changed the session.
    Modified,
    /// Our re-INVITE has not.
    NotModified(Rejection),
    /// The dialog cannot go on: the session has to end.
    Broken(EndCause),
    /// Send a refresh of the session.
    RefreshSession,
    /// Send BYE within the dialog.
    SendBye,
    /// Report that the dialog is over.
    Ended(EndCause),
    /// Start the timer, in place of one of the same name that still runs.
    Arm(Timer, Duration),
    /// [`Action::Arm`] for the random time of RFC 3261 §14.1.
    ArmSoon(Timer),
    /// Stop the timer if it runs.
    Disarm(Timer),
}

/// How an INVITE or re-INVITE of ours failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A final response of the peer.
    Response,
    /// No response at all: 408.
    NoResponse,
    /// The network refused it: 503.
    Unreachable,
    /// No final response after our CANCEL: 487.
    NoFinal,
    /// The peer sent BYE where its answer was due: 487.
    HungUp,
    /// Another INVITE was in the way too often: 491.
    Glare,
}
