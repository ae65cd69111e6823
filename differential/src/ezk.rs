//! `ezk-sip-types`, which leaves putting a message together to its user.

use bytes::Bytes;
use ezk_sip_types::header::typed::{CSeq, CallID, Contact, ContentLength, FromTo, Via};
use ezk_sip_types::host::HostPort;
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use ezk_sip_types::parse::Parse;
use ezk_sip_types::uri::SipUri;
use ezk_sip_types::{Headers, Name};

use crate::{Address, Hop, Reading, host, unescaped};

/// Start line, headers and body of one datagram.
pub fn ezk_message(datagram: &Bytes) -> Option<(MessageLine, Headers, Bytes)> {
    let mut parser = PullParser::new(datagram, 0);
    let first = std::str::from_utf8(parser.next()?.ok()?).ok()?;
    let (_, start) = MessageLine::parse(datagram)(first).ok()?;
    let mut headers = Headers::new();
    for line in &mut parser {
        let line = std::str::from_utf8(line.ok()?).ok()?;
        let (_, line) = Line::parse(datagram, line).ok()?;
        headers.insert(line.name, line.value);
    }
    let rest = datagram.get(parser.head_end()..)?;
    let length = headers.get_named::<ContentLength>().map_or(rest.len(), |length| length.0);
    let body = datagram.slice_ref(rest.get(..length)?);
    Some((start, headers, body))
}

/// What `ezk-sip-types` reads.
pub fn ezk(datagram: &[u8]) -> Option<Reading> {
    let (start, headers, body) = ezk_message(&Bytes::copy_from_slice(datagram))?;
    let (start, uri) = match start {
        MessageLine::Request(line) => (line.method.to_string(), Some(address(&line.uri))),
        MessageLine::Response(line) => (line.code.into_u16().to_string(), None),
    };
    let from = headers.get::<FromTo>(Name::FROM).ok();
    let to = headers.get::<FromTo>(Name::TO).ok();
    let cseq = headers.get_named::<CSeq>().ok();
    let vias = headers.get_named::<Vec<Via>>().ok();
    let contact = headers.get_named::<Vec<Contact>>().ok();
    Some(Reading {
        start,
        uri,
        from: from.as_ref().map(|from| address(&from.uri.uri)),
        from_tag: from.and_then(|from| from.tag.map(|tag| tag.to_string())),
        to: to.as_ref().map(|to| address(&to.uri.uri)),
        to_tag: to.and_then(|to| to.tag.map(|tag| tag.to_string())),
        call_id: headers.get_named::<CallID>().ok().map(|call_id| call_id.0.to_string()),
        cseq: cseq.map(|cseq| (cseq.cseq, cseq.method.to_string())),
        vias: vias.map(|vias| vias.iter().map(hop).collect()),
        contact: contact.and_then(|list| list.first().map(|first| address(&first.uri.uri))),
        body: body.to_vec(),
    })
}

fn host_port(host_port: &HostPort) -> (String, Option<u16>) {
    (host(&host_port.host.to_string()), host_port.port)
}

fn hop(via: &Via) -> Hop {
    let (host, port) = host_port(&via.sent_by);
    let branch = via.params.get_val("branch").map(|branch| branch.to_string());
    Hop { transport: via.transport.to_ascii_uppercase(), host, port, branch }
}

fn address(uri: &SipUri) -> Address {
    let (host, port) = host_port(&uri.host_port);
    let scheme = if uri.sips { "sips" } else { "sip" };
    Address { scheme: scheme.to_owned(), user: user(uri), host, port }
}

/// The user as it is written: its type is not public.
fn user(uri: &SipUri) -> Option<String> {
    let written = format!("{uri:?}");
    let (_, rest) = written.split_once(':')?;
    let (user, _) = rest.split_once('@')?;
    Some(unescaped(user.split_once(':').map_or(user, |(user, _)| user)))
}
