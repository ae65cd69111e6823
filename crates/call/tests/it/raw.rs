//! A SIP peer that says exactly what a test writes: no transactions, no timers, no manners.
//!
//! What it heard is read off the wire by `sent.rs`.

use std::net::SocketAddr;

use sip::Message;
use testkit::{SWITCH, World};

use crate::sent::Sent;

/// A peer at an address where no phone is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw(pub(crate) SocketAddr);

/// Its description with these lines after `m=`.
pub(crate) fn description(peer: Raw, version: u32, more: &str) -> String {
    let ip = peer.0.ip();
    format!(
        "v=0\r\no=raw 1 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio 41000 RTP/AVP 0\r\n{more}"
    )
}

/// The end of a message: its body and what describes it.
fn with_body(body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

impl Raw {
    /// Sends an INVITE to the switch: `lines` are further headers, each with its CRLF.
    pub(crate) fn invite(self, world: &mut World, lines: &str, body: &str) {
        self.invite_with("raw-call", world, lines, body);
    }

    /// As [`Raw::invite`], of a call of this name.
    pub(crate) fn invite_as(self, world: &mut World, call_id: &str, body: &str) {
        self.invite_with(call_id, world, "", body);
    }

    /// As [`Raw::invite`], of a call of this name.
    pub(crate) fn invite_with(self, call_id: &str, world: &mut World, lines: &str, body: &str) {
        let Raw(address) = self;
        let end = with_body(body);
        world.say(
            address,
            &format!(
                "INVITE sip:+4930999888@{SWITCH} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {address};branch=z9hG4bK-{call_id}-invite\r\n\
                 From: <sip:raw@{address}>;tag=raw-caller\r\n\
                 To: <sip:+4930999888@{SWITCH}>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\
                 Contact: <sip:raw@{address}>\r\n{lines}{end}"
            ),
        );
    }

    /// Cancels what [`Raw::invite`] sent.
    pub(crate) fn cancel(self, world: &mut World) {
        let Raw(address) = self;
        world.say(
            address,
            &format!(
                "CANCEL sip:+4930999888@{SWITCH} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {address};branch=z9hG4bK-raw-call-invite\r\n\
                 From: <sip:raw@{address}>;tag=raw-caller\r\n\
                 To: <sip:+4930999888@{SWITCH}>\r\nCall-ID: raw-call\r\nCSeq: 1 CANCEL\r\n\
                 Content-Length: 0\r\n\r\n"
            ),
        );
    }

    /// Answers a request of the switch with this status line, such as `200 OK`, and To tag.
    pub(crate) fn respond(
        self,
        world: &mut World,
        request: &Sent,
        status: &str,
        tag: &str,
        body: &str,
    ) {
        let contact = format!("Contact: <sip:raw@{}>\r\n", self.0);
        self.respond_with(world, request, status, tag, &contact, body);
    }

    /// As [`Raw::respond`], with these further headers alone, each with its CRLF.
    pub(crate) fn respond_with(
        self,
        world: &mut World,
        request: &Sent,
        status: &str,
        tag: &str,
        lines: &str,
        body: &str,
    ) {
        let message = &request.message;
        let Raw(address) = self;
        let mut text = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            text.push_str(&format!("{name}: {}\r\n", message.header_text(name).unwrap()));
        }
        let to = message.header_text("To").unwrap();
        let tag = if to.contains(";tag=") { String::new() } else { format!(";tag={tag}") };
        text.push_str(&format!("To: {to}{tag}\r\n{lines}"));
        text.push_str(&with_body(body));
        world.say(address, &text);
    }

    /// Sends a request inside the dialog that `ours`, an INVITE that the switch sent to this peer,
    /// and this peer's To tag made.
    pub(crate) fn request_as_callee(
        self,
        world: &mut World,
        ours: &Message,
        tag: &str,
        request: &Request<'_>,
    ) {
        let from = format!("{};tag={tag}", ours.header_text("To").unwrap());
        let to = ours.header_text("From").unwrap().into_owned();
        let target = ours.contact().unwrap().uri.to_string();
        let call_id = ours.header_text("Call-ID").unwrap().into_owned();
        self.request(world, &Dialog { target, from, to, call_id }, request);
    }

    /// Sends a request inside the dialog that [`Raw::invite`] and this 200 of the switch made.
    pub(crate) fn request_as_caller(
        self,
        world: &mut World,
        answer: &Message,
        request: &Request<'_>,
    ) {
        let text = |name: &str| answer.header_text(name).unwrap().into_owned();
        let target = answer.contact().unwrap().uri.to_string();
        let dialog =
            Dialog { target, from: text("From"), to: text("To"), call_id: text("Call-ID") };
        self.request(world, &dialog, request);
    }

    fn request(self, world: &mut World, dialog: &Dialog, request: &Request<'_>) {
        let Raw(address) = self;
        let Dialog { target, from, to, call_id } = dialog;
        let Request { method, cseq, lines, body } = request;
        let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let typed = lines.contains("Content-Type");
        let end = if typed { length } else { with_body(body) };
        world.say(
            address,
            &format!(
                "{method} {target} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {address};branch=z9hG4bK-raw-{method}-{cseq}\r\n\
                 From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
                 Max-Forwards: 70\r\nContact: <sip:raw@{address}>\r\n{lines}{end}"
            ),
        );
    }
}

/// A request inside a dialog.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) cseq: u32,
    /// Further headers, each with its CRLF.
    pub(crate) lines: &'a str,
    pub(crate) body: &'a str,
}

impl Request<'_> {
    /// Without further headers and body.
    pub(crate) fn new(method: &str, cseq: u32) -> Request<'_> {
        Request { method, cseq, lines: "", body: "" }
    }
}

struct Dialog {
    target: String,
    from: String,
    to: String,
    call_id: String,
}
