//! Requests within a dialog that a test writes by hand, for what no endpoint of ours would send.

use sip::Message;

use crate::link::{ALICE, BOB, Net};

/// Something that names the dialog of Alice's call to Bob.
fn anchor(net: &Net) -> &Message {
    let named = |sent: &&crate::link::Sent| {
        sent.message.to().is_ok_and(|to| to.tag().is_some()) && sent.from.to_string() == BOB
    };
    &net.log.iter().rfind(named).expect("Bob has sent nothing with a tag").message
}

/// A request of Alice within her call to Bob; `lines` are further header lines, each with its end.
pub(crate) fn of_alice(net: &Net, method: &str, cseq: u32, lines: &str, body: &str) -> String {
    let (from, to) = sides(net);
    written(net, method, cseq, [ALICE, "alice", BOB, "bob"], [&from, &to], lines, body)
}

/// A request of Bob within the call that Alice made.
pub(crate) fn of_bob(net: &Net, method: &str, cseq: u32, lines: &str, body: &str) -> String {
    let (from, to) = sides(net);
    written(net, method, cseq, [BOB, "bob", ALICE, "alice"], [&to, &from], lines, body)
}

/// Alice's and Bob's addresses with their tags.
fn sides(net: &Net) -> (String, String) {
    let anchor = anchor(net);
    let [from, to] = ["From", "To"].map(|name| anchor.header_text(name).unwrap().into_owned());
    if anchor.status().is_some() { (from, to) } else { (to, from) }
}

fn written(
    net: &Net,
    method: &str,
    cseq: u32,
    [sender, user, receiver, called]: [&str; 4],
    [from, to]: [&str; 2],
    lines: &str,
    body: &str,
) -> String {
    let call_id = anchor(net).call_id().unwrap().into_owned();
    let content_type = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    let contact = match lines.contains("Contact:") {
        true => String::new(),
        false => format!("Contact: <sip:{user}@{sender}>\n"),
    };
    format!(
        "{method} sip:{called}@{receiver} SIP/2.0\n\
         Via: SIP/2.0/UDP {sender};branch=z9hG4bK{method}{cseq}\nMax-Forwards: 70\n\
         From: {from}\nTo: {to}\nCall-ID: {call_id}\nCSeq: {cseq} {method}\n\
         {contact}{lines}{content_type}Content-Length: {}\n\n{body}",
        body.len(),
    )
}
