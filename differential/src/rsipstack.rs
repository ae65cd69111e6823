//! `rsipstack`.

use ::rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use ::rsipstack::sip::{Error, Header, Headers, Scheme, SipMessage, Uri, Via, typed};

use crate::{Address, Hop, Reading, host, unescaped};

/// What `rsipstack` reads.
pub fn rsipstack(datagram: &[u8]) -> Option<Reading> {
    match SipMessage::try_from(datagram).ok()? {
        SipMessage::Request(request) => {
            let mut reading = common(&request, &request.headers);
            reading.start = request.method.to_string();
            reading.uri = Some(address(&request.uri));
            reading.body = request.body;
            Some(reading)
        }
        SipMessage::Response(response) => {
            let mut reading = common(&response, &response.headers);
            reading.start = response.status_code.code().to_string();
            reading.body = response.body;
            Some(reading)
        }
    }
}

fn common(message: &impl HeadersExt, headers: &Headers) -> Reading {
    let from = message.from_header().and_then(ToTypedHeader::typed).ok();
    let to = message.to_header().and_then(ToTypedHeader::typed).ok();
    let cseq = message.cseq_header().and_then(ToTypedHeader::typed).ok();
    let contact = message.contact_header().map(|contact| contact.value().to_owned());
    let contact = contact.and_then(|value| typed::Contact::parse_header_list(&value)).ok();
    let contact = contact.and_then(|list| list.into_iter().next());
    Reading {
        from: from.as_ref().map(|from| address(&from.uri)),
        from_tag: from.as_ref().and_then(|from| from.tag().map(|tag| tag.value().to_owned())),
        to: to.as_ref().map(|to| address(&to.uri)),
        to_tag: to.as_ref().and_then(|to| to.tag().map(|tag| tag.value().to_owned())),
        call_id: message.call_id_header().ok().map(|call_id| call_id.value().to_owned()),
        cseq: cseq.map(|cseq| (cseq.seq, cseq.method.to_string())),
        vias: vias(headers).ok(),
        contact: contact.map(|contact| address(&contact.uri)),
        ..Reading::default()
    }
}

/// Every hop of every line, by its own splitting at commas.
fn vias(headers: &Headers) -> Result<Vec<Hop>, Error> {
    let mut hops = Vec::new();
    for header in headers.iter() {
        let Header::Via(line) = header else { continue };
        let mut rest = line.value().trim().to_owned();
        while !rest.is_empty() {
            let first = Via::new(rest.as_str()).first_value()?;
            let length = first.value().len();
            hops.push(hop(&first.typed()?));
            rest = rest[length..].trim_start().trim_start_matches(',').trim_start().to_owned();
        }
    }
    Ok(hops)
}

fn hop(via: &typed::Via) -> Hop {
    let sent_by = via.sent_by();
    Hop {
        transport: via.transport.to_string().to_ascii_uppercase(),
        host: host(&sent_by.host.to_string()),
        port: sent_by.port.as_ref().map(|port| port.0),
        branch: via.branch().map(|branch| branch.value().to_owned()),
    }
}

fn address(uri: &Uri) -> Address {
    let scheme = uri.scheme.as_ref().map(Scheme::to_string).unwrap_or_default();
    Address {
        scheme: scheme.to_ascii_lowercase(),
        user: uri.user().map(unescaped),
        host: host(&uri.host_with_port.host.to_string()),
        port: uri.host_with_port.port.as_ref().map(|port| port.0),
    }
}
