//! A small forking proxy: sends an INVITE to everybody, passes every provisional and every 2xx
//! back, and a failure once everybody has failed. It never cancels, so several may answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use sip::{Builder, Message, Method};

use crate::link::Sent;

pub(crate) struct Proxy {
    at: SocketAddr,
    forks: Vec<SocketAddr>,
    calls: BTreeMap<String, Call>,
}

struct Call {
    caller: SocketAddr,
    invite: Message,
    failed: BTreeSet<SocketAddr>,
    /// Whose failure the caller gets.
    last: Option<SocketAddr>,
}

type Out = Vec<(SocketAddr, Vec<u8>)>;

impl Proxy {
    pub(crate) fn new(at: SocketAddr, forks: Vec<SocketAddr>) -> Proxy {
        Proxy { at, forks, calls: BTreeMap::new() }
    }

    /// What the proxy sends on account of a datagram.
    pub(crate) fn handle(&mut self, sent: &Sent) -> Out {
        let call_id = sent.message.call_id().unwrap().into_owned();
        match sent.message.method() {
            Some(method) => self.request(&call_id, sent, &method),
            None => self.response(&call_id, sent),
        }
    }

    fn request(&mut self, call_id: &str, sent: &Sent, method: &Method) -> Out {
        let mut out = Out::new();
        if *method == Method::Invite {
            self.calls.entry(call_id.to_owned()).or_insert_with(|| Call {
                caller: sent.from,
                invite: sent.message.clone(),
                failed: BTreeSet::new(),
                last: None,
            });
        } else if *method == Method::Cancel {
            let ok = Builder::response_to(&sent.message, 200, None).to_tag("proxy").build();
            out.push((sent.from, ok.unwrap().as_bytes().to_vec()));
        } else {
            assert_eq!(*method, Method::Ack, "what is in a dialog goes past the proxy");
        }
        let forks = self.forks.iter();
        out.extend(forks.map(|fork| (*fork, self.forwarded(&sent.message, *fork))));
        out
    }

    fn response(&mut self, call_id: &str, sent: &Sent) -> Out {
        let status = sent.message.status().unwrap();
        let (_, method) = sent.message.cseq().unwrap();
        if status == 100 || method == Method::Cancel {
            return Out::new();
        }
        let call = self.calls.get_mut(call_id).unwrap();
        let back = (call.caller, stripped(&sent.message));
        if status < 300 {
            return vec![back];
        }
        if call.failed.insert(sent.from) && call.failed.len() == self.forks.len() {
            call.last = Some(sent.from);
        }
        if call.last == Some(sent.from) {
            return vec![back];
        }
        let ack = String::from_utf8_lossy(call.invite.as_bytes()).replace("INVITE", "ACK");
        let ack = Message::parse(ack.as_bytes()).unwrap();
        vec![(sent.from, self.forwarded(&ack, sent.from))]
    }

    /// The request with the proxy's Via for this fork on top.
    fn forwarded(&self, request: &Message, fork: SocketAddr) -> Vec<u8> {
        let branch = request.top_via().unwrap().branch().unwrap().to_owned();
        let via =
            format!("\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKp{}-{branch}\r\n", self.at, fork.ip());
        String::from_utf8_lossy(request.as_bytes()).replacen("\r\n", &via, 1).into_bytes()
    }
}

/// The response without its top Via.
fn stripped(response: &Message) -> Vec<u8> {
    let text = String::from_utf8_lossy(response.as_bytes()).into_owned();
    let (head, rest) = text.split_once("Via: ").unwrap();
    let (_, rest) = rest.split_once("\r\n").unwrap();
    format!("{head}{rest}").into_bytes()
}
