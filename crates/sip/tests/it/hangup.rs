//! RFC 3261 §15: BYE of either side, of both at once, and in odd moments.

use sip::{EndCause, Event, Respond};

use crate::link::{ALICE, BOB, Net, address, answer, invite_to};

#[test]
fn when_both_hang_up_at_once_each_bye_is_answered_and_nothing_ends_twice() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.millis(100);
    for at in [ALICE, BOB] {
        assert_eq!(net.times(at, "BYE").len(), 1);
        assert_eq!(net.times(at, "200 BYE").len(), 1);
    }
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
    assert_eq!(net.names(BOB), ["Released"]);
}

#[test]
fn a_repeated_bye_is_answered_again_and_ends_once() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.millis(100);
    let bye = net.last(BOB, "BYE");
    net.send(address(BOB), address(ALICE), bye.as_bytes());
    net.millis(100);
    assert_eq!(net.times(ALICE, "200 BYE").len(), 2);
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Ended", "Released"]);
}

#[test]
fn a_bye_that_nobody_answers_is_given_up_after_64_t1() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    net.peers.remove(&address(BOB));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.millis(31_900);
    assert_eq!(net.times(ALICE, "BYE").len(), 11);
    net.millis(200);
    assert_eq!(net.names(ALICE), ["Released"]);
    net.assert_idle();
}

#[test]
fn a_caller_may_end_an_early_dialog_with_bye() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    let ringing = net.last(BOB, "180 INVITE");
    let text = format!(
        "BYE sip:bob@198.51.100.2 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKearly\n\
         From: {}\nTo: {}\nCall-ID: {}\nCSeq: 2 BYE\n\n",
        ringing.header_text("From").unwrap(),
        ringing.header_text("To").unwrap(),
        ringing.call_id().unwrap(),
    );
    net.write(ALICE, BOB, &text);
    net.millis(100);
    let Event::Cancelled { id, request } = net.event(BOB) else { panic!() };
    assert_eq!((id, request.method()), (bob, Some(sip::Method::Bye)));
    assert_eq!(net.times(BOB, "200 BYE").len(), 1);
    assert_eq!(net.times(BOB, "487 INVITE").len(), 1);
    assert_eq!(net.names(ALICE), ["Progress", "Rejected"]);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_bye_of_a_callee_whose_answer_was_lost_ends_the_call() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.weather.lost = 1000;
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(31_950);
    net.weather.lost = 0;
    net.millis(100);
    let Event::Ended { cause, .. } = net.event(BOB) else { panic!() };
    assert_eq!(cause, EndCause::NoAck);
    let Event::Rejected { status, response, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, response), (487, None));
    assert_eq!(net.times(ALICE, "200 BYE").len(), 1);
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn a_bye_before_any_response_ends_the_call_and_a_late_answer_changes_nothing() {
    let mut net = Net::alone();
    net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    let invite = net.last(ALICE, "INVITE");
    let ok = sip::Builder::response_to(&invite, 200, None).to_tag("b");
    let ok = ok.header("Contact", "<sip:bob@198.51.100.2>").build().unwrap();
    let text = format!(
        "BYE sip:alice@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKb\n\
         From: {}\nTo: {}\nCall-ID: {}\nCSeq: 1 BYE\n\n",
        ok.header_text("To").unwrap(),
        ok.header_text("From").unwrap(),
        ok.call_id().unwrap(),
    );
    net.write(BOB, ALICE, &text);
    net.millis(100);
    assert_eq!(net.times(ALICE, "200 BYE").len(), 1);
    let Event::Rejected { status, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(status, 487);
    net.send(address(BOB), address(ALICE), ok.as_bytes());
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
    assert_eq!(net.times(ALICE, "INVITE").len(), 1);
}

#[test]
fn hanging_up_before_the_answer_cancels_or_declines() {
    let mut net = Net::pair();
    let (alice, _) = net.call();
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.millis(100);
    assert_eq!(net.times(ALICE, "CANCEL").len(), 1);
    assert!(net.times(ALICE, "BYE").is_empty());
    net.assert_idle();
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.millis(100);
    let Event::Rejected { status, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(status, 480);
    net.assert_idle();
    assert_eq!(net.names(BOB), ["Released"]);
}

#[test]
fn a_bye_for_an_unknown_dialog_gets_481() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    let bye = net.last(ALICE, "BYE");
    net.seconds(100);
    net.send(address(ALICE), address(BOB), bye.as_bytes());
    net.millis(100);
    assert_eq!(net.times(BOB, "481 BYE").len(), 1);
    net.assert_idle();
}

#[test]
fn a_tag_or_call_id_guessed_wrong_does_not_end_a_call() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    let ack = net.last(ALICE, "ACK");
    let bye = String::from_utf8_lossy(ack.as_bytes()).replace("ACK", "BYE");
    let (from, to) = (ack.from().unwrap(), ack.to().unwrap());
    let right = [from.tag().unwrap(), to.tag().unwrap(), &ack.call_id().unwrap()];
    for (attempt, right) in right.iter().enumerate() {
        let wrong = bye.replace(right, "0123456789abcdef");
        let wrong = wrong.replace("z9hG4bK", &format!("z9hG4bK{attempt}"));
        net.send(address(ALICE), address(BOB), wrong.as_bytes());
        net.millis(100);
    }
    assert_eq!(net.times(BOB, "481 BYE").len(), 3);
    assert_eq!(net.names(BOB), [""; 0]);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn the_bye_of_a_refused_destination_ends_at_once() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    net.peers.remove(&address(BOB));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.at(ALICE, |endpoint, now| {
        endpoint.handle_transport_error(now, invite_to(BOB).flow);
    });
    net.seconds(40);
    assert_eq!(net.times(ALICE, "BYE").len(), 1);
    assert_eq!(net.names(ALICE), ["Released"]);
    net.assert_idle();
}
