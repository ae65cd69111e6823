//! Sound messages with bytes flipped, lines cut, doubled and swapped: whatever comes out of
//! the parser, no accessor panics, and what is written again is still one message.

use std::time::Instant;

use sip::auth::digest::{Credentials, answer};
use sip::{Builder, Flow, Message, Method, NameAddr, Registrar, Transport, Uri, Via};

use crate::texts::sound;

const ROUNDS: u64 = 20_000;

/// SplitMix64: small, and the same on every machine.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Bytes that mean something to a SIP parser, more likely to hurt than random ones.
const SHARP: &[u8] = b"\r\n\0 \t\"\\<>;:,=@?%[]*#/()\x7f\x80\xff09az";

fn mutate(seeded: &mut Seeded, bytes: &mut Vec<u8>) {
    for _ in 0..=seeded.below(4) {
        let at = seeded.below(bytes.len());
        match seeded.below(7) {
            0 if !bytes.is_empty() => bytes[at] = seeded.next() as u8,
            1 if !bytes.is_empty() => bytes[at] = SHARP[seeded.below(SHARP.len())],
            2 => bytes.insert(at, SHARP[seeded.below(SHARP.len())]),
            3 => bytes.truncate(at),
            4 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            5 => {
                let end = (at + seeded.below(200)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = seeded.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                let mut lines: Vec<Vec<u8>> =
                    bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let (from, to) = (seeded.below(lines.len()), seeded.below(lines.len()));
                let line = lines[from].clone();
                lines.insert(to, line);
                *bytes = lines.join(&b'\n');
            }
        }
    }
}

fn touch_everything(message: &Message) {
    let _ = (message.method(), message.status(), message.version().len(), message.reason().len());
    let _ = (message.request_uri(), message.uri(), message.check(), format!("{message:?}"));
    let _ = (message.call_id(), message.cseq(), message.max_forwards(), message.contact());
    assert!(message.body().len() <= message.as_bytes().len());
    for address in [message.from(), message.to()].into_iter().flatten() {
        let written = address.to_string();
        assert_eq!(NameAddr::parse(&written).as_ref(), Ok(&address), "{written}");
        let _ = (address.uri.host_ip(), address.uri.user_decoded(), address.tag());
        assert!(address.uri.matches(&address.uri));
    }
    if let Ok(via) = message.top_via() {
        assert_eq!(Via::parse(&via.to_string()).as_ref(), Ok(&via));
        let _ = (via.branch(), via.received(), via.rport(), via.host_ip());
    }
    if let Ok(uri) = message.uri() {
        assert_eq!(Uri::parse(&uri.to_string()).as_ref(), Ok(&uri));
    }
    for (name, value) in message.headers() {
        assert!(!value.contains(['\r', '\n', '\0']), "{name}: {value:?}");
        let _ = (message.header(&name), message.header_all(&name).count());
        let _ = (message.header_values(&name).count(), message.route_set(&name));
        if let Ok(credentials) = Credentials::parse(&value) {
            let _ = (credentials.prove(&Method::Register, "secret"), format!("{credentials:?}"));
        }
        if let Ok(answered) = answer(&value, &Method::Register, "sip:r", "u", "p", "c", 1) {
            Credentials::parse(&answered).unwrap_or_else(|fault| panic!("{fault}: {answered}"));
        }
    }
}

fn write_again(message: &Message) {
    let source = "192.0.2.1:5060".parse().unwrap();
    let response = Builder::response_to(message, 200, None).to_tag("t").source(source).build();
    let response = response.unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!(response.header_all("From").count(), message.header_all("From").count());
    touch_everything(&response);
}

#[allow(clippy::disallowed_methods, reason = "an origin; no time passes")]
fn origin() -> Instant {
    Instant::now()
}

/// Whatever was registered, the response can be written and lists it.
fn register(registrar: &mut Registrar, now: Instant, request: &Message) {
    let local = "192.0.2.1:5060".parse().unwrap();
    let flow = Flow { transport: Transport::Udp, local, remote: local };
    let response = registrar.handle_register(now, "jane", request, flow);
    let reason = response.reason.as_deref();
    let mut builder = Builder::response_to(request, response.status, reason);
    for (name, value) in &response.headers {
        builder.try_header(name, value).unwrap();
    }
    let written = builder.build().unwrap();
    assert_eq!(written.route_set("Contact").unwrap().len(), contacts_in(&response.headers));
    assert!(registrar.lookup(now, "jane").len() <= sip::registrar::CONTACTS_MAX);
}

fn contacts_in(headers: &[(String, String)]) -> usize {
    headers.iter().filter(|(name, _)| name == "Contact").count()
}

#[test]
fn mutated_messages_never_panic() {
    let (mut registrar, now) = (Registrar::default(), origin());
    let mut seeded = Seeded(20_261_122);
    let texts = sound();
    let mut read = 0_u32;
    for round in 0..ROUNDS {
        let mut bytes = texts[seeded.below(texts.len())].clone().into_bytes();
        mutate(&mut seeded, &mut bytes);
        match Message::parse(&bytes) {
            Ok(message) => {
                read += 1;
                touch_everything(&message);
                write_again(&message);
                register(&mut registrar, now, &message);
                let again = Message::parse(message.as_bytes());
                assert_eq!(again.as_ref(), Ok(&message), "round {round}");
            }
            Err(fault) => {
                assert!(fault.offset <= bytes.len() && !fault.to_string().is_empty());
                if let Some(request) = &fault.request {
                    touch_everything(request);
                    write_again(request);
                }
            }
        }
    }
    assert!(read > 1_000, "only {read} mutations left a message: the test tests little");
}

#[test]
fn every_truncation_of_every_text_is_survived() {
    for text in sound() {
        for end in 0..text.len() {
            match Message::parse(&text.as_bytes()[..end]) {
                Ok(message) => touch_everything(&message),
                Err(fault) => assert!(fault.offset <= end, "{fault}"),
            }
        }
    }
}
