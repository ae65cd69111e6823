//! Requests that belong to an INVITE's transaction and repeat its fields: the ACK of a non-2xx
//! final response (RFC 3261 §17.1.1.3) and CANCEL (§9.1).

use crate::{
    message::Message,
    method::Method,
    write::{BuildError, Builder},
};

/// The ACK of a 3xx to 6xx: the INVITE's top Via, the response's To.
pub(crate) fn ack(invite: &Message, response: &Message) -> Result<Message, BuildError> {
    let to = response.header_text("To").unwrap_or_default();
    with_credentials(repeat(invite, &Method::Ack, &to), invite).build()
}

/// RFC 3261 §22.1: an ACK has the credentials of its INVITE, for nobody can challenge it.
pub(crate) fn with_credentials(ack: Builder, invite: &Message) -> Builder {
    ack.copy(invite, "Authorization").copy(invite, "Proxy-Authorization")
}

/// The CANCEL of an INVITE: the INVITE's top Via and To.
pub(crate) fn cancel(invite: &Message) -> Builder {
    let to = invite.header_text("To").unwrap_or_default();
    repeat(invite, &Method::Cancel, &to)
}

fn repeat(invite: &Message, method: &Method, to: &str) -> Builder {
    let uri = invite.request_uri().unwrap_or_default();
    let cseq = invite.cseq().map(|(number, _)| number).unwrap_or_default();
    // An INVITE of ours has one Via.
    Builder::request(method.clone(), &uri)
        .copy(invite, "Via")
        .copy(invite, "Max-Forwards")
        .copy(invite, "Route")
        .copy(invite, "From")
        .header("To", to)
        .copy(invite, "Call-ID")
        .header("CSeq", format_args!("{cseq} {method}"))
}
