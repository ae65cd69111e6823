//! RFC 3261 §17, §18 over a reliable transport: nothing is sent twice but the 2xx, nothing lingers,
//! everything goes back over the connection it came by; and the INVITE that is too long for a
//! datagram.

use sip::{EndCause, Event, Flow, Invite, Message, Method, RejectCause, Respond, Transport};

use crate::link::{ALICE, BOB, Net, address, answer, flow, invite_to};

/// Where Bob's phone connected from; its Contact names [`BOB`].
const BOBS_CONNECTION: &str = "198.51.100.2:40123";

fn over_tcp(mut net: Net) -> Net {
    net.transport = Transport::Tcp;
    net
}

fn tcp(local: &str, remote: &str) -> Flow {
    Flow { transport: Transport::Tcp, ..flow(local, remote) }
}

#[test]
fn a_call_leaves_nothing_behind_once_it_is_over() {
    let mut net = over_tcp(Net::pair());
    let (alice, _) = net.connected();
    for at in [ALICE, BOB] {
        let contact = net.last(at, if at == ALICE { "INVITE" } else { "200 INVITE" }).contact();
        assert_eq!(contact.unwrap().uri.params.get("transport"), Some("tcp"));
    }
    let via = net.last(ALICE, "ACK").top_via().unwrap();
    assert_eq!((via.transport.as_str(), via.port), ("TCP", Some(5060)));
    // The Accepted states of RFC 6026 last 64*T1 over any transport.
    net.seconds(40);
    assert_eq!(net.peers[&address(ALICE)].counts().transactions, 0);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.millis(30);
    for at in [ALICE, BOB] {
        assert!(net.peers[&address(at)].is_idle(), "timers K and J are zero");
    }
}

#[test]
fn an_invite_nobody_answers_is_sent_once_and_fails_by_timer_b() {
    let mut net = over_tcp(Net::alone());
    let mut invite = invite_to(BOB);
    invite.flow.transport = Transport::Tcp;
    net.at(ALICE, |endpoint, now| endpoint.invite(now, invite));
    net.seconds(60);
    assert_eq!(net.times(ALICE, "INVITE"), [0]);
    let Event::Rejected { status, cause, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause), (408, RejectCause::Timeout));
    assert!(net.peers[&address(ALICE)].is_idle());
}

#[test]
fn a_refusal_is_sent_once_and_its_ack_ends_it_on_both_sides() {
    let mut net = over_tcp(Net::pair());
    let (_, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(486)));
    net.millis(50);
    assert_eq!(net.times(BOB, "486 INVITE").len(), 1);
    assert_eq!(net.times(ALICE, "ACK").len(), 1);
    for at in [ALICE, BOB] {
        assert!(net.peers[&address(at)].is_idle(), "timers D and I are zero");
    }
}

#[test]
fn a_refusal_without_an_ack_ends_by_timer_h() {
    let mut net = over_tcp(Net::alone());
    let alice = invited_by_bob(&mut net);
    net.at(ALICE, |endpoint, now| endpoint.respond(now, alice, Respond::status(486)));
    net.seconds(31);
    assert_eq!(net.times(ALICE, "486 INVITE").len(), 1);
    assert!(!net.peers[&address(ALICE)].is_idle());
    net.seconds(2);
    assert!(net.peers[&address(ALICE)].is_idle());
}

/// Bob, who is the test, calls over a connection that he opened.
#[track_caller]
fn invited_by_bob(net: &mut Net) -> sip::InviteId {
    net.write(
        BOBS_CONNECTION,
        ALICE,
        "INVITE sip:alice@192.0.2.1 SIP/2.0
Via: SIP/2.0/TCP 198.51.100.2:5060;branch=z9hG4bKbob
From: <sip:bob@198.51.100.2>;tag=b
To: <sip:alice@192.0.2.1>
Call-ID: c
CSeq: 1 INVITE
Contact: <sip:bob@198.51.100.2:5060;transport=tcp>
Content-Length: 0

",
    );
    net.millis(20);
    let Event::Invite { id, flow, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(flow, tcp(ALICE, BOBS_CONNECTION));
    id
}

#[test]
fn the_answer_is_repeated_until_its_ack_because_a_proxy_may_use_udp_behind() {
    let mut net = over_tcp(Net::alone());
    let alice = invited_by_bob(&mut net);
    net.at(ALICE, |endpoint, now| endpoint.respond(now, alice, answer()));
    net.seconds(3);
    assert_eq!(net.times(ALICE, "200 INVITE"), [20, 520, 1520], "RFC 3261 §13.3.1.4");
}

#[test]
fn everything_goes_back_over_the_connection_and_knows_another_way() {
    let mut net = over_tcp(Net::alone());
    let alice = invited_by_bob(&mut net);
    net.at(ALICE, |endpoint, now| endpoint.respond(now, alice, answer()));
    net.millis(20);
    let to = net.last(ALICE, "200 INVITE").header_text("To").unwrap().into_owned();
    net.write(
        BOBS_CONNECTION,
        ALICE,
        &format!(
            "ACK sip:alice@192.0.2.1:5060;transport=tcp SIP/2.0
Via: SIP/2.0/TCP 198.51.100.2;branch=z9hG4bKack
From: <sip:bob@198.51.100.2>;tag=b
To: {to}
Call-ID: c
CSeq: 1 ACK
Content-Length: 0

"
        ),
    );
    net.millis(20);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    let bye = net.log.last().unwrap().clone();
    assert_eq!((bye.what().as_str(), bye.to), ("BYE", address(BOBS_CONNECTION)));
    let contact = Some(address(BOB));
    let wanted = [("100 INVITE", contact), ("200 INVITE", contact), ("BYE", contact)];
    assert_eq!(net.otherwise, wanted.map(|(what, to)| (what.to_owned(), to)));
}

#[test]
fn a_lost_connection_fails_what_waits_for_a_response_and_nothing_else() {
    let mut net = over_tcp(Net::alone());
    let mut invite = invite_to(BOB);
    invite.flow.transport = Transport::Tcp;
    net.at(ALICE, |endpoint, now| endpoint.invite(now, invite));
    net.at(ALICE, |endpoint, now| endpoint.handle_transport_error(now, flow(ALICE, BOB)));
    assert_eq!(net.names(ALICE), [""; 0], "that was UDP");
    net.at(ALICE, |endpoint, now| endpoint.handle_transport_error(now, tcp(ALICE, BOB)));
    let Event::Rejected { status, cause, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause), (503, RejectCause::Transport));

    let mut net = over_tcp(Net::pair());
    let (alice, _) = net.connected();
    for at in [ALICE, BOB] {
        let lost = if at == ALICE { tcp(ALICE, BOB) } else { tcp(BOB, ALICE) };
        net.at(at, |endpoint, now| endpoint.handle_transport_error(now, lost));
    }
    assert_eq!((net.names(ALICE), net.names(BOB)), (vec![], vec![]), "the call goes on");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
    assert_eq!(net.names(BOB), ["Ended", "Released"]);
}

/// An INVITE of more than 1,300 bytes whose target may also be reached over TCP.
fn large() -> Invite {
    let mut invite = invite_to(BOB);
    invite.large = Some(tcp("192.0.2.1:5070", BOB));
    invite.headers.push(("X-Long".to_owned(), "x".repeat(1_000)));
    invite
}

/// What Alice sends now.
fn sent(net: &mut Net) -> Vec<(Flow, Message)> {
    let alice = net.peers.get_mut(&address(ALICE)).unwrap();
    let mut sent = Vec::new();
    while let Some(transmit) = alice.poll_transmit() {
        sent.push((transmit.flow, Message::parse(&transmit.bytes).unwrap()));
    }
    sent
}

fn call(net: &mut Net, invite: Invite) -> sip::InviteId {
    let now = net.now;
    net.peers.get_mut(&address(ALICE)).unwrap().invite(now, invite)
}

fn fails(net: &mut Net, flow: Flow) {
    let now = net.now;
    net.peers.get_mut(&address(ALICE)).unwrap().handle_transport_error(now, flow);
}

#[test]
fn only_a_long_invite_takes_the_other_transport() {
    let mut net = Net::alone();
    let short = Invite { headers: Vec::new(), ..large() };
    let named = Invite { large: None, ..large() };
    for (invite, transport) in
        [(large(), Transport::Tcp), (short, Transport::Udp), (named, Transport::Udp)]
    {
        call(&mut net, invite);
        let sent = sent(&mut net);
        let [(flow, message)] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(flow.transport, transport);
        assert_eq!(message.top_via().unwrap().transport, transport.as_str());
        let contact = message.contact().unwrap().uri;
        let port = if transport == Transport::Tcp { 5070 } else { 5060 };
        assert_eq!(contact.port, Some(port));
    }
}

#[test]
fn a_long_invite_is_sent_again_as_a_datagram_once() {
    let mut net = Net::alone();
    call(&mut net, large());
    let first = sent(&mut net).remove(0).1;
    fails(&mut net, tcp(ALICE, BOB));
    let (way, second) = sent(&mut net).remove(0);
    assert_eq!(way, flow(ALICE, BOB));
    let branch = |message: &Message| message.top_via().unwrap().branch().unwrap().to_owned();
    assert_eq!(branch(&first), branch(&second), "the peer may have seen the first");
    assert_eq!(second.top_via().unwrap().transport, "UDP");
    assert_eq!(second.contact().unwrap().uri.to_string(), "sip:alice@192.0.2.1:5060");
    assert_eq!(net.names(ALICE), [""; 0]);
    fails(&mut net, flow(ALICE, BOB));
    net.at(ALICE, |_, _| ());
    let Event::Rejected { status, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(status, 503);
    net.assert_idle();
}

#[test]
fn a_long_invite_that_is_no_longer_wanted_or_was_heard_is_not_sent_again() {
    let mut net = Net::alone();
    let id = call(&mut net, large());
    let now = net.now;
    net.peers.get_mut(&address(ALICE)).unwrap().cancel(now, id, None);
    assert_eq!(sent(&mut net).len(), 1);
    fails(&mut net, tcp(ALICE, BOB));
    assert_eq!(sent(&mut net).len(), 0, "it was taken back");

    call(&mut net, large());
    let (way, invite) = sent(&mut net).remove(0);
    let trying = sip::Builder::response_to(&invite, 180, None).to_tag("t").build().unwrap();
    let alice = net.peers.get_mut(&address(ALICE)).unwrap();
    alice.handle_datagram(now, way, trying.as_bytes());
    fails(&mut net, tcp(ALICE, BOB));
    assert_eq!(sent(&mut net).len(), 0, "the peer rings");
}

#[test]
fn a_caller_whose_connection_is_gone_is_tried_once_more_and_then_given_up() {
    let lost = tcp(ALICE, BOBS_CONNECTION);
    let mut net = over_tcp(Net::alone());
    let alice = invited_by_bob(&mut net);
    net.at(ALICE, |endpoint, now| endpoint.respond(now, alice, Respond::status(180)));
    sent(&mut net);
    fails(&mut net, lost);
    let again = sent(&mut net);
    assert_eq!(again.len(), 1, "RFC 3261 §18.2.2: over a connection of our own");
    assert_eq!(again[0].1.status(), Some(180));
    assert_eq!(net.names(ALICE), [""; 0], "the caller may still be there");
    net.at(ALICE, |endpoint, now| endpoint.handle_transport_error(now, lost));
    let Event::Ended { cause, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(cause, EndCause::Unreachable);
    net.seconds(40);
    assert!(net.peers[&address(ALICE)].is_idle());
}

#[test]
fn an_answer_that_cannot_be_delivered_ends_the_call_before_its_ack_is_missed() {
    let lost = tcp(ALICE, BOBS_CONNECTION);
    let mut net = over_tcp(Net::alone());
    let alice = invited_by_bob(&mut net);
    net.at(ALICE, |endpoint, now| endpoint.respond(now, alice, answer()));
    net.at(ALICE, |endpoint, now| endpoint.handle_transport_error(now, lost));
    assert_eq!(net.names(ALICE), [""; 0]);
    net.at(ALICE, |endpoint, now| endpoint.handle_transport_error(now, lost));
    let Event::Ended { cause, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(cause, EndCause::Unreachable);
    fails(&mut net, lost);
    net.seconds(40);
    assert!(net.peers[&address(ALICE)].is_idle(), "its BYE has failed like the rest");
}

#[test]
fn credentials_that_make_an_invite_too_long_move_it_to_the_connection() {
    let mut net = Net::alone();
    let id = call(&mut net, Invite { headers: Vec::new(), ..large() });
    let first = sent(&mut net);
    assert_eq!(first[0].0.transport, Transport::Udp, "it fits");
    let refusal = sip::Builder::response_to(&first[0].1, 401, None).to_tag("bob").build().unwrap();
    let (now, alice) = (net.now, net.peers.get_mut(&address(ALICE)).unwrap());
    alice.handle_datagram(now, flow(ALICE, BOB), refusal.as_bytes());
    let credentials = ("Authorization".to_owned(), format!("Digest x=\"{}\"", "y".repeat(1_300)));
    alice.invite_again(now, id, &[credentials]);
    let mut again = sent(&mut net);
    assert!(again.remove(0).1.is(&Method::Ack), "of the refusal");
    assert_eq!((again.len(), again[0].0.transport), (1, Transport::Tcp));
    assert_eq!(again[0].1.top_via().unwrap().transport, "TCP");
    assert_eq!(again[0].1.contact().unwrap().uri.params.get("transport"), Some("tcp"));
    fails(&mut net, tcp(ALICE, BOB));
    let datagram = sent(&mut net);
    assert_eq!((datagram.len(), datagram[0].0.transport), (1, Transport::Udp));
    assert_eq!(datagram[0].1.contact().unwrap().uri.params.get("transport"), None);
}
