//! A peer that knows everything that was said and keeps to nothing: it invents messages, takes
//! part in dialogs, answers, repeats and breaks what was said before, all by a script.

use std::collections::VecDeque;

use sip::auth::digest::answer;
use sip::{Builder, Message, Method};

use crate::script::Script;

/// Messages that it remembers in each direction.
const REMEMBERED: usize = 32;

const METHODS: [&str; 13] = [
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "UPDATE", "PRACK", "REFER",
    "NOTIFY", "MESSAGE", "ODD",
];

const STATUSES: [u16; 20] = [
    100, 180, 183, 199, 200, 202, 302, 401, 403, 407, 408, 422, 481, 486, 487, 491, 500, 503, 603,
    699,
];

const URIS: [&str; 6] = [
    "sip:+4930999888@10.0.0.1",
    "sip:jane@10.0.0.1",
    "sip:10.0.0.1",
    "tel:+4930999888",
    "sips:jane@elsewhere.example;transport=tcp",
    "x:y",
];

const FROMS: [&str; 4] = [
    "\"Anna\" <sip:+491701234567@10.0.1.1>",
    "<sip:jane@10.0.0.1>",
    "sip:anonymous@anonymous.invalid",
    "<tel:+49170>",
];

/// Headers that change what is done with a message.
const HEADERS: [(&str, &str); 16] = [
    ("Contact", "<sip:jane@10.0.2.9:5062>"),
    ("Contact", "*"),
    ("Record-Route", "<sip:10.0.3.1;lr>, <sip:10.0.3.2;lr>"),
    ("Route", "<sip:10.0.0.1;lr>"),
    ("Require", "100rel"),
    ("Supported", "timer, 100rel, replaces"),
    ("Session-Expires", "90;refresher=uas"),
    ("Expires", "0"),
    ("Max-Forwards", "0"),
    ("P-Asserted-Identity", "<tel:+4930111222>"),
    ("Retry-After", "5"),
    ("Contact", "<sip:b2@10.0.2.2>, <sip:b1@10.0.2.1>;q=0.5"),
    ("RSeq", "1"),
    ("RAck", "1 1 INVITE"),
    ("Refer-To", "<sip:jane@10.0.0.1>"),
    ("Reason", "SIP;cause=200;text=\"Call completed elsewhere\""),
];

const DESCRIPTIONS: [&str; 4] = [
    "v=0\r\no=- 1 1 IN IP4 10.0.2.9\r\ns=-\r\nc=IN IP4 10.0.2.9\r\nt=0 0\r\n\
     m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
    "v=0\r\no=- 1 2 IN IP4 10.0.2.9\r\ns=-\r\nc=IN IP4 10.0.2.9\r\nt=0 0\r\n\
     m=audio 40000 RTP/AVP 8\r\na=sendonly\r\n",
    "v=0\r\no=- 1 1 IN IP4 10.0.2.9\r\ns=-\r\nc=IN IP4 10.0.2.9\r\nt=0 0\r\n\
     m=audio 40000 RTP/SAVP 9\r\n",
    "v=0\r\n",
];

/// What it puts into messages that it breaks.
const WORDS: [&[u8]; 12] = [
    b"\r\n",
    b"\r\n\r\n",
    b"tag=",
    b"branch=z9hG4bK",
    b"\0",
    b"<",
    b"\"",
    b"CSeq: 2 BYE\r\n",
    b"Content-Length: 70000\r\n",
    b";",
    b"\xff",
    b"2147483648",
];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// What the system under test has sent, the newest last.
    heard: VecDeque<Message>,
    /// What it was sent, the newest last.
    said: VecDeque<Vec<u8>>,
}

impl Peer {
    /// The system under test has sent this.
    pub(crate) fn hears(&mut self, bytes: &[u8]) {
        let message = Message::parse(bytes).expect("what is sent is a message");
        if let Err(fault) = message.check() {
            // What a request lacks, the response that refuses it lacks too.
            let text = String::from_utf8_lossy(bytes);
            assert!(message.status() >= Some(400), "{fault}: {text}");
        }
        keep(&mut self.heard, message);
    }

    /// The next thing to say.
    pub(crate) fn says(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        let said = match script.below(7) {
            0 => invented(script),
            1 => self.response(script),
            2 => self.within_dialog(script),
            3 => self.about_a_transaction(script),
            4 => self.repeated(script),
            5 => self.authorized(script),
            _ => Some(script.bytes().to_vec()),
        };
        let said = said.unwrap_or_default();
        if Message::parse(&said).is_ok() {
            keep(&mut self.said, said.clone());
        }
        said
    }

    fn heard(&self, script: &mut Script<'_>) -> Option<&Message> {
        newest(&self.heard, script)
    }

    fn said(&self, script: &mut Script<'_>) -> Option<Message> {
        newest(&self.said, script).and_then(|bytes| Message::parse(bytes).ok())
    }

    /// An answer to a request that it heard.
    fn response(&self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        let request = self.heard(script).filter(|message| message.is_request())?;
        let mut response = Builder::response_to(request, script.pick(&STATUSES), None);
        if script.flag() {
            response = response.to_tag(script.pick(&["a", "b", "c"]));
        }
        if script.flag() {
            let qop = script.pick(&["", ", qop=\"auth\"", ", stale=true, qop=\"auth\""]);
            let value = format!("Digest realm=\"r\", nonce=\"n{}\"{qop}", script.byte());
            response = response.header("WWW-Authenticate", &value);
            response = response.header("Proxy-Authenticate", &value);
        }
        finished(response.header("Contact", "<sip:b9@10.0.2.9>"), script)
    }

    /// A request in a dialog that it heard of.
    fn within_dialog(&self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        let known = self.heard(script)?;
        let (from, to) = if known.is_request() { ("To", "From") } else { ("From", "To") };
        let (from, to) = (known.header_text(from)?, known.header_text(to)?);
        let untagged = known.is_request() && known.to().ok()?.tag().is_none();
        let tag = if untagged { script.pick(&[";tag=a", ";tag=b", ""]) } else { "" };
        let method = script.pick(&METHODS);
        let uri = known.contact().map(|contact| contact.uri.to_string());
        let uri = uri.unwrap_or_else(|_| URIS[0].to_owned());
        let number = known.cseq().ok()?.0 + u32::from(script.byte() % 4);
        let request = Builder::request(Method::named(method), &uri)
            .header("Via", via(script))
            .header("From", format!("{from}{tag}"))
            .header("To", to)
            .header("Call-ID", known.call_id().ok()?)
            .header("CSeq", format!("{number} {method}"))
            .header("Contact", "<sip:b9@10.0.2.9>");
        finished(request, script)
    }

    /// CANCEL or ACK for a request that it said.
    fn about_a_transaction(&self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        let request = self.said(script).filter(Message::is_request)?;
        let method = script.pick(&["CANCEL", "ACK", "BYE"]);
        let tagged = self.heard(script).filter(|message| !message.is_request());
        let to = tagged.unwrap_or(&request).header_text("To")?.into_owned();
        let request = Builder::request(Method::named(method), &request.request_uri()?)
            .header("Via", request.header_values("Via").next().map(String::from_utf8_lossy)?)
            .header("From", request.header_text("From")?)
            .header("To", to)
            .header("Call-ID", request.call_id().ok()?)
            .header("CSeq", format!("{} {method}", request.cseq().ok()?.0));
        finished(request, script)
    }

    /// Something said before, as it was or broken.
    fn repeated(&self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        let mut bytes = newest(&self.said, script)?.clone();
        for _ in 0..script.below(4) {
            let at = (script.below(256) << 8 | script.below(256)) % bytes.len().max(1);
            match script.below(4) {
                0 => bytes.get_mut(at).into_iter().for_each(|byte| *byte = script.byte()),
                1 => bytes.truncate(at),
                2 => drop(bytes.splice(at..at, script.pick(&WORDS).iter().copied())),
                _ => drop(bytes.drain(at..(at + script.below(40)).min(bytes.len()))),
            }
        }
        Some(bytes)
    }

    /// A request said before, with an answer to the challenge that it got.
    fn authorized(&self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        let refusal = self.heard(script).filter(|message| message.status() == Some(401))?;
        let mut said = self.said.iter().rev().filter_map(|bytes| Message::parse(bytes).ok());
        let request = said.find(|said| {
            said.is_request() && said.header("Call-ID") == refusal.header("Call-ID")
        })?;
        let (number, method) = request.cseq().ok()?;
        let challenge = refusal.header_text("WWW-Authenticate")?;
        let password = script.pick(&["secret", "wrong"]);
        let uri = request.request_uri()?;
        let proof = answer(&challenge, &method, &uri, "jane", password, "c0", 1).ok()?;
        let again = Builder::request(method.clone(), &uri)
            .header("Via", via(script))
            .copy(&request, "From")
            .copy(&request, "To")
            .copy(&request, "Call-ID")
            .header("CSeq", format!("{} {method}", number.saturating_add(1)))
            .header("Authorization", proof);
        finished(again, script)
    }
}

/// A request that belongs to nothing.
fn invented(script: &mut Script<'_>) -> Option<Vec<u8>> {
    let method = script.pick(&METHODS);
    let mut request = Builder::request(Method::named(method), script.pick(&URIS))
        .header("Via", via(script))
        .header("From", format!("{};tag=f{}", script.pick(&FROMS), script.below(3)))
        .header("To", format!("<{}>", script.pick(&URIS)))
        .header("Call-ID", format!("call-{}", script.below(6)))
        .header("CSeq", format!("{} {method}", script.below(5)));
    if method == "INVITE" {
        request = request.header("Contact", "<sip:anna@10.0.1.1>");
    }
    finished(request, script)
}

fn via(script: &mut Script<'_>) -> String {
    let rport = script.pick(&[";rport", "", ";rport;received=10.9.9.9"]);
    format!("SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK{}{rport}", script.below(24))
}

/// With some headers and perhaps a body.
fn finished(mut message: Builder, script: &mut Script<'_>) -> Option<Vec<u8>> {
    for _ in 0..script.below(4) {
        let (name, value) = script.pick(&HEADERS);
        message = message.header(name, value);
    }
    let body = match script.below(8) {
        0..=2 => return message.build().ok().map(|message| message.as_bytes().to_vec()),
        3 => script.bytes(),
        4..=6 => DESCRIPTIONS[0].as_bytes(),
        _ => script.pick(&DESCRIPTIONS).as_bytes(),
    };
    let message = message.body("application/sdp", body).build().ok()?;
    Some(message.as_bytes().to_vec())
}

fn keep<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == REMEMBERED {
        queue.pop_front();
    }
    queue.push_back(item);
}

/// One of a queue; the first decision is the newest.
fn newest<'q, T>(queue: &'q VecDeque<T>, script: &mut Script<'_>) -> Option<&'q T> {
    let back = script.below(queue.len());
    queue.iter().rev().nth(back)
}
