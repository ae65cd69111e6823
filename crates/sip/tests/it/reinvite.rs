//! RFC 3261 §14.2: INVITEs of the peer within a dialog.

use sip::{EndCause, Event, Message, Respond};

use crate::{
    by_hand::of_alice,
    link::{ALICE, BOB, Net, address, answer},
};

/// An INVITE (or what `method` says) of Alice within her call to Bob, written by hand.
fn within(net: &Net, method: &str, cseq: u32, contact: &str) -> String {
    let ack = net.last(ALICE, "ACK");
    within_like(&ack, method, cseq, contact)
}

fn within_like(like: &Message, method: &str, cseq: u32, contact: &str) -> String {
    format!(
        "{method} {} SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKre{cseq}\n\
         Max-Forwards: 70\nFrom: {}\nTo: {}\nCall-ID: {}\nCSeq: {cseq} {method}\n\
         Contact: <sip:alice@{contact}>\n\n",
        like.request_uri().unwrap_or("sip:bob@198.51.100.2".into()),
        like.header_text("From").unwrap(),
        like.header_text("To").unwrap(),
        like.call_id().unwrap(),
    )
}

#[test]
fn the_answer_to_a_reinvite_is_final_whatever_the_core_says() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    let theirs = of_alice(&net, "INVITE", 2, "Require: 100rel\n", "v=0");
    net.write(ALICE, BOB, &theirs);
    net.millis(100);
    assert_eq!(net.names(BOB), ["Reinvite"]);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, Respond::status(183)));
    assert_eq!(net.times(BOB, "183 INVITE").len(), 0);
    assert_eq!(net.times(BOB, "500 INVITE").len(), 1);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn a_reinvite_is_answered_repeated_and_acknowledged() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    let hold = within(&net, "INVITE", 2, "192.0.2.1");
    net.write(ALICE, BOB, &hold);
    net.millis(100);
    let Event::Reinvite { id, .. } = net.event(BOB) else { panic!() };
    assert_eq!(id, bob);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
    net.seconds(5);
    let since = net.times(BOB, "200 INVITE");
    assert_eq!(since[1..].iter().map(|at| at - since[1]).collect::<Vec<_>>(), [0, 500, 1500, 3500]);
    assert!(net.last(BOB, "200 INVITE").header("Contact").is_some());
    // A late copy of the first INVITE's ACK is not this one's.
    let ack = net.last(ALICE, "ACK");
    net.send(address(ALICE), address(BOB), ack.as_bytes());
    net.millis(100);
    assert_eq!(net.names(BOB), [""; 0]);
    let ack = within(&net, "ACK", 2, "192.0.2.1");
    net.write(ALICE, BOB, &ack);
    net.millis(100);
    assert_eq!(net.names(BOB), ["Acked"]);
    let repeats = net.times(BOB, "200 INVITE").len();
    net.seconds(30);
    assert_eq!(net.times(BOB, "200 INVITE").len(), repeats);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
    assert_eq!(net.names(BOB), ["Released"]);
}

#[test]
fn a_reinvite_moves_the_remote_target_when_it_is_accepted() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    for (cseq, response) in [(2, Respond::status(488)), (3, answer())] {
        let moved = within(&net, "INVITE", cseq, "203.0.113.77:5099");
        net.write(ALICE, BOB, &moved);
        net.millis(100);
        let before = net.at(BOB, |endpoint, _| endpoint.request_uri(bob)).unwrap();
        assert_eq!(before, "sip:alice@192.0.2.1:5060");
        net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, response));
    }
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    let bye = net.log.iter().rfind(|sent| sent.what() == "BYE").unwrap();
    assert_eq!(bye.to, address("203.0.113.77:5099"));
    assert_eq!(bye.message.request_uri().unwrap(), "sip:alice@203.0.113.77:5099");
}

#[test]
fn one_reinvite_at_a_time() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    for cseq in [2, 3] {
        let reinvite = within(&net, "INVITE", cseq, "192.0.2.1");
        net.write(ALICE, BOB, &reinvite);
        net.millis(100);
    }
    let busy = net.last(BOB, "500 INVITE");
    let seconds: u32 = busy.header_text("Retry-After").unwrap().parse().unwrap();
    assert!(busy.cseq().unwrap().0 == 3 && seconds <= 10);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
    let glare = within(&net, "INVITE", 4, "192.0.2.1");
    net.write(ALICE, BOB, &glare);
    net.millis(100);
    assert_eq!(net.last(BOB, "491 INVITE").cseq().unwrap().0, 4);
    assert_eq!(net.names(BOB), ["Reinvite"]);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn before_the_ack_of_the_first_answer_a_reinvite_is_glare() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    let ringing = net.last(BOB, "180 INVITE");
    let first = within_like(&ringing, "INVITE", 2, "192.0.2.1");
    net.write(ALICE, BOB, &first);
    net.millis(100);
    assert_eq!(net.times(BOB, "500 INVITE").len(), 1);
    net.weather.lost = 1000;
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.weather.lost = 0;
    let second = first.replace("CSeq: 2", "CSeq: 3").replace("re2", "re3");
    net.write(ALICE, BOB, &second);
    net.millis(100);
    assert_eq!(net.times(BOB, "491 INVITE").len(), 1);
    net.millis(600);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn while_our_invite_is_going_on_the_peers_is_glare() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    let ringing = net.last(BOB, "180 INVITE");
    let text = format!(
        "INVITE sip:alice@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKx\n\
         From: {}\nTo: {}\nCall-ID: {}\nCSeq: 1 INVITE\nContact: <sip:bob@198.51.100.2>\n\n",
        ringing.header_text("To").unwrap(),
        ringing.header_text("From").unwrap(),
        ringing.call_id().unwrap(),
    );
    net.write(BOB, ALICE, &text);
    net.millis(100);
    assert_eq!(net.times(ALICE, "491 INVITE").len(), 1);
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.assert_idle();
}

#[test]
fn a_reinvite_whose_answer_is_never_acknowledged_ends_the_call() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    let reinvite = within(&net, "INVITE", 2, "192.0.2.1");
    net.write(ALICE, BOB, &reinvite);
    net.millis(100);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
    net.seconds(33);
    assert!(matches!(net.event(BOB), Event::Reinvite { .. }));
    let Event::Ended { cause, .. } = net.event(BOB) else { panic!() };
    assert_eq!(cause, EndCause::NoAck);
    assert_eq!(net.names(ALICE), ["Ended"]);
    net.assert_idle();
    assert_eq!(net.names(BOB), ["Released"]);
}

#[test]
fn a_reinvite_is_taken_back_or_overtaken_by_bye() {
    for (method, cseq) in [("CANCEL", 2), ("BYE", 3)] {
        let mut net = Net::pair();
        let (alice, bob) = net.connected();
        let reinvite = within(&net, "INVITE", 2, "192.0.2.1");
        net.write(ALICE, BOB, &reinvite);
        net.millis(100);
        let end = within(&net, method, cseq, "192.0.2.1");
        net.write(ALICE, BOB, &end);
        net.millis(100);
        assert_eq!(net.times(BOB, &format!("200 {method}")).len(), 1);
        assert_eq!(net.times(BOB, "487 INVITE").len(), 1);
        net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
        assert_eq!(net.times(BOB, "200 INVITE").len(), 1, "of the first INVITE");
        let ended = if method == "BYE" { vec!["Reinvite", "Ended"] } else { vec!["Reinvite"] };
        assert_eq!(net.names(BOB), ended);
        net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
        net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        net.assert_idle();
    }
}

#[test]
fn requests_out_of_order_get_500_and_after_the_end_481() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    let info = within(&net, "INFO", 7, "192.0.2.1");
    net.write(ALICE, BOB, &info);
    net.millis(100);
    let Event::Request { id, request_id, .. } = net.event(BOB) else { panic!() };
    assert_eq!(id, Some(bob));
    net.at(BOB, |endpoint, now| endpoint.reply(now, request_id, Respond::status(200)));
    assert_eq!(net.times(BOB, "200 INFO").len(), 1);
    let late = within(&net, "INFO", 5, "192.0.2.1");
    net.write(ALICE, BOB, &late);
    net.millis(100);
    assert_eq!(net.times(BOB, "500 INFO").len(), 1);
    let bye = within(&net, "BYE", 8, "192.0.2.1");
    net.write(ALICE, BOB, &bye);
    net.millis(100);
    for method in ["INFO", "INVITE"] {
        let after = within(&net, method, 9, "192.0.2.1");
        net.write(ALICE, BOB, &after);
        net.millis(100);
        assert_eq!(net.times(BOB, &format!("481 {method}")).len(), 1);
    }
    assert_eq!(net.names(BOB), ["Ended"]);
    net.seconds(100);
    assert!(net.peers[&address(BOB)].is_idle());
}

#[test]
fn the_callee_may_reinvite_too() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    let ack = net.last(ALICE, "ACK");
    let line = |name: &str, of: &str| format!("{name}: {}", ack.header_text(of).unwrap());
    let within = |method: &str, from: &str| {
        format!(
            "{method} sip:alice@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}\n\
             {}\n{}\nCall-ID: {}\nCSeq: 7 {method}\nContact: <sip:bob@10.0.0.9>\n\n",
            line("From", "To"),
            line("To", "From"),
            ack.call_id().unwrap(),
        )
    };
    net.write("198.51.100.2:7777", ALICE, &within("INVITE", "198.51.100.2:7777"));
    net.millis(100);
    assert!(matches!(net.event(ALICE), Event::Reinvite { id, .. } if id == alice));
    net.at(ALICE, |endpoint, now| endpoint.respond_reinvite(now, alice, answer()));
    net.seconds(2);
    assert_eq!(net.times(ALICE, "200 INVITE").len(), 3);
    net.write("198.51.100.2:7777", ALICE, &within("ACK", "198.51.100.2:7777"));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Acked"]);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    let bye = net.log.iter().rfind(|sent| sent.what() == "BYE").unwrap();
    assert_eq!(bye.to, address("198.51.100.2:7777"), "its Contact is private: back to the source");
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}
