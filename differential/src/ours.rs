//! Our parser.

use sip::{HeaderError, Message, NameAddr, Uri, Via};

use crate::{Address, Hop, Reading, host};

/// What ours reads.
pub fn ours(datagram: &[u8]) -> Option<Reading> {
    let message = Message::parse(datagram).ok()?;
    let start = match message.method() {
        Some(method) => method.to_string(),
        None => message.status()?.to_string(),
    };
    let vias: Result<Vec<Hop>, HeaderError> = message
        .header_values("Via")
        .map(|value| Via::parse(&String::from_utf8_lossy(value)).map(|via| hop(&via)))
        .collect();
    let tag = |address: Result<NameAddr, HeaderError>| {
        address.ok().and_then(|address| address.tag().map(str::to_owned))
    };
    Some(Reading {
        start,
        uri: message.uri().ok().map(|uri| address(&uri)),
        from: message.from().ok().map(|from| address(&from.uri)),
        from_tag: tag(message.from()),
        to: message.to().ok().map(|to| address(&to.uri)),
        to_tag: tag(message.to()),
        call_id: message.call_id().ok().map(|call_id| call_id.into_owned()),
        cseq: message.cseq().ok().map(|(number, method)| (number, method.to_string())),
        vias: vias.ok(),
        contact: message.contact().ok().map(|contact| address(&contact.uri)),
        body: message.body().to_vec(),
    })
}

fn address(uri: &Uri) -> Address {
    Address {
        scheme: uri.scheme.as_str().to_ascii_lowercase(),
        user: uri.user_decoded().map(|user| user.into_owned()),
        host: host(&uri.host),
        port: uri.port,
    }
}

fn hop(via: &Via) -> Hop {
    Hop {
        transport: via.transport.to_ascii_uppercase(),
        host: host(&via.host),
        port: via.port,
        branch: via.branch().map(str::to_owned),
    }
}
