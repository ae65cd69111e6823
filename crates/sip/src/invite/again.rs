//! A refused INVITE of ours sent again, as the answer to a challenge (RFC 3261 §22.2).

use std::time::Instant;

use super::{
    Session, Side, Step,
    caller::{Draft, is_large},
    connect,
};
use crate::{
    dialog,
    endpoint::Flow,
    message::Message,
    method::Method,
    stack::Stack,
    transaction::key::{ClientKey, ClientMethod},
    write::{BuildError, Builder},
};

impl Session {
    /// The core sends the INVITE again.
    pub(crate) fn invite_again(
        &mut self,
        stack: &mut Stack,
        now: Instant,
        headers: &[(String, String)],
    ) {
        let step = &mut Step { headers, ..Step::new(stack, now) };
        self.feed_connect(step, connect::Input::Again);
    }

    /// Request-URI of the dialog's requests.
    pub(crate) fn request_uri(&mut self) -> Option<String> {
        self.current().map(|dialog| dialog.request_uri())
    }

    pub(super) fn send_again(&mut self, step: &mut Step<'_>) {
        let Side::Caller(caller) = &mut self.side else { return };
        let branch = step.stack.generator.next_u128();
        let sent = step.stack.transactions.sent(caller.invite);
        let written = sent.and_then(|(invite, hop)| {
            let write = |flow| write_again(invite, flow, branch, step.headers).ok();
            let (draft, mut spare) = (write(hop.flow)?, None);
            // why: credentials can make it too long for a datagram, which it was not before.
            match caller.large.filter(|_| is_large(&draft)) {
                None => Some((draft, spare)),
                Some(large) => {
                    spare = Some(draft);
                    Some((write(large)?, spare))
                }
            }
        });
        let Some((draft, spare)) = written else {
            return self.feed_connect(step, connect::Input::Unreachable);
        };
        caller.invite = ClientKey::new(branch, ClientMethod::Invite);
        caller.spare = spare;
        // RFC 3261 §13.2.2.3: the failure ended the early dialogs.
        caller.forks.clear();
        let key = caller.invite;
        self.send_invite(step.stack, step.now, key, draft);
    }
}

/// The INVITE once more: another branch, the next sequence number, and these headers.
fn write_again(
    invite: &Message,
    flow: Flow,
    branch: u128,
    headers: &[(String, String)],
) -> Result<Draft, BuildError> {
    let contact = invite.contact().ok();
    let contact =
        dialog::contact(flow, contact.as_ref().and_then(|known| known.uri.user.as_deref()));
    let cseq = invite.cseq().map(|(number, _)| number).unwrap_or_default().saturating_add(1);
    let uri = invite.request_uri().unwrap_or_default();
    let mut builder = Builder::request(Method::Invite, &uri);
    let replaced = |name: &str| headers.iter().any(|(new, _)| new.eq_ignore_ascii_case(name));
    for (name, value) in invite.headers() {
        builder = match &*name {
            "Via" => builder.header("Via", dialog::via(flow, branch)),
            "Contact" => builder.header("Contact", &contact),
            "CSeq" => builder.header("CSeq", format_args!("{cseq} INVITE")),
            "Content-Type" | "Content-Length" => builder,
            name if replaced(name) => builder,
            name => builder.header(name, value),
        };
    }
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let content_type = invite.header_text("Content-Type").unwrap_or_default();
    let message = builder.body(&content_type, invite.body()).build()?;
    Ok(Draft { flow, contact, message })
}
