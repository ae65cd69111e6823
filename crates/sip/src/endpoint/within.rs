//! What the core may ask of a dialog that stands: requests within it, its name, its session.

use std::time::Instant;

use bytes::Bytes;

use super::{DialogId, DialogState, Endpoint, InDialog, InviteId, SentId};
use crate::{
    invite::reinvite::{Attempt, Description},
    message::Message,
    method::Method,
    random::parse_tag,
};

impl Endpoint {
    /// Sends a request within the session's dialog; its [`Event::Responded`](super::Event) comes
    /// later. RFC 3261 §12.2.1.1: sequence number, Route and Request-URI are the dialog's.
    ///
    /// `None`, and nothing is sent, where there is no dialog to send it in: none yet, or none any
    /// more; or for INVITE, ACK, BYE, CANCEL, PRACK and REGISTER, which are not sent so. Before
    /// the answer it goes to the early dialog; of several to the one that began last.
    ///
    /// A 481, and to UPDATE also 408 or no response, ends the dialog with
    /// [`EndCause::Gone`](super::EndCause::Gone) (RFC 3261 §12.2.1.2), except that a NOTIFY may
    /// only miss its subscription. Challenges are handed up as any other final status. What cannot
    /// be written is answered with 500 at once.
    #[allow(clippy::needless_pass_by_value)] // The request is spent, whoever calls.
    pub fn request(&mut self, now: Instant, id: InviteId, request: InDialog) -> Option<SentId> {
        match request.method {
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Prack
            | Method::Register => return None,
            _ => {}
        }
        let sent = SentId(self.next_sent);
        let session = self.sessions.get_mut(&id)?;
        let is_sent = session.request(&mut self.stack, now, sent, &request);
        self.next_sent += u64::from(is_sent);
        self.release();
        is_sent.then_some(sent)
    }

    /// Changes the session: sends an INVITE within its confirmed dialog, with this session
    /// description and further headers (RFC 3261 §14.1). [`Event::Modified`](super::Event) or
    /// [`Event::NotModified`](super::Event) comes later.
    ///
    /// Where another INVITE or offer is going on, of either side, it waits a random time and is
    /// tried again, three times; also where the peer says so (491). A 481, a 408 or no response at
    /// all ends the dialog with [`EndCause::Gone`](super::EndCause::Gone). A peer that says nothing
    /// final for three minutes gets CANCEL.
    ///
    /// `false`, and nothing is sent, where the session is not up or has a re-INVITE of the core
    /// already.
    pub fn reinvite(
        &mut self,
        now: Instant,
        id: InviteId,
        body: &[u8],
        content_type: &str,
        headers: &[(String, String)],
    ) -> bool {
        let description = Description {
            content_type: content_type.to_owned(),
            body: Bytes::copy_from_slice(body),
        };
        let attempt = Attempt { description, headers: headers.to_vec(), reported: true };
        let session = self.sessions.get_mut(&id);
        let is_wanted =
            session.is_some_and(|session| session.reinvite(&mut self.stack, now, attempt));
        self.release();
        is_wanted
    }

    /// Repeats the refresh of a session with these headers, which answer the challenge of its
    /// [`Event::RefreshChallenged`](super::Event) (RFC 3261 §22.2). `false`, and nothing is sent,
    /// where we do not refresh the session, do so already, or it is not up.
    pub fn refresh_again(
        &mut self,
        now: Instant,
        id: InviteId,
        headers: &[(String, String)],
    ) -> bool {
        let session = self.sessions.get_mut(&id);
        let is_wanted =
            session.is_some_and(|session| session.refresh_again(&mut self.stack, now, headers));
        self.release();
        is_wanted
    }

    /// The session with this dialog, early ones included, and how far the dialog has come; what a
    /// Replaces header asks for (RFC 3891 §3). `None` once nothing is left of it.
    pub fn dialog(
        &self,
        call_id: &str,
        our_tag: &str,
        their_tag: &str,
    ) -> Option<(InviteId, DialogState)> {
        let id = *self.tags.get(&parse_tag(our_tag)?)?;
        let state = self.sessions.get(&id)?.dialog_state(call_id, their_tag)?;
        Some((id, state))
    }

    /// The session whose INVITE this request repeats: it has the Call-ID and From tag that we gave
    /// it, so it is our own, and a peer sent it back. `None` once nothing is left of the session.
    pub fn sent_as(&self, request: &Message) -> Option<InviteId> {
        let from = request.from().ok()?;
        let id = *self.tags.get(&parse_tag(from.tag()?)?)?;
        let session = self.sessions.get(&id)?;
        (session.call_id() == request.call_id().ok()?).then_some(id)
    }

    /// Call-ID and tags of the session's dialog, for a Replaces header; before the answer those of
    /// the early dialog, of several the one that began last. `None` while there is none.
    pub fn dialog_id(&self, id: InviteId) -> Option<DialogId> {
        self.sessions.get(&id)?.dialog_id()
    }
}
