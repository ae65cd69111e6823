//! How a message finds its transaction (RFC 3261 §17.1.3, §17.2.3).
//!
//! A client's branch is ours, so its key is the number in it. A server's key is the peer's text:
//! branch and sent-by, or, of a peer older than RFC 3261, what stands in place of a branch.

use crate::{headers::Via, headers::via::MAGIC_COOKIE, message::Message, method::Method};

/// Which of the requests with one branch: CANCEL shares its INVITE's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ClientMethod {
    Invite,
    Cancel,
    Other,
}

/// Names a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientKey {
    pub(crate) branch: u128,
    pub(crate) method: ClientMethod,
}

impl ClientKey {
    pub(crate) fn new(branch: u128, method: ClientMethod) -> ClientKey {
        ClientKey { branch, method }
    }

    /// The transaction that a response belongs to; `None` if the branch is not of our making.
    pub(crate) fn of_response(via: &Via, method: &Method) -> Option<ClientKey> {
        let digits = via.branch()?.strip_prefix(MAGIC_COOKIE)?;
        if digits.len() != 32 || digits.starts_with('+') {
            return None;
        }
        let branch = u128::from_str_radix(digits, 16).ok()?;
        let method = match method {
            Method::Invite => ClientMethod::Invite,
            Method::Cancel => ClientMethod::Cancel,
            _ => ClientMethod::Other,
        };
        Some(ClientKey { branch, method })
    }
}

/// A branch as it is written.
pub(crate) fn branch_text(branch: u128) -> String {
    format!("{MAGIC_COOKIE}{branch:032x}")
}

/// Names a server transaction. An ACK has the key of its INVITE.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerKey(String);

impl ServerKey {
    /// The key of a request of this method with the top Via `via`.
    ///
    /// With [`Method::Invite`] for a CANCEL it is the key of the INVITE (RFC 3261 §9.2).
    pub(crate) fn new(request: &Message, via: &Via, method: &Method) -> ServerKey {
        let method = match method {
            Method::Ack => Method::Invite.as_str(),
            known => known.as_str(),
        };
        let port = via.port.unwrap_or(5060);
        match via.branch().and_then(|branch| branch.strip_prefix(MAGIC_COOKIE)) {
            Some(branch) if !branch.is_empty() => {
                let host = via.host.to_ascii_lowercase();
                ServerKey(format!("{branch}\n{host}:{port}\n{method}"))
            }
            // RFC 3261 §17.2.3: the fields that were unique before branches were. The To tag is
            // left out so that INVITE, ACK and CANCEL have one form.
            _ => {
                let uri = request.request_uri().unwrap_or_default();
                let from = request.header_text("From").unwrap_or_default();
                let call_id = request.header_text("Call-ID").unwrap_or_default();
                let cseq = request.cseq().map(|(number, _)| number).unwrap_or_default();
                ServerKey(format!("\n{uri}\n{from}\n{call_id}\n{cseq}\n{via}\n{method}"))
            }
        }
    }

    /// Of a request whose Via cannot be read, which makes no transaction: for an answer that stays
    /// the same as often as the request comes.
    pub(crate) fn of_unreadable(request: &Message) -> ServerKey {
        let [via, call_id, cseq] = ["Via", "Call-ID", "CSeq"]
            .map(|name| request.header_text(name).unwrap_or_default().into_owned());
        ServerKey(format!("\n\n{via}\n{call_id}\n{cseq}"))
    }

    /// The key as text, the same for each retransmission.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What two copies of one request share that reached us on different ways (RFC 3261 §8.2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MergeKey(String);

impl MergeKey {
    pub(crate) fn new(call_id: &str, from_tag: &str, cseq: u32, method: &Method) -> MergeKey {
        MergeKey(format!("{call_id}\n{from_tag}\n{cseq} {method}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, via: &str, from: &str) -> Message {
        let text = format!(
            "{method} sip:bob@b.example SIP/2.0\r\nVia: {via}\r\nFrom: {from}\r\n\
             To: <sip:bob@b.example>\r\nCall-ID: c1\r\nCSeq: 7 {method}\r\n\r\n"
        );
        Message::parse(text.as_bytes()).unwrap()
    }

    fn key(method: &str, via: &str, from: &str) -> ServerKey {
        let request = request(method, via, from);
        ServerKey::new(&request, &request.top_via().unwrap(), &request.method().unwrap())
    }

    const FROM: &str = "<sip:alice@a.example>;tag=1";

    #[test]
    fn an_ack_finds_the_invite_and_a_cancel_does_not() {
        for via in ["SIP/2.0/UDP h:5060;branch=z9hG4bKx", "SIP/2.0/UDP h;branch=1", "SIP/2.0/UDP h"]
        {
            assert_eq!(key("ACK", via, FROM), key("INVITE", via, FROM), "{via}");
            assert_ne!(key("CANCEL", via, FROM), key("INVITE", via, FROM), "{via}");
            let cancel = request("CANCEL", via, FROM);
            let of_invite = ServerKey::new(&cancel, &cancel.top_via().unwrap(), &Method::Invite);
            assert_eq!(of_invite, key("INVITE", via, FROM), "{via}");
        }
    }

    #[test]
    fn branch_and_sent_by_tell_requests_apart() {
        let one = key("INVITE", "SIP/2.0/UDP H:5060;branch=z9hG4bKx", FROM);
        assert_eq!(one, key("INVITE", "SIP/2.0/UDP h;branch=z9hG4bKx;rport", FROM));
        assert_ne!(one, key("INVITE", "SIP/2.0/UDP h;branch=z9hG4bKy", FROM));
        assert_ne!(one, key("INVITE", "SIP/2.0/UDP other;branch=z9hG4bKx", FROM));
        assert_ne!(one, key("INVITE", "SIP/2.0/UDP h:5061;branch=z9hG4bKx", FROM));
    }

    #[test]
    fn without_a_unique_branch_the_old_fields_count() {
        let via = "SIP/2.0/UDP h;branch=1";
        assert_eq!(key("INVITE", via, FROM), key("INVITE", via, FROM));
        assert_ne!(key("INVITE", via, FROM), key("INVITE", via, "<sip:alice@a.example>;tag=2"));
    }

    #[test]
    fn a_branch_reads_back_and_a_foreign_one_finds_nothing() {
        let read = |branch: &str| {
            let via = Via::parse(&format!("SIP/2.0/UDP h;branch={branch}")).unwrap();
            ClientKey::of_response(&via, &Method::Bye)
        };
        let branch = u128::MAX - 5;
        assert_eq!(read(&branch_text(branch)), Some(ClientKey::new(branch, ClientMethod::Other)));
        for foreign in ["z9hG4bK", "z9hG4bK1", "1", "z9hG4bK+0000000000000000000000000000001"] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }
}
