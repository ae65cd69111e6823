//! Finding a dialog by its name and naming it: what Replaces needs (RFC 3891).

use sip::{Config, DialogId, DialogState, Message, Replaces, Respond, Uri};

use crate::{
    forking_proxy::Proxy,
    link::{ALICE, BOB, Net, Weather, address, answer, invite_to},
};

fn find(net: &Net, at: &str, name: &DialogId) -> Option<(sip::InviteId, DialogState)> {
    let DialogId { call_id, our_tag, their_tag } = name;
    net.peers[&address(at)].dialog(call_id, our_tag, their_tag)
}

fn name_of(net: &Net, at: &str, id: sip::InviteId) -> Option<DialogId> {
    net.peers[&address(at)].dialog_id(id)
}

#[test]
fn both_sides_find_their_session_from_ringing_to_the_end() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    assert_eq!(name_of(&net, ALICE, alice), None, "nobody has answered");
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    let (hers, his) = (name_of(&net, ALICE, alice).unwrap(), name_of(&net, BOB, bob).unwrap());
    assert_eq!((&hers.call_id, &hers.our_tag), (&his.call_id, &his.their_tag));
    assert_eq!(hers.their_tag, his.our_tag);
    let both = |net: &Net, state| {
        assert_eq!(find(net, ALICE, &hers), Some((alice, state)));
        assert_eq!(find(net, BOB, &his), Some((bob, state)));
    };
    both(&net, DialogState::Early);
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(100);
    both(&net, DialogState::Confirmed);
    for (at, strange) in [
        (ALICE, DialogId { call_id: "other".to_owned(), ..hers.clone() }),
        (ALICE, DialogId { their_tag: "other".to_owned(), ..hers.clone() }),
        (ALICE, DialogId { our_tag: his.our_tag.clone(), ..hers.clone() }),
        (ALICE, DialogId { our_tag: String::new(), ..hers.clone() }),
        (BOB, hers.clone()),
    ] {
        assert_eq!(find(&net, at, &strange), None, "{strange:?}");
    }
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.millis(100);
    both(&net, DialogState::Ended);
    net.assert_idle();
    assert_eq!((find(&net, ALICE, &hers), name_of(&net, ALICE, alice)), (None, None));
}

#[test]
fn an_invite_that_a_peer_sends_back_is_known_until_nothing_is_left_of_it() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    let is_invite = |sent: &&crate::link::Sent| sent.what() == "INVITE";
    let invite = net.log.iter().find(is_invite).unwrap().message.clone();
    let text = |name: &str| invite.header_text(name).unwrap().into_owned();
    let with = |from: &str, call_id: &str| {
        let text = format!(
            "INVITE sip:else@{ALICE} SIP/2.0\r\nVia: SIP/2.0/UDP {BOB};branch=z9hG4bK1\r\n\
             Via: {}\r\nFrom: {from}\r\nTo: <sip:else@{ALICE}>\r\nCall-ID: {call_id}\r\n\
             CSeq: 1 INVITE\r\nMax-Forwards: 69\r\nContent-Length: 0\r\n\r\n",
            text("Via")
        );
        Message::parse(text.as_bytes()).unwrap()
    };
    let back = with(&text("From"), &text("Call-ID"));
    let known = |net: &Net, at: &str, message: &Message| net.peers[&address(at)].sent_as(message);
    assert_eq!(known(&net, ALICE, &back), Some(alice));
    assert_eq!(known(&net, ALICE, &with(&text("From"), "another")), None);
    assert_eq!(known(&net, ALICE, &with("<sip:alice@h>;tag=another", &text("Call-ID"))), None);
    assert_eq!(known(&net, ALICE, &with("<sip:alice@h>", &text("Call-ID"))), None);
    assert_eq!(known(&net, BOB, &back), None, "it is not his");
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(486)));
    net.assert_idle();
    assert_eq!(known(&net, ALICE, &back), None);
}

#[test]
fn a_name_goes_into_a_refer_to_and_comes_back_as_the_peers_dialog() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    let DialogId { call_id, our_tag, their_tag } = name_of(&net, ALICE, alice).unwrap();
    // Alice sends somebody to Bob: his tag is the To tag of the INVITE that replaces.
    let replaces = Replaces { call_id, to_tag: their_tag, from_tag: our_tag, early_only: false };
    let mut target = Uri::parse("sip:bob@198.51.100.2").unwrap();
    replaces.set_in(&mut target);
    let read = Replaces::of_uri(&Uri::parse(&target.to_string()).unwrap()).unwrap().unwrap();
    let found = net.peers[&address(BOB)].dialog(&read.call_id, &read.to_tag, &read.from_tag);
    assert_eq!(found, Some((bob, DialogState::Confirmed)));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_fork_that_lost_is_over() {
    const PROXY: &str = "203.0.113.5:5060";
    const OTHER: &str = "198.51.100.3:5060";
    let mut net = Net::new(Weather::FAIR, 1);
    for at in [ALICE, BOB, OTHER] {
        net.join(at, Config::default());
    }
    let mut proxy = Proxy::new(address(PROXY), vec![address(BOB), address(OTHER)]);
    let alice = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(PROXY)));
    let mut run = |net: &mut Net| {
        let until = net.now + std::time::Duration::from_millis(200);
        let mut foreign = Vec::new();
        while net.step(until, &mut foreign) {
            for sent in foreign.drain(..) {
                for (to, bytes) in proxy.handle(&sent) {
                    net.send(sent.to, to, &bytes);
                }
            }
        }
        net.now = until;
    };
    run(&mut net);
    let invited = |net: &mut Net, at: &str| match net.event(at) {
        sip::Event::Invite { id, .. } => id,
        event => panic!("{event:?}"),
    };
    let (bob, other) = (invited(&mut net, BOB), invited(&mut net, OTHER));
    let ring = |net: &mut Net, at: &str, id| {
        net.at(at, |endpoint, now| endpoint.respond(now, id, Respond::status(180)));
    };
    ring(&mut net, BOB, bob);
    run(&mut net);
    let first = name_of(&net, ALICE, alice).unwrap();
    ring(&mut net, OTHER, other);
    run(&mut net);
    let second = name_of(&net, ALICE, alice).unwrap();
    assert_ne!(first, second, "the early dialog that began last");
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    run(&mut net);
    assert_eq!(name_of(&net, ALICE, alice).unwrap(), first);
    assert_eq!(find(&net, ALICE, &first), Some((alice, DialogState::Confirmed)));
    assert_eq!(find(&net, ALICE, &second), Some((alice, DialogState::Ended)));
}
